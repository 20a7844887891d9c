//! TLS on a line that analysers connect to: who comes in, who does not and why, and what it costs the others.

use crate::{
    authority::{Authority, Caller, FUTURE, Identity, NOW, PAST, write},
    site::{ACK, ENQ, PATIENCE, RECORDS, Site, begin, closed, frame, say, transfer},
};
use intake::{IdentityFiles, Limits, TlsServer, TlsServerFiles};
use rustls::version::{TLS12, TLS13};
use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{io::AsyncWriteExt, time::timeout};

/// A laboratory: its authority, its files, and a line.
struct Lab {
    authority: Authority,
    folder: tempfile::TempDir,
    server: Arc<TlsServer>,
    site: Site,
}

fn files(folder: &Path) -> TlsServerFiles {
    TlsServerFiles {
        identity: IdentityFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") },
        ca: Some(folder.join("ca.pem")),
    }
}

fn install(folder: &Path, identity: &Identity) {
    write(folder, "cert.pem", &identity.certificate);
    write(folder, "key.pem", &identity.key);
}

impl Lab {
    fn new(limits: Limits) -> Self {
        let (authority, folder) = (Authority::new("Blood Centre CA"), tempfile::tempdir().unwrap());
        install(folder.path(), &authority.vouches_for("lis.example", NOW));
        write(folder.path(), "ca.pem", &authority.pem());
        let (server, fault) = TlsServer::open(files(folder.path())).unwrap();
        assert_eq!(fault, None);
        let server = Arc::new(server);
        let tls = Arc::clone(&server);
        Self { authority, folder, server, site: Site::listening(limits, |listen| listen.tls = Some(tls)) }
    }

    fn analyser(&self, name: &str) -> Identity {
        self.authority.vouches_for(name, NOW)
    }

    /// Plays one transfer as `identity`; whether it was let in.
    async fn comes_in(&self, identity: Option<&Identity>) -> bool {
        let caller = Caller { trusts: &self.authority, shows: identity, version: &TLS13 };
        let Ok(mut line) = caller.call(self.site.connect().await).await else { return false };
        // Under TLS 1.3 a client hears of its rejection only when it reads.
        if say(&mut line, &[ENQ]).await.is_err() {
            return false;
        }
        for (number, record) in (1..).zip(RECORDS) {
            assert_eq!(say(&mut line, &frame(number, record)).await.unwrap(), ACK);
        }
        true
    }
}

#[tokio::test]
async fn an_analyser_with_a_certificate_is_served_over_either_version_and_the_status_says_who_it_is() {
    for version in [&TLS12, &TLS13] {
        let lab = Lab::new(Limits::default());
        let identity = lab.analyser("arch-1.example");
        let caller = Caller { trusts: &lab.authority, shows: Some(&identity), version };
        let mut line = caller.call(lab.site.connect().await).await.unwrap();
        transfer(&mut line).await;
        let standing = lab.site.until("a message has come", |s| s.messages_total == 1).await;
        assert!(standing.peer.contains("CN=arch-1.example"), "{standing:?}");
        assert!(standing.certificate.contains("CN=lis.example, valid until"), "{standing:?}");
        assert_eq!(standing.anomalies_total, 0, "{standing:?}");
        assert_eq!(lab.site.kept().await.0, [RECORDS.concat()]);
    }
}

