//! python-astm at the other end of a serial line: socat makes the line, and carries its bytes to the library, which
//! speaks over sockets only.
//!
//! ```text
//! python-astm ──TCP──► adapter (here) ──pipe──► socat ──pty──► the daemon's serial device
//! ```

use crate::{
    driver::{Driver, texts},
    house::{Daemon, House, until},
    kit::{python, skipped},
    records::{message, send, text, verdicts},
};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

const WITHIN: Duration = Duration::from_mins(1);

/// What socat carries from the line goes to whoever is connected.
type Connected = Arc<Mutex<Option<TcpStream>>>;

/// A serial adapter that is plugged in: while it lives there is a device.
struct Adapter {
    socat: Child,
    to_line: Arc<Mutex<ChildStdin>>,
    connected: Connected,
}

impl Adapter {
    /// Plugged in, `device` appears. Nothing where there is no socat.
    fn plug_in(device: &Path) -> Option<Self> {
        let pty = format!("PTY,raw,echo=0,link={}", device.display());
        let socat = Command::new("socat")
            .args(["-", &pty])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut socat = match socat {
            Ok(socat) => socat,
            Err(error) => {
                skipped("socat", &format!("{error} (Debian package socat)"));
                return None;
            }
        };
        let to_line = Arc::new(Mutex::new(socat.stdin.take().unwrap()));
        let mut from_line = socat.stdout.take().unwrap();
        let connected = Connected::default();
        let to = Arc::clone(&connected);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = from_line.read(&mut bytes) {
                if let Some(socket) = to.lock().unwrap().as_mut() {
                    // Who has gone hears no more.
                    socket.write_all(&bytes[..count]).unwrap_or_default();
                }
            }
        });
        Some(Self { socat, to_line, connected })
    }

    /// Carries the bytes of `socket` until it ends.
    fn carry(&self, socket: TcpStream) {
        let (to_line, connected) = (Arc::clone(&self.to_line), Arc::clone(&self.connected));
        thread::spawn(move || carry(socket, &to_line, &connected));
    }

    /// Where the next one who connects is put on the line.
    fn outlet(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (to_line, connected) = (Arc::clone(&self.to_line), Arc::clone(&self.connected));
        thread::spawn(move || carry(listener.accept().unwrap().0, &to_line, &connected));
        address
    }

    /// Pulled out: the device is gone in the middle of whatever goes on.
    fn pull_out(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.socat.kill());
        drop(self.socat.wait());
        if let Some(socket) = self.connected.lock().unwrap().take() {
            drop(socket.shutdown(std::net::Shutdown::Both));
        }
    }
}

/// Carries the bytes of `socket` to the line until either ends.
fn carry(mut socket: TcpStream, to_line: &Mutex<ChildStdin>, connected: &Connected) {
    *connected.lock().unwrap() = Some(socket.try_clone().unwrap());
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = socket.read(&mut bytes) {
        let mut line = to_line.lock().unwrap();
        if line.write_all(&bytes[..count]).and_then(|()| line.flush()).is_err() {
            return;
        }
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        self.end();
    }
}

/// A house with one analyser on a serial line, and the device's name.
fn house(profile: &str, keys: &str) -> (House, PathBuf) {
    let house = House::configured(&format!(
        "[[connection]]\nid = \"serial\"\nprofile = \"{profile}\"\nmode = \"production\"\n{keys}\
         transport = {{ type = \"serial\", device = \"adapter\" }}\n"
    ));
    let device = house.path.join("adapter");
    (house, device)
}

/// Waits until the line stands so, for this reason.
fn stands(daemon: &Daemon, activity: &str, reason: &str) {
    until(&format!("the line is {activity}: {reason}"), WITHIN, || {
        let seen = daemon.standing("serial");
        seen["activity"] == activity && seen["reason"].as_str().is_some_and(|said| said.contains(reason))
    });
}

#[test]
fn python_astm_over_a_serial_line_that_is_pulled_out_and_put_back_loses_nothing() {
    let Some(python) = python() else { return };
    let (house, device) = house("abbott/architect-i2000sr", "");
    let Some(adapter) = Adapter::plug_in(&device) else { return };
    let daemon = house.start();
    stands(&daemon, "connected", "the device is open");
    let whole = [message("S1"), message("S2")];
    let said = send(python, adapter.outlet(), &json!({"messages": whole}));
    assert_eq!(texts(&said, "error"), [""; 0]);
    assert!(verdicts(&said).iter().all(|(_, accepted)| *accepted), "{said:#?}");
    assert_eq!(daemon.held(2), whole.each_ref().map(|m| text(m)));

    // In the middle of a transfer: the first frame is acknowledged, then the device is gone.
    let mut line = TcpStream::connect(adapter.outlet()).unwrap();
    line.set_read_timeout(Some(WITHIN)).unwrap();
    let header = lis01::encode_frame(lis01::FrameNumber::new(1), lis01::FrameEnd::End, b"H|\\^&|S3\r");
    for bytes in [&[5_u8][..], &header] {
        line.write_all(bytes).unwrap();
        let mut answer = [0];
        line.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [6]);
    }
    adapter.pull_out();
    stands(&daemon, "connecting", "next attempt in");
    stands(&daemon, "connecting", "plug the adapter in");
    let seen = daemon.standing("serial");
    assert!(seen["reason_zh"].as_str().unwrap().contains("转接线"), "{seen}");
    until("what came is half a transmission", WITHIN, || daemon.counter("half_transfers") == 1);

    let adapter = Adapter::plug_in(&device).unwrap();
    stands(&daemon, "connected", "the device is open");
    let again = [message("S3")];
    let said = send(python, adapter.outlet(), &json!({"messages": again}));
    assert!(verdicts(&said).iter().all(|(_, accepted)| *accepted), "{said:#?}");
    assert_eq!(daemon.held(3), [text(&whole[0]), text(&whole[1]), text(&again[0])]);
    let (status, log) = daemon.stop();
    assert!(status.success() && log.contains("was the adapter pulled out?"), "{log}");
}

/// Its server as the analyser: what the daemon sends unasked arrives whole, over a line of 9,600 bits a second.
#[test]
fn an_order_reaches_the_server_of_python_astm_over_a_serial_line() {
    let Some(python) = python() else { return };
    let (house, device) = house("generic/astm-host-query", "orders = true\norders_unasked = true\n");
    let Some(adapter) = Adapter::plug_in(&device) else { return };
    let (mut server, port) = Driver::serve(python, "astm_server.py", &[]);
    adapter.carry(TcpStream::connect(("127.0.0.1", port)).unwrap());
    let daemon = house.start();
    stands(&daemon, "connected", "the device is open");
    let order = json!({ "id": "P-1", "specimen": "G123426000001", "assays": ["generic HBsAg"] });
    let (status, body) = daemon.post("orders", &order);
    assert!((200..300).contains(&status), "{status} {body}");
    loop {
        let record = server.next("record")["record"].clone();
        if record[0] == "L" {
            break;
        }
    }
    let heard: Vec<String> = server.heard.iter().map(ToString::to_string).collect();
    assert!(heard.iter().any(|said| said.contains("G123426000001")), "{heard:#?}");
    until("the order is told", WITHIN, || {
        let shown = serde_json::from_slice(&daemon.ask("/api/v1/orders/P-1").1).unwrap_or(json!({}));
        shown["history"].to_string().contains("order_sent")
    });
    let seen = daemon.standing("serial");
    assert_eq!(seen["cut_total"], 0, "{seen}");
}
