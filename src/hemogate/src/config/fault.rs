//! What is wrong with a configuration, in words with a remedy.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// One fault of a configuration: where, what, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) file: PathBuf,
    pub(crate) line: Option<usize>,
    pub(crate) what: String,
    pub(crate) remedy: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, " — {remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

/// Turns the reader's words into file, line and the nearest known key.
pub(super) fn explain(error: &toml::de::Error, text: &str, file: &Path) -> Fault {
    let line =
        error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let what = error.message().to_owned();
    let mut names = what.split('`').skip(1).step_by(2);
    let remedy = if what.starts_with("unknown field") || what.starts_with("unknown variant") {
        let wrong = names.next().unwrap_or_default().to_owned();
        names
            .map(|known| (strsim::osa_distance(&wrong, known), known))
            .min()
            .map(|(_, known)| format!("did you mean {known:?}?"))
    } else {
        None
    };
    Fault { file: file.to_path_buf(), line, what, remedy }
}
