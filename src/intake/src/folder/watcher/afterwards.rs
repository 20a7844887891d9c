//! Files that were put away are looked at for some hours more: whoever holds one open writes on where it lies now.

use super::{
    super::{
        away,
        look::Likeness,
        name::shown,
        take::{self, Outcome},
        words,
    },
    Halt, Watcher,
};
use crate::{irregular::Irregularity, said::Said, settings::Link, store::Stored};
use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// As long as a file is looked at after it was put away, or after its rest was taken.
const LOOK_FOR: Duration = Duration::from_hours(12);
/// As often.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// So many at most; of more, the last ones.
const FILES_MAX: usize = 500;

/// A file that was taken and put away.
struct Past {
    /// As it was called in the folder.
    name: OsString,
    path: PathBuf,
    /// As it was taken.
    seen: Likeness,
    since: Instant,
    /// As it has been looking since then, when it does not as it was taken.
    changed: Option<(Likeness, Instant)>,
    /// A person was told so.
    told: bool,
}

/// What is remembered of them.
#[derive(Default)]
pub(super) struct Afterwards {
    files: VecDeque<Past>,
    looked: Option<Instant>,
}

impl Afterwards {
    pub(super) fn remember(&mut self, name: &OsStr, path: PathBuf, seen: Likeness) {
        self.files.retain(|past| past.path != path);
        if self.files.len() >= FILES_MAX {
            self.files.pop_front();
        }
        let (name, since) = (name.to_owned(), Instant::now());
        self.files.push_back(Past { name, path, seen, since, changed: None, told: false });
    }

    /// What the status says while the rest of one is waited for.
    pub(super) fn standing(&self) -> Option<Said> {
        let mut changed = self.files.iter().filter(|past| past.changed.is_some());
        let first = changed.next()?;
        Some(words::of_files(&first.name, &words::written_on(), changed.count()))
    }

    fn at(&mut self, path: &Path) -> Option<&mut Past> {
        self.files.iter_mut().find(|past| past.path == path)
    }

    /// Whether it is time to look, and where.
    fn due(&mut self) -> Vec<PathBuf> {
        self.files.retain(|past| past.since.elapsed() < LOOK_FOR);
        if self.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return Vec::new();
        }
        self.looked = Some(Instant::now());
        self.files.iter().map(|past| past.path.clone()).collect()
    }
}

impl Past {
    /// Takes in how it looks; whether it has changed, and not again for `settle`.
    fn sees(&mut self, now: Likeness, begun: Instant, settle: Duration) -> bool {
        if now == self.seen || !now.is_of(self.seen) {
            self.changed = None;
            return false;
        }
        match self.changed {
            Some((likeness, since)) if likeness == now => begun.saturating_duration_since(since) >= settle,
            Some(_) | None => {
                self.changed = Some((now, Instant::now()));
                false
            }
        }
    }
}

impl Watcher<'_> {
    /// Looks at what was put away, tells what was written on, and takes it once more when it has settled.
    pub(super) async fn look_back(&mut self) -> Result<(), Halt> {
        let paths = self.afterwards.due();
        if paths.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        let look = move || -> Vec<_> {
            paths.into_iter().filter_map(|path| Some((away::likeness(&path).ok()?, path))).collect()
        };
        // A wish of its own is what was written, not when.
        let orders = matches!(self.connection.link, Link::Files { orders: true, .. });
        let (mut settled, mut grown) = (Vec::new(), Vec::new());
        for (likeness, path) in self.patiently(look).await? {
            let Some(past) = self.afterwards.at(&path) else { continue };
            let other_size = likeness.bytes != past.seen.bytes;
            if !other_size && orders {
                continue;
            }
            if past.sees(likeness, begun, self.folder.settle) {
                settled.push((path, likeness));
            }
            // The time alone may come late from a share.
            if other_size && past.changed.is_some() && !std::mem::replace(&mut past.told, true) {
                grown.push(past.name.clone());
            }
        }
        for name in grown {
            self.tell_said(Irregularity::File, words::of_files(&name, &words::written_on(), 0));
        }
        for (path, likeness) in settled {
            self.take_rest(path, likeness).await?;
        }
        Ok(())
    }

    /// A file that was written on after it was taken, and is whole now.
    async fn take_rest(&mut self, path: PathBuf, seen: Likeness) -> Result<(), Halt> {
        let Some(name) = self.afterwards.at(&path).map(|past| past.name.clone()) else { return Ok(()) };
        let (file, bytes_max, mode) = (path.clone(), self.folder.bytes_max, self.connection.mode);
        match self.patiently(move || take::read(&file, seen, bytes_max, mode)).await? {
            Outcome::Whole(bytes) => {
                let stored = self.durable(&name, &bytes).await?;
                let told = self.afterwards.at(&path).is_some_and(|past| past.told);
                if stored == Stored::New && !told {
                    self.tell_said(Irregularity::File, words::of_files(&name, &words::written_on(), 0));
                }
            }
            Outcome::TooLong => {
                let why = words::too_long(seen.bytes, self.folder.bytes_max);
                self.board.refused(&self.connection.id, format!("file {}: {}", shown(&name), why.en));
                self.tell_said(Irregularity::File, words::rest_too_long(&name, &why));
            }
            // The next look tells.
            Outcome::Gone | Outcome::Changed | Outcome::Hindered(_) => return Ok(()),
        }
        self.afterwards.remember(&name, path, seen);
        Ok(())
    }
}
