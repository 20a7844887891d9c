//! Which kits judge now, which next, what is proposed, and what is configured and judges nothing yet.

use super::proposals::{HASH_DIGITS_MIN, KITS_LOOKED_AT};
use super::{Changes, references, waiting};
use crate::Settings;
use jiff::Timestamp;
use ledger::{Done, KitRef, KitsInForce, KitsProposal, Page, ReadError, Reader, Seq};
use quality_control::kits::KitFile;
use serde::Serialize;
use std::collections::BTreeSet;

/// A content of a kit, and what it is to the station.
#[expect(clippy::struct_excessive_bools, reason = "it may be several of these at once, and is shown so")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KitNow {
    /// Its id.
    pub id: String,
    /// SHA-256 of its file.
    pub hash: String,
    /// Its title; empty where this release cannot read it.
    pub title: String,
    /// The same in Chinese.
    pub title_zh: String,
    /// `plate`, `window`, `batch` or `cells`.
    pub method: Option<&'static str>,
    /// Its assays.
    pub assays: BTreeSet<String>,
    /// Its first day.
    pub effective_from: Option<String>,
    /// Its last day.
    pub effective_to: Option<String>,
    /// What the laboratory has still to confirm.
    pub not_verified: Vec<String>,
    /// It judges what comes now.
    pub in_force: bool,
    /// It is part of what takes over at a time to come.
    pub next: bool,
    /// It is part of what waits for another person.
    pub proposed: bool,
    /// It is configured.
    pub configured: bool,
}

/// Kits that were put in force together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetNow {
    /// The entry.
    pub entry: Seq,
    /// When it was written.
    pub at: Option<Timestamp>,
    /// Who wrote it: the second of the two.
    pub by: String,
    /// For what is tested from here on; nothing: whatever came behind the entry.
    pub from: Option<Timestamp>,
    /// The kits.
    pub kits: Vec<KitRef>,
    /// What the first of the two proposed; nothing for what was adopted.
    pub proposed: Option<ProposalNow>,
}

/// What somebody wants in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProposalNow {
    /// The entry, by which another person agrees.
    pub entry: Seq,
    /// When it was written.
    pub at: Option<Timestamp>,
    /// Who wants it.
    pub by: String,
    /// For what is tested from here on; nothing: whatever comes behind the activation.
    pub from: Option<Timestamp>,
    /// Until when another person can agree.
    pub lapses: Option<Timestamp>,
    /// Why.
    pub why: String,
    /// The kits.
    pub kits: Vec<KitRef>,
}

/// The kits of a station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KitsNow {
    /// What judges what comes now; nothing before the first start.
    pub in_force: Option<SetNow>,
    /// What was put in force for a time to come.
    pub next: Vec<SetNow>,
    /// What waits for another person.
    pub proposed: Option<ProposalNow>,
    /// What the proposal would change.
    pub proposed_changes: Option<Changes>,
    /// What is configured otherwise than it was last put in force: it judges nothing.
    pub waits: Changes,
    /// Each content that is any of these.
    pub items: Vec<KitNow>,
    /// Everything that was ever in force, oldest first.
    pub history: Vec<SetNow>,
}

fn time(ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(ms).ok()
}

fn proposal(one: &KitsProposal) -> ProposalNow {
    let Done { by, at_ms, entry } = one.done.clone();
    ProposalNow {
        entry,
        at: time(at_ms),
        by,
        from: one.from_ms.and_then(time),
        lapses: time(one.lapses_at_ms()),
        why: one.why.clone(),
        kits: one.kits.clone(),
    }
}

fn set(one: &KitsInForce) -> SetNow {
    let Done { by, at_ms, entry } = one.done.clone();
    SetNow {
        entry,
        at: time(at_ms),
        by,
        from: one.from_ms().and_then(time),
        kits: one.kits.clone(),
        proposed: one.proposed.as_ref().map(proposal),
    }
}

/// How a station's kits stand.
///
/// # Errors
/// [`ReadError`].
pub fn stands(settings: &Settings, reader: &Reader, now: Timestamp) -> Result<KitsNow, ReadError> {
    let now = now.as_millisecond();
    let all = reader.kits_in_force()?;
    let begun = |one: &KitsInForce| one.from_ms().is_none_or(|from| from <= now);
    let current = all.iter().rposition(begun);
    let in_force = current.and_then(|at| all.get(at)).map(set);
    let next: Vec<SetNow> = all.iter().skip(current.map_or(0, |at| at + 1)).map(set).collect();
    let proposed = reader.kits_stand()?.proposed.filter(|known| known.stands(now));
    let last = all.last().map(|last| last.kits.as_slice()).unwrap_or_default();
    let proposed_changes = proposed.as_ref().map(|known| Changes::between(last, &known.kits));
    let configured = references(&settings.kits);
    let mut every: BTreeSet<&KitRef> = configured.iter().collect();
    every.extend(in_force.iter().chain(&next).flat_map(|set| &set.kits));
    every.extend(proposed.iter().flat_map(|known| &known.kits));
    let mut items = Vec::with_capacity(every.len());
    for kit in every {
        let read = reader.kept_kit(kit)?.and_then(|text| KitFile::read(&kit.id, &text).ok());
        let has = |set: &SetNow| set.kits.contains(kit);
        items.push(KitNow {
            in_force: in_force.as_ref().is_some_and(has),
            next: next.iter().any(has),
            proposed: proposed.as_ref().is_some_and(|known| known.kits.contains(kit)),
            configured: configured.contains(kit),
            ..item(kit, read.as_ref())
        });
    }
    Ok(KitsNow {
        in_force,
        next,
        proposed: proposed.as_ref().map(proposal),
        proposed_changes,
        waits: waiting(reader, &settings.kits)?,
        items,
        history: all.iter().map(set).collect(),
    })
}

fn item(kit: &KitRef, read: Option<&KitFile>) -> KitNow {
    let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string());
    KitNow {
        id: kit.id.clone(),
        hash: kit.hash.clone(),
        title: read.map(|kit| kit.title.clone()).unwrap_or_default(),
        title_zh: read.map(|kit| kit.title_zh.clone()).unwrap_or_default(),
        method: read.map(KitFile::method),
        assays: read.map(|kit| kit.assays.clone()).unwrap_or_default(),
        effective_from: read.and_then(|kit| day(kit.effective_from)),
        effective_to: read.and_then(|kit| day(kit.effective_to)),
        not_verified: read.map(|kit| kit.not_verified.clone()).unwrap_or_default(),
        in_force: false,
        next: false,
        proposed: false,
        configured: false,
    }
}

/// The contents that go by this id, or whose hash begins so, each with its text.
///
/// # Errors
/// [`ReadError`].
pub fn text_of(reader: &Reader, name: &str) -> Result<Vec<(KitRef, String)>, ReadError> {
    let mut found = Vec::new();
    for one in reader.kept_kits(&Page::first(KITS_LOOKED_AT))?.items {
        let by_hash = name.len() >= HASH_DIGITS_MIN && one.kit.hash.starts_with(name);
        if (one.kit.id == name || by_hash)
            && let Some(text) = reader.kept_kit(&one.kit)?
        {
            found.push((one.kit, text));
        }
    }
    Ok(found)
}
