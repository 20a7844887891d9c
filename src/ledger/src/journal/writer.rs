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

/// A buffer that grew beyond this for a long group is given back.
const BUFFER_KEPT_BYTES_MAX: usize = 4 << 20;
/// Bodies up to this length are kept until their hash is wanted; longer ones are hashed at once.
const LATER_BYTES_MAX: usize = 64 << 10;

/// An entry's body, and its hash where whoever brought it knows that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryBody<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) hash: Option<ChainHash>,
}

/// The hash of the last entry. Nothing but the entry behind it holds it, so it is worked out when that comes, and
/// nobody who waits for the last entry waits for its hash.
#[derive(Debug, Clone)]
enum Last {
    Known(ChainHash),
    Unhashed(Stamp, Vec<u8>),
}

/// A group being put together in a buffer that is used again.
#[derive(Debug)]
pub(crate) struct Group {
    bytes: Vec<u8>,
    entries: u32,
    first: Seq,
    next: Seq,
    /// The hash of the entry before the first; of a group without entries it is not known yet.
    before: ChainHash,
    last: Last,
    algorithm: HashAlgorithm,
}

impl Group {
    /// A group that goes on where `writer` stands.
    pub(crate) fn behind(writer: &Writer) -> Self {
        let before = writer.chain.unwrap_or_default();
        let mut group = Self {
            bytes: Vec::new(),
            entries: 0,
            first: writer.next,
            next: writer.next,
            before,
            last: Last::Known(before),
            algorithm: writer.algorithm,
        };
        group.empty();
        group
    }

    /// Begins anew, behind `group`, which is asked for its last hash no more.
    pub(crate) fn follow(&mut self, group: &mut Self) {
        (self.first, self.next) = (group.next, group.next);
        self.last = std::mem::replace(&mut group.last, Last::Known(ChainHash::default()));
        self.empty();
    }

    fn empty(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(BUFFER_KEPT_BYTES_MAX);
        self.bytes.extend_from_slice(&[0; GROUP_HEADER_BYTES]);
        self.entries = 0;
    }

