//! CLSI LIS02-A2 / ASTM E1394 records: read over borrowed text, and written.
//!
//! ```text
//! transfer  H P O R C R C O R L  H Q L …          several messages may follow one another
//! message   H … L                                 ends with L, or where the next H begins
//! record    R|1|^^^HBsAg|0.31^NEG|S/CO||N||F CR   ends with CR, LF or CRLF
//! field       1  …  a\b                           field ⊃ repeats ⊃ components
//! ```
//!
//! [`Index::read`] is total: it never fails and never skips. What breaks a rule stays where it is and gets a
//! [`Defect`] with its byte range; every byte of the text lies in a record or is one of the CR and LF bytes between
//! two records. The [`Index`] holds offsets only and is used again for the next message, so that reading allocates
//! nothing once it has grown.
//!
//! Text comes in decoded (`&str`): a second byte of GBK or GB18030 may look like `|`, `\` or `^`, so decode before
//! you split. Only the [`Splitter`] works on raw bytes, because it looks at CR, LF and the first bytes of a record,
//! which no second byte can imitate.
//!
//! [`Unframed`] is for lines without a link: it finds messages in a bare stream, and says what is only half of one.
//!
//! Deliberately absent: the meaning of fields (instrument profiles), the link below (`lis01`), clocks and files.

mod defect;
mod delimiters;
mod escape;
mod field;
mod hierarchy;
mod index;
mod marks;
mod path;
mod reading;
mod record_type;
mod restart;
mod splitter;
mod unframed;
mod writer;

mod fuzz;

pub use defect::{Defect, DefectKind, Weight};
pub use delimiters::Delimiters;
pub use escape::escape;
pub use field::{Field, Part, Repeat};
pub use index::{DEFECTS_MAX, Index, ReadOptions, TEXT_BYTES_MAX};
pub use path::{Path, PathError};
pub use reading::{Closing, Message, Reading, Record};
pub use record_type::RecordType;
pub use restart::{
    Continuation, Doubt, Resumption, find_continuation, resend_set, resume, resume_broken, save_points,
    says_nothing,
};
pub use splitter::{ClosedBy, Complete, Splitter, join_frame};
pub use unframed::{HalfWhy, Terminator, Unframed, UnframedConfig, UnframedEvent};
pub use writer::{RecordWriter, WriteError, Writer};

#[doc(hidden)]
pub use fuzz::{fuzz_records, fuzz_splitter, fuzz_unframed};
