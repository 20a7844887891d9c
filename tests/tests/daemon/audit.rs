//! What the audit trail of a house says: who did what, how often, and from where.

use crate::{house::House, staff::command};
use serde_json::Value;

/// Each act stands in the trail so many times, and whoever acted while the daemon ran sat at this machine (R-AUD-01).
pub(crate) fn has(house: &House, acts: &[(&str, &str, usize)]) {
    let (exit, printed) = command(house, &["export", "audit"], &[]);
    assert_eq!(exit, 0);
    let entries: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (what, by, times) in acts {
        let found = entries.iter().filter(|entry| entry["what"] == *what && entry["by"] == *by).count();
        assert_eq!(found, *times, "{what} {by}");
    }
    // What somebody wanted and was refused is written down, with why (R-GATE-14).
    for gate in ["R-GATE-01", "R-GATE-02", "R-GATE-03", "R-GATE-04", "R-GATE-11"] {
        let refused = |entry: &&Value| {
            let why = entry["detail"]["why"].as_str().unwrap_or_default();
            entry["what"] == "command_refused" && entry["by"] == "user:rel" && why.contains(gate)
        };
        assert!(entries.iter().any(|entry| refused(&entry)), "{gate}");
    }
    let with_the_daemon = entries.iter().skip_while(|entry| entry["what"] != "started");
    for entry in with_the_daemon.filter(|entry| entry["by"].as_str().unwrap().starts_with("user:")) {
        assert_eq!(entry["terminal"], "127.0.0.1", "everybody sat at the station: {entry}");
    }
}
