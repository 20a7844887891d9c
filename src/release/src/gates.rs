//! The fifteen release gates (rules.md §1.7). Each one collects the reasons against itself; none looks at another.
//!
//! Gates 07, 08, 09, 12, 13 and 15 hear complaints: evidence that reports something wrong. The others need proof:
//! without it they stay closed.

use crate::GateId;
use crate::Moment;
use crate::evidence::{ComponentState, Evidence, Meaning, Qc, Resolution, Run, Signature, Validity};
use crate::group::Against;
use crate::notes::Use;
use crate::pack::{ApplyBy, RulePack};
use crate::reasons::{Reason, RunReason, met, remedy};
use crate::runs::Runs;
use crate::say::say_all;
use crate::test::Test;
use crate::verdict::{Gate, Unit};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::RunId;

/// What the other rooms of the decision hand to the gates.
pub(crate) struct Findings<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) pack: &'a RulePack,
    pub(crate) runs: &'a Runs<'a>,
    pub(crate) uses: &'a [Use],
    /// Worst of all markers.
    pub(crate) unit: Unit,
    /// Mandatory tests that are not final.
    pub(crate) open: Vec<Reason>,
    /// Markers that do not pass.
    pub(crate) failing: Vec<Reason>,
    pub(crate) group: &'a [Against],
}

/// Judges all gates, in order.
pub(crate) fn judge(findings: &Findings<'_>) -> Vec<Gate> {
    let used = used_runs(findings);
    GateId::ALL
        .into_iter()
        .map(|id| {
            let against = match id {
                GateId::TestsFinal => tests_final(findings, &used),
                GateId::MarkersPass => findings.failing.clone(),
                GateId::Group => findings.group.iter().cloned().map(Reason::Group).collect(),
                GateId::RunsValid => used.iter().filter_map(run_valid).map(Reason::Run).collect(),
                GateId::QualityControl => used.iter().filter_map(quality_control).map(Reason::Run).collect(),
                GateId::Lots => used.iter().flat_map(lots).map(Reason::Run).collect(),
                GateId::Analyser => records(&used).filter_map(analyser).map(Reason::Run).collect(),
                GateId::Operator => records(&used).filter_map(operator).map(Reason::Run).collect(),
                GateId::Identity => identity(findings.evidence),
                GateId::TwoPersons => two_persons(findings),
                GateId::Donor => donor(findings),
                GateId::Components => components(findings),
                GateId::Batch => batch(findings.evidence),
                GateId::ReleaseAct => release_act(findings),
                GateId::Interfaces => interfaces(findings.evidence, &used),
            };
            gate(id, &against, findings)
        })
        .collect()
}

fn gate(id: GateId, against: &[Reason], findings: &Findings<'_>) -> Gate {
    if against.is_empty() {
        let (en, zh) = met(id);
        let (why, why_zh) = (en.to_owned(), zh.to_owned());
        return Gate { id, pass: true, why, why_zh, remedy: None, remedy_zh: None, overridden: None };
    }
    let (why, why_zh) = say_all(against);
    let allowed = may_be_set_aside(id, findings.pack);
    let given = findings.evidence.overrides.iter().find(|o| o.gate == id.name());
    let resolution = given.map(|o| Resolution { by: o.by.clone(), reason: o.reason.clone() });
    let (remedy, remedy_zh) = remedy(id);
    let (remedy, remedy_zh) = (Some(remedy), Some(remedy_zh));
    Gate {
        id,
        pass: false,
        why,
        why_zh,
        remedy,
        remedy_zh,
        overridden: resolution.filter(|r| allowed && r.is_given()),
    }
}

/// R-GATE-14: gates 01 to 04 and 11 never; the release act itself neither.
fn may_be_set_aside(gate: GateId, pack: &RulePack) -> bool {
    gate != GateId::ReleaseAct && !pack.settings().release.override_forbidden.value.contains(&gate)
}

/// A run that results rest on, with these results. `run` is the record, where there is one.
struct Used<'a> {
    id: Option<&'a RunId>,
    run: Option<&'a Run>,
    tests: Vec<Test>,
}

fn used_runs<'a>(findings: &Findings<'a>) -> Vec<Used<'a>> {
    let mut by_run: BTreeMap<Option<&RunId>, Vec<Test>> = BTreeMap::new();
    for used in findings.uses {
        let tests = by_run.entry(used.run.as_ref()).or_default();
        if !tests.contains(&used.test) {
            tests.push(used.test.clone());
        }
    }
    by_run.into_iter().map(|(id, tests)| Used { id, run: findings.runs.get(id), tests }).collect()
}

fn records<'a>(used: &[Used<'a>]) -> impl Iterator<Item = &'a Run> {
    used.iter().filter_map(|used| used.run)
}

