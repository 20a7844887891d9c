//! A station in a folder of its own, and the daemon that runs in it.

use crate::binary::hemogate;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// A daemon that has not said where it listens by then is broken, however slow the machine.
const STARTS_WITHIN: Duration = Duration::from_mins(2);
const ANSWERS_WITHIN: Duration = Duration::from_mins(1);
/// Pause between two looks at what can only be looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The analysers of a house: connection and profile.
pub(crate) const LINES: &[(&str, &str)] = &[
    ("serology", "abbott/architect-i2000sr"),
    ("grouping", "bio-rad/ih-com"),
    ("nat", "roche/cobas-x800"),
    ("chemistry", "mindray/bs"),
];

/// A configuration and a ledger in one folder.
pub(crate) struct House {
    /// Removed with everything in it.
    _folder: Option<tempfile::TempDir>,
    pub(crate) path: PathBuf,
}

impl House {
    /// With the usual analysers.
    pub(crate) fn new() -> Self {
        Self::with(LINES)
    }

    pub(crate) fn with(lines: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_path_buf();
        let house = Self { _folder: Some(folder), path };
        house.configure(lines, 0);
        house
    }

    /// With more keys for the connection that was named last.
    pub(crate) fn also(self, keys: &str) -> Self {
        let text = fs::read_to_string(self.config()).unwrap();
        fs::write(self.config(), format!("{text}{keys}\n")).unwrap();
        self
    }

    /// With connections as the configuration has them.
    pub(crate) fn configured(connections: &str) -> Self {
        let house = Self::with(&[]);
        let head = fs::read_to_string(house.config()).unwrap();
        fs::write(house.config(), head + connections).unwrap();
        house
    }

    /// In a folder that is there and stays there.
    pub(crate) fn at(path: &Path, minimum_free_mib: u64) -> Self {
        let house = Self { _folder: None, path: path.to_path_buf() };
        house.configure(LINES, minimum_free_mib);
        house
    }

    fn configure(&self, lines: &[(&str, &str)], minimum_free_mib: u64) {
        let head = format!(
            "[store]\npath = \"ledger\"\ncache_mib = 16\nminimum_free_mib = {minimum_free_mib}\n\
             [console]\nlisten = \"127.0.0.1:0\"\n"
        );
        let connection = |(id, profile): &(&str, &str)| {
            format!(
                "[[connection]]\nid = \"{id}\"\nprofile = \"{profile}\"\nmode = \"production\"\n\
                 transport = {{ type = \"tcp-listen\", address = \"127.0.0.1:0\", sockets_max = 4 }}\n"
            )
        };
        let text: String = std::iter::once(head).chain(lines.iter().map(connection)).collect();
        fs::write(self.config(), text).unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path.join("hemogate.toml")
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.path.join("ledger")
    }

    /// The command that runs the daemon.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(hemogate());
        command.arg("run").arg("--config").arg(self.config());
        command
    }

    /// Starts the daemon and waits until it listens.
    pub(crate) fn start(&self) -> Daemon {
        let mut daemon = self.launch(&mut self.command());
        daemon.ready();
        daemon
    }

    /// Starts the daemon by a command and waits for nothing.
    pub(crate) fn launch(&self, command: &mut Command) -> Daemon {
        command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (sender, said) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        let ledger = self.ledger();
        Daemon { child, pid: None, said, log: Vec::new(), ledger, listening: BTreeMap::new(), console: None }
    }

    /// Starts a daemon that must refuse to, and gives its exit code and what it said.
    pub(crate) fn refuses(&self) -> (Option<i32>, String) {
        let mut daemon = self.launch(&mut self.command());
        let began = Instant::now();
        while let Ok(line) = daemon.said.recv_timeout(STARTS_WITHIN.saturating_sub(began.elapsed())) {
            daemon.log.push(line);
            assert!(!daemon.log.iter().any(|l| l.contains("http://")), "it started: {:#?}", daemon.log);
        }
        (daemon.child.wait().unwrap().code(), daemon.log.join("\n"))
    }
}

/// What the door answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) version: Option<String>,
    pub(crate) body: Value,
}

impl Told {
    /// What it was refused with: the status and the words.
    pub(crate) fn refused(&self) -> (u16, &str) {
        (self.status, self.body["detail"].as_str().unwrap_or_default())
    }

    pub(crate) fn well(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:#?}");
        self.body
    }
}

/// A daemon; killed when it goes out of sight.
pub(crate) struct Daemon {
    child: Child,
    /// The daemon itself, where the child only watches it.
    pid: Option<u32>,
    said: Receiver<String>,
    pub(crate) log: Vec<String>,
    ledger: PathBuf,
    pub(crate) listening: BTreeMap<String, SocketAddr>,
    console: Option<(SocketAddr, String)>,
}

