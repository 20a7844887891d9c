//! The hash that chains entries.

use serde::{Deserialize, Serialize};
use sha2::Digest;
use std::fmt;

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

    /// The hash of each of `messages`, in their order. Together SM3 takes a small part of the time.
    pub(crate) fn of_each(self, messages: &[&[u8]]) -> Vec<ChainHash> {
        match self {
            Self::Sm3 => sm3_lanes::hash_each(messages).into_iter().map(ChainHash).collect(),
            Self::Sha256 => messages.iter().map(|message| self.of(&[message])).collect(),
        }
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
    fn the_functions_give_the_standards_own_examples() {
        for (algorithm, expect) in [
            (HashAlgorithm::Sm3, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
            (HashAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            let hash = algorithm.of(&[b"a", b"", b"bc"]);
            assert_eq!(hash.to_string(), expect);
            assert_eq!(ChainHash::try_from(hash.to_string()).unwrap(), hash);
            assert_eq!(algorithm.of_each(&[b"", b"abc"]), [algorithm.of(&[]), hash]);
            assert_eq!(HashAlgorithm::from_number(algorithm.number()), Some(algorithm));
        }
    }
}
