//! Changes gathered in memory over a store, and handed to it in few large batches.
//!
//! The state has to be durable only when it is flushed: what comes before that can be made again from the journal.
//! Most of what is written is written again within the second (counters, transfers under way) or deleted (work that
//! is done), and never reaches the store. Each change that does costs it a place in a page and in its log.

use super::view::walk_over;
use super::{Changes, Each, Read, Span, StateError, Store};
use crate::sync::lock;
use std::borrow::Cow;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

/// Bytes of keys and values that are gathered; a batch that does not fit beside them has them handed on first.
pub(crate) const GATHERED_BYTES_MAX: usize = 1 << 20;

/// A store under gathered changes.
pub(crate) struct Gathered<S> {
    under: S,
    over: RwLock<Over>,
    /// Held by whoever writes or flushes: a reader finds a change gathered, or in the store, or in both.
    writing: Mutex<()>,
}

#[derive(Default)]
struct Over {
    changes: Changes,
    /// On their way into the store.
    handed: Arc<Changes>,
    bytes: usize,
}

fn bytes_of(key: &[u8], value: Option<&Vec<u8>>) -> usize {
    key.len() + value.map_or(0, Vec::len)
}

impl Over {
    fn add(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let key_bytes = key.len();
        self.bytes += bytes_of(&key, value.as_ref());
        if let Some(before) = self.changes.insert(key, value) {
            self.bytes -= key_bytes + before.map_or(0, |value| value.len());
        }
    }

    fn within(&self, span: &Span) -> Changes {
        let to = if span.to.is_empty() { Bound::Unbounded } else { Bound::Excluded(span.to.as_slice()) };
        let range = (Bound::Included(span.from.as_slice()), to);
        let [handed, changes] = [&*self.handed, &self.changes].map(|changes| changes.range::<[u8], _>(range));
        handed.chain(changes).map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

impl<S: Store> Gathered<S> {
    pub(crate) fn over(under: S) -> Self {
        Self { under, over: RwLock::default(), writing: Mutex::default() }
    }

    fn gathered(&self) -> RwLockReadGuard<'_, Over> {
        self.over.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, with: impl FnOnce(&mut Over)) {
        with(&mut self.over.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Hands what was gathered to the store, as one batch. Readers see it all the while: it is let go afterwards.
    fn hand_on(&self) -> Result<(), StateError> {
        if self.gathered().changes.is_empty() {
            return Ok(());
        }
        self.replace(|over| over.handed = Arc::new(std::mem::take(&mut over.changes)));
        let handed = Arc::clone(&self.gathered().handed);
        let outcome = self.under.write(Cow::Borrowed(&handed));
        self.replace(|over| {
            over.handed = Arc::default();
            match outcome {
                Ok(()) => over.bytes = 0,
                Err(_) => over.changes = Arc::unwrap_or_clone(handed),
            }
        });
        outcome
    }
}

impl<S: Store> Read for Gathered<S> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        let over = self.gathered();
        let changed = over.changes.get(key).or_else(|| over.handed.get(key)).cloned();
        drop(over);
        changed.map_or_else(|| self.under.get(key), Ok)
    }

    fn walk(&self, span: &Span, each: Each<'_>) -> Result<(), StateError> {
        if !span.to.is_empty() && span.to <= span.from {
            return Ok(());
        }
        // Before the store is looked into: what is handed on meanwhile is then seen twice rather than not at all.
        let changes = self.gathered().within(span);
        walk_over(&changes, &self.under, span, each)
    }
}

impl<S: Store> Store for Gathered<S> {
    fn write(&self, changes: Cow<'_, Changes>) -> Result<(), StateError> {
        let _alone = lock(&self.writing);
        let more: usize = changes.iter().map(|(key, value)| bytes_of(key, value.as_ref())).sum();
        if self.gathered().bytes + more > GATHERED_BYTES_MAX {
            self.hand_on()?;
        }
        self.replace(|over| changes.into_owned().into_iter().for_each(|(key, value)| over.add(key, value)));
        Ok(())
    }

    fn flush(&self) -> Result<(), StateError> {
        let _alone = lock(&self.writing);
        self.hand_on()?;
        self.under.flush()
    }

    fn fault(&self) -> Option<String> {
        self.under.fault()
    }

    fn len_bytes(&self) -> u64 {
        self.under.len_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MemoryStore, collect};
    use super::*;
    use proptest::prelude::*;
    use std::ops::ControlFlow;
    use std::sync::{OnceLock, Weak};

    fn change(key: &str, value: Option<&str>) -> Cow<'static, Changes> {
        Cow::Owned(Changes::from([(key.as_bytes().to_vec(), value.map(|v| v.as_bytes().to_vec()))]))
    }

    fn all(backwards: bool) -> Span {
        Span { from: Vec::new(), to: Vec::new(), backwards }
    }

