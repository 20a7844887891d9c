//! Codes beside a donation's number on labels: recognised, so that a scan of the wrong one says so.
//!
//! | identifier | structure |
//! |---|---|
//! | `=%` | blood groups: group code (2), phenotype (1), reserved (1) |
//! | `=<` | product: description code (letter + 4), type of donation (1), division (2) |
//! | `=>`, `&>` | expiry: `cyyjjj`, `cyyjjjhhmm` (century, year, day of the year, time) |
//! | `=*`, `&*` | collection, written likewise |
//! | `=\` | special testing |
//! | `=+` | compound message |
//!
//! Only the eight plain ABO and RhD codes are named; every other meaning is in ICCBBA's tables, which a site licenses.

use crate::CheckAlgorithm;
use serde::Serialize;

/// What sort of code it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeKind {
    /// A donation identification number.
    #[serde(rename = "isbt128-din")]
    Din,
    /// Blood groups.
    #[serde(rename = "isbt128-blood-group")]
    BloodGroup,
    /// Product code.
    #[serde(rename = "isbt128-product-code")]
    ProductCode,
    /// Last day of use.
    #[serde(rename = "isbt128-expiry-date")]
    ExpiryDate,
    /// Last day and time of use.
    #[serde(rename = "isbt128-expiry-date-time")]
    ExpiryDateTime,
    /// Day of collection.
    #[serde(rename = "isbt128-collection-date")]
    CollectionDate,
    /// Day and time of collection.
    #[serde(rename = "isbt128-collection-date-time")]
    CollectionDateTime,
    /// Special testing.
    #[serde(rename = "isbt128-special-testing")]
    SpecialTesting,
    /// Several structures in one code.
    #[serde(rename = "isbt128-compound-message")]
    CompoundMessage,
    /// Another structure with an ISBT 128 identifier.
    #[serde(rename = "isbt128-other")]
    OtherIsbt128,
    /// A LOINC code: the name of a test.
    #[serde(rename = "loinc")]
    Loinc,
    /// In a form of the site's own.
    #[serde(rename = "site")]
    Site,
    /// None of these.
    #[serde(rename = "unknown")]
    Unknown,
}

impl CodeKind {
    /// In English, with its article.
    #[must_use]
    pub fn english(self) -> &'static str {
        match self {
            Self::Din => "a donation number",
            Self::BloodGroup => "a blood group code",
            Self::ProductCode => "a product code",
            Self::ExpiryDate | Self::ExpiryDateTime => "an expiry date",
            Self::CollectionDate | Self::CollectionDateTime => "a collection date",
            Self::SpecialTesting => "a special testing code",
            Self::CompoundMessage => "a compound message",
            Self::OtherIsbt128 => "another ISBT 128 code",
            Self::Loinc => "a LOINC test code",
            Self::Site => "a code of the site",
            Self::Unknown => "an unknown code",
        }
    }

    /// In Chinese.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Din => "献血码",
            Self::BloodGroup => "血型码",
            Self::ProductCode => "产品码",
            Self::ExpiryDate | Self::ExpiryDateTime => "失效日期码",
            Self::CollectionDate | Self::CollectionDateTime => "采血日期码",
            Self::SpecialTesting => "特殊检测码",
            Self::CompoundMessage => "复合信息码",
            Self::OtherIsbt128 => "其他 ISBT 128 码",
            Self::Loinc => "LOINC 检验项目码",
            Self::Site => "本站编码",
            Self::Unknown => "未知编码",
        }
    }
}

/// A code that is no donation's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Its sort.
    pub kind: CodeKind,
    /// What follows its identifier.
    pub value: String,
    /// Whether its structure is right.
    pub well_formed: bool,
    /// The date it says, where it says one: `YYYY-MM-DD`, or with `THH:MM`.
    pub date: Option<String>,
    /// The blood group it names, where it is one of the eight plain ones: ABO, RhD.
    pub group: Option<(&'static str, &'static str)>,
    /// Its check character, where it has one.
    pub check: Option<char>,
}

/// Codes of ABO and RhD without further meaning.
const GROUPS: [(&str, &str, &str); 8] = [
    ("51", "O", "positive"),
    ("62", "A", "positive"),
    ("73", "B", "positive"),
    ("84", "AB", "positive"),
    ("95", "O", "negative"),
    ("06", "A", "negative"),
    ("17", "B", "negative"),
    ("28", "AB", "negative"),
];

impl Code {
    /// Recognises a code by its data identifier, or a test's name by its form and check digit; nothing else.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        isbt128(text).or_else(|| loinc(text))
    }

    fn plain(kind: CodeKind, value: &str, well_formed: bool) -> Self {
        Self { kind, value: value.to_owned(), well_formed, date: None, group: None, check: None }
    }
}

