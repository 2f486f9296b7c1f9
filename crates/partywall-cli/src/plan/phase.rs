use clap::ValueEnum;
use partywall_audit::Phase;

/// How far a plan goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum UpTo {
    /// Add roles, columns, keys and indexes: the application as it is goes on
    Expand,
    /// Put the policies on: the application must set the context from now on
    Protect,
    /// Take away what the wall has replaced
    #[default]
    Contract,
}

impl From<UpTo> for Phase {
    fn from(up_to: UpTo) -> Self {
        match up_to {
            UpTo::Expand => Self::Expand,
            UpTo::Protect => Self::Protect,
            UpTo::Contract => Self::Contract,
        }
    }
}

/// The name of a phase.
pub(crate) fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Expand => "expand",
        Phase::Protect => "protect",
        Phase::Contract => "contract",
        _ => "other",
    }
}
