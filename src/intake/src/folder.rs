//! Files that an analyser writes into a folder: taken when whole, once, and put away.
//!
//! A file is whole when its size and time have not changed between two looks. Its bytes are made durable as one
//! message; only then is it moved into `taken/`. A crash between the two leaves the file where it is: at the next
//! look its content is found in the ledger already and it is moved without being taken again.

use crate::{
    board::{Activity, Board, wall_ms},
    settings::Connection,
    store::{Store, Stored},
};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use tokio_util::sync::CancellationToken;

const TAKEN: &str = "taken";
const PARKED: &str = "parked";

/// What a file looked like at the last look.
type Look = (u64, SystemTime);

/// Which files are taken, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folder<'a> {
    pub(crate) path: &'a Path,
    pub(crate) pattern: &'a str,
    pub(crate) bytes_max: u64,
    pub(crate) settle: Duration,
}

/// Watches a folder until `stop`.
pub(crate) async fn watch(
    connection: &Connection,
    folder: Folder<'_>,
    store: &Store,
    board: &Board,
    stop: &CancellationToken,
) {
    let mut seen: BTreeMap<PathBuf, Look> = BTreeMap::new();
    let mut interval = tokio::time::interval(folder.settle);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = interval.tick() => {}
        }
        let outcome = look(folder.path, folder.pattern, &mut seen);
        board.note(&connection.id, |s| {
            s.address = folder.path.display().to_string();
            match &outcome {
                Ok(found) => {
                    s.activity = Activity::Watching;
                    s.reason = match found.passed_over.as_slice() {
                        [] => String::new(),
                        [name, ..] => format!(
                            "{} files do not match {:?} and are not taken: {name} …",
                            found.passed_over.len(),
                            folder.pattern
                        ),
                    };
                }
                Err(e) => {
                    (s.activity, s.reason) = (Activity::Failed, format!("the folder cannot be read: {e}"));
                }
            }
        });
        for file in outcome.unwrap_or_default().whole {
            take(connection, &file, folder.bytes_max, store, board).await;
            seen.remove(&file);
        }
    }
}

/// What one look found.
#[derive(Debug, Default)]
struct Seen {
    /// Files that have not changed since the last look.
    whole: Vec<PathBuf>,
    /// Names that do not match.
    passed_over: Vec<String>,
}

/// The files that have not changed since the last look, and the names that are passed over.
fn look(folder: &Path, pattern: &str, seen: &mut BTreeMap<PathBuf, Look>) -> io::Result<Seen> {
    let mut now = BTreeMap::new();
    let mut passed_over = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let about = entry.metadata()?;
        if about.is_file() {
            if matches(pattern, &name.to_string_lossy()) {
                now.insert(entry.path(), (about.len(), about.modified()?));
            } else {
                passed_over.push(name.to_string_lossy().into_owned());
            }
        }
    }
    let whole =
        now.iter().filter(|(path, look)| seen.get(*path) == Some(look)).map(|(p, _)| p.clone()).collect();
    *seen = now;
    Ok(Seen { whole, passed_over })
}

async fn take(connection: &Connection, file: &Path, bytes_max: u64, store: &Store, board: &Board) {
    let bytes = match read_bounded(file, bytes_max) {
        Ok(bytes) => bytes,
        Err(reason) => return park(connection, file, &reason, board),
    };
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let size = bytes.len() as u64;
    match store.file(connection, &name, bytes).await {
        Ok(stored) => {
            board.note(&connection.id, |s| {
                s.bytes_total += size;
                s.last_bytes_ms = wall_ms();
                s.accepted_total += 1;
                if stored == Stored::New {
                    s.messages_total += 1;
                    s.last_message_ms = s.last_bytes_ms;
                }
            });
            if stored == Stored::Known {
                board.anomaly(
                    &connection.id,
                    format!("file {name} had been taken before; put away, not used again"),
                );
            }
            put_away(connection, file, TAKEN, board);
        }
        // It stays where it is and is tried again at the next look.
        Err(why) => board.note(&connection.id, |s| {
            s.refused_total += 1;
            s.reason = format!("file {name} waits: {why}");
        }),
    }
}

fn read_bounded(file: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let size = fs::metadata(file).map_err(|e| e.to_string())?.len();
    if size > bytes_max {
        return Err(format!("{size} bytes are more than the {bytes_max} that a file may have"));
    }
    fs::read(file).map_err(|e| e.to_string())
}

fn park(connection: &Connection, file: &Path, reason: &str, board: &Board) {
    tracing::error!(connection = %connection.id, file = %file.display(), reason, "file parked for a person");
    board.anomaly(&connection.id, format!("{} is parked: {reason}", file.display()));
    put_away(connection, file, PARKED, board);
}

/// Moves a file beside itself; a name that exists already gets the time of now before it.
fn put_away(connection: &Connection, file: &Path, into: &str, board: &Board) {
    let outcome = (|| {
        let folder = file.parent().unwrap_or(Path::new(".")).join(into);
        fs::create_dir_all(&folder)?;
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let mut target = folder.join(&name);
        if target.exists() {
            target = folder.join(format!("{}-{name}", wall_ms()));
        }
        fs::rename(file, target)
    })();
    if let Err(e) = outcome {
        tracing::error!(connection = %connection.id, file = %file.display(), error = %e, "file cannot be put away");
        board.anomaly(&connection.id, format!("{} cannot be put away: {e}", file.display()));
    }
}

/// `*` is any run of characters, `?` any one character.
fn matches(pattern: &str, name: &str) -> bool {
    // Analysers' computers do not tell PLATE.CSV from plate.csv.
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    let (pattern, name) = (letters(pattern), letters(name));
    // reached[i]: the pattern read so far matches the first i characters of the name.
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for wanted in pattern {
        let mut next = vec![false; reached.len()];
        let mut any = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let before = at.checked_sub(1);
            let reached_before = before.and_then(|b| reached.get(b)).copied().unwrap_or(false);
            any |= reached.get(at).copied().unwrap_or(false);
            *slot = match wanted {
                '*' => any,
                '?' => reached_before,
                letter => reached_before && before.and_then(|b| name.get(b)) == Some(&letter),
            };
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_people_expect() {
        for (pattern, name, expect) in [
            ("*", "", true),
            ("*.csv", "plate.csv", true),
            ("*.csv", "P6.CSV", true),
            ("*.csv", "plate.csv.tmp", false),
            ("P??.txt", "P01.txt", true),
            ("P??.txt", "P1.txt", false),
            ("*a*b", "xaxxb", true),
            ("*a*b", "xbxxa", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, name), expect, "{pattern} {name}");
        }
    }

    #[test]
    fn a_file_that_still_grows_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        let mut seen = BTreeMap::new();
        fs::write(&file, "1").unwrap();
        assert!(look(folder.path(), "*", &mut seen).unwrap().whole.is_empty());
        fs::write(&file, "1,2").unwrap();
        assert!(look(folder.path(), "*", &mut seen).unwrap().whole.is_empty());
        assert_eq!(look(folder.path(), "*", &mut seen).unwrap().whole, [file]);
    }
}
