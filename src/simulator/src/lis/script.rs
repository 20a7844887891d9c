//! How a receiving LIS misbehaves, and when.

use crate::fault::{FaultError, When, duration, split_value, split_when};
use std::{str::FromStr, time::Duration};

/// What it does instead of answering AA at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Closes every connection unanswered, and takes none for so long.
    Down(Duration),
    /// Answers this late.
    Slow(Duration),
    /// Keeps the message and never answers.
    Silent,
    /// Answers AE and does not keep the message.
    Error,
    /// Answers AR and does not keep the message.
    Reject,
    /// Answers AA twice.
    Twice,
    /// Keeps the message, and answers with the id of another one.
    WrongId,
    /// Keeps the message, and closes in the middle of its answer.
    CloseMidAnswer,
}

/// One misbehaviour with its place, read from `KIND[=VALUE][@N|/N|%P]`: `down=2s@3`, `slow=500ms/10`, `ae%5`.
/// Messages are counted from 1 as they arrive, repetitions too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub what: Misbehaviour,
    /// With which message.
    pub when: When,
}

/// Why a text names no misbehaviour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// No such thing.
    #[error(
        "{0:?} is no misbehaviour: one of down=DURATION, slow=DURATION, silent, ae, ar, twice, wrong-id, close"
    )]
    Kind(String),
    /// A place that is none.
    #[error(transparent)]
    When(#[from] FaultError),
}

impl FromStr for Act {
    type Err = ActError;

    fn from_str(text: &str) -> Result<Self, ActError> {
        let (kind, when) = split_when(text)?;
        let what = match split_value(kind) {
            ("down", Some(time)) => duration(time).map(Misbehaviour::Down),
            ("slow", Some(time)) => duration(time).map(Misbehaviour::Slow),
            ("silent", None) => Some(Misbehaviour::Silent),
            ("ae", None) => Some(Misbehaviour::Error),
            ("ar", None) => Some(Misbehaviour::Reject),
            ("twice", None) => Some(Misbehaviour::Twice),
            ("wrong-id", None) => Some(Misbehaviour::WrongId),
            ("close", None) => Some(Misbehaviour::CloseMidAnswer),
            _ => None,
        };
        Ok(Self { what: what.ok_or_else(|| ActError::Kind(kind.to_owned()))?, when })
    }
}

/// A LIS's misbehaviour. An empty script is a good LIS.
#[derive(Debug, Clone, Default)]
pub struct Script {
    acts: Vec<Act>,
    seed: u64,
}

impl Script {
    /// These acts, with `seed` for those that come by chance. Of several for one message the first counts.
    #[must_use]
    pub fn new(acts: Vec<Act>, seed: u64) -> Self {
        Self { acts, seed }
    }

    /// What happens with the `nth` message, counted from 1.
    pub(crate) fn act(&self, nth: u32) -> Option<Misbehaviour> {
        self.acts.iter().find(|act| act.when.is(nth, self.seed)).map(|act| act.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_names_what_happens_and_when() {
        let acts = ["down=2s@3", "slow=500ms/2", "ae"].map(|t| t.parse::<Act>().unwrap());
        let script = Script::new(acts.to_vec(), 1);
        assert_eq!(script.act(1), Some(Misbehaviour::Error));
        assert_eq!(script.act(2), Some(Misbehaviour::Slow(Duration::from_millis(500))));
        assert_eq!(script.act(3), Some(Misbehaviour::Down(Duration::from_secs(2))));
        assert_eq!(Script::default().act(1), None);
    }

    #[test]
    fn what_is_no_misbehaviour_is_refused() {
        for text in ["", "down", "down=x", "ae=1", "sulk", "ae@x"] {
            assert!(text.parse::<Act>().is_err(), "{text:?}");
        }
    }
}
