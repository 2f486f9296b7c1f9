use super::{functions::past, owner::why_exempt};
use crate::{
    Fault, Finding,
    catalogue::{Privilege, Relation, Rule},
    check::{
        Audit,
        reach::{Reach, table_names},
    },
    sql::tidy,
};

/// Rules, which act as the owner of their table, where no policy holds for that owner.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for relation in audit.catalogue.relations.values() {
        if relation.extension.is_some() || !audit.subject.reports(relation) {
            continue;
        }
        for rule in &relation.rules {
            found.extend(judge(audit, relation, rule));
        }
    }
}

fn judge(audit: &Audit<'_>, relation: &Relation, rule: &Rule) -> Option<Finding> {
    let (event, begin) = match rule.event {
        "INSERT" => (Privilege::Insert, "INSERT INTO"),
        "UPDATE" => (Privilege::Update, "UPDATE"),
        _ => (Privilege::Delete, "DELETE FROM"),
    };
    if audit.askers_of(relation, &[event]).is_empty() {
        return None;
    }
    let accesses = past(audit, &Reach::of_rule(audit, relation, rule));
    let first = accesses.first()?;
    let tables = table_names(audit.catalogue, accesses.iter().map(|access| access.table));
    let statement = format!("{begin} {} …", relation.name);
    let why = format!(
        "it acts on {} as {}, so `{statement}` with another tenant's keys touches that tenant's rows",
        tables.join(", "),
        why_exempt(audit, *first),
    );
    let object = format!("rule {} on {}", tidy(&rule.name), relation.name);
    let fix = format!("DROP RULE {} ON {};", tidy(&rule.name), relation.name);
    Some(Finding::new(Fault::RuleDefiner, object, why, fix).tables(tables))
}