    /// Adds entries. All of their hashes that are needed for that are made together; the last one's only if it is
    /// long.
    pub(crate) fn extend(&mut self, at_ms: i64, bodies: &[EntryBody<'_>]) {
        let Some(last) = bodies.len().checked_sub(1) else { return };
        let later = |(place, body): (usize, &EntryBody<'_>)| {
            place == last && body.bytes.len() <= LATER_BYTES_MAX && body.hash.is_none()
        };
        let unhashed = match &self.last {
            Last::Known(_) => None,
            Last::Unhashed(_, body) => Some(body.as_slice()),
        };
        let asked = bodies.iter().enumerate().filter(|asked| asked.1.hash.is_none() && !later(*asked));
        let wanted: Vec<&[u8]> = unhashed.into_iter().chain(asked.map(|(_, body)| body.bytes)).collect();
        let mut hashes = self.algorithm.of_each(&wanted).into_iter();
        let mut chain = match &self.last {
            Last::Known(chain) => *chain,
            Last::Unhashed(stamp, _) => stamp.link(self.algorithm, hashes.next().unwrap_or_default()),
        };
        if self.entries == 0 {
            self.before = chain;
        }
        self.last = Last::Known(chain);
        for (place, body) in bodies.iter().enumerate() {
            let stamp = Stamp { seq: self.next, at_ms, previous: chain };
            Frame::write(stamp, body.bytes, &mut self.bytes);
            self.entries += 1;
            self.next = self.next.next();
            if later((place, body)) {
                self.last = Last::Unhashed(stamp, body.bytes.to_vec());
            } else {
                let hash = body.hash.or_else(|| hashes.next()).unwrap_or_default();
                chain = stamp.link(self.algorithm, hash);
                self.last = Last::Known(chain);
            }
        }
    }

    /// The hash before what comes first: before this group's first entry, or before the one that will be.
    pub(crate) fn before(&mut self) -> ChainHash {
        if self.entries == 0 {
            self.before = self.last_hash();
        }
        self.before
    }

    /// The hash of the last entry, this group's or the one before it.
    pub(crate) fn last_hash(&mut self) -> ChainHash {
        let hash = match &self.last {
            Last::Known(hash) => *hash,
            Last::Unhashed(stamp, body) => stamp.link(self.algorithm, self.algorithm.of(&[body])),
        };
        self.last = Last::Known(hash);
        hash
    }

    /// Whether it has no entry.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The place behind its last entry.
    pub(crate) fn next(&self) -> Seq {
        self.next
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

/// Groups longer than this are written without zeroes ahead of the next: their sync takes its time anyway.
const SMALL_BYTES: u64 = 64 << 10;

/// How long files of the journal become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileSizes {
    /// A file that has grown to this is closed and the next begun.
    pub(crate) bytes_max: u64,
    /// Bytes that are filled ahead of what is written, again and again.
    pub(crate) ahead_bytes: u32,
}

impl FileSizes {
    /// Filled ahead in a station's journal: thousands of frames, or a hundred small messages.
    pub(crate) const AHEAD_BYTES: u32 = 128 << 10;
}

struct Current {
    file: Box<dyn Append>,
    number: u32,
    length: u64,
    /// Where what was filled ahead ends.
    filled: u64,
}

/// The one writer of a journal.
pub(crate) struct Writer {
    storage: Arc<dyn Storage>,
    folder: PathBuf,
    pub(crate) index: Arc<Index>,
    pub(crate) algorithm: HashAlgorithm,
    sizes: FileSizes,
    current: Option<Current>,
    /// The highest file number ever used, by whatever came of it.
    highest: u32,
    /// The last good file and where it ends.
    previous: (u32, u64),
    next: Seq,
    /// The hash of the entry before `next`; not known between a group's sync and [`Writer::learn`].
    chain: Option<ChainHash>,
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
        sizes: FileSizes,
        found: Recovered,
    ) -> Self {
        Self {
            storage,
            folder,
            index,
            algorithm: found.algorithm,
            sizes,
            current: None,
            highest: found.highest,
            previous: found.previous,
            next: found.next,
            chain: Some(found.chain),
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
    /// it, and the next write begins a new file. After a success [`Writer::learn`] is due before anything but the
    /// next group.
    pub(crate) fn commit(&mut self, group: &mut Group, now_ms: i64) -> io::Result<()> {
        let (first, next, before) = (group.first, group.next, group.before);
        if first != self.next || self.chain.is_some_and(|chain| chain != before) {
            return Err(io::Error::other("the group does not go on where the journal ends"));
        }
        self.chain = Some(before);
        let bytes = group.finish();
        if self.current.as_ref().is_none_or(|c| c.length >= self.sizes.bytes_max) {
            self.begin(now_ms)?;
        }
        self.append(bytes)?;
        (self.next, self.chain) = (next, None);
        self.unsealed = true;
        self.index.extend(self.previous.1, next);
        Ok(())
    }

    /// The hash of the last entry that was written is `chain`.
    pub(crate) fn learn(&mut self, chain: ChainHash) {
        self.chain = Some(chain);
    }

    fn chain(&self) -> io::Result<ChainHash> {
        self.chain.ok_or_else(|| io::Error::other("the hash of the last entry was not worked out"))
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
        write_seal(self.next, self.chain()?, &mut bytes);
        self.append(&bytes)?;
        self.unsealed = false;
        self.index.extend(self.previous.1, self.next);
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Taken out: a handle that failed is dropped, never synced again.
        let mut current = self.current.take().ok_or_else(|| io::Error::other("no journal file is open"))?;
        current.file.append(bytes)?;
        let length = bytes.len() as u64;
        current.length += length;
        // In the same sync as this group: the next ones that are as long then change nothing but bytes.
        if length <= SMALL_BYTES && current.length + length > current.filled {
            current.file.fill_ahead(usize::try_from(self.sizes.ahead_bytes).unwrap_or_default());
            current.filled = current.filled.max(current.length) + u64::from(self.sizes.ahead_bytes);
        }
        current.file.sync()?;
        self.previous = (current.number, current.length);
        self.current = Some(current);
        Ok(())
    }

    /// Begins a file. Its header is durable before anything else is written to it, and a group that it takes over
    /// is before anything new: at any moment at most one group is not synced.
    fn begin(&mut self, now_ms: i64) -> io::Result<()> {
        self.current = None;
        let chain = self.chain()?;
        let number =
            self.highest.checked_add(1).ok_or_else(|| io::Error::other("no file numbers are left"))?;
        self.highest = number;
        let (first, chain) = self.carry.as_ref().map_or((self.next, chain), |c| (c.first, c.chain_before));
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
        self.current = Some(Current { file, number, length, filled: length });
        Ok(())
    }
}
