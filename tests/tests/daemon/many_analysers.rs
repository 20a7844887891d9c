//! The benchmark of many analysers at once, for seconds: that it works and tells the truth, not how fast it is.

use crate::binary::hemogate;
use serde_json::Value;
use std::process::Command;

fn bench(arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(hemogate())
        .args(["bench", "analysers"])
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(folder.path().read_dir().unwrap().next().is_none(), "it leaves nothing behind");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn many_analysers_at_once_lose_nothing_and_every_answer_is_timed() {
    let (exit, out, err) = bench(&["--analysers", "8", "--minutes", "0.05", "--format", "json"]);
    let seen: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out} {err}"));
    for (what, expect) in
        [("lis01", 6), ("mllp", 2), ("lost", 0), ("duplicated", 0), ("unasked", 0), ("refused", 0)]
    {
        assert_eq!(seen[what], expect, "{what}: {seen}");
    }
    assert!(seen["faults"].as_array().unwrap().is_empty(), "{seen}");
    assert!(
        seen["frames"].as_u64() > seen["messages"].as_u64() && seen["messages"].as_u64() > Some(8),
        "{seen}"
    );
    let resident = seen["resident"].as_array().unwrap();
    assert!(resident.len() == 2 && resident.iter().all(|s| s["kib"].as_u64() > Some(1000)), "{seen}");
    // On a machine that is busy with other things the limit may be missed; then the exit code says so.
    let in_time = seen["answer_us"]["p99_9"].as_u64() <= seen["wanted"]["p99_9_us"].as_u64();
    assert_eq!((exit, &seen["reached"]), (Some(i32::from(!in_time)), &Value::from(in_time)), "{seen}");
}

#[test]
fn no_time_is_a_wrong_use() {
    for minutes in ["0", "-1", "NaN", "100000"] {
        let (exit, _, err) = bench(&[&format!("--minutes={minutes}")]);
        assert_eq!(exit, Some(2), "{minutes}: {err}");
        assert!(err.contains("--minutes"), "{err}");
    }
}
