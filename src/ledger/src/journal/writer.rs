//! Writing the journal: one write and one sync a group, on a handle that is dropped at its first failure.

use super::format::{FileHeader, Frame, GROUP_HEADER_BYTES, GroupHeader, Stamp, write_seal};
use super::hash::{ChainHash, HashAlgorithm};
use super::index::Index;
use super::layout::file_name;
use super::recover::Recovered;
use super::tail::Unsealed;
use crate::Seq;
use crate::storage::{Append, Storage};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A group being put together in a buffer that is used again.
#[derive(Debug)]
pub(crate) struct Group {
    bytes: Vec<u8>,
    entries: u32,
    first: Seq,
    next: Seq,
    chain: ChainHash,
    algorithm: HashAlgorithm,
}

impl Group {
    pub(crate) fn new(algorithm: HashAlgorithm) -> Self {
        let (first, chain) = (Seq::NONE, ChainHash::default());
        Self { bytes: Vec::new(), entries: 0, first, next: first, chain, algorithm }
    }

    /// Begins anew, behind what `writer` wrote last.
    pub(crate) fn begin(&mut self, writer: &Writer) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&[0; GROUP_HEADER_BYTES]);
        self.entries = 0;
        (self.first, self.next, self.chain) = (writer.next, writer.next, writer.chain);
    }

    /// Adds an entry by its encoded body and the body's hash; gives its place.
    pub(crate) fn push(&mut self, at_ms: i64, body: &[u8], body_hash: ChainHash) -> Seq {
        let stamp = Stamp { seq: self.next, at_ms, previous: self.chain };
        Frame::write(stamp, body, &mut self.bytes);
        self.chain = stamp.link(self.algorithm, body_hash);
        self.entries += 1;
        self.next = self.next.next();
        stamp.seq
    }

    /// Length so far.
    pub(crate) fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    fn finish(&mut self) -> &[u8] {
        let bytes = u32::try_from(self.bytes.len() - GROUP_HEADER_BYTES).unwrap_or(u32::MAX);
        let header = GroupHeader { entries: self.entries, bytes, first: self.first };
        if let Some(place) = self.bytes.first_chunk_mut::<GROUP_HEADER_BYTES>() {
            *place = header.encode();
        }
        &self.bytes
    }
}

struct Current {
    file: Box<dyn Append>,
    number: u32,
    length: u64,
}

/// The one writer of a journal.
pub(crate) struct Writer {
    storage: Arc<dyn Storage>,
    folder: PathBuf,
    pub(crate) index: Arc<Index>,
    pub(crate) algorithm: HashAlgorithm,
    file_bytes_max: u64,
    current: Option<Current>,
    /// The highest file number ever used, by whatever came of it.
    highest: u32,
    /// The last good file and where it ends.
    previous: (u32, u64),
    next: Seq,
    chain: ChainHash,
    /// A group whose sync nobody saw; it goes first into the next file.
    carry: Option<Unsealed>,
    /// Something was written since the last seal.
    unsealed: bool,
}

impl Writer {
    /// Makes a writer that will begin a new file behind what was found.
    pub(super) fn new(
        (storage, folder): (Arc<dyn Storage>, PathBuf),
        index: Arc<Index>,
        file_bytes_max: u64,
        found: Recovered,
    ) -> Self {
        Self {
            storage,
            folder,
            index,
            algorithm: found.algorithm,
            file_bytes_max,
            current: None,
            highest: found.highest,
            previous: found.previous,
            next: found.next,
            chain: found.chain,
            carry: found.carry,
            unsealed: false,
        }
    }

    /// Whether a group found at the end has yet to be made sure of.
    pub(crate) fn carries(&self) -> bool {
        self.carry.is_some()
    }

    /// Whether a file is open and good.
    pub(crate) fn is_open(&self) -> bool {
        self.current.is_some()
    }

    /// Writes and syncs `group`. After an error nothing of it is acknowledged, the file it went to ends before
    /// it, and the next write begins a new file.
    pub(crate) fn commit(&mut self, group: &mut Group, now_ms: i64) -> io::Result<()> {
        let (next, chain) = (group.next, group.chain);
        let bytes = group.finish();
        if self.current.as_ref().is_none_or(|c| c.length >= self.file_bytes_max) {
            self.begin(now_ms)?;
        }
        self.append(bytes)?;
        (self.next, self.chain) = (next, chain);
        self.unsealed = true;
        self.index.extend(self.previous.1, next);
        Ok(())
    }

    /// Begins a file without a group, to see whether writing is possible.
    pub(crate) fn reopen(&mut self, now_ms: i64) -> io::Result<()> {
        self.begin(now_ms)
    }

    /// Whether [`Writer::seal`] has something to do.
    pub(crate) fn wants_seal(&self) -> bool {
        self.unsealed && self.current.is_some()
    }

    /// Marks everything so far as synced. Nothing is lost when it fails.
    pub(crate) fn seal(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        write_seal(self.next, self.chain, &mut bytes);
        self.append(&bytes)?;
        self.unsealed = false;
        self.index.extend(self.previous.1, self.next);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Taken out: a handle that failed is dropped, never synced again.
        let mut current = self.current.take().ok_or_else(|| io::Error::other("no journal file is open"))?;
        current.file.append(bytes)?;
        current.file.sync()?;
        current.length += bytes.len() as u64;
        self.previous = (current.number, current.length);
        self.current = Some(current);
        Ok(())
    }

    /// Begins a file. Its header is durable before anything else is written to it, and a group that it takes over
    /// is before anything new: at any moment at most one group is not synced.
    fn begin(&mut self, now_ms: i64) -> io::Result<()> {
        self.current = None;
        let number =
            self.highest.checked_add(1).ok_or_else(|| io::Error::other("no file numbers are left"))?;
        self.highest = number;
        let (first, chain) =
            self.carry.as_ref().map_or((self.next, self.chain), |c| (c.first, c.chain_before));
        let header = FileHeader {
            hash: self.algorithm,
            number,
            previous: self.previous.0,
            previous_end: self.previous.1,
            first,
            made_at_ms: now_ms,
            chain,
        };
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        let path = self.folder.join(file_name(number));
        let mut file = self.storage.create(&path)?;
        file.append(&bytes)?;
        file.sync()?;
        self.storage.sync_folder(&self.folder)?;
        let mut length = bytes.len() as u64;
        if let Some(carry) = &self.carry {
            file.append(&carry.bytes)?;
            file.sync()?;
            length += carry.bytes.len() as u64;
        }
        self.unsealed = self.carry.take().is_some();
        self.index.begin_file(path, header);
        self.index.extend(length, self.next);
        self.previous = (number, length);
        self.current = Some(Current { file, number, length });
        Ok(())
    }
}
