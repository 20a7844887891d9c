//! The machine's own file system.

use super::{Append, ReadAt, Storage};
use rustix::fs::FallocateFlags;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The machine's own file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealStorage;

struct Appender(File);
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
        let file = OpenOptions::new().append(true).create_new(true).open(file)?;
        Ok(Box::new(Appender(file)))
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
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
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
