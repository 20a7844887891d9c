//! Certificates made for one test: authorities, and what they vouch for.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

pub(crate) const DAY: Duration = Duration::from_hours(24);

/// Who vouches for others.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// From how many days ago until how many days from now.
pub(crate) const NOW: (i64, i64) = (-1, 30);
pub(crate) const PAST: (i64, i64) = (-30, -1);
pub(crate) const FUTURE: (i64, i64) = (1, 30);

fn at(days: i64) -> SystemTime {
    let span = DAY * u32::try_from(days.unsigned_abs()).unwrap();
    if days < 0 { SystemTime::now() - span } else { SystemTime::now() + span }
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for `localhost`, held by `name`.
    pub(crate) fn vouches_for(&self, name: &str, (from, until): (i64, i64)) -> Identity {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (at(from).into(), at(until).into());
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// Writes PEM text into a folder.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn roots(authority: &Authority) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    roots
}

impl Identity {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(self.certificate.as_bytes()).map(Result::unwrap).collect()
    }

    fn private(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap()
    }
}

/// How an analyser calls: whom it trusts, what it shows, which version it speaks.
pub(crate) struct Caller<'a> {
    pub(crate) trusts: &'a Authority,
    pub(crate) shows: Option<&'a Identity>,
    pub(crate) version: &'static SupportedProtocolVersion,
}

impl Caller<'_> {
    pub(crate) async fn call(&self, socket: TcpStream) -> std::io::Result<client::TlsStream<TcpStream>> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_root_certificates(roots(self.trusts));
        let config = match self.shows {
            Some(identity) => builder.with_client_auth_cert(identity.chain(), identity.private()).unwrap(),
            None => builder.with_no_client_auth(),
        };
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, socket).await
    }
}

/// An analyser that is called.
pub(crate) async fn answer(
    socket: TcpStream,
    identity: &Identity,
    asks_for: Option<&Authority>,
) -> std::io::Result<server::TlsStream<TcpStream>> {
    let builder =
        ServerConfig::builder_with_provider(provider()).with_protocol_versions(rustls::ALL_VERSIONS).unwrap();
    let builder = match asks_for {
        Some(authority) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots(authority)), provider());
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
        None => builder.with_no_client_auth(),
    };
    let config = builder.with_single_cert(identity.chain(), identity.private()).unwrap();
    TlsAcceptor::from(Arc::new(config)).accept(socket).await
}
