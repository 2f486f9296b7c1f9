//! The way from a database without row-level security to one with it, in safe steps.

mod apply;
mod broken;
mod column;
mod done;
mod error;
mod extras;
mod given;
mod map;
mod names;
mod note;
mod outline;
mod path;
mod planning;
mod remarks;
mod script;
mod settled;
mod shape;
mod stand;
mod step;
mod steps;
mod violation;
mod written;

pub use apply::{Applying, apply};
pub use error::ApplyError;
pub use map::{Map, MapError, RolesMap, TableMap, TenantMap};
pub use note::Note;
pub use planning::{Plan, plan};
pub use step::{Phase, Step};
pub use violation::Violation;

use extras::Extras;
use outline::Outline;
