//! The fifteen release gates (rules.md §1.7). Each one collects the reasons against itself; none looks at another.
//!
//! Gates 07, 08, 09, 12, 13 and 15 hear complaints: evidence that reports something wrong. The others need proof:
//! without it they stay closed.

use crate::GateId;
use crate::Moment;
use crate::evidence::{ComponentState, Evidence, Lot, Meaning, Qc, Resolution, Run, Signature, Validity};
use crate::group::Against;
use crate::notes::Use;
use crate::pack::{ApplyBy, RulePack};
use crate::reasons::{Because, Reason, RunReason, met, remedy};
use crate::runs::Runs;
use crate::say::say_all;
use crate::test::Test;
use crate::verdict::{Gate, Unit};
use jiff::civil::Date;
use std::borrow::Cow;
use std::collections::BTreeSet;
use vocabulary::RunId;

/// What the other rooms of the decision hand to the gates.
pub(crate) struct Findings<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) pack: &'a RulePack,
    pub(crate) runs: &'a Runs<'a>,
    /// The results that were used, those of one run together.
    pub(crate) uses: &'a [Use<'a>],
    /// Worst of all markers.
    pub(crate) unit: Unit,
    /// Mandatory tests that are not final.
    pub(crate) open: Vec<Reason<'a>>,
    /// Markers that do not pass.
    pub(crate) failing: Vec<Reason<'a>>,
    pub(crate) group: &'a [Against<'a>],
    /// Who set the donor's earlier group aside.
    pub(crate) set_aside: Option<&'a Resolution>,
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
            gate(id, &against, (findings, &used))
        })
        .collect()
}

fn gate(id: GateId, against: &[Reason<'_>], (findings, used): (&Findings<'_>, &[Used<'_>])) -> Gate {
    if against.is_empty() {
        let (en, zh) = met(id);
        let (why, why_zh) = open_and_told(id, (findings, used)).unwrap_or_else(|| (en.into(), zh.into()));
        return Gate { id, pass: true, why, why_zh, remedy: None, remedy_zh: None, overridden: None };
    }
    let (why, why_zh) = say_all(against);
    let allowed = may_be_set_aside(id, findings.pack);
    let given = findings.evidence.overrides.iter().find(|o| o.gate == id.name());
    let resolution = given.map(|o| Resolution { by: o.by.clone(), reason: o.reason.clone() });
    let (remedy, remedy_zh) = remedy(id, &findings.evidence.findings);
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

/// What people are told of a gate that is open all the same.
fn open_and_told(
    id: GateId,
    (findings, used): (&Findings<'_>, &[Used<'_>]),
) -> Option<(Cow<'static, str>, Cow<'static, str>)> {
    let joined = |told: &dyn Fn(&'_ Run) -> Option<(String, String)>| {
        let (en, zh): (Vec<String>, Vec<String>) = records(used).filter_map(told).unzip();
        (!en.is_empty()).then(|| (en.join("; "), zh.join("；")))
    };
    let both = |en: &Option<String>, zh: &Option<String>| {
        let en = en.clone()?;
        Some((en.clone(), zh.clone().unwrap_or(en)))
    };
    match id {
        GateId::Analyser => joined(&|run| both(&run.analyser_warned, &run.analyser_warned_zh))
            .map(|(en, zh)| (format!("warned only: {en}").into(), format!("仅警告：{zh}").into())),
        GateId::Interfaces => {
            let looked_at = joined(&|run| both(&run.interface_acknowledged, &run.interface_acknowledged_zh));
            let settled = findings.evidence.settled.iter().map(|one| (one.what.clone(), one.what_zh.clone()));
            let (en, zh): (Vec<String>, Vec<String>) = looked_at.into_iter().chain(settled).unzip();
            (!en.is_empty()).then(|| (en.join("; ").into(), zh.join("；").into()))
        }
        GateId::Group => findings.set_aside.map(|Resolution { by, reason }| {
            let en = format!("the donor's earlier group was found to be wrong by {by}: {reason}");
            (en.into(), format!("既往血型由 {by} 判定有误：{reason}").into())
        }),
        GateId::TestsFinal
        | GateId::MarkersPass
        | GateId::RunsValid
        | GateId::QualityControl
        | GateId::Lots
        | GateId::Operator
        | GateId::Identity
        | GateId::TwoPersons
        | GateId::Donor
        | GateId::Components
        | GateId::Batch
        | GateId::ReleaseAct => None,
    }
}

/// R-GATE-14: some never, and what the pack forbids beside them.
fn may_be_set_aside(gate: GateId, pack: &RulePack) -> bool {
    !gate.is_never_set_aside() && !pack.settings().release.override_forbidden.value.contains(&gate)
}

/// A run that results rest on, with these results. `run` is the record, where there is one.
struct Used<'a> {
    id: Option<&'a RunId>,
    run: Option<&'a Run>,
    uses: &'a [Use<'a>],
}

