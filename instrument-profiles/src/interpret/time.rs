//! Times as analysers print them.

use crate::profile::rules::TimeForm;
use jiff::{civil, fmt::strtime};

impl TimeForm {
    /// A moment in RFC 3339 where the text names an offset, else as civil time: `2026-03-01T15:04:05`.
    pub(crate) fn read(&self, text: &str) -> Option<String> {
        let text = text.trim_matches(' ');
        match self {
            Self::Packed => packed(text),
            Self::Written(form) => {
                let broken = strtime::parse(form, text).ok()?;
                let civil = broken.to_datetime().ok()?;
                Some(match broken.offset() {
                    Some(offset) => with_offset(civil, &offset.to_string()),
                    None => civil.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                })
            }
        }
    }
}

/// `YYYYMMDD[HHMM[SS[.s…]]][±HHMM]`: HL7's TS and LIS02's date-times.
fn packed(text: &str) -> Option<String> {
    let (moment, offset) = match text.find(['+', '-']) {
        None => (text, None),
        Some(at) => text.split_at_checked(at).map(|(moment, offset)| (moment, Some(offset)))?,
    };
    let moment = moment.split_once('.').map_or(moment, |(whole, _)| whole);
    if !moment.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let form = match moment.len() {
        8 => return packed_date(moment).filter(|_| offset.is_none()).map(|date| date.to_string()),
        12 => "%Y%m%d%H%M",
        14 => "%Y%m%d%H%M%S",
        _ => return None,
    };
    let civil = civil::DateTime::strptime(form, moment).ok()?;
    Some(match offset {
        None => civil.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        Some(offset) => with_offset(civil, &packed_offset(offset)?),
    })
}

fn packed_offset(text: &str) -> Option<String> {
    let digits =
        text.get(1..).filter(|digits| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()))?;
    let (hours, minutes) = digits.split_at_checked(2)?;
    let inside = hours.parse::<u8>().ok()? <= 14 && minutes.parse::<u8>().ok()? < 60;
    inside.then(|| format!("{}{hours}:{minutes}", text.get(..1).unwrap_or("+")))
}

fn with_offset(civil: civil::DateTime, offset: &str) -> String {
    let offset = if offset.len() == 3 { format!("{offset}:00") } else { offset.to_owned() };
    format!("{}{offset}", civil.strftime("%Y-%m-%dT%H:%M:%S"))
}

/// A last day of use: `YYYYMMDD`, `YYYY-MM-DD`, `YYYY/MM/DD`, or a full time whose day counts.
pub(crate) fn expiry(text: &str, times: &TimeForm) -> Option<civil::Date> {
    let text = text.trim_matches(' ');
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | '/')).collect();
    if let Some(date) = packed_date(&digits).filter(|_| matches!(text.len(), 8 | 10)) {
        return Some(date);
    }
    let moment = times.read(text).or_else(|| packed(text))?;
    moment.get(..10)?.parse().ok()
}

/// A day in a form of its own.
pub(crate) fn day(text: &str, form: &TimeForm) -> Option<civil::Date> {
    match form {
        TimeForm::Packed => expiry(text, form),
        TimeForm::Written(form) => civil::Date::strptime(form, text.trim_matches(' ')).ok(),
    }
}

fn packed_date(digits: &str) -> Option<civil::Date> {
    let plain = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    civil::Date::strptime("%Y%m%d", digits).ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn packed_times_are_read_as_they_stand() {
        for (text, expect) in [
            ("20260301150405", Some("2026-03-01T15:04:05")),
            ("202603011504", Some("2026-03-01T15:04:00")),
            ("20260301", Some("2026-03-01")),
            ("20260301150405+0800", Some("2026-03-01T15:04:05+08:00")),
            ("20260301150405.123-0330", Some("2026-03-01T15:04:05-03:30")),
            ("20260230150405", None),
            ("2026030115", None),
            ("20260301250405", None),
            ("20260301150405+08", None),
            ("20260301150405+9900", None),
            ("2026-03-01", None),
            ("", None),
            ("today", None),
        ] {
            assert_eq!(TimeForm::Packed.read(text).as_deref(), expect, "{text:?}");
        }
    }

    #[test]
    fn a_written_form_is_read_as_the_profile_says() {
        let form = TimeForm::Written("%Y-%m-%d %H:%M:%S".into());
        assert_eq!(form.read("2026-03-01 15:04:05").as_deref(), Some("2026-03-01T15:04:05"));
        assert_eq!(form.read("20260301150405"), None);
        let zoned = TimeForm::Written("%d.%m.%Y %H:%M:%S %z".into());
        assert_eq!(zoned.read("01.03.2026 15:04:05 +0800").as_deref(), Some("2026-03-01T15:04:05+08:00"));
    }

    #[test]
    fn a_last_day_of_use_is_a_day() {
        for (text, expect) in [
            ("20261231", Some("2026-12-31")),
            ("2026-12-31", Some("2026-12-31")),
            ("2026/12/31", Some("2026-12-31")),
            ("20261231235959", Some("2026-12-31")),
            ("20261331", None),
            ("12/2026", None),
            ("", None),
        ] {
            let read = expiry(text, &TimeForm::Packed).map(|date| date.to_string());
            assert_eq!(read.as_deref(), expect, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,24}") {
            let _unread = (TimeForm::Packed.read(&text), expiry(&text, &TimeForm::Packed));
        }
    }
}
