//! Reading a file that is whole: unless somebody holds it, it has gone, or it has changed after all.

use super::look::Likeness;
use crate::said::Said;
use rustix::{
    fs::OFlags,
    process::{Flock, FlockOffsetType, FlockType, fcntl_getlk},
};
use std::{
    fs::{File, TryLockError},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};
use vocabulary::Mode;

/// What came of reading a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Whole(Vec<u8>),
    /// It is gone: somebody else moved it.
    Gone,
    /// It is not what the look saw; the next look tells.
    Changed,
    /// It cannot be taken now.
    Hindered(Hindrance),
    /// It can never be taken.
    TooLong,
}

/// What may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hindrance {
    /// Another program has locked it.
    Locked,
    /// Nothing is in it (yet).
    Empty,
    /// It cannot be read: no right to, held by a program at the other end of a share, a bad disk.
    Unreadable(Said),
}

/// Reads a file that looks as `seen`.
pub(super) fn read(path: &Path, seen: Likeness, bytes_max: u64, mode: Mode) -> Outcome {
    if seen.bytes > bytes_max {
        return Outcome::TooLong;
    }
    match read_whole(path, seen, mode) {
        Ok(read) => read,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Outcome::Gone,
        // A lease that another program holds.
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Outcome::Hindered(Hindrance::Locked),
        Err(e) => Outcome::Hindered(Hindrance::Unreadable(Said::of_system(&e))),
    }
}

fn read_whole(path: &Path, seen: Likeness, mode: Mode) -> io::Result<Outcome> {
    // A link that was put in its place since the look is not followed, and a pipe does not hold us up.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let mut file = File::options().read(true).custom_flags(flags).open(path)?;
    let about = file.metadata()?;
    if !about.is_file() || Likeness::of(&about)? != seen {
        return Ok(Outcome::Changed);
    }
    if is_locked(&file, mode) {
        return Ok(Outcome::Hindered(Hindrance::Locked));
    }
    if seen.bytes == 0 {
        return Ok(Outcome::Hindered(Hindrance::Empty));
    }
    let mut bytes = Vec::new();
    // One byte more than it had: it must not have grown.
    (&mut file).take(seen.bytes + 1).read_to_end(&mut bytes)?;
    let same = Likeness::of(&file.metadata()?)? == seen && bytes.len() as u64 == seen.bytes;
    Ok(if same { Outcome::Whole(bytes) } else { Outcome::Changed })
}

/// Whether another program holds a lock on it, of either kind. Where a file system knows no locks nobody holds one.
fn is_locked(file: &File, mode: Mode) -> bool {
    // The one kind can only be asked for by taking it, for a moment: who listens only does not do even that.
    if mode != Mode::ListenOnly && matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return true;
    }
    let whole =
        Flock { start: 0, length: 0, pid: None, typ: FlockType::ReadLock, offset_type: FlockOffsetType::Set };
    matches!(fcntl_getlk(file, &whole), Ok(Some(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Inbox(tempfile::TempDir);

    impl Inbox {
        fn with(text: &str) -> (Self, std::path::PathBuf, Likeness) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.csv");
            fs::write(&path, text).unwrap();
            let seen = Likeness::of(&fs::metadata(&path).unwrap()).unwrap();
            (Self(folder), path, seen)
        }
    }

    fn read(path: &Path, seen: Likeness, bytes_max: u64) -> Outcome {
        super::read(path, seen, bytes_max, Mode::Production)
    }

    #[test]
    fn a_whole_file_is_read_unless_it_is_too_long() {
        let (_inbox, path, seen) = Inbox::with("1,2\r\n");
        assert_eq!(read(&path, seen, 5), Outcome::Whole(b"1,2\r\n".to_vec()));
        assert_eq!(read(&path, seen, 4), Outcome::TooLong);
    }

    #[test]
    fn what_has_changed_since_the_look_is_left_for_the_next_one() {
        let (inbox, path, seen) = Inbox::with("1");
        fs::write(&path, "1,2").unwrap();
        assert_eq!(read(&path, seen, 99), Outcome::Changed);
        fs::remove_file(&path).unwrap();
        assert_eq!(read(&path, seen, 99), Outcome::Gone);
        let other = inbox.0.path().join("other");
        fs::write(&other, "1").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(matches!(read(&path, seen, 99), Outcome::Hindered(Hindrance::Unreadable(_))));
    }

    #[test]
    fn what_another_program_has_locked_waits() {
        let (_inbox, path, seen) = Inbox::with("1");
        let writer = File::options().write(true).open(&path).unwrap();
        writer.lock().unwrap();
        assert_eq!(read(&path, seen, 99), Outcome::Hindered(Hindrance::Locked));
        writer.unlock().unwrap();
        assert_eq!(read(&path, seen, 99), Outcome::Whole(b"1".to_vec()));
        // Ours is given back at once.
        writer.try_lock().unwrap();
    }

    #[test]
    fn a_lock_of_the_other_kind_is_seen_too() {
        let (_inbox, path, seen) = Inbox::with("1");
        // A process does not see its own locks of this kind.
        let program = "import fcntl,sys\nf=open(sys.argv[1],'r+')\nfcntl.lockf(f,fcntl.LOCK_EX)\nprint('locked',flush=True)\nsys.stdin.read()\n";
        let holder = std::process::Command::new("python3")
            .args(["-c", program])
            .arg(&path)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn();
        let Ok(mut holder) = holder else {
            println!("SKIP: there is no python3 to hold the lock");
            return;
        };
        let mut said = [0; 6];
        holder.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
        for mode in [Mode::Production, Mode::ListenOnly] {
            assert_eq!(super::read(&path, seen, 99, mode), Outcome::Hindered(Hindrance::Locked));
        }
        drop(holder.stdin.take());
        holder.wait().unwrap();
        assert_eq!(read(&path, seen, 99), Outcome::Whole(b"1".to_vec()));
    }

    #[test]
    fn an_empty_file_waits() {
        let (_inbox, path, seen) = Inbox::with("");
        assert_eq!(read(&path, seen, 99), Outcome::Hindered(Hindrance::Empty));
    }
}