fn isbt128(text: &str) -> Option<Code> {
    let mut characters = text.chars();
    let first = characters.next().filter(|c| matches!(c, '=' | '&'))?;
    // What begins with = and a letter or digit has the form of a donation's number.
    let second = characters.next().filter(|c| !c.is_ascii_alphanumeric())?;
    let value = characters.as_str();
    let alphanumeric = value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let printable = !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic());
    Some(match (first, second) {
        ('=', '%') => {
            let mut code = Code::plain(CodeKind::BloodGroup, value, alphanumeric && value.len() == 4);
            code.group = GROUPS
                .iter()
                .find(|(group, ..)| code.well_formed && value.starts_with(group))
                .map(|(_, abo, rhd)| (*abo, *rhd));
            code
        }
        ('=', '<') => {
            let letter = value.starts_with(|c: char| c.is_ascii_uppercase());
            Code::plain(CodeKind::ProductCode, value, letter && alphanumeric && value.len() == 8)
        }
        ('=', '>') => dated(CodeKind::ExpiryDate, value, 6),
        ('&', '>') => dated(CodeKind::ExpiryDateTime, value, 10),
        ('=', '*') => dated(CodeKind::CollectionDate, value, 6),
        ('&', '*') => dated(CodeKind::CollectionDateTime, value, 10),
        ('=', '\\') => Code::plain(CodeKind::SpecialTesting, value, printable),
        ('=', '+') => Code::plain(CodeKind::CompoundMessage, value, printable),
        _ => Code::plain(CodeKind::OtherIsbt128, text, false),
    })
}

fn dated(kind: CodeKind, value: &str, length: usize) -> Code {
    let date = if value.len() == length { date(value) } else { None };
    let mut code = Code::plain(kind, value, date.is_some());
    code.date = date;
    code
}

/// `cyyjjj` or `cyyjjjhhmm`. The century is the third digit of the year: 0 is 2000, 9 is 1900.
fn date(digits: &str) -> Option<String> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
    let year = match number(0, 3)? {
        old @ 900.. => 1000 + old,
        year => 2000 + year,
    };
    let first = jiff::civil::Date::new(year, 1, 1).ok()?;
    let day = number(3, 6).filter(|day| (1..=first.days_in_year()).contains(day))?;
    let date = first.checked_add(jiff::Span::new().days(day - 1)).ok()?;
    let Some(clock) = digits.get(6..10) else { return Some(date.to_string()) };
    let (hour, minute) = (number(6, 8)?, number(8, 10)?);
    let time = jiff::civil::Time::new(hour.try_into().ok()?, minute.try_into().ok()?, 0, 0).ok()?;
    debug_assert_eq!(clock.len(), 4);
    Some(format!("{date}T{}", time.strftime("%H:%M")))
}

fn loinc(text: &str) -> Option<Code> {
    let (number, check) = text.split_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(number) || !digits(check) || number.len() > 7 || check.len() != 1 {
        return None;
    }
    let expect = CheckAlgorithm::Luhn.character(number, &[])?;
    let mut code = Code::plain(CodeKind::Loinc, text, check.chars().eq([expect]));
    code.check = Some(expect);
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<(CodeKind, &str, bool)>) {
        let found = Code::read(text);
        assert_eq!(found.as_ref().map(|c| (c.kind, c.value.as_str(), c.well_formed)), expect, "{text:?}");
    }

    #[test]
    fn structures_are_told_apart_by_their_identifiers() {
        check("=%5100", Some((CodeKind::BloodGroup, "5100", true)));
        check("=%510", Some((CodeKind::BloodGroup, "510", false)));
        check("=<E0791V00", Some((CodeKind::ProductCode, "E0791V00", true)));
        check("=<00791V00", Some((CodeKind::ProductCode, "00791V00", false)));
        check("=>026365", Some((CodeKind::ExpiryDate, "026365", true)));
        check("=>026366", Some((CodeKind::ExpiryDate, "026366", false)));
        check("=>02636", Some((CodeKind::ExpiryDate, "02636", false)));
        check("&>0263652359", Some((CodeKind::ExpiryDateTime, "0263652359", true)));
        check("&>0263652459", Some((CodeKind::ExpiryDateTime, "0263652459", false)));
        check("=*026001", Some((CodeKind::CollectionDate, "026001", true)));
        check("=\\123", Some((CodeKind::SpecialTesting, "123", true)));
        check("=+02001", Some((CodeKind::CompoundMessage, "02001", true)));
        check("=!x", Some((CodeKind::OtherIsbt128, "=!x", false)));
        check("=A9999", None);
        check("HELLO", None);
        check("", None);
        check("=", None);
    }

    #[test]
    fn dates_count_days_of_the_year() {
        let date = |text: &str| Code::read(text).unwrap().date;
        assert_eq!(date("=>026001").as_deref(), Some("2026-01-01"));
        assert_eq!(date("=>024366").as_deref(), Some("2024-12-31"));
        assert_eq!(date("=>999365").as_deref(), Some("1999-12-31"));
        assert_eq!(date("&>0260600730").as_deref(), Some("2026-03-01T07:30"));
        assert_eq!(date("=>026000"), None);
    }

    #[test]
    fn k08_the_plain_groups_have_names() {
        let group = |text: &str| Code::read(text).unwrap().group;
        assert_eq!(group("=%6200"), Some(("A", "positive")));
        assert_eq!(group("=%9500"), Some(("O", "negative")));
        assert_eq!(group("=%2800"), Some(("AB", "negative")));
        assert_eq!(group("=%5500"), None);
    }

    #[test]
    fn k04_loinc_codes_carry_a_check_digit() {
        for (text, well_formed) in [("47364-5", true), ("882-1", true), ("1742-6", true), ("1742-7", false)] {
            check(text, Some((CodeKind::Loinc, text, well_formed)));
        }
        check("12345678-0", None);
        check("882-12", None);
    }
}
