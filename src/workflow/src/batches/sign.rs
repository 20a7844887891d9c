//! The two signatures: the technical review, and the release by another person. Each is bound to the hash of what was
//! seen, and holds for each donation only as long as nothing that is known of it changes.

use super::changes::changes;
use super::{BatchNow, MemberNow, Refused, Stage, remark, scanned, text, write, write_all};
use crate::{
    Settings,
    people::{Act, Confirmed},
};
use jiff::Timestamp;
use ledger::{
    Done, Ledger, LeftHeld, Reader, ReleaseSigned, Seq, SetAside, SignedAct, SignedBasis, SignedDonation,
};
use release::GateId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use vocabulary::DonationId;

/// Whether a batch is what somebody saw: the hash of it, or a [`BatchNow::ticket`].
fn is_seen(reader: &Reader, now: &BatchNow, seen: &str) -> Result<(), Refused> {
    let (hash, since) = seen.split_once('.').map_or((seen, None), |(hash, at)| (hash, at.parse().ok()));
    if now.seen == hash {
        return Ok(());
    }
    let what = changes(reader, now, since.map(Seq::new))?;
    Err(Refused::Changed { now: now.seen.clone(), what })
}

fn signed(member: &MemberNow) -> SignedDonation {
    SignedDonation { donation: member.donation.clone(), basis: member.basis.clone() }
}

/// Signs the technical review of every donation that is complete and does not fail. How many that were.
///
/// # Errors
/// [`Refused`]; [`Refused::Changed`] when anything is not as `seen`.
pub fn review(
    settings: &Settings,
    ledger: &Ledger,
    by: Confirmed,
    (batch, seen): (Seq, &str),
    comment: &str,
) -> Result<usize, Refused> {
    let reader = ledger.state();
    by.actor().check(&reader, Act::ReviewBatch)?;
    let now = BatchNow::read(settings, &reader, batch)?;
    is_seen(&reader, &now, seen)?;
    let donations: Vec<SignedDonation> =
        now.members.iter().filter(|m| may_be_reviewed(m)).map(signed).collect();
    if donations.is_empty() {
        return Err(Refused::NothingToSign);
    }
    let (count, comment) = (donations.len(), remark("comment", comment)?);
    write(ledger, by.actor(), SignedAct::BatchReviewed { batch, seen: now.seen, donations, comment })?;
    drop(by);
    Ok(count)
}

fn may_be_reviewed(member: &MemberNow) -> bool {
    match member.stage {
        Stage::Ready | Stage::Reviewed => true,
        // Complete, and kept by a gate that the pack lets a person set aside.
        Stage::Open => member.verdict.is_complete(),
        // What fails needs no signature to stay; that it was seen is in the hash.
        Stage::Failing | Stage::Held | Stage::Discarded | Stage::Released => false,
    }
}

/// A gate that the releaser wants set aside.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aside {
    /// Which: `R-GATE-07`.
    pub gate: String,
    /// Why.
    pub reason: String,
    /// For which donations.
    pub donations: Vec<String>,
}

/// What is to be released.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseAsked {
    /// Only these; none: every one that the gates let go.
    pub donations: Vec<String>,
    /// Gates to be set aside where the pack allows it; never 01–04, 10, 11 and 14.
    pub set_aside: Vec<Aside>,
    /// A remark.
    pub comment: String,
}

/// What a release came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Released {
    /// These go.
    pub released: Vec<DonationId>,
    /// These stay, each with what keeps it (R-BATCH-01).
    pub held: Vec<LeftHeld>,
}

