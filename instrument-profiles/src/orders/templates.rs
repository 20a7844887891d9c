//! The templates of a profile, compiled; what they write is escaped unless it stood on the line already.

use super::{
    Delimiters,
    context::{Scene, SceneError},
    question::Query,
    rules::OrderRules,
};
use crate::{
    message::{self, Cursor, Document},
    path::{FieldPath, Path, Repetition},
};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};
use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc};
use vocabulary::Protocol;

/// All of a profile's.
#[derive(Clone)]
pub(crate) struct Templates {
    environment: Arc<Environment<'static>>,
    protocol: Protocol,
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl Templates {
    /// Compiles what can be compiled; the faults of the others, by file.
    pub(crate) fn new(
        texts: &BTreeMap<String, String>,
        delimiters: Delimiters,
        protocol: Protocol,
    ) -> (Self, Vec<(String, Error)>) {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_formatter(move |out, _: &mut State<'_, '_>, value| write(out, value, delimiters));
        environment.add_filter("esc", move |text: &str| {
            delimiters
                .escape(text)
                .map(|raw| Value::from_safe_string(raw.into_owned()))
                .ok_or_else(unwritable)
        });
        environment.add_filter("time", time);
        let mut faults = Vec::new();
        for (name, text) in texts {
            if let Err(error) = environment.add_template_owned(name.clone(), text.clone()) {
                faults.push((name.clone(), error));
            }
        }
        (Self { environment: Arc::new(environment), protocol }, faults)
    }

    pub(crate) fn has(&self, file: &str) -> bool {
        self.environment.get_template(file).is_ok()
    }

    /// Names that a template reads and nobody gives it.
    pub(super) fn undeclared(&self, file: &str) -> Vec<String> {
        let found = self.environment.get_template(file).map(|template| template.undeclared_variables(false));
        let mut names: Vec<String> = found.unwrap_or_default().into_iter().collect();
        names.sort();
        names
    }

    /// The message's text: a line is a record or segment, empty lines and blanks before a line are layout.
    pub(super) fn render(&self, file: &str, scene: &Scene<'_>) -> Result<String, SceneError> {
        let mut values = scene.values()?;
        let source: Arc<str> = scene.query.map_or("", |query| query.text.as_str()).into();
        let protocol = self.protocol;
        values.insert("field", self.field(scene.rules, scene.query, (scene.asked_at(), Narrow::Parts)));
        values.insert("record", Value::from_function(move |name: &str| record(&source, name, protocol)));
        let template = self.environment.get_template(file).map_err(SceneError::Template)?;
        let text = template.render(minijinja::value::Serde(values)).map_err(SceneError::Template)?;
        let lines = text.split(['\r', '\n']).map(str::trim_start).filter(|line| !line.is_empty());
        Ok(lines.flat_map(|line| [line, "\r"]).collect())
    }

    /// `field("Q.3.4")`, looked up where the specimens were asked for.
    pub(super) fn field(
        &self,
        rules: &OrderRules,
        query: Option<&Query>,
        (asked, narrow): (Vec<Cursor>, Narrow),
    ) -> Value {
        let source: Arc<str> = query.map_or("", |query| query.text.as_str()).into();
        let asking = rules.query.as_ref().map(|query| query.record.clone()).unwrap_or_default();
        let asked = Asked { asking, cursors: asked, narrow };
        let protocol = self.protocol;
        Value::from_function(move |path: &str| field(&source, path, protocol, &asked))
    }
}

/// What of a repeated field `field()` returns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Narrow {
    /// The specimen's own repetition.
    Always,
    /// The same for components, and the field as a whole where no component is named.
    Parts,
}

/// Where the specimens of a message were asked for.
struct Asked {
    /// The record that asks, by its name.
    asking: String,
    cursors: Vec<Cursor>,
    narrow: Narrow,
}

