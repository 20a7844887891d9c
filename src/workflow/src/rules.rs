//! Which rule pack judges which donation: adopted at a station's first start, changed by two people only (law 10).
//!
//! ```text
//!  configured ──first start──► in force from the beginning
//!  another one ──► proposed (one person, from when, why) ──► activated (another person) ──► in force from then on
//! ```
//!
//! A pack whose proof fails is neither kept nor put in force; one that asks less than its jurisdiction's, or drops an order
//! of the pack in force, is said to, key by key, to both.
//!
//! A donation is judged by the pack in force when it was taken, or when it was tested where that pack says so (R-PACK-01).

#[cfg(test)]
mod tests;

use crate::people::{Act, Actor};
use crate::pins::{NotDone, Refusal, write};
use crate::{DonationFacts, Settings, Stopped};
use jiff::{Timestamp, tz::Offset};
use ledger::{By, Draft, InForce, Ledger, Page, Reader, RulesAct, RulesInForce, Seq, What};
use release::pack::{ApplyBy, PackRef, Weaker};
use release::proof::prove;
use release::{PackError, RulePack};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// Packs of the ledger that are looked through for one that somebody names.
const PACKS_LOOKED_AT: usize = 1_000;

/// Tests of a donation that are not good at once, in the proof that a pack has to pass here; `rules check` has them all.
const NOT_GOOD_AT_ONCE: usize = 2;

/// How a station begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The configured pack is the one in force.
    InForce,
    /// It is not: two people have to activate it.
    Waits {
        /// What is in force instead.
        in_force: PackRef,
        /// What is configured.
        configured: PackRef,
    },
    /// Nothing was in force yet, and the configured pack cannot be: its proof fails.
    Refused(Refusal),
}

/// A pack that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Added {
    /// The pack.
    pub pack: PackRef,
    /// What it asks less for than its jurisdiction's.
    pub weaker: Vec<Weaker>,
}

/// What a person's word for a pack came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// It is proposed: another person has to agree.
    Proposed {
        /// The pack.
        pack: PackRef,
        /// The entry.
        entry: Seq,
        /// From when on it is to judge; nothing: from the activation on.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
        /// What it asks less for than its jurisdiction's, or than the pack in force.
        weaker: Vec<Weaker>,
    },
    /// It is in force.
    Activated {
        /// The pack.
        pack: PackRef,
        /// The entry.
        entry: Seq,
        /// It judges donations taken from here on.
        from: Timestamp,
        /// What it asks less for than its jurisdiction's, or than the pack that was in force.
        weaker: Vec<Weaker>,
    },
    /// It was in force already and nothing else is to come: nothing is written.
    InForce {
        /// The pack.
        pack: PackRef,
    },
    /// The same person proposed it: nothing is written, another one has to agree.
    WaitsForAnother {
        /// The pack.
        pack: PackRef,
        /// The entry that proposed it.
        entry: Seq,
    },
    /// It cannot be.
    Refused(Refusal),
}

fn kept(pack: &RulePack) -> What {
    What::Rules(RulesAct::Kept { pack: pack.reference(), content: pack.source().clone() })
}

/// The entry that keeps a pack's content, unless it is kept.
fn keep(reader: &Reader, pack: &RulePack) -> Result<Vec<What>, Stopped> {
    Ok(match reader.kept_pack(&pack.reference())? {
        Some(_) => Vec::new(),
        None => vec![kept(pack)],
    })
}

/// Why a pack may not judge from now on: its content, or its proof in the proof's words. Nothing: it may.
#[must_use]
pub fn unfit(pack: &RulePack) -> Option<Refusal> {
    if let Err(fault) = pack.fits_today() {
        return Some(faulty(&fault));
    }
    let (faults, further) = match prove(pack, Some(NOT_GOOD_AT_ONCE), |_| {}) {
        Ok(proof) if proof.holds() => return None,
        Ok(proof) => (proof.faults, proof.further_faults),
        Err(why) => (vec![why.to_string()], 0),
    };
    let words = faults.join("; ");
    let (more, more_zh) = match further {
        0 => (String::new(), String::new()),
        n => (format!("; and {n} more"), format!("；另有 {n} 项")),
    };
    Some(Refusal {
        why: format!("the proof of rule pack {} fails (hemogate rules check): {words}{more}", pack.id()),
        why_zh: format!("规则包 {} 未通过证明（hemogate rules check）：{words}{more_zh}", pack.id()),
    })
}

