//! The state in memory: for tests, tools and `verify`.

use super::{Changes, Each, Read, Span, StateError, Store};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

/// The state in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore(RwLock<BTreeMap<Vec<u8>, Vec<u8>>>);

impl Read for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    fn walk(&self, span: &Span, each: Each<'_>) -> Result<(), StateError> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let to = if span.to.is_empty() { Bound::Unbounded } else { Bound::Excluded(span.to.as_slice()) };
        if !span.to.is_empty() && span.to <= span.from {
            return Ok(());
        }
        let range = map.range::<[u8], _>((Bound::Included(span.from.as_slice()), to));
        let found: Box<dyn Iterator<Item = _>> =
            if span.backwards { Box::new(range.rev()) } else { Box::new(range) };
        for (key, value) in found {
            if each(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    fn write(&self, changes: Cow<'_, Changes>) -> Result<(), StateError> {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in changes.into_owned() {
            match value {
                Some(value) => drop(map.insert(key, value)),
                None => drop(map.remove(&key)),
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StateError> {
        Ok(())
    }

    fn fault(&self) -> Option<String> {
        None
    }

    fn len_bytes(&self) -> u64 {
        0
    }
}