    #[test]
    fn what_was_deleted_again_before_a_flush_never_reaches_the_store() {
        let store = Gathered::over(MemoryStore::default());
        store.write(change("work", Some("to do"))).unwrap();
        store.write(change("record", Some("first"))).unwrap();
        store.write(change("record", Some("second"))).unwrap();
        assert_eq!(store.get(b"work").unwrap().as_deref(), Some(&b"to do"[..]));
        store.write(change("work", None)).unwrap();
        assert_eq!(collect(&store.under, &all(false)).unwrap(), [], "nothing is in the store before a flush");
        assert_eq!(store.get(b"work").unwrap(), None);
        store.flush().unwrap();
        assert_eq!(collect(&store.under, &all(false)).unwrap(), [(b"record".to_vec(), b"second".to_vec())]);
        assert_eq!(store.gathered().bytes, 0);
    }

    #[test]
    fn no_more_is_gathered_than_its_bound_and_one_batch() {
        let store = Gathered::over(MemoryStore::default());
        let long = "x".repeat(GATHERED_BYTES_MAX / 3);
        for key in ["a", "b", "c", "d", "e", "f", "g"] {
            store.write(change(key, Some(&long))).unwrap();
            let gathered = store.gathered();
            let sum: usize = gathered.changes.iter().map(|(k, v)| bytes_of(k, v.as_ref())).sum();
            assert_eq!(gathered.bytes, sum);
            assert!(sum <= GATHERED_BYTES_MAX, "{sum}");
        }
        assert!(store.under.get(b"a").unwrap().is_some() && store.under.get(b"g").unwrap().is_none());
        store.write(change("h", Some(&long.repeat(5)))).unwrap();
        assert!(store.under.get(b"g").unwrap().is_some(), "a batch beyond the bound stands alone");
        store.write(change("i", Some("short"))).unwrap();
        assert!(store.under.get(b"h").unwrap().is_some());
    }

    #[test]
    fn what_the_store_refuses_stays_gathered() {
        struct Full(MemoryStore);
        impl Read for Full {
            fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
                self.0.get(key)
            }
            fn walk(&self, span: &Span, each: Each<'_>) -> Result<(), StateError> {
                self.0.walk(span, each)
            }
        }
        impl Store for Full {
            fn write(&self, _changes: Cow<'_, Changes>) -> Result<(), StateError> {
                Err(StateError("full".to_owned()))
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
        let store = Gathered::over(Full(MemoryStore::default()));
        store.write(change("a", Some("1"))).unwrap();
        assert!(store.flush().is_err());
        assert_eq!(store.get(b"a").unwrap().as_deref(), Some(&b"1"[..]));
        store.write(change("b", Some("2"))).unwrap();
        assert_eq!(collect(&store, &all(false)).unwrap().len(), 2);
    }

    /// The store itself looks back at what lies over it while it is written to.
    #[test]
    fn what_is_being_handed_on_is_seen_all_the_while() {
        struct Looking(MemoryStore, OnceLock<Weak<Gathered<Looking>>>, Mutex<Vec<usize>>);
        impl Read for Looking {
            fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
                self.0.get(key)
            }
            fn walk(&self, span: &Span, each: Each<'_>) -> Result<(), StateError> {
                self.0.walk(span, each)
            }
        }
        impl Store for Looking {
            fn write(&self, changes: Cow<'_, Changes>) -> Result<(), StateError> {
                let over = self.1.get().and_then(Weak::upgrade).unwrap();
                assert_eq!(over.get(b"a")?.as_deref(), Some(&b"1"[..]));
                lock(&self.2).push(collect(&*over, &all(true))?.len());
                self.0.write(changes)
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
        let store = Looking(MemoryStore::default(), OnceLock::new(), Mutex::default());
        let store = Arc::new(Gathered::over(store));
        store.under.1.set(Arc::downgrade(&store)).unwrap();
        store.write(change("a", Some("1"))).unwrap();
        store.flush().unwrap();
        store.write(change("b", Some("2"))).unwrap();
        store.flush().unwrap();
        assert_eq!(*lock(&store.under.2), [1, 2]);
    }

    proptest! {
        /// Whatever is written, read and flushed in whatever order: a store under gathered changes shows what a plain
        /// one does, forwards, backwards, and in any part.
        #[test]
        fn gathered_changes_and_a_plain_store_show_the_same(
            steps in prop::collection::vec((0..12_u8, prop::option::of(0..4_u8), prop::bool::weighted(0.2)), 1..60),
            from in 0..12_u8,
            to in 0..14_u8,
        ) {
            let (plain, store) = (MemoryStore::default(), Gathered::over(MemoryStore::default()));
            for (key, value, flush) in steps {
                let changes = Changes::from([(vec![key], value.map(|v| vec![v]))]);
                plain.write(Cow::Borrowed(&changes)).unwrap();
                store.write(Cow::Borrowed(&changes)).unwrap();
                if flush {
                    store.flush().unwrap();
                }
                prop_assert_eq!(plain.get(&[key]).unwrap(), store.get(&[key]).unwrap());
            }
            let to = if to == 13 { Vec::new() } else { vec![to] };
            for backwards in [false, true] {
                let span = Span { from: vec![from], to: to.clone(), backwards };
                prop_assert_eq!(collect(&plain, &span).unwrap(), collect(&store, &span).unwrap());
                let first = |read: &dyn Read| {
                    let mut first = None;
                    read.walk(&span, &mut |key, _| { first = Some(key.to_vec()); ControlFlow::Break(()) }).unwrap();
                    first
                };
                prop_assert_eq!(first(&plain), first(&store));
            }
        }
    }
}
