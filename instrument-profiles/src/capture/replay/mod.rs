//! Plays a capture through the real link machines: what comes out are messages, and what we say has to be what the
//! capture has us say, byte for byte, answers to questions and orders included.

mod lis01;
mod mllp;
mod pk_blocks;
mod unframed;
mod worklist;

use super::dialogue::{Dialogue, Speaker, Turn};
use crate::{link::LinkSettings, profile::Profile};
use std::{collections::BTreeSet, time::Instant};
use vocabulary::notation;
use worklist::Worklist;

/// What came of a capture.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// The analyser's messages.
    pub(super) messages: Vec<Vec<u8>>,
    /// Parts of the profile that what we said made use of.
    pub(super) used: BTreeSet<String>,
}

/// Plays a capture; or everything that is wrong with the dialogue.
pub(super) fn replay(dialogue: &Dialogue, profile: &Profile) -> Result<Played, Vec<String>> {
    let worklist = Worklist::new(dialogue, profile);
    match profile.link() {
        LinkSettings::Lis01(settings) => lis01::Replay::new(settings, worklist).run(dialogue),
        LinkSettings::Mllp(settings) => mllp::Replay::new(settings, worklist).run(dialogue),
        LinkSettings::Unframed(settings) => unframed::replay(dialogue, settings),
        LinkSettings::PkBlocks(settings) => pk_blocks::Replay::new(settings).run(dialogue),
        LinkSettings::Directory(_) => {
            let spoken = |turn: &&Turn| turn.speaker == Speaker::Analyser;
            let bytes = dialogue.turns.iter().filter(spoken).flat_map(|turn| turn.bytes.clone()).collect();
            Ok(Played { messages: vec![bytes], used: BTreeSet::new() })
        }
    }
}

/// Holds what we say against what the capture has us say.
#[derive(Default)]
struct Answers {
    said: Vec<u8>,
    faults: Vec<String>,
    /// A capture without a single answer is a recording of one side only.
    both_sides: bool,
}

impl Answers {
    fn new(dialogue: &Dialogue) -> Self {
        let both_sides = dialogue.turns.iter().any(|turn| turn.speaker == Speaker::Host);
        Self { both_sides, ..Self::default() }
    }

    /// One turn of ours; what we said beyond it has to be the next one.
    fn expect(&mut self, turn: &Turn) {
        let said = std::mem::take(&mut self.said);
        if let Some(more) = said.strip_prefix(turn.bytes.as_slice()) {
            self.said = more.to_vec();
        } else {
            self.faults.push(format!(
                "line {}: the capture answers {}, we answer {}",
                turn.line,
                notation::write(&turn.bytes),
                if said.is_empty() { "nothing".to_owned() } else { notation::write(&said) }
            ));
        }
    }

    fn finish(mut self, played: Played) -> Result<Played, Vec<String>> {
        if self.both_sides && !self.said.is_empty() {
            self.faults.push(format!("the capture does not show our answer {}", notation::write(&self.said)));
        }
        if self.faults.is_empty() { Ok(played) } else { Err(self.faults) }
    }
}

/// Where the clock of a capture begins.
#[expect(
    clippy::disallowed_methods,
    reason = "a capture's times count from any moment; only differences matter"
)]
fn begin() -> Instant {
    Instant::now()
}
