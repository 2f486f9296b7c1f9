use std::collections::BTreeMap;

use super::{child, template::Template};
use crate::{
    catalogue::{Column, Command, Oid, Policy, Relation, RelationKind},
    check::Audit,
    expression::Node,
    sql::{literal, tidy},
    subject::{Belonging, Form, With},
    wall::Standing,
};

/// `current_setting(text)` and `current_setting(text, boolean)` (`pg_proc.dat`).
const CURRENT_SETTING: [&str; 2] = ["2077", "3294"];

/// How policies of this database say whose a row is, so that a new one says it the same way.
#[derive(Debug)]
pub(crate) struct Style {
    /// The setting that the tenant is taken from.
    setting: String,
    /// What policies say of the tenant's column, for columns of a type, where that is more than a setting. The
    /// most usual first.
    said: BTreeMap<Oid, Vec<Template>>,
    /// Whether a new policy may compare with the setting: others do, or there are no others.
    plain: bool,
}

impl Style {
    pub(crate) fn of(audit: &Audit<'_>) -> Self {
        let mut settings: BTreeMap<String, usize> = audit
            .subject
            .contexts
            .iter()
            .map(|setting| (setting.clone(), 0))
            .collect();
        let mut said: BTreeMap<Oid, BTreeMap<Template, usize>> = BTreeMap::new();
        let (mut plain, mut near, mut others) = (0_usize, 0_usize, 0_usize);
        let says_tenant = |relation: &&Relation| {
            let column = audit.subject.tenant_column(relation.oid);
            column
                .and_then(|column| relation.column(column))
                .is_some_and(|column| audit.subject.says_tenant(relation, column))
        };
        let tables = audit.subject.tenant_tables(audit.catalogue);
        for relation in tables.filter(says_tenant) {
            for policy in &relation.policies {
                if let Some((_, tree)) = equality_of(audit, relation, policy)
                    && is_setting(tree)
                {
                    plain += 1;
                    for (setting, count) in &mut settings {
                        *count += usize::from(names(tree, setting));
                    }
                    continue;
                }
                match compared(audit, relation, policy) {
                    Some(true) => near += 1,
                    Some(false) => others += 1,
                    None => {}
                }
                if let Some((column, template)) = template_of(audit, relation, policy) {
                    let known = said.entry(column.type_oid).or_default();
                    *known.entry(template).or_default() += 1;
                }
            }
        }
        if plain > 0 {
            said.clear();
        }
        let said = said
            .into_iter()
            .map(|(of_type, templates)| {
                let mut templates: Vec<(Template, usize)> = templates.into_iter().collect();
                // What needs no sub-select first.
                templates.sort_by_key(|(template, count)| {
                    (template.has_select(), std::cmp::Reverse(*count))
                });
                let templates = templates.into_iter().map(|(template, _)| template);
                (of_type, templates.collect())
            })
            .collect();
        let setting = settings
            .into_iter()
            .max_by(|(a, many), (b, more)| many.cmp(more).then_with(|| b.cmp(a)))
            .map_or_else(|| "app.tenant_id".to_owned(), |(setting, _)| setting);
        Self {
            setting,
            said,
            plain: plain > 0 || near > 0 || others == 0,
        }
    }

    /// The setting that the tenant is taken from.
    pub(crate) fn setting(&self) -> &str {
        &self.setting
    }

    /// Whether a new policy may compare with the setting.
    pub(crate) const fn is_plain(&self) -> bool {
        self.plain
    }

    /// What the other policies say, of a column of another table and as SQL. `None` where they only compare
    /// with a setting, or where what they say cannot be said of it.
    pub(crate) fn repeated(
        &self,
        relation: &Relation,
        column: &str,
        type_oid: Oid,
    ) -> Option<String> {
        let table = tidy(&relation.name.name);
        self.templates(relation, type_oid)
            .find_map(|template| template.fill(&table, column))
    }

    /// The one value that the other policies compare a column of this type with, where they do.
    pub(crate) fn value(&self, type_oid: Oid) -> Option<&str> {
        self.all(type_oid).find_map(Template::value)
    }

    /// Those that fit: a sub-select keeps partitions from being pruned.
    fn templates(&self, relation: &Relation, type_oid: Oid) -> impl Iterator<Item = &Template> {
        let partitioned = relation.kind == RelationKind::Partitioned;
        // Slow is better than wrong.
        let (whole, slow): (Vec<&Template>, Vec<&Template>) = self
            .all(type_oid)
            .partition(|template| !(partitioned && template.has_select()));
        whole.into_iter().chain(slow)
    }

