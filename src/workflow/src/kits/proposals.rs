//! The words of two people that put kits in force.

use super::in_force::first;
use super::{Changes, keep, last, reference, references, short};
use crate::Stopped;
use crate::people::{Act, Actor};
use crate::pins::{NotDone, Refusal, write};
use jiff::Timestamp;
use ledger::{Draft, KitRef, KitsAct, KitsProposal, Ledger, Page, Reader, Seq, What};
use quality_control::kits::{KitFile, Kits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So much of a kit's hash names it.
pub(super) const HASH_DIGITS_MIN: usize = 8;
/// Kits of the ledger that are looked through for one that somebody names.
pub(super) const KITS_LOOKED_AT: usize = 1_000;

/// A kit file as somebody sends it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KitText {
    /// What its faults are told by: the file's name.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// Which kits somebody wants in force. Nothing said: those of the configuration, and no others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// Files: each comes in place of what has its id, or beside the others.
    pub files: Vec<KitText>,
    /// Kits of the configuration, or whose content the ledger keeps, by id or by how their hash begins: the same.
    pub kits: Vec<String>,
    /// Ids of kits that are to go.
    pub leave_out: Vec<String>,
    /// For what is tested from here on; nothing: whatever comes behind the second person's word.
    pub from: Option<Timestamp>,
}

/// What a person's word for kits came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// They are proposed: another person has to agree.
    Proposed {
        /// The entry, by which another person agrees.
        entry: Seq,
        /// What would judge then.
        kits: Vec<KitRef>,
        /// What is otherwise than what was last put in force.
        changes: Changes,
        /// From when on; nothing: from the activation on.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
    },
    /// They are in force.
    Activated {
        /// The entry.
        entry: Seq,
        /// What judges from here on, or from its time on.
        kits: Vec<KitRef>,
        /// What is otherwise than before.
        changes: Changes,
        /// For what is tested from here on; nothing: whatever comes.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
    },
    /// They are in force already: nothing is written.
    InForce,
    /// The same person proposed it: nothing is written, another one has to agree.
    WaitsForAnother {
        /// The entry that proposed it.
        entry: Seq,
    },
    /// Nothing is proposed under that number any more: it lapsed, or something else took its place.
    NotStanding(Refusal),
    /// It cannot be.
    Refused(Refusal),
}

fn refused(why: impl Into<String>, why_zh: impl Into<String>) -> Step {
    Step::Refused(Refusal { why: why.into(), why_zh: why_zh.into() })
}

/// A person wants kits in force. Nothing changes before another one agrees; what was proposed before and is not agreed to
/// gives way to it.
///
/// # Errors
/// [`NotDone`].
pub fn propose(
    (ledger, configured): (&Ledger, &Kits),
    who: &Actor,
    wanted: &Wanted,
    why: &str,
) -> Result<Step, NotDone> {
    who.check(&ledger.state(), Act::ActivateKits).map_err(NotDone::Person)?;
    Ok(proposed((ledger, configured), who, wanted, why)?)
}

fn proposed(
    (ledger, configured): (&Ledger, &Kits),
    who: &Actor,
    wanted: &Wanted,
    why: &str,
) -> Result<Step, Stopped> {
    let reader = ledger.state();
    if !reader.kits_stand()?.adopted {
        return Ok(refused(
            "no kits are in force yet: the daemon adopts the configured ones at its first start",
            "尚无生效的试剂盒规则：守护进程首次启动时采用配置中的规则",
        ));
    }
    let now = Timestamp::now();
    if wanted.from.is_some_and(|from| from < now) {
        return Ok(refused(
            "kits judge from the second person's word on or from a later time on; what came before is judged as it was \
             (a run: hemogate runs judge)",
            "试剂盒规则只能自启用时或以后生效；此前的结果仍按当时的规则判定（单个批次可用 hemogate runs judge）",
        ));
    }
    let before = last(&reader)?.unwrap_or_default();
    let kits = match wanted_kits(&reader, configured, (wanted, &before))? {
        Ok(kits) => kits,
        Err(refusal) => return Ok(Step::Refused(refusal)),
    };
    let references = references(&kits);
    let changes = Changes::between(&before, &references);
    if changes.is_empty() {
        return Ok(Step::InForce);
    }
    for kit in kits.iter() {
        let kept = keep(&reader, kit)?.map(|what| Draft { by: who.by(), what });
        write(ledger, kept.into_iter().collect())?;
    }
    let from_ms = wanted.from.map(Timestamp::as_millisecond);
    let act = KitsAct::Proposed { kits: references.clone(), from_ms, why: why.to_owned() };
    let entry = write(ledger, vec![Draft { by: who.by(), what: What::Kits(act) }])?;
    Ok(Step::Proposed { entry: entry.unwrap_or(Seq::NONE), kits: references, changes, from: wanted.from })
}

