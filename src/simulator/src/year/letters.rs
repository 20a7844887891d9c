//! Messages on their way: when each comes, and how.

use super::day::{fate, has_other_value};
use super::given::Given;
use super::kind::Kind;
use crate::model::Outgoing;
use crate::scenario::Duty;
use std::collections::BTreeMap;
use vocabulary::DonationId;

/// What is wrong with the lot that a run was made with. The laboratory's register knows the lots; the bytes have to
/// name one of these in place of the one they name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LotFault {
    /// Accepted, and past its last day.
    Expired,
    /// Accepted by nobody.
    Unaccepted,
}

/// Who sends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sender {
    /// The analyser of a duty.
    Analyser(Duty),
    /// The analyser that tests pools.
    PoolAnalyser,
    /// The robot that makes them: its log.
    PoolingRobot,
}

impl Sender {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Analyser(duty) => duty.name(),
            Self::PoolAnalyser => "nat-pools",
            Self::PoolingRobot => "pooling",
        }
    }
}

impl From<Duty> for Sender {
    fn from(duty: Duty) -> Self {
        Self::Analyser(duty)
    }
}

/// A message as it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Who sends it.
    pub from: Sender,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The name of its file, where it is one.
    pub file_name: Option<String>,
    /// The line breaks in the middle of it.
    pub breaks_off: bool,
    /// The lot that its run was made with is none to be used.
    pub lot: Option<LotFault>,
}

impl Letter {
    pub(super) fn new(from: impl Into<Sender>, message: Outgoing) -> Self {
        let from = from.into();
        Self { from, bytes: message.bytes, file_name: message.file_name, breaks_off: false, lot: None }
    }
}

/// What comes of a day's donations, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// The day itself.
    pub evening: Vec<Letter>,
    /// The next working day.
    pub next_day: Vec<Letter>,
    /// The day after, when what could be released was released.
    pub late: Vec<Letter>,
}

impl Mail {
    /// Takes the messages of one run; the donations of which another value is to be sent.
    pub(super) fn take(
        &mut self,
        given: &[Given],
        duty: Duty,
        written: Vec<Outgoing>,
        lot: Option<LotFault>,
    ) -> Vec<Given> {
        let struck: BTreeMap<&DonationId, &Given> = given
            .iter()
            .filter(|one| one.strike.is_some())
            .map(|one| (&one.registration.donation, one))
            .collect();
        let mut others: Vec<Given> = Vec::new();
        let mut counted: BTreeMap<DonationId, u32> = BTreeMap::new();
        for message in written {
            let one = message.donations.as_slice();
            let one = if let [only] = one { struck.get(only).copied() } else { None };
            let Some((one, strike)) = one.and_then(|one| Some((one, one.strike?))) else {
                self.evening.push(Letter { lot, ..Letter::new(duty, message) });
                continue;
            };
            let donation = &one.registration.donation;
            let nth = counted.entry(donation.clone()).or_default();
            let fate = fate(strike, duty, *nth);
            *nth += 1;
            if has_other_value(strike, duty) && *nth == 1 {
                others.push(one.clone());
            }
            let letter = Letter { lot, ..Letter::new(duty, message) };
            self.come(donation, letter, fate);
        }
        others
    }

    fn come(&mut self, donation: &DonationId, letter: Letter, fate: Option<(Kind, bool)>) {
        let later = fate.is_some_and(|(_, later)| later);
        let id = donation.as_str();
        match fate.map(|(kind, _)| kind) {
            Some(Kind::LostMessage) => {
                self.next_day.extend(later.then_some(letter));
            }
            Some(Kind::BrokenTransfer) => {
                self.evening.push(Letter { breaks_off: true, ..letter.clone() });
                self.next_day.extend(later.then_some(letter));
            }
            Some(Kind::RepeatedMessage) => self.evening.extend([letter.clone(), letter]),
            Some(Kind::RepeatedLater) => {
                self.late.push(letter.clone());
                self.evening.push(letter);
            }
            Some(Kind::NoBarcode) => self.evening.push(with_id(letter, id, "")),
            Some(Kind::CutBarcode) => {
                let cut: String = id.chars().take(id.chars().count().saturating_sub(1)).collect();
                self.evening.push(with_id(letter, id, &cut));
            }
            _ => self.evening.push(letter),
        }
    }
}

/// The same message under another id.
fn with_id(letter: Letter, id: &str, other: &str) -> Letter {
    let bytes = replaced(&letter.bytes, id.as_bytes(), other.as_bytes());
    Letter { bytes, ..letter }
}

/// `bytes` with every `from` become `to`.
#[must_use]
pub fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        if let Some(beyond) = rest.strip_prefix(from).filter(|_| !from.is_empty()) {
            out.extend_from_slice(to);
            rest = beyond;
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}
