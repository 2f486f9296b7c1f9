//! A plan as SQL for people to read, and for psql to run.

use std::fmt::Write;

use super::{Plan, Step};

/// How long a step waits for a lock before it gives way. Whoever comes after it waits behind it meanwhile; and
/// when it waits for somebody who waits for it, PostgreSQL would end one of the two after a second
/// (`deadlock_timeout`), and could choose the application.
pub(super) const LOCK: &str = "500ms";
/// How long a step may take that is an instant's work.
pub(super) const INSTANT: &str = "60s";

impl Plan {
    /// All steps as one script, with what each is for and which locks it takes. The same plan gives the same
    /// text. It runs as it stands: `psql -v ON_ERROR_STOP=1 -f plan.sql`.
    #[must_use]
    pub fn sql(&self) -> String {
        let mut text = String::from(
            "-- The way to row-level security. Each step is safe beside the traffic and can be undone;\n\
             -- run it with `partywall apply`, which goes on where it stopped, or with psql -v ON_ERROR_STOP=1 -f.\n",
        );
        if !self.violations.is_empty() {
            text.push_str("--\n-- To be mended first:\n");
            for violation in &self.violations {
                let _ = writeln!(
                    text,
                    "--   {}: {}, {} rows\n--     {}",
                    comment(&violation.table),
                    comment(&violation.what),
                    violation.rows,
                    comment(&violation.query)
                );
            }
        }
        if !self.notes.is_empty() {
            text.push_str("--\n-- Left to you:\n");
            for note in &self.notes {
                let _ = writeln!(
                    text,
                    "--   {}: {}",
                    comment(&note.object),
                    comment(&note.what)
                );
            }
        }
        text.push_str("\nSET search_path = pg_catalog;\n");
        let mut phase = None;
        for (number, step) in (1_usize..).zip(&self.steps) {
            if phase != Some(step.phase) {
                phase = Some(step.phase);
                let name = match step.phase {
                    super::Phase::Expand => "expand",
                    super::Phase::Protect => "protect",
                    super::Phase::Contract => "contract",
                };
                let _ = writeln!(text, "\n-- == {name} ==\n-- {}", step.phase.before());
            }
            let _ = writeln!(
                text,
                "\n-- {number}. {}\n-- {}\n-- locks: {}",
                comment(&step.name),
                comment(&step.why),
                comment(&step.locks)
            );
            text.push_str(&runnable(step));
        }
        text.push_str("\nRESET search_path;\nRESET lock_timeout;\nRESET statement_timeout;\n");
        text
    }

    /// The steps that a script does not have as they are: it was made for another plan, or stops before them.
    #[must_use]
    pub fn not_in<'a>(&'a self, script: &str) -> Vec<&'a Step> {
        let is_in = |step: &&Step| {
            let head = format!(". {}\n", comment(&step.name));
            script.contains(&head) && script.contains(&runnable(step))
        };
        self.steps.iter().filter(|step| !is_in(step)).collect()
    }

    /// What brings the schema back, the last step first. It can also run when not all steps have. Rows keep
    /// what was changed in them.
    #[must_use]
    pub fn undo_sql(&self) -> String {
        let mut text = String::from(
            "-- Takes the plan back, the last step first; steps that were not done are passed over.\n\
             -- Keep the one that was written before the first step: a later plan knows of what was left alone.\n\
             \nSET search_path = pg_catalog;\n",
        );
        for (number, step) in self.steps.iter().enumerate().rev() {
            if !step.undo.is_empty() {
                let _ = writeln!(
                    text,
                    "\n-- {}. {}\nBEGIN;\nSET LOCAL lock_timeout = '{LOCK}';\n{}\nCOMMIT;",
                    number + 1,
                    comment(&step.name),
                    step.undo
                );
            }
        }
        text.push_str("\nRESET search_path;\nRESET lock_timeout;\nRESET statement_timeout;\n");
        text
    }
}

fn runnable(step: &Step) -> String {
    if step.repeat {
        let body = format!(
            "DECLARE
  filled bigint;
BEGIN
  LOOP
{}
    GET DIAGNOSTICS filled = ROW_COUNT;
    COMMIT;
    IF filled = 0 THEN
      EXIT WHEN NOT ({});
      -- Others hold the rows that are left.
      PERFORM pg_sleep(0.1);
    END IF;
  END LOOP;
END",
            step.sql, step.left
        );
        let mark = if body.contains("$partywall$") {
            "$partywall_batch$"
        } else {
            "$partywall$"
        };
        return format!("SET statement_timeout = 0;\nDO {mark}\n{body}\n{mark};\n");
    }
    if step.transactional {
        let limit = if step.long { "0" } else { INSTANT };
        return format!(
            "BEGIN;\nSET LOCAL lock_timeout = '{LOCK}';\nSET LOCAL statement_timeout = '{limit}';\n{}\nCOMMIT;\n",
            step.sql
        );
    }
    format!(
        "SET lock_timeout = 0;\nSET statement_timeout = 0;\n{}\n",
        step.sql
    )
}

/// A name can hold a line's end, and what is behind it would be run.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
