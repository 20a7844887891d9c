//! What is held, why, where in the bytes, and what waits for it.

mod holds;
mod reasons;

pub use holds::{HeldRun, Holds};
pub use reasons::Reason;

use crate::{Settings, halves};
use instrument_profiles::Excerpt;
use ledger::{HeldMessage, Interpretation, Listing, MessageView, Page, ReadError, Reader, Seq};
use serde::Serialize;
use std::collections::BTreeMap;
use vocabulary::{ConnectionId, Consequence, Finding};

/// Characters before a place, and bytes behind it, that are shown.
const EXCERPT_AROUND: usize = 60;
/// Reasons of one message that are shown with their excerpts.
const REASONS_SHOWN_MAX: usize = 50;

/// Which held messages.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those of this link.
    pub connection: Option<ConnectionId>,
    /// Only those with a reason of this kind.
    pub reason: Option<Reason>,
}

/// A held message as lists show it.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// The message.
    pub message: MessageView,
    /// Kinds of reasons, and how many of each.
    pub reasons: BTreeMap<&'static str, u32>,
    /// Its findings.
    pub findings: Vec<Finding>,
    /// What it holds up.
    pub holds: Holds,
}

/// A held message whole.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The message.
    pub message: MessageView,
    /// Each reason with its place.
    pub reasons: Vec<ShownReason>,
    /// Further reasons that are not shown.
    pub more_reasons: usize,
    /// What it holds up.
    pub holds: Holds,
}

/// One reason with its place.
#[derive(Debug, Clone, Serialize)]
pub struct ShownReason {
    /// Its kind.
    pub reason: &'static str,
    /// What that is.
    pub title: &'static str,
    /// The same in Chinese.
    pub title_zh: &'static str,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// First byte of the place, and one past its last; nothing where the whole message is meant.
    pub bytes: Option<[usize; 2]>,
    /// What stands there, with a little around it.
    pub excerpt: Option<Excerpt>,
    /// What to do.
    pub next: &'static str,
    /// The same in Chinese.
    pub next_zh: &'static str,
}

/// Held messages, in pages.
///
/// # Errors
/// [`ReadError`].
pub fn list(reader: &Reader, filter: &Filter, page: &Page<Seq>) -> Result<Listing<Item, Seq>, ReadError> {
    let wanted = |name: &str| filter.reason.is_none_or(|reason| Reason::of(name) == reason);
    let found = reader.held_messages(filter.connection.as_ref(), &wanted, page)?;
    let mut items = Vec::with_capacity(found.items.len());
    for HeldMessage { message, reasons } in found.items {
        let mut kinds: BTreeMap<&'static str, u32> = BTreeMap::new();
        for (name, count) in &reasons {
            *kinds.entry(Reason::of(name).name()).or_default() += count;
        }
        let Some(meaning) = reader.observations_of(message.seq)? else { continue };
        let holds = Holds::of(reader, &message, &meaning)?;
        items.push(Item { message, reasons: kinds, findings: meaning.findings, holds });
    }
    Ok(Listing { items, next: found.next })
}

/// One held message with the places in its bytes; `None` where there is no such message, or it holds nothing up.
///
/// # Errors
/// [`ReadError`].
pub fn show(settings: &Settings, reader: &Reader, message: Seq) -> Result<Option<Shown>, ReadError> {
    let Some(message) = reader.message(message)? else { return Ok(None) };
    let Some(meaning) = reader.observations_of(message.seq)? else { return Ok(None) };
    let holding: Vec<&Finding> = holding(&meaning).collect();
    if holding.is_empty() {
        return Ok(None);
    }
    let holds = Holds::of(reader, &message, &meaning)?;
    let profile = settings.profiles.find(reader, &meaning.profile)?;
    let text = match &profile {
        Some(profile) => halves::read_as(reader, &message, profile, &meaning.continues)?,
        None => None,
    };
    let excerpt = |at: std::ops::Range<usize>| {
        let (profile, text) = (profile.as_ref()?, text.as_ref()?);
        Some(profile.excerpt(text, at, EXCERPT_AROUND))
    };
    let reasons = holding.iter().take(REASONS_SHOWN_MAX).map(|finding| {
        let kind = Reason::of(&finding.finding);
        let bytes = finding.bytes();
        ShownReason {
            reason: kind.name(),
            title: kind.title()[0],
            title_zh: kind.title()[1],
            finding: (*finding).clone(),
            excerpt: bytes.clone().and_then(excerpt),
            bytes: bytes.map(|at| [at.start, at.end]),
            next: kind.next()[0],
            next_zh: kind.next()[1],
        }
    });
    let reasons = reasons.collect();
    let more_reasons = holding.len().saturating_sub(REASONS_SHOWN_MAX);
    Ok(Some(Shown { message, reasons, more_reasons, holds }))
}

fn holding(meaning: &Interpretation) -> impl Iterator<Item = &Finding> {
    meaning.findings.iter().filter(|finding| finding.consequence > Consequence::Note)
}

/// Gives findings about a scan the place of it in the bytes: the first that is not part of a longer word.
pub(crate) fn find_scans(findings: &mut [Finding], text: &[u8]) {
    for finding in findings.iter_mut().filter(|finding| finding.bytes().is_none()) {
        let place = finding.specimen.as_ref().and_then(|scan| place_of(scan.as_bytes(), text));
        if let Some(at) = place {
            finding.place = format!("{} (bytes {}–{})", finding.place, at.start, at.end);
        }
    }
}

fn place_of(word: &[u8], text: &[u8]) -> Option<std::ops::Range<usize>> {
    let apart = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let windows = text.windows(word.len().max(1)).enumerate().filter(|(_, window)| *window == word);
    let mut places = windows.map(|(at, _)| at..at + word.len());
    places.find(|at| {
        let before = at.start.checked_sub(1).and_then(|before| text.get(before));
        apart(before) && apart(text.get(at.end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_is_found_where_it_stands_by_itself() {
        let text = b"O|1|XG12|G12^U1|G12\r";
        assert_eq!(place_of(b"G12", text), Some(9..12));
        assert_eq!(place_of(b"12", text), None);
        assert_eq!(place_of(b"", b""), None);
        assert_eq!(place_of(b"G12", b"G12"), Some(0..3));
    }
}
