//! Entries as CBOR.

use crate::journal::{BODY_BYTES_MAX, Frame};
use crate::{Draft, Entry, What};
use cbor4ii::core::utils::BufWriter;
use cbor4ii::serde::Serializer;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Serialize)]
struct BodyOut<'a> {
    by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<&'a str>,
    what: &'a What,
}

#[derive(Deserialize)]
struct BodyIn {
    by: String,
    #[serde(default)]
    terminal: Option<String>,
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
    write(&BodyOut { by: draft.by.name(), terminal: draft.by.terminal(), what: &draft.what }, out)?;
    let length = out.len() - start;
    if length > BODY_BYTES_MAX {
        return Err(format!("an entry of {length} bytes is longer than {BODY_BYTES_MAX}"));
    }
    Ok(())
}

/// Appends a value as [`ciborium`] writes it, byte for byte, in a part of the time.
pub(crate) fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), String> {
    let start = out.len();
    let mut writer = Serializer::new(BufWriter::new(std::mem::take(out)));
    let written = value.serialize(&mut writer);
    *out = writer.into_inner().into_inner();
    debug_assert!(written.is_err() || is_as_ciborium_writes(value, out.get(start..)), "they differ");
    written.map_err(|error| error.to_string())
}

fn is_as_ciborium_writes<T: Serialize>(value: &T, written: Option<&[u8]>) -> bool {
    let mut other = Vec::new();
    ciborium::into_writer(value, &mut other).is_ok() && written == Some(other.as_slice())
}

/// Reads a value that was written here or by [`ciborium`]. It stands whole in memory, where cbor4ii reads it several
/// times as fast; what that does not take, ciborium may.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    if let Ok(value) = cbor4ii::serde::from_slice(bytes) {
        return Ok(value);
    }
    let value = ciborium::from_reader(bytes);
    debug_assert!(value.is_err(), "ciborium wrote what cbor4ii cannot read");
    value.map_err(|error| error.to_string())
}

/// Reads the entry in `frame`.
pub(crate) fn entry(frame: &Frame<'_>) -> Result<Entry, String> {
    let body: BodyIn = read(frame.body).map_err(|error| format!("the entry cannot be read: {error}"))?;
    Ok(Entry { seq: frame.seq, at_ms: frame.at_ms, by: body.by, terminal: body.terminal, what: body.what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{By, Ledger, Seq, Settings, StateStore};
    use std::path::Path;

    #[test]
    fn what_one_wrote_is_read_the_same_by_the_other() {
        let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1/journal");
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("journal")).unwrap();
        for file in std::fs::read_dir(written).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), dir.path().join("journal").join(file.file_name())).unwrap();
        }
        let settings = Settings {
            state: StateStore::Memory,
            free_bytes_min: 0,
            ballast_bytes: 0,
            ..Settings::new(dir.path())
        };
        let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
        let mut entries = 0;
        for line in ledger.state().entries(Seq::new(1)) {
            let Entry { by, what, .. } = line.unwrap().entry;
            let mut bytes = Vec::new();
            body(&Draft { by: By::from(by.clone()), what: what.clone() }, &mut bytes).unwrap();
            let fast: BodyIn = cbor4ii::serde::from_slice(&bytes).unwrap();
            let slow: BodyIn = ciborium::from_reader(bytes.as_slice()).unwrap();
            assert_eq!((&fast.by, &fast.what), (&by, &what));
            assert_eq!((&slow.by, &slow.what), (&by, &what));
            entries += 1;
        }
        assert!(entries > 10, "{entries}");
    }

    #[test]
    fn what_is_no_value_is_refused_by_both() {
        let read = |bytes: &[u8]| super::read::<(String, u32)>(bytes);
        assert_eq!(read(&[0x82, 0x61, b'a', 0x18, 0x2a]), Ok(("a".to_owned(), 42)));
        for wrong in [&[][..], &[0x82], &[0x82, 0x61], &[0x82, 0x01, 0x01], &[0x9b, 0xff, 0xff], &[0xff]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_terminal_is_written_where_there_is_one_and_takes_no_byte_where_there_is_none() {
        let written = |by: By| {
            let mut bytes = Vec::new();
            body(&Draft { by, what: What::Stopped }, &mut bytes).unwrap();
            bytes
        };
        let at = written(By::from("user:a").at(Some("192.0.2.7".to_owned())));
        assert_eq!(read::<BodyIn>(&at).unwrap().terminal.as_deref(), Some("192.0.2.7"));
        let nowhere = written(By::from("user:a"));
        assert_eq!(read::<BodyIn>(&nowhere).unwrap().terminal, None);
        assert!(!nowhere.windows(8).any(|part| part == b"terminal"), "as every ledger before had it");
    }
}
