//! Templates to text, and text to bytes.

use super::file::{LineEnd, SimulationFile};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use std::collections::BTreeMap;
use vocabulary::Protocol;

/// Why a message could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The template does not fit what it is given.
    #[error("{model}/simulation: {source}")]
    Template {
        /// `maker/model`.
        model: String,
        /// With name and line.
        source: Box<Error>,
    },
    /// A character that the model's encoding does not have.
    #[error("{model}: the encoding {encoding} has no character for byte {at} of the message")]
    Encoding {
        /// `maker/model`.
        model: String,
        /// Its name.
        encoding: &'static str,
        /// Where in the text.
        at: usize,
    },
    /// A moment outside the calendar.
    #[error("a run ends outside the calendar")]
    Calendar(#[from] jiff::Error),
    /// A run asks for a test that the model has no code for.
    #[error("{model}: no [[assay]] for {marker}, which a control or a tube of run {run} needs")]
    NoAssay {
        /// `maker/model`.
        model: String,
        /// What it does not measure.
        marker: vocabulary::Marker,
        /// The run.
        run: String,
    },
}

/// Which template writes a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Results,
    Controls,
    Question,
    FileName,
}

/// A model's templates, compiled.
#[derive(Debug)]
pub(super) struct Templates {
    environment: Environment<'static>,
    results: String,
    controls: String,
    question: Option<String>,
    line_end: &'static str,
}

/// No catalogue folder can hold a file of this name.
const FILE_NAME: &str = "file_name/";

impl Templates {
    pub(super) fn new(file: &SimulationFile, texts: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_filter("time", time);
        environment.add_filter("esc", escape(file.protocol));
        for (name, text) in texts {
            environment.add_template_owned(name.clone(), text.clone())?;
        }
        if let Some(name) = &file.file_name {
            environment.add_template_owned(FILE_NAME, name.clone())?;
        }
        let results = file.templates.results.clone();
        let controls = file.templates.controls.clone().unwrap_or_else(|| results.clone());
        let question = file.templates.question.clone();
        for name in [&results, &controls].into_iter().chain(&question) {
            environment.get_template(name)?;
        }
        let line_end = match (file.protocol, file.line_end) {
            (Protocol::Lis02 | Protocol::Hl7v2 | Protocol::PkBlocks, _) => "\r",
            (Protocol::Delimited, LineEnd::Crlf) => "\r\n",
            (Protocol::Delimited, LineEnd::Lf) => "\n",
        };
        Ok(Self { environment, results, controls, question, line_end })
    }

    /// Whether there is one for questions.
    pub(super) fn asks(&self) -> bool {
        self.question.is_some()
    }

    /// The message's text, every line with its end.
    pub(super) fn message(&self, which: Which, context: &impl serde::Serialize) -> Result<String, Error> {
        let rendered = self.render(which, context)?;
        let lines = rendered.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(lines.flat_map(|line| [line, self.line_end]).collect())
    }

    /// As rendered, without blanks at the ends.
    pub(super) fn render(&self, which: Which, context: &impl serde::Serialize) -> Result<String, Error> {
        let name = match which {
            Which::Results => &self.results,
            Which::Controls => &self.controls,
            Which::Question => self.question.as_deref().unwrap_or_default(),
            Which::FileName => FILE_NAME,
        };
        Ok(self.environment.get_template(name)?.render(minijinja::value::Serde(context))?.trim().to_owned())
    }
}

/// `{{ sent_at | time("%Y-%m-%d") }}`.
fn time(digits: &str, format: &str) -> Result<String, Error> {
    let fault = |e: jiff::Error| Error::new(ErrorKind::InvalidOperation, e.to_string());
    let moment = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", format!("{digits:0<14}")).map_err(fault)?;
    jiff::fmt::strtime::format(format, moment).map_err(fault)
}

/// Delimiters as the protocol's escape sequences (LIS02-A2 §5.4.6, HL7 v2 §2.7). Files need none here: their
/// templates quote.
fn escape(protocol: Protocol) -> impl Fn(&str) -> String + Send + Sync + 'static {
    let pairs: &'static [(char, &'static str)] = match protocol {
        Protocol::Lis02 => &[('|', "&F&"), ('\\', "&R&"), ('^', "&S&"), ('&', "&E&")],
        Protocol::Hl7v2 => &[('|', r"\F\"), ('~', r"\R\"), ('^', r"\S\"), ('&', r"\T\"), ('\\', r"\E\")],
        Protocol::Delimited | Protocol::PkBlocks => &[],
    };
    move |text| {
        let escaped =
            |c: char| pairs.iter().find(|(d, _)| *d == c).map_or(c.to_string(), |(_, e)| (*e).to_owned());
        text.chars().map(escaped).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_escaped_as_the_protocol_says() {
        for (protocol, text, expect) in [
            (Protocol::Lis02, r"a|b\c^d&e", "a&F&b&R&c&S&d&E&e"),
            (Protocol::Hl7v2, r"a|b~c^d&e\f", r"a\F\b\R\c\S\d\T\e\E\f"),
            (Protocol::Delimited, "a|b,c", "a|b,c"),
        ] {
            assert_eq!(escape(protocol)(text), expect);
        }
    }

    #[test]
    fn fourteen_digits_become_any_time_format() {
        assert_eq!(time("20260302140509", "%Y-%m-%d %H:%M:%S").unwrap(), "2026-03-02 14:05:09");
        assert_eq!(time("20260302", "%y/%m/%d").unwrap(), "26/03/02");
        assert!(time("2026", "%Y").is_err());
    }
}
