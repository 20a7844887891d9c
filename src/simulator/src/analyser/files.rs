//! Files in a directory: written under another name, then renamed, so that a whole file appears at once.

use super::Listen;
use super::courier::{DeliverError, MakeWire, Wire};
use super::line::LineError;
use crate::fault::{FaultKind, Trouble};
use crate::model::Outgoing;
use std::path::{Path, PathBuf};
use tokio::fs;
use tokio::io::AsyncWriteExt;

/// Added to a name until the file is whole. Who takes files must leave these alone.
const PARTIAL: &str = ".part";

pub(crate) struct FilesMaker {
    directory: PathBuf,
}

impl FilesMaker {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }
}

impl MakeWire for FilesMaker {
    type Wire = Files;

    async fn make(&mut self) -> Result<Files, DeliverError> {
        fs::create_dir_all(&self.directory).await.map_err(LineError::Io)?;
        Ok(Files { directory: self.directory.clone() })
    }
}

pub(crate) struct Files {
    directory: PathBuf,
}

impl Files {
    /// The first free name: a file that is sent again stands beside the first.
    async fn free_name(&self, wanted: &str) -> Result<PathBuf, LineError> {
        let (stem, extension) = wanted.rsplit_once('.').unwrap_or((wanted, ""));
        let mut path = self.directory.join(wanted);
        let mut nth = 2;
        while fs::try_exists(&path).await? {
            let dot = if extension.is_empty() { "" } else { "." };
            path = self.directory.join(format!("{stem}-{nth}{dot}{extension}"));
            nth += 1;
        }
        Ok(path)
    }

    async fn write(&self, path: &Path, bytes: &[u8], trouble: &mut Trouble) -> Result<(), LineError> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(PARTIAL);
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        let mut file = fs::File::create(&partial).await?;
        file.write_all(head).await?;
        if let Some(time) = trouble.take_stall() {
            file.flush().await?;
            tokio::time::sleep(time).await;
        }
        if trouble.take(FaultKind::Drop) {
            file.flush().await?;
            return Err(LineError::Fault("drop"));
        }
        file.write_all(tail).await?;
        file.sync_all().await?;
        Ok(fs::rename(&partial, path).await?)
    }
}

impl Wire for Files {
    async fn deliver(
        &mut self,
        parcel: &[Outgoing],
        mut trouble: Trouble,
        _merge_next: bool,
    ) -> Result<(), DeliverError> {
        for message in parcel {
            let wanted = message.file_name.as_deref().unwrap_or(&message.control_id);
            if wanted.contains(['/', '\\']) {
                return Err(DeliverError::Unsendable(format!("{wanted:?} is no file name")));
            }
            let path = self.free_name(wanted).await?;
            self.write(&path, &message.bytes, &mut trouble).await?;
        }
        Ok(())
    }

    async fn finish(&mut self, _listen: Listen) -> Result<(), DeliverError> {
        Ok(())
    }
}
