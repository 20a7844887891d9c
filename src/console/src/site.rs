//! What the surface shows.

use crate::{SessionLimits, Sessions, problem::Problem};
use ledger::{Ledger, ReadError, Reader};
use std::sync::Arc;

/// Everything the surface may ask.
pub struct Site {
    /// Name of the centre.
    pub name: String,
    /// The ledger.
    pub ledger: Ledger,
    /// Connections as they stand.
    pub connections: intake::Board,
    /// Receivers as they stand.
    pub couriers: delivery::Board,
    /// What evidence is built with.
    pub workflow: Arc<workflow::Settings>,
    /// Where donations are registered, one list after another.
    pub registrations: workflow::registrations::Registrations,
    /// The machine's own token.
    pub token: String,
    /// Accounts.
    pub people: workflow::people::People,
    /// How long people stay signed in.
    pub session_limits: SessionLimits,
    /// Who is signed in.
    pub sessions: Sessions,
    /// hemogate's version.
    pub version: String,
}

impl Site {
    /// Reads the ledger away from the runtime's threads: a read may wait for the disk.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, Problem> {
        self.look(read).await
    }

    /// As [`Self::read`], where more can fail than reading.
    pub(crate) async fn look<T: Send + 'static, E: std::fmt::Display + Send + 'static>(
        &self,
        look: impl FnOnce(&Reader) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem> {
        let reader = self.ledger.state();
        let outcome = tokio::task::spawn_blocking(move || look(&reader)).await;
        outcome.map_err(|e| Problem::internal(&e))?.map_err(|e| Problem::internal(&e))
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is a secret.
        f.debug_struct("Site").field("name", &self.name).finish_non_exhaustive()
    }
}