impl Asked {
    /// The places of a path in the question: one, or one for each specimen where the asking record is meant.
    fn places(&self, document: &Document<'_>, path: &FieldPath) -> Vec<Option<Range<usize>>> {
        if path.record.name != self.asking || self.cursors.is_empty() {
            return vec![document.first(path).map(|piece| piece.at)];
        }
        let whole = path.spot.component.is_none() && path.spot.repetition == Repetition::Unnamed;
        let cursor = |cursor: Cursor| match self.narrow {
            Narrow::Parts if whole => Cursor::at(cursor.node),
            Narrow::Parts | Narrow::Always => cursor,
        };
        self.cursors.iter().map(|at| Some(document.piece(cursor(*at), path)?.at)).collect()
    }
}

fn unwritable() -> Error {
    Error::new(ErrorKind::InvalidOperation, "the delimiters have no escape character, and the text needs one")
}

/// One value as it stands on the line.
fn write(out: &mut Output<'_>, value: &Value, delimiters: Delimiters) -> Result<(), Error> {
    let fault = |_| Error::new(ErrorKind::WriteFailure, "the text could not be written");
    if value.is_none() || value.is_undefined() {
        return Ok(());
    }
    let text = value.to_string();
    if value.is_safe() {
        return fmt::Write::write_str(out, &text).map_err(fault);
    }
    let raw = delimiters.escape(&text).ok_or_else(unwritable)?;
    fmt::Write::write_str(out, &raw).map_err(fault)
}

/// `{{ now | time("%Y-%m-%d") }}`
fn time(digits: &str, form: &str) -> Result<String, Error> {
    let fault = |error: jiff::Error| Error::new(ErrorKind::InvalidOperation, error.to_string());
    let moment = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", format!("{digits:0<14}")).map_err(fault)?;
    jiff::fmt::strtime::format(form, moment).map_err(fault)
}

/// What stands at a place of the question, as it stood on the line. Nothing there, or no question: an empty text. Where
/// it is not the same for all specimens of the message, none of them gets another's.
fn field(source: &str, path: &str, protocol: Protocol, asked: &Asked) -> Result<Value, Error> {
    let fault = |what: String| Error::new(ErrorKind::InvalidOperation, what);
    let Path::Field(place) = Path::parse(path, protocol).map_err(fault)? else {
        return Err(fault(format!("{path:?} is no place in a message")));
    };
    let found = match protocol {
        Protocol::Lis02 => asked.places(&message::read_lis02(&lis02::Index::new().read(source)), &place),
        Protocol::Hl7v2 => asked.places(&message::read_hl7(&hl7v2::Index::new().read(source)), &place),
        Protocol::Delimited | Protocol::PkBlocks => Vec::new(),
    };
    let mut texts = found.into_iter().map(|at| at.and_then(|at| source.get(at)).unwrap_or_default());
    let text = texts.next().unwrap_or_default();
    if texts.any(|other| other != text) {
        return Err(fault(format!("{path} is not the same for all specimens; write field of the specimen")));
    }
    Ok(Value::from_safe_string(text.to_owned()))
}

/// The first record of that name in the question, whole, as it stood on the line.
fn record(source: &str, name: &str, protocol: Protocol) -> Value {
    let mark = |text: &str| text.chars().nth(name.len()).is_none_or(|c| !c.is_ascii_alphanumeric());
    let lines = source.split(['\r', '\n']);
    let found = match protocol {
        Protocol::Lis02 | Protocol::Hl7v2 => {
            lines.into_iter().find(|line| line.starts_with(name) && mark(line))
        }
        Protocol::Delimited | Protocol::PkBlocks => None,
    };
    Value::from_safe_string(found.unwrap_or_default().to_owned())
}

/// An error without its place, which is said beside it.
pub(super) fn words(error: &Error) -> String {
    let mut what = error
        .detail()
        .map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        what = format!("{what}: {inner}");
        cause = inner.source();
    }
    what
}
