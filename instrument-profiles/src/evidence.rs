//! What a profile rests on, code by code, so that a laboratory sees what is documented and what is a guess.

use serde::{Deserialize, Serialize};

/// How good a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A standard's or a vendor's own text.
    Documented,
    /// Seen in a trace or in another driver's source.
    Trace,
    /// Concluded from similar models; nobody has seen it.
    Inferred,
}

/// A document or trace by its own title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Its name inside the profile.
    pub key: String,
    /// The title.
    pub title: String,
    /// How good it is at best.
    pub level: Level,
}

/// One thing the profile claims, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// The code (`test 133`) or the place (`R.3.11`).
    pub of: String,
    /// What it stands for.
    pub says: String,
    /// [`Source::key`].
    pub source: String,
    /// How well it is known.
    pub level: Level,
}

/// Everything a profile rests on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Evidence {
    /// Documents and traces.
    pub sources: Vec<Source>,
    /// Codes first, then places.
    pub claims: Vec<Claim>,
    /// What a site has to check before it relies on the profile.
    pub not_verified: Vec<String>,
}
