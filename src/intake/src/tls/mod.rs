//! TLS on a line: who we are, whom we trust, and what went wrong in words a person can act on.
//!
//! Files are read anew without a restart: a listener looks at them now and then and when it is asked to, a caller
//! before each attempt. A new file that cannot be used changes nothing: what was in use stays in use, and the
//! status says so. TLS 1.2 stays allowed for old analysers; renegotiation and floods of key updates are refused.

mod client;
mod fault;
mod material;
mod server;
mod words;

pub use client::{TlsClient, TlsClientFiles};
pub use fault::TlsFault;
pub use material::{Holder, IdentityFiles};
pub use server::{TlsServer, TlsServerFiles};

pub(crate) use server::Look;
pub(crate) use words::in_words;

use rustls::{crypto::CryptoProvider, pki_types::CertificateDer};
use std::sync::Arc;

/// The one provider of this house.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Whom a certificate was made for, in words.
pub(crate) fn subject(certificates: Option<&[CertificateDer<'_>]>) -> Option<String> {
    let holder = Holder::of(certificates?.first()?).ok()?;
    Some(holder.subject)
}
