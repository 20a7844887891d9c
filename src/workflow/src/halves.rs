//! Messages that go on where a broken transmission stopped: both are read together, once.
//!
//! ```text
//!  line   H P O R O R ✕   H P O R ✕   H P O R L          the sender repeats what it does not know to be stored
//!         half            half        message            (LIS02-A2 §4.2), and never what it knows to be
//!  read   H P O R ──────── O R ─────── O R … L            once, as the message; it names the halves it continues
//! ```
//! Nothing is read together that is not certain: only halves between the connection's last message and this one, only
//! where their records agree, and only where the line was run as it is now when each of them began. Whatever is left over
//! stays a half transmission for a person; where a message looks like the rest of one and may be something else, it
//! holds.

use instrument_profiles::{Profile, Resumed, joined_frames};
use ledger::{
    InterpretItem, MessageFilter, MessageView, Order, Page, ReadError, Reader, Seq, Terms, TransferView,
};
use vocabulary::{Consequence, Finding};

/// So many of the latest half transmissions of all connections are looked at, and so many more for each message of a
/// round. An older one is for a person.
const HALVES_LOOKED_AT: usize = 32;
const HALVES_LOOKED_AT_PER_MESSAGE: usize = 4;
/// Half transmissions that one message can be the rest of; a line that breaks more often is for a person.
const HALVES_JOINED_MAX: usize = 8;

/// The latest half transmissions, for the messages of a round.
pub(crate) struct Halves(Vec<TransferView>);

/// What a message is read as.
pub(crate) struct Joined {
    /// Its own bytes, and before them what was saved of half transmissions.
    pub(crate) text: Vec<u8>,
    /// Those half transmissions.
    pub(crate) continues: Vec<u64>,
    /// What a person should know about it.
    pub(crate) finding: Option<Finding>,
}

impl Joined {
    fn alone(text: Vec<u8>) -> Self {
        Self { text, continues: Vec::new(), finding: None }
    }

    fn uncertain(text: Vec<u8>, half: u64, why: &str) -> Self {
        let what = format!(
            "the half transmission {half} came right before this message, which may be its rest, but {why}; they were \
             not read together: look at both, and let the analyser send its results again"
        );
        Self {
            text,
            continues: Vec::new(),
            finding: Some(finding("resumption_uncertain", what, Consequence::Hold)),
        }
    }
}

fn finding(name: &str, what: String, consequence: Consequence) -> Finding {
    Finding { finding: name.to_owned(), place: "the message".to_owned(), what, consequence, specimen: None }
}

/// Halves that belong together, as one text.
struct Sofar {
    text: Vec<u8>,
    transfers: Vec<u64>,
}

impl Halves {
    /// Those that ended before the last of these messages.
    pub(crate) fn before(reader: &Reader, messages: &[InterpretItem]) -> Result<Self, ReadError> {
        let Some(last) = messages.last() else { return Ok(Self(Vec::new())) };
        Self::before_one(reader, last.message, messages.len())
    }

    /// Those that ended before this message, when so many are read with it.
    pub(crate) fn before_one(reader: &Reader, last: Seq, messages: usize) -> Result<Self, ReadError> {
        let limit = HALVES_LOOKED_AT + HALVES_LOOKED_AT_PER_MESSAGE * messages;
        let page = Page { after: Some((last, 0)), limit, order: Order::NewestFirst };
        let mut halves = reader.half_transfers(&page)?.items;
        halves.reverse();
        Ok(Self(halves))
    }

