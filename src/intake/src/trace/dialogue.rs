//! A trace as a dialogue, in the language of the catalogue's captures.
//!
//! ```text
//! # hemogate trace of connection arch-1 · maker/model@3f2a… · production
//! clock: 2026-03-02T14:20:00
//! # 00:00.412 connected: 10.0.0.5:4711 (socket 1)
//! 00:00.413 > <ENQ>
//! 00:00.413 < <ACK>
//! 00:00.790 > <VT>MSH|^~\&|Maker<CR>
//!             PID|1<CR><FS><CR>
//! # 00:04.100 closed: the analyser has closed the connection (socket 1)
//! ```
//! Whatever is no bytes is a remark, so that the text can be dropped into a profile's captures as it is. Bytes that a
//! listen-only connection withheld are remarks too: they were never said.

use super::{Excerpt, Traced, TracedEvent, Way};
use jiff::{Timestamp, tz::TimeZone};
use std::fmt::Write;
use vocabulary::notation;

/// What stands above a dialogue.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The connection.
    pub connection: &'a str,
    /// Profile and revision.
    pub profile: &'a str,
    /// Mode.
    pub mode: &'a str,
}

/// A trace as text, and the moment its times count from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialogue {
    /// The text.
    pub text: String,
    /// Milliseconds since the trace began: give it to [`Dialogue::more`] to go on in the same times.
    pub begin_ms: u64,
}

impl Dialogue {
    /// The whole of an excerpt, with its head. Times count from the whole second in which its first event lies.
    #[must_use]
    pub fn new(excerpt: &Excerpt, about: About<'_>) -> Self {
        let About { connection, profile, mode } = about;
        let mut script = Script::default();
        script.line(format_args!("# hemogate trace of connection {connection} · {profile} · {mode}"));
        script
            .line(format_args!("# It holds what an analyser sent of donors. 含献血者检测数据,请妥善保管。"));
        if excerpt.lost_events > 0 {
            let (events, bytes) = (excerpt.lost_events, excerpt.lost_bytes);
            script.line(format_args!(
                "# {events} events and {bytes} bytes before these have fallen out of the trace."
            ));
        }
        let Some(first) = excerpt.events.first() else {
            script.line(format_args!("# Nothing has gone over this line since the daemon started."));
            return Self { text: script.text, begin_ms: 0 };
        };
        let into_second = first.at_ms % 1_000;
        let begin_ms = first.after_ms.saturating_sub(into_second);
        let clock = i64::try_from(first.at_ms - (first.after_ms - begin_ms)).unwrap_or(i64::MAX);
        if let Ok(clock) = Timestamp::from_millisecond(clock) {
            // Answers carry the system's time, so the dialogue does.
            let clock = clock.to_zoned(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S");
            script.line(format_args!("clock: {clock}"));
        }
        script.begin_ms = begin_ms;
        excerpt.events.iter().for_each(|event| script.event(event));
        Self { text: script.text, begin_ms }
    }

    /// What came after, without a head. Times count from `begin_ms`.
    #[must_use]
    pub fn more(excerpt: &Excerpt, begin_ms: u64) -> Self {
        let mut script = Script { begin_ms, ..Script::default() };
        if excerpt.lost_events > 0 {
            script
                .line(format_args!("# {} events have fallen out of the trace unread.", excerpt.lost_events));
        }
        excerpt.events.iter().for_each(|event| script.event(event));
        Self { text: script.text, begin_ms }
    }
}

#[derive(Default)]
struct Script {
    text: String,
    begin_ms: u64,
    /// Whose bytes were written last.
    socket: u64,
}

impl Script {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let written = writeln!(self.text, "{line}");
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }

    fn event(&mut self, event: &TracedEvent) {
        let ms = event.after_ms.saturating_sub(self.begin_ms);
        let at = format!("{:02}:{:02}.{:03}", ms / 60_000, ms / 1_000 % 60, ms % 1_000);
        let socket = event.socket;
        let of = if socket == 0 { String::new() } else { format!(" (socket {socket})") };
        let words = |words: &str| notation::write(words.as_bytes());
        match &event.what {
            Traced::Bytes { way, bytes } => self.bytes(&at, socket, *way, bytes),
            Traced::Connected { peer } => {
                self.line(format_args!("# {at} connected: {}{of}", words(peer)));
                self.socket = socket;
            }
            Traced::Closed { why } => self.line(format_args!("# {at} closed: {}{of}", words(why))),
            Traced::Refused { why } => self.line(format_args!("# {at} refused: {}{of}", words(why))),
            Traced::Anomaly { what } => self.line(format_args!("# {at} anomaly: {}{of}", words(what))),
            Traced::Noted { what } => self.line(format_args!("# {at} {}{of}", words(what))),
        }
    }

