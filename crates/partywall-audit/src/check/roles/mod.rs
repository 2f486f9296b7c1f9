//! Section 2 of the list of faults: roles.

use super::Audit;
use crate::Finding;

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let _ = (audit, found);
}
