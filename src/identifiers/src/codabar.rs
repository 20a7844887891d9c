//! Start and stop characters of Codabar, which a reader may or may not send.

/// `A`–`D`, and the letters that older labels call them by.
fn letter(c: char) -> Option<char> {
    Some(match c.to_ascii_uppercase() {
        'A' | 'T' => 'A',
        'B' | 'N' => 'B',
        'C' | '*' => 'C',
        'D' | 'E' => 'D',
        _ => return None,
    })
}

/// A code between a start and a stop character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Between<'t> {
    pub(crate) start: char,
    pub(crate) inner: &'t str,
    pub(crate) stop: char,
}

/// Takes start and stop off; nothing unless both are there.
pub(crate) fn between(text: &str) -> Option<Between<'_>> {
    let mut characters = text.chars();
    let start = characters.next().and_then(letter)?;
    let stop = characters.next_back().and_then(letter)?;
    Some(Between { start, inner: characters.as_str(), stop })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_and_stop_come_off_together_or_not_at_all() {
        let check = |text: &str, expect: Option<(char, &str, char)>| {
            let found = between(text).map(|b| (b.start, b.inner, b.stop));
            assert_eq!(found, expect, "{text}");
        };
        check("A0123456B", Some(('A', "0123456", 'B')));
        check("d0123456D", Some(('D', "0123456", 'D')));
        check("t0*", Some(('A', "0", 'C')));
        check("A0123456", None);
        check("0123456B", None);
        check("A", None);
        check("AB", Some(('A', "", 'B')));
        check("", None);
    }
}
