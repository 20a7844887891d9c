//! What can be wrong with certificates and keys: which file, what, and what to do.

use std::{io, path::PathBuf};

/// See the module. Each reads as one sentence with its remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each text says what the fields are")]
pub enum TlsFault {
    #[error("{} cannot be read ({why}); check the path and its permissions", path.display())]
    Unreadable { path: PathBuf, why: io::ErrorKind },
    #[error("{} is larger than any certificate file may be ({bytes_max} bytes)", path.display())]
    TooLarge { path: PathBuf, bytes_max: u64 },
    #[error("{} holds no certificate; it must be PEM text with BEGIN CERTIFICATE", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{} holds something that is no certificate ({why})", path.display())]
    BadCertificate { path: PathBuf, why: String },
    #[error("{} holds no private key; it must be PEM text with BEGIN PRIVATE KEY", path.display())]
    NoKey { path: PathBuf },
    #[error(
        "the key in {} is encrypted; write it without a passphrase (openssl pkey -in … -out …) and let only \
         hemogate read it",
        path.display()
    )]
    EncryptedKey { path: PathBuf },
    #[error("the key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    KeyDoesNotMatch { certificate: PathBuf, key: PathBuf },
    #[error("the key in {} cannot be used: {why}", key.display())]
    BadKey { key: PathBuf, why: String },
    #[error(
        "in {} the certificate of {issued} is not followed by that of its issuer ({issuer}); put the own one \
         first, then each issuer in turn",
        path.display()
    )]
    BrokenChain { path: PathBuf, issued: String, issuer: String },
    #[error("the certificate of {subject} in {} expired on {at}; renew it", path.display())]
    Expired { path: PathBuf, subject: String, at: String },
    #[error("the certificate of {subject} in {} is valid only from {at} on; check the clock", path.display())]
    NotYetValid { path: PathBuf, subject: String, at: String },
    #[error("{} holds no certificate that can vouch for others: {why}", path.display())]
    BadAuthority { path: PathBuf, why: String },
    #[error("{name:?} is no name that a certificate can be checked against; set server_name")]
    BadName { name: String },
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}
