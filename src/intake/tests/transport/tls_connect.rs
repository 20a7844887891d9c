//! TLS on a line that we call: whom we trust, and what is said when we do not.

use crate::{
    authority::{Authority, Identity, NOW, PAST, answer, write},
    site::{RECORDS, Site, lis01, transfer},
};
use intake::{Activity, Connect, IdentityFiles, Limits, Source, TlsClient, TlsClientFiles};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::net::TcpListener;

fn client(folder: &Path, name: &str) -> Arc<TlsClient> {
    let identity = IdentityFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    let files = TlsClientFiles { ca: folder.join("ca.pem"), identity: Some(identity) };
    Arc::new(TlsClient::open(files, name).unwrap().0)
}

struct Lab {
    authority: Authority,
    folder: tempfile::TempDir,
    listener: TcpListener,
}

impl Lab {
    async fn new() -> Self {
        let (authority, folder) = (Authority::new("Blood Centre CA"), tempfile::tempdir().unwrap());
        let ours = authority.vouches_for("hemogate.example", NOW);
        write(folder.path(), "cert.pem", &ours.certificate);
        write(folder.path(), "key.pem", &ours.key);
        write(folder.path(), "ca.pem", &authority.pem());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { authority, folder, listener }
    }

    fn calls(&self, name: &str) -> Site {
        let address = self.listener.local_addr().unwrap();
        let tls = Some(client(self.folder.path(), name));
        let source = Source::Connect(Connect { address: address.to_string(), tls });
        let limits = Limits { reconnect_pause_max: Duration::from_secs(1), ..Limits::default() };
        Site::new(lis01(), limits, source, address)
    }

    async fn answers(&self, as_: &Identity) -> std::io::Result<()> {
        let (socket, _) = self.listener.accept().await.unwrap();
        let mut line = answer(socket, as_, Some(&self.authority)).await?;
        transfer(&mut line).await;
        Ok(())
    }
}

#[tokio::test]
async fn an_analyser_that_we_trust_is_served_and_sees_our_certificate() {
    let lab = Lab::new().await;
    let analyser = lab.authority.vouches_for("arch-1.example", NOW);
    let site = lab.calls("localhost");
    lab.answers(&analyser).await.unwrap();
    let standing = site.until("a message has come", |s| s.messages_total == 1).await;
    assert!(standing.peer.contains("CN=arch-1.example"), "{standing:?}");
    assert_eq!(site.kept().await.0, [RECORDS.concat()]);
}

#[tokio::test]
async fn an_analyser_that_we_do_not_trust_is_not_talked_to_and_the_status_says_why() {
    let stranger = Authority::new("Another CA");
    for (name, from_stranger, when, expect) in [
        ("localhost", true, NOW, "an authority that the configured ca does not hold"),
        ("localhost", false, PAST, "has expired"),
        ("another.example", false, NOW, "is made for another name"),
    ] {
        let lab = Lab::new().await;
        let authority = if from_stranger { &stranger } else { &lab.authority };
        let analyser = authority.vouches_for("arch-1.example", when);
        let site = lab.calls(name);
        lab.answers(&analyser).await.unwrap_err();
        let standing = site.until(expect, |s| s.reason.contains(expect)).await;
        assert_eq!(standing.activity, Activity::Connecting);
    }
}

#[tokio::test]
async fn a_new_authority_is_taken_at_the_next_attempt() {
    let lab = Lab::new().await;
    let renewed = Authority::new("New CA");
    let analyser = renewed.vouches_for("arch-1.example", NOW);
    let site = lab.calls("localhost");
    lab.answers(&analyser).await.unwrap_err();
    write(lab.folder.path(), "ca.pem", &renewed.pem());
    while lab.answers(&analyser).await.is_err() {}
    site.until("a message has come", |s| s.messages_total == 1).await;
}

#[tokio::test]
async fn a_peer_that_speaks_plain_tcp_is_told_apart() {
    use tokio::io::AsyncWriteExt;
    let lab = Lab::new().await;
    let site = lab.calls("localhost");
    let (mut socket, _) = lab.listener.accept().await.unwrap();
    socket.write_all(b"\x05 hello, here is a plain analyser").await.unwrap();
    let standing = site.until("it is told", |s| s.reason.contains("does not speak TLS")).await;
    assert_eq!(standing.messages_total, 0);
}