    /// What a message is read as, by itself or with the halves whose rest it is.
    pub(crate) fn joined(
        &self,
        reader: &Reader,
        (message, raw): (&MessageView, Vec<u8>),
        profile: &Profile,
    ) -> Result<Joined, ReadError> {
        let mine = |half: &&TransferView| {
            half.connection == message.connection
                && half.ended_by.is_some_and(|end| end < message.seq)
                && half.continued_by.is_none_or(|by| by == message.seq)
        };
        let halves: Vec<TransferView> = self.0.iter().filter(mine).cloned().collect();
        if halves.is_empty() {
            return Ok(Joined::alone(raw));
        }
        let halves = since_the_last_message(reader, message, halves)?;
        let Some(Sofar { text: half, transfers }) = chained(reader, &halves, profile)? else {
            return Ok(Joined::alone(raw));
        };
        let last = transfers.last().copied().unwrap_or_default();
        Ok(match profile.resumed(&half, &raw) {
            Resumed::Unrelated => Joined::alone(raw),
            Resumed::Uncertain(why) => Joined::uncertain(raw, last, &why),
            // What came while the line was tried out, or comes again while it is, says nothing of the other.
            Resumed::With { saved: 0, .. } if !run_alike(&halves, &transfers, message) => Joined::alone(raw),
            Resumed::With { saved: 0, text } => Joined { text, continues: transfers, finding: None },
            // What was sent while the line was tried out must not become evidence with the rest of it.
            Resumed::With { .. } if !run_alike(&halves, &transfers, message) => Joined::uncertain(
                raw,
                last,
                "it is not certain that the line had this mode and this profile when it began",
            ),
            Resumed::With { saved, text } => {
                let what = format!(
                    "the transmission had broken off: its first {saved} records came in the half transmission {} and \
                     were read together with this message",
                    transfers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
                );
                let note = finding("resumed_transmission", what, Consequence::Note);
                Joined { text, continues: transfers, finding: Some(note) }
            }
        })
    }
}

/// Whether the line was run as for the message when each of these transfers began. Older ledgers do not say it.
fn run_alike(halves: &[TransferView], transfers: &[u64], message: &MessageView) -> bool {
    let alike = |terms: &Terms| terms.mode == message.mode && terms.profile == message.profile;
    let mut joined = halves.iter().filter(|half| transfers.contains(&half.transfer));
    joined.all(|half| half.terms.as_ref().is_some_and(alike))
}

/// The text that a message was read as: its bytes, and before them those of the halves that its interpretation names.
/// `None`: they do not come together again.
pub(crate) fn read_as(
    reader: &Reader,
    message: &MessageView,
    profile: &Profile,
    continues: &[u64],
) -> Result<Option<Vec<u8>>, ReadError> {
    let raw = reader.raw(message.seq)?;
    if continues.is_empty() {
        return Ok(Some(raw));
    }
    let joined = Halves::before_one(reader, message.seq, 1)?.joined(reader, (message, raw), profile)?;
    Ok((joined.continues == continues).then_some(joined.text))
}

/// Leaves the halves that came after the connection's last message, oldest first.
fn since_the_last_message(
    reader: &Reader,
    message: &MessageView,
    mut halves: Vec<TransferView>,
) -> Result<Vec<TransferView>, ReadError> {
    let filter = MessageFilter { connection: Some(message.connection.clone()), ..MessageFilter::default() };
    let page = Page { after: Some(message.seq), limit: 1, order: Order::NewestFirst };
    let found = reader.messages(&filter, &page)?;
    // A page without it ends somewhere: what is older was not looked at, and counts as before it.
    let floor = found.items.first().map(|last| last.seq).or(found.next).unwrap_or(Seq::NONE);
    halves.retain(|half| half.ended_by.is_some_and(|end| end > floor));
    Ok(halves)
}

/// The last of these halves, with those before it whose rest it is.
fn chained(reader: &Reader, halves: &[TransferView], profile: &Profile) -> Result<Option<Sofar>, ReadError> {
    let mut so_far: Option<Sofar> = None;
    for half in halves.iter().skip(halves.len().saturating_sub(HALVES_JOINED_MAX)) {
        let Some(frames) = reader.unused_frames(half.transfer)? else { continue };
        let text = joined_frames(&frames);
        // It stays for a person, and what came before it may go on all the same.
        if so_far.is_some() && profile.says_nothing(&text) {
            continue;
        }
        let joined = so_far.take().and_then(|before| match profile.resumed_broken(&before.text, &text) {
            Resumed::With { text, .. } => {
                let transfers = before.transfers.into_iter().chain([half.transfer]).collect();
                Some(Sofar { text, transfers })
            }
            Resumed::Unrelated | Resumed::Uncertain(_) => None,
        });
        so_far = joined.or_else(|| Some(Sofar { text, transfers: vec![half.transfer] }));
    }
    Ok(so_far)
}
