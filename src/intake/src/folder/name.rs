//! Names of files: which are wanted, which say that they are still being written, and how they are shown.

use std::ffi::OsStr;

/// What a reason beside a parked file ends in; such a file is never taken.
pub(super) const REASON: &str = ".reason";

/// What programs put behind the name of a file that they have not finished.
const PARTIAL: [&str; 7] = [".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download"];

/// Whether a name says that its file is not finished: by its ending, or by a dot or a tilde before it.
pub(super) fn is_partial(name: &str) -> bool {
    let name = name.to_lowercase();
    name.starts_with(['.', '~']) || PARTIAL.iter().any(|ending| name.ends_with(ending))
}

/// A name as people and the ledger see it: what is no UTF-8, and what would move a cursor, is written `\xb0`. Two names
/// that differ are shown differently, but for one that holds such letters itself.
pub(super) fn shown(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() {
                text.extend(letter.escape_default());
            } else {
                text.push(letter);
            }
        }
        for byte in chunk.invalid() {
            text.push_str("\\x");
            text.extend(
                [byte >> 4, byte & 15].iter().filter_map(|half| char::from_digit(u32::from(*half), 16)),
            );
        }
    }
    text
}

/// `*` is any run of characters, `?` any one character.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    // Analysers' computers do not tell PLATE.CSV from plate.csv.
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    let (pattern, name) = (letters(pattern), letters(name));
    // reached[i]: the pattern read so far matches the first i characters of the name.
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for wanted in pattern {
        let mut next = vec![false; reached.len()];
        let mut any = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let before = at.checked_sub(1);
            let reached_before = before.and_then(|b| reached.get(b)).copied().unwrap_or(false);
            any |= reached.get(at).copied().unwrap_or(false);
            *slot = match wanted {
                '*' => any,
                '?' => reached_before,
                letter => reached_before && before.and_then(|b| name.get(b)) == Some(&letter),
            };
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_people_expect() {
        for (pattern, name, expect) in [
            ("*", "", true),
            ("*.csv", "plate.csv", true),
            ("*.csv", "P6.CSV", true),
            ("*.csv", "plate.csv.tmp", false),
            ("P??.txt", "P01.txt", true),
            ("P??.txt", "P1.txt", false),
            ("*a*b", "xaxxb", true),
            ("*a*b", "xbxxa", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, name), expect, "{pattern} {name}");
        }
    }

    #[test]
    fn names_of_files_that_are_being_written_are_known() {
        for name in ["a.csv.part", "a.TMP", ".a.csv.Xy12", "~$a.csv", "a.filepart", "a.crdownload"] {
            assert!(is_partial(name), "{name}");
        }
        for name in ["a.csv", "part.csv", "tmp", "a.tmp.csv", "a~.csv"] {
            assert!(!is_partial(name), "{name}");
        }
    }
    #[test]
    fn names_that_are_no_text_are_shown_byte_by_byte() {
        use std::os::unix::ffi::OsStrExt;
        for (name, expect) in [
            (&b"plate.csv"[..], "plate.csv"),
            ("酶标板.csv".as_bytes(), "酶标板.csv"),
            (b"\xC3\xB8\xB1\xEA.csv", "ø\\xb1\\xea.csv"),
            (b"\xFF\xFE", "\\xff\\xfe"),
            (b"a\nb", "a\\nb"),
        ] {
            assert_eq!(shown(OsStr::from_bytes(name)), expect);
        }
    }
}
