//! One look into a folder: what is there, and what is known of it.

use super::{
    away::Place,
    name::{REASON, is_partial, matches, shown},
};
use crate::said::Said;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// Files considered at one look; what is beyond that is for the next ones, and the status says so.
pub(super) const FILES_MAX: usize = 100_000;

/// What tells whether a file has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Likeness {
    pub(super) bytes: u64,
    modified: SystemTime,
    inode: u64,
}

impl Likeness {
    pub(super) fn of(about: &Metadata) -> io::Result<Self> {
        Ok(Self { bytes: about.len(), modified: about.modified()?, inode: about.ino() })
    }

    /// Whether it is the same file, however it has changed.
    pub(super) fn is_of(self, other: Self) -> bool {
        self.inode == other.inode
    }
}

/// What one look found.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Files whose names match.
    pub(super) files: Vec<(OsString, Likeness)>,
    /// Files that say they are being written.
    pub(super) partial: Vec<(OsString, Likeness)>,
    /// How many are none of these: names that do not match, and links, which are not followed.
    pub(super) passed_over: usize,
    /// The first of them.
    pub(super) passed_over_first: Option<String>,
    /// There was more than one look can hold.
    pub(super) more: bool,
    /// The file system that the folder is on.
    pub(super) device: u64,
}

/// Looks once. Folders and links are not followed.
pub(super) fn list(folder: &Path, pattern: &str) -> io::Result<Listing> {
    let mut found = Listing { device: fs::metadata(folder)?.dev(), ..Listing::default() };
    let wants_partial = is_partial(pattern);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = match entry.metadata() {
            Ok(about) => about,
            // It went while we looked.
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        if about.is_dir() {
            continue;
        }
        if found.files.len() + found.partial.len() >= FILES_MAX {
            found.more = true;
            break;
        }
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let partial = is_partial(&text) && !wants_partial;
        if !about.is_file() || text.ends_with(REASON) || !(partial || matches(pattern, &text)) {
            found.passed_over += 1;
            found.passed_over_first.get_or_insert_with(|| shown(&name));
        } else if partial {
            found.partial.push((name, Likeness::of(&about)?));
        } else {
            found.files.push((name, Likeness::of(&about)?));
        }
    }
    // As they were written: what came first is read first.
    found.files.sort_by(|(a, one), (b, other)| (one.modified, a).cmp(&(other.modified, b)));
    Ok(found)
}

/// How far a file has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Seen, and not yet taken.
    Seen,
    /// Nothing but the move is left: its bytes are durable, or it is for a person.
    ToMove(Place),
    /// Nothing more is to be done with it.
    Done,
}

/// What is remembered of a file from look to look.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) likeness: Likeness,
    pub(super) stage: Stage,
    /// Since when there is a file of that name.
    pub(super) first: Instant,
    /// Since when it looks as it does.
    pub(super) since: Instant,
    /// Since when it cannot be taken, and why.
    pub(super) waits: Option<(Instant, Said)>,
    /// A person was told that it waits.
    pub(super) told: bool,
    /// When it is tried to be moved again.
    pub(super) again_at: Option<Instant>,
}

impl Known {
    fn new(likeness: Likeness, first: Instant, since: Instant) -> Self {
        Self { likeness, stage: Stage::Seen, first, since, waits: None, told: false, again_at: None }
    }

    /// It waits, for this; gives how long it has been waiting for anything.
    pub(super) fn wait(&mut self, why: Said) -> Duration {
        let since = self.waits.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        self.waits = Some((since, why));
        since.elapsed()
    }
}

/// What is remembered of a folder's files.
#[derive(Debug, Default)]
pub(super) struct Memory(BTreeMap<OsString, Known>);

impl Memory {
    /// Takes in a look that was begun at `begun`: forgets what is gone, and gives the files that have not changed for
    /// `settle`.
    pub(super) fn settle(
        &mut self,
        files: &[(OsString, Likeness)],
        begun: Instant,
        settle: Duration,
    ) -> Vec<OsString> {
        let mut before = std::mem::take(&mut self.0);
        let mut settled = Vec::new();
        let now = Instant::now();
        for (name, likeness) in files {
            let known = match before.remove(name) {
                Some(known) if known.likeness == *likeness => known,
                Some(other) => Known::new(*likeness, other.first, now),
                None => Known::new(*likeness, now, now),
            };
            // Between the end of the first look and the beginning of this one.
            if begun.saturating_duration_since(known.since) >= settle {
                settled.push(name.clone());
            }
            self.0.insert(name.clone(), known);
        }
        settled
    }

