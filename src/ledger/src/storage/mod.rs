//! The few things the journal asks of a file system, so that tests can put a worse one under it.

mod model;
mod real;

pub use model::{Model, PowerCut};
pub use real::RealStorage;

use std::{fmt, io, path::Path};

/// A file system as the journal uses it: files are made, appended to, synced and read. They are written in the middle
/// only where zeroes stand that were put there for it, and nothing else is ever cut off.
pub trait Storage: fmt::Debug + Send + Sync + 'static {
    /// Makes a folder and its parents durable.
    ///
    /// # Errors
    /// What the file system says.
    fn make_folder(&self, folder: &Path) -> io::Result<()>;
    /// The names in a folder, in no order.
    ///
    /// # Errors
    /// What the file system says.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Makes a new file, empty. Durable only after [`Storage::sync_folder`].
    ///
    /// # Errors
    /// What the file system says; `AlreadyExists` when there is one.
    fn create(&self, file: &Path) -> io::Result<Box<dyn Append>>;
    /// Opens a file to read.
    ///
    /// # Errors
    /// What the file system says.
    fn open_read(&self, file: &Path) -> io::Result<Box<dyn ReadAt>>;
    /// Removes a file. The journal never does that; the ballast goes this way.
    ///
    /// # Errors
    /// What the file system says.
    fn remove(&self, file: &Path) -> io::Result<()>;
    /// Makes a file that takes up `bytes` of the disk.
    ///
    /// # Errors
    /// What the file system says.
    fn take_space(&self, file: &Path, bytes: u64) -> io::Result<()>;
    /// Whether there is such a file.
    fn exists(&self, file: &Path) -> bool;
    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// What the file system says.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Bytes an ordinary user can still write.
    ///
    /// # Errors
    /// What the file system says.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;
}

/// A file being appended to.
pub trait Append: Send {
    /// Writes all of `bytes` behind what was appended last.
    ///
    /// # Errors
    /// What the file system says; part of the bytes may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Puts `bytes` zeroes behind the end of the file, if it can: what is appended next is written over them, and its
    /// sync then has no new length and no new blocks to make durable. Readers see them. Where that fails nothing is
    /// lost, and it is not tried again. When the handle goes, zeroes that nothing was written over may go too.
    fn fill_ahead(&mut self, bytes: usize);
    /// Makes everything appended durable: `fdatasync`.
    ///
    /// # Errors
    /// What the file system says. The handle is then never used again: a second sync may say yes to bytes
    /// that the first one dropped.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file being read at any place.
pub trait ReadAt: Send + Sync {
    /// Its length now.
    ///
    /// # Errors
    /// What the file system says.
    fn len_bytes(&self) -> io::Result<u64>;
    /// Reads up to `into.len()` bytes at `offset`; fewer only at the end of the file.
    ///
    /// # Errors
    /// What the file system says.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
}
