//! The code of a component's label: what it is, and its division, within its donation.

use crate::{Code, CodeKind, OtherCode, other_code::no};

/// Characters of a component's code.
const CHARS_MAX: usize = 40;

/// Reads the code of a component: an ISBT 128 product code with its identifier or without it, division included, or a code
/// of the site's own as it stands. Codes are never put into another case: in ISBT 128 they differ by it.
///
/// # Errors
/// [`OtherCode`]: another code of the label was scanned, or one that is broken.
pub fn product_code(scan: &str) -> Result<String, OtherCode> {
    let text = scan.trim();
    if !(1..=CHARS_MAX).contains(&text.chars().count())
        || text.chars().any(|c| c.is_control() || c.is_whitespace())
    {
        return Err(no(
            format!("a component's code has 1 to {CHARS_MAX} characters and no blank"),
            format!("产品码为 1 至 {CHARS_MAX} 个字符，不含空格"),
        ));
    }
    if !text.starts_with(['=', '&']) {
        let wrong_case = is_like_isbt128(text) && !is_isbt128(text);
        return if wrong_case { Err(broken(text)) } else { Ok(text.to_owned()) };
    }
    match Code::read(text) {
        Some(code) if code.kind == CodeKind::ProductCode => {
            if is_isbt128(&code.value) {
                Ok(code.value)
            } else {
                Err(broken(text))
            }
        }
        Some(code) => Err(no(
            format!(
                "{text:?} is {}, not a product code; scan the code of the component",
                code.kind.english()
            ),
            format!("{text:?} 是{}，不是产品码；请扫描该成分的产品码", code.kind.chinese()),
        )),
        None => Err(no(
            format!(
                "{text:?} has the form of a donation number, not of a product code; scan the code of the component"
            ),
            format!("{text:?} 是献血码的形式，不是产品码；请扫描该成分的产品码"),
        )),
    }
}

fn broken(text: &str) -> OtherCode {
    no(
        format!(
            "{text:?} is no whole ISBT 128 product code: a capital letter, four digits, the type of donation, the division (E0791V00)"
        ),
        format!("{text:?} 不是完整的 ISBT 128 产品码：一个大写字母、四位数字、献血类型、分份码（E0791V00）"),
    )
}

/// A capital letter, four digits, the type of donation, and the division: a capital letter or 0, then a small one or 0.
fn is_isbt128(text: &str) -> bool {
    let [letter, d1, d2, d3, d4, kind, first, second] = text.as_bytes() else { return false };
    letter.is_ascii_uppercase()
        && [d1, d2, d3, d4].iter().all(|b| b.is_ascii_digit())
        && kind.is_ascii_alphanumeric()
        && (first.is_ascii_uppercase() || *first == b'0')
        && (second.is_ascii_lowercase() || *second == b'0')
}

/// It would be one if nobody looked at the case of its letters.
fn is_like_isbt128(text: &str) -> bool {
    let [letter, d1, d2, d3, d4, rest @ ..] = text.as_bytes() else { return false };
    letter.is_ascii_alphabetic()
        && [d1, d2, d3, d4].iter().all(|b| b.is_ascii_digit())
        && rest.len() == 3
        && rest.iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_one_with_its_identifier_or_without_and_another_code_is_refused_by_name() {
        for (scan, expect) in [
            ("=<E0791V00", Ok("E0791V00")),
            (" E0791V00 ", Ok("E0791V00")),
            // Divided twice; the type of donation may be a small letter.
            ("=<E0791dAb", Ok("E0791dAb")),
            ("RBC-1", Ok("RBC-1")),
            ("e0791v00", Err("E0791V00")),
            ("=<E0791VaB", Err("E0791V00")),
            ("=<E0791V0", Err("E0791V00")),
            ("=%5100", Err("a blood group code")),
            ("=G12342600000100", Err("a donation number")),
            ("RBC 1", Err("no blank")),
            ("", Err("1 to 40")),
        ] {
            match (product_code(scan), expect) {
                (Ok(read), Ok(expect)) => assert_eq!(read, expect, "{scan}"),
                (Err(why), Err(part)) => {
                    assert!(why.what.contains(part) && why.what_zh.contains('码'), "{scan}: {why:?}");
                }
                (read, expect) => panic!("{scan}: {read:?}, not {expect:?}"),
            }
        }
    }
}
