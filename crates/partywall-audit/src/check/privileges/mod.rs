//! Section 7 of the list of faults: privileges and side channels.

use super::Audit;
use crate::Finding;

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let _ = (audit, found);
}
