//! Faults on demand: what goes wrong on a line, and with which message.

use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};
use vocabulary::Protocol;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The connection closes in the middle of a frame, block or file.
    Drop,
    /// The connection closes after a whole frame: before the transfer ends, or before a block's answer is read.
    Cut,
    /// One bit of a frame is flipped. LIS01 only: elsewhere nothing would tell, and another message would arrive.
    Flip,
    /// A frame's checksum is another one. LIS01 only.
    Checksum,
    /// Bytes are written so many at a time.
    Split(usize),
    /// What could leave in two writes leaves in one: the end of a transfer with the enquiry for the next, a block
    /// with its own repetition.
    Merge,
    /// The line is silent so long in the middle of a frame, block or file.
    Stall(Duration),
    /// A delivered message is sent again.
    Duplicate,
    /// What the other side says is read byte by byte, with so long a pause before each.
    SlowReader(Duration),
    /// A frame, block or record is begun, and so many bytes follow without an end; then the connection closes.
    EndlessFrame(usize),
    /// The analyser waits for the other side's enquiry and answers it with its own: both want the line. LIS01 only.
    Contention,
    /// The first frame that the other side sends is answered EOT instead of ACK: an interrupt request. LIS01 only.
    Interrupt,
}

/// With which messages it goes wrong. LIS01 counts transfers, MLLP messages, a directory files; each from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// With every one.
    Always,
    /// With this one.
    Nth(NonZeroU32),
    /// With every so many.
    Every(NonZeroU32),
    /// With so many of a hundred, by the seed.
    Percent(u8),
}

/// One fault, read from `KIND[=VALUE][@N|/N|%P]`: `drop@3`, `split=1`, `stall=2s/10`, `flip%5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// With which.
    pub when: When,
}

/// Why a text names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No such fault.
    #[error(
        "{0:?} is no fault: one of drop, cut, flip, checksum, split=BYTES, merge, stall=DURATION, duplicate, \
         slow-reader=DURATION, endless-frame=BYTES, contention, interrupt"
    )]
    Kind(String),
    /// A value that is missing, not wanted, or no number.
    #[error("the fault {kind} needs {needs}, not {value:?}")]
    Value {
        /// The fault.
        kind: String,
        /// What it needs.
        needs: &'static str,
        /// What it was given.
        value: String,
    },
    /// A place that is no number.
    #[error("{0:?} does not say when: @N the Nth message, /N every Nth, %P so many of a hundred")]
    When(String),
    /// A fault that this kind of line cannot have.
    #[error("the fault {fault} does not exist on a {protocol} line: {why}")]
    Line {
        /// The fault.
        fault: Fault,
        /// The line.
        protocol: &'static str,
        /// Why.
        why: &'static str,
    },
}

impl FaultKind {
    fn parse(text: &str) -> Result<Self, FaultError> {
        let (kind, value) = split_value(text);
        let needs = |needs| FaultError::Value {
            kind: kind.to_owned(),
            needs,
            value: value.unwrap_or_default().to_owned(),
        };
        let plain = |fault| if value.is_some() { Err(needs("no value")) } else { Ok(fault) };
        match kind {
            "drop" => plain(Self::Drop),
            "cut" => plain(Self::Cut),
            "flip" => plain(Self::Flip),
            "checksum" => plain(Self::Checksum),
            "merge" => plain(Self::Merge),
            "duplicate" => plain(Self::Duplicate),
            "contention" => plain(Self::Contention),
            "interrupt" => plain(Self::Interrupt),
            "split" | "endless-frame" => {
                let bytes = value.and_then(|v| v.parse::<NonZeroU32>().ok());
                let bytes = bytes.and_then(|b| usize::try_from(b.get()).ok());
                let made = if kind == "split" { Self::Split } else { Self::EndlessFrame };
                bytes.map(made).ok_or_else(|| needs("a number of bytes from 1"))
            }
            "stall" | "slow-reader" => {
                let made = if kind == "stall" { Self::Stall } else { Self::SlowReader };
                value.and_then(duration).map(made).ok_or_else(|| needs("a duration like 500ms or 2s"))
            }
            other => Err(FaultError::Kind(other.to_owned())),
        }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (kind, when) = split_when(text)?;
        Ok(Self { kind: FaultKind::parse(kind)?, when })
    }
}

