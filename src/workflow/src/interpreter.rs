//! From a message to its observations, findings, and the donations they speak of.

use crate::again::again;
use crate::earlier::Memory;
use crate::halves::{Halves, Joined};
use crate::orders::{Incoming, OrderBook};
use crate::specimens::Whose;
use crate::{Settings, SpecimenRule, Stopped, Unlocated, pools};
use instrument_profiles::OrderWish;
use ledger::{Draft, Earlier, Ledger, Measured, MessageView, Page, Pools, Reader, Seq, What};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{
    ConnectionId, Consequence, DonationId, Finding, Mode, Observation, OrderId, PoolId, RunId, SpecimenId,
    SpecimenKind,
};

/// Messages of one round.
const MESSAGES_PER_ROUND: usize = 64;
/// Observations, and findings, of one entry; larger meanings come in parts.
const ITEMS_PER_PART: usize = 200;

/// What a message means and whom it concerns.
#[derive(Debug, Clone, PartialEq)]
pub struct Interpreted {
    /// Its results.
    pub observations: Vec<Observation>,
    /// What was wrong.
    pub findings: Vec<Finding>,
    /// Which observations are evidence for which donation.
    pub donations: Vec<(u32, DonationId)>,
    /// Which findings hold which donation.
    pub holds: Vec<(u32, DonationId)>,
    /// Which observations are results of which order.
    pub orders: Vec<(u32, OrderId)>,
    /// What the results that are evidence measured, and what they are to earlier ones.
    pub measured: Vec<Measured>,
    /// Half transmissions that were read together with it.
    pub continues: Vec<u64>,
    /// What it says of pools.
    pub pools: Pools,
}

/// The groups that end some interpretation items.
pub(crate) fn some(settings: &Settings, ledger: &Ledger) -> Result<Vec<Vec<Draft>>, Stopped> {
    let reader = ledger.state();
    let mut groups = Vec::new();
    let mut memory = Memory::default();
    let mut incoming = Incoming::new(settings, &reader);
    let items = reader.to_interpret(&Page::first(MESSAGES_PER_ROUND))?.items;
    let halves = Halves::before(&reader, &items)?;
    for item in items {
        let Some(message) = reader.message(item.message)? else { continue };
        if message.interpretation.as_ref().is_some_and(|standing| standing.complete) {
            groups.push(again(settings, &reader, &mut memory, &message)?);
            continue;
        }
        let (mut interpreted, wishes) = message_of(settings, (&reader, &halves), &message)?;
        let (mut group, refused) = incoming.of(&message, &wishes)?;
        interpreted.findings.extend(refused);
        memory.compare(&reader, &message, &settings.specimens, &mut interpreted)?;
        interpreted.take_repeats_from_orders(message.seq);
        group.extend(parts(&message, interpreted));
        groups.push(group);
    }
    Ok(groups)
}

/// What a message means, and the orders that it brings.
pub(crate) fn message_of(
    settings: &Settings,
    (reader, halves): (&Reader, &Halves),
    message: &MessageView,
) -> Result<(Interpreted, Vec<OrderWish>), Stopped> {
    let raw = match reader.raw(message.seq) {
        Ok(raw) => raw,
        // The journal is whole but the message points nowhere: a person must see it, and it must not block the rest.
        Err(ledger::ReadError::BytesMissing(_)) => {
            let what = "the bytes of the message are not in the frames it names; ask for it to be sent again";
            return Ok((only(finding("bytes_missing", "message", what)), Vec::new()));
        }
        Err(other) => return Err(other.into()),
    };
    // Exactly the revision that was pinned when the message came, or that it is to be read again with (law 10).
    let Some(profile) = settings.profiles.find(reader, &message.read_with)? else {
        let what = format!(
            "profile {} in revision {} is not here; install it and reprocess the message",
            message.read_with.id, message.read_with.revision
        );
        return Ok((only(finding("profile_missing", "message", &what)), Vec::new()));
    };
    let Joined { text, continues, finding } = halves.joined(reader, (message, raw), &profile)?;
    let mut said = profile.interpret(&text);
    said.findings.extend(finding);
    let orders = std::mem::take(&mut said.orders);
    let mut whole = assign(said, message, &settings.specimens);
    crate::quarantine::find_scans(&mut whole.findings, &text);
    whole.continues = continues;
    if !whole.is_quarantined() {
        whole.orders = OrderBook::new(settings, reader).answered(message, &whole.observations)?;
    }
    Ok((whole, orders))
}

fn only(finding: Finding) -> Interpreted {
    Interpreted {
        observations: Vec::new(),
        findings: vec![finding],
        donations: Vec::new(),
        holds: Vec::new(),
        orders: Vec::new(),
        measured: Vec::new(),
        continues: Vec::new(),
        pools: Pools::default(),
    }
}

