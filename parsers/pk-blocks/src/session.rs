//! From the texts of blocks to one message: a line a record, as they came, the parts of a cut record joined.

use crate::block::{BlockEnd, HEAD_BYTES, LAST_NUMBER, NUMBER_BYTES, NUMBERED};

/// The record that begins a session, and the one that ends it.
pub(crate) const BEGIN: &[u8] = b"SB";
pub(crate) const END: &[u8] = b"DE";
/// Type and number of the analyser.
const LABEL_BYTES: usize = 4;
const TYPE_BYTES: usize = 2;

/// Joins the blocks of one session. The message is the records in their order, each with CR; of a cut record the head
/// stands once, and the block numbers are left out.
#[derive(Debug, Default)]
pub struct Session {
    message: Vec<u8>,
    open: Option<Open>,
    records: usize,
    /// Digits of the analyser's number, from the first record.
    analyser: Option<[u8; 2]>,
    defect: Option<SessionDefect>,
    bytes_max: usize,
}

/// A record of which more blocks have to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    /// Where it begins in the message.
    at: usize,
    /// The number of its next block, unless that is the last.
    next: u8,
}

/// What a block did to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// More has to come.
    More,
    /// It was the last, and nothing is missing: [`Session::message`] is whole.
    Complete,
}

/// Why a session is no message, whatever else comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SessionDefect {
    /// The first record is not SB.
    #[error("the session does not begin with SB")]
    Headless,
    /// A record without a type and the analyser's number.
    #[error("record {record} has no type and analyser number")]
    Label {
        /// Its place, from 1.
        record: usize,
    },
    /// Records of two analysers.
    #[error("record {record} is of another analyser than the first")]
    Analyser {
        /// Its place, from 1.
        record: usize,
    },
    /// A block that should go on with a record and does not, or has a number that is not due.
    #[error("record {record} is not whole: its blocks do not follow one another")]
    Broken {
        /// Its place, from 1.
        record: usize,
    },
    /// More than a session may hold.
    #[error("the session is too long")]
    TooLong,
}

/// A place in a session to go back to, when a block was not kept after all.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    bytes: usize,
    open: Option<Open>,
    records: usize,
    analyser: Option<[u8; 2]>,
    defect: Option<SessionDefect>,
}

/// A numbered block's text.
struct Parts<'t> {
    head: &'t [u8],
    number: &'t [u8],
    content: &'t [u8],
}

impl Session {
    /// An empty session whose message may be so long.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, ..Self::default() }
    }

    /// Takes a block's text.
    pub fn push(&mut self, text: &[u8], end: BlockEnd) -> Step {
        if self.defect.is_none()
            && let Err(defect) = self.take(text, end)
        {
            self.defect = Some(defect);
        }
        let ends = text.starts_with(END) && end == BlockEnd::Last;
        if ends && self.defect.is_none() { Step::Complete } else { Step::More }
    }

    /// The lines so far.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Why it can be no message.
    #[must_use]
    pub fn defect(&self) -> Option<SessionDefect> {
        self.defect
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            bytes: self.message.len(),
            open: self.open,
            records: self.records,
            analyser: self.analyser,
            defect: self.defect,
        }
    }

    /// Back to where it stood before the last block.
    pub fn go_back(&mut self, place: Place) {
        self.message.truncate(place.bytes);
        self.open = place.open;
        self.records = place.records;
        self.analyser = place.analyser;
        self.defect = place.defect;
    }

    fn take(&mut self, text: &[u8], end: BlockEnd) -> Result<(), SessionDefect> {
        if self.message.len() + text.len() >= self.bytes_max {
            return Err(SessionDefect::TooLong);
        }
        if let Some(open) = self.open.take() {
            return self.go_on(open, text, end);
        }
        self.records += 1;
        self.label(text)?;
        if !text.starts_with(NUMBERED) && end == BlockEnd::Last {
            self.message.extend_from_slice(text);
            self.message.push(b'\r');
            return Ok(());
        }
        let Parts { head, number, content } = self.parts(text)?;
        let first = match end {
            BlockEnd::More => b"00",
            BlockEnd::Last => LAST_NUMBER,
        };
        if number != first {
            return Err(SessionDefect::Broken { record: self.records });
        }
        let at = self.message.len();
        self.message.extend_from_slice(head);
        self.message.extend_from_slice(content);
        self.close_or_wait(Open { at, next: 1 }, end);
        Ok(())
    }

    /// The next block of an open record: the same head, and the number that is due.
    fn go_on(&mut self, open: Open, text: &[u8], end: BlockEnd) -> Result<(), SessionDefect> {
        let Parts { head, number, content } = self.parts(text)?;
        let begun = self.message.get(open.at..).and_then(|record| record.get(..HEAD_BYTES));
        let due = match end {
            BlockEnd::More => format!("{:02}", open.next).into_bytes(),
            BlockEnd::Last => LAST_NUMBER.to_vec(),
        };
        if begun != Some(head) || number != due {
            return Err(SessionDefect::Broken { record: self.records });
        }
        self.message.extend_from_slice(content);
        self.close_or_wait(Open { next: open.next.saturating_add(1), ..open }, end);
        Ok(())
    }

    fn close_or_wait(&mut self, open: Open, end: BlockEnd) {
        match end {
            BlockEnd::More => self.open = Some(open),
            BlockEnd::Last => self.message.push(b'\r'),
        }
    }

    fn parts<'t>(&self, text: &'t [u8]) -> Result<Parts<'t>, SessionDefect> {
        let broken = SessionDefect::Broken { record: self.records };
        let (head, rest) = text.split_at_checked(HEAD_BYTES).ok_or(broken)?;
        let (number, content) = rest.split_at_checked(NUMBER_BYTES).ok_or(broken)?;
        Ok(Parts { head, number, content })
    }

    fn label(&mut self, text: &[u8]) -> Result<(), SessionDefect> {
        let record = self.records;
        let label = text.get(..LABEL_BYTES).ok_or(SessionDefect::Label { record })?;
        let Some(([first, second], &[tens, ones])) = label.split_first_chunk::<TYPE_BYTES>() else {
            return Err(SessionDefect::Label { record });
        };
        let typed = first.is_ascii_uppercase() && (second.is_ascii_uppercase() || *second == b' ');
        if !typed || !tens.is_ascii_digit() || !ones.is_ascii_digit() {
            return Err(SessionDefect::Label { record });
        }
        if record == 1 && !text.starts_with(BEGIN) {
            return Err(SessionDefect::Headless);
        }
        match *self.analyser.get_or_insert([tens, ones]) {
            analyser if analyser == [tens, ones] => Ok(()),
            _ => Err(SessionDefect::Analyser { record }),
        }
    }
}
