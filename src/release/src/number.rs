//! Numbers that decide: exact decimals read from strings, never binary floats (R-NUM-01).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, str::FromStr};
use vocabulary::Comparator;

/// Digits that a number of the evidence may have. With a pack's [`LIMIT_DIGITS_MAX`] every product stays
/// inside the 28 digits that a decimal holds, so nothing is ever rounded.
pub(crate) const NUMBER_DIGITS_MAX: u32 = 20;
/// Digits that a limit of a rule pack may have.
pub(crate) const LIMIT_DIGITS_MAX: u32 = 6;

/// Why a text is no number that may decide.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Anything but digits, with at most one point and a sign in front.
    #[error(
        "{0:?} is not a plain decimal number; write it as digits with a point, in a string, as in \"0.105\""
    )]
    NotPlain(String),
    /// More digits than can be computed with exactly.
    #[error("{text:?} has more than {max} digits; give the number as it was measured")]
    TooLong {
        /// The number.
        text: String,
        /// The most it may have.
        max: u32,
    },
    /// A bound where an exact number is needed.
    #[error("{0:?} has a bound before it; an exact number is needed here")]
    Bound(String),
}

/// An exact number: a cut-off, a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Exact(Decimal);

/// A measured number, with the bound the analyser put before it where it could not read further:
/// `>3.000` is a number above 3, and not 3 (rules.md §2.1, well above range).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reading {
    bound: Option<Comparator>,
    number: Decimal,
}

fn digits_fit(number: Decimal, max: u32) -> bool {
    let number = number.normalize();
    number.scale() <= max && number.mantissa().unsigned_abs() < 10_u128.pow(max)
}

fn plain(text: &str, max: u32) -> Result<Decimal, NumberError> {
    let body = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = body.split_once('.').unwrap_or((body, "0"));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return Err(NumberError::NotPlain(text.to_owned()));
    }
    let too_long = || NumberError::TooLong { text: text.to_owned(), max };
    let number = Decimal::from_str_exact(text).map_err(|_| too_long())?;
    if digits_fit(number, max) { Ok(number) } else { Err(too_long()) }
}

impl Exact {
    /// Takes a number that has no more digits than can be computed with exactly (20).
    ///
    /// # Errors
    /// [`NumberError::TooLong`].
    pub fn new(number: Decimal) -> Result<Self, NumberError> {
        if digits_fit(number, NUMBER_DIGITS_MAX) {
            Ok(Self(number))
        } else {
            Err(NumberError::TooLong { text: number.to_string(), max: NUMBER_DIGITS_MAX })
        }
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> Decimal {
        self.0
    }
}

impl Reading {
    /// Takes a measured number and the bound before it.
    ///
    /// # Errors
    /// [`NumberError::TooLong`].
    pub fn new(bound: Option<Comparator>, number: Decimal) -> Result<Self, NumberError> {
        Exact::new(number).map(|n| Self { bound, number: n.0 })
    }

    /// The number behind the bound.
    #[must_use]
    pub fn number(self) -> Decimal {
        self.number
    }

    /// The bound before the number.
    #[must_use]
    pub fn bound(self) -> Option<Comparator> {
        self.bound
    }

    /// Whether the measured value is ≥ `limit`; nothing when the bound leaves it open.
    pub(crate) fn at_least(self, limit: Decimal) -> Option<bool> {
        let order = order(self.number, limit);
        match self.bound {
            None => Some(order != Ordering::Less),
            Some(Comparator::Above | Comparator::AtLeast) => (order != Ordering::Less).then_some(true),
            Some(Comparator::Below) => (order != Ordering::Greater).then_some(false),
            Some(Comparator::AtMost) => (order == Ordering::Less).then_some(false),
        }
    }

    /// Whether the measured value is ≤ `limit`; nothing when the bound leaves it open.
    #[must_use]
    pub fn at_most(self, limit: Decimal) -> Option<bool> {
        let order = order(self.number, limit);
        match self.bound {
            None => Some(order != Ordering::Greater),
            Some(Comparator::Below | Comparator::AtMost) => (order != Ordering::Greater).then_some(true),
            Some(Comparator::Above) => (order != Ordering::Less).then_some(false),
            Some(Comparator::AtLeast) => (order == Ordering::Greater).then_some(false),
        }
    }

    /// The same measurement times a limit of the pack (positive, few digits): exact.
    pub(crate) fn times(self, factor: Limit) -> Self {
        Self { bound: self.bound, number: self.number * factor.number() }
    }
}

/// The order of two numbers, exactly as theirs: as whole numbers of one scale, which is most of what a verdict computes.
fn order(one: Decimal, other: Decimal) -> Ordering {
    let scale = one.scale().max(other.scale());
    let whole = |number: Decimal| {
        let missing = scale - number.scale();
        if missing == 0 {
            return Some(number.mantissa());
        }
        number.mantissa().checked_mul(10_u64.checked_pow(missing)?.into())
    };
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (_, None) | (None, _) => one.cmp(&other),
    }
}

