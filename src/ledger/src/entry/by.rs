//! Who writes, and from where.

use std::fmt;

/// Who: `system`, `connection:ID`, `user:NAME`, `local:NAME`; of a person also the terminal (rules.md R-AUD-01).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    name: String,
    terminal: Option<String>,
}

impl By {
    /// The same, at a terminal: an address of the network, or the station itself.
    #[must_use]
    pub fn at(self, terminal: Option<String>) -> Self {
        Self { terminal, ..self }
    }

    /// Who.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The terminal, where it is known.
    #[must_use]
    pub fn terminal(&self) -> Option<&str> {
        self.terminal.as_deref()
    }

    pub(crate) fn into_parts(self) -> (String, Option<String>) {
        (self.name, self.terminal)
    }
}

impl From<String> for By {
    fn from(name: String) -> Self {
        Self { name, terminal: None }
    }
}

impl From<&str> for By {
    fn from(name: &str) -> Self {
        Self::from(name.to_owned())
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
