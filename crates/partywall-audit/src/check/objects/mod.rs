//! Section 5 of the list of faults: objects that step around row-level security.

mod barriers;
mod check_options;
mod foreign_servers;
mod foreign_tables;
mod functions;
mod large_objects;
mod leakproof;
mod materialized_views;
mod owner;
mod publications;
mod rules;
mod triggers;
mod views;

use super::Audit;
use crate::{Finding, catalogue::Privilege};

/// What a role does with rows.
pub(super) const DATA: [Privilege; 4] = [
    Privilege::Select,
    Privilege::Insert,
    Privilege::Update,
    Privilege::Delete,
];

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    views::find(audit, found);
    barriers::find(audit, found);
    check_options::find(audit, found);
    materialized_views::find(audit, found);
    functions::find(audit, found);
    triggers::find(audit, found);
    rules::find(audit, found);
    leakproof::find(audit, found);
    foreign_tables::find(audit, found);
    foreign_servers::find(audit, found);
    large_objects::find(audit, found);
    publications::find(audit, found);
}
