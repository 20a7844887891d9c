//! The command to read messages again from their bytes, with the revision that their connection reads with now.
//!
//! Nothing new is written where nothing new would come of it, so that it can be given as often as somebody likes. The
//! interpretation before stays in the ledger; what it gave is taken back, and whatever rested on it is decided again.

use crate::people::{Act, Actor};
use crate::pins::NotDone;
use crate::{Settings, Stopped, again, earlier::Memory};
use ledger::{
    By, Draft, InterpretationVersion, Ledger, MessageFilter, MessageView, Page, ReadError, Reader, Seq,
    VerdictSummary, What,
};
use serde::Serialize;
use std::collections::BTreeSet;
use vocabulary::{ConnectionId, DonationId, ProfileRef};

/// Messages that are looked at for one command; whoever wants more goes on behind the last.
pub const MESSAGES_AT_ONCE: usize = 200;

/// Donations of one message whose verdicts are compared.
const DONATIONS_COMPARED_MAX: usize = 500;

/// What becomes of a message that is to be read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It will be.
    Asked {
        /// The entry that says so.
        entry: Seq,
        /// The revision that will read it.
        profile: ProfileRef,
    },
    /// It means what it did: nothing is written.
    Unchanged,
    /// It waits to be read already.
    Waiting,
    /// It cannot be.
    Refused {
        /// Why, and what to do.
        why: String,
        /// The same in Chinese.
        why_zh: String,
    },
}

/// What became of several.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Several {
    /// Messages that will be read again.
    pub asked: Vec<Seq>,
    /// How many were looked at.
    pub looked_at: usize,
    /// Those that cannot be read again.
    pub refused: Vec<Refused>,
    /// Go on behind this one; nothing at the end.
    pub next: Option<Seq>,
}

/// A message that cannot be read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The message.
    pub message: Seq,
    /// Why, and what to do.
    pub why: String,
    /// The same in Chinese.
    pub why_zh: String,
}

/// Which messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Which {
    /// Only those of this link.
    pub connection: Option<ConnectionId>,
    /// Only those that hold something up.
    pub held: bool,
    /// Only those that a revision which begins so reads now.
    pub revision: Option<String>,
}

/// Asks for one message to be read again; `None` where there is no such message.
///
/// # Errors
/// [`NotDone`].
pub fn one(
    settings: &Settings,
    ledger: &Ledger,
    who: &Actor,
    (message, why): (Seq, &str),
) -> Result<Option<Outcome>, NotDone> {
    who.check(&ledger.state(), Act::Reprocess).map_err(NotDone::Person)?;
    Ok(ask_for_one(settings, ledger, message, (&who.by(), why))?)
}

fn ask_for_one(
    settings: &Settings,
    ledger: &Ledger,
    message: Seq,
    (by, why): (&By, &str),
) -> Result<Option<Outcome>, Stopped> {
    let reader = ledger.state();
    let Some(message) = reader.message(message)? else { return Ok(None) };
    Ok(Some(match judge(settings, &reader, message)? {
        Judged::Worth(message, profile) => {
            let pending = ledger.append(vec![ask(&message, &profile, (by, why))])?;
            let entry = pending.wait()?.last();
            ledger.wait_applied(entry).wait()?;
            Outcome::Asked { entry, profile }
        }
        Judged::Not(outcome) => outcome,
    }))
}

/// Asks for several to be read again: at most [`MESSAGES_AT_ONCE`] are looked at.
///
/// # Errors
/// [`NotDone`].
pub fn several(
    settings: &Settings,
    ledger: &Ledger,
    who: &Actor,
    (which, page): (&Which, &Page<Seq>),
    why: &str,
) -> Result<Several, NotDone> {
    who.check(&ledger.state(), Act::Reprocess).map_err(NotDone::Person)?;
    Ok(ask_for_several(settings, ledger, (which, page), (&who.by(), why))?)
}

fn ask_for_several(
    settings: &Settings,
    ledger: &Ledger,
    (which, page): (&Which, &Page<Seq>),
    (by, why): (&By, &str),
) -> Result<Several, Stopped> {
    let reader = ledger.state();
    let (messages, next) = listed(&reader, which, page)?;
    let mut all = Several { looked_at: messages.len(), next, ..Several::default() };
    let mut group = Vec::new();
    for message in messages {
        let target = target(&reader, &message)?;
        if which.revision.as_ref().is_some_and(|begins| !target.revision.starts_with(begins.as_str())) {
            continue;
        }
        let seq = message.seq;
        match judge(settings, &reader, message)? {
            Judged::Worth(message, profile) => {
                group.push(ask(&message, &profile, (by, why)));
                all.asked.push(seq);
            }
            Judged::Not(Outcome::Refused { why, why_zh }) => {
                all.refused.push(Refused { message: seq, why, why_zh });
            }
            Judged::Not(Outcome::Asked { .. } | Outcome::Unchanged | Outcome::Waiting) => {}
        }
    }
    if !group.is_empty() {
        let last = ledger.append(group)?.wait()?.last();
        ledger.wait_applied(last).wait()?;
    }
    Ok(all)
}