impl Interpreted {
    /// A result sent again says nothing of an order: what it answered is answered, and a later order wants a new one.
    pub(crate) fn take_repeats_from_orders(&mut self, message: Seq) {
        let repeats =
            |m: &&Measured| matches!(m.earlier, Some(Earlier::RepeatOf(of)) if of.message < message);
        let repeated: BTreeSet<u32> = self.measured.iter().filter(repeats).map(|m| m.index).collect();
        self.orders.retain(|(at, _)| !repeated.contains(at));
    }

    /// Whether that is what the message was taken to mean.
    pub(crate) fn is(&self, standing: &ledger::Interpretation) -> bool {
        let ledger::Interpretation {
            profile: _,
            complete: _,
            observations,
            findings,
            donations,
            holds,
            orders,
            measured,
            continues,
            pools,
        } = standing;
        self.observations == *observations
            && self.findings == *findings
            && self.donations == *donations
            && self.holds == *holds
            && self.orders == *orders
            && self.measured == *measured
            && self.continues == *continues
            && self.pools == *pools
    }

    fn is_quarantined(&self) -> bool {
        self.findings.iter().any(|f| f.consequence == Consequence::Quarantine)
    }
}

fn finding(name: &str, place: &str, what: &str) -> Finding {
    Finding {
        finding: name.to_owned(),
        place: place.to_owned(),
        what: what.to_owned(),
        consequence: Consequence::Quarantine,
        specimen: None,
    }
}

/// Says which donation each result is evidence for, and which donations each finding holds.
///
/// Only production results of patients' specimens are evidence. A quarantined message is evidence for nothing, and
/// holds every donation that it names.
fn assign(
    said: instrument_profiles::Interpretation,
    message: &MessageView,
    rule: &SpecimenRule,
) -> Interpreted {
    let instrument_profiles::Interpretation { mut observations, mut findings, poolings, .. } = said;
    let mode = message.mode;
    for observation in &mut observations {
        observation.run = observation.run.take().and_then(|run| of_connection(&message.connection, &run));
    }
    findings.extend(different_cutoffs(&observations));
    let mut named: Vec<(u32, DonationId)> = Vec::new();
    let mut of_pools: Vec<(u32, PoolId)> = Vec::new();
    for (at, observation) in (0..).zip(&observations) {
        if observation.kind != SpecimenKind::Patient {
            continue;
        }
        match observation.specimen.as_ref().map(|s| (s, rule.whose(s, &message.connection))) {
            Some((_, Ok(Whose::Donation(located)))) => named.push((at, located.donation)),
            Some((_, Ok(Whose::Pool(pool)))) => of_pools.push((at, pool)),
            Some((specimen, Err(why))) => findings.push(unlocated(observation, specimen, &why)),
            None => findings.push(no_specimen(observation)),
        }
    }
    let memberships = pools::told(&poolings, (rule, &message.connection), &mut findings);
    let mut held = Held { donations: Vec::new(), pools: Vec::new() };
    if mode == Mode::Production {
        let members = memberships.iter().flat_map(|pool| &pool.members).filter_map(|m| m.donation.as_ref());
        let everybody = named.iter().map(|(_, donation)| donation).chain(members).cloned().collect();
        let every_pool = of_pools.iter().map(|(_, pool)| pool).chain(memberships.iter().map(|m| &m.pool));
        held = held_by(&findings, (everybody, every_pool.cloned().collect()), (rule, &message.connection));
    }
    let quarantined = findings.iter().any(|f| f.consequence == Consequence::Quarantine);
    let counts = mode == Mode::Production && !quarantined;
    Interpreted {
        observations,
        findings,
        donations: if counts { named } else { Vec::new() },
        holds: held.donations,
        orders: Vec::new(),
        measured: Vec::new(),
        continues: Vec::new(),
        pools: Pools {
            made: if counts { memberships } else { Vec::new() },
            results: if counts { of_pools } else { Vec::new() },
            holds: held.pools,
        },
    }
}

/// Whom findings hold: index of the finding, and who.
struct Held {
    donations: Vec<(u32, DonationId)>,
    pools: Vec<(u32, PoolId)>,
}

