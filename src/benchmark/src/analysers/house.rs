//! The daemon that is measured: the binary itself, with a configuration and a ledger of its own.

use super::{AnalysersOptions, Part};
use crate::BenchError;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs::{self, File},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const STARTS_WITHIN: Duration = Duration::from_mins(2);
const STOPS_WITHIN: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// So small that it is full by half-time: what is watched is not the state's cache filling up.
const CACHE_MIB: u32 = 1;

/// A running daemon. It is killed and its folder removed when this is dropped.
pub(super) struct House {
    folder: tempfile::TempDir,
    child: Child,
    listening: Value,
}

impl House {
    pub(super) fn start(parts: &[Part], options: &AnalysersOptions) -> Result<Self, BenchError> {
        let folder = tempfile::Builder::new()
            .prefix("hemogate-bench-")
            .tempdir_in(&options.folder)
            .map_err(BenchError::io(format!("make a folder in {}", options.folder.display())))?;
        let config = folder.path().join("hemogate.toml");
        fs::write(&config, configuration(parts)).map_err(BenchError::io("write the configuration"))?;
        let log = File::create(folder.path().join("log")).map_err(BenchError::io("make a log"))?;
        let child = Command::new(&options.binary)
            .arg("run")
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(BenchError::io(format!("start {}", options.binary.display())))?;
        let mut house = Self { folder, child, listening: Value::Null };
        house.listening = house.about()?;
        Ok(house)
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    /// What the daemon says of itself once it listens.
    fn about(&mut self) -> Result<Value, BenchError> {
        let path = self.ledger().join("daemon.json");
        let began = Instant::now();
        while began.elapsed() < STARTS_WITHIN {
            if let Some(status) = self.child.try_wait().map_err(BenchError::io("wait for the daemon"))? {
                return Err(self.broken("start the daemon", &status.to_string()));
            }
            if let Some(mut about) =
                fs::read(&path).ok().and_then(|b| serde_json::from_slice::<Value>(&b).ok())
                && about.get("pid") == Some(&Value::from(self.child.id()))
            {
                return Ok(about.get_mut("listening").map(Value::take).unwrap_or_default());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Err(self.broken("start the daemon", "it does not say where it listens"))
    }

    fn broken(&self, what: &str, why: &str) -> BenchError {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        BenchError::Part {
            what: what.to_owned(),
            why: format!("{why}: {}", last.into_iter().rev().collect::<Vec<_>>().join(" | ")),
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where a connection listens.
    pub(super) fn address(&self, connection: &str) -> Result<SocketAddr, BenchError> {
        let address = self.listening.get(connection).and_then(Value::as_str).and_then(|a| a.parse().ok());
        address.ok_or_else(|| self.broken("find an analyser's port", connection))
    }

    /// Stops it as a service manager does, and gives its ledger.
    pub(super) fn stop(mut self) -> Result<Kept, BenchError> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let told = pid.map(|pid| kill_process(pid, Signal::TERM));
        if !matches!(told, Some(Ok(()))) {
            return Err(self.broken("stop the daemon", "it cannot be told"));
        }
        let began = Instant::now();
        while began.elapsed() < STOPS_WITHIN {
            match self.child.try_wait().map_err(BenchError::io("wait for the daemon"))? {
                Some(status) if status.success() => return Ok(Kept { house: self }),
                Some(status) => return Err(self.broken("stop the daemon", &status.to_string())),
                None => std::thread::sleep(LOOK_AGAIN),
            }
        }
        Err(self.broken("stop the daemon", "it does not end"))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The ledger of a daemon that has stopped.
pub(super) struct Kept {
    house: House,
}

impl Kept {
    pub(super) fn folder(&self) -> PathBuf {
        self.house.ledger()
    }
}

fn configuration(parts: &[Part]) -> String {
    let mut text =
        format!("[store]\npath = \"ledger\"\ncache_mib = {CACHE_MIB}\n[console]\nlisten = \"127.0.0.1:0\"\n");
    for Part { connection, profile, .. } in parts {
        let written = write!(
            text,
            "[[connection]]\nid = \"{connection}\"\nprofile = \"{profile}\"\nmode = \"production\"\n\
             transport = {{ type = \"tcp-listen\", address = \"127.0.0.1:0\" }}\n"
        );
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    text
}
