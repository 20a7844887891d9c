//! Numbers as analysers print them, read exactly. What is not wholly a number is none.

use crate::{profile::rules::Numbers, schema::DecimalMark};
use rust_decimal::Decimal;
use vocabulary::Comparator;

/// A number and the bound before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) value: Decimal,
    pub(crate) comparator: Option<Comparator>,
}

impl Number {
    /// Whether it says "more than" or "at least".
    pub(crate) fn is_lower_bound(self) -> bool {
        match self.comparator {
            Some(Comparator::Above | Comparator::AtLeast) => true,
            Some(Comparator::Below | Comparator::AtMost) | None => false,
        }
    }
}

const SIGNS: [(&str, Comparator); 6] = [
    ("<=", Comparator::AtMost),
    (">=", Comparator::AtLeast),
    ("≤", Comparator::AtMost),
    ("≥", Comparator::AtLeast),
    ("<", Comparator::Below),
    (">", Comparator::Above),
];

impl Numbers {
    /// Reads `0.21`, `-1.5`, `>8`, `< 20`, with the profile's decimal mark. Thousands separators, exponents, and
    /// anything before or after are refused: they have been read wrongly before.
    pub(crate) fn read(&self, text: &str) -> Option<Number> {
        let text = text.trim_matches(' ');
        let bound = SIGNS.iter().find_map(|(sign, comparator)| Some((text.strip_prefix(sign)?, *comparator)));
        let (digits, comparator) = match bound {
            Some((rest, comparator)) if self.comparators.contains(&comparator) => {
                (rest.trim_start_matches(' '), Some(comparator))
            }
            Some(_) => return None,
            None => (text, None),
        };
        Some(Number { value: self.decimal_of(digits)?, comparator })
    }

    fn decimal_of(&self, text: &str) -> Option<Decimal> {
        if let Some((mantissa, exponent)) = text.split_once(['E', 'e']).filter(|_| self.scientific) {
            return scaled(self.plain(mantissa)?, exponent);
        }
        self.plain(text)
    }

    fn plain(&self, text: &str) -> Option<Decimal> {
        let mark = match self.decimal {
            DecimalMark::Point => '.',
            DecimalMark::Comma => ',',
        };
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once(mark) {
            None => (unsigned, None),
            Some((whole, fraction)) => (whole, Some(fraction)),
        };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let joined = self.thousands.and_then(|mark| without_groups(whole, mark));
        let whole = joined.as_deref().unwrap_or(whole);
        let fraction_fits = match fraction {
            None => true,
            Some("") => self.trailing_mark,
            Some(fraction) => digits(fraction),
        };
        if !digits(whole) || !fraction_fits {
            return None;
        }
        let sign = if text.starts_with('-') { "-" } else { "" };
        let canonical = match fraction {
            None | Some("") => format!("{sign}{whole}"),
            Some(fraction) => format!("{sign}{whole}.{fraction}"),
        };
        Decimal::from_str_exact(&canonical).ok()
    }
}

/// `161,152` without its marks: one to three digits, then groups of exactly three.
fn without_groups(whole: &str, mark: char) -> Option<String> {
    let mut groups = whole.split(mark);
    let first = groups.next()?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let rest: Vec<&str> = groups.collect();
    let fits = (1..=3).contains(&first.len()) && digits(first) && !rest.is_empty();
    (fits && rest.iter().all(|group| group.len() == 3 && digits(group)))
        .then(|| format!("{first}{}", rest.concat()))
}

/// Powers of ten beyond this are no measurement.
const EXPONENT_MAX: u32 = 12;

/// `1.5` and `+03` → 1500, exactly.
fn scaled(mantissa: Decimal, exponent: &str) -> Option<Decimal> {
    let (negative, digits) = match (exponent.strip_prefix('-'), exponent.strip_prefix('+')) {
        (Some(digits), _) => (true, digits),
        (None, digits) => (false, digits.unwrap_or(exponent)),
    };
    let plain = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let power: u32 = digits.parse().ok().filter(|power| plain && *power <= EXPONENT_MAX)?;
    let ten = Decimal::from(10_u64.checked_pow(power)?);
    let scaled = if negative { mantissa.checked_div(ten)? } else { mantissa.checked_mul(ten)? };
    // A number that does not come back is not the one that was sent.
    let back = if negative { scaled.checked_mul(ten)? } else { scaled.checked_div(ten)? };
    (back == mantissa).then_some(scaled)
}

