//! LIS02 records as a document: the hierarchy is the parser's own (LIS02-A2 §5.2).

use super::{Defect, Document, Record, RecordName};
use lis02::{DefectKind, Reading, RecordType, Weight};

pub(crate) fn read_lis02<'a>(reading: &Reading<'a>) -> Document<'a> {
    let records = reading.records();
    let mut document = Document { terminated: true, ..Document::of(&records) };
    for record in records {
        let letter = record.type_letter().unwrap_or('?');
        let name = RecordName::new(letter.encode_utf8(&mut [0; 4]));
        let parent = record.parent().map(|parent| parent.index());
        let attach = match record.kind() {
            // A question among results marks what they are of (a control, on some models): it is seen from them.
            RecordType::Comment
            | RecordType::Manufacturer
            | RecordType::Query
            | RecordType::Vendor(_)
            | RecordType::Unknown => true,
            RecordType::Header
            | RecordType::Patient
            | RecordType::Order
            | RecordType::Result
            | RecordType::Scientific
            | RecordType::Terminator => false,
        };
        document.push(Record::Lis02(record), name, parent, attach);
    }
    for defect in reading.defects() {
        // Whether L has to be there is the profile's business.
        if defect.kind == DefectKind::TerminatorMissing {
            document.terminated = false;
            continue;
        }
        document.defects.push(Defect {
            name: defect.kind.code().replace('-', "_"),
            what: defect.kind.phrase().to_owned(),
            at: defect.at.clone(),
            harmless: defect.kind.weight() == Weight::Form,
        });
    }
    document
}
