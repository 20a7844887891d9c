//! Append, one fdatasync a group, then tell everybody in the group: the least that "durable before the ACK" can cost.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

const QUEUE_ENTRIES_MAX: usize = 4096;

type Waiting = (Vec<u8>, oneshot::Sender<()>);

/// One file, one writing thread, any number of waiting tasks.
#[derive(Debug)]
pub(crate) struct GroupCommit {
    queue: mpsc::Sender<Waiting>,
    writer: JoinHandle<io::Result<()>>,
}

/// A cheap handle to append with.
#[derive(Debug, Clone)]
pub(crate) struct Appender(mpsc::Sender<Waiting>);

impl GroupCommit {
    /// Starts on a new file at `path`.
    pub(crate) fn start(path: &Path) -> io::Result<Self> {
        let file = File::create_new(path)?;
        let (queue, entries) = mpsc::channel(QUEUE_ENTRIES_MAX);
        let writer = std::thread::Builder::new()
            .name("floor-commit".to_owned())
            .spawn(move || write(file, entries))?;
        Ok(Self { queue, writer })
    }

    pub(crate) fn appender(&self) -> Appender {
        Appender(self.queue.clone())
    }

    /// Waits until everything is written; every appender has to be gone.
    pub(crate) fn finish(self) -> io::Result<()> {
        drop(self.queue);
        self.writer.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread panicked")))
    }
}

impl Appender {
    /// Hands `bytes` over without waiting; `None` when nothing is taken any more. Not from a task of a runtime.
    pub(crate) fn push(&self, bytes: Vec<u8>) -> Option<oneshot::Receiver<()>> {
        let (told, waiting) = oneshot::channel();
        self.0.blocking_send((bytes, told)).is_ok().then_some(waiting)
    }

    /// Returns when `bytes` are durable; false if they never will be.
    pub(crate) async fn append(&self, bytes: Vec<u8>) -> bool {
        let (told, waiting) = oneshot::channel();
        self.0.send((bytes, told)).await.is_ok() && waiting.await.is_ok()
    }
}

fn write(mut file: File, mut entries: mpsc::Receiver<Waiting>) -> io::Result<()> {
    let (mut group, mut waiting) = (Vec::new(), Vec::new());
    while let Some((bytes, told)) = entries.blocking_recv() {
        group.clear();
        group.extend_from_slice(&bytes);
        waiting.push(told);
        while let Ok((bytes, told)) = entries.try_recv() {
            group.extend_from_slice(&bytes);
            waiting.push(told);
        }
        file.write_all(&group)?;
        file.sync_data()?;
        for told in waiting.drain(..) {
            // Whoever has gone away meanwhile does not want to know.
            told.send(()).unwrap_or(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_durable_is_in_the_file_once_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("floor.log");
        let commit = GroupCommit::start(&path).unwrap();
        let appender = commit.appender();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for number in 0..20_u8 {
                assert!(appender.append(vec![number; 3]).await);
                assert_eq!(std::fs::read(&path).unwrap().len(), (usize::from(number) + 1) * 3);
            }
        });
        drop(appender);
        commit.finish().unwrap();
        let expect: Vec<u8> = (0..20_u8).flat_map(|number| [number; 3]).collect();
        assert_eq!(std::fs::read(&path).unwrap(), expect);
    }
}