/// A lower or upper bound that is known to hold, from a number with its comparator.
pub(crate) fn surely_at_least(number: Number, limit: Decimal) -> bool {
    match number.comparator {
        None | Some(Comparator::AtLeast | Comparator::Above) => number.value >= limit,
        Some(Comparator::Below | Comparator::AtMost) => false,
    }
}

/// Whether the number is certainly below `limit`.
pub(crate) fn surely_below(number: Number, limit: Decimal) -> bool {
    match number.comparator {
        None | Some(Comparator::AtMost) => number.value < limit,
        Some(Comparator::Below) => number.value <= limit,
        Some(Comparator::AtLeast | Comparator::Above) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(decimal: DecimalMark, trailing_mark: bool) -> Numbers {
        let comparators = vec![Comparator::Above, Comparator::Below];
        Numbers { decimal, comparators, trailing_mark, thousands: None, scientific: false, none: vec![] }
    }

    fn check(numbers: &Numbers, text: &str, expect: Option<&str>) {
        let shown = numbers.read(text).map(|n| match n.comparator {
            None => n.value.to_string(),
            Some(comparator) => format!("{comparator:?} {}", n.value),
        });
        assert_eq!(shown.as_deref(), expect, "{text:?}");
    }

    #[test]
    fn numbers_are_read_exactly_or_not_at_all() {
        let marked = Numbers { thousands: Some(','), ..numbers(DecimalMark::Point, false) };
        for (text, expect) in [
            ("161,152", Some("161152")),
            ("1,161,152.5", Some("1161152.5")),
            ("732", Some("732")),
            (">10,000", Some("Above 10000")),
            ("16,1152", None),
            ("1611,152", None),
            (",152", None),
            ("1,,152", None),
            ("0.161,152", None),
        ] {
            check(&marked, text, expect);
        }
        let scientific = Numbers { scientific: true, ..numbers(DecimalMark::Point, false) };
        for (text, expect) in [
            ("1.5E+03", Some("1500.0")),
            ("2e2", Some("200")),
            ("<1.00E-2", Some("Below 0.01")),
            ("1.5E", None),
            ("E3", None),
            ("1.5E3.0", None),
            ("1E99", None),
            ("1.5E+-3", None),
        ] {
            check(&scientific, text, expect);
        }
        check(&numbers(DecimalMark::Point, false), "1.5E+03", None);
        let point = numbers(DecimalMark::Point, false);
        for (text, expect) in [
            ("0.210", Some("0.210")),
            ("12", Some("12")),
            ("-0.05", Some("-0.05")),
            ("+1.5", Some("1.5")),
            (" 0.21 ", Some("0.21")),
            (">8", Some("Above 8")),
            ("< 20", Some("Below 20")),
            ("000.10", Some("0.10")),
            ("<=3", None),
            ("", None),
            (" ", None),
            (".5", None),
            ("5.", None),
            ("1,000", None),
            ("1 000", None),
            ("1e3", None),
            ("0x10", None),
            ("NaN", None),
            ("--1", None),
            ("1.2.3", None),
            ("1.2^", None),
            ("１２", None),
            (">", None),
            ("> > 8", None),
            ("99999999999999999999999999999999", None),
        ] {
            check(&point, text, expect);
        }
        let comma = numbers(DecimalMark::Comma, true);
        for (text, expect) in [("4,17", Some("4.17")), ("4.17", None), ("173,", Some("173")), (",", None)] {
            check(&comma, text, expect);
        }
    }

    proptest! {
        #[test]
        fn a_decimal_reads_back_as_printed(units: i64, scale in 0u32..10) {
            let value = Decimal::new(units, scale);
            let read = numbers(DecimalMark::Point, false).read(&value.to_string()).unwrap();
            prop_assert_eq!(read, Number { value, comparator: None });
            prop_assert_eq!(read.value.to_string(), value.to_string());
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,20}") {
            let _unread = numbers(DecimalMark::Point, true).read(&text);
        }
    }
}