impl<'a> Used<'a> {
    /// The tests, each once.
    fn tests(&self) -> Vec<Test<'a>> {
        let mut tests = Vec::with_capacity(self.uses.len());
        for used in self.uses {
            if !tests.contains(&used.test) {
                tests.push(used.test);
            }
        }
        tests
    }
}

fn used_runs<'a>(findings: &Findings<'a>) -> Vec<Used<'a>> {
    let of_one_run = findings.uses.chunk_by(|one, next| one.run == next.run);
    let used = of_one_run.map(|uses| {
        let id = uses.first().and_then(|first| first.run);
        Used { id, run: findings.runs.get(id), uses }
    });
    used.collect()
}

fn records<'a>(used: &[Used<'a>]) -> impl Iterator<Item = &'a Run> {
    used.iter().filter_map(|used| used.run)
}

fn tests_final<'a>(findings: &Findings<'a>, used: &[Used<'a>]) -> Vec<Reason<'a>> {
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
                against.push(Reason::PackNotInForce { day, pack: &settings.id });
            }
            Some(_) => {}
        },
        // A run whose time is not known closes gate 06; here it proves nothing either way.
        ApplyBy::TestTime => {
            let first = |run: &Run| run.tested_at.map(Moment::day);
            let tested =
                records(used).flat_map(|run| first(run).into_iter().chain(run.also_on.iter().copied()));
            let outside: BTreeSet<Date> = tested.filter(|day| !in_force(*day)).collect();
            let pack = settings.id.as_str();
            against.extend(outside.into_iter().map(|day| Reason::PackNotInForceAtTest { day, pack }));
        }
    }
    against
}

fn run_valid<'a>(used: &Used<'a>) -> Option<RunReason<'a>> {
    let Some(record) = used.run else { return Some(unknown_run(used)) };
    let (run, why) = (&record.id, Because::new(record.why.as_ref(), record.why_zh.as_ref()));
    match record.validity {
        Some(Validity::Valid) => None,
        None => Some(RunReason::RunWithoutValidity { run, tests: used.tests() }),
        Some(Validity::Open) => Some(RunReason::RunOpen { run, tests: used.tests(), why }),
        Some(Validity::Invalid) => Some(RunReason::RunInvalid { run, tests: used.tests(), why }),
    }
}

fn quality_control<'a>(used: &Used<'a>) -> Option<RunReason<'a>> {
    let Some(run) = used.run else { return Some(unknown_run(used)) };
    let (id, why) = (&run.id, Because::new(run.qc_why.as_ref(), run.qc_why_zh.as_ref()));
    match run.qc {
        Some(Qc::InControl) => None,
        Some(Qc::Released) if run.qc_release.as_ref().is_some_and(Resolution::is_given) => None,
        Some(Qc::Released) => Some(RunReason::QcReleaseUnsigned { run: id }),
        Some(Qc::Open) => Some(RunReason::QcOpen { run: id, why }),
        Some(Qc::OutOfControl) => Some(RunReason::QcOut { run: id, why }),
        None => Some(RunReason::QcUnknown { run: id }),
    }
}

