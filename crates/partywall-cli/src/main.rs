//! `partywall` on the command line.

fn main() {}
