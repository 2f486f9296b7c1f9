//! Routes: the value, and the one check before every handler.

mod attack;
mod checks;
mod models;
mod order;
mod project;
mod rows;
mod writing;
