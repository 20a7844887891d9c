//! A caller's side: whom it trusts, by which name, and the certificate it shows.

use super::{
    fault::TlsFault,
    material::{self, Holder, IdentityFiles},
    provider,
};
use rustls::{ClientConfig, client::Resumption, pki_types::ServerName};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

/// The files a caller's TLS is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsClientFiles {
    /// PEM: the authorities that vouch for the peer. There is no default: whom to trust is for the site to say.
    pub ca: PathBuf,
    /// Who we are, where the peer asks.
    pub identity: Option<IdentityFiles>,
}

impl TlsClientFiles {
    fn read(&self, now: SystemTime) -> Result<Read, TlsFault> {
        let setup = |e: rustls::Error| TlsFault::Setup(super::words::words(&e).en);
        let (roots, mut fault) = material::authorities(&self.ca, now)?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(setup)?
            .with_root_certificates(roots);
        let (mut config, holder) = match &self.identity {
            Some(files) => {
                let identity = material::identity(files, now)?;
                fault = identity.fault.or(fault);
                let config = builder
                    .with_client_auth_cert(identity.chain, identity.key)
                    .map_err(|e| material::unusable(files, &e))?;
                (config, Some(identity.holder))
            }
            None => (builder.with_no_client_auth(), None),
        };
        config.resumption = Resumption::disabled();
        Ok((Arc::new(config), holder, fault))
    }
}

/// What the files make: how to call, who we are, and what time has made of them.
type Read = (Arc<ClientConfig>, Option<Holder>, Option<TlsFault>);

/// A caller's TLS; its files are read anew before each attempt.
#[derive(Debug)]
pub struct TlsClient {
    files: TlsClientFiles,
    name: ServerName<'static>,
    /// The same as it is configured.
    called: String,
    usable: Mutex<Arc<ClientConfig>>,
    holder: Option<Holder>,
}

impl TlsClient {
    /// Reads the files. `name` is what the peer's certificate must be made for: a host name or an address. The second
    /// part is a fault that only time has made or will mend.
    ///
    /// # Errors
    /// When they cannot be used at all.
    pub fn open(files: TlsClientFiles, name: &str) -> Result<(Self, Option<TlsFault>), TlsFault> {
        let server_name = ServerName::try_from(name.to_owned());
        let called = name.to_owned();
        let name = server_name.map_err(|_| TlsFault::BadName { name: called.clone() })?;
        let (config, holder, fault) = files.read(SystemTime::now())?;
        Ok((Self { files, name, called, usable: Mutex::new(config), holder }, fault))
    }

    /// Whose certificate was there at the start.
    #[must_use]
    pub fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
    }

    pub(crate) fn files(&self) -> &TlsClientFiles {
        &self.files
    }

    /// What the peer's certificate must be made for, as it is configured.
    pub(crate) fn called(&self) -> &str {
        &self.called
    }

    pub(crate) fn name(&self) -> ServerName<'static> {
        self.name.clone()
    }

    /// What to call with: what the files hold now, or what they held last, and what is wrong with them now.
    pub(crate) fn config(&self) -> (Arc<ClientConfig>, Option<TlsFault>) {
        let read = self.files.read(SystemTime::now());
        let mut usable = self.usable.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok((config, _, fault)) => {
                *usable = Arc::clone(&config);
                (config, fault)
            }
            Err(fault) => (Arc::clone(&usable), Some(fault)),
        }
    }
}