fn faulty(fault: &PackError) -> Refusal {
    Refusal { why: fault.to_string(), why_zh: format!("该规则包有误:{fault}") }
}

/// Begins with the configured pack: it is adopted at the first start. Later, another one is kept and waits for two people.
///
/// # Errors
/// [`Stopped`].
pub fn start(ledger: &Ledger, configured: &RulePack) -> Result<Begun, Stopped> {
    let reader = ledger.state();
    let pack = configured.reference();
    let mut group = keep(&reader, configured)?;
    let rules = reader.rules()?;
    if rules.packs.is_empty() {
        if let Some(refusal) = unfit(configured) {
            return Ok(Begun::Refused(refusal));
        }
        group.push(What::Rules(RulesAct::Adopted { pack }));
        write(ledger, group.into_iter().map(Draft::by_system).collect())?;
        return Ok(Begun::InForce);
    }
    write(ledger, group.into_iter().map(Draft::by_system).collect())?;
    let now = rules.at(Timestamp::now().as_millisecond());
    Ok(match now {
        Some(now) if now.pack != pack => Begun::Waits { in_force: now.pack.clone(), configured: pack },
        Some(_) | None => Begun::InForce,
    })
}

/// Keeps a pack whose proof holds, so that it can be activated.
///
/// # Errors
/// [`NotDone`].
pub fn add(ledger: &Ledger, who: &Actor, text: &str) -> Result<Result<Added, Refusal>, NotDone> {
    let reader = ledger.state();
    who.check(&reader, Act::ActivateRules).map_err(NotDone::Person)?;
    let pack = match RulePack::from_toml(text) {
        Ok(pack) => pack,
        Err(fault) => return Ok(Err(faulty(&fault))),
    };
    if let Some(refusal) = unfit(&pack) {
        return Ok(Err(refusal));
    }
    write(ledger, of(&who.by(), keep(&reader, &pack)?))?;
    Ok(Ok(Added { pack: pack.reference(), weaker: pack.weaker() }))
}

fn of(by: &By, group: Vec<What>) -> Vec<Draft> {
    group.into_iter().map(|what| Draft { by: by.clone(), what }).collect()
}

/// A person wants a pack in force, from a time on: the first one proposes it, another one activates it. Whoever agrees
/// names no time, or the proposed one.
///
/// # Errors
/// [`NotDone`].
pub fn activate(
    ledger: &Ledger,
    who: &Actor,
    (name, from): (&str, Option<Timestamp>),
    why: &str,
) -> Result<Step, NotDone> {
    let reader = ledger.state();
    who.check(&reader, Act::ActivateRules).map_err(NotDone::Person)?;
    Ok(step(ledger, &reader, &who.by(), (name, from, why))?)
}

fn step(
    ledger: &Ledger,
    reader: &Reader,
    by: &By,
    (name, from, why): (&str, Option<Timestamp>, &str),
) -> Result<Step, Stopped> {
    let rules = reader.rules()?;
    let pack = match named(reader, name)? {
        Ok(pack) => pack,
        Err(refusal) => return Ok(Step::Refused(refusal)),
    };
    // Asked of both: it may have been kept by the configuration alone, or before this program asked as much.
    if let Some(refusal) = unfit(&pack) {
        return Ok(Step::Refused(refusal));
    }
    let wanted = pack.reference();
    let now = Timestamp::now().as_millisecond();
    if rules.at(now).is_none() {
        return Ok(Step::Refused(Refusal {
            why: "no rule pack is in force yet: the daemon adopts the configured one at its first start"
                .into(),
            why_zh: "尚无生效的规则包:守护进程首次启动时采用配置中的规则包".into(),
        }));
    }
    let same_time = |proposed: Option<i64>| from.is_none_or(|from| proposed == Some(from.as_millisecond()));
    let proposal = rules.proposed.as_ref().filter(|p| p.pack == wanted && same_time(p.from_ms));
    let Some(proposal) = proposal else {
        return propose(ledger, reader, by, (&rules, &pack), (from, why));
    };
    if proposal.by == by.name() {
        return Ok(Step::WaitsForAnother { pack: wanted, entry: proposal.entry });
    }
    let weaker = weaker_than_now(reader, (&rules, &pack), proposal.from_ms)?;
    let act = RulesAct::Activated { pack: wanted.clone(), proposed: proposal.entry };
    let entry = write(ledger, of(by, vec![What::Rules(act)]))?.unwrap_or(Seq::NONE);
    // Two commands at once: the ledger takes the first, and the other changes nothing.
    let stands = ledger.state().rules()?.packs.into_iter().find(|one| one.entry == entry);
    Ok(match stands.and_then(|one| Timestamp::from_millisecond(one.from_ms).ok()) {
        Some(from) => Step::Activated { pack: wanted, entry, from, weaker },
        None => Step::Refused(Refusal {
            why: "somebody else changed it meanwhile; look again".into(),
            why_zh: "其间已被他人更改,请重新查看".into(),
        }),
    })
}

