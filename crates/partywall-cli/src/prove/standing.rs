use partywall_audit::{Attack, Cell, Outcome, TableProof};

/// What the cells of one attack, table and role come to: the worst of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// There is nothing that could be attacked so.
    Absent,
    /// It reached nothing, and the control did.
    Held,
    /// It reached the victim's rows, and somebody accepted that.
    Accepted,
    /// Nothing is known.
    NotRun,
    /// It reached the victim's rows.
    Breach,
}

impl Standing {
    /// Of one cell.
    pub(super) fn of(cell: &Cell) -> Self {
        match cell.outcome {
            Outcome::Held => Self::Held,
            Outcome::Breach { .. } if cell.accepted.is_some() => Self::Accepted,
            Outcome::Breach { .. } => Self::Breach,
            Outcome::Absent => Self::Absent,
            Outcome::NotRun { .. } => Self::NotRun,
            _ => Self::NotRun,
        }
    }

    /// Of all cells of an attack.
    pub(super) fn among(table: &TableProof, role: &str, attack: Attack) -> Self {
        table
            .cells
            .iter()
            .filter(|cell| cell.attack == attack && cell.role == role)
            .map(Self::of)
            .max()
            .unwrap_or(Self::Absent)
    }

    /// One character, which says it without colour.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Absent => "·",
            Self::Held => "✓",
            Self::Accepted => "!",
            Self::NotRun => "?",
            Self::Breach => "✗",
        }
    }

    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Absent => "nothing to attack",
            Self::Held => "held",
            Self::Accepted => "accepted",
            Self::NotRun => "not run",
            Self::Breach => "breach",
        }
    }
}

/// The roles that attacked a table, in the order in which they did.
pub(super) fn roles(table: &TableProof) -> Vec<&str> {
    let mut roles: Vec<&str> = Vec::new();
    for cell in &table.cells {
        if !roles.contains(&cell.role.as_str()) {
            roles.push(&cell.role);
        }
    }
    roles
}
