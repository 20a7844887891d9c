//! Bytes to text by the character sets analysers declare, and by those they really send.
//!
//! A message is decoded once, whole, *before* it is split: the second byte of a GBK or GB18030 character may be
//! `\`, `^`, `|` or `~`, so that a splitter on bytes would cut Chinese names in two. [`decode`] picks the set in
//! a fixed order (profile, byte order mark, declaration, UTF-8, fallback), says which one it took and why, and
//! names every byte it could not read. It never fails: an unreadable byte becomes U+FFFD and a [`Defect`].
//!
//! Deliberately absent: guessing by statistics. A set is taken because somebody said so or because the bytes
//! prove it; what is left is a defect for a person.

mod character_set;
mod choice;
mod decode;
mod encode;
#[doc(hidden)]
pub mod fuzz;
mod place;

pub use character_set::{CharacterSet, UnknownCharacterSet};
pub use choice::{Choice, Decoded, Note, Reason, decode};
pub use decode::{Defect, Defects};
pub use encode::{Encoded, encode};