fn propose(
    ledger: &Ledger,
    reader: &Reader,
    by: &By,
    (rules, pack): (&RulesInForce, &RulePack),
    (from, why): (Option<Timestamp>, &str),
) -> Result<Step, Stopped> {
    let wanted = pack.reference();
    let now = Timestamp::now();
    if from.is_some_and(|from| from < now) {
        return Ok(Step::Refused(Refusal {
            why:
                "a pack judges from now on or from a later time on; what was taken before is judged as it was"
                    .into(),
            why_zh: "规则包只能自现在或以后生效;此前采集的献血仍按原规则判定".into(),
        }));
    }
    let begins = from.unwrap_or(now).as_millisecond();
    let is_so = rules.at(begins).is_some_and(|one| one.pack == wanted) && rules.after(begins).is_none();
    if is_so {
        return Ok(Step::InForce { pack: wanted });
    }
    let mut group = keep(reader, pack)?;
    let from_ms = from.map(Timestamp::as_millisecond);
    group.push(What::Rules(RulesAct::Proposed { pack: wanted.clone(), from_ms, why: why.to_owned() }));
    let entry = write(ledger, of(by, group))?.unwrap_or(Seq::NONE);
    let weaker = weaker_than_now(reader, (rules, pack), from_ms)?;
    Ok(Step::Proposed { pack: wanted, entry, from, weaker })
}

fn weaker_than_now(
    reader: &Reader,
    (rules, pack): (&RulesInForce, &RulePack),
    from_ms: Option<i64>,
) -> Result<Vec<Weaker>, Stopped> {
    let begins = begins(from_ms);
    let in_force = rules.at(begins.as_millisecond()).map(|now| read(reader, &now.pack)).transpose()?;
    Ok(weaker(pack, in_force.as_ref(), begins))
}

/// When a pack would begin to judge that is to do so from then on; without a time, or with one gone by, from now on.
#[must_use]
pub fn begins(from_ms: Option<i64>) -> Timestamp {
    let now = Timestamp::now();
    from_ms.and_then(|from| Timestamp::from_millisecond(from).ok()).map_or(now, |from| from.max(now))
}

/// What a pack asks less for than its jurisdiction's and than the pack in force, and which orders of that it would drop.
#[must_use]
pub fn weaker(pack: &RulePack, in_force: Option<&RulePack>, begins: Timestamp) -> Vec<Weaker> {
    // Wherever the station is, its day is not before this one.
    let day = Offset::constant(-12).to_datetime(begins).date();
    let mut less = pack.weaker();
    let than_now = in_force.map(|in_force| pack.weaker_than_in_force(in_force, day)).unwrap_or_default();
    for one in than_now {
        // The same may be due by the law and by what is in force.
        if !less.iter().any(|known| (&known.key, &known.due) == (&one.key, &one.due)) {
            less.push(one);
        }
    }
    less
}