    /// For columns of a type or, without any, of one that compares with it as it is.
    fn all(&self, type_oid: Oid) -> impl Iterator<Item = &Template> {
        const ALIKE: [&[Oid]; 2] = [&[20, 21, 23], &[25, 1043]];
        let alike = ALIKE.into_iter().filter(move |it| it.contains(&type_oid));
        let found = std::iter::once(type_oid)
            .chain(alike.flatten().copied())
            .find_map(|of_type| self.said.get(&of_type));
        found.into_iter().flatten()
    }

    /// `tenant_id = …`: the row is the tenant's. Nobody's while no tenant is set.
    pub(super) fn equality(&self, relation: &Relation, column: &Column) -> String {
        let name = tidy(&column.name);
        self.repeated(relation, &name, column.type_oid)
            .unwrap_or_else(|| format!("{name} = {}", self.setting_of(relation, column)))
    }

    /// The same of a row that a query knows by another name.
    pub(super) fn equality_of(&self, relation: &Relation, column: &Column, alias: &str) -> String {
        let name = tidy(&column.name);
        match self.templates(relation, column.type_oid).next() {
            Some(template) => template.of_row(alias, &name),
            None => format!("{alias}.{name} = {}", self.setting_of(relation, column)),
        }
    }

    fn setting_of(&self, relation: &Relation, column: &Column) -> String {
        let value = format!(
            "NULLIF(current_setting({}, true), ''){}",
            literal(&self.setting),
            cast(column)
        );
        if relation.kind == RelationKind::Partitioned {
            value
        } else {
            format!("(SELECT {value})")
        }
    }

    /// The condition of a policy for a table: by its own column, or through its parent.
    pub(in crate::check) fn predicate(
        &self,
        audit: &Audit<'_>,
        relation: &Relation,
    ) -> Option<String> {
        match audit.subject.belonging(relation.oid)? {
            Belonging::Root(column) | Belonging::Column(column) | Belonging::Person(column) => {
                Some(self.equality(relation, relation.column(*column)?))
            }
            Belonging::Parent { .. } => child::predicate(audit, self, relation),
            Belonging::Global | Belonging::Undecided(_) => None,
        }
    }

    /// The same where it is what other policies say, and more than a comparison with a setting.
    pub(in crate::check) fn copy(&self, audit: &Audit<'_>, relation: &Relation) -> Option<String> {
        (!self.said.is_empty()).then(|| self.predicate(audit, relation))?
    }

    /// Switches row-level security on and makes a policy.
    pub(super) fn protect(&self, relation: &Relation, predicate: &str) -> String {
        self.switch_on(relation) + "\n" + &self.policy(relation, predicate)
    }

    #[expect(
        clippy::unused_self,
        reason = "it is said beside what is a question of style"
    )]
    pub(super) fn switch_on(&self, relation: &Relation) -> String {
        let table = &relation.name;
        format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;\nALTER TABLE {table} FORCE ROW LEVEL SECURITY;"
        )
    }

    /// Makes a permissive policy for all commands, under a name that the table does not have yet.
    #[expect(
        clippy::unused_self,
        reason = "it is said beside what is a question of style"
    )]
    pub(super) fn policy(&self, relation: &Relation, predicate: &str) -> String {
        let taken = |name: &str| relation.policies.iter().any(|policy| policy.name == name);
        let mut name = "tenant".to_owned();
        let mut number = 2;
        while taken(&name) {
            name = format!("tenant_{number}");
            number += 1;
        }
        format!(
            "CREATE POLICY {name} ON {} USING ({predicate});",
            relation.name
        )
    }
}

/// The other side of a policy that is `column = …` and nothing else, with the column.
fn equality_of<'a>(
    audit: &Audit<'_>,
    relation: &'a Relation,
    policy: &'a Policy,
) -> Option<(&'a Column, &'a Node)> {
    let column = relation.column(audit.subject.tenant_column(relation.oid)?)?;
    let using = policy.using.as_ref()?;
    let [left, right] = using.tree.list("args") else {
        return None;
    };
    // A varchar is compared as text.
    let left = match (left.tag(), left.get("arg")) {
        ("RELABELTYPE", Some(bare)) => bare,
        _ => left,
    };
    let is_column = left.tag() == "VAR"
        && left.number("varattno") == Some(column.number)
        && left.number("varlevelsup") == Some(0);
    // That the tree is one comparison is known; that it is `=`, the text says.
    let name = tidy(&column.name);
    let is_equal = [format!("({name} = "), format!("(({name})::text = ")]
        .iter()
        .any(|head| using.text.starts_with(head));
    (using.tree.tag() == "OPEXPR" && is_column && is_equal && !has(right, "VAR"))
        .then_some((column, right))
}

