//! Where two verdicts on one donation part: what another rule pack would have changed.

use crate::verdict::{DonorVerdict, Gate, GroupVerdict, Verdict};
use serde::Serialize;
use std::collections::BTreeSet;

/// One part of a verdict that two packs see differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which part: `unit`, `releasable`, `HBV`, `HBsAg A`, `NAT HCV`, `group`, `donor`, `R-GATE-02`.
    pub at: String,
    /// What the first verdict says; empty where it does not speak of it.
    pub old: String,
    /// What the second verdict says; empty where it does not speak of it.
    pub new: String,
    /// Why, in the words of the gate that changed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Why, in Chinese.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why_zh: String,
}

/// A part of a verdict: its name, what it says, and why in both languages.
type Part = (String, String, [String; 2]);

/// Every part in which two verdicts say different things, in the order of a verdict. Wording alone, next steps and the
/// name of the pack are no difference.
#[must_use]
pub fn differences(old: &Verdict, new: &Verdict) -> Vec<Difference> {
    if say_the_same(old, new) {
        return Vec::new();
    }
    let (before, after) = (parts(old), parts(new));
    let says = |parts: &[Part], at: &str| parts.iter().find(|(name, ..)| name == at).cloned();
    let mut seen = BTreeSet::new();
    let names = before.iter().chain(&after).map(|(name, ..)| name).filter(|name| seen.insert(name.as_str()));
    names
        .filter_map(|at| {
            let nothing = || (at.clone(), String::new(), [String::new(), String::new()]);
            let (_, old, old_why) = says(&before, at).unwrap_or_else(nothing);
            let (_, new, new_why) = says(&after, at).unwrap_or_else(nothing);
            // A gate that opens has nothing to say; then the reason is what it said before.
            let [why, why_zh] = if new_why.iter().all(String::is_empty) { old_why } else { new_why };
            (old != new).then(|| Difference { at: at.clone(), old, new, why, why_zh })
        })
        .collect()
}

/// Most pairs of verdicts do: they are seen to before anything is put into words.
fn say_the_same(old: &Verdict, new: &Verdict) -> bool {
    let head = |v: &Verdict| (v.unit(), v.is_releasable(), v.is_complete());
    let serology = |v: &Verdict| v.serology().iter().map(|one| (one.marker, one.state)).collect::<Vec<_>>();
    let reagents =
        || old.serology().iter().zip(new.serology()).all(|(one, other)| one.reagent == other.reagent);
    let nat = |v: &Verdict| v.nat().iter().map(|one| (one.target, one.state)).collect::<Vec<_>>();
    let group = |v: &Verdict| (v.group().status, v.group().abo, v.group().rhd);
    head(old) == head(new)
        && old.markers() == new.markers()
        && serology(old) == serology(new)
        && reagents()
        && nat(old) == nat(new)
        && group(old) == group(new)
        && old.donor() == new.donor()
        && old.gates().iter().map(stands).eq(new.gates().iter().map(stands))
}

/// How a gate stands.
fn stands(gate: &Gate) -> &'static str {
    match (gate.pass, &gate.overridden) {
        (true, _) => "open",
        (false, Some(_)) => "set aside",
        (false, None) => "closed",
    }
}

fn parts(verdict: &Verdict) -> Vec<Part> {
    let plain = |name: String, says: String| (name, says, [String::new(), String::new()]);
    let yes = |is: bool| (if is { "yes" } else { "no" }).to_owned();
    let mut parts = vec![
        plain("unit".to_owned(), verdict.unit().name().to_owned()),
        plain("releasable".to_owned(), yes(verdict.is_releasable())),
        plain("complete".to_owned(), yes(verdict.is_complete())),
    ];
    for (name, marker) in verdict.markers() {
        let candidate = if marker.reentry_candidate { ", re-entry candidate" } else { "" };
        let says = format!("{} ({}{candidate})", marker.verdict.name(), marker.unit.name());
        parts.push(plain((*name).to_owned(), says));
    }
    for one in verdict.serology() {
        parts.push(plain(format!("{} {}", one.marker, one.reagent), one.state.name().to_owned()));
    }
    for one in verdict.nat() {
        parts.push(plain(format!("NAT {}", one.target), one.state.name().to_owned()));
    }
    parts.push(plain("group".to_owned(), group(verdict.group())));
    parts.push(plain("donor".to_owned(), donor(verdict.donor())));
    for gate in verdict.gates() {
        let why = if gate.pass {
            [String::new(), String::new()]
        } else {
            [gate.why.to_string(), gate.why_zh.to_string()]
        };
        parts.push((gate.id.to_string(), stands(gate).to_owned(), why));
    }
    parts
}