/// Signs the release of what every gate lets go. Each donation goes, was taken out, or is held in so many words: the rest stays,
/// with its reasons in the same entry (R-BATCH-01), and nothing goes before what fails has been found (R-GATE-13).
///
/// # Errors
/// [`Refused`]; [`Refused::Changed`] when anything is not as `seen`, [`Refused::SamePerson`], [`Refused::NotLocated`],
/// [`Refused::Gate`], [`Refused::Disputed`], [`Refused::RegisteredTwice`].
pub fn release(
    settings: &Settings,
    ledger: &Ledger,
    by: Confirmed,
    (batch, seen): (Seq, &str),
    asked: &ReleaseAsked,
) -> Result<Released, Refused> {
    let reader = ledger.state();
    by.actor().check(&reader, Act::ReleaseBatch)?;
    let now = BatchNow::read(settings, &reader, batch)?;
    is_seen(&reader, &now, seen)?;
    let only = if asked.donations.is_empty() {
        None
    } else {
        Some(scanned(settings, ledger, Some(batch), &asked.donations)?.into_iter().collect::<BTreeSet<_>>())
    };
    let aside = set_aside(settings, ledger, &now, &asked.set_aside)?;
    if now.count.failing != now.count.located && !aside.iter().any(|(a, _)| a.gate == GateId::Batch.name()) {
        return Err(Refused::NotLocated { failing: now.count.failing, located: now.count.located });
    }
    let who = by.actor().user().as_str().to_owned();
    let at_ms = Timestamp::now().as_millisecond();
    let mut groups: Vec<(Vec<SetAside>, Vec<SignedDonation>)> = Vec::new();
    let mut outcome = Released { released: Vec::new(), held: Vec::new() };
    for member in &now.members {
        let mine: Vec<SetAside> =
            aside.iter().filter(|(_, of)| of.contains(&member.donation)).map(|(a, _)| a.clone()).collect();
        let done = Done { by: who.clone(), at_ms, entry: batch };
        let release = ReleaseSigned {
            signed: SignedBasis { done, basis: member.basis.clone() },
            count: now.count,
            set_aside: mine.clone(),
        };
        let wanted = only.as_ref().is_none_or(|only| only.contains(&member.donation));
        match keeps(settings, member, release, wanted) {
            Some(why) if member.stage != Stage::Released => {
                outcome.held.push(LeftHeld { donation: member.donation.clone(), why });
            }
            Some(_) => {}
            None => {
                outcome.released.push(member.donation.clone());
                match groups.iter_mut().find(|(known, _)| *known == mine) {
                    Some((_, donations)) => donations.push(signed(member)),
                    None => groups.push((mine, vec![signed(member)])),
                }
            }
        }
    }
    if outcome.released.is_empty() {
        return Err(nothing(settings, &now, &who, &outcome));
    }
    let comment = remark("comment", &asked.comment)?;
    // One signature is one group, whole or not at all, however many entries its set-aside gates make of it.
    let acts = groups.into_iter().enumerate().map(|(at, (set_aside, donations))| {
        let held = if at == 0 { outcome.held.clone() } else { Vec::new() };
        let (seen, count, comment) = (now.seen.clone(), now.count, comment.clone());
        SignedAct::BatchReleased { batch, seen, donations, held, count, set_aside, comment }
    });
    write_all(ledger, by.actor(), acts.collect())?;
    drop(by);
    Ok(outcome)
}

/// What keeps a donation when the release is signed so; nothing: it goes.
fn keeps(settings: &Settings, member: &MemberNow, release: ReleaseSigned, wanted: bool) -> Option<String> {
    if !wanted {
        return Some("not chosen for this release".to_owned());
    }
    if member.stage == Stage::Released {
        return Some("released before".to_owned());
    }
    // Neither is ever set aside: a hold is lifted, and a discard is for good.
    let is_held = !member.people.holds.is_empty();
    if member.people.discarded.is_some() || is_held {
        return Some(if is_held { "held by a person" } else { "discarded" }.to_owned());
    }
    let verdict = member.if_released(settings, release);
    if verdict.is_releasable() {
        return None;
    }
    let closed = verdict.gates().iter().filter(|gate| !gate.is_satisfied());
    let why: Vec<String> = closed.map(|gate| format!("{} {}", gate.id, gate.why)).collect();
    let unit = verdict.unit().name();
    Some(if why.is_empty() { format!("the verdict is {unit}") } else { why.join("; ") })
}

fn nothing(settings: &Settings, now: &BatchNow, who: &str, outcome: &Released) -> Refused {
    let reviewed = now.members.iter().filter(|member| member.stage == Stage::Reviewed);
    let mut reviewers = reviewed.filter_map(|member| member.people.reviewed.as_ref()).peekable();
    if now.members.iter().any(|member| member.pack(settings).settings().release.two_person.value)
        && reviewers.peek().is_some()
        && reviewers.all(|signed| signed.done.by == who)
    {
        return Refused::SamePerson { by: who.to_owned() };
    }
    let first = outcome.held.first();
    let why = first.map_or_else(String::new, |left| format!("{}: {}", left.donation, left.why));
    Refused::NothingToRelease { why }
}

/// The gates to be set aside, each with its donations. Some never are, whatever the pack says.
fn set_aside(
    settings: &Settings,
    ledger: &Ledger,
    now: &BatchNow,
    asked: &[Aside],
) -> Result<Vec<(SetAside, BTreeSet<DonationId>)>, Refused> {
    let is_forbidden = |gate: GateId| {
        let mut packs = now.members.iter().map(|member| member.pack(settings).settings());
        packs.any(|pack| pack.release.override_forbidden.value.contains(&gate))
    };
    let one = |aside: &Aside| {
        let gate: Option<GateId> = aside.gate.trim().parse().ok();
        let allowed = gate.filter(|gate| !gate.is_never_set_aside() && !is_forbidden(*gate));
        let gate = allowed.ok_or_else(|| Refused::Gate { gate: aside.gate.clone() })?;
        let reason = text("reason", &aside.reason)?;
        let donations: BTreeSet<DonationId> =
            scanned(settings, ledger, Some(now.batch.batch), &aside.donations)?.into_iter().collect();
        let is_of = |member: &&MemberNow| donations.contains(&member.donation);
        let mut of_these = now.members.iter().filter(is_of);
        if let Some(member) = of_these.find(|member| member.takes_two(gate, settings)) {
            let donation = member.donation.clone();
            let of_identity = gate == GateId::Identity;
            let why = if of_identity { Refused::RegisteredTwice } else { Refused::Disputed };
            return Err(why(donation));
        }
        Ok((SetAside { gate: gate.name().to_owned(), reason }, donations))
    };
    asked.iter().map(one).collect()
}
