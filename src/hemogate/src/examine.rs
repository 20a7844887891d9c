//! What `check` finds out about lines without opening them: certificates, devices, folders.

use intake::{TlsClient, TlsClientFiles, TlsServer, TlsServerFiles};
use rustix::fs::{Access, access};
use std::{fs, os::unix::fs::FileTypeExt, path::Path};
use vocabulary::Mode;

/// The certificate of a listener.
pub(crate) fn server(files: &TlsServerFiles) -> Result<String, String> {
    let (server, fault) = TlsServer::open(files.clone()).map_err(|fault| fault.to_string())?;
    match fault {
        Some(fault) => Err(fault.to_string()),
        None => Ok(format!("{}{}", server.holder(), exposed(&files.identity.key))),
    }
}

/// What a caller trusts and shows.
pub(crate) fn client(files: &TlsClientFiles, name: &str) -> Result<String, String> {
    let (client, fault) = TlsClient::open(files.clone(), name).map_err(|fault| fault.to_string())?;
    match (fault, client.holder(), &files.identity) {
        (Some(fault), ..) => Err(fault.to_string()),
        (None, Some(holder), Some(identity)) => Ok(format!("{holder}{}", exposed(&identity.key))),
        (None, ..) => Ok(format!("({name})")),
    }
}

/// A key that others can read is usable, but somebody should know.
fn exposed(key: &Path) -> &'static str {
    use std::os::unix::fs::PermissionsExt;
    let others = fs::metadata(key).is_ok_and(|about| about.permissions().mode() & 0o007 != 0);
    if others { " (every user of this machine can read the key: chmod 600)" } else { "" }
}

/// A serial device, without opening it: the daemon may have it open.
pub(crate) fn device(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let about = fs::metadata(path).map_err(|e| {
        format!("{shown}: {e}; plug the adapter in, or look for its name in /dev/serial/by-id/")
    })?;
    if !about.file_type().is_char_device() {
        return Err(format!("{shown} is no serial device"));
    }
    if access(path, Access::READ_OK | Access::WRITE_OK).is_err() {
        return Err(format!("{shown} may not be opened: let hemogate's user be in the group dialout"));
    }
    match lasting_name(path) {
        Some(name) => Ok(format!("{shown} (better by {name}, which does not change with the socket)")),
        None => Ok(shown.to_string()),
    }
}

/// The name of a device that says which adapter it is, when `path` is another one.
fn lasting_name(path: &Path) -> Option<String> {
    let device = fs::canonicalize(path).ok()?;
    let named = fs::read_dir("/dev/serial/by-id").ok()?.flatten().map(|entry| entry.path());
    let name = named.filter(|name| fs::canonicalize(name).is_ok_and(|target| target == device)).min()?;
    (!path.starts_with("/dev/serial")).then(|| name.display().to_string())
}

/// A folder that files are taken out of.
pub(crate) fn folder(path: &Path, mode: Mode) -> Result<String, String> {
    let shown = path.display();
    if !path.is_dir() {
        return Err(format!("{shown} is no folder: make it, or mend the path; is the share mounted?"));
    }
    if mode == Mode::ListenOnly {
        // Nothing is moved there.
        let readable = access(path, Access::READ_OK | Access::EXEC_OK);
        return readable
            .map(|()| shown.to_string())
            .map_err(|_| format!("{shown} cannot be read by this user"));
    }
    if access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        return Err(format!(
            "{shown} cannot be read and written by this user: files are moved when they are taken"
        ));
    }
    Ok(shown.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_missing_or_none_is_told_with_its_remedy() {
        assert!(device(Path::new("/dev/ttyUSB99")).unwrap_err().contains("/dev/serial/by-id/"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        fs::write(&file, "").unwrap();
        assert!(device(&file).unwrap_err().contains("no serial device"));
        assert_eq!(device(Path::new("/dev/null")), Ok("/dev/null".into()));
    }

    #[test]
    fn a_folder_that_is_missing_is_told_with_its_remedy() {
        let there = tempfile::tempdir().unwrap();
        for mode in [Mode::Production, Mode::ListenOnly] {
            assert!(folder(there.path(), mode).is_ok());
            let missing = folder(&there.path().join("none"), mode).unwrap_err();
            assert!(missing.contains("make it, or mend the path"));
        }
    }
}