fn tests_final(findings: &Findings<'_>, used: &[Used<'_>]) -> Vec<Reason> {
    let settings = findings.pack.settings();
    let mut against = findings.open.clone();
    let in_force = |day: Date| {
        day >= settings.effective_from.value
            && settings.effective_to.as_ref().is_none_or(|last| day <= last.value)
    };
    match settings.apply_by.value {
        ApplyBy::CollectionTime => match findings.evidence.collected_at.map(Moment::day) {
            None => against.push(Reason::CollectionUnknown),
            Some(day) if !in_force(day) => {
                against.push(Reason::PackNotInForce { day, pack: settings.id.clone() });
            }
            Some(_) => {}
        },
        // A run whose time is not known closes gate 06; here it proves nothing either way.
        ApplyBy::TestTime => {
            let tested = records(used).filter_map(|run| run.tested_at).map(Moment::day);
            let outside: BTreeSet<Date> = tested.filter(|day| !in_force(*day)).collect();
            let pack = || settings.id.clone();
            against.extend(outside.into_iter().map(|day| Reason::PackNotInForceAtTest { day, pack: pack() }));
        }
    }
    against
}

fn run_valid(used: &Used<'_>) -> Option<RunReason> {
    let tests = used.tests.clone();
    let Some(id) = used.id.cloned() else { return Some(RunReason::NoRun { tests }) };
    let Some(run) = used.run else { return Some(RunReason::RunUnknown { run: id, tests }) };
    match run.validity {
        Some(Validity::Valid) => None,
        None => Some(RunReason::RunWithoutValidity { run: id, tests }),
        Some(Validity::Open) => Some(RunReason::RunOpen { run: id, tests, why: run.why.clone() }),
        Some(Validity::Invalid) => Some(RunReason::RunInvalid { run: id, tests, why: run.why.clone() }),
    }
}

fn quality_control(used: &Used<'_>) -> Option<RunReason> {
    let Some(run) = used.run else { return Some(unknown_run(used)) };
    let (id, why) = (run.id.clone(), run.qc_why.clone());
    match run.qc {
        Some(Qc::InControl) => None,
        Some(Qc::Released) if run.qc_release.as_ref().is_some_and(Resolution::is_given) => None,
        Some(Qc::Released) => Some(RunReason::QcReleaseUnsigned { run: id }),
        Some(Qc::Open) => Some(RunReason::QcOpen { run: id, why }),
        Some(Qc::OutOfControl) => Some(RunReason::QcOut { run: id, why }),
        None => Some(RunReason::QcUnknown { run: id }),
    }
}

fn unknown_run(used: &Used<'_>) -> RunReason {
    let tests = used.tests.clone();
    match used.id.cloned() {
        Some(run) => RunReason::RunUnknown { run, tests },
        None => RunReason::NoRun { tests },
    }
}

fn lots(used: &Used<'_>) -> Vec<RunReason> {
    let Some(run) = used.run else { return vec![unknown_run(used)] };
    if run.lots.is_empty() {
        return vec![RunReason::LotsUnknown { run: run.id.clone() }];
    }
    let mut against = Vec::new();
    if run.tested_at.is_none() {
        against.push(RunReason::TestTimeUnknown { run: run.id.clone() });
    }
    for lot in &run.lots {
        let (id, name) = (run.id.clone(), lot.lot.clone());
        if name.trim().is_empty() {
            against.push(RunReason::LotUnnamed { run: id.clone() });
        }
        match (lot.expires, run.tested_at) {
            (None, _) => against.push(RunReason::LotExpiryUnknown { run: id.clone(), lot: name.clone() }),
            (Some(expired), Some(tested)) if expired < tested.day() => {
                let tested = tested.day();
                against.push(RunReason::LotExpired { run: id.clone(), lot: name.clone(), expired, tested });
            }
            (Some(_), _) => {}
        }
        match lot.accepted {
            Some(true) => {}
            Some(false) => against.push(RunReason::LotNotAccepted { run: id.clone(), lot: name.clone() }),
            None => against.push(RunReason::LotAcceptanceUnknown { run: id.clone(), lot: name.clone() }),
        }
        if lot.on_board_exceeded == Some(true) {
            against.push(RunReason::LotOnBoard { run: id, lot: name });
        }
    }
    against
}

fn analyser(run: &Run) -> Option<RunReason> {
    run.analyser_overdue.clone().map(|what| RunReason::AnalyserOverdue { run: run.id.clone(), what })
}

fn operator(run: &Run) -> Option<RunReason> {
    (run.operator_authorised == Some(false))
        .then(|| RunReason::OperatorNotAuthorised { run: run.id.clone(), operator: run.operator.clone() })
}

