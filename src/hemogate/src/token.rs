//! The bearer token of the HTTP surface: made at the first start, kept beside the ledger, readable by its owner only.

use crate::exit::{Exit, Failure};
use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

const FILE: &str = "console-token";
const BYTES: usize = 32;

/// Where the token of a store lies.
pub(crate) fn path(store: &Path) -> PathBuf {
    store.join(FILE)
}

/// The token of a store, made now if there is none.
pub(crate) fn of_store(store: &Path) -> Result<String, Failure> {
    let file = path(store);
    match fs::read_to_string(&file) {
        Ok(text) if text.trim().len() >= BYTES => return Ok(text.trim().to_owned()),
        Ok(_) => {
            let what = format!("{}: is no token; remove the file to have a new one made", file.display());
            return Err(Failure::new(Exit::Configuration, what));
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(Failure::new(Exit::Io, format!("{}: {e}", file.display()))),
    }
    let mut random = [0; BYTES];
    fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let digits = random.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let token: String = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect();
    let mut out = private(&file)?;
    writeln!(out, "{token}")?;
    out.sync_all()?;
    Ok(token)
}

#[cfg(unix)]
fn private(file: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

#[cfg(not(unix))]
fn private(file: &Path) -> io::Result<fs::File> {
    OpenOptions::new().write(true).create_new(true).open(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_nobody_else_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let token = of_store(folder.path()).unwrap();
        assert_eq!(token.len(), 64);
        assert_eq!(of_store(folder.path()).unwrap(), token);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(path(folder.path())).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_token_file_is_an_error_and_not_an_open_door() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(path(folder.path()), "\n").unwrap();
        assert!(of_store(folder.path()).is_err());
    }
}