#[tokio::test]
async fn whoever_shows_no_good_certificate_is_refused_with_the_reason_and_others_go_on() {
    let lab = Lab::new(Limits { sockets_max: 2, ..Limits::default() });
    let good = lab.analyser("good.example");
    let caller = Caller { trusts: &lab.authority, shows: Some(&good), version: &TLS13 };
    let mut line = caller.call(lab.site.connect().await).await.unwrap();
    begin(&mut line, 1).await;
    let stranger = Authority::new("Another CA");
    let wrong = [
        (None, "shows no certificate"),
        (Some(stranger.vouches_for("x", NOW)), "an authority that the configured ca does not hold"),
        (Some(lab.authority.vouches_for("x", PAST)), "has expired"),
        (Some(lab.authority.vouches_for("x", FUTURE)), "is not valid yet"),
    ];
    for (turned, (identity, expect)) in (1..).zip(wrong) {
        assert!(!lab.comes_in(identity.as_ref()).await, "{expect}");
        let standing = lab.site.until(expect, |s| s.turned_away_total == turned).await;
        assert!(standing.last_anomaly.contains(expect), "{standing:?}");
    }
    // A client that does not trust us says so.
    let doubter = Caller { trusts: &stranger, shows: Some(&good), version: &TLS13 };
    doubter.call(lab.site.connect().await).await.unwrap_err();
    let standing = lab.site.until("it is turned away", |s| s.turned_away_total == 5).await;
    assert!(standing.last_anomaly.contains("does not know the authority of our certificate"), "{standing:?}");
    // Plain bytes are told at once, not after a time-out: ENQ alone is no TLS record.
    let mut plain = lab.site.connect().await;
    plain.write_all(&[ENQ]).await.unwrap();
    closed(&mut plain).await;
    let standing = lab.site.until("it is turned away", |s| s.turned_away_total == 6).await;
    assert!(standing.last_anomaly.contains("plain bytes (the first is 0x05) on a TLS port"), "{standing:?}");
    // The one who was there all the while, and a new one.
    assert_eq!(say(&mut line, &frame(2, RECORDS[1])).await.unwrap(), ACK);
    assert!(lab.comes_in(Some(&good)).await);
}

#[tokio::test]
async fn a_new_certificate_is_taken_without_a_restart_and_a_bad_one_is_not() {
    let lab = Lab::new(Limits { sockets_max: 4, ..Limits::default() });
    let identity = lab.analyser("a");
    let caller = Caller { trusts: &lab.authority, shows: Some(&identity), version: &TLS13 };
    let mut before = caller.call(lab.site.connect().await).await.unwrap();
    begin(&mut before, 1).await;
    install(lab.folder.path(), &lab.authority.vouches_for("renewed.example", NOW));
    lab.server.reload();
    lab.site.until("the new one is in use", |s| s.certificate.contains("renewed.example")).await;
    let after = caller.call(lab.site.connect().await).await.unwrap();
    let shown = after.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    assert!(shown.windows(15).any(|w| w == b"renewed.example"));
    // A key that does not belong to it, then one that has expired: what is in use stays in use.
    write(lab.folder.path(), "key.pem", &lab.authority.vouches_for("x", NOW).key);
    lab.server.reload();
    let standing = lab.site.until("it is refused", |s| s.certificate.contains("does not belong")).await;
    assert!(standing.certificate.starts_with("CN=renewed.example"), "{standing:?}");
    install(lab.folder.path(), &lab.authority.vouches_for("old.example", PAST));
    lab.server.reload();
    lab.site.until("it is refused", |s| s.certificate.contains("CN=old.example")).await;
    assert!(lab.comes_in(Some(&identity)).await);
    // Whoever was connected stays connected.
    assert_eq!(say(&mut before, &frame(2, RECORDS[1])).await.unwrap(), ACK);
    // Another authority is asked for from now on.
    let other = Authority::new("New CA");
    install(lab.folder.path(), &lab.authority.vouches_for("third.example", NOW));
    write(lab.folder.path(), "ca.pem", &other.pem());
    lab.server.reload();
    lab.site.until("the third one is in use", |s| s.certificate.starts_with("CN=third.example")).await;
    assert!(!lab.comes_in(Some(&identity)).await);
    assert!(lab.comes_in(Some(&other.vouches_for("a", NOW))).await);
}

#[tokio::test(start_paused = true)]
async fn changed_files_are_noticed_without_being_told() {
    let lab = Lab::new(Limits::default());
    lab.site.until("the first one is in use", |s| s.certificate.contains("lis.example")).await;
    install(lab.folder.path(), &lab.authority.vouches_for("noticed.example", NOW));
    tokio::time::sleep(Duration::from_secs(11)).await;
    lab.site.until("the new one is in use", |s| s.certificate.contains("noticed.example")).await;
    // Half of a change is not complained about at the first look, only when it stays so.
    write(lab.folder.path(), "key.pem", "half");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!lab.site.standing().certificate.contains("cannot be used"));
    tokio::time::sleep(Duration::from_secs(11)).await;
    lab.site.until("it is told", |s| s.certificate.contains("holds no private key")).await;
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_go_on_is_given_up() {
    let lab = Lab::new(Limits::default());
    let mut line = lab.site.connect().await;
    line.write_all(&[0x16, 3, 1]).await.unwrap();
    closed(&mut line).await;
    let standing = lab.site.until("it is turned away", |s| s.turned_away_total == 1).await;
    assert!(standing.last_anomaly.contains("no TLS handshake within 10s"), "{standing:?}");
}

