use std::collections::BTreeMap;

use super::{
    functions::{invoker, past},
    owner::why_exempt,
};
use crate::{
    Fault, Finding,
    catalogue::{Oid, Privilege, Relation},
    check::{
        Audit,
        reach::{Access, Reach, table_names},
    },
};

/// Triggers on tables that the application writes, which act as an owner that no policy holds for on more
/// than the row's tenant.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let mut blamed: BTreeMap<Oid, (Vec<Access>, &Relation)> = BTreeMap::new();
    for relation in audit.catalogue.relations.values() {
        let writes = [Privilege::Insert, Privilege::Update, Privilege::Delete];
        if relation.triggers.is_empty() || audit.askers_of(relation, &writes).is_empty() {
            continue;
        }
        for trigger in relation.triggers.iter().filter(|trigger| trigger.enabled) {
            let Some(function) = audit.catalogue.functions.get(&trigger.function) else {
                continue;
            };
            if !function.security_definer || function.extension.is_some() {
                continue;
            }
            let reached = Reach::of_trigger(audit, function, relation, trigger);
            let accesses = past(audit, &reached);
            if !accesses.is_empty() {
                blamed
                    .entry(function.oid)
                    .or_insert((Vec::new(), relation))
                    .0
                    .extend(accesses);
            }
        }
    }
    for (oid, (accesses, relation)) in blamed {
        let (Some(function), Some(first)) = (audit.catalogue.functions.get(&oid), accesses.first())
        else {
            continue;
        };
        if !super::functions::reports(audit, function) && !audit.subject.reports(relation) {
            continue;
        }
        let tables = table_names(audit.catalogue, accesses.iter().map(|access| access.table));
        let why = format!(
            "as a trigger on {} it reaches {} as {}, so `INSERT INTO {} …` with another tenant's keys touches that \
             tenant's rows",
            relation.name,
            tables.join(", "),
            why_exempt(audit, *first),
            relation.name
        );
        found.push(
            Finding::new(
                Fault::SecdefTrigger,
                function.signature(),
                why,
                invoker(function),
            )
            .tables(tables),
        );
    }
}