/// The kits that would judge, held against each other.
fn wanted_kits(
    reader: &Reader,
    configured: &Kits,
    (wanted, before): (&Wanted, &[KitRef]),
) -> Result<Result<Kits, Refusal>, Stopped> {
    let refused = |why: String, why_zh: String| Ok(Err(Refusal { why, why_zh }));
    if wanted.files.is_empty() && wanted.kits.is_empty() && wanted.leave_out.is_empty() {
        let is_configured = |kit: &&KitRef| configured.iter().any(|own| own.id == kit.id);
        let gone: Vec<&str> =
            before.iter().filter(|kit| !is_configured(kit)).map(|kit| kit.id.as_str()).collect();
        if gone.is_empty() {
            return Ok(Ok(configured.clone()));
        }
        let gone = gone.join(", ");
        return refused(
            format!(
                "the configured kits lack {gone}, which judge now: leave them out by name (--leave-out), or configure them"
            ),
            format!("配置中缺少正在生效的试剂盒规则 {gone}：请用 --leave-out 指明移除，或补回配置"),
        );
    }
    let mut all: BTreeMap<String, KitFile> = BTreeMap::new();
    for kit in before.iter().filter(|kit| !wanted.leave_out.contains(&kit.id)) {
        match kept(reader, kit)? {
            Ok(file) => drop(all.insert(file.id.clone(), file)),
            // Who brings another content under its name, or takes it out, needs nothing of it.
            Err(_) if wanted.files.iter().any(|file| named_id(file).as_ref() == Some(&kit.id)) => {}
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    if let Some(unknown) = wanted.leave_out.iter().find(|id| !before.iter().any(|kit| kit.id == **id)) {
        let known = before.iter().map(|kit| kit.id.as_str()).collect::<Vec<_>>().join(", ");
        return refused(
            format!("no kit {unknown:?} is in force, so that it cannot be left out; in force: {known}"),
            format!("没有生效中的试剂盒规则 {unknown:?}，无法移除；生效中：{known}"),
        );
    }
    let mut came: BTreeMap<String, KitFile> = BTreeMap::new();
    for file in &wanted.files {
        match KitFile::read(&file.name, &file.text) {
            Ok(kit) if came.contains_key(&kit.id) => return Ok(Err(twice(&kit.id))),
            Ok(kit) => drop(came.insert(kit.id.clone(), kit)),
            Err(faults) => {
                let what = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
                return refused(what.clone(), format!("试剂盒规则有误：{what}"));
            }
        }
    }
    for name in &wanted.kits {
        match named(reader, configured, name)? {
            Ok(kit) if came.contains_key(&kit.id) => return Ok(Err(twice(&kit.id))),
            Ok(kit) => drop(came.insert(kit.id.clone(), kit)),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    all.extend(came);
    Ok(Kits::new(all.into_values()).map_err(|faults| {
        let why = first(&faults);
        Refusal { why_zh: format!("这些试剂盒规则不能同时生效：{why}"), why }
    }))
}

/// The id that a file says of itself, where it can be read.
fn named_id(file: &KitText) -> Option<String> {
    KitFile::read(&file.name, &file.text).ok().map(|kit| kit.id)
}

fn twice(id: &str) -> Refusal {
    Refusal {
        why: format!("kit {id} is named twice; name the content that is meant once"),
        why_zh: format!("试剂盒规则 {id} 被指定两次；请只指定一次"),
    }
}

/// A kit as the ledger keeps it.
fn kept(reader: &Reader, kit: &KitRef) -> Result<Result<KitFile, Refusal>, Stopped> {
    let unreadable = |why: &str| {
        let named = short(kit);
        Refusal {
            why: format!(
                "kit {named} cannot be read from the ledger: {why}; bring another content of it, or leave it out"
            ),
            why_zh: format!("账本中的试剂盒规则 {named} 无法读取：{why}；请提供新内容或将其移除"),
        }
    };
    let Some(text) = reader.kept_kit(kit)? else { return Ok(Err(unreadable("it is not kept there"))) };
    Ok(match KitFile::read(&kit.id, &text) {
        Ok(file) if reference(&file) == *kit => Ok(file),
        Ok(_) => Err(unreadable("its content has another hash")),
        Err(faults) => Err(unreadable(&first(&faults))),
    })
}

/// The one kit, configured or kept, that goes by this name, or whose hash begins so. Of the name alone the configured one is
/// meant.
fn named(reader: &Reader, configured: &Kits, name: &str) -> Result<Result<KitFile, Refusal>, Stopped> {
    let by_hash = |hash: &str| name.len() >= HASH_DIGITS_MIN && hash.starts_with(name);
    if let Some(kit) = configured.iter().find(|kit| kit.id == name || by_hash(&kit.hash)) {
        return Ok(Ok(KitFile::clone(kit)));
    }
    let all = reader.kept_kits(&Page::first(KITS_LOOKED_AT))?.items;
    let mut found = all.into_iter().filter(|one| one.kit.id == name || by_hash(&one.kit.hash));
    match (found.next(), found.next()) {
        (Some(only), None) => kept(reader, &only.kit),
        (None, _) => Ok(Err(Refusal {
            why: format!(
                "no kit goes by {name:?}, and no hash begins so (at least {HASH_DIGITS_MIN} digits); give its file instead"
            ),
            why_zh: format!(
                "没有名为 {name:?} 或哈希以其开头（至少 {HASH_DIGITS_MIN} 位）的试剂盒规则；请提供文件"
            ),
        })),
        (Some(_), Some(_)) => Ok(Err(Refusal {
            why: format!(
                "several contents go by {name:?}; give the hash of the one you mean (hemogate kit list)"
            ),
            why_zh: format!("有多个内容名为 {name:?}；请给出其哈希（hemogate kit list）"),
        })),
    }
}

/// Another person agrees to what was proposed in an entry.
///
/// # Errors
/// [`NotDone`].
pub fn activate(ledger: &Ledger, who: &Actor, proposal: Seq) -> Result<Step, NotDone> {
    let reader = ledger.state();
    who.check(&reader, Act::ActivateKits).map_err(NotDone::Person)?;
    Ok(activated((ledger, &reader), who, proposal)?)
}

fn activated((ledger, reader): (&Ledger, &Reader), who: &Actor, entry: Seq) -> Result<Step, Stopped> {
    let stands = reader.kits_stand()?.proposed.filter(|known| known.done.entry == entry);
    let standing = stands.filter(|known| known.stands(Timestamp::now().as_millisecond()));
    let Some(KitsProposal { kits, from_ms, done, .. }) = standing else {
        return Ok(Step::NotStanding(Refusal {
            why: format!(
                "nothing that can be agreed to is proposed in entry {entry}: it lapsed after three days, or something else \
                 took its place; look again (hemogate kit list), or propose it anew"
            ),
            why_zh: format!(
                "记录 {entry} 中没有可启用的提议：已满三日失效，或已被取代；请重新查看（hemogate kit list）或重新提议"
            ),
        }));
    };
    if done.by == who.user().as_str() {
        return Ok(Step::WaitsForAnother { entry });
    }
    // What this release cannot read would hold everything.
    for kit in &kits {
        if let Err(refusal) = kept(reader, kit)? {
            return Ok(Step::Refused(refusal));
        }
    }
    let changes = Changes::between(&last(reader)?.unwrap_or_default(), &kits);
    let act = KitsAct::Activated { kits: kits.clone(), proposed: entry };
    let written = write(ledger, vec![Draft { by: who.by(), what: What::Kits(act) }])?.unwrap_or(Seq::NONE);
    // Two commands at once, or a time that ran out between the look and the entry: the ledger takes what fits, and the
    // other changes nothing.
    if ledger.state().kits_in_force()?.last().is_none_or(|last| last.done.entry != written) {
        return Ok(Step::NotStanding(Refusal {
            why: "somebody else changed it meanwhile, or it lapsed; look again".into(),
            why_zh: "其间已被他人更改或已失效，请重新查看".into(),
        }));
    }
    let from = from_ms.and_then(|from| Timestamp::from_millisecond(from).ok());
    Ok(Step::Activated { entry: written, kits, changes, from })
}
