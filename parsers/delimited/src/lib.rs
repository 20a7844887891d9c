//! Delimited exports: rows and columns with their places in the bytes.
//!
//! ```text
//! Panther export, software 7.2        leading lines     Layout::skipped_lines
//! Sample;Assay;S/CO;Result            header row        Layout::header
//! # rack 3                            comment           Layout::comment
//! D0001;HBV;0,12;Nonreactive          row
//! "D0002";HBV;"14,9";Reactive         row with quotes   Cell::text is without them
//! [end]                               end marker        Layout::end_marker
//! ```
//!
//! [`Table::read`] is total: it never fails and skips nothing silently. A row that does not fit is kept and gets a
//! [`Defect`] with its line and byte range; every byte lies in a row, in a line that was passed over for a named
//! reason ([`Table::passed_over`]), or is one of the CR and LF bytes between lines.
//!
//! Text comes in decoded (`&str`). The cells are found by `csv-core`, the machine inside the `csv` crate, because
//! only it tells where in the source a cell lies.
//!
//! Deliberately absent: numbers, dates and the meaning of columns (instrument profiles), files and clocks.

mod cells;
mod defect;
mod fuzz;
mod layout;
mod scan;
mod table;

pub use defect::{Defect, DefectKind, Weight};
pub use layout::{HeaderRow, Layout, LayoutError, LineBreaks};
pub use scan::{CELLS_MAX, DEFECTS_MAX, TEXT_BYTES_MAX};
pub use table::{Cell, PassedOver, PassedOverKind, Row, Table};

#[doc(hidden)]
pub use fuzz::fuzz_table;
