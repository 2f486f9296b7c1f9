//! Section 7 of the list of faults: privileges and side channels.

mod activity;
mod body;
mod defaults;
mod estimates;
mod jobs;
mod locks;
mod notify;
mod rows;
mod schema;
mod tables;
mod version;

use super::{Audit, app::App};
use crate::Finding;

pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let apps = App::bound(audit);
    version::find(audit, found);
    jobs::find(audit, &apps, found);
    notify::find(audit, found);
    if apps.is_empty() {
        return;
    }
    tables::find(audit, &apps, found);
    defaults::find(audit, &apps, found);
    schema::find(audit, &apps, found);
    estimates::find(audit, &apps, found);
    activity::find(audit, &apps, found);
    locks::find(audit, &apps, found);
}
