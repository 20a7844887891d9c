//! Which files make the journal, and where each of them ends.

use super::format::{FILE_HEADER_BYTES, FileHeader, HeaderFault};
use super::scan;
use crate::Seq;
use crate::storage::Storage;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Damage to what was durable once. Named, never skipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("journal file {file}, byte {offset}, entry {seq}: {what}")]
pub struct Damage {
    /// File name.
    pub file: String,
    /// First byte of the damaged piece.
    pub offset: u64,
    /// The first entry that cannot be read.
    pub seq: Seq,
    /// What is wrong.
    pub what: String,
}

/// Why a journal cannot be laid out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LayoutError {
    #[error("cannot read the journal: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Damage(Damage),
    #[error("journal file {file}: {why}")]
    Foreign { file: String, why: HeaderFault },
}

/// A file of the journal.
#[derive(Debug, Clone)]
pub(crate) struct FileSpan {
    pub(crate) path: PathBuf,
    pub(crate) header: FileHeader,
    /// Where it ends. For the last file: its length.
    pub(crate) end: u64,
    /// Its length.
    pub(crate) length: u64,
}

impl FileSpan {
    pub(crate) fn name(&self) -> String {
        file_name(self.header.number)
    }
}

/// A file that no header leads to: it was begun and given up, and holds nothing that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct VoidFile {
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

/// The journal's files in order.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) files: Vec<FileSpan>,
    /// Files that no header leads to.
    pub(crate) void: Vec<VoidFile>,
    /// The highest number in use by any file.
    pub(crate) highest: u32,
}

/// `00000012.log`
pub(crate) fn file_name(number: u32) -> String {
    format!("{number:08}.log")
}

struct Found {
    bytes: u64,
    header: Result<FileHeader, HeaderFault>,
}

impl Layout {
    /// Reads every header in `folder` and walks back from the last file.
    pub(crate) fn read(storage: &dyn Storage, folder: &Path) -> Result<Self, LayoutError> {
        let mut found = BTreeMap::new();
        for name in storage.list(folder)? {
            let number = name.strip_suffix(".log").and_then(|n| n.parse::<u32>().ok());
            if let Some(number) = number.filter(|n| file_name(*n) == name && *n > 0) {
                found.insert(number, Self::look(storage, &folder.join(name))?);
            }
        }
        let Some(highest) = found.keys().next_back().copied() else {
            return Ok(Self::default());
        };
        let Some(tip) = Self::tip(storage, folder, &found)? else {
            return Ok(Self { files: Vec::new(), void: Self::void(&found, &[]), highest });
        };
        let mut files = Self::walk(folder, &found, tip)?;
        files.reverse();
        Ok(Self { void: Self::void(&found, &files), files, highest })
    }

    fn look(storage: &dyn Storage, path: &Path) -> Result<Found, LayoutError> {
        let file = storage.open_read(path)?;
        let mut bytes = [0; FILE_HEADER_BYTES];
        let read = file.read_at(0, &mut bytes)?;
        let header = FileHeader::read(bytes.get(..read).unwrap_or_default());
        Ok(Found { bytes: file.len_bytes()?, header })
    }

    /// The last file with a header. Files behind it without one were given up while they were made; one that
    /// holds a group all the same is damaged, since a header is synced before a group is written.
    fn tip(
        storage: &dyn Storage,
        folder: &Path,
        found: &BTreeMap<u32, Found>,
    ) -> Result<Option<u32>, LayoutError> {
        for (number, file) in found.iter().rev() {
            let name = file_name(*number);
            match &file.header {
                Ok(header) if header.number == *number => return Ok(Some(*number)),
                Ok(header) => {
                    let what = format!("the header belongs to file {}", file_name(header.number));
                    return Err(damage(name, 0, header.first, what));
                }
                Err(HeaderFault::Damaged) => {
                    let reader = storage.open_read(&folder.join(&name))?;
                    if scan::holds_later_group(reader.as_ref(), 0..file.bytes, Seq::NONE)?.is_some() {
                        return Err(damage(name, 0, Seq::NONE, HeaderFault::Damaged.to_string()));
                    }
                }
                Err(why) => return Err(LayoutError::Foreign { file: name, why: why.clone() }),
            }
        }
        Ok(None)
    }

    fn walk(folder: &Path, found: &BTreeMap<u32, Found>, tip: u32) -> Result<Vec<FileSpan>, LayoutError> {
        let mut files: Vec<FileSpan> = Vec::new();
        let mut number = tip;
        loop {
            let name = file_name(number);
            let after = files.last().map(|f| (f.header.first, f.header.previous_end));
            let expected = after.map_or(Seq::NONE, |(first, _)| first);
            let Some(file) = found.get(&number) else {
                return Err(damage(
                    name,
                    0,
                    Seq::NONE,
                    format!("the file is missing; entries before {expected} stood in it"),
                ));
            };
            let header = match &file.header {
                Ok(header) if header.number == number => header.clone(),
                Ok(_) => {
                    return Err(damage(name, 0, Seq::NONE, "the header belongs to another file".to_owned()));
                }
                Err(why) => return Err(damage(name, 0, Seq::NONE, why.to_string())),
            };
            let end = after.map_or(file.bytes, |(_, end)| end);
            if end > file.bytes || end < FILE_HEADER_BYTES as u64 {
                let what = format!("the file has {} bytes; its successor says {end}", file.bytes);
                return Err(damage(name, file.bytes, expected, what));
            }
            let previous = header.previous;
            let starts = previous == 0 && (header.first != Seq::new(1) || header.previous_end != 0);
            if starts || previous >= number || after.is_some_and(|(first, _)| header.first > first) {
                return Err(damage(
                    name,
                    0,
                    header.first,
                    "the header does not fit its neighbours".to_owned(),
                ));
            }
            files.push(FileSpan { path: folder.join(&name), header, end, length: file.bytes });
            if previous == 0 {
                return Ok(files);
            }
            number = previous;
        }
    }

    fn void(found: &BTreeMap<u32, Found>, files: &[FileSpan]) -> Vec<VoidFile> {
        let used = |number: u32| files.iter().any(|f| f.header.number == number);
        let given_up = found.iter().filter(|(number, _)| !used(**number));
        given_up.map(|(number, file)| VoidFile { name: file_name(*number), bytes: file.bytes }).collect()
    }
}

fn damage(file: String, offset: u64, seq: Seq, what: String) -> LayoutError {
    LayoutError::Damage(Damage { file, offset, seq, what })
}