fn unknown_run<'a>(used: &Used<'a>) -> RunReason<'a> {
    let tests = used.tests();
    match used.id {
        Some(run) => RunReason::RunUnknown { run, tests },
        None => RunReason::NoRun { tests },
    }
}

fn lots<'a>(used: &Used<'a>) -> Vec<RunReason<'a>> {
    let Some(run) = used.run else { return vec![unknown_run(used)] };
    if run.lots.is_empty() {
        return vec![RunReason::LotsUnknown { run: &run.id }];
    }
    let unknown = |assay| RunReason::LotsOfAssayUnknown { run: &run.id, assay };
    let mut against: Vec<_> = run.without_lots.iter().map(|assay| unknown(assay.as_str())).collect();
    let first = run.tested_at.map(Moment::day);
    if first.is_none() || run.untimed {
        against.push(RunReason::TestTimeUnknown { run: &run.id });
    }
    for about in &run.lots {
        let (run, lot, tested) = (&run.id, about.lot.as_str(), about.used_on.or(first));
        if lot.trim().is_empty() {
            against.push(RunReason::LotUnnamed { run });
        }
        let of_another = of_another(run, about);
        // What the register says of its number is of another lot: nothing more is known of this one, and that says enough.
        let is_registered = of_another.is_none();
        against.extend(of_another);
        match (about.expires, tested) {
            (None, _) if !is_registered => {}
            (None, _) => against.push(RunReason::LotExpiryUnknown { run, lot }),
            (Some(expired), Some(tested)) if expired < tested => {
                against.push(RunReason::LotExpired { run, lot, expired, tested });
            }
            (Some(_), _) => {}
        }
        match about.accepted {
            Some(true) => {}
            Some(false) | None if !is_registered => {}
            Some(false) => against.push(RunReason::LotNotAccepted { run, lot }),
            None => against.push(RunReason::LotAcceptanceUnknown { run, lot }),
        }
        if about.on_board_exceeded == Some(true) {
            against.push(RunReason::LotOnBoard { run, lot });
        }
    }
    against
}

/// Lots of its number are registered, for other assays or other analysers.
fn of_another<'a>(run: &'a RunId, about: &'a Lot) -> Option<RunReason<'a>> {
    let lot = about.lot.as_str();
    match (about.not_for.as_deref(), about.not_on.as_deref()) {
        (Some(assay), _) => Some(RunReason::LotOfOtherAssay { run, lot, assay }),
        (None, Some(line)) => Some(RunReason::LotOfOtherAnalyser { run, lot, line }),
        (None, None) => None,
    }
}

fn analyser(run: &Run) -> Option<RunReason<'_>> {
    run.analyser_overdue.as_deref().map(|what| {
        let what_zh = run.analyser_overdue_zh.as_deref().unwrap_or(what);
        RunReason::AnalyserOverdue { run: &run.id, what, what_zh }
    })
}

fn operator(run: &Run) -> Option<RunReason<'_>> {
    (run.operator_authorised == Some(false))
        .then_some(RunReason::OperatorNotAuthorised { run: &run.id, operator: run.operator.as_deref() })
}

fn findings(evidence: &Evidence, of_identity: bool) -> impl Iterator<Item = Reason<'_>> {
    let found = evidence.findings.iter().filter(move |f| f.is_of_identity() == of_identity);
    found.map(|f| Reason::Finding { name: &f.finding, what: &f.what })
}

fn identity(evidence: &Evidence) -> Vec<Reason<'_>> {
    let mut against: Vec<Reason<'_>> = findings(evidence, true).collect();
    let Some(identity) = &evidence.identity else { return against };
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

