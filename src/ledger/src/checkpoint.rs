//! How far the state was durable, noted beside it: the only way to notice a store that opens empty.

use crate::{ChainHash, Seq};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// What was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Checkpoint {
    /// The state was durable up to here.
    pub(crate) applied: Seq,
    /// Digest of the whole state, if nothing was written since: noted at an orderly end.
    pub(crate) digest: Option<ChainHash>,
}

impl Checkpoint {
    /// What was last noted in `dir`. A note that cannot be read says nothing.
    pub(crate) fn read(dir: &Path) -> Self {
        let text = fs::read_to_string(dir.join("CHECKPOINT")).unwrap_or_default();
        let mut words = text.split_ascii_whitespace();
        let applied = words.next().and_then(|w| w.parse().ok()).map_or(Seq::NONE, Seq::new);
        Self { applied, digest: words.next().and_then(|w| ChainHash::try_from(w.to_owned()).ok()) }
    }

    /// Notes it, durably.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        let (path, new) = (dir.join("CHECKPOINT"), dir.join("CHECKPOINT.new"));
        let mut file = File::create(&new)?;
        match self.digest {
            Some(digest) => writeln!(file, "{} {digest}", self.applied)?,
            None => writeln!(file, "{}", self.applied)?,
        }
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(dir)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reads_back_and_a_broken_one_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Checkpoint::read(dir.path()), Checkpoint::default());
        for digest in [None, Some(ChainHash([7; 32]))] {
            let noted = Checkpoint { applied: Seq::new(12), digest };
            noted.write(dir.path()).unwrap();
            assert_eq!(Checkpoint::read(dir.path()), noted);
        }
        fs::write(dir.path().join("CHECKPOINT"), "\0\0\0").unwrap();
        assert_eq!(Checkpoint::read(dir.path()), Checkpoint::default());
    }
}
