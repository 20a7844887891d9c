//! The block protocol of the PK series of blood grouping analysers, both roles, without IO.
//!
//! ```text
//!  STX  text  ETX|ETB  BCC          a block; BCC is the XOR of everything behind STX up to and with ETX or ETB
//!
//!  SB01                             a session begins; 01 is the analyser's number
//!  M 01…  QR01…  QD01…  DB01        what the run was made with
//!  D 01…                            one record a specimen
//!  DE01                             the session ends
//! ```
//!
//! A record that is longer than a block goes in several: all but the last end with ETB, each repeats the record's head of
//! 53 bytes and has two digits behind it, `00`, `01`… and `EE` for the last. A `D ` record has them even when it fits.
//!
//! [`Receiver`] and [`Sender`] are the two ends of a line; [`Session`] joins the texts of blocks into one message, a line
//! a record. Bytes and the time go in; events, answers and the next deadline come out. A receiver answers nothing until
//! its caller shows the proof that a block is kept.
//!
//! # What is known and what is not
//!
//! Layout and check are from traces. Whether the analyser waits for an answer to each block, and for which, no public
//! document says: [`Answers`] is a setting, silent unless the maker's manual says otherwise. Without answers nothing
//! that went wrong can be asked for again: then the whole session is one that nobody may read as a message. A block that
//! is lost from its first to its last byte leaves no trace there, for nothing counts the blocks of a session.
//!
//! An XOR over a text without a length sees any single flipped bit but one that makes an end of a letter. So a block is
//! whole only when the next one begins behind it, or when nothing follows for [`Config::quiet`].

mod block;
mod config;
mod fuzz;
mod reader;
mod receiver;
mod sender;
mod session;

pub use block::{BlockDefect, BlockEnd, check_byte, decode_block, encode_block, encode_record};
pub use config::{Answers, Config};
#[doc(hidden)]
pub use fuzz::fuzz_receiver;
pub use receiver::{Anomaly, AnomalyKind, Block, BlockTicket, Ending, Event, Receiver};
pub use sender::{SendFailure, SendRefused, Sender, SenderEvent};
pub use session::{Place, Session, SessionDefect, Step};
