//! Rows of a delimited file as a document: every row stands for itself.

use super::{Defect, Document, Record, RecordName};
use crate::profile::rules::TableRules;
use delimited::{DefectKind, HeaderRow, Layout, LayoutError, Table, Weight};

/// The parser's layout for a profile's table.
pub(crate) fn layout_of(rules: &TableRules) -> Result<Layout, LayoutError> {
    let mut layout = Layout::new(rules.delimiter, rules.quote)?;
    layout.header = if rules.header { HeaderRow::First } else { HeaderRow::Absent };
    layout.skipped_lines = rules.skip_lines.into();
    layout.comment.clone_from(&rules.comment);
    layout.end_marker.clone_from(&rules.end_marker);
    Ok(layout)
}

pub(crate) fn read_table<'a>(table: &'a Table<'a>, rules: &TableRules) -> Document<'a> {
    let headings = table.column_names().collect();
    let rows = table.rows();
    let mut document = Document { terminated: true, headings, ..Document::of(&rows) };
    for row in rows {
        document.push(Record::Row(row), RecordName::new("row"), None, false);
    }
    for defect in table.defects() {
        document.defects.push(Defect {
            name: defect.kind.code().replace('-', "_"),
            what: format!("line {}: {}", defect.line, defect.kind.phrase()),
            at: defect.at.clone(),
            harmless: defect.kind.weight() == Weight::Form,
        });
    }
    // A file whose last line has no end may have been cut inside it; what a quote swallowed is a defect already.
    let cut = !table.text().ends_with(['\r', '\n']);
    if cut && !table.defects().iter().any(|defect| defect.kind == DefectKind::EndMarkerMissing) {
        document.terminated = rules.end_marker.is_some();
    }
    let header = table.header().map_or(0..0, |row| row.range());
    for name in rules.columns.iter().filter(|name| table.column(name).is_none()) {
        document.defects.push(Defect {
            name: "missing_column".to_owned(),
            what: format!("the file has no column {name:?}; was its export changed?"),
            at: header.clone(),
            harmless: false,
        });
    }
    document
}
