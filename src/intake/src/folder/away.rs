//! Putting a file away: beside its folder, under a name that nothing has yet, with the reason where a person looks.

use super::{look::Likeness, name::REASON};
use crate::{board::wall_ms, said::Said};
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Names tried for one file.
const NAMES_MAX: u32 = 1_000;

/// Where a file goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Its bytes are durable.
    Taken,
    /// It needs a person, who wants to know why.
    Parked(Said),
}

impl Place {
    fn folder(&self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Parked(_) => "parked",
        }
    }
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It lies there now.
    Away(PathBuf),
    /// It was written to after it was read; it stays, or is put back, for the next look.
    Changed,
    /// It is gone, or the whole folder is.
    Gone,
}

/// Moves `file`, if it still looks as `seen`. Nothing is ever written over.
pub(super) fn put(file: &Path, seen: Likeness, place: &Place) -> io::Result<Put> {
    match likeness(file) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Put::Gone),
        Err(e) => return Err(e),
        Ok(now) if now != seen => return Ok(Put::Changed),
        Ok(_) => {}
    }
    let folder = file.parent().unwrap_or(Path::new(".")).join(place.folder());
    match fs::create_dir(&folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        Ok(()) | Err(_) => {}
    }
    let target = moved(file, &folder)?;
    // Whoever has it open can write on: then what was taken is not what lies here.
    if likeness(&target)? != seen && renamed(&target, file).is_ok() {
        return Ok(Put::Changed);
    }
    if let Place::Parked(reason) = place {
        write_reason(&target, reason, jiff::Timestamp::now())?;
    }
    Ok(Put::Away(target))
}

/// How a file looks now.
pub(super) fn likeness(file: &Path) -> io::Result<Likeness> {
    Likeness::of(&fs::symlink_metadata(file)?)
}

/// Moves `file` into `folder` under its own name, or, when that is taken, with the time before it.
fn moved(file: &Path, folder: &Path) -> io::Result<PathBuf> {
    let own = file.file_name().unwrap_or_default();
    let now = wall_ms();
    for number in 0..NAMES_MAX {
        let target = folder.join(name(own, now, number));
        if is_there(&reason_of(&target))? {
            continue;
        }
        match renamed(file, &target) {
            Ok(()) => return Ok(target),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Err(io::Error::other(format!("{} has too many files of this name", folder.display())))
}

/// The name to try at the `number`-th time.
fn name(own: &OsStr, now_ms: u64, number: u32) -> OsString {
    let mut name = match number {
        0 => OsString::new(),
        1 => OsString::from(format!("{now_ms}-")),
        _ => OsString::from(format!("{now_ms}-{number}-")),
    };
    name.push(own);
    name
}

/// Moves where nothing is. Some file systems cannot be asked that in one step; there we look first.
fn renamed(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            if is_there(to)? {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        outcome => Ok(outcome?),
    }
}

/// Whether there is anything of that name, a broken link included.
fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

fn reason_of(parked: &Path) -> PathBuf {
    let mut name = parked.file_name().unwrap_or_default().to_owned();
    name.push(REASON);
    parked.with_file_name(name)
}

/// Writes down beside a parked file why it lies there, in both languages.
fn write_reason(parked: &Path, reason: &Said, now: jiff::Timestamp) -> io::Result<()> {
    let Said { en, zh } = reason;
    let text = format!(
        "{now}\n{en}\nLook into it, then move it back into the folder above, or away.\n{zh}\n请查明原因,然后将文件移回上级目录,或移走。\n"
    );
    fs::File::create_new(reason_of(parked))?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str, text: &str) -> (PathBuf, Likeness) {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        let seen = likeness(&path).unwrap();
        (path, seen)
    }

    fn parked() -> Place {
        Place::Parked(Said::new("it is empty", "文件为空"))
    }

    #[test]
    fn files_of_one_name_lie_beside_each_other_and_none_is_written_over() {
        for (place, into, count) in [(Place::Taken, "taken", 3), (parked(), "parked", 6)] {
            let folder = tempfile::tempdir().unwrap();
            for text in ["1", "2", "3"] {
                let (path, seen) = file(folder.path(), "a.csv", text);
                assert!(matches!(put(&path, seen, &place).unwrap(), Put::Away(_)));
            }
            let kept: Vec<String> = fs::read_dir(folder.path().join(into))
                .unwrap()
                .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
                .collect();
            for text in ["1", "2", "3"] {
                assert_eq!(kept.iter().filter(|kept| *kept == text).count(), 1, "{into}");
            }
            assert_eq!(kept.len(), count, "{into}");
        }
    }

    #[test]
    fn a_reason_that_was_left_behind_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("parked")).unwrap();
        fs::write(folder.path().join("parked/a.csv.reason"), "an older one").unwrap();
        let (path, seen) = file(folder.path(), "a.csv", "");
        let Put::Away(target) = put(&path, seen, &parked()).unwrap() else { panic!("it stays") };
        assert!(target.file_name().unwrap().to_str().unwrap().ends_with("-a.csv"), "{target:?}");
        let older = fs::read_to_string(folder.path().join("parked/a.csv.reason")).unwrap();
        assert_eq!(older, "an older one");
        assert!(fs::read_to_string(reason_of(&target)).unwrap().contains("it is empty"));
    }

    #[test]
    fn what_was_written_to_after_it_was_read_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (path, seen) = file(folder.path(), "a.csv", "1");
        fs::write(&path, "1,2").unwrap();
        assert_eq!(put(&path, seen, &Place::Taken).unwrap(), Put::Changed);
        assert!(path.exists());
        fs::remove_file(&path).unwrap();
        assert_eq!(put(&path, seen, &Place::Taken).unwrap(), Put::Gone);
    }

    #[test]
    fn the_reason_lies_beside_a_parked_file_in_both_languages() {
        let folder = tempfile::tempdir().unwrap();
        let (path, seen) = file(folder.path(), "a.csv", "1");
        put(&path, seen, &parked()).unwrap();
        let reason = fs::read_to_string(folder.path().join("parked/a.csv.reason")).unwrap();
        assert!(reason.contains("it is empty") && reason.contains("文件为空"), "{reason}");
    }
}
