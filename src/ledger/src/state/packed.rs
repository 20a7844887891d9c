//! Neighbouring rows in one value of the store under it.
//!
//! Every key costs the store a place in a page and a record in its log, whatever its length. Rows about messages are
//! small, are written by the thousand, and come in the order of their numbers: those whose numbers differ only in the
//! last [`TOGETHER_BITS`] bits stand together, under the number with these bits zero.
//!
//! ```text
//! value = row* : ending length u16 · value length u32 · ending · value       in the order of the endings
//! ```
//!
//! An ending is what of a row's key stands behind the common beginning.

use super::{Changes, Each, Read, Span, StateError, Store};
use std::borrow::Cow;
use std::iter::Peekable;
use std::ops::ControlFlow;

/// What rows stand together: message records, where their bytes stand, work, and what holds.
const KINDS: [&[u8; 2]; 4] = [b"ms", b"mb", b"wi", b"mq"];
/// Numbers that differ only in these last bits stand together.
const TOGETHER_BITS: u32 = 4;
/// The beginning that keys of rows have in common: the kind, and the number without its last byte.
const COMMON_BYTES: usize = 2 + 7;

/// A store in which neighbouring rows stand together.
pub(crate) struct Packed<S>(S);

impl<S> Packed<S> {
    pub(crate) fn over(under: S) -> Self {
        Self(under)
    }
}

/// The beginning of `key` and the last byte of its number, if it is of a kind whose rows stand together.
fn parts(key: &[u8]) -> Option<(&[u8], u8)> {
    let (common, ending) = key.split_at_checked(COMMON_BYTES)?;
    let packed = KINDS.iter().any(|kind| common.starts_with(*kind));
    ending.first().filter(|_| packed).map(|last| (common, *last))
}

/// The key under which the row `key` stands with its neighbours.
fn group_of(key: &[u8]) -> Option<Vec<u8>> {
    let (common, last) = parts(key)?;
    Some([common, &[last >> TOGETHER_BITS << TOGETHER_BITS]].concat())
}

fn ending_of(key: &[u8]) -> &[u8] {
    key.get(COMMON_BYTES..).unwrap_or_default()
}

/// A row in a group: its ending and its value.
type Row<'v> = (&'v [u8], &'v [u8]);

/// The rows of a group, in order.
fn rows(value: &[u8]) -> Result<Vec<Row<'_>>, StateError> {
    let mut rest = value;
    let mut rows = Vec::with_capacity(1 << TOGETHER_BITS);
    while !rest.is_empty() {
        let (row, after) =
            row(rest).ok_or_else(|| StateError("a group of rows cannot be read".to_owned()))?;
        rows.push(row);
        rest = after;
    }
    Ok(rows)
}

/// Splits a row off the front.
fn row(bytes: &[u8]) -> Option<(Row<'_>, &[u8])> {
    let (ending_bytes, rest) = bytes.split_first_chunk()?;
    let (value_bytes, rest) = rest.split_first_chunk()?;
    let (ending, rest) = rest.split_at_checked(u16::from_le_bytes(*ending_bytes).into())?;
    let (value, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*value_bytes)).ok()?)?;
    Some(((ending, value), rest))
}

fn put((ending, value): Row<'_>, out: &mut Vec<u8>) -> Result<(), StateError> {
    let too_long = || StateError("a row is too long to stand with others".to_owned());
    out.extend_from_slice(&u16::try_from(ending.len()).map_err(|_| too_long())?.to_le_bytes());
    out.extend_from_slice(&u32::try_from(value.len()).map_err(|_| too_long())?.to_le_bytes());
    out.extend_from_slice(ending);
    out.extend_from_slice(value);
    Ok(())
}

type Change<'c> = (&'c Vec<u8>, &'c Option<Vec<u8>>);

/// A group after `changes`, which are in order; empty when no row is left.
fn changed<'c>(
    before: &[u8],
    mut changes: Peekable<impl Iterator<Item = Change<'c>>>,
) -> Result<Vec<u8>, StateError> {
    let mut out = Vec::with_capacity(before.len());
    for (ending, value) in rows(before)? {
        while let Some((key, new)) = changes.next_if(|(key, _)| ending_of(key) < ending) {
            put_some((key, new), &mut out)?;
        }
        match changes.next_if(|(key, _)| ending_of(key) == ending) {
            Some(change) => put_some(change, &mut out)?,
            None => put((ending, value), &mut out)?,
        }
    }
    changes.try_for_each(|change| put_some(change, &mut out))?;
    Ok(out)
}

fn put_some((key, value): Change<'_>, out: &mut Vec<u8>) -> Result<(), StateError> {
    value.as_ref().map_or(Ok(()), |value| put((ending_of(key), value), out))
}