/// The one pack, built in or kept, that goes by this name, or whose hash begins so.
fn named(reader: &Reader, name: &str) -> Result<Result<RulePack, Refusal>, Stopped> {
    let refused = |why: String, why_zh: String| Ok(Err(Refusal { why, why_zh }));
    let digits = PackRef::HASH_DIGITS_MIN;
    let mut found: BTreeMap<PackRef, RulePack> = BTreeMap::new();
    let built_in = RulePack::built_in_ids().into_iter().filter_map(|id| RulePack::built_in(id).ok());
    found.extend(built_in.map(|pack| (pack.reference(), pack)).filter(|(pack, _)| pack.goes_by(name)));
    for kept in reader.kept_packs(&Page::first(PACKS_LOOKED_AT))?.items {
        if kept.pack.goes_by(name) && !found.contains_key(&kept.pack) {
            found.insert(kept.pack.clone(), read(reader, &kept.pack)?);
        }
    }
    match (found.len(), found.into_values().next()) {
        (1, Some(pack)) => Ok(Ok(pack)),
        (0, _) => refused(
            format!(
                "no rule pack goes by {name:?}, and no hash begins so (at least {digits} digits); add it first (hemogate rules add FILE)"
            ),
            format!(
                "没有名为 {name:?} 或哈希以其开头(至少 {digits} 位)的规则包;请先添加(hemogate rules add 文件)"
            ),
        ),
        _ => refused(
            format!(
                "several rule packs go by {name:?}; give the hash of the one you mean (hemogate rules list)"
            ),
            format!("有多个规则包名为 {name:?};请给出其哈希(hemogate rules list)"),
        ),
    }
}

/// A kept pack. What cannot be read judges nothing: the work waits.
fn read(reader: &Reader, wanted: &PackRef) -> Result<RulePack, Stopped> {
    let unreadable = |why: &dyn std::fmt::Display| {
        Stopped::Rules(format!(
            "rule pack {} {} cannot be read from the ledger: {why}",
            wanted.id, wanted.hash
        ))
    };
    let kept = reader.kept_pack(wanted)?.ok_or_else(|| unreadable(&"it is not kept there"))?;
    let pack = RulePack::from_source(&kept.content).map_err(|fault| unreadable(&fault))?;
    if pack.reference() == *wanted { Ok(pack) } else { Err(unreadable(&"its content has another hash")) }
}

/// The packs in force, each with the settings that judge by it.
#[derive(Debug)]
pub(crate) struct Book<'s> {
    own: &'s Settings,
    rules: RulesInForce,
    others: Vec<(PackRef, Arc<Settings>)>,
}

impl<'s> Book<'s> {
    /// Where no pack was ever adopted, that of `settings` judges everything.
    ///
    /// # Errors
    /// [`Stopped`]; [`Stopped::Rules`] when a pack that was in force cannot be read.
    pub(crate) fn read(settings: &'s Settings, reader: &Reader) -> Result<Self, Stopped> {
        let rules = reader.rules()?;
        let own = settings.pack.reference();
        let mut others: Vec<(PackRef, Arc<Settings>)> = Vec::new();
        for InForce { pack, .. } in &rules.packs {
            if *pack != own && !others.iter().any(|(known, _)| known == pack) {
                let with = Settings { pack: read(reader, pack)?, ..settings.clone() };
                others.push((pack.clone(), Arc::new(with)));
            }
        }
        Ok(Self { own: settings, rules, others })
    }

    /// The settings that judge a donation, where they are not the own ones.
    pub(crate) fn other_for(&self, facts: &DonationFacts) -> Option<&Arc<Settings>> {
        // A donation that nobody registered is held whatever the pack says.
        let taken = facts.registration.as_ref().map_or(i64::MAX, |r| r.collected_at.as_millisecond());
        let by_collection = self.at(taken);
        let pack = by_collection.map_or(&self.own.pack, |with| &with.pack);
        match pack.settings().apply_by.value {
            ApplyBy::CollectionTime => by_collection,
            ApplyBy::TestTime => {
                let tested = facts.observations.iter().filter_map(|fact| fact.tested_at);
                tested.map(|at| at.at().as_millisecond()).max().map_or(by_collection, |ms| self.at(ms))
            }
        }
    }

    /// The settings that judge a donation.
    pub(crate) fn of(&self, facts: &DonationFacts) -> &Settings {
        self.other_for(facts).map_or(self.own, |other| other)
    }

    /// The settings that judge what was taken then.
    pub(crate) fn taken_at(&self, ms: i64) -> &Settings {
        self.at(ms).map_or(self.own, |other| other)
    }

    fn at(&self, ms: i64) -> Option<&Arc<Settings>> {
        let pack = &self.rules.at(ms)?.pack;
        self.others.iter().find(|(known, _)| known == pack).map(|(_, with)| with)
    }
}

/// The settings that judge a donation, by the pack in force for it.
///
/// # Errors
/// [`Stopped`].
pub fn settings_for(
    settings: &Settings,
    reader: &Reader,
    facts: &DonationFacts,
) -> Result<Option<Arc<Settings>>, Stopped> {
    Ok(Book::read(settings, reader)?.other_for(facts).cloned())
}
