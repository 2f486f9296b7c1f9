//! Routes: the value, and the one check before every handler.

mod attack;
mod bodies;
mod checks;
mod models;
mod order;
mod policies;
mod project;
mod rows;
mod tenants;
mod writing;
