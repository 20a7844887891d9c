//! Until when a component may be used, as its label or a person says it.

use crate::{Code, CodeKind, OtherCode, other_code::no};
use jiff::civil::{Date, DateTime};

/// The last day or minute of use, by the clock of the place that wrote the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// To the end of this day.
    Day(Date),
    /// To this minute.
    Minute(DateTime),
}

/// Reads an expiry: the ISBT 128 codes `=>` (day) and `&>` (minute), or `2026-04-07` and `2026-04-07T14:00`.
///
/// # Errors
/// [`OtherCode`]: another code of the label was scanned, or it is no day.
pub fn expiry(scan: &str) -> Result<Expiry, OtherCode> {
    let text = scan.trim();
    let code = Code::read(text).filter(|code| code.kind != CodeKind::Loinc);
    let said = match code {
        None => text.to_owned(),
        Some(code) if matches!(code.kind, CodeKind::ExpiryDate | CodeKind::ExpiryDateTime) => {
            code.date.ok_or_else(|| none(text))?
        }
        Some(code) => {
            return Err(no(
                format!("{text:?} is {}, not an expiry date; scan the expiry date", code.kind.english()),
                format!("{text:?} 是{}，不是失效日期码；请扫描失效日期", code.kind.chinese()),
            ));
        }
    };
    // A day that has a time beside it is no day alone, whatever a reader of dates takes it for.
    if said.contains(['T', 't', ' ']) {
        said.parse().map(Expiry::Minute).map_err(|_| none(text))
    } else {
        said.parse().map(Expiry::Day).map_err(|_| none(text))
    }
}

fn none(text: &str) -> OtherCode {
    no(
        format!("{text:?} is no expiry; scan it (=> or &>), or write 2026-04-07 or 2026-04-07T14:00"),
        format!("{text:?} 不是失效日期；请扫描（=> 或 &>），或写作 2026-04-07 或 2026-04-07T14:00"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_day_or_a_minute_scanned_or_typed_and_another_code_is_refused_by_name() {
        for (scan, expect) in [
            ("=>026097", Ok("2026-04-07")),
            (" 2026-04-07 ", Ok("2026-04-07")),
            ("&>0260971400", Ok("2026-04-07T14:00:00")),
            ("2026-04-07T14:00", Ok("2026-04-07T14:00:00")),
            ("2026-04-07 14:00", Ok("2026-04-07T14:00:00")),
            ("=>026366", Err("no expiry")),
            ("&>0260972400", Err("no expiry")),
            ("2026-02-30", Err("no expiry")),
            ("07.04.2026", Err("no expiry")),
            ("", Err("no expiry")),
            ("=*026097", Err("a collection date")),
            ("=<E0791V00", Err("a product code")),
        ] {
            let read = expiry(scan).map(|read| match read {
                Expiry::Day(day) => day.to_string(),
                Expiry::Minute(minute) => minute.to_string(),
            });
            match (read, expect) {
                (Ok(read), Ok(expect)) => assert_eq!(read, expect, "{scan}"),
                (Err(why), Err(part)) => {
                    assert!(why.what.contains(part) && why.what_zh.contains("失效"), "{scan}: {why:?}");
                }
                (read, expect) => panic!("{scan}: {read:?}, not {expect:?}"),
            }
        }
    }
}
