//! How the C library's allocator is told to give memory back.
//!
//! glibc takes a large buffer from the system and returns it when it is freed, and after the first one decides to keep
//! buffers of that size in its own areas from then on, where small values that live long keep the holes between them.
//! A daemon that flushes its state for months then holds twice what it uses. The library reads its settings from the
//! environment, once, before `main`: so the daemon starts itself anew in its own place with them.

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    process::Command,
};

/// Given to the second start, so that there is no third: where the program has more rights than its caller the library
/// takes the settings away.
const SETTLED: &str = "HEMOGATE_ALLOCATOR_SETTLED";

/// What glibc is told (mallopt(3)): from 512 KiB on a buffer is the system's, as many areas as there are kinds of
/// threads, and a free end of more than 1 MiB goes back.
const SETTINGS: [(&str, &str); 3] =
    [("MALLOC_MMAP_THRESHOLD_", "524288"), ("MALLOC_ARENA_MAX", "2"), ("MALLOC_TRIM_THRESHOLD_", "1048576")];

/// Starts this program anew with the settings, as the same process. Returns only when there is nothing to do: it was
/// done, somebody has settings of his own, or it cannot be done.
pub(crate) fn settle() {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) || is_settled(|name| env::var_os(name)) {
        return;
    }
    let error = start_anew();
    tracing::warn!(%error, "the allocator keeps its own settings: more memory stays resident over time");
}

fn is_settled(variable: impl Fn(&OsStr) -> Option<OsString>) -> bool {
    let own = ["GLIBC_TUNABLES", "LD_PRELOAD", SETTLED];
    own.iter().chain(SETTINGS.iter().map(|(name, _)| name)).any(|name| variable(OsStr::new(name)).is_some())
}

#[cfg(unix)]
fn start_anew() -> io::Error {
    use std::os::unix::process::CommandExt;
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    // `ld-linux.so ./hemogate run`: the program is the loader, and would take `run` for what it is to load.
    if program.file_name().and_then(OsStr::to_str).is_none_or(|name| name.starts_with("ld")) {
        return io::Error::other(format!("{} is not hemogate itself", program.display()));
    }
    let mut given = env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = given.next() {
        again.arg0(name);
    }
    again.args(given).envs(SETTINGS).env(SETTLED, "1").exec()
}

#[cfg(not(unix))]
fn start_anew() -> io::Error {
    io::ErrorKind::Unsupported.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_done_once_and_not_against_anybodys_own_settings() {
        let with = |set: &'static str| is_settled(|name| (name == set).then(OsString::new));
        assert!(!with("PATH"));
        for set in [SETTLED, "MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"] {
            assert!(with(set), "{set}");
        }
        assert!(with("GLIBC_TUNABLES") && with("LD_PRELOAD"), "another allocator is somebody's choice");
    }
}
