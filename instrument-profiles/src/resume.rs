//! Messages that go on where a broken transmission stopped, in the protocols that know such a thing.

use crate::Profile;
use lis02::Resumption;
use vocabulary::Protocol;

/// What a message is to a half transmission that came right before it on the same line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resumed {
    /// Nothing shows that they have to do with one another.
    Unrelated,
    /// It is the half's rest, or the half again.
    With {
        /// Both as one message. When all of it came again this is the later message.
        text: Vec<u8>,
        /// How many records of the half are in it that did not come again.
        saved: usize,
    },
    /// It may be its rest and is not to be read with it; why that is not certain.
    Uncertain(String),
}

impl Profile {
    /// Whether the whole message `later` is the rest of `half` (LIS02-A2 §4.2). Other protocols send everything again: there
    /// it is, where it begins with all that `half` has.
    #[must_use]
    pub fn resumed(&self, half: &[u8], later: &[u8]) -> Resumed {
        self.by(half, later, lis02::resume)
    }

    /// As [`Profile::resumed`], when `later` was broken off too.
    #[must_use]
    pub fn resumed_broken(&self, half: &[u8], later: &[u8]) -> Resumed {
        self.by(half, later, lis02::resume_broken)
    }

    fn by(&self, half: &[u8], later: &[u8], resume: fn(&str, &str) -> Resumption) -> Resumed {
        match self.protocol() {
            Protocol::Hl7v2 | Protocol::PkBlocks | Protocol::Delimited => {
                if !half.is_empty() && later.starts_with(half) {
                    Resumed::With { text: later.to_vec(), saved: 0 }
                } else {
                    Resumed::Unrelated
                }
            }
            Protocol::Lis02 => match resume(&letters(half), &letters(later)) {
                Resumption::Unrelated => Resumed::Unrelated,
                Resumption::Resumed { text, saved } => Resumed::With { text: bytes(&text), saved },
                Resumption::Uncertain(doubt) => Resumed::Uncertain(doubt.to_string()),
            },
        }
    }
}

/// The text of a half transmission's frames, each with whether it is an end frame: joined as those of a message are.
#[must_use]
pub fn joined_frames(frames: &[(Vec<u8>, bool)]) -> Vec<u8> {
    let mut joined = Vec::new();
    for (text, ends_record) in frames {
        lis02::join_frame(&mut joined, text, *ends_record);
    }
    joined
}

/// Records are compared, not read: one letter for each byte keeps them whatever they are written in, and half a
/// character at the end of a half does no harm.
fn letters(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn bytes(letters: &str) -> Vec<u8> {
    letters.chars().filter_map(|letter| u8::try_from(letter).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_is_written_in_stays_as_it_is() {
        let any: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(bytes(&letters(&any)), any);
    }
}
