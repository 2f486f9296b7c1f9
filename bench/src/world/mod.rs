//! The server with its databases: made and filled once, and kept.

mod database;
mod keys;
mod load;
mod prepare;
mod server;
mod warm;

pub(crate) use self::{
    database::Database,
    keys::*,
    server::{Data, PEER, World, connect},
    warm::warm_notes,
};
