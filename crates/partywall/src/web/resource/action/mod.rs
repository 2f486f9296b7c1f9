//! The actions, each as a function that runs after the access check.

mod bulk;
mod change;
mod create;
mod list;
mod remove;
mod retrieve;
