//! What intake writes of a message: frames and the message in them, a block, or a file.

use super::street::{EXPIRED, Place, UNACCEPTED};
use ledger::{Body, Draft, HowEnded, Terms, What};
use sha2::{Digest, Sha256};
use simulator::year::{Letter, LotFault, replaced};
use std::borrow::Cow;
use vocabulary::{LotRole, Mode, Protocol};

/// Letters of one analyser that come in one transfer.
pub(super) struct Transfer<'a> {
    pub(super) place: &'a Place,
    pub(super) number: u64,
}

impl Transfer<'_> {
    /// The groups of some letters, in order: what is written before one answer is one group.
    pub(super) fn groups(&self, letters: &[&Letter]) -> Vec<Vec<Draft>> {
        match self.place.profile.protocol() {
            Protocol::Lis02 => self.frames(letters),
            Protocol::Hl7v2 | Protocol::PkBlocks => letters.iter().map(|l| vec![self.block(l)]).collect(),
            Protocol::Delimited => letters.iter().map(|l| self.file(l).to_vec()).collect(),
        }
    }

    fn draft(&self, what: What) -> Draft {
        Draft::by_connection(&self.place.connection, what)
    }

    fn received(&self, body: Body) -> Draft {
        self.draft(What::MessageReceived {
            connection: self.place.connection.clone(),
            mode: Mode::Production,
            profile: self.place.profile.reference().clone(),
            protocol: self.place.profile.protocol(),
            body,
        })
    }

    /// A message is one long frame, as LIS01-A2 §8.3 lets a sender do; one that breaks off is never one.
    fn frames(&self, letters: &[&Letter]) -> Vec<Vec<Draft>> {
        let mut groups = Vec::with_capacity(letters.len() + 1);
        let mut from = 0_u32;
        let mut how = HowEnded::Eot;
        for (nth, letter) in (1_u8..).zip(letters) {
            let bytes = self.bytes(letter);
            let sent: &[u8] = if letter.breaks_off { half(&bytes) } else { &bytes };
            let terms = Terms { mode: Mode::Production, profile: self.place.profile.reference().clone() };
            let mut group = vec![self.draft(What::FrameReceived {
                connection: self.place.connection.clone(),
                transfer: self.number,
                number: Some(nth % 8),
                end: !letter.breaks_off,
                text: sent.into(),
                terms: (nth == 1).then_some(terms),
            })];
            let to = from.saturating_add(u32::try_from(sent.len()).unwrap_or(u32::MAX));
            if letter.breaks_off {
                how = HowEnded::Disconnected;
            } else {
                group.push(self.received(Body::Frames { transfer: self.number, from, to }));
            }
            groups.push(group);
            from = to;
        }
        let connection = self.place.connection.clone();
        groups.push(vec![self.draft(What::TransferEnded { connection, transfer: self.number, how })]);
        groups
    }

    /// A block that breaks off is no block: the link says so.
    fn block(&self, letter: &Letter) -> Draft {
        if letter.breaks_off {
            let what = "the line was closed inside a block; its bytes were not kept".to_owned();
            return self.draft(What::LinkNoted { connection: self.place.connection.clone(), what });
        }
        self.received(Body::Whole(self.bytes(letter).into_owned().into()))
    }

    fn file(&self, letter: &Letter) -> [Draft; 2] {
        let bytes = self.bytes(letter).into_owned();
        let taken = What::FileTaken {
            connection: self.place.connection.clone(),
            name: letter.file_name.clone().unwrap_or_default(),
            sha256: hex(&Sha256::digest(&bytes)),
            bytes: bytes.len() as u64,
        };
        [self.draft(taken), self.received(Body::Whole(bytes.into()))]
    }

    /// The letter's bytes; where its run was made with a lot that is not to be used, they name that.
    fn bytes<'l>(&self, letter: &'l Letter) -> Cow<'l, [u8]> {
        let Some(fault) = letter.lot else { return Cow::Borrowed(&letter.bytes) };
        let other = match fault {
            LotFault::Expired => EXPIRED,
            LotFault::Unaccepted => UNACCEPTED,
        };
        let read = self.place.profile.interpret(&letter.bytes);
        let mut lots: Vec<String> = read
            .observations
            .into_iter()
            .flat_map(|o| o.lots)
            .filter(|lot| lot.role == LotRole::Reagent)
            .map(|lot| lot.lot)
            .collect();
        lots.sort_unstable();
        lots.dedup();
        let exchange = |bytes: Vec<u8>, lot: String| replaced(&bytes, lot.as_bytes(), other.as_bytes());
        Cow::Owned(lots.into_iter().fold(letter.bytes.clone(), exchange))
    }
}

fn half(bytes: &[u8]) -> &[u8] {
    bytes.get(..bytes.len() / 2).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |text, byte| text + &format!("{byte:02x}"))
}
