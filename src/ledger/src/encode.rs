//! Entries as CBOR.

use crate::journal::{BODY_BYTES_MAX, Frame};
use crate::{Draft, Entry, What};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct BodyOut<'a> {
    by: &'a str,
    what: &'a What,
}

#[derive(Deserialize)]
struct BodyIn {
    by: String,
    what: What,
}

/// About how long the body of `draft` is: the bytes it carries and what stands around them.
pub(crate) fn expected_bytes(draft: &Draft) -> usize {
    const AROUND_BYTES: usize = 384;
    AROUND_BYTES + draft.what.carried().map_or(0, |bytes| bytes.len())
}

/// Appends the body of `draft`.
pub(crate) fn body(draft: &Draft, out: &mut Vec<u8>) -> Result<(), String> {
    let start = out.len();
    let body = BodyOut { by: &draft.by, what: &draft.what };
    ciborium::into_writer(&body, &mut *out).map_err(|error| error.to_string())?;
    let length = out.len() - start;
    if length > BODY_BYTES_MAX {
        return Err(format!("an entry of {length} bytes is longer than {BODY_BYTES_MAX}"));
    }
    Ok(())
}

/// Reads the entry in `frame`.
pub(crate) fn entry(frame: &Frame<'_>) -> Result<Entry, String> {
    let body: BodyIn =
        ciborium::from_reader(frame.body).map_err(|error| format!("the entry cannot be read: {error}"))?;
    Ok(Entry { seq: frame.seq, at_ms: frame.at_ms, by: body.by, what: body.what })
}