impl Fault {
    /// Whether a line with `protocol` can have it.
    ///
    /// # Errors
    /// [`FaultError::Line`] with the reason when it cannot.
    pub fn check(self, protocol: Protocol) -> Result<(), FaultError> {
        let (line, why) = match (protocol, self.kind) {
            (Protocol::Hl7v2, FaultKind::Flip | FaultKind::Checksum) => {
                ("hl7v2", "MLLP has no checksum, so that nobody could tell")
            }
            (Protocol::Delimited, FaultKind::Flip | FaultKind::Checksum) => {
                ("delimited", "a file has no checksum, so that nobody could tell")
            }
            (Protocol::Delimited, FaultKind::Split(_) | FaultKind::Merge | FaultKind::Cut) => {
                ("delimited", "a file appears whole or not at all")
            }
            (Protocol::Delimited, FaultKind::SlowReader(_) | FaultKind::EndlessFrame(_)) => {
                ("delimited", "a file is not answered, and has an end")
            }
            (Protocol::Hl7v2, FaultKind::Contention | FaultKind::Interrupt) => {
                ("hl7v2", "over MLLP both sides may send at any time")
            }
            (Protocol::Delimited, FaultKind::Contention | FaultKind::Interrupt) => {
                ("delimited", "nothing is sent to a directory's writer")
            }
            (Protocol::PkBlocks, FaultKind::Contention | FaultKind::Interrupt | FaultKind::SlowReader(_)) => {
                ("pk-blocks", "the analyser never listens")
            }
            (
                Protocol::Lis02 | Protocol::Hl7v2 | Protocol::Delimited | Protocol::PkBlocks,
                FaultKind::Drop
                | FaultKind::Cut
                | FaultKind::Flip
                | FaultKind::Checksum
                | FaultKind::Split(_)
                | FaultKind::Merge
                | FaultKind::Stall(_)
                | FaultKind::Duplicate
                | FaultKind::SlowReader(_)
                | FaultKind::EndlessFrame(_)
                | FaultKind::Contention
                | FaultKind::Interrupt,
            ) => return Ok(()),
        };
        Err(FaultError::Line { fault: self, protocol: line, why })
    }
}

impl When {
    /// Whether it is the `nth` message, counted from 1.
    pub(crate) fn is(self, nth: u32, seed: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Nth(n) => nth == n.get(),
            Self::Every(n) => nth != 0 && nth.is_multiple_of(n.get()),
            Self::Percent(percent) => {
                let mut rng = fastrand::Rng::with_seed(seed.wrapping_add(u64::from(nth).rotate_left(32)));
                rng.u8(0..100) < percent
            }
        }
    }
}

/// What goes wrong with one transmission of one message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Trouble(Vec<FaultKind>);

impl Trouble {
    pub(crate) fn has(&self, kind: FaultKind) -> bool {
        self.0.contains(&kind)
    }

    /// Whether `kind` is to happen; it does not happen again.
    pub(crate) fn take(&mut self, kind: FaultKind) -> bool {
        let has = self.has(kind);
        self.0.retain(|k| *k != kind);
        has
    }

    /// How many bytes leave at a time.
    pub(crate) fn split(&self) -> Option<usize> {
        self.0.iter().find_map(|k| if let FaultKind::Split(bytes) = k { Some(*bytes) } else { None })
    }

    /// How long each byte of an answer is waited with.
    pub(crate) fn slow_reader(&self) -> Option<Duration> {
        self.0.iter().find_map(|k| if let FaultKind::SlowReader(time) = k { Some(*time) } else { None })
    }

    /// How many bytes a frame without an end has; it does not happen again.
    pub(crate) fn take_endless(&mut self) -> Option<usize> {
        let bytes = |k: &FaultKind| if let FaultKind::EndlessFrame(bytes) = k { Some(*bytes) } else { None };
        let endless = self.0.iter().find_map(bytes);
        self.0.retain(|k| bytes(k).is_none());
        endless
    }

