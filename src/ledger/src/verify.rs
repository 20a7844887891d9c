//! Checking a journal.

use crate::journal::format::FILE_HEADER_BYTES;
use crate::journal::{Check, Damage, Layout, ScanError, Scanner, TailError};
use crate::open::Progress;
use crate::storage::Storage;

/// Journals up to this size are checked whole at every start; of longer ones the last file is, and the rest by
/// `verify`.
pub(crate) const CHECK_AT_START_BYTES_MAX: u64 = 256 << 20;

/// Checks every file but the last: checksums and sequence numbers.
pub(crate) fn check_closed(
    storage: &dyn Storage,
    layout: &Layout,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), TailError> {
    let Some((_, closed)) = layout.files.split_last() else { return Ok(()) };
    let of: u64 = closed.iter().map(|f| f.end).sum();
    if of > CHECK_AT_START_BYTES_MAX {
        return Ok(());
    }
    let mut done = 0;
    for (span, next) in closed.iter().zip(layout.files.iter().skip(1)) {
        let file = storage.open_read(&span.path).map_err(TailError::Io)?;
        let mut scanner = Scanner::new(
            file.as_ref(),
            FILE_HEADER_BYTES as u64..span.end,
            (span.header.hash, Check::Chain),
            (span.header.first, span.header.chain),
        );
        loop {
            match scanner.piece() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(ScanError::Io(error)) => return Err(TailError::Io(error)),
                Err(ScanError::Broken(b)) => {
                    return Err(TailError::Damage(Damage {
                        file: span.name(),
                        offset: b.at,
                        seq: b.seq,
                        what: b.why,
                    }));
                }
            }
        }
        if scanner.expected() != (next.header.first, next.header.chain) {
            let what = "the next file does not go on where this one ends".to_owned();
            let seq = scanner.expected().0;
            return Err(TailError::Damage(Damage { file: span.name(), offset: span.end, seq, what }));
        }
        done += span.end;
        progress(Progress::Checking { done, of });
    }
    Ok(())
}
