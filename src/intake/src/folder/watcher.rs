//! From look to look: what is whole is made durable, and then put away.

mod afterwards;

use super::{
    Folder,
    away::{self, Place, Put},
    look::{self, Known, Likeness, Listing, Memory, Stage},
    name::shown,
    take::{self, Hindrance, Outcome},
    words,
};
use crate::{
    board::{Activity, Board, wall_ms},
    irregular::Irregularity,
    said::Said,
    settings::Connection,
    store::{Store, Stored},
    trace::{Traced, Way},
    transport::Backoff,
};
use afterwards::Afterwards;
use std::{ffi::OsString, path::PathBuf, time::Duration};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vocabulary::Mode;

/// The shortest pause between two looks.
const LOOK_AGAIN_MIN: Duration = Duration::from_millis(50);
/// The longest: a file that has settled is not to wait for long.
const LOOK_AGAIN_MAX: Duration = Duration::from_secs(2);

/// Why a look does not go on.
#[derive(Debug)]
pub(super) enum Halt {
    /// hemogate is to stop.
    Stopping,
    /// The ledger takes nothing for now; what waits for it, and why.
    Full(Said),
}

pub(super) struct Watcher<'a> {
    connection: &'a Connection,
    folder: Folder,
    store: &'a Store,
    board: &'a Board,
    stop: &'a CancellationToken,
    pub(super) memory: Memory,
    /// Files whose names say that they are being written.
    partial: Memory,
    /// Files that were taken and put away.
    afterwards: Afterwards,
    /// The file system at the first look.
    device: Option<u64>,
    /// It is another one since then, and nothing has been taken from it yet.
    elsewhere: bool,
    /// What a person was told about the folder as a whole.
    told: String,
    /// What a person was told about the ledger that takes nothing.
    told_full: String,
    backoff: Backoff,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        folder: Folder,
        store: &'a Store,
        board: &'a Board,
        stop: &'a CancellationToken,
    ) -> Self {
        Self {
            connection,
            folder,
            store,
            board,
            stop,
            memory: Memory::default(),
            partial: Memory::default(),
            afterwards: Afterwards::default(),
            device: None,
            elsewhere: false,
            told: String::new(),
            told_full: String::new(),
            backoff: Backoff::new(connection.limits.reconnect_pause_max, &connection.id),
        }
    }

    fn stand(&self, activity: Activity, reason: Said) {
        self.board.stand(&self.connection.id, activity, reason, self.folder.path.display().to_string());
    }

    pub(super) fn stopped(&self) {
        self.stand(Activity::Stopped, Said::new("stopped", "已停止"));
    }

    /// Something a person should see.
    fn tell(&self, kind: Irregularity, what: String) {
        tracing::warn!(connection = %self.connection.id, "{what}");
        self.board.irregular(&self.connection.id, kind, what);
    }

    /// The same in both languages.
    fn tell_said(&self, kind: Irregularity, what: Said) {
        tracing::warn!(connection = %self.connection.id, "{}", what.en);
        self.board.told(&self.connection.id, kind, what);
    }

    /// Something that is wrong with the folder as a whole: told once, and then every time that it has changed.
    fn tell_once(&mut self, kind: Irregularity, what: &str) {
        if self.told != what {
            what.clone_into(&mut self.told);
            self.tell(kind, what.to_owned());
        }
    }

    /// Waits for work on the folder, however long: a share that is gone can hold up whoever asks it. One thread at
    /// most is held up so, and no other connection.
    pub(super) async fn patiently<T: Send + 'static>(
        &mut self,
        what: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Halt> {
        let begun = Instant::now();
        let mut work = tokio::task::spawn_blocking(what);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done.map_err(|_| Halt::Stopping),
                () = self.stop.cancelled() => return Err(Halt::Stopping),
                () = tokio::time::sleep(self.folder.patience.answer) => {
                    let said = words::no_answer(begun.elapsed());
                    self.tell_once(Irregularity::LineBroke, "the folder does not answer: is the share gone?");
                    self.stand(Activity::Failed, said);
                }
            }
        }
    }

    /// One look, and what follows from it. The pause before the next one; nothing when hemogate stops.
    pub(super) async fn look(&mut self) -> Option<Duration> {
        match self.try_look().await {
            Ok(pause) => Some(pause),
            Err(Halt::Full(why)) => Some(self.full(why)),
            Err(Halt::Stopping) => None,
        }
    }

    async fn try_look(&mut self) -> Result<Duration, Halt> {
        let (path, pattern) = (self.folder.path.clone(), self.folder.pattern.clone());
        let begun = Instant::now();
        let listing = match self.patiently(move || look::list(&path, &pattern)).await? {
            Ok(listing) => listing,
            Err(e) => return Ok(self.unreadable(&words::unreadable_folder(&e))),
        };
        let took = begun.elapsed();
        if !std::mem::take(&mut self.told).is_empty() {
            tracing::info!(connection = %self.connection.id, "the folder can be worked with again");
            let what = "the folder is there again".to_owned();
            self.board.trace(&self.connection.id).note(0, Traced::Noted { what });
        }
        self.where_it_is(listing.device);
        let settled = self.memory.settle(&listing.files, begun, self.folder.settle);
        self.partial.settle(&listing.partial, begun, self.folder.settle);
        self.unfinished();
        self.stand(Activity::Watching, self.standing(&listing));
        for name in settled {
            self.whole(&name).await?;
        }
        self.look_back().await?;
        self.backoff.reset();
        self.told_full.clear();
        self.stand(Activity::Watching, self.standing(&listing));
        // A listing that takes long is not asked for all the time.
        Ok((self.folder.settle / 2).clamp(LOOK_AGAIN_MIN, LOOK_AGAIN_MAX).max(took))
    }

    /// The folder is not there: it is looked for again and again, with a pause that grows to its bound.
    fn unreadable(&mut self, why: &Said) -> Duration {
        self.tell_once(Irregularity::LineBroke, &why.en);
        let pause = self.backoff.pause();
        let (en, zh) = (&why.en, &why.zh);
        let ms = pause.as_millis();
        self.stand(
            Activity::Failed,
            Said::new(format!("{en}; next look in {ms} ms"), format!("{zh};{ms} 毫秒后重试")),
        );
        pause
    }

    /// Files stay where they are, and are tried again after a pause that grows to its bound.
    fn full(&mut self, why: Said) -> Duration {
        if self.told_full != why.en {
            self.told_full.clone_from(&why.en);
            tracing::error!(connection = %self.connection.id, "{}", why.en);
            self.board.refused(&self.connection.id, why.en.clone());
        }
        self.stand(Activity::Failed, why);
        self.backoff.pause()
    }

    /// A share that is not mounted leaves an empty folder behind, which looks as if all were well.
    fn where_it_is(&mut self, device: u64) {
        let elsewhere = *self.device.get_or_insert(device) != device;
        if elsewhere && !self.elsewhere {
            self.tell(Irregularity::LineBroke, words::another_device().en);
        }
        self.elsewhere = elsewhere;
    }

    /// Files that say they are being written, and have not been for long.
    fn unfinished(&mut self) {
        let patience = self.folder.patience.unfinished;
        let overdue = self.partial.overdue(patience);
        for name in overdue {
            self.tell(Irregularity::File, format!("{}: {}", shown(&name), words::unfinished().en));
        }
    }

    /// What people see.
    fn standing(&self, listing: &Listing) -> Said {
        let patience = self.folder.patience.unfinished;
        let waits = |known: &Known| known.waits.as_ref().map(|(_, why)| why.clone());
        let grows = |known: &Known| {
            let long = known.stage == Stage::Seen && known.first.elapsed() >= patience;
            (long && known.since.elapsed() < self.folder.settle).then(words::growing)
        };
        let mut parts = Vec::new();
        let mut named = |of: &Memory, why: &dyn Fn(&Known) -> Option<Said>| {
            let mut found = of.all().filter_map(|(name, known)| Some((name, why(known)?)));
            if let Some((name, why)) = found.next() {
                parts.push(words::of_files(name, &why, found.count()));
            }
        };
        named(&self.memory, &waits);
        named(&self.memory, &grows);
        named(&self.partial, &|known| known.told.then(words::unfinished));
        parts.extend(self.afterwards.standing());
        parts.extend(self.elsewhere.then(words::another_device));
        parts.extend(words::about(listing, &self.folder.pattern));
        words::join(parts)
    }

    /// A file that is whole.
    async fn whole(&mut self, name: &OsString) -> Result<(), Halt> {
        let Some(known) = self.memory.get(name) else { return Ok(()) };
        let seen = known.likeness;
        match known.stage.clone() {
            Stage::Seen => self.take(name, seen).await,
            Stage::ToMove(place) => self.put_away(name, seen, place).await,
            Stage::Done => Ok(()),
        }
    }

    fn path(&self, name: &OsString) -> PathBuf {
        self.folder.path.join(name)
    }

    async fn take(&mut self, name: &OsString, seen: Likeness) -> Result<(), Halt> {
        let (file, bytes_max, mode) = (self.path(name), self.folder.bytes_max, self.connection.mode);
        match self.patiently(move || take::read(&file, seen, bytes_max, mode)).await? {
            Outcome::Whole(bytes) => self.keep(name, seen, bytes).await,
            // The next look tells.
            Outcome::Gone | Outcome::Changed => Ok(()),
            Outcome::Hindered(why) => {
                self.hindered(name, &why);
                Ok(())
            }
            Outcome::TooLong => {
                self.park(name, seen, words::too_long(seen.bytes, self.folder.bytes_max)).await
            }
        }
    }

    /// Makes it durable, and only then puts it away.
    async fn keep(&mut self, name: &OsString, seen: Likeness, bytes: Vec<u8>) -> Result<(), Halt> {
        self.durable(name, &bytes).await?;
        self.put_away(name, seen, Place::Taken).await
    }

    /// Makes it durable, and tells so.
    async fn durable(&mut self, name: &OsString, bytes: &[u8]) -> Result<Stored, Halt> {
        let text = shown(name);
        let kept = tokio::select! {
            () = self.stop.cancelled() => return Err(Halt::Stopping),
            kept = self.store.file(self.connection, &text, bytes) => kept,
        };
        let stored = kept.map_err(|why| Halt::Full(words::of_files(name, &words::not_kept(&why), 0)))?;
        self.tell_taken(&text, bytes, &stored);
        Ok(stored)
    }

    /// It is durable: what the status and the trace say of it.
    fn tell_taken(&mut self, text: &str, bytes: &[u8], stored: &Stored) {
        // Here is where the files come now.
        self.device = None;
        let id = &self.connection.id;
        let trace = self.board.trace(id);
        let number = trace.connected(text);
        trace.bytes(number, Way::Received, bytes);
        self.board.note(id, |s| {
            s.bytes_total += bytes.len() as u64;
            s.last_bytes_ms = wall_ms();
            text.clone_into(&mut s.peer);
        });
        self.board.kept(id, 1, u64::from(*stored == Stored::New));
        let why = match stored {
            Stored::New => "durable".to_owned(),
            Stored::Known { name: before, .. } => format!("its content had been taken before, as {before}"),
        };
        trace.note(number, Traced::Closed { why });
        // Who may not move a file sees it again after every start.
        if let Stored::Known { name: before, entry } = stored
            && self.connection.mode != Mode::ListenOnly
        {
            let what = format!(
                "the content of {text} had been taken before as {before} (entry {entry}); put away, not used again"
            );
            self.board.irregular(id, Irregularity::Repeated, what);
        }
    }

    /// It cannot be taken now; the status says so, and when it lasts a person is told.
    pub(super) fn hindered(&mut self, name: &OsString, why: &Hindrance) {
        let Some(known) = self.memory.get(name) else { return };
        let waited = known.wait(why.said());
        let patience = match why {
            Hindrance::Empty => self.folder.patience.empty,
            Hindrance::Locked | Hindrance::Unreadable(_) => self.folder.patience.hindered,
        };
        if waited >= patience && !std::mem::replace(&mut known.told, true) {
            self.tell_said(Irregularity::File, words::of_files(name, &why.said(), 0));
        }
    }

    async fn park(&mut self, name: &OsString, seen: Likeness, reason: Said) -> Result<(), Halt> {
        let text = shown(name);
        let left = if self.connection.mode == Mode::ListenOnly { "left where it is" } else { "parked" };
        tracing::error!(connection = %self.connection.id, file = text, reason = reason.en, "file {left} for a person");
        self.board.refused(&self.connection.id, format!("file {text} is {left}: {}", reason.en));
        self.put_away(name, seen, Place::Parked(reason)).await
    }

    /// Moves it. What cannot be moved is told once, and tried again after a while.
    async fn put_away(&mut self, name: &OsString, seen: Likeness, place: Place) -> Result<(), Halt> {
        let Some(known) = self.memory.get(name) else { return Ok(()) };
        if known.stage == Stage::Seen {
            // What it waited for has come.
            (known.waits, known.told) = (None, false);
        }
        if self.connection.mode == Mode::ListenOnly {
            known.stage = Stage::Done;
            return Ok(());
        }
        known.stage = Stage::ToMove(place.clone());
        if known.again_at.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        let (path, taken) = (self.path(name), place == Place::Taken);
        match self.patiently(move || away::put(&path, seen, &place)).await? {
            Ok(Put::Away(target)) => {
                self.memory.forget(name);
                if taken {
                    self.afterwards.remember(name, target, seen);
                }
            }
            Ok(Put::Changed) => self.memory.forget(name),
            // The next look tells.
            Ok(Put::Gone) => {}
            Err(e) => self.not_moved(name, &words::not_moved(&e)),
        }
        Ok(())
    }

    fn not_moved(&mut self, name: &OsString, why: &Said) {
        let again_at = Instant::now() + self.folder.patience.move_again;
        let Some(known) = self.memory.get(name) else { return };
        known.again_at = Some(again_at);
        known.wait(why.clone());
        if !std::mem::replace(&mut known.told, true) {
            self.tell(Irregularity::File, words::of_files(name, why, 0).en);
        }
    }
}