/// A limit of a rule pack: a few digits, so that products with measurements stay exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Limit(Decimal);

impl Limit {
    /// The number.
    #[must_use]
    pub fn number(self) -> Decimal {
        self.0
    }
}

impl FromStr for Limit {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        plain(text, LIMIT_DIGITS_MAX).map(Self)
    }
}

impl FromStr for Exact {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        if text.starts_with(['<', '>']) {
            return Err(NumberError::Bound(text.to_owned()));
        }
        plain(text, NUMBER_DIGITS_MAX).map(Self)
    }
}

impl FromStr for Reading {
    type Err = NumberError;

    /// Reads `0.105`, `-0.01`, `>3.000`, `<=0.10`.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let bounds = [
            ("<=", Comparator::AtMost),
            (">=", Comparator::AtLeast),
            ("<", Comparator::Below),
            (">", Comparator::Above),
        ];
        let found = bounds.iter().find_map(|(sign, bound)| text.strip_prefix(sign).map(|t| (t, *bound)));
        let (body, bound) = found.map_or((text, None), |(t, b)| (t, Some(b)));
        let number = plain(body, NUMBER_DIGITS_MAX).map_err(|error| match error {
            NumberError::NotPlain(_) | NumberError::Bound(_) => NumberError::NotPlain(text.to_owned()),
            NumberError::TooLong { max, .. } => NumberError::TooLong { text: text.to_owned(), max },
        })?;
        Ok(Self { bound, number })
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.bound {
            None => "",
            Some(Comparator::Below) => "<",
            Some(Comparator::AtMost) => "<=",
            Some(Comparator::Above) => ">",
            Some(Comparator::AtLeast) => ">=",
        };
        write!(f, "{sign}{}", self.number)
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = NumberError;
            fn try_from(text: String) -> Result<Self, NumberError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(number: $name) -> String {
                number.to_string()
            }
        }
    )*};
}
as_text!(Exact, Reading, Limit);

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('?');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str) -> Reading {
        text.parse().unwrap()
    }

    #[test]
    fn a_number_of_the_evidence_is_plain_digits_in_a_string() {
        for good in ["0", "0.105", "-0.01", "123.450", ">3.000", "<=0.10", "0.10500000000000001"] {
            assert_eq!(reading(good).to_string(), good);
        }
        for bad in
            ["", ".", "1.", ".5", "1e3", "+1", " 1", "1 ", "1,5", "0x1", "--1", ">", "><1", "1_000", "NaN"]
        {
            assert!(matches!(bad.parse::<Reading>(), Err(NumberError::NotPlain(_))), "{bad:?}");
        }
        assert!(matches!("0.123456789012345678901".parse::<Reading>(), Err(NumberError::TooLong { .. })));
        assert!(matches!("1.0000001".parse::<Limit>(), Err(NumberError::TooLong { .. })));
        assert!(matches!(">1".parse::<Exact>(), Err(NumberError::Bound(_))));
        assert!(serde_json::from_str::<Reading>("0.105").is_err(), "a binary float may not decide");
    }

    proptest::proptest! {
        #[test]
        fn numbers_are_ordered_as_decimals_are(
            one: i64, other: i64, wide: i128, scales in (0..=28_u32, 0..=28_u32), as_wide: bool,
        ) {
            let other = if as_wide { wide >> 33 } else { i128::from(other) };
            let (one, other) =
                (Decimal::from_i128_with_scale(i128::from(one), scales.0), Decimal::from_i128_with_scale(other, scales.1));
            proptest::prop_assert_eq!(order(one, other), one.cmp(&other));
            proptest::prop_assert_eq!(order(one, one.normalize()), Ordering::Equal);
        }
    }

    #[test]
    fn law_08_two_point_one_times_a_twentieth_is_exactly_the_cut_off() {
        assert_eq!((2.1_f64 * 0.050).to_string(), "0.10500000000000001", "the trap this guards against");
        let co = reading("0.050").times("2.1".parse().unwrap()).number();
        assert_eq!(reading("0.105").at_least(co), Some(true));
    }

    #[test]
    fn a_bound_decides_only_where_it_can() {
        let one: Decimal = "1".parse().unwrap();
        for (text, least, most) in [
            (">8", Some(true), Some(false)),
            (">1", Some(true), Some(false)),
            (">=1", Some(true), None),
            (">0.5", None, None),
            ("<1", Some(false), Some(true)),
            ("<=1", None, Some(true)),
            ("<0.5", Some(false), Some(true)),
            ("<2", None, None),
            ("1", Some(true), Some(true)),
            ("1.000", Some(true), Some(true)),
        ] {
            assert_eq!((reading(text).at_least(one), reading(text).at_most(one)), (least, most), "{text}");
        }
    }
}
