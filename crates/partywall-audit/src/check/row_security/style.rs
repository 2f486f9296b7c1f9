use std::collections::BTreeMap;

use super::{child, whole::Whole};
use crate::{
    catalogue::{Column, Command, Oid, Policy, Relation, RelationKind},
    check::Audit,
    expression::Node,
    sql::{literal, tidy},
    subject::Belonging,
    wall::Standing,
};

/// `current_setting(text)` and `current_setting(text, boolean)` (`pg_proc.dat`).
const CURRENT_SETTING: [&str; 2] = ["2077", "3294"];

/// How policies of this database say whose a row is, so that a new one says it the same way.
#[derive(Debug)]
pub(in crate::check) struct Style {
    /// The setting that the tenant is taken from.
    setting: String,
    /// What the tenant's column is compared with, for columns of a type, where that is more than a setting.
    copied: BTreeMap<Oid, Copied>,
    /// Where it is no equality: the condition as a whole, as one that asks memberships or a list.
    whole: BTreeMap<Oid, Whole>,
}

#[derive(Clone, Debug)]
struct Copied {
    text: String,
    /// Whether it is a sub-select, which keeps partitions from being pruned.
    sub_select: bool,
}

impl Style {
    pub(in crate::check) fn of(audit: &Audit<'_>) -> Self {
        let mut settings: BTreeMap<String, usize> = audit
            .subject
            .contexts
            .iter()
            .map(|setting| (setting.clone(), 0))
            .collect();
        let mut copied: BTreeMap<Oid, Copied> = BTreeMap::new();
        let mut plain = 0_usize;
        for relation in audit.subject.tenant_tables(audit.catalogue) {
            for policy in &relation.policies {
                let Some((column, compared)) = equality_of(audit, relation, policy) else {
                    continue;
                };
                if !audit.subject.says_tenant(relation, column) {
                    continue;
                }
                if is_setting(compared.tree) {
                    plain += 1;
                    for (setting, count) in &mut settings {
                        *count += usize::from(names(compared.tree, setting));
                    }
                } else if holds(audit, relation) {
                    let it = Copied {
                        text: compared.text.to_owned(),
                        sub_select: has(compared.tree, "SUBLINK"),
                    };
                    let known = copied.entry(column.type_oid).or_insert_with(|| it.clone());
                    if known.sub_select {
                        *known = it;
                    }
                }
            }
        }
        let mut whole = BTreeMap::new();
        if plain > 0 {
            copied.clear();
        } else if copied.is_empty() {
            whole = super::whole::all(audit);
        }
        let setting = settings
            .into_iter()
            .max_by(|(a, many), (b, more)| many.cmp(more).then_with(|| b.cmp(a)))
            .map_or_else(|| "app.tenant_id".to_owned(), |(setting, _)| setting);
        Self {
            setting,
            copied,
            whole,
        }
    }

    /// That a row of `relation`, called so, is the tenant's. In its own policy the name may be left out.
    pub(super) fn condition(
        &self,
        audit: &Audit<'_>,
        relation: &Relation,
        column: &Column,
        called: Option<&str>,
    ) -> String {
        let own = tidy(&relation.name.name);
        let whole = self.whole.get(&column.type_oid).filter(|it| {
            audit.subject.says_tenant(relation, column) && !it.turns_in_a_circle(relation)
        });
        match (whole, called) {
            (Some(whole), called) => whole.of(called.unwrap_or(&own), column, called.is_none()),
            (None, Some(called)) => format!("{called}.{}", self.equality(relation, column)),
            (None, None) => self.equality(relation, column),
        }
    }

    /// `tenant_id = …`: the row is the tenant's. Nobody's while no tenant is set.
    fn equality(&self, relation: &Relation, column: &Column) -> String {
        let partitioned = relation.kind == RelationKind::Partitioned;
        let name = tidy(&column.name);
        if let Some(copied) = self.copied.get(&column.type_oid)
            && !(partitioned && copied.sub_select)
        {
            return format!("{name} = {}", copied.text);
        }
        let value = format!(
            "NULLIF(current_setting({}, true), ''){}",
            literal(&self.setting),
            cast(column)
        );
        if partitioned {
            format!("{name} = {value}")
        } else {
            format!("{name} = (SELECT {value})")
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
                Some(self.condition(audit, relation, relation.column(*column)?, None))
            }
            Belonging::Parent { .. } => child::predicate(audit, self, relation),
            Belonging::Global | Belonging::Undecided(_) => None,
        }
    }

    /// The same where it is a condition that is copied as a whole.
    pub(in crate::check) fn copy(&self, audit: &Audit<'_>, relation: &Relation) -> Option<String> {
        (!self.whole.is_empty()).then(|| self.predicate(audit, relation))?
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

/// What a tenant's column is compared with.
struct Compared<'a> {
    text: &'a str,
    tree: &'a Node,
}

/// The other side of a policy that is `column = …` and nothing else, with the column.
fn equality_of<'a>(
    audit: &Audit<'_>,
    relation: &'a Relation,
    policy: &'a Policy,
) -> Option<(&'a Column, Compared<'a>)> {
    let column = relation.column(audit.subject.tenant_column(relation.oid)?)?;
    let using = policy.using.as_ref()?;
    let [left, right] = using.tree.list("args") else {
        return None;
    };
    let is_column = left.tag() == "VAR"
        && left.number("varattno") == Some(column.number)
        && left.number("varlevelsup") == Some(0);
    // That the tree is one comparison is known; that it is `=`, the text says.
    let text = using
        .text
        .strip_prefix(&format!("({} = ", tidy(&column.name)))?
        .strip_suffix(')')?;
    (using.tree.tag() == "OPEXPR" && is_column && !has(right, "VAR"))
        .then_some((column, Compared { text, tree: right }))
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
pub(super) fn is_setting(tree: &Node) -> bool {
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