impl Daemon {
    /// Waits until it has said where it listens.
    pub(crate) fn ready(&mut self) {
        let began = Instant::now();
        while !self.log.iter().any(|line| line.contains("http://")) {
            match self.said.recv_timeout(STARTS_WITHIN.saturating_sub(began.elapsed())) {
                Ok(line) => self.log.push(line),
                Err(why) => panic!("the daemon does not start ({why}): {:#?}", self.log),
            }
        }
        let about = fs::read_to_string(self.ledger.join("daemon.json")).unwrap();
        let about: Value = serde_json::from_str(&about).unwrap();
        self.pid = Some(u32::try_from(about["pid"].as_u64().unwrap()).unwrap());
        let address = |value: &Value| value.as_str().unwrap().parse::<SocketAddr>().unwrap();
        let token = fs::read_to_string(self.ledger.join("console-token")).unwrap().trim().to_owned();
        self.console = Some((address(&about["console"]), token));
        let listening = about["listening"].as_object().unwrap();
        self.listening = listening.iter().map(|(id, a)| (id.clone(), address(a))).collect();
    }

    /// SIGKILL, and the end of it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and waits for the orderly end.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        self.hear(Duration::from_secs(5));
        (status, self.log.join("\n"))
    }

    /// The daemon's number.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.unwrap_or_else(|| self.child.id())
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let told = Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(told.success(), "no process {pid}");
    }

    /// Takes what it has said so far, or until it says no more for `quiet`.
    pub(crate) fn hear(&mut self, quiet: Duration) -> &[String] {
        loop {
            match self.said.recv_timeout(quiet) {
                Ok(line) => self.log.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return &self.log,
            }
        }
    }

    /// Whether it has not ended.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What the HTTP surface answers: status and body.
    pub(crate) fn ask(&self, path: &str) -> (u16, Vec<u8>) {
        self.request("GET", path, "")
    }

    /// Tells the HTTP surface something; status and what it answers, as JSON.
    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, answer) = self.request("POST", &format!("/api/v1/{path}"), &body.to_string());
        (status, serde_json::from_slice(&answer).unwrap())
    }

    fn request(&self, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
        let (_, token) = self.console.as_ref().unwrap();
        let (status, _, answer) = self.exchange(method, path, (token, None), body);
        (status, answer)
    }

    /// A request with somebody's own token, held to a version where one is named.
    pub(crate) fn says(
        &self,
        method: &str,
        path: &str,
        (token, version): (&str, Option<&str>),
        body: &Value,
    ) -> Told {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, head, answer) =
            self.exchange(method, &format!("/api/v1/{path}"), (token, version), &body);
        let version =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("etag: ").map(str::to_owned));
        let body = serde_json::from_slice(&answer).unwrap_or(Value::Null);
        Told { status, version, body }
    }

    /// Tells the HTTP surface several things at once; the status of each.
    pub(crate) fn posts_at_once(&self, path: &str, bodies: &[Value]) -> Vec<u16> {
        let (_, token) = self.console.as_ref().unwrap();
        let path = format!("/api/v1/{path}");
        let sent: Vec<TcpStream> =
            bodies.iter().map(|body| self.sends("POST", &path, (token, None), &body.to_string())).collect();
        sent.into_iter().map(|socket| hears(socket).0).collect()
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        to: (&str, Option<&str>),
        body: &str,
    ) -> (u16, String, Vec<u8>) {
        hears(self.sends(method, path, to, body))
    }

    fn sends(
        &self,
        method: &str,
        path: &str,
        (token, version): (&str, Option<&str>),
        body: &str,
    ) -> TcpStream {
        let (address, _) = self.console.as_ref().unwrap();
        let held_to = version.map(|version| format!("If-Match: {version}\r\n")).unwrap_or_default();
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(ANSWERS_WITHIN)).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n{held_to}\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).unwrap();
        socket
    }

    /// What the HTTP surface answers, as JSON.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(&format!("/api/v1/{path}"));
        let text = String::from_utf8_lossy(&body);
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}: {text}"))
    }

    /// Every item of a list.
    pub(crate) fn list(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("{path}?limit=500{after}"));
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return items,
            }
        }
    }

    /// Waits until nothing waits to be interpreted or decided any more.
    pub(crate) fn idle(&self) {
        until("the rooms are idle", ANSWERS_WITHIN, || {
            let caught_up = |status: &Value| status["ledger"]["lag_entries"].as_u64() == Some(0);
            // The counters of one look may be older than its lag: what was caught up with then is counted in the next.
            if !caught_up(&self.get("status")) {
                return false;
            }
            let status = self.get("status");
            let none = |name: &str| status["counters"][name].as_u64() == Some(0);
            none("to_interpret") && none("to_decide") && caught_up(&status)
        });
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            if self.pid.is_some_and(|pid| pid != self.child.id()) {
                self.signal("KILL");
            }
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// What the HTTP surface answers: status, head and body.
fn hears(mut socket: TcpStream) -> (u16, String, Vec<u8>) {
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("no HTTP answer");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[end + 4..].to_vec())
}

/// Looks again and again until `come` is true: for what another process does and does not tell.
pub(crate) fn until(what: &str, within: Duration, mut come: impl FnMut() -> bool) {
    let began = Instant::now();
    while !come() {
        assert!(began.elapsed() < within, "waited {within:?} and still not: {what}");
        thread::park_timeout(LOOK_AGAIN);
    }
}