/// A finding holds the donation or the pool of its specimen; one that names none that is known here, everybody.
fn held_by(
    findings: &[Finding],
    (everybody, every_pool): (BTreeSet<DonationId>, BTreeSet<PoolId>),
    (rule, connection): (&SpecimenRule, &ConnectionId),
) -> Held {
    let mut held = Held { donations: Vec::new(), pools: Vec::new() };
    for (at, finding) in (0..).zip(findings) {
        if finding.consequence == Consequence::Note {
            continue;
        }
        let specimen = finding.specimen.as_ref().and_then(|s| SpecimenId::new(s).ok());
        match specimen.and_then(|s| rule.whose(&s, connection).ok()) {
            Some(Whose::Donation(located)) => held.donations.push((at, located.donation)),
            Some(Whose::Pool(pool)) => held.pools.push((at, pool)),
            None => {
                held.donations.extend(everybody.iter().map(|donation| (at, donation.clone())));
                held.pools.extend(every_pool.iter().map(|pool| (at, pool.clone())));
            }
        }
    }
    held
}

/// Two analysers of one model may name their runs alike: the controls of one prove nothing of the other. A name that
/// grows too long is no run, and holds.
fn of_connection(connection: &ConnectionId, run: &RunId) -> Option<RunId> {
    RunId::new(&format!("{connection}/{run}")).ok()
}

/// The cut-off belongs to the plate: results of one run and assay that were judged by two hold everything.
fn different_cutoffs(observations: &[Observation]) -> Option<Finding> {
    let mut seen: BTreeMap<(Option<&RunId>, &str), Decimal> = BTreeMap::new();
    let with_cutoff = observations.iter().filter_map(|o| Some((o, o.value.cutoff?)));
    for (observation, cutoff) in with_cutoff {
        let first = *seen.entry((observation.run.as_ref(), &observation.assay)).or_insert(cutoff);
        if first != cutoff {
            let what = format!(
                "{} is judged by the cut-off {cutoff} here and by {first} before, in one run; ask the reader for its cut-off",
                observation.assay
            );
            return Some(finding("cutoffs_differ", &observation.source.record, &what));
        }
    }
    None
}

fn unlocated(observation: &Observation, specimen: &SpecimenId, why: &Unlocated) -> Finding {
    Finding {
        finding: why.name.to_owned(),
        place: observation.source.record.clone(),
        what: format!("specimen {:?}: {}; nothing was matched to it", specimen.as_str(), why.what),
        consequence: Consequence::Hold,
        specimen: Some(specimen.to_string()),
    }
}

fn no_specimen(observation: &Observation) -> Finding {
    Finding {
        finding: "unknown_specimen_id".to_owned(),
        place: observation.source.record.clone(),
        what: "the result names no specimen; find the tube".to_owned(),
        consequence: Consequence::Hold,
        specimen: None,
    }
}

/// The group that ends a message's item: its meaning, in parts of a bounded size.
pub(crate) fn parts(message: &MessageView, whole: Interpreted) -> Vec<Draft> {
    let count = whole.observations.len().max(whole.findings.len()).div_ceil(ITEMS_PER_PART).max(1);
    let mut made = pools::parted(whole.pools.made);
    let count = count.max(made.len());
    made.resize(count, Vec::new());
    let mut made = made.into_iter();
    let mut observations = whole.observations.into_iter();
    let mut findings = whole.findings.into_iter();
    (0..count)
        .map(|part| {
            let what = What::MessageInterpreted {
                message: message.seq,
                profile: message.read_with.clone(),
                observations: observations.by_ref().take(ITEMS_PER_PART).collect(),
                findings: findings.by_ref().take(ITEMS_PER_PART).collect(),
                donations: of_part(&whole.donations, part),
                holds: of_part(&whole.holds, part),
                orders: of_part(&whole.orders, part),
                measured: measured_of_part(&whole.measured, part),
                continues: if part == 0 { whole.continues.clone() } else { Vec::new() },
                pools: Pools {
                    made: made.next().unwrap_or_default(),
                    results: of_part(&whole.pools.results, part),
                    holds: of_part(&whole.pools.holds, part),
                },
                part: u16::try_from(part).unwrap_or(u16::MAX),
                last: part + 1 == count,
            };
            Draft::by_system(what)
        })
        .collect()
}

/// The pairs whose index falls into a part, counted from the part's first item.
fn of_part<T: Clone>(pairs: &[(u32, T)], part: usize) -> Vec<(u32, T)> {
    let size = u32::try_from(ITEMS_PER_PART).unwrap_or(u32::MAX);
    let first = u32::try_from(part).unwrap_or(u32::MAX).saturating_mul(size);
    pairs
        .iter()
        .filter_map(|(at, of)| {
            let at = at.checked_sub(first).filter(|at| *at < size)?;
            Some((at, of.clone()))
        })
        .collect()
}

/// As [`of_part`].
fn measured_of_part(measured: &[Measured], part: usize) -> Vec<Measured> {
    let by_index: Vec<(u32, Measured)> = measured.iter().map(|m| (m.index, *m)).collect();
    of_part(&by_index, part).into_iter().map(|(index, m)| Measured { index, ..m }).collect()
}
