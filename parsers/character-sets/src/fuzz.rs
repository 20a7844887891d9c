//! Entry points for fuzzing: any bytes, no panic, and what must always hold.

use crate::{CharacterSet, Choice, decode, encode};

/// Decodes by every way of choosing and checks that defects lie inside the input, in order.
pub fn fuzz_decode(bytes: &[u8]) {
    for set in CharacterSet::ALL {
        fuzz_decode_as(bytes, *set);
    }
    let declared = String::from_utf8_lossy(bytes.get(..bytes.len().min(16)).unwrap_or_default());
    check(bytes, &Choice { declared: &[&declared, "8859/1"], ..Choice::default() });
}

/// Decodes as one set.
pub fn fuzz_decode_as(bytes: &[u8], set: CharacterSet) {
    check(bytes, &Choice { fixed: Some(set), ..Choice::default() });
}

fn check(bytes: &[u8], choice: &Choice<'_>) {
    let decoded = decode(bytes, choice);
    let mut before = decoded.mark_bytes;
    for defect in decoded.defects.places() {
        assert!(defect.at.start >= before && defect.at.end <= bytes.len() && !defect.at.is_empty());
        before = defect.at.end;
    }
    let again = encode(&decoded.text, decoded.used);
    assert!(
        decoded.defects.is_empty() == (decoded.defects.total() == 0)
            && again.bytes.len() <= bytes.len() * 8 + 8
    );
}
