//! The registration of a donation that stands, what was not taken of later ones, and what people say of which it is.
//!
//! ```text
//!  registered ──again, with another──► both count, and it holds ──two people name one of them──► that one counts
//!                                          ▲                                                        │
//!                                          └──another registration, or people who no longer agree───┘
//! ```

use super::Done;
use crate::Seq;
use crate::journal::HashAlgorithm;
use serde::{Deserialize, Serialize};
use vocabulary::{DonationRegistration, DonorId, RegistrationPart};

/// Registrations of one donation that are named as not taken; the first ones are.
const UNTAKEN_MAX: usize = 20;
/// Different registrations of one donation of which people may say which stands. Where there are more, nobody does.
const TOLD_MAX: usize = 20;
/// People whose words on the registrations of one donation are kept.
const WORDS_MAX: usize = 20;
/// Persons who have to name the same registration.
const SETTLING_PERSONS: usize = 2;

/// The registration of a donation that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The entry that it was taken from.
    pub seq: Seq,
    /// What stands.
    pub registration: DonationRegistration,
    /// Later registrations that say another thing, or hold less: of those nothing was taken but what holds more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untaken: Vec<Untaken>,
    /// Everything that it was registered as, oldest first, from the first that was not taken on; nothing before that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
    /// Registrations beyond those that are told: while there are any, nobody says which stands.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub untold: u32,
    /// Who says which of them stands: of each person the last word, and none that was said before another registration came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<RegistrationWord>,
}

/// A registration that did not take the place of the one that stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untaken {
    /// Its entry.
    pub entry: Seq,
    /// In what it differs.
    pub parts: Vec<RegistrationPart>,
}

/// One thing that a donation was registered as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Its entry.
    pub entry: Seq,
    /// The entry that said so again after people had said that another one stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Seq>,
    /// What it says.
    pub registration: DonationRegistration,
}

/// One person's word on which registration of a donation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationWord {
    /// The entry whose registration stands.
    pub stands: Seq,
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// What was found out.
    pub reason: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Registered {
    /// What stands after `later` came in the entry `seq`; whether it was taken.
    pub(crate) fn after(known: Option<Self>, later: &DonationRegistration, seq: Seq) -> (Self, bool) {
        let Some(mut known) = known else { return (Self::only((seq, later.clone())), true) };
        let parts = known.registration.eased_by(later);
        let is_taken = parts.is_empty();
        if is_taken && known.told.is_empty() {
            return (Self { seq, registration: later.clone(), ..known }, true);
        }
        known.came(later, (seq, parts));
        (known, is_taken)
    }

    fn only((seq, registration): (Seq, DonationRegistration)) -> Self {
        let (untaken, told, words) = (Vec::new(), Vec::new(), Vec::new());
        Self { seq, registration, untaken, told, untold: 0, words }
    }

    /// What people said stands while a registration only holds more than the one that they named. One that says another
    /// thing takes their words away, and so does any that they had not seen while they were not two.
    fn came(&mut self, later: &DonationRegistration, (seq, parts): (Seq, Vec<RegistrationPart>)) {
        if self.told.is_empty() {
            self.told.push(Told { entry: self.seq, again: None, registration: self.registration.clone() });
        }
        let was_settled = self.settled().is_some();
        let contradicts = !parts.iter().copied().all(RegistrationPart::is_kept_graver);
        let lapses = was_settled && contradicts;
        let is_new = self.tell(seq, later, lapses);
        if lapses || (is_new && !was_settled) {
            self.words.clear();
        }
        if !parts.is_empty() && self.untaken.len() < UNTAKEN_MAX {
            self.untaken.push(Untaken { entry: seq, parts });
        }
        self.stand();
        if self.untold > 0 {
            self.registration = self.registration.graver_of(later);
        }
    }

    /// Keeps what was told; whether it is new.
    fn tell(&mut self, seq: Seq, later: &DonationRegistration, lapses: bool) -> bool {
        if let Some(known) = self.told.iter_mut().find(|told| told.registration == *later) {
            known.again = if lapses { Some(seq) } else { known.again };
            return false;
        }
        if self.told.len() < TOLD_MAX {
            self.told.push(Told { entry: seq, again: None, registration: later.clone() });
        } else {
            self.untold = self.untold.saturating_add(1);
        }
        true
    }

    /// A person says which registration stands, having seen those that `seen` is the hash of; false when it does not fit, and
    /// nothing is kept. Who has said so of another one takes that back.
    pub(crate) fn say(&mut self, word: RegistrationWord, seen: &str) -> bool {
        let is_told = self.told.iter().any(|told| told.entry == word.stands);
        let others = self.words.iter().filter(|known| known.done.by != word.done.by).count();
        if !is_told || self.untold > 0 || seen != self.seen() || others >= WORDS_MAX {
            return false;
        }
        self.words.retain(|known| known.done.by != word.done.by);
        self.words.push(word);
        self.stand();
        true
    }

    /// Which stands: what two people named, with what else was registered of the same donor and holds more; until then the
    /// first, with whatever any of them holds more.
    fn stand(&mut self) {
        let settled = self.settled();
        let named = settled.and_then(|entry| self.told.iter().find(|told| told.entry == entry));
        let Some(first) = named.or(self.told.first()) else { return };
        let counts = |told: &&Told| {
            let of_donor = told.registration.donor.id == first.registration.donor.id;
            told.entry != first.entry && (of_donor || named.is_none())
        };
        let (mut seq, mut stands) = (first.entry, first.registration.clone());
        for told in self.told.iter().filter(counts) {
            if stands.eased_by(&told.registration).is_empty() {
                (seq, stands) = (told.entry, told.registration.clone());
            } else {
                stands = stands.graver_of(&told.registration);
            }
        }
        (self.seq, self.registration) = (seq, stands);
    }

    /// The entry whose registration stands because two people have named it, and nobody another one.
    #[must_use]
    pub fn settled(&self) -> Option<Seq> {
        let mut named = self.words.iter().map(|word| word.stands);
        let first = named.next()?;
        let agreed = self.words.len() >= SETTLING_PERSONS && named.all(|entry| entry == first);
        (agreed && self.untold == 0).then_some(first)
    }

    /// Registrations that were not taken, and leave open which donation the number stands for; none where that is settled.
    pub fn contradicted(&self) -> impl Iterator<Item = &Untaken> {
        let is_open = self.settled().is_none();
        let leaves_open = |one: &&Untaken| !one.parts.iter().copied().all(RegistrationPart::is_kept_graver);
        self.untaken.iter().filter(move |_| is_open).filter(leaves_open)
    }

    /// Who else it was registered for, each once: whoever of all of them gave it, while that is not settled.
    #[must_use]
    pub fn other_donors(&self) -> Vec<&DonorId> {
        let mut others: Vec<&DonorId> = Vec::new();
        if self.settled().is_some() {
            return others;
        }
        for donor in self.told.iter().map(|told| &told.registration.donor.id) {
            if *donor != self.registration.donor.id && !others.contains(&donor) {
                others.push(donor);
            }
        }
        others
    }

    /// SHA-256 of which entries registered it, as who says which stands has to have seen them. An entry never changes.
    #[must_use]
    pub fn seen(&self) -> String {
        let mut lines = format!("{}\n", self.registration.donation);
        for told in &self.told {
            let again = told.again.map_or_else(String::new, |again| again.to_string());
            lines.extend([told.entry.to_string().as_str(), " ", &again, "\n"]);
        }
        lines.extend(["+", &self.untold.to_string(), "\n"]);
        HashAlgorithm::Sha256.of(&[lines.as_bytes()]).to_string()
    }
}
