use std::{
    ffi::{OsStr, OsString},
    process::Stdio,
};

use super::outcome::Outcome;
use crate::{shell, tenant::Door};

/// A command to run for each tenant.
pub(super) struct Program {
    program: OsString,
    arguments: Vec<OsString>,
    dry_run: bool,
}

impl Program {
    pub(super) fn new(program: &OsStr, arguments: &[OsString], dry_run: bool) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.to_vec(),
            dry_run,
        }
    }

    /// Runs it for one tenant.
    pub(super) async fn run(&self, door: &Door, tenant: &str) -> Outcome {
        if self.dry_run {
            return Outcome {
                output: Some(format!("would run {}", self.program.display())),
                ..Outcome::done(tenant)
            };
        }
        let settings = match door.settings(tenant).await {
            Ok(settings) => settings,
            Err(failure) => return Outcome::failed(tenant, failure.to_string()),
        };
        let mut child = std::process::Command::new(&self.program);
        child.args(&self.arguments).stdin(Stdio::null());
        shell::equip(&mut child, &door.login_within(&settings), tenant);
        let ended = tokio::process::Command::from(child)
            .kill_on_drop(true)
            .output()
            .await;
        match ended {
            Err(error) => Outcome::failed(
                tenant,
                format!("cannot run `{}`: {error}", self.program.display()),
            ),
            Ok(ended) => {
                let mut output = String::from_utf8_lossy(&ended.stdout).into_owned();
                output.push_str(&String::from_utf8_lossy(&ended.stderr));
                let output = (!output.trim().is_empty()).then_some(output);
                if ended.status.success() {
                    Outcome {
                        output,
                        ..Outcome::done(tenant)
                    }
                } else {
                    let code = shell::code(ended.status);
                    Outcome {
                        output,
                        ..Outcome::failed(
                            tenant,
                            format!("`{}` ended with {code}", self.program.display()),
                        )
                    }
                }
            }
        }
    }
}
