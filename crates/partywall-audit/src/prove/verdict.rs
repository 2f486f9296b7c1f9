use super::{Outcome, refusal::Refusal};

/// What came of one attack, before it is known which cell it fills.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) control: String,
}

impl Verdict {
    pub(super) fn held(control: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Held,
            control: control.into(),
        }
    }

    pub(super) fn breach(
        statement: impl Into<String>,
        what: impl Into<String>,
        control: impl Into<String>,
    ) -> Self {
        Self {
            outcome: Outcome::Breach {
                statement: statement.into(),
                what: what.into(),
            },
            control: control.into(),
        }
    }

    /// There is nothing to attack, and why.
    pub(super) fn absent(why: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Absent,
            control: why.into(),
        }
    }

    pub(super) fn not_run(why: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::NotRun { why: why.into() },
            control: String::new(),
        }
    }

    /// The control was refused, so nothing was shown.
    pub(super) fn no_control(refusal: &Refusal) -> Self {
        Self::not_run(format!("the control did not reach: {refusal}"))
    }

    pub(super) const fn is_breach(&self) -> bool {
        matches!(self.outcome, Outcome::Breach { .. })
    }

    pub(super) const fn is_held(&self) -> bool {
        matches!(self.outcome, Outcome::Held)
    }

    /// Of several ways of one attack: a breach before what could not run, and that before what held.
    pub(super) fn worst(verdicts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let rank = |verdict: &Self| match verdict.outcome {
            Outcome::Breach { .. } => 0,
            Outcome::NotRun { .. } => 1,
            Outcome::Held => 2,
            Outcome::Absent => 3,
        };
        let mut worst: Option<Self> = None;
        for verdict in verdicts {
            if worst
                .as_ref()
                .is_none_or(|known| rank(&verdict) < rank(known))
            {
                worst = Some(verdict);
            }
        }
        worst
    }
}
