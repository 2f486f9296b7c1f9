//! Resources, through the routes that check who asks.

mod attack;
mod bulk;
mod declared;
mod exports;
mod fields;
mod lists;
mod models;
mod notes;
mod pages;
mod retries;
mod site;
mod validators;
mod writes;