/// Whether a policy compares the tenant's column with something of the session, and with a setting as it is.
fn compared(audit: &Audit<'_>, relation: &Relation, policy: &Policy) -> Option<bool> {
    let tenant = audit.subject.tenant_column(relation.oid)?;
    let mut found = audit
        .subject
        .comparisons
        .get(&relation.oid)?
        .iter()
        .filter(|it| it.policy == policy.name && it.column == tenant)
        .peekable();
    found.peek()?;
    Some(found.any(|it| {
        matches!(&it.with, With::Context { form: Form::Setting { path, .. }, .. } if path.is_empty())
    }))
}

/// What a policy says of the tenant's column, if that alone keeps every role of the application to its rows.
fn template_of<'a>(
    audit: &Audit<'_>,
    relation: &'a Relation,
    policy: &Policy,
) -> Option<(&'a Column, Template)> {
    let column = relation.column(audit.subject.tenant_column(relation.oid)?)?;
    let roles = &audit.catalogue.roles;
    let asked = || {
        let apps = audit.subject.app_roles.iter().copied();
        apps.filter(|role| {
            policy
                .roles
                .iter()
                .any(|to| roles.has_rights_of(*role, *to))
        })
    };
    if asked().next().is_none() || !holds(audit, relation) {
        return None;
    }
    // What is read; what is written where reading has alternatives, such as rows that all tenants share.
    let parts = [(&policy.using, false), (&policy.check, true)];
    parts.into_iter().find_map(|(expression, check)| {
        let read = !check && policy.covers(Command::Select);
        let written = check && policy.command != Some(Command::Delete);
        let text = &expression.as_ref().filter(|_| read || written)?.text;
        let columns: Vec<&str> = relation.columns.iter().map(|it| it.name.as_str()).collect();
        let template = Template::of(text, &relation.name.name, &columns, &column.name)?;
        asked()
            .all(|role| audit.wall.gaps(role, relation, policy, check).is_empty())
            .then_some((column, template))
    })
}

/// Whether policies of a table keep the application's roles to their tenants.
fn holds(audit: &Audit<'_>, relation: &Relation) -> bool {
    audit.subject.app_roles.iter().all(|role| {
        Command::ALL.iter().all(|command| {
            !matches!(
                audit.wall.standing(*role, relation.oid, *command),
                Standing::Open(_)
            )
        })
    })
}

/// Whether an expression is the value of a setting and nothing but casts and NULLIF around it.
fn is_setting(tree: &Node) -> bool {
    let (mut reads, mut more) = (false, false);
    tree.walk(&mut |node| match node.tag() {
        "FUNCEXPR" => {
            let setting = node
                .word("funcid")
                .is_some_and(|function| CURRENT_SETTING.contains(&function));
            // A cast is a call that was not written as one.
            let cast = matches!(node.word("funcformat"), Some("1" | "2"));
            reads |= setting;
            more |= !setting && !cast;
        }
        "OPEXPR" | "COALESCE" | "COALESCEEXPR" | "CASE" | "CASEEXPR" | "BOOLEXPR" | "AGGREF"
        | "SQLVALUEFUNCTION" | "SCALARARRAYOPEXPR" | "RTE" | "RANGETBLENTRY" => more = true,
        _ => {}
    });
    reads && !more
}

/// Whether an expression has the name of a setting among its constants.
fn names(tree: &Node, setting: &str) -> bool {
    let mut found = false;
    tree.walk(&mut |node| {
        if node.tag() == "CONST"
            && let Some(Node::List(parts)) = node.get("constvalue")
        {
            found |= parts.iter().any(|part| is_text(part, setting));
        } else if node.tag() == "CONST"
            && let Some(part) = node.get("constvalue")
        {
            found |= is_text(part, setting);
        }
    });
    found
}

/// A text as a constant holds it: behind four bytes of length.
fn is_text(part: &Node, text: &str) -> bool {
    matches!(part, Node::Bytes(bytes) if bytes.get(4..).is_some_and(|it| it.eq_ignore_ascii_case(text.as_bytes())))
}

fn has(tree: &Node, tag: &str) -> bool {
    let mut found = false;
    tree.walk(&mut |node| found |= node.tag() == tag);
    found
}

/// How a setting's text becomes a value of a column's type. A length is left out: with it, a cast cuts, and
/// one tenant's name could become another's.
fn cast(column: &Column) -> String {
    match column.type_oid {
        // text, varchar
        25 | 1043 => String::new(),
        1042 => "::bpchar".to_owned(),
        1700 => "::numeric".to_owned(),
        _ => format!("::{}", column.type_name),
    }
}