    pub(super) fn get(&mut self, name: &OsString) -> Option<&mut Known> {
        self.0.get_mut(name)
    }

    pub(super) fn forget(&mut self, name: &OsString) {
        self.0.remove(name);
    }

    /// Files that have not changed for `patience`, each once. Hidden ones are nobody's business.
    pub(super) fn overdue(&mut self, patience: Duration) -> Vec<OsString> {
        let mut found = Vec::new();
        for (name, known) in &mut self.0 {
            let hidden = name.as_encoded_bytes().first() == Some(&b'.');
            if !hidden && !known.told && known.since.elapsed() >= patience {
                known.told = true;
                found.push(name.clone());
            }
        }
        found
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&OsString, &Known)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(files: &[(OsString, Likeness)]) -> Vec<String> {
        files.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_is_whole_when_it_has_not_changed_for_as_long_as_it_should() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        let mut memory = Memory::default();
        let settle = Duration::from_secs(2);
        for (text, wait_ms, expect) in [
            (Some("1"), 0, false),
            (None, 1_999, false),
            (Some("1,2"), 1, false),
            (None, 1_000, false),
            (None, 999, false),
            (None, 1, true),
            (None, 0, true),
        ] {
            tokio::time::advance(Duration::from_millis(wait_ms)).await;
            if let Some(text) = text {
                fs::write(&file, text).unwrap();
            }
            let files = list(folder.path(), "*").unwrap().files;
            let settled = memory.settle(&files, Instant::now(), settle);
            assert_eq!(!settled.is_empty(), expect, "{text:?} after {wait_ms} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_takes_long_does_not_make_a_file_whole() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.csv"), "1").unwrap();
        let mut memory = Memory::default();
        let files = list(folder.path(), "*").unwrap().files;
        memory.settle(&files, Instant::now(), Duration::from_secs(2));
        let begun = Instant::now();
        tokio::time::advance(Duration::from_secs(9)).await;
        assert!(memory.settle(&files, begun, Duration::from_secs(2)).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_was_replaced_by_one_of_its_size_and_time_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("a.csv"), folder.path().join("b.csv.tmp"));
        fs::write(&file, "1").unwrap();
        let mut memory = Memory::default();
        let mut look = || {
            memory.settle(&list(folder.path(), "*").unwrap().files, Instant::now(), Duration::from_secs(2))
        };
        look();
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        fs::write(&other, "2").unwrap();
        fs::File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
        fs::rename(&other, &file).unwrap();
        tokio::time::advance(Duration::from_secs(3)).await;
        assert!(look().is_empty());
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(look(), ["a.csv"]);
    }

    #[test]
    fn links_folders_reasons_and_unfinished_files_are_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir(path.join("sub.csv")).unwrap();
        fs::write(path.join("sub.csv/inner.csv"), "1").unwrap();
        symlink(path.join("real.csv"), path.join("link.csv")).unwrap();
        symlink("/nowhere", path.join("broken.csv")).unwrap();
        for name in ["real.csv", "b.csv.part", ".real.csv.Xy", "notes.txt", "old.csv.reason"] {
            fs::write(path.join(name), "1").unwrap();
        }
        let check = |pattern: &str, files: &[&str], partial: &[&str], passed_over: usize| {
            let found = list(path, pattern).unwrap();
            let sorted = |files: &[_]| {
                let mut names = names(files);
                names.sort();
                names
            };
            assert_eq!(sorted(&found.files), files, "{pattern}");
            assert_eq!(sorted(&found.partial), partial, "{pattern}");
            assert_eq!(found.passed_over, passed_over, "{pattern}");
            assert_eq!(found.passed_over_first.is_some(), passed_over > 0);
        };
        check("*.csv", &["real.csv"], &[".real.csv.Xy", "b.csv.part"], 4);
        check("*", &["notes.txt", "real.csv"], &[".real.csv.Xy", "b.csv.part"], 3);
        check("*.part", &["b.csv.part"], &[], 6);
    }

    #[test]
    fn files_come_in_the_order_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        for (name, seconds) in [("a", 30), ("b", 10), ("c", 20), ("d", 10)] {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        }
        assert_eq!(names(&list(folder.path(), "*").unwrap().files), ["b", "d", "c", "a"]);
    }
}
