//! `hemogate simulate` over every kind of line: TLS with certificates on both sides, a port of its own, a serial line.

use crate::{
    authority::{Authority, Good},
    binary::hemogate,
    house::{Daemon, House, until},
};
use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

const PROFILE: &str = "abbott/architect-i2000sr";
const WITHIN: Duration = Duration::from_mins(1);

/// A house with one production line over `transport`.
fn house(transport: &str) -> House {
    House::configured(&format!(
        "[[connection]]\nid = \"line\"\nprofile = \"{PROFILE}\"\nmode = \"production\"\ntransport = {{ {transport} }}\n"
    ))
}

/// Plays two donations to `to`, and finds as many messages held as were acknowledged.
fn plays(daemon: &Daemon, to: &str, more: &[&Path]) {
    let mut command = Command::new(hemogate());
    command.args(["simulate", PROFILE, "--lang", "en", "--donations", "2", "--to", to]).args(more);
    let output = command.output().unwrap();
    let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{printed}");
    let (acknowledged, _) = printed.split_once(" messages acknowledged · 0 not").unwrap();
    let acknowledged: usize = acknowledged.parse().unwrap();
    assert!(acknowledged > 2, "{printed}");
    until("what was acknowledged is held", WITHIN, || daemon.list("messages").len() == acknowledged);
}

#[test]
fn over_tls_with_certificates_on_both_sides() {
    let authority = Authority::new("Blood Centre CA");
    let house = house(
        "type = \"tls-listen\", address = \"127.0.0.1:0\", certificate = \"cert.pem\", key = \"key.pem\", ca = \"ca.pem\"",
    );
    let file = |name: &str, text: &str| {
        let path = house.path.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (ours, theirs) =
        (authority.vouches_for("lis", Good::Now), authority.vouches_for("arch-1", Good::Now));
    file("cert.pem", &ours.certificate);
    file("key.pem", &ours.key);
    let (ca, certificate, key) = (
        file("ca.pem", &authority.pem()),
        file("arch.pem", &theirs.certificate),
        file("arch.key", &theirs.key),
    );
    let daemon = house.start();
    let more = [Path::new("--ca"), &ca, Path::new("--certificate"), &certificate, Path::new("--key"), &key];
    plays(&daemon, &format!("tls:localhost:{}", daemon.listening["line"].port()), &more);
}

#[test]
fn at_a_port_of_the_analysers_own() {
    // A port that was free a moment ago. Until the analyser is there the daemon is refused, and comes again.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let house = house(&format!("type = \"tcp-connect\", address = \"{free}\""));
    let daemon = house.start();
    plays(&daemon, &format!("listen:{free}"), &[]);
}

/// A null-modem cable; ends when it is dropped.
struct Cable(Child);

impl Drop for Cable {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn over_a_serial_line() {
    let house = house("type = \"serial\", device = \"host\"");
    let ends = ["host", "analyser"].map(|name| house.path.join(name));
    let pty = ends.each_ref().map(|end| format!("PTY,raw,echo=0,link={}", end.display()));
    let socat = Command::new("socat").args(&pty).stdin(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(socat) = socat else {
        eprintln!("SKIPPED: no socat (Debian package socat)");
        return;
    };
    let _cable = Cable(socat);
    until("the cable is there", WITHIN, || ends.iter().all(|end| end.exists()));
    let daemon = house.start();
    plays(&daemon, &format!("serial:{},9600,8N1", ends[1].display()), &[]);
}
