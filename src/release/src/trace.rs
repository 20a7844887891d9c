//! The trace of a decision: which rule gave what, from which inputs.
//!
//! It is written where somebody asks for it, and few of its lines are ever read, so it is written as values: numbers stay numbers, fixed words are
//! pointed at, and whatever comes from the evidence is copied into one text that all lines share. It becomes words when
//! somebody asks ([`Trace::lines`]).

use crate::evidence::Call;
use crate::test::Test;
use crate::{Exact, Limit, Reading};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::{self, Write};
use vocabulary::{Grade, Virus};

/// Lines, inputs and bytes of text that a donation with nothing out of the ordinary takes, so that they are asked for once.
const USUAL: (usize, usize, usize) = (32, 96, 768);

/// One line of the trace, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceLine {
    /// Rule, row or section of the rules: `R-SER-05`, `M9`, `1.3`.
    pub rule: &'static str,
    /// What it was applied to.
    pub subject: String,
    /// What came out.
    pub outcome: String,
    /// What went in.
    pub inputs: Vec<(&'static str, String)>,
}

/// What a line is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    Word(&'static str),
    Test(&'a Test<'a>),
    Target(Virus),
}

/// Words of the program, or a part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    Fixed(&'static str),
    Written { from: usize, to: usize },
}

/// An input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Limit(Limit),
    Exact(Exact),
    Reading(Reading),
    Grade(Grade),
    Count(usize),
    Words(Words),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    rule: &'static str,
    subject: Words,
    outcome: Words,
    /// Its inputs begin where those of the line before it end.
    inputs_end: usize,
}

/// All lines, in the order of the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    text: String,
    lines: Vec<Line>,
    inputs: Vec<(&'static str, Value)>,
}

impl Default for Trace {
    fn default() -> Self {
        let (lines, inputs, bytes) = USUAL;
        Self {
            text: String::with_capacity(bytes),
            lines: Vec::with_capacity(lines),
            inputs: Vec::with_capacity(inputs),
        }
    }
}

impl Trace {
    /// Begins a line, which takes the inputs that follow.
    pub(crate) fn line(
        &mut self,
        rule: &'static str,
        subject: Subject<'_>,
        outcome: impl Into<Cow<'static, str>>,
    ) -> &mut Self {
        let subject = match subject {
            Subject::Word(word) => Words::Fixed(word),
            Subject::Test(test) => match test.fixed() {
                Some(word) => Words::Fixed(word),
                None => self.written(|text| test.write_en(text)),
            },
            Subject::Target(virus) => self.written(|text| {
                text.push_str("NAT ");
                text.push_str(virus.name());
            }),
        };
        let outcome = match outcome.into() {
            Cow::Borrowed(word) => Words::Fixed(word),
            Cow::Owned(words) => self.written(|text| text.push_str(&words)),
        };
        self.lines.push(Line { rule, subject, outcome, inputs_end: self.inputs.len() });
        self
    }

    fn written(&mut self, write: impl FnOnce(&mut String)) -> Words {
        let from = self.text.len();
        write(&mut self.text);
        Words::Written { from, to: self.text.len() }
    }

    fn input(&mut self, name: &'static str, value: Value) -> &mut Self {
        self.inputs.push((name, value));
        if let Some(line) = self.lines.last_mut() {
            line.inputs_end = self.inputs.len();
        }
        self
    }

    pub(crate) fn limit(&mut self, name: &'static str, limit: Limit) -> &mut Self {
        self.input(name, Value::Limit(limit))
    }

    pub(crate) fn exact(&mut self, name: &'static str, number: Exact) -> &mut Self {
        self.input(name, Value::Exact(number))
    }

    pub(crate) fn reading(&mut self, name: &'static str, reading: Reading) -> &mut Self {
        self.input(name, Value::Reading(reading))
    }

    pub(crate) fn grade(&mut self, name: &'static str, grade: Grade) -> &mut Self {
        self.input(name, Value::Grade(grade))
    }

    pub(crate) fn count(&mut self, name: &'static str, count: usize) -> &mut Self {
        self.input(name, Value::Count(count))
    }

