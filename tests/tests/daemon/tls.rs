//! Certificates on both sides of a line to the daemon itself: who is let in, who is not, and where the reason stands.

use crate::{
    analyser::{ENQ, Line, Transfer},
    authority::{Authority, Good, Identity},
    flood::{Neighbours, WITHIN, outlived},
    house::{Daemon, House, LINES, until},
};
use serde_json::Value;
use std::{
    fs,
    io::{self, Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

/// A house whose line `secured` speaks TLS and asks for a certificate.
struct Lab {
    house: House,
    authority: Authority,
    good: Identity,
}

impl Lab {
    fn new() -> Self {
        let authority = Authority::new("Blood Centre CA");
        let tls = "[[connection]]\nid = \"secured\"\nprofile = \"abbott/architect-i2000sr\"\nmode = \"production\"\n\
                   transport = { type = \"tls-listen\", address = \"127.0.0.1:0\", certificate = \"cert.pem\", \
                   key = \"key.pem\", ca = \"ca.pem\", sockets_max = 4 }\n";
        let house = House::with(LINES).also(tls);
        fs::write(house.path.join("ca.pem"), authority.pem()).unwrap();
        let good = authority.vouches_for("arch-1.example", Good::Now);
        let lab = Self { house, authority, good };
        lab.install(&lab.authority.vouches_for("lis.example", Good::Now));
        lab
    }

    fn install(&self, identity: &Identity) {
        fs::write(self.house.path.join("cert.pem"), &identity.certificate).unwrap();
        fs::write(self.house.path.join("key.pem"), &identity.key).unwrap();
    }

    /// Sends a transfer as `identity`; fails where it is not let in.
    fn transfer(&self, daemon: &Daemon, identity: Option<&Identity>, tag: &str) -> io::Result<Transfer> {
        let socket = self.authority.calls(daemon.listening["secured"], identity)?;
        let mut transfer = Transfer::new("secured", tag, 1, 0);
        Line::over(socket).transfer(&mut transfer, || ())?;
        Ok(transfer)
    }
}

fn secured(daemon: &Daemon) -> Value {
    daemon.get("connections/secured")
}

/// Waits until somebody was turned away for the `count`-th time: the status and the log say why.
fn turned_away(daemon: &mut Daemon, count: u64, why: &str) {
    // It is counted first and told then.
    until(why, WITHIN, || {
        let seen = secured(daemon);
        let told = seen["last_anomaly"].as_str().is_some_and(|told| told.contains(why));
        told && seen["turned_away_total"].as_u64() == Some(count)
    });
    until("the log says why", WITHIN, || daemon.hear(Duration::ZERO).iter().any(|line| line.contains(why)));
}

#[test]
fn only_whoever_shows_a_good_certificate_comes_in_and_the_status_and_the_log_say_why_not() {
    let lab = Lab::new();
    let mut daemon = lab.house.start();
    let neighbours = Neighbours::of(&daemon);
    let first = lab.transfer(&daemon, Some(&lab.good), "FIRST").unwrap();
    let seen = secured(&daemon);
    assert!(seen["peer"].as_str().unwrap().contains("CN=arch-1.example"), "{seen}");
    assert!(seen["certificate"].as_str().unwrap().contains("CN=lis.example, valid until"), "{seen}");
    // It left without TLS's own goodbye, which is told too: what is told last is read below.
    until("its going is told", WITHIN, || secured(&daemon)["anomalies"]["line_broke"] == 1);
    let stranger = Authority::new("Another CA");
    let by = |authority: &Authority, good| Some(authority.vouches_for("x.example", good));
    let wrong = [
        (None, "shows no certificate"),
        (by(&stranger, Good::Now), "an authority that the configured ca does not hold"),
        (by(&lab.authority, Good::NoMore), "has expired"),
        (by(&lab.authority, Good::NotYet), "is not valid yet"),
    ];
    for (count, (identity, why)) in (1..).zip(wrong) {
        lab.transfer(&daemon, identity.as_ref(), "WRONG").unwrap_err();
        turned_away(&mut daemon, count, why);
    }
    // One who does not trust us says so, and one who speaks no TLS is told apart at once.
    assert!(stranger.calls(daemon.listening["secured"], Some(&lab.good)).is_err());
    turned_away(&mut daemon, 5, "does not know the authority of our certificate");
    let mut plain = TcpStream::connect(daemon.listening["secured"]).unwrap();
    plain.set_read_timeout(Some(WITHIN)).unwrap();
    plain.write_all(&[ENQ]).unwrap();
    // Closed, whether by an end or by a reset.
    assert!(plain.read(&mut [0; 16]).unwrap_or(0) == 0);
    turned_away(&mut daemon, 6, "plain bytes (the first is 0x05) on a TLS port");
    let last = lab.transfer(&daemon, Some(&lab.good), "LAST").unwrap();
    let mut sent = neighbours.end();
    sent.transfers.extend([first, last]);
    outlived(&lab.house, daemon, &sent);
}

#[test]
fn certificates_are_changed_while_an_analyser_talks_by_the_files_alone_and_by_sighup() {
    let lab = Lab::new();
    let daemon = lab.house.start();
    let socket = lab.authority.calls(daemon.listening["secured"], Some(&lab.good)).unwrap();
    let mut talking = Line::over(socket);
    let mut sent = crate::reckoning::Sent::default();
    let mut talks = |tag: &str| {
        let mut transfer = Transfer::new("secured", tag, 1, 0);
        talking.transfer(&mut transfer, || ()).unwrap();
        sent.transfers.push(transfer);
    };
    let shows = |what: &str| {
        until(what, WITHIN, || secured(&daemon)["certificate"].as_str().unwrap().contains(what));
    };
    talks("BEFORE");
    // Told by a signal.
    lab.install(&lab.authority.vouches_for("renewed.example", Good::Now));
    daemon.signal("HUP");
    shows("CN=renewed.example");
    talks("RENEWED");
    // One that cannot be used changes nothing, and is told.
    lab.install(&lab.authority.vouches_for("old.example", Good::NoMore));
    daemon.signal("HUP");
    shows("CN=old.example");
    assert!(secured(&daemon)["certificate"].as_str().unwrap().starts_with("CN=renewed.example"));
    // Seen without being told, and another authority with it.
    let other = Authority::new("New CA");
    fs::write(lab.house.path.join("ca.pem"), other.pem()).unwrap();
    lab.install(&lab.authority.vouches_for("third.example", Good::Now));
    until("it is in use", WITHIN, || {
        secured(&daemon)["certificate"].as_str().unwrap().starts_with("CN=third.example")
    });
    talks("THIRD");
    assert!(lab.transfer(&daemon, Some(&lab.good), "WRONG").is_err());
    let new = other.vouches_for("arch-1.example", Good::Now);
    let served = lab.transfer(&daemon, Some(&new), "NEW").unwrap();
    sent.transfers.push(served);
    outlived(&lab.house, daemon, &sent);
}

#[test]
fn a_storm_of_handshakes_and_of_plain_bytes_leaves_room_for_whoever_means_it() {
    const MANY: usize = 300;
    let lab = Lab::new();
    let daemon = lab.house.start();
    let neighbours = Neighbours::of(&daemon);
    let address = daemon.listening["secured"];
    let mut held = Vec::new();
    for number in 0..MANY {
        let mut socket = TcpStream::connect(address).unwrap();
        // Beginnings, rubbish in the clothes of a handshake, plain bytes, and silence.
        let first: &[u8] = match number % 4 {
            0 => &[0x16, 3, 1],
            1 => &[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0],
            2 => b"GET / HTTP/1.0\r\n\r\n",
            _ => &[],
        };
        // It may have been closed already.
        drop(socket.write_all(first));
        held.push(socket);
    }
    // Whole handshakes one after the other, from two sides, each broken off as soon as it is done.
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..50 {
                    drop(lab.authority.calls(address, Some(&lab.good)));
                }
            });
        }
        // A byte of a handshake now and then.
        scope.spawn(|| {
            let mut slow: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(address).unwrap()).collect();
            for byte in [0x16_u8, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3] {
                slow.retain_mut(|socket| socket.write_all(&[byte]).is_ok());
                thread::park_timeout(Duration::from_millis(50));
            }
        });
    });
    let meant = lab.transfer(&daemon, Some(&lab.good), "MEANT").unwrap();
    let mut sent = neighbours.end();
    sent.transfers.push(meant);
    outlived(&lab.house, daemon, &sent);
}
