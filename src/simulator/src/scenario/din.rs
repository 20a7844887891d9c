//! Donation numbers shaped like ISBT 128 DINs (protocols.md §6.1), of a facility that does not exist.

use vocabulary::{DonationId, IdentifierError};

/// Facility `A9999`: set aside for examples, assigned to nobody.
const FACILITY: &str = "A9999";

/// Serial numbers have six digits.
pub(crate) const SERIAL_MAX: u32 = 999_999;

/// `αppppyynnnnnn`: facility, two digits of the year, serial number.
pub(crate) fn donation_number(year: i16, serial: u32) -> Result<DonationId, IdentifierError> {
    DonationId::new(&format!("{FACILITY}{:02}{serial:06}", year.rem_euclid(100)))
}

/// The check character that is printed in a box beside a DIN and keyed in with it: ISO 7064 Mod 37-2.
/// `None` when `din` holds anything but digits and capital letters.
#[must_use]
pub fn check_character(din: &str) -> Option<char> {
    let mut sum = 0;
    for c in din.chars() {
        let value = c.to_digit(36).filter(|_| !c.is_ascii_lowercase())?;
        sum = (sum + value) * 2 % 37;
    }
    match (38 - sum) % 37 {
        36 => Some('*'),
        value => char::from_digit(value, 36).map(|c| c.to_ascii_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_character_is_the_published_one() {
        for (din, expect) in
            [("G123498654321", Some('H')), ("G151723600001", Some('X')), ("A999914123458", Some('J'))]
        {
            assert_eq!(check_character(din), expect, "{din}");
        }
        assert_eq!(check_character("g123498654321"), None);
        assert_eq!(check_character("G1234 8654321"), None);
    }

    #[test]
    fn a_number_has_thirteen_characters_and_keeps_its_zeros() {
        assert_eq!(donation_number(2026, 7).unwrap().as_str(), "A999926000007");
        assert_eq!(donation_number(1999, SERIAL_MAX).unwrap().as_str(), "A999999999999");
    }
}