    pub(crate) fn word(&mut self, name: &'static str, word: &'static str) -> &mut Self {
        self.input(name, Value::Words(Words::Fixed(word)))
    }

    pub(crate) fn call(&mut self, name: &'static str, call: Call) -> &mut Self {
        let word = match call {
            Call::NonReactive => "NonReactive",
            Call::GreyZone => "GreyZone",
            Call::Reactive => "Reactive",
            Call::Indeterminate => "Indeterminate",
            Call::Invalid => "Invalid",
            Call::Pending => "Pending",
        };
        self.word(name, word)
    }

    /// Something of the evidence, copied.
    pub(crate) fn text(&mut self, name: &'static str, copied: &str) -> &mut Self {
        let words = self.written(|text| text.push_str(copied));
        self.input(name, Value::Words(words))
    }

    /// A list, as the program writes it for itself: `[NonReactive, Missing]`.
    pub(crate) fn list<T: fmt::Debug>(&mut self, name: &'static str, list: &[T]) -> &mut Self {
        if list.is_empty() {
            return self.word(name, "[]");
        }
        // Writing to a string cannot fail.
        let words = self.written(|text| write!(text, "{list:?}").unwrap_or(()));
        self.input(name, Value::Words(words))
    }

    /// All lines, in words.
    pub(crate) fn lines(&self) -> impl Iterator<Item = TraceLine> {
        let starts = std::iter::once(0).chain(self.lines.iter().map(|line| line.inputs_end));
        self.lines.iter().zip(starts).map(|(line, start)| {
            let inputs = self.inputs.get(start..line.inputs_end).unwrap_or_default();
            TraceLine {
                rule: line.rule,
                subject: self.said(line.subject).to_owned(),
                outcome: self.said(line.outcome).to_owned(),
                inputs: inputs.iter().map(|(name, value)| (*name, self.value(*value))).collect(),
            }
        })
    }

    fn said(&self, words: Words) -> &str {
        match words {
            Words::Fixed(word) => word,
            Words::Written { from, to } => self.text.get(from..to).unwrap_or_default(),
        }
    }

    fn value(&self, value: Value) -> String {
        match value {
            Value::Limit(limit) => limit.to_string(),
            Value::Exact(number) => number.to_string(),
            Value::Reading(reading) => reading.to_string(),
            Value::Grade(grade) => grade.to_string(),
            Value::Count(count) => count.to_string(),
            Value::Words(words) => self.said(words).to_owned(),
        }
    }
}

impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.lines())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::Marker;

    #[test]
    fn a_line_says_in_words_what_was_written_as_values() {
        let mut trace = Trace::default();
        let test = Test::Serology { marker: Marker::HBsAg, reagent: "A" };
        trace
            .line("R-SER-05", Subject::Test(&test), "NR")
            .limit("cut", "1".parse().unwrap())
            .reading("od", ">0.012".parse().unwrap())
            .exact("cutoff", "0.105".parse().unwrap())
            .text("run", "E1");
        trace.line("1.4", Subject::Target(Virus::Hbv), format!("run {} is open", 7)).count("results", 2);
        trace.line("1.6", Subject::Word("blood group"), "final").grade("anti_a", "3+ mf".parse().unwrap());
        trace.line("1.5", Subject::Word("HIV"), "NEGATIVE").list::<u8>("none", &[]).list("some", &[1, 2]);
        let lines = serde_json::to_value(&trace).unwrap();
        let expect = serde_json::json!([
            {"rule": "R-SER-05", "subject": "HBsAg reagent A", "outcome": "NR",
             "inputs": [["cut", "1"], ["od", ">0.012"], ["cutoff", "0.105"], ["run", "E1"]]},
            {"rule": "1.4", "subject": "NAT HBV", "outcome": "run 7 is open", "inputs": [["results", "2"]]},
            {"rule": "1.6", "subject": "blood group", "outcome": "final", "inputs": [["anti_a", "3+ mf"]]},
            {"rule": "1.5", "subject": "HIV", "outcome": "NEGATIVE", "inputs": [["none", "[]"], ["some", "[1, 2]"]]},
        ]);
        assert_eq!(lines, expect);
    }
}
