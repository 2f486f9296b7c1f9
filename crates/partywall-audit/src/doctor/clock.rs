use std::time::{Duration, Instant, SystemTime};

use tokio_postgres::Client;

use super::{Line, Status};
use crate::AuditError;

/// Compares the two clocks. Sealed contexts expire by them, and so do sessions.
pub(super) async fn look(client: &Client) -> Result<Line, AuditError> {
    let doing = "read the clock";
    let sent = Instant::now();
    let row = client
        .query_one("SELECT pg_catalog.clock_timestamp()", &[])
        .await
        .map_err(AuditError::doing(doing))?;
    let trip = sent.elapsed();
    let now = SystemTime::now();
    let there: SystemTime = row.try_get(0).map_err(AuditError::doing(doing))?;
    // The server read its clock about half a trip ago.
    let there = there + trip / 2;
    let (apart, is_ahead) = match there.duration_since(now) {
        Ok(ahead) => (ahead, true),
        Err(behind) => (behind.duration(), false),
    };
    Ok(judge(apart.saturating_sub(trip / 2), is_ahead))
}

fn judge(apart: Duration, is_ahead: bool) -> Line {
    let (status, mend) = match apart.as_secs_f64() {
        ..1.0 => (Status::Ok, ""),
        1.0..20.0 => (Status::Warn, "let both machines ask a time server (NTP)"),
        _ => (
            Status::Fail,
            "let both machines ask a time server (NTP): what is sealed for 60 s expires early, or late",
        ),
    };
    let what = if status == Status::Ok {
        "the server's and this machine's agree".to_owned()
    } else {
        format!(
            "the server's is {:.1} s {} this machine's",
            apart.as_secs_f64(),
            if is_ahead { "ahead of" } else { "behind" }
        )
    };
    Line::new("clock", status, what, mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_is_told() {
        assert_eq!(judge(Duration::from_millis(300), true).status, Status::Ok);
        let late = judge(Duration::from_secs(5), false);
        assert_eq!(
            (late.status, late.what.as_str()),
            (Status::Warn, "the server's is 5.0 s behind this machine's")
        );
        assert_eq!(judge(Duration::from_secs(90), true).status, Status::Fail);
    }
}
