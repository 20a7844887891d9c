//! A capture's text: who sent which bytes when.
//!
//! ```text
//! # one specimen, four tests                       a remark
//! clock: 2026-03-02T14:20:00                       when it begins, for answers that carry the time
//! 00:00.000 > <ENQ>                                the analyser sends
//! 00:00.012 < <ACK>                                we answer
//! 00:00.030 > <STX>1H|\^&|||MODEL<CR><ETX>7A<CR><LF>
//! 00:01.200 > <VT>MSH|^~\&|Maker<CR>
//!             PID|1<CR><FS><CR>                    indented: the same bytes go on
//! ```
//! order: { id = "O1", specimen = "G123426000001", assays = […] }              on the worklist from the beginning
//! 00:05.000 ! place O1                             sent without having been asked for; `cancel O1`; `fails`: the next
//!                                                  question cannot be looked up; `refuse L1 204 no order L1`: an order
//!                                                  that comes in is not taken
//! A line break in the capture is no byte; bytes are written as [`vocabulary::notation`] has it. Minutes go on past 59
//! and past 99: a trace of a running line may be long.

use std::ops::RangeInclusive;
use vocabulary::notation;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    Analyser,
    Host,
    /// Whoever keeps the orders: something is to be sent.
    Desk,
}

/// Bytes sent at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) line: usize,
    pub(super) at_ms: u64,
    pub(super) speaker: Speaker,
    pub(super) bytes: Vec<u8>,
}

/// A whole capture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Dialogue {
    pub(super) clock: Option<jiff::civil::DateTime>,
    pub(super) orders: Vec<vocabulary::Order>,
    pub(super) turns: Vec<Turn>,
}

/// One `order:` line.
#[derive(serde::Deserialize)]
struct OrderLine {
    order: vocabulary::Order,
}

impl Dialogue {
    /// Reads a capture. Errors name the line.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut dialogue = Self::default();
        for (number, line) in text.lines().enumerate().map(|(n, line)| (n + 1, line)) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            dialogue.line(number, line).map_err(|what| format!("line {number}: {what}"))?;
        }
        if dialogue.turns.is_empty() {
            return Err("the capture holds no bytes".to_owned());
        }
        Ok(dialogue)
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if line.starts_with([' ', '\t']) {
            let turn = self.turns.last_mut().ok_or("an indented line with nothing to go on from")?;
            return bytes_of(line.trim_start(), &mut turn.bytes);
        }
        if let Some(clock) = line.strip_prefix("clock:") {
            let clock = clock.trim().parse().map_err(|_| "the clock is not YYYY-MM-DDTHH:MM:SS")?;
            self.clock = Some(clock);
            return Ok(());
        }
        if let Some(order) = line.strip_prefix("order:") {
            let order = toml::from_str::<OrderLine>(&format!("order = {}", order.trim()));
            self.orders
                .push(order.map_err(|error| format!("no order: {}", error.message()))?.order.in_order());
            return Ok(());
        }
        let mut words = line.splitn(3, ' ');
        let at_ms = words.next().and_then(milliseconds).ok_or("no time MM:SS.mmm at the beginning")?;
        let speaker = match words.next() {
            Some(">") => Speaker::Analyser,
            Some("<") => Speaker::Host,
            Some("!") => Speaker::Desk,
            Some(_) | None => return Err("no >, < or ! after the time".to_owned()),
        };
        if self.turns.last().is_some_and(|last| last.at_ms > at_ms) {
            return Err("time runs backwards".to_owned());
        }
        let mut bytes = Vec::new();
        bytes_of(words.next().unwrap_or(""), &mut bytes)?;
        self.turns.push(Turn { line: number, at_ms, speaker, bytes });
        Ok(())
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    let (minutes, rest) = text.split_once(':')?;
    let (seconds, thousandths) = rest.split_once('.')?;
    let number = |text: &str, digits: RangeInclusive<usize>| -> Option<u64> {
        text.parse()
            .ok()
            .filter(|_| digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (minutes, seconds) =
        (number(minutes, 2..=6)?, number(seconds, 2..=2).filter(|seconds| *seconds < 60)?);
    Some((minutes * 60 + seconds) * 1_000 + number(thousandths, 3..=3)?)
}

fn bytes_of(text: &str, bytes: &mut Vec<u8>) -> Result<(), String> {
    bytes.extend(notation::read(text));
    if bytes.is_empty() { Err("nothing is sent".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_dialogue_is_read_with_times_directions_and_bytes() {
        let text = "# remark\nclock: 2026-03-02T14:20:00\n00:00.000 > <ENQ>\n01:02.003 < <ACK>\n\
                    102:02.004 > <STX>a<20 <LT>CR><CR>\n  b<xE9><FS>\n";
        let dialogue = Dialogue::read(text).unwrap();
        assert_eq!(dialogue.clock.unwrap().to_string(), "2026-03-02T14:20:00");
        let turns: Vec<(u64, Speaker, &[u8])> =
            dialogue.turns.iter().map(|turn| (turn.at_ms, turn.speaker, turn.bytes.as_slice())).collect();
        assert_eq!(
            turns,
            [
                (0, Speaker::Analyser, &b"\x05"[..]),
                (62_003, Speaker::Host, b"\x06"),
                (6_122_004, Speaker::Analyser, b"\x02a<20 <CR>\rb\xE9\x1C"),
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_names_its_line() {
        for (text, expect) in [
            ("00:00.000 > <ENQ>\n0:00.000 > x", "line 2: no time"),
            ("00:61.000 > x", "line 1: no time"),
            ("1234567:00.000 > x", "line 1: no time"),
            ("00:00.000 x", "line 1: no >, < or !"),
            ("order: { id = 'O1' }", "line 1: no order: missing field `specimen`"),
            ("00:00.000 > ", "line 1: nothing is sent"),
            ("  x", "line 1: an indented line"),
            ("00:02.000 > x\n00:01.000 > x", "line 2: time runs backwards"),
            ("clock: noon", "line 1: the clock"),
            ("# only a remark", "no bytes"),
        ] {
            let error = Dialogue::read(text).unwrap_err();
            assert!(error.contains(expect), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,60}") {
            let _unread = Dialogue::read(&text);
        }
    }
}
