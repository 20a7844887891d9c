//! Levels, parents and sequence numbers, followed record by record (LIS02-A2 §5.2, §5.3).
//!
//! ```text
//! level 0   H                                         L
//! level 1     P  (Q, S)                P
//! level 2       O                        O
//! level 3         R        R               R
//! one below         C  M     C               C         C, M and vendor records belong to the record they follow
//! ```

use crate::defect::DefectKind;
use crate::record_type::RecordType;

/// No parent.
pub(crate) const NONE: u32 = u32::MAX;

/// A record's place in the hierarchy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) level: u8,
    /// Index of the parent record in the same text, or [`NONE`].
    pub(crate) parent: u32,
    /// The parent that the standard wants is not there.
    pub(crate) orphan: bool,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    at: u32,
    level: u8,
}

/// Follows one message.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    header: Option<u32>,
    /// The last record of level 1, and whether it is P.
    first: Option<(u32, bool)>,
    order: Option<u32>,
    /// The last record with a level of its own: what M and vendor records belong to.
    main: Option<Open>,
    /// The last record that is not C: what C belongs to.
    commented: Option<Open>,
    counters: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    patient: Counter,
    query: Counter,
    scientific: Counter,
    order: Counter,
    result: Counter,
    manufacturer: Counter,
    comment: Counter,
}

/// The numbers of one type.
#[derive(Debug, Default)]
struct Counter {
    /// The last one below the same higher record; 0 when there was none.
    here: u32,
    /// The last one in the message: some senders go on with it where they should restart.
    last: u32,
}

impl Tracker {
    /// Places the record with index `at`.
    pub(crate) fn place(&mut self, kind: RecordType, at: u32) -> Place {
        let place = match kind {
            RecordType::Header => {
                *self = Self { header: Some(at), ..Self::default() };
                Place { level: 0, parent: NONE, orphan: false }
            }
            RecordType::Terminator => below(0, self.header, false),
            RecordType::Patient | RecordType::Query | RecordType::Scientific => {
                self.first = Some((at, kind == RecordType::Patient));
                self.order = None;
                below(1, self.header, false)
            }
            RecordType::Order => {
                self.order = Some(at);
                let patient = self.first.and_then(|(at, is_patient)| is_patient.then_some(at));
                below(2, patient, true)
            }
            RecordType::Result => below(3, self.order, true),
            RecordType::Comment => under(self.commented),
            RecordType::Manufacturer | RecordType::Vendor(_) | RecordType::Unknown => under(self.main),
        };
        self.open(kind, Open { at, level: place.level });
        place
    }

    fn open(&mut self, kind: RecordType, open: Open) {
        match kind {
            RecordType::Comment => return,
            RecordType::Manufacturer | RecordType::Vendor(_) | RecordType::Unknown => {}
            RecordType::Header
            | RecordType::Patient
            | RecordType::Order
            | RecordType::Result
            | RecordType::Query
            | RecordType::Scientific
            | RecordType::Terminator => {
                self.main = Some(open);
                self.counters.descend_from(open.level);
            }
        }
        self.commented = Some(open);
        self.counters.comment.here = 0;
    }

    /// Checks the sequence number in field 2 of a record just placed.
    pub(crate) fn check_sequence(&mut self, kind: RecordType, field: &str) -> Option<DefectKind> {
        let counter = match kind {
            RecordType::Patient => &mut self.counters.patient,
            RecordType::Query => &mut self.counters.query,
            RecordType::Scientific => &mut self.counters.scientific,
            RecordType::Order => &mut self.counters.order,
            RecordType::Result => &mut self.counters.result,
            RecordType::Manufacturer => &mut self.counters.manufacturer,
            RecordType::Comment => &mut self.counters.comment,
            RecordType::Terminator => &mut Counter::default(),
            RecordType::Header | RecordType::Vendor(_) | RecordType::Unknown => return None,
        };
        let expected = counter.here.saturating_add(1);
        let (found, defect) = match parse_sequence(field) {
            Ok(found) if found == expected => (found, None),
            Ok(found) if found < expected => (found, Some(DefectKind::SequenceRepeats)),
            Ok(found) if counter.here == 0 && found == counter.last.saturating_add(1) => {
                (found, Some(DefectKind::SequenceContinues))
            }
            Ok(found) => (found, Some(DefectKind::SequenceSkips)),
            Err(defect) => (expected, Some(defect)),
        };
        *counter = Counter { here: found, last: found };
        defect
    }
}

impl Counters {
    /// A record of this level restarts the numbering of every level below it.
    fn descend_from(&mut self, level: u8) {
        self.manufacturer.here = 0;
        if level < 3 {
            self.result.here = 0;
        }
        if level < 2 {
            self.order.here = 0;
        }
    }
}

fn below(level: u8, parent: Option<u32>, wanted: bool) -> Place {
    Place { level, parent: parent.unwrap_or(NONE), orphan: wanted && parent.is_none() }
}

fn under(parent: Option<Open>) -> Place {
    match parent {
        Some(open) => Place { level: open.level.saturating_add(1), parent: open.at, orphan: false },
        None => Place { level: 1, parent: NONE, orphan: true },
    }
}

/// A sequence number: digits, with the blanks some senders pad them with.
pub(crate) fn parse_sequence(field: &str) -> Result<u32, DefectKind> {
    if let [digit @ b'0'..=b'9'] = field.as_bytes() {
        return Ok(u32::from(digit - b'0'));
    }
    let digits = field.trim_matches(' ');
    if digits.is_empty() {
        return Err(DefectKind::SequenceMissing);
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DefectKind::SequenceNotANumber);
    }
    digits.parse().map_err(|_| DefectKind::SequenceNotANumber)
}
