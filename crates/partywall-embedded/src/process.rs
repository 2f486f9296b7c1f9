//! What other processes are up to, as far as `/proc` or `ps` tell.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Whether the process with this id runs; a process that has ended and waits to be collected does not.
pub(crate) fn runs(pid: u32) -> bool {
    let state = if has_proc() {
        // The name stands in parentheses and may hold any character: the state is the first word behind the last one.
        fs::read_to_string(format!("/proc/{pid}/stat"))
            .ok()
            .and_then(|stat| {
                stat.rsplit_once(") ")
                    .and_then(|(_, rest)| rest.chars().next())
            })
    } else {
        ps(pid, "stat=").and_then(|stat| stat.trim_start().chars().next())
    };
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Whether the process with this id is a PostgreSQL server on this data folder.
///
/// PostgreSQL makes the data folder its current folder, so `/proc` answers exactly; where there is none, the command line
/// has to do.
pub(crate) fn serves(pid: u32, data: &Path) -> bool {
    if has_proc() {
        let here = fs::canonicalize(data).ok();
        return runs(pid)
            && here.is_some()
            && fs::read_link(format!("/proc/{pid}/cwd")).ok() == here;
    }
    ps(pid, "args=").is_some_and(|line| {
        line.contains("postgres") && line.contains(data.to_string_lossy().as_ref())
    })
}

fn has_proc() -> bool {
    Path::new("/proc/self/stat").exists()
}

fn ps(pid: u32, column: &str) -> Option<String> {
    let output = Command::new("ps")
        .args(["-o", column, "-p"])
        .arg(pid.to_string())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    #[test]
    fn this_process_runs_and_a_dead_one_does_not() {
        assert!(super::runs(std::process::id()));
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert!(!super::runs(child.id()));
        assert!(!super::serves(std::process::id(), Path::new("/nowhere")));
    }
}
