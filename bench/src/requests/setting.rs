use std::fmt;

use super::call::Call;

/// What is asked for, by how many, over which wire to the database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) call: Call,
    pub(super) clients: usize,
    pub(super) delayed: bool,
}

/// The settings over one wire.
pub(super) fn over(delayed: bool) -> Vec<Setting> {
    let mut settings = Vec::new();
    for clients in [1, 64] {
        settings.extend([Call::List, Call::Create].map(|call| Setting {
            call,
            clients,
            delayed,
        }));
    }
    settings
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, clients, .. } = self;
        let plural = if *clients == 1 { "" } else { "s" };
        let wire = match self.delayed {
            true => "1 ms added",
            false => "unix socket",
        };
        write!(f, "{call}, {clients} client{plural}, {wire}")
    }
}
