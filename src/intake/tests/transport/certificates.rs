//! Certificate files as people make them: what is wrong is said with the file and the remedy.

use crate::authority::{Authority, FUTURE, NOW, PAST, write};
use intake::{IdentityFiles, TlsServer, TlsServerFiles};
use std::path::Path;

/// What is said of a certificate, a key and an authority in files.
fn said(folder: &Path, certificate: &str, key: &str, ca: Option<&str>) -> String {
    let identity = IdentityFiles {
        certificate: write(folder, "cert.pem", certificate),
        key: write(folder, "key.pem", key),
    };
    let ca = ca.map(|text| write(folder, "ca.pem", text));
    match TlsServer::open(TlsServerFiles { identity, ca }) {
        Ok((server, None)) => format!("good: {}", server.holder()),
        Ok((_, Some(fault))) => format!("served, but {fault}"),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn what_is_wrong_with_the_files_is_said_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("Blood Centre CA");
    let good = authority.vouches_for("lis.example", NOW);
    let other = authority.vouches_for("other.example", NOW);
    let (old, early) = (authority.vouches_for("x", PAST), authority.vouches_for("x", FUTURE));
    let chained = format!("{}{}", good.certificate, authority.pem());
    let mixed = format!("{}{}", good.certificate, other.certificate);
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n".to_owned();
    let ca = authority.pem();
    for (certificate, key, ca, expect) in [
        (&good.certificate, &good.key, None, "good: CN=lis.example, valid until"),
        (&good.certificate, &good.key, Some(ca.as_str()), "good: CN=lis.example"),
        (&chained, &good.key, None, "good: CN=lis.example"),
        (&good.certificate, &other.key, None, "does not belong to the certificate in"),
        (&mixed, &good.key, None, "is not followed by that of its issuer (CN=Blood Centre CA)"),
        (&good.key, &good.key, None, "holds no certificate"),
        (&good.certificate, &good.certificate, None, "holds no private key"),
        (&good.certificate, &encrypted, None, "is encrypted"),
        (&old.certificate, &old.key, None, "served, but the certificate of CN=x in"),
        (&early.certificate, &early.key, None, "is valid only from"),
        (&good.certificate, &good.key, Some(""), "ca.pem holds no certificate"),
    ] {
        let said = said(folder.path(), certificate, key, ca);
        assert!(said.contains(expect), "expected {expect:?}, got {said:?}");
    }
    let none = IdentityFiles { certificate: "/none/cert.pem".into(), key: "/none/key.pem".into() };
    let fault = TlsServer::open(TlsServerFiles { identity: none, ca: None }).unwrap_err();
    assert!(fault.to_string().starts_with("/none/cert.pem cannot be read"), "{fault}");
}