    /// How long the line is silent; it does not happen again.
    pub(crate) fn take_stall(&mut self) -> Option<Duration> {
        let time = |k: &FaultKind| if let FaultKind::Stall(time) = k { Some(*time) } else { None };
        let stall = self.0.iter().find_map(time);
        self.0.retain(|k| time(k).is_none());
        stall
    }
}

/// A line's faults.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    faults: Vec<Fault>,
    seed: u64,
}

impl Faults {
    /// These, with `seed` for those that come by chance.
    #[must_use]
    pub fn new(faults: Vec<Fault>, seed: u64) -> Self {
        Self { faults, seed }
    }

    /// What goes wrong with the `nth` message at its `attempt`, both counted from 1. What would keep a message from
    /// ever arriving happens at the first attempt only.
    pub(crate) fn of(&self, nth: u32, attempt: u32) -> Trouble {
        let harmless = |kind| matches!(kind, FaultKind::Split(_) | FaultKind::Merge);
        let due = self.faults.iter().filter(|f| f.when.is(nth, self.seed)).map(|f| f.kind);
        Trouble(due.filter(|kind| attempt == 1 || harmless(*kind)).collect())
    }

    /// Whether every one of them can happen on a line with `protocol`.
    ///
    /// # Errors
    /// [`FaultError::Line`] for the first that cannot.
    pub fn check(&self, protocol: Protocol) -> Result<(), FaultError> {
        self.faults.iter().try_for_each(|f| f.check(protocol))
    }
}

/// `kind=value` → both.
pub(crate) fn split_value(text: &str) -> (&str, Option<&str>) {
    text.split_once('=').map_or((text, None), |(kind, value)| (kind, Some(value)))
}

/// `…@3` → what stands before, and when.
pub(crate) fn split_when(text: &str) -> Result<(&str, When), FaultError> {
    let Some((what, sign, number)) =
        ['@', '/', '%'].into_iter().find_map(|s| text.split_once(s).map(|(a, b)| (a, s, b)))
    else {
        return Ok((text, When::Always));
    };
    let count = number.parse::<NonZeroU32>().map_err(|_| FaultError::When(text.to_owned()))?;
    let when = match sign {
        '@' => When::Nth(count),
        '/' => When::Every(count),
        _ => {
            let percent = u8::try_from(count.get()).ok().filter(|p| *p <= 100);
            When::Percent(percent.ok_or_else(|| FaultError::When(text.to_owned()))?)
        }
    };
    Ok((what, when))
}

