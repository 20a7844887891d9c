//! HL7 v2 messages in the vertical-bar encoding ("ER7"): read over borrowed text, written, acknowledged.
//!
//! ```text
//! MSH|^~\&|X800DM|LAB|Host||20260301101500+0800||OUL^R22^OUL_R22|4711|P|2.5.1⏎
//! │  │└─┬┘                                        └── field 9: component ^ component ^ component
//! │  │  └ MSH-2: component, repetition, escape, subcomponent
//! │  └ MSH-1: the field separator
//! └ segment name; a segment ends with CR (LF, CRLF and NUL are taken too)
//! ```
//!
//! [`Index::read`] makes one pass over a text that is decoded already (a GBK second byte may be a delimiter, see
//! `character-sets`) and stores where segments and fields begin; repetitions, components and escapes are looked at
//! only when somebody asks. The index is kept between messages, so that reading one allocates nothing.
//!
//! Reading never fails: every byte of the text lies in exactly one segment or terminator, what could not be
//! understood is a [`Defect`] with its place, and a broken segment never hides the ones after it.
//!
//! Deliberately absent: a tree, a schema, segment groups, and every opinion about what a value means.

mod acknowledge;
mod builder;
mod decode;
mod defect;
mod delimiters;
mod dialect;
mod escape;
#[doc(hidden)]
pub mod fuzz;
mod grammar;
mod header;
mod index;
mod message;
mod part;
mod path;
mod template;

pub use acknowledge::{
    AckSettings, Acknowledgement, Answer, ErrorCode, Fault, NotAnAcknowledgement, Template, acknowledge,
};
pub use builder::{BuildError, MessageBuilder, SegmentBuilder};
pub use character_sets::CharacterSet;
pub use decode::{declared_character_sets, decode};
pub use defect::{Defect, DefectKind, Defects};
pub use delimiters::Delimiters;
pub use dialect::{Dialect, HeaderPlaces, SegmentEnds};
pub use escape::{escape, unescape};
pub use header::{AckCondition, AckMode, Header};
pub use index::Index;
pub use message::{Message, Segment, Segments};
pub use part::{Component, Field, Part, Parts, Repetition, Subcomponent};
pub use path::{Path, PathError};
pub use template::{AckTemplate, TemplateError};