/// A donation whose verdict was another one before a message was read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedVerdict {
    /// The donation.
    pub donation: DonationId,
    /// The verdict that stood.
    pub before: VerdictSummary,
    /// The one that stands now; a person has to see to whatever was done on the former.
    pub after: VerdictSummary,
    /// It could be released before.
    pub was_releasable: bool,
}

/// Donations of a message that was read again whose verdict is another than the one that stood before.
///
/// # Errors
/// [`ReadError`].
pub fn changed_verdicts(
    reader: &Reader,
    message: &MessageView,
    interpretations: &[InterpretationVersion],
) -> Result<Vec<ChangedVerdict>, ReadError> {
    let Some(first_again) = interpretations.iter().find_map(|version| version.replaced_by) else {
        return Ok(Vec::new());
    };
    let mut donations = BTreeSet::new();
    for version in interpretations {
        let meaning = match version.replaced_by {
            Some(_) => reader.past_interpretation(message.seq, version.entry)?,
            None => reader.observations_of(message.seq)?,
        };
        let about = meaning.into_iter().flat_map(|m| m.donations.into_iter().chain(m.holds));
        donations.extend(about.map(|(_, donation)| donation));
    }
    let mut changed = Vec::new();
    for donation in donations.into_iter().take(DONATIONS_COMPARED_MAX) {
        let Some(view) = reader.donation(&donation)? else { continue };
        let before = view.verdicts.iter().rfind(|verdict| verdict.seq < first_again);
        let after = view.verdicts.last();
        if let (Some(before), Some(after)) = (before, after)
            && before.content_hash != after.content_hash
        {
            let (before, after) = (before.clone(), after.clone());
            changed.push(ChangedVerdict { donation, was_releasable: before.releasable, before, after });
        }
    }
    Ok(changed)
}

fn listed(
    reader: &Reader,
    which: &Which,
    page: &Page<Seq>,
) -> Result<(Vec<MessageView>, Option<Seq>), ReadError> {
    let page = Page { limit: page.limit.clamp(1, MESSAGES_AT_ONCE), ..page.clone() };
    if which.held {
        let found = reader.held_messages(which.connection.as_ref(), &|_| true, &page)?;
        return Ok((found.items.into_iter().map(|held| held.message).collect(), found.next));
    }
    let filter = MessageFilter { connection: which.connection.clone(), ..MessageFilter::default() };
    let found = reader.messages(&filter, &page)?;
    Ok((found.items, found.next))
}

enum Judged {
    Worth(Box<MessageView>, ProfileRef),
    Not(Outcome),
}

/// The revision that a message would be read with: the one that its connection reads with now, of the same profile.
fn target(reader: &Reader, message: &MessageView) -> Result<ProfileRef, ReadError> {
    let pin = reader.pin(&message.connection)?.map(|pin| pin.profile);
    Ok(pin.filter(|pinned| pinned.id == message.profile.id).unwrap_or_else(|| message.read_with.clone()))
}

fn judge(settings: &Settings, reader: &Reader, mut message: MessageView) -> Result<Judged, Stopped> {
    let target = target(reader, &message)?;
    if reader.waits(message.seq)? && message.read_with == target {
        return Ok(Judged::Not(Outcome::Waiting));
    }
    if settings.profiles.find(reader, &target)?.is_none() {
        let why = format!("the profile {target} is not here; install it, and start hemogate again");
        let why_zh = format!("本机没有配置 {target};请安装后重新启动 hemogate");
        return Ok(Judged::Not(Outcome::Refused { why, why_zh }));
    }
    message.read_with = target.clone();
    Ok(match again::anew(settings, reader, &mut Memory::default(), &message)? {
        Some(_) => Judged::Worth(Box::new(message), target),
        None => Judged::Not(Outcome::Unchanged),
    })
}

fn ask(message: &MessageView, profile: &ProfileRef, (by, why): (&By, &str)) -> Draft {
    let what = What::ReprocessAsked { message: message.seq, profile: profile.clone(), why: why.to_owned() };
    Draft { by: by.clone(), what }
}
