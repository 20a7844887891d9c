//! Check characters: ISO 7064 and the plain ones of labels.

use serde::Deserialize;

/// How a check character is made from the characters before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckAlgorithm {
    /// ISO/IEC 7064 MOD 37-2 over digits and capital letters: a digit, a capital letter or `*`.
    #[serde(rename = "mod-37-2")]
    Mod37Two,
    /// Every second digit from the right doubled, sums of digits, modulo 10.
    Luhn,
    /// Twelve digits with the weights 1 and 3, modulo 10.
    #[serde(rename = "ean-13")]
    Ean13,
    /// The sum of the digits times the weights of the form, modulo 10.
    #[serde(rename = "mod-10")]
    Mod10,
    /// The values of all Codabar characters, start and stop among them, modulo 16.
    #[serde(rename = "codabar-mod-16")]
    CodabarMod16,
}

/// Characters and their values under ISO 7064 MOD 37-2.
const MOD_37: &[u8; 37] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*";
/// Characters and their values in Codabar.
const CODABAR: &[u8; 20] = b"0123456789-$:/.+ABCD";

fn value_in(alphabet: &[u8], c: char) -> Option<usize> {
    alphabet.iter().position(|known| char::from(*known) == c)
}

fn character_of(alphabet: &[u8], value: usize) -> Option<char> {
    alphabet.get(value).copied().map(char::from)
}

impl CheckAlgorithm {
    /// The check character of `text`; nothing when `text` holds a character that the algorithm does not know.
    ///
    /// `weights` are those of [`CheckAlgorithm::Mod10`], from the right and again from their first when they are used up.
    #[must_use]
    pub fn character(self, text: &str, weights: &[u8]) -> Option<char> {
        match self {
            Self::Mod37Two => mod_37_2(text).and_then(|value| character_of(MOD_37, value)),
            Self::Luhn => decimal(luhn(text)?),
            Self::Ean13 if text.len() == 12 => decimal(weighted(text, &[3, 1])?),
            Self::Ean13 => None,
            Self::Mod10 => decimal(weighted(text, weights)?),
            Self::CodabarMod16 => {
                let sum = text.chars().try_fold(0, |sum, c| Some((sum + value_in(CODABAR, c)?) % 16))?;
                character_of(CODABAR, (16 - sum) % 16)
            }
        }
    }
}

/// What makes a sum a multiple of ten.
fn decimal(sum: u32) -> Option<char> {
    char::from_digit((10 - sum % 10) % 10, 10)
}

fn luhn(text: &str) -> Option<u32> {
    text.chars().rev().enumerate().try_fold(0, |sum, (at, c)| {
        let doubled = c.to_digit(10)? * if at % 2 == 0 { 2 } else { 1 };
        Some((sum + doubled / 10 + doubled % 10) % 10)
    })
}

fn weighted(text: &str, weights: &[u8]) -> Option<u32> {
    text.chars()
        .rev()
        .zip(weights.iter().cycle())
        .try_fold(0, |sum, (c, weight)| Some((sum + c.to_digit(10)? * u32::from(*weight)) % 10))
}

fn mod_37_2(text: &str) -> Option<usize> {
    let sum = text.chars().try_fold(0, |sum, c| {
        let value = value_in(MOD_37, c).filter(|_| c != '*')?;
        Some((sum + value) * 2 % 37)
    })?;
    Some((38 - sum) % 37)
}

/// The check value of a DIN, 0–36: its check character, and 60 less than its flags of type 3.
pub(crate) fn din_check_value(din: &str) -> Option<usize> {
    mod_37_2(din)
}

/// The character that is printed in a box behind a DIN and keyed in with it; nothing when `din` holds anything but
/// digits and capital letters.
#[must_use]
pub fn din_check_character(din: &str) -> Option<char> {
    CheckAlgorithm::Mod37Two.character(din, &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(algorithm: CheckAlgorithm, text: &str, expect: Option<char>) {
        assert_eq!(algorithm.character(text, &[1]), expect, "{algorithm:?} {text:?}");
    }

    #[test]
    fn check_characters_are_the_published_ones() {
        check(CheckAlgorithm::Mod37Two, "G123498654321", Some('H'));
        check(CheckAlgorithm::Mod37Two, "G151723600001", Some('X'));
        check(CheckAlgorithm::Mod37Two, "A999914123458", Some('J'));
        check(CheckAlgorithm::Mod37Two, "g123498654321", None);
        check(CheckAlgorithm::Mod37Two, "G1234*", None);
        for (loinc, expect) in [("47364", '5'), ("882", '1'), ("1742", '6')] {
            check(CheckAlgorithm::Luhn, loinc, Some(expect));
        }
        check(CheckAlgorithm::Luhn, "7992739871", Some('3'));
        check(CheckAlgorithm::Luhn, "12A", None);
        check(CheckAlgorithm::Ean13, "400638133393", Some('1'));
        check(CheckAlgorithm::Ean13, "40063813339", None);
        check(CheckAlgorithm::Mod10, "1234", Some('0'));
        check(CheckAlgorithm::Mod10, "1235", Some('9'));
        // 3+1+1+1+7+1+3+7+2+5+4+3+0+A16+B17 … : the example of the Codabar specification, A37859B.
        check(CheckAlgorithm::CodabarMod16, "A37859B", Some('+'));
        check(CheckAlgorithm::CodabarMod16, "A37859X", None);
    }

    #[test]
    fn weights_are_taken_from_the_right() {
        assert_eq!(CheckAlgorithm::Mod10.character("400638133393", &[3, 1]), Some('1'));
        assert_eq!(CheckAlgorithm::Mod10.character("12", &[]), Some('0'), "no weights, no sum");
    }

    #[test]
    fn the_value_of_the_worked_example() {
        assert_eq!(din_check_value("G123498654321"), Some(17));
    }

    proptest! {
        /// MOD 37-2 finds every wrong character and every two neighbours that changed places.
        #[test]
        fn one_wrong_character_and_a_swap_are_always_found(
            din in "[A-NP-Z1-9][0-9]{12}", at in 0_usize..13, other in "[0-9A-Z]",
        ) {
            let check = din_check_character(&din);
            let mut changed = din.clone();
            changed.replace_range(at..=at, &other);
            prop_assert_eq!(changed == din, din_check_character(&changed) == check);
            let mut swapped: Vec<char> = din.chars().collect();
            if at < 12 {
                swapped.swap(at, at + 1);
            }
            let swapped: String = swapped.into_iter().collect();
            prop_assert_eq!(swapped == din, din_check_character(&swapped) == check);
        }
    }
}