fn two_persons<'a>(findings: &Findings<'a>) -> Vec<Reason<'a>> {
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
    let different = signed(evidence, Meaning::Released)
        .any(|issued| signed(evidence, Meaning::Reviewed).any(|reviewed| !is_one_person(reviewed, issued)));
    match signed(evidence, Meaning::Released).next() {
        Some(issued) if !different => vec![Reason::OnePerson { by: &issued.by }],
        Some(_) | None => Vec::new(),
    }
}

/// `U1 ` and `u1` are one person.
fn is_one_person(one: &Signature, other: &Signature) -> bool {
    let (one, other) = (one.by.trim(), other.by.trim());
    let plain = one.is_ascii() && other.is_ascii();
    if plain { one.eq_ignore_ascii_case(other) } else { one.to_lowercase() == other.to_lowercase() }
}

fn donor<'a>(findings: &Findings<'a>) -> Vec<Reason<'a>> {
    let Some(donor) = &findings.evidence.donor else { return vec![Reason::NoDonor] };
    let mut against = Vec::new();
    match donor.deferred {
        Some(false) => {}
        Some(true) => against.push(Reason::Deferred),
        None => against.push(Reason::DeferralUnknown),
    }
    against.extend(donor.barred.as_deref().map(Reason::Barred));
    against.extend(donor.post_donation.as_deref().map(Reason::PostDonation));
    against.extend(crate::donor::bars(findings.evidence, donor, findings.pack).into_iter().map(Reason::Bar));
    against
}

fn components<'a>(findings: &Findings<'a>) -> Vec<Reason<'a>> {
    let passes = findings.unit == Unit::Pass;
    let judge = |component: &'a crate::evidence::Component| {
        let id = component.id.as_str();
        match component.state {
            ComponentState::Quarantine => None,
            ComponentState::Missing => Some(Reason::ComponentMissing { id }),
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

fn batch(evidence: &Evidence) -> Vec<Reason<'_>> {
    match &evidence.batch {
        Some(batch) if batch.failing != batch.located => {
            vec![Reason::BatchNotLocated { failing: batch.failing, located: batch.located }]
        }
        Some(_) | None => Vec::new(),
    }
}

fn release_act<'a>(findings: &Findings<'a>) -> Vec<Reason<'a>> {
    let evidence = findings.evidence;
    let mut against = Vec::new();
    let mut releases = signed(evidence, Meaning::Released).peekable();
    if releases.peek().is_none() {
        against.push(Reason::ReleaseUnsigned);
    }
    against.extend(
        releases.filter(|s| s.authorised == Some(false)).map(|s| Reason::SignerNotAuthorised { by: &s.by }),
    );
    for set_aside in &evidence.overrides {
        match set_aside.gate.parse::<GateId>() {
            Err(_) => against.push(Reason::UnknownGate { gate: &set_aside.gate }),
            Ok(gate) if !may_be_set_aside(gate, findings.pack) => {
                against.push(Reason::ForbiddenOverride { gate, by: &set_aside.by });
            }
            Ok(gate) if set_aside.by.trim().is_empty() || set_aside.reason.trim().is_empty() => {
                against.push(Reason::UnexplainedOverride { gate });
            }
            Ok(_) => {}
        }
    }
    against
}

fn interfaces<'a>(evidence: &'a Evidence, used: &[Used<'a>]) -> Vec<Reason<'a>> {
    let mut against = Vec::new();
    for run in records(used) {
        let (id, gap, error) = (&run.id, run.sequence_gap.as_deref(), run.interface_error.as_deref());
        against.extend(gap.map(|what| Reason::Run(RunReason::SequenceGap { run: id, what })));
        against.extend(error.map(|what| {
            let what_zh = run.interface_error_zh.as_deref().unwrap_or(what);
            Reason::Run(RunReason::InterfaceError { run: id, what, what_zh })
        }));
    }
    against.extend(findings(evidence, false));
    against
}