fn identity(evidence: &Evidence) -> Vec<Reason> {
    let Some(identity) = &evidence.identity else { return Vec::new() };
    let mut against = Vec::new();
    if identity.check_character_valid == Some(false) {
        against.push(Reason::CheckCharacter);
    }
    if identity.manual_entry {
        match &identity.checked_by {
            None => against.push(Reason::ManualEntry),
            Some(name) if name.trim().is_empty() => against.push(Reason::ManualEntrySelfChecked),
            Some(_) => {}
        }
    }
    against
}

fn signed(evidence: &Evidence, meaning: Meaning) -> impl Iterator<Item = &Signature> {
    evidence.signatures.iter().filter(move |s| s.meaning == meaning && !s.by.trim().is_empty())
}

fn two_persons(findings: &Findings<'_>) -> Vec<Reason> {
    let evidence = findings.evidence;
    let mut against = Vec::new();
    if signed(evidence, Meaning::Reviewed).next().is_none() {
        against.push(Reason::NotReviewed);
    }
    if signed(evidence, Meaning::Released).next().is_none() {
        against.push(Reason::NotIssued);
    }
    if !against.is_empty() || !findings.pack.settings().release.two_person.value {
        return against;
    }
    // `U1 ` and `u1` are one person.
    let person = |s: &Signature| s.by.trim().to_lowercase();
    let different = signed(evidence, Meaning::Released)
        .any(|issued| signed(evidence, Meaning::Reviewed).any(|reviewed| person(reviewed) != person(issued)));
    match signed(evidence, Meaning::Released).next() {
        Some(issued) if !different => vec![Reason::OnePerson { by: issued.by.clone() }],
        Some(_) | None => Vec::new(),
    }
}

fn donor(findings: &Findings<'_>) -> Vec<Reason> {
    let Some(donor) = &findings.evidence.donor else { return vec![Reason::NoDonor] };
    let mut against = Vec::new();
    match donor.deferred {
        Some(false) => {}
        Some(true) => against.push(Reason::Deferred),
        None => against.push(Reason::DeferralUnknown),
    }
    against.extend(donor.barred.clone().map(Reason::Barred));
    against.extend(donor.post_donation.clone().map(Reason::PostDonation));
    against.extend(crate::donor::bars(donor, findings.pack).into_iter().map(Reason::Bar));
    against
}

fn components(findings: &Findings<'_>) -> Vec<Reason> {
    let passes = findings.unit == Unit::Pass;
    let judge = |component: &crate::evidence::Component| {
        let id = component.id.clone();
        match component.state {
            ComponentState::Quarantine => None,
            ComponentState::Released | ComponentState::Issued => {
                (!passes).then_some(Reason::ComponentOut { id })
            }
            ComponentState::Held | ComponentState::Discarded => {
                passes.then_some(Reason::ComponentDiffers { id })
            }
        }
    };
    findings.evidence.components.iter().filter_map(judge).collect()
}

fn batch(evidence: &Evidence) -> Vec<Reason> {
    match &evidence.batch {
        Some(batch) if batch.failing != batch.located => {
            vec![Reason::BatchNotLocated { failing: batch.failing, located: batch.located }]
        }
        Some(_) | None => Vec::new(),
    }
}

fn release_act(findings: &Findings<'_>) -> Vec<Reason> {
    let evidence = findings.evidence;
    let mut against = Vec::new();
    let mut releases = signed(evidence, Meaning::Released).peekable();
    if releases.peek().is_none() {
        against.push(Reason::ReleaseUnsigned);
    }
    against.extend(
        releases
            .filter(|s| s.authorised == Some(false))
            .map(|s| Reason::SignerNotAuthorised { by: s.by.clone() }),
    );
    for set_aside in &evidence.overrides {
        match set_aside.gate.parse::<GateId>() {
            Err(_) => against.push(Reason::UnknownGate { gate: set_aside.gate.clone() }),
            Ok(gate) if !may_be_set_aside(gate, findings.pack) => {
                against.push(Reason::ForbiddenOverride { gate, by: set_aside.by.clone() });
            }
            Ok(gate) if set_aside.by.trim().is_empty() || set_aside.reason.trim().is_empty() => {
                against.push(Reason::UnexplainedOverride { gate });
            }
            Ok(_) => {}
        }
    }
    against
}

fn interfaces(evidence: &Evidence, used: &[Used<'_>]) -> Vec<Reason> {
    let mut against = Vec::new();
    for run in records(used) {
        let gap = run.sequence_gap.clone();
        against.extend(gap.map(|what| Reason::Run(RunReason::SequenceGap { run: run.id.clone(), what })));
        let error = run.interface_error.clone();
        against
            .extend(error.map(|what| Reason::Run(RunReason::InterfaceError { run: run.id.clone(), what })));
    }
    let findings = evidence.findings.iter();
    against.extend(findings.map(|f| Reason::Finding { name: f.finding.clone(), what: f.what.clone() }));
    against
}
