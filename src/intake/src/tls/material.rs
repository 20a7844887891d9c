//! Certificates and keys out of files, and what can be said of them.

use super::fault::TlsFault;
use jiff::Timestamp;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::SystemTime,
};
use x509_cert::{Certificate, der::Decode};

/// The largest file read.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A certificate and the key to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFiles {
    /// PEM: the own certificate first, then its issuers.
    pub certificate: PathBuf,
    /// PEM, without a passphrase.
    pub key: PathBuf,
}

/// Whom a certificate was made for, by whom, and from when to when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// As in `CN=lis.example,O=Blood centre`.
    pub subject: String,
    /// Who vouches for it.
    pub issuer: String,
    /// Not valid before.
    pub from: SystemTime,
    /// Not valid after.
    pub until: SystemTime,
}

impl Holder {
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Result<Self, String> {
        let certificate = Certificate::from_der(certificate).map_err(|e| e.to_string())?;
        let about = certificate.tbs_certificate();
        Ok(Self {
            subject: about.subject().to_string(),
            issuer: about.issuer().to_string(),
            from: about.validity().not_before.to_system_time(),
            until: about.validity().not_after.to_system_time(),
        })
    }

    /// Not valid before, as people write it.
    pub(crate) fn begins(&self) -> String {
        day(self.from)
    }

    /// Not valid after, as people write it.
    pub(crate) fn ends(&self) -> String {
        day(self.until)
    }

    /// What is wrong with it at `now`.
    pub(super) fn fault(&self, path: &Path, now: SystemTime) -> Option<TlsFault> {
        let (path, subject) = (path.to_owned(), self.subject.clone());
        if now > self.until {
            return Some(TlsFault::Expired { path, subject, at: day(self.until) });
        }
        (now < self.from).then(|| TlsFault::NotYetValid { path, subject, at: day(self.from) })
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, valid until {}", self.subject, day(self.until))
    }
}

fn day(at: SystemTime) -> String {
    Timestamp::try_from(at)
        .map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// A file's bytes, and never more than a certificate file can have.
pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, TlsFault> {
    let unreadable = |e: std::io::Error| TlsFault::Unreadable { path: path.to_owned(), why: e.kind() };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(TlsFault::TooLarge { path: path.to_owned(), bytes_max: FILE_BYTES_MAX });
    }
    Ok(bytes)
}

/// The contents of several files as one number; a file that cannot be read counts as its error.
pub(super) fn stamp<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for path in paths {
        match bytes_of(path) {
            Ok(bytes) => hash.update(Sha256::digest(&bytes)),
            Err(fault) => hash.update(fault.to_string()),
        }
    }
    hash.finalize().into()
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes_of(path)?).collect();
    let found = found.map_err(|e| TlsFault::BadCertificate { path: path.to_owned(), why: e.to_string() })?;
    if found.is_empty() { Err(TlsFault::NoCertificate { path: path.to_owned() }) } else { Ok(found) }
}

/// A certificate with its issuers, and the key; read, but not yet tried together.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) holder: Holder,
    /// What time has made of the chain.
    pub(super) fault: Option<TlsFault>,
}

/// Reads an identity.
pub(super) fn identity(files: &IdentityFiles, now: SystemTime) -> Result<Identity, TlsFault> {
    let chain = certificates(&files.certificate)?;
    let bad = |why| TlsFault::BadCertificate { path: files.certificate.clone(), why };
    let holders: Vec<Holder> = chain.iter().map(Holder::of).collect::<Result<_, _>>().map_err(bad)?;
    for pair in holders.windows(2) {
        if let [issued, issuer] = pair
            && issued.issuer != issuer.subject
        {
            return Err(TlsFault::BrokenChain {
                path: files.certificate.clone(),
                issued: issued.subject.clone(),
                issuer: issued.issuer.clone(),
            });
        }
    }
    let fault = holders.iter().find_map(|holder| holder.fault(&files.certificate, now));
    let key = key(&files.key)?;
    let Some(holder) = holders.into_iter().next() else {
        return Err(TlsFault::NoCertificate { path: files.certificate.clone() });
    };
    Ok(Identity { chain, key, holder, fault })
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsFault> {
    let bytes = bytes_of(path)?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
        let path = path.to_owned();
        let encrypted = bytes.windows(9).any(|part| part == b"ENCRYPTED");
        if encrypted { TlsFault::EncryptedKey { path } } else { TlsFault::NoKey { path } }
    })
}

/// Why an identity cannot be used, in our words.
pub(super) fn unusable(files: &IdentityFiles, error: &rustls::Error) -> TlsFault {
    if matches!(error, rustls::Error::InconsistentKeys(_)) {
        TlsFault::KeyDoesNotMatch { certificate: files.certificate.clone(), key: files.key.clone() }
    } else {
        TlsFault::BadKey { key: files.key.clone(), why: super::words::words(error).en }
    }
}

/// Whom to trust, and what time has made of it.
pub(super) fn authorities(
    path: &Path,
    now: SystemTime,
) -> Result<(RootCertStore, Option<TlsFault>), TlsFault> {
    let mut store = RootCertStore::empty();
    let mut faults = Vec::new();
    let found = certificates(path)?;
    let bad = |why: String| TlsFault::BadAuthority { path: path.to_owned(), why };
    for certificate in &found {
        let holder = Holder::of(certificate).map_err(bad)?;
        store.add(certificate.clone()).map_err(|e| bad(super::words::words(&e).en))?;
        faults.extend(holder.fault(path, now));
    }
    // One that has expired beside one that has not is the usual way to renew an authority.
    let fault = if faults.len() == found.len() { faults.into_iter().next() } else { None };
    Ok((store, fault))
}
