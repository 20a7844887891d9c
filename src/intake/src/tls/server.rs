//! A listener's side: its certificate, and whose certificates it asks for.

use super::{
    fault::TlsFault,
    material::{self, Holder, IdentityFiles},
    provider,
};
use rustls::{
    ServerConfig,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};
use tokio::sync::Notify;

/// The files a listener's TLS is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsServerFiles {
    /// Who we are.
    pub identity: IdentityFiles,
    /// PEM: when given, only clients with a certificate of these authorities come in.
    pub ca: Option<PathBuf>,
}

impl TlsServerFiles {
    fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.identity.certificate, &self.identity.key].into_iter().chain(&self.ca)
    }

    /// Reads and tries them; the second part is what time has made of them.
    fn read(&self, now: SystemTime) -> Result<(Arc<ServerConfig>, Holder, Option<TlsFault>), TlsFault> {
        let identity = material::identity(&self.identity, now)?;
        let mut fault = identity.fault;
        let setup = |e: rustls::Error| TlsFault::Setup(super::words::words(&e).en);
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(setup)?;
        let builder = match &self.ca {
            Some(ca) => {
                let (roots, old) = material::authorities(ca, now)?;
                fault = fault.or(old);
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
                    .build()
                    .map_err(|e| TlsFault::BadAuthority { path: ca.clone(), why: e.to_string() })?;
                builder.with_client_cert_verifier(verifier)
            }
            None => builder.with_no_client_auth(),
        };
        let mut config = builder
            .with_single_cert(identity.chain, identity.key)
            .map_err(|e| material::unusable(&self.identity, &e))?;
        // Analysers stay connected for days: there is nothing to resume, and nobody is let in by an old ticket
        // after the authorities have changed.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok((Arc::new(config), identity.holder, fault))
    }
}

/// What a look at the files brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    /// What is in use is what is there.
    Same,
    /// New files are in use now.
    Taken(Holder),
    /// New files are there and cannot be used; the old ones stay. Said once for what was found.
    Refused(TlsFault),
    /// As before: what is there cannot be used.
    StillRefused,
    /// What is there cannot be used, but it may be about to be written: the next look tells.
    Unsettled,
}

#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    holder: Holder,
    stamp: [u8; 32],
    /// What was found last and could not be used, and whether that has been said.
    refused: Option<([u8; 32], bool)>,
}

/// A listener's TLS, renewed from its files.
#[derive(Debug)]
pub struct TlsServer {
    files: TlsServerFiles,
    current: Mutex<Current>,
    asked: Notify,
}

impl TlsServer {
    /// Reads the files. The second part is a fault that only time has made or will mend (expired, not yet valid): the
    /// line is served nevertheless, so that a person can see who tries to connect.
    ///
    /// # Errors
    /// When they cannot be used at all.
    pub fn open(files: TlsServerFiles) -> Result<(Self, Option<TlsFault>), TlsFault> {
        let stamp = material::stamp(files.paths());
        let (config, holder, fault) = files.read(SystemTime::now())?;
        let current = Mutex::new(Current { config, holder, stamp, refused: None });
        Ok((Self { files, current, asked: Notify::new() }, fault))
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        // It is replaced whole, never left half-way.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose certificate is in use.
    #[must_use]
    pub fn holder(&self) -> Holder {
        self.lock().holder.clone()
    }

    pub(crate) fn files(&self) -> &TlsServerFiles {
        &self.files
    }

    /// Whether clients must show a certificate.
    #[must_use]
    pub fn asks_for_certificates(&self) -> bool {
        self.files.ca.is_some()
    }

    /// Asks for a look at the files now.
    pub fn reload(&self) {
        self.asked.notify_one();
    }

    pub(crate) async fn asked(&self) {
        self.asked.notified().await;
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.lock().config)
    }

    /// Looks at the files and takes them if they have changed and can be used. `at_once` says what is wrong with them
    /// even if they may be half-written.
    pub(crate) fn look(&self, at_once: bool) -> Look {
        let stamp = material::stamp(self.files.paths());
        let known = {
            let mut current = self.lock();
            if current.stamp == stamp {
                current.refused = None;
                return Look::Same;
            }
            current.refused
        };
        let now = SystemTime::now();
        let fault = match self.files.read(now) {
            Ok((config, holder, None)) => {
                *self.lock() = Current { config, holder: holder.clone(), stamp, refused: None };
                return Look::Taken(holder);
            }
            Ok((.., Some(fault))) | Err(fault) => fault,
        };
        let seen = known.filter(|(found, _)| *found == stamp);
        let (say, look) = match seen {
            Some((_, true)) if !at_once => (true, Look::StillRefused),
            None if !at_once => (false, Look::Unsettled),
            Some(_) | None => (true, Look::Refused(fault)),
        };
        self.lock().refused = Some((stamp, say));
        look
    }
}
