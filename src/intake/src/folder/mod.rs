//! Files that an analyser writes into a folder: taken when whole, once, and put away.
//!
//! ```text
//!  being written ──unchanged for a while──► whole ──durable──► taken/
//!       │ .part .tmp .name, growing           ├─ locked, empty, may not be read: waits, and the status says so
//!       └─ left alone                         └─ too big ──► parked/ with a .reason
//! ```
//! A file is known by its content, whatever it is called: the same again is put away and not used again, unless the mode
//! or the profile's revision is another one now, or it is an order and another came between; other content under the
//! same name is a message of its own. A crash between the disk and the move leaves the file where it is: at the
//! next look its content is found in the ledger. What was put away is looked at for some hours more: who holds it open
//! writes on there, and then it is told and taken again. Nothing is deleted, nothing is written over, and on a listen-only
//! connection nothing is even moved. Links and folders inside are not followed.

mod away;
mod look;
mod name;
mod take;
#[cfg(test)]
mod tests;
mod watcher;
mod words;

use crate::{board::Board, settings::Connection, store::Store};
use std::{path::PathBuf, time::Duration};
use tokio_util::sync::CancellationToken;
use watcher::Watcher;

/// Which files are taken, and when.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) pattern: String,
    pub(crate) bytes_max: u64,
    /// A file that has not changed for so long is whole.
    pub(crate) settle: Duration,
    pub(crate) patience: Patience,
}

/// How long what may pass is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// A file that is locked or may not be read shows at once in the status; after that it is an irregularity. It
    /// is never moved.
    pub(crate) hindered: Duration,
    /// An empty file may still be filled, and stays; after that it is an irregularity.
    pub(crate) empty: Duration,
    /// A file that is being written, by its name or because it grows; after that the status says so.
    pub(crate) unfinished: Duration,
    /// A file that could not be moved is tried again after so long.
    pub(crate) move_again: Duration,
    /// A folder that does not answer; after that the connection has failed, until it does.
    pub(crate) answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            hindered: Duration::from_mins(1),
            empty: Duration::from_mins(1),
            unfinished: Duration::from_mins(10),
            move_again: Duration::from_secs(30),
            answer: Duration::from_secs(30),
        }
    }
}

/// Watches a folder until `stop`.
pub(crate) async fn watch(
    connection: &Connection,
    folder: Folder,
    store: &Store,
    board: &Board,
    stop: &CancellationToken,
) {
    let mut watcher = Watcher::new(connection, folder, store, board, stop);
    while let Some(pause) = watcher.look().await {
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    watcher.stopped();
}
