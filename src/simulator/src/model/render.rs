//! Templates to text, and text to bytes.

use super::file::{LineEnd, SimulationFile};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior};
use std::{borrow::Cow, collections::BTreeMap};
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
        environment.add_filter("esc", escape(file.protocol, texts));
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

/// The delimiters of one template, as the header in it names them. Files have none: their templates quote.
#[derive(Debug, Clone, Copy)]
enum Marks {
    Lis02(lis02::Delimiters),
    Hl7(hl7v2::Delimiters),
    None,
}

impl Marks {
    /// The usual ones where a template writes no header itself.
    fn of(text: &str, protocol: Protocol) -> Self {
        match protocol {
            Protocol::Lis02 => {
                let named = text.lines().find_map(|line| lis02_marks(line.trim_start()));
                Self::Lis02(named.unwrap_or(lis02::Delimiters::STANDARD))
            }
            Protocol::Hl7v2 => {
                let named = text.lines().find_map(|line| hl7_marks(line.trim_start()));
                Self::Hl7(named.unwrap_or_else(hl7v2::Delimiters::standard))
            }
            Protocol::Delimited | Protocol::PkBlocks => Self::None,
        }
    }

    /// The text with its delimiters escaped (LIS02-A2 §5.4.6, HL7 v2 §2.7); `None` where this header leaves no way to.
    fn escaped(self, text: &str) -> Option<String> {
        match self {
            Self::Lis02(delimiters) => lis02::escape(text, delimiters).map(Cow::into_owned),
            Self::Hl7(delimiters) => Some(hl7v2::escape(text, delimiters).into_owned()),
            Self::None => Some(text.to_owned()),
        }
    }
}

/// `H|\^&|` · `H|@^\|` · `H|\^|`
fn lis02_marks(line: &str) -> Option<lis02::Delimiters> {
    let mut marks = line.strip_prefix('H')?.chars();
    let (field, repeat, component) = (marks.next()?, marks.next()?, marks.next()?);
    lis02::Delimiters::new(field, repeat, component, marks.next().filter(|mark| *mark != field))
}

/// `MSH|^~\&|`
fn hl7_marks(line: &str) -> Option<hl7v2::Delimiters> {
    let marks = line.strip_prefix("MSH")?;
    let field = marks.chars().next()?;
    let end = marks.char_indices().skip(1).find(|(_, mark)| *mark == field)?.0;
    hl7v2::Delimiters::from_header(marks.get(..end)?)
}

/// `{{ s.id | esc }}`, by the header of the template that it stands in.
fn escape(
    protocol: Protocol,
    texts: &BTreeMap<String, String>,
) -> impl Fn(&State<'_, '_>, &str) -> Result<String, Error> + Send + Sync + 'static {
    let marks: BTreeMap<String, Marks> =
        texts.iter().map(|(name, text)| (name.clone(), Marks::of(text, protocol))).collect();
    move |state, text| {
        let marks = marks.get(state.name()).copied().unwrap_or_else(|| Marks::of("", protocol));
        marks.escaped(text).ok_or_else(|| {
            let what =
                format!("{text:?} holds a delimiter, and the header of {} names no escape", state.name());
            Error::new(ErrorKind::InvalidOperation, what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_escaped_as_the_header_names_them() {
        let text = r"a|b\c^d&e@f~g";
        for (protocol, header, expect) in [
            (Protocol::Lis02, r"H|\^&|||", Some("a&F&b&R&c&S&d&E&e@f~g")),
            (Protocol::Lis02, r"  H|@^\|{{ id }}", Some(r"a\F\b\E\c\S\d&e\R\f~g")),
            (Protocol::Lis02, r"H|\^||||", None),
            (Protocol::Lis02, "", Some("a&F&b&R&c&S&d&E&e@f~g")),
            (Protocol::Hl7v2, r"MSH|^~\&|A", Some(r"a\F\b\E\c\S\d\T\e@f\R\g")),
            (Protocol::Hl7v2, r"MSH|@~\&|A", Some(r"a\F\b\E\c^d\T\e\S\f\R\g")),
            (Protocol::Delimited, "", Some(text)),
        ] {
            let marks = Marks::of(&format!("{{# a remark #}}\n{header}"), protocol);
            assert_eq!(marks.escaped(text).as_deref(), expect, "{header}");
        }
        assert_eq!(Marks::of(r"H|\^||", Protocol::Lis02).escaped("plain").as_deref(), Some("plain"));
    }

    #[test]
    fn fourteen_digits_become_any_time_format() {
        assert_eq!(time("20260302140509", "%Y-%m-%d %H:%M:%S").unwrap(), "2026-03-02 14:05:09");
        assert_eq!(time("20260302", "%y/%m/%d").unwrap(), "26/03/02");
        assert!(time("2026", "%Y").is_err());
    }
}
