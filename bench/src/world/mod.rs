//! The server with its databases: made and filled once, and kept.

mod keys;
mod load;
mod prepare;
mod server;
mod warm;

pub(crate) use self::{
    keys::*,
    server::{Data, OWNER, PASSWORD, PEER, World, connect},
};