impl<S: Read> Read for Packed<S> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let Some(group) = group_of(key) else { return self.0.get(key) };
        let Some(value) = self.0.get(&group)? else { return Ok(None) };
        let found = rows(&value)?.into_iter().find(|(ending, _)| *ending == ending_of(key));
        Ok(found.map(|(_, value)| value.to_vec()))
    }

    fn walk(&self, span: &Span, each: Each<'_>) -> Result<(), StateError> {
        let from = group_of(&span.from).unwrap_or_else(|| span.from.clone());
        let under = Span { from, ..span.clone() };
        let within =
            |key: &[u8]| key >= span.from.as_slice() && (span.to.is_empty() || key < span.to.as_slice());
        let mut damage = None;
        self.0.walk(&under, &mut |key, value| {
            let Some((common, _)) = parts(key) else { return each(key, value) };
            let mut rows = match rows(value) {
                Ok(rows) => rows,
                Err(error) => {
                    damage = Some(error);
                    return ControlFlow::Break(());
                }
            };
            if span.backwards {
                rows.reverse();
            }
            let mut key = common.to_vec();
            rows.into_iter().try_for_each(|(ending, value)| {
                key.truncate(COMMON_BYTES);
                key.extend_from_slice(ending);
                if within(&key) { each(&key, value) } else { ControlFlow::Continue(()) }
            })
        })?;
        damage.map_or(Ok(()), Err)
    }
}

impl<S: Store> Store for Packed<S> {
    fn write(&self, changes: Cow<'_, Changes>) -> Result<(), StateError> {
        let mut packed = Changes::new();
        let mut changes = changes.iter().peekable();
        while let Some((key, value)) = changes.peek().copied() {
            let Some(group) = group_of(key) else {
                packed.insert(key.clone(), value.clone());
                changes.next();
                continue;
            };
            let before = self.0.get(&group)?.unwrap_or_default();
            let among = |change: &Change<'_>| group_of(change.0).as_ref() == Some(&group);
            let rows = changed(&before, std::iter::from_fn(|| changes.next_if(among)).peekable())?;
            packed.insert(group, Some(rows).filter(|rows| !rows.is_empty()));
        }
        self.0.write(Cow::Owned(packed))
    }

    fn flush(&self) -> Result<(), StateError> {
        self.0.flush()
    }

    fn fault(&self) -> Option<String> {
        self.0.fault()
    }

    fn len_bytes(&self) -> u64 {
        self.0.len_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MemoryStore, collect};
    use super::*;
    use proptest::prelude::*;

    fn key(kind: &str, number: u64, ending: &[u8]) -> Vec<u8> {
        [kind.as_bytes(), &number.to_be_bytes(), ending].concat()
    }

    fn all(backwards: bool) -> Span {
        Span { from: Vec::new(), to: Vec::new(), backwards }
    }

    #[test]
    fn sixteen_neighbours_stand_under_one_key_and_leave_none_behind() {
        let store = Packed::over(MemoryStore::default());
        let rows = |value: Option<&[u8]>| -> Changes {
            (32..48).map(|number| (key("ms", number, b""), value.map(<[u8]>::to_vec))).collect()
        };
        store.write(Cow::Owned(rows(Some(b"row")))).unwrap();
        assert_eq!(collect(&store.0, &all(false)).unwrap().len(), 1);
        assert_eq!(collect(&store, &all(false)).unwrap().len(), 16);
        store.write(Cow::Owned(rows(None))).unwrap();
        assert_eq!(collect(&store.0, &all(false)).unwrap(), []);
    }

    #[test]
    fn a_group_that_cannot_be_read_is_an_error_and_not_an_empty_one() {
        let store = Packed::over(MemoryStore::default());
        let torn = Changes::from([(key("wi", 16, b""), Some(vec![1, 0, 9]))]);
        store.0.write(Cow::Owned(torn)).unwrap();
        assert!(store.get(&key("wi", 17, b"")).is_err());
        assert!(collect(&store, &all(false)).is_err());
        let change = Changes::from([(key("wi", 17, b""), Some(Vec::new()))]);
        assert!(store.write(Cow::Owned(change)).is_err());
    }

    proptest! {
        /// Whatever is written in whatever batches: rows that stand together look like rows that stand alone, forwards,
        /// backwards, and in any part.
        #[test]
        fn rows_that_stand_together_and_a_plain_store_show_the_same(
            batches in prop::collection::vec(prop::collection::vec(
                (0..3_usize, 0..70_u64, 0..3_usize, prop::option::of(prop::collection::vec(any::<u8>(), 0..5))), 1..20,
            ), 1..8),
            spans in prop::collection::vec((0..3_usize, 0..70_u64, 0..11_usize, 0..70_u64), 1..6),
        ) {
            let (plain, store) = (MemoryStore::default(), Packed::over(MemoryStore::default()));
            let kinds = ["ms", "mt", "wi"];
            let endings: [&[u8]; 3] = [b"", &[0, 1], &[0, 2]];
            for batch in batches {
                let changes: Changes = batch
                    .into_iter()
                    .map(|(kind, number, ending, value)| (key(kinds[kind], number, endings[ending]), value))
                    .collect();
                plain.write(Cow::Borrowed(&changes)).unwrap();
                store.write(Cow::Borrowed(&changes)).unwrap();
                for key in changes.keys() {
                    prop_assert_eq!(plain.get(key).unwrap(), store.get(key).unwrap());
                }
            }
            for (kind, from, from_bytes, to) in spans {
                for backwards in [false, true] {
                    let mut from = key(kinds[kind], from, b"");
                    from.truncate(from_bytes);
                    for to in [Vec::new(), key(kinds[kind], to, b"")] {
                        let span = Span { from: from.clone(), to, backwards };
                        prop_assert_eq!(collect(&plain, &span).unwrap(), collect(&store, &span).unwrap());
                    }
                }
            }
        }
    }
}
