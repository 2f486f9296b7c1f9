//! Section 1 of the list of faults: whether row-level security is on.

use super::Audit;
use crate::Finding;

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let _ = (audit, found);
}
