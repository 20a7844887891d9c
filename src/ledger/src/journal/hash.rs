//! The hash that chains entries.

use super::sm3_lanes;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use std::fmt;

/// A body of more than this is hashed by its parts.
pub(crate) const WHOLE_BYTES_MAX: usize = 1024;
/// Parts of a long body.
pub(crate) const PARTS: usize = 8;

/// The hash function of a journal, chosen when it is begun and named in every file's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HashAlgorithm {
    /// SM3 (GB/T 32905), the default.
    #[default]
    Sm3,
    /// SHA-256 (FIPS 180-4).
    Sha256,
}

/// A hash value of either function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "String")]
#[serde(try_from = "String")]
pub struct ChainHash(pub(crate) [u8; 32]);

impl HashAlgorithm {
    /// The hash of `parts`, one after another.
    pub(crate) fn of(self, parts: &[&[u8]]) -> ChainHash {
        fn run<D: Digest>(parts: &[&[u8]]) -> D {
            let mut hasher = D::new();
            for part in parts {
                hasher.update(part);
            }
            hasher
        }
        ChainHash(match self {
            Self::Sm3 => run::<sm3::Sm3>(parts).finalize().into(),
            Self::Sha256 => run::<sha2::Sha256>(parts).finalize().into(),
        })
    }

    /// The hash of an entry's body: H(body), or H(H(part 1) · … · H(part 8)) of a long one. Which of the two it is
    /// follows from the body's length, which is hashed with it (see [`super::format::Stamp::link`]).
    pub(crate) fn of_body(self, body: &[u8]) -> ChainHash {
        if body.len() <= WHOLE_BYTES_MAX {
            return self.of(&[body]);
        }
        let parts = parts(body);
        let hashes = match self {
            Self::Sm3 => sm3_lanes::of_parts(parts),
            Self::Sha256 => parts.map(|part| self.of(&[part]).0),
        };
        self.of(&[hashes.as_flattened()])
    }

    /// Its number in a file header.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Sm3 => 1,
            Self::Sha256 => 2,
        }
    }

    /// The function with this number.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Sm3, Self::Sha256].into_iter().find(|a| a.number() == number)
    }
}

/// Eight parts of ⌈length/8⌉ bytes each, the last one of what is left.
fn parts(body: &[u8]) -> [&[u8]; PARTS] {
    let size = body.len().div_ceil(PARTS);
    let mut rest = body;
    [(); PARTS].map(|()| {
        let (part, behind) = rest.split_at_checked(size).unwrap_or((rest, &[]));
        rest = behind;
        part
    })
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<ChainHash> for String {
    fn from(hash: ChainHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for ChainHash {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let wrong = "a hash is 64 hexadecimal digits";
        let mut out = [0; 32];
        if text.len() != 64 {
            return Err(wrong);
        }
        for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong)?;
        }
        Ok(Self(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_hashed_by_its_eight_parts_and_every_byte_counts() {
        for algorithm in [HashAlgorithm::Sm3, HashAlgorithm::Sha256] {
            for length in [0, 1, 1023, 1024, 1025, 1030, 1032, 5000, 70_001] {
                let mut body: Vec<u8> =
                    (0..length).map(|n: u32| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
                let found = algorithm.of_body(&body);
                let by_parts: Vec<u8> = body
                    .chunks(body.len().div_ceil(8).max(1))
                    .flat_map(|part| algorithm.of(&[part]).0)
                    .collect();
                let expect = if length > 1024 { algorithm.of(&[&by_parts]) } else { algorithm.of(&[&body]) };
                assert_eq!(found, expect, "{algorithm:?}, {length} bytes");
                for at in (0..body.len()).step_by(997).chain(body.len().checked_sub(1)) {
                    body[at] ^= 1;
                    assert_ne!(algorithm.of_body(&body), found, "byte {at} of {length}");
                    body[at] ^= 1;
                }
            }
        }
    }

    #[test]
    fn the_functions_give_the_standards_own_examples() {
        for (algorithm, expect) in [
            (HashAlgorithm::Sm3, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
            (HashAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            let hash = algorithm.of(&[b"a", b"", b"bc"]);
            assert_eq!(hash.to_string(), expect);
            assert_eq!(ChainHash::try_from(hash.to_string()).unwrap(), hash);
            assert_eq!(HashAlgorithm::from_number(algorithm.number()), Some(algorithm));
        }
    }
}