#[tokio::test]
async fn a_storm_of_handshakes_leaves_room_for_one_that_is_meant() {
    let lab = Lab::new(Limits { sockets_max: 2, ..Limits::default() });
    let identity = lab.analyser("good.example");
    let mut held = Vec::new();
    for number in 0..150_usize {
        let mut line = lab.site.connect().await;
        // Beginnings, rubbish in the clothes of a handshake, and silence.
        let first: &[u8] = match number % 3 {
            0 => &[0x16, 3, 1],
            1 => &[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0],
            _ => &[],
        };
        // The server may have hung up already.
        drop(line.write_all(first).await);
        held.push(line);
    }
    assert!(lab.comes_in(Some(&identity)).await);
    lab.site.until("the storm is turned away", |s| s.turned_away_total >= 80).await;
}

#[tokio::test]
async fn a_flood_of_key_updates_ends_that_connection_and_no_other() {
    let lab = Lab::new(Limits { sockets_max: 2, ..Limits::default() });
    let identity = lab.analyser("good.example");
    let caller = Caller { trusts: &lab.authority, shows: Some(&identity), version: &TLS13 };
    let mut line = caller.call(lab.site.connect().await).await.unwrap();
    begin(&mut line, 1).await;
    let mut flood = caller.call(lab.site.connect().await).await.unwrap();
    begin(&mut flood, 2).await;
    for _ in 0..200 {
        flood.get_mut().1.refresh_traffic_keys().unwrap();
        if flood.flush().await.is_err() {
            break;
        }
    }
    let standing = lab.site.until("the flood has ended", |s| s.cut_total == 1).await;
    let standing = if standing.last_anomaly.contains("new keys") {
        standing
    } else {
        lab.site.until("the reason is told", |s| s.last_anomaly.contains("new keys")).await
    };
    assert!(standing.last_anomaly.contains("asked for new keys again and again"), "{standing:?}");
    assert_eq!(say(&mut line, &frame(2, RECORDS[1])).await.unwrap(), ACK);
}

/// Orders a client to renegotiate, until it has given up, and gives what it said.
fn renegotiates(mut client: std::process::Child) -> String {
    let mut orders = client.stdin.take().unwrap();
    // A line R is the order; what comes while the client still shakes hands is not heard.
    while client.try_wait().unwrap().is_none() && orders.write_all(b"R\n").is_ok() {
        std::thread::park_timeout(Duration::from_millis(50));
    }
    drop(orders);
    String::from_utf8_lossy(&client.wait_with_output().unwrap().stderr).into_owned()
}

#[tokio::test]
async fn renegotiation_is_refused_to_many_at_once_and_others_go_on() {
    const MANY: usize = 5;
    let lab = Lab::new(Limits { sockets_max: MANY + 1, ..Limits::default() });
    let identity = lab.analyser("good.example");
    install(lab.folder.path(), &identity);
    let caller = Caller { trusts: &lab.authority, shows: Some(&identity), version: &TLS12 };
    let mut line = caller.call(lab.site.connect().await).await.unwrap();
    begin(&mut line, 1).await;
    let asks = || {
        Command::new("openssl")
            .args(["s_client", "-tls1_2", "-cert", "cert.pem", "-key", "key.pem", "-connect"])
            .arg(lab.site.address.to_string())
            .current_dir(lab.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
    };
    let Ok(clients) = (0..MANY).map(|_| asks()).collect::<Result<Vec<_>, _>>() else {
        println!("SKIP: there is no openssl command to ask for renegotiation with");
        return;
    };
    lab.site.until("they are connected", |s| s.sockets == MANY + 1).await;
    let ended =
        tokio::task::spawn_blocking(move || clients.into_iter().map(renegotiates).collect::<Vec<_>>());
    for said in timeout(PATIENCE, ended).await.expect("a client hangs").unwrap() {
        assert!(said.contains("no renegotiation"), "{said}");
    }
    lab.site.until("they have gone", |s| s.sockets == 1).await;
    assert_eq!(say(&mut line, &frame(2, RECORDS[1])).await.unwrap(), ACK);
}
