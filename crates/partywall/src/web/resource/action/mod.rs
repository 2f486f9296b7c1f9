//! The actions, each as a function that runs after the granted check.

mod bulk;
mod create;
mod delete;
mod list;
mod retrieve;
mod update;

pub(super) use list::VARY;
