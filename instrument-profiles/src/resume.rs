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

    /// Whether a half transmission has nothing but what any message may begin with, so that nothing can be known as its rest.
    #[must_use]
    pub fn says_nothing(&self, half: &[u8]) -> bool {
        match self.protocol() {
            Protocol::Hl7v2 | Protocol::PkBlocks | Protocol::Delimited => !self.names_itself(half),
            Protocol::Lis02 => lis02::says_nothing(&letters(half)),
        }
    }

    /// Whether the beginning of a message is more than any other may begin with: a whole header segment with its control id.
    /// A block has nothing that tells it from the next.
    fn names_itself(&self, half: &[u8]) -> bool {
        const CONTROL_ID: usize = 9;
        let header = half.split_inclusive(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let (Some(separator), Some(b'\r' | b'\n')) = (header.get(3), header.last()) else { return false };
        let id = header.split(|byte| byte == separator).nth(CONTROL_ID);
        self.protocol() == Protocol::Hl7v2 && id.is_some_and(|id| id.iter().any(u8::is_ascii_graphic))
    }

    fn by(&self, half: &[u8], later: &[u8], resume: fn(&str, &str) -> Resumption) -> Resumed {
        match self.protocol() {
            Protocol::Hl7v2 | Protocol::PkBlocks | Protocol::Delimited => {
                if self.names_itself(half) && later.starts_with(half) {
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
    fn the_beginning_of_an_hl7_message_names_it_with_its_whole_header_only() {
        let catalogue = crate::Catalogue::built_in().unwrap();
        let of = |wanted: Protocol| catalogue.list().find(|profile| profile.protocol() == wanted).unwrap();
        let whole = "MSH|^~\\&|A|B|C|D|1||ORU^R01|17|P|2.5.1\rPID|1\rOBX|1\r";
        for (half, names) in [
            ("MSH|^~\\&|A|", false),
            ("MSH|^~\\&|A|B|C|D|1||ORU^R01|17|P|2.5.1", false),
            ("MSH|^~\\&|A|B|C|D|1||ORU^R01|17|P|2.5.1\r", true),
            ("MSH|^~\\&|A|B|C|D|1||ORU^R01|17|P|2.5.1\rPID", true),
            ("", false),
        ] {
            let found = of(Protocol::Hl7v2).resumed(half.as_bytes(), whole.as_bytes());
            assert_eq!(matches!(found, Resumed::With { saved: 0, .. }), names, "{half:?}");
            let block = of(Protocol::PkBlocks).resumed(half.as_bytes(), whole.as_bytes());
            assert_eq!(block, Resumed::Unrelated);
        }
        let nameless = whole.replace("|17|", "||");
        let found = of(Protocol::Hl7v2).resumed(&nameless.as_bytes()[..45], nameless.as_bytes());
        assert_eq!(found, Resumed::Unrelated);
    }

    #[test]
    fn what_it_is_written_in_stays_as_it_is() {
        let any: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(bytes(&letters(&any)), any);
    }
}