fn group(group: &GroupVerdict) -> String {
    let abo = group.abo.map(|abo| format!(" {abo}")).unwrap_or_default();
    let rhd = group.rhd.map(|rhd| format!(" RhD {rhd}")).unwrap_or_default();
    format!("{}{abo}{rhd}", group.status.name())
}

/// `temporary_deferral, re-entry candidate, look-back of HIV in G1, quarantine by 2026-03-04`.
fn donor(donor: &DonorVerdict) -> String {
    let mut says = donor.action.name().to_owned();
    if donor.reentry_candidate {
        says.push_str(", re-entry candidate");
    }
    if let Some(state) = donor.reentry {
        says.push_str(", re-entry ");
        says.push_str(state.name());
    }
    for task in &donor.lookback {
        let in_date = if task.in_date { "" } else { ", out of date" };
        let dates = [
            ("quarantine", task.quarantine_by),
            ("notices", task.notify_by),
            ("recipients", task.recipients_by),
        ];
        let dates: String =
            dates.iter().filter_map(|(what, day)| day.map(|day| format!(", {what} by {day}"))).collect();
        says = format!("{says}, look-back of {} in {}{in_date}{dates}", task.marker, task.donation);
    }
    says
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RulePack, decide, read_case};

    fn verdict(pack: &str, case: &str) -> Verdict {
        decide(&read_case(case).unwrap(), &RulePack::built_in(pack).unwrap())
    }

    /// A donation that may go, but for its ALT: twice above the limit.
    fn alt_high() -> String {
        let mut case: serde_json::Value =
            serde_json::from_str(include_str!("../tests/cases/base.json")).unwrap();
        let again = |result: &serde_json::Value| {
            let mut result = result.clone();
            result["u_per_l"] = "82.0".into();
            result
        };
        let first = case["alt"][0].clone();
        case["alt"] = vec![again(&first), again(&first)].into();
        case.to_string()
    }

    #[test]
    fn a_verdict_does_not_differ_from_itself() {
        let verdict = verdict("cn-2019", &alt_high());
        assert_eq!(differences(&verdict, &verdict), []);
    }

    #[test]
    fn what_alone_is_said_of_the_donor_differs_with_its_look_back() {
        let mut case: serde_json::Value = serde_json::from_str(&alt_high()).unwrap();
        let plain = verdict("cn-2019", &case.to_string());
        case["donor"]["earlier"] =
            serde_json::json!([{"donation": "G1", "results": [{"marker": "HIV", "result": "non_reactive"}]}]);
        case["confirmatory"] = serde_json::json!([{"marker": "HIV", "outcome": "CONF_POS"}]);
        let found = differences(&plain, &verdict("cn-2019", &case.to_string()));
        let names: Vec<&str> = found.iter().map(|d| d.at.as_str()).collect();
        assert_eq!(names, ["donor"]);
        assert!(found[0].new.starts_with("permanent_deferral, look-back of HIV in G1"), "{found:?}");
    }

    #[test]
    fn what_one_pack_asks_for_and_the_other_does_not_is_named_with_the_gates_words() {
        let found = differences(&verdict("cn-2019", &alt_high()), &verdict("who-minimum", &alt_high()));
        let at = |name: &str| found.iter().find(|d| d.at == name);
        let alt = at("ALT").unwrap();
        assert_eq!((alt.old.as_str(), alt.new.as_str()), ("ABOVE_LIMIT (discard)", ""));
        let gate = at("R-GATE-02").unwrap();
        assert_eq!((gate.old.as_str(), gate.new.as_str()), ("closed", "open"));
        assert!(gate.why.contains("ALT") && gate.why_zh.contains("ALT"), "{found:#?}");
        let deferred = at("donor").unwrap();
        assert_eq!((deferred.old.as_str(), deferred.new.as_str()), ("temporary_deferral", "none"));
        assert_eq!(at("unit").map(|unit| unit.old.as_str()), Some("discard"));
    }
}
