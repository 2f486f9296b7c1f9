//! Notes for several tenants: what Partywall looks like in an application.

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    notes::run(notes::Args::parse()).await
}
