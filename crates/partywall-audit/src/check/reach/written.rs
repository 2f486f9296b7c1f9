//! Views that rows are written through: PostgreSQL makes an INSERT or UPDATE of such a view one of its table.

use super::{DEEPEST, Names, phrase};
use crate::{
    catalogue::{CheckOption, Command, Oid, Privilege, Relation, RelationKind, Trigger},
    check::Audit,
    expression::Node,
};

/// Where a write through a view ends.
#[derive(Clone, Debug)]
pub(in crate::check) struct Written {
    pub(in crate::check) table: Oid,
    /// As whom it is written.
    pub(in crate::check) role: Oid,
    /// The columns of the table that the one who writes can give values.
    pub(in crate::check) columns: Vec<i16>,
    /// The view nearest to the table whose condition keeps to the context's tenant. None if none does, or if
    /// new rows are held against it.
    pub(in crate::check) unchecked: Option<Oid>,
}

impl Written {
    /// What somebody writes who does it through a view. None where that is not what happens: rules and triggers
    /// of the view do something else instead.
    pub(in crate::check) fn through(
        audit: &Audit<'_>,
        view: &Relation,
        asker: Oid,
        command: Command,
    ) -> Option<Self> {
        let names = Names::new(audit.catalogue, audit.subject);
        let mut at = view;
        let mut columns = granted(audit, view, asker, command);
        let mut role = asker;
        let (mut cascaded, mut checked, mut unchecked) = (false, false, None);
        for _ in 0..DEEPEST {
            let Some(own) = at.view.as_ref().filter(|_| at.kind == RelationKind::View) else {
                return Some(Self {
                    table: at.oid,
                    role,
                    columns,
                    unchecked: unchecked.filter(|_| !checked),
                });
            };
            if !own.writes.contains(&command) || acts_instead(at, command) {
                return None;
            }
            let below: Vec<(Oid, i16)> = columns
                .iter()
                .filter_map(|column| origin(&own.tree, *column))
                .collect();
            let (next, _) = below.first().copied()?;
            columns = below.into_iter().map(|(_, column)| column).collect();
            cascaded |= own.check_option == CheckOption::Cascaded;
            let scans = names.view(own).scans;
            if scans
                .iter()
                .find(|scan| scan.relation == next)
                .is_some_and(|scan| scan.bound)
            {
                if cascaded || own.check_option == CheckOption::Local {
                    checked = true;
                } else {
                    unchecked = Some(at.oid);
                }
            }
            role = if own.security_invoker {
                asker
            } else {
                at.owner
            };
            at = audit.catalogue.relations.get(&next)?;
        }
        None
    }
}

/// The columns that somebody may give values, by grants.
fn granted(audit: &Audit<'_>, view: &Relation, asker: Oid, command: Command) -> Vec<i16> {
    let privilege = match command {
        Command::Select => Privilege::Select,
        Command::Insert => Privilege::Insert,
        Command::Update => Privilege::Update,
        Command::Delete => Privilege::Delete,
    };
    view.columns
        .iter()
        .map(|column| column.number)
        .filter(|number| {
            view.grants.iter().any(|grant| {
                grant.privilege == privilege
                    && grant.column.is_none_or(|own| own == *number)
                    && audit.catalogue.roles.has_rights_of(asker, grant.grantee)
            })
        })
        .collect()
}

/// Whether rules or triggers take the place of a write.
fn acts_instead(view: &Relation, command: Command) -> bool {
    view.rules
        .iter()
        .any(|rule| rule.event == command.keyword())
        || view
            .triggers
            .iter()
            .any(|trigger| trigger.enabled && is_instead(trigger, command))
}

/// `INSTEAD OF INSERT OR UPDATE ON`
fn is_instead(trigger: &Trigger, command: Command) -> bool {
    let parts = phrase::read(&trigger.definition).unwrap_or_default();
    let instead = parts.iter().position(|part| part.is("instead"));
    instead.is_some_and(|at| {
        parts
            .iter()
            .skip(at)
            .take_while(|part| !part.is("on"))
            .any(|part| part.is(&command.keyword().to_lowercase()))
    })
}

/// The column of what is below that a column of a view is.
fn origin(tree: &Node, column: i16) -> Option<(Oid, i16)> {
    let query = if let Node::List(queries) = tree {
        queries.first()?
    } else {
        tree
    };
    let target = query
        .list("targetList")
        .iter()
        .find(|target| target.number("resno") == Some(column))?;
    let from: Oid = target.number("resorigtbl")?;
    (from != 0).then_some((from, target.number("resorigcol")?))
}