/// `500ms`, `2s`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let number: u64 = digits.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        _ => None,
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => Ok(()),
            Self::Nth(n) => write!(f, "@{n}"),
            Self::Every(n) => write!(f, "/{n}"),
            Self::Percent(p) => write!(f, "%{p}"),
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => f.write_str("drop"),
            Self::Cut => f.write_str("cut"),
            Self::Flip => f.write_str("flip"),
            Self::Checksum => f.write_str("checksum"),
            Self::Split(bytes) => write!(f, "split={bytes}"),
            Self::Merge => f.write_str("merge"),
            Self::Stall(time) => write!(f, "stall={}ms", time.as_millis()),
            Self::Duplicate => f.write_str("duplicate"),
            Self::SlowReader(time) => write!(f, "slow-reader={}ms", time.as_millis()),
            Self::EndlessFrame(bytes) => write!(f, "endless-frame={bytes}"),
            Self::Contention => f.write_str("contention"),
            Self::Interrupt => f.write_str("interrupt"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind, self.when)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fault_reads_back_as_written() {
        let first = ["drop", "cut@2", "flip%5", "checksum/10", "split=1", "merge", "stall=500ms@7"];
        let then =
            ["duplicate%100", "slow-reader=20ms", "endless-frame=4096@2", "contention/2", "interrupt@1"];
        for text in first.into_iter().chain(then) {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        let stall = FaultKind::Stall(Duration::from_secs(2));
        let tenth = When::Every(NonZeroU32::new(10).unwrap());
        assert_eq!("stall=2s/10".parse(), Ok(Fault { kind: stall, when: tenth }));
    }

    #[test]
    fn what_is_no_fault_says_what_would_be_one() {
        for (text, expect) in [
            ("", "\"\" is no fault"),
            ("fire", "\"fire\" is no fault"),
            ("drop=2", "drop needs no value"),
            ("split", "split needs a number"),
            ("split=0", "split needs a number"),
            ("stall=2", "stall needs a duration"),
            ("stall=2h", "stall needs a duration"),
            ("slow-reader", "slow-reader needs a duration"),
            ("endless-frame=0", "endless-frame needs a number"),
            ("contention=1", "contention needs no value"),
            ("drop@0", "does not say when"),
            ("drop@", "does not say when"),
            ("drop%101", "does not say when"),
            ("drop/x", "does not say when"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(expect), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_line_without_a_checksum_refuses_the_faults_that_nobody_would_notice() {
        for (text, lis02, hl7v2, delimited) in [
            ("drop", true, true, true),
            ("cut", true, true, false),
            ("flip", true, false, false),
            ("checksum", true, false, false),
            ("split=1", true, true, false),
            ("merge", true, true, false),
            ("stall=1s", true, true, true),
            ("duplicate", true, true, true),
            ("slow-reader=1s", true, true, false),
            ("endless-frame=9", true, true, false),
            ("contention", true, false, false),
            ("interrupt", true, false, false),
        ] {
            let fault: Fault = text.parse().unwrap();
            for (protocol, fits) in
                [(Protocol::Lis02, lis02), (Protocol::Hl7v2, hl7v2), (Protocol::Delimited, delimited)]
            {
                assert_eq!(fault.check(protocol).is_ok(), fits, "{text} on {protocol:?}");
            }
        }
    }

    #[test]
    fn a_fault_comes_when_it_was_asked_for_and_at_the_first_attempt_only() {
        let faults = |text: &str| Faults::new(vec![text.parse().unwrap()], 1);
        let hit =
            |text: &str| (1..=6).filter(|n| faults(text).of(*n, 1).has(FaultKind::Drop)).collect::<Vec<_>>();
        assert_eq!(hit("drop"), [1, 2, 3, 4, 5, 6]);
        assert_eq!(hit("drop@3"), [3]);
        assert_eq!(hit("drop/2"), [2, 4, 6]);
        assert_eq!(hit("drop%100").len(), 6);
        assert!(!faults("drop").of(1, 2).has(FaultKind::Drop));
        assert_eq!(faults("split=3").of(1, 2).split(), Some(3));
        let by_chance = |n| faults("drop%30").of(n, 1).has(FaultKind::Drop);
        let hits = (1..=1000).filter(|n| by_chance(*n)).count();
        assert!((250..350).contains(&hits), "{hits}");
    }

    fn when() -> impl Strategy<Value = When> {
        let count = || (1_u32..).prop_filter_map("not zero", NonZeroU32::new);
        prop_oneof![
            Just(When::Always),
            count().prop_map(When::Nth),
            count().prop_map(When::Every),
            (1_u8..=100).prop_map(When::Percent),
        ]
    }

    fn kind() -> impl Strategy<Value = FaultKind> {
        prop_oneof![
            Just(FaultKind::Drop),
            Just(FaultKind::Cut),
            Just(FaultKind::Flip),
            Just(FaultKind::Checksum),
            Just(FaultKind::Merge),
            Just(FaultKind::Duplicate),
            (1_usize..100_000).prop_map(FaultKind::Split),
            (1_usize..100_000).prop_map(FaultKind::EndlessFrame),
            Just(FaultKind::Contention),
            Just(FaultKind::Interrupt),
            (0_u64..1_000_000).prop_map(|ms| FaultKind::SlowReader(Duration::from_millis(ms))),
            (0_u64..1_000_000).prop_map(|ms| FaultKind::Stall(Duration::from_millis(ms))),
        ]
    }

    proptest! {
        #[test]
        fn every_fault_reads_back(kind in kind(), when in when()) {
            let fault = Fault { kind, when };
            prop_assert_eq!(fault.to_string().parse(), Ok(fault));
        }

        #[test]
        fn any_text_is_a_fault_or_an_error_with_a_reason(text in "[a-z=@/%0-9ms]{0,20}|\\PC{0,20}") {
            match text.parse::<Fault>() {
                Ok(fault) => prop_assert_eq!(fault.to_string().parse(), Ok(fault)),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}