    fn bytes(&mut self, at: &str, socket: u64, way: Way, bytes: &[u8]) {
        if socket != self.socket {
            self.line(format_args!("# socket {socket}"));
            self.socket = socket;
        }
        let (head, indent) = match way {
            Way::Received => (format!("{at} > "), "            "),
            Way::Sent => (format!("{at} < "), "            "),
            Way::Withheld => (format!("# {at} not sent, listen-only: "), "#             "),
        };
        for (number, line) in lines(bytes).into_iter().enumerate() {
            let head = if number == 0 { head.as_str() } else { indent };
            self.line(format_args!("{head}{}", notation::write(line)));
        }
    }
}

/// Bytes in lines as people read them: a segment a line, a frame a line.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.windows(2).position(breaks) {
        let (line, after) = rest.split_at(end + 1);
        lines.push(line);
        rest = after;
    }
    lines.push(rest);
    lines
}

/// Whether a line ends between two bytes: behind CR in front of text, behind LF, in front of what begins a block or frame.
fn breaks(pair: &[u8]) -> bool {
    matches!(pair, [b'\r', b' '..=0xFF] | [b'\n', _] | [_, 0x02 | 0x05 | 0x0B])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u64, after_ms: u64, socket: u64, what: Traced) -> TracedEvent {
        TracedEvent { number, at_ms: 1_772_432_400_000 + after_ms, after_ms, socket, what }
    }

    fn bytes(way: Way, bytes: &[u8]) -> Traced {
        Traced::Bytes { way, bytes: bytes.to_vec() }
    }

    const ABOUT: About<'_> = About { connection: "a", profile: "m/m@1", mode: "production" };

    #[test]
    fn a_trace_reads_as_a_capture_with_remarks() {
        let excerpt = Excerpt {
            events: vec![
                event(8, 61_412, 2, Traced::Connected { peer: "10.0.0.5:4711".into() }),
                event(9, 61_413, 2, bytes(Way::Received, b"\x05")),
                event(10, 61_413, 2, bytes(Way::Sent, b"\x06")),
                event(
                    11,
                    62_000,
                    3,
                    bytes(Way::Received, b"\x0bMSH|^~\\&|M\rPID|1\r\x1c\r\x0bMSH|2\r\x1c\r"),
                ),
                event(12, 62_001, 3, bytes(Way::Withheld, b"\x0bMSH\rMSA\r")),
                event(13, 6_100_000, 0, Traced::Anomaly { what: "no\nise\u{1b}".into() }),
                event(14, 6_100_001, 2, Traced::Closed { why: "the analyser went".into() }),
            ],
            lost_events: 7,
            lost_bytes: 900,
            last: 14,
        };
        let dialogue = Dialogue::new(&excerpt, ABOUT);
        assert_eq!(dialogue.begin_ms, 61_000);
        let clock = Timestamp::from_millisecond(1_772_432_461_000).unwrap().to_zoned(TimeZone::system());
        let expect = format!(
            "# hemogate trace of connection a · m/m@1 · production\n\
             # It holds what an analyser sent of donors. 含献血者检测数据,请妥善保管。\n\
             # 7 events and 900 bytes before these have fallen out of the trace.\n\
             clock: {}\n\
             # 00:00.412 connected: 10.0.0.5:4711 (socket 2)\n\
             00:00.413 > <ENQ>\n\
             00:00.413 < <ACK>\n\
             # socket 3\n\
             00:01.000 > <VT>MSH|^~\\&|M<CR>\n            PID|1<CR><FS><CR>\n            <VT>MSH|2<CR><FS><CR>\n\
             # 00:01.001 not sent, listen-only: <VT>MSH<CR>\n#             MSA<CR>\n\
             # 100:39.000 anomaly: no<LF>ise<x1B>\n\
             # 100:39.001 closed: the analyser went (socket 2)\n",
            clock.strftime("%Y-%m-%dT%H:%M:%S"),
        );
        assert_eq!(dialogue.text, expect);
    }

    #[test]
    fn whoever_reads_on_gets_the_same_times_and_is_told_what_was_missed() {
        let events = vec![event(20, 61_500, 2, bytes(Way::Received, b"\x04"))];
        let more = Dialogue::more(&Excerpt { events, lost_events: 3, lost_bytes: 9, last: 20 }, 61_000);
        assert_eq!(
            more.text,
            "# 3 events have fallen out of the trace unread.\n# socket 2\n00:00.500 > <EOT>\n"
        );
    }

    #[test]
    fn an_empty_trace_says_so() {
        assert!(Dialogue::new(&Excerpt::default(), ABOUT).text.contains("Nothing has gone over"));
    }

    #[test]
    fn frames_and_segments_have_lines_of_their_own() {
        for (bytes, expect) in [
            (&b"\x021H|\r\x037A\r\n"[..], &[&b"\x021H|\r\x037A\r\n"[..]][..]),
            (b"\x021H\r\n\x022P\r\n\x04", &[b"\x021H\r\n", b"\x022P\r\n", b"\x04"]),
            (b"A\rB\r", &[b"A\r", b"B\r"]),
            (b"\r\r\r", &[b"\r\r\r"]),
            (b"x", &[b"x"]),
        ] {
            assert_eq!(lines(bytes), expect);
        }
    }
}
