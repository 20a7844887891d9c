//! The machine's own file system.

use super::{Append, ReadAt, Storage};
use rustix::fs::FallocateFlags;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The machine's own file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealStorage;

struct Appender {
    file: File,
    /// What was appended.
    end: u64,
    /// Where the file ends; `None` once anything failed: then nothing is filled ahead or given back any more.
    filled: Option<u64>,
}

struct Reader(File);

impl Storage for RealStorage {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        // A new folder is durable when its parent's names are.
        for parent in folder.ancestors().take(2).filter(|p| !p.as_os_str().is_empty()) {
            self.sync_folder(parent)?;
        }
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn Append>> {
        let file = OpenOptions::new().write(true).create_new(true).open(file)?;
        Ok(Box::new(Appender { file, end: 0, filled: Some(0) }))
    }

    fn open_read(&self, file: &Path) -> io::Result<Box<dyn ReadAt>> {
        Ok(Box::new(Reader(File::open(file)?)))
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        fs::remove_file(file)
    }

    fn take_space(&self, file: &Path, bytes: u64) -> io::Result<()> {
        let file = File::create(file)?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes) {
            Ok(()) => {}
            // Not every file system can.
            Err(rustix::io::Errno::OPNOTSUPP) => {
                io::copy(&mut io::repeat(0).take(bytes), &mut &file)?;
            }
            Err(error) => return Err(error.into()),
        }
        file.sync_all()
    }

    fn exists(&self, file: &Path) -> bool {
        file.exists()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let found = rustix::fs::statvfs(folder)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
}

impl Append for Appender {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let filled = self.filled.take();
        self.file.write_all_at(bytes, self.end)?;
        self.end = self.end.saturating_add(bytes.len() as u64);
        self.filled = filled.map(|filled| filled.max(self.end));
        Ok(())
    }

    fn fill_ahead(&mut self, bytes: usize) {
        let Some(filled) = self.filled.take() else { return };
        match self.file.write_all_at(&vec![0; bytes], filled) {
            Ok(()) => self.filled = Some(filled.saturating_add(bytes as u64)),
            Err(error) => tracing::debug!(%error, "the journal's file is not filled ahead any more"),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let filled = self.filled.take();
        self.file.sync_data()?;
        self.filled = filled;
        Ok(())
    }
}

/// What was filled ahead and is not needed any more is given back. A file that failed is left as it is.
impl Drop for Appender {
    fn drop(&mut self) {
        if self.filled.is_some_and(|filled| filled > self.end)
            && let Err(error) = self.file.set_len(self.end)
        {
            tracing::debug!(%error, "zeroes stay behind the end of a journal file");
        }
    }
}

impl ReadAt for Reader {
    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_is_written_over_what_was_filled_ahead() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.log");
        let mut file = RealStorage.create(&path).unwrap();
        let mut written = Vec::new();
        for (byte, length, ahead) in [(1, 96, 0), (2, 5000, 7000), (3, 6999, 0), (4, 1, 0), (5, 9, 100)] {
            let bytes = vec![byte; length];
            file.append(&bytes).unwrap();
            file.fill_ahead(ahead);
            file.sync().unwrap();
            written.extend(bytes);
            let there = fs::read(&path).unwrap();
            let (appended, zeroes) = there.split_at(written.len());
            assert_eq!(appended, written);
            assert!(zeroes.len() >= ahead && zeroes.iter().all(|byte| *byte == 0), "{byte}");
        }
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), written, "what is not needed is given back");
    }
}
