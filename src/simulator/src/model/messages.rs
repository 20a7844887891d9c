//! A run of the day as the messages of one model.

use super::context::{Found, MessageContext, ResultContext, RunContext, SpecimenContext, Summary};
use super::file::{AssayFile, ControlFile, MessageHolds};
use super::found::control_finding;
use super::render::{RenderError, Which};
use super::{ControlReads, Model};
use crate::scenario::{Controls, DaySettings, Draw, Duty, Finding, Reading, Run, Test};
use jiff::{ToSpan, civil::DateTime};
use vocabulary::{DonationId, Marker, Protocol};

/// A first result takes this long; after it they come at the given pace.
const FIRST_RESULT_MINUTES: i64 = 20;
const RESULT_SECONDS: i64 = 3;
/// Wells of a plate are counted down its eight rows.
const PLATE_ROWS: u32 = 8;
/// A message that comes twice comes again after this many others.
const TWICE_AFTER: usize = 3;

/// Whose results a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OutgoingKind {
    /// Of donations, and of controls where one message holds a whole run.
    Results,
    /// Of controls only.
    Controls,
    /// Nobody's: it asks what to do with specimens.
    Question,
}

/// A message as the analyser will send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its control id.
    pub control_id: String,
    /// Whose results it holds.
    pub kind: OutgoingKind,
    /// The run they are of.
    pub run: String,
    /// The donations in it, in order.
    pub donations: Vec<DonationId>,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The name of its file, where it is one.
    pub file_name: Option<String>,
    /// It was sent before, byte for byte.
    pub again: bool,
}

/// What a message is written from: specimens that stand in it together.
struct Group<'a> {
    kind: OutgoingKind,
    specimens: Vec<SpecimenContext<'a>>,
    donations: Vec<DonationId>,
    sent_twice: bool,
}

impl Model {
    /// The messages of `run`, in order. `sequence` counts the analyser's messages of the day and goes on.
    ///
    /// # Errors
    /// [`RenderError`] when a template does not fit, or the run needs a test that the model does not have.
    pub fn messages(
        &self,
        day: &DaySettings,
        duty: Duty,
        run: &Run,
        sequence: &mut u32,
    ) -> Result<Vec<Outgoing>, RenderError> {
        let mut bench =
            Bench { model: self, run, draw: Draw::new(day.seed, &run.id), results: 0, position: 0 };
        let mut groups = bench.controls()?;
        for test in &run.tests {
            bench.tube(test, &mut groups)?;
        }
        if self.file.message == MessageHolds::Run {
            groups = vec![whole(groups)];
        }
        let offset = utc_offset(day.offset);
        let started_at = digits(run.started_at);
        let run_context = RunContext { id: run.id.clone(), number: run.number, started_at };
        let mut messages = Vec::with_capacity(groups.len());
        let mut again: Vec<(usize, Outgoing)> = Vec::new();
        for group in groups {
            *sequence += 1;
            let control_id = format!("{}{}{:06}", day.day.strftime("%y%m%d"), duty.code(), *sequence);
            let last = group.specimens.iter().flat_map(|s| &s.results).map(|r| r.completed_at.clone()).max();
            let context = MessageContext {
                control_id,
                sequence: *sequence,
                sent_at: last.unwrap_or_else(|| run_context.started_at.clone()),
                utc_offset: &offset,
                duty: duty.name(),
                kind: match group.kind {
                    OutgoingKind::Results => "results",
                    OutgoingKind::Controls => "controls",
                    OutgoingKind::Question => "question",
                },
                run: &run_context,
                instrument: &self.file.instrument,
                texts: &self.file.texts,
                lots: &self.file.lots,
                specimens: &group.specimens,
            };
            let message = self.write(&context, group.kind, group.donations)?;
            if group.sent_twice {
                again.push((messages.len() + TWICE_AFTER, Outgoing { again: true, ..message.clone() }));
            }
            messages.push(message);
            if let Some(at) = again.iter().position(|(due, _)| *due < messages.len()) {
                messages.push(again.remove(at).1);
            }
        }
        messages.extend(again.into_iter().map(|(_, message)| message));
        Ok(messages)
    }

    /// Whether it asks for orders.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.templates.asks()
    }

    /// The question what to do with each of `specimens`, one message for each of them. Nothing where the model does
    /// not ask.
    ///
    /// # Errors
    /// [`RenderError`] when the template does not fit.
    pub fn questions(&self, day: &DaySettings, specimens: &[String]) -> Result<Vec<Outgoing>, RenderError> {
        if !self.asks() {
            return Ok(Vec::new());
        }
        let sent_at = digits(day.day.at(8, 0, 0, 0));
        let offset = utc_offset(day.offset);
        let run = RunContext { id: String::new(), number: 0, started_at: sent_at.clone() };
        let asked = (1_u32..).zip(specimens).map(|(sequence, id)| {
            let specimen = SpecimenContext {
                id,
                kind: "patient",
                control: None,
                position: sequence,
                summary: Summary::default(),
                results: Vec::new(),
            };
            let context = MessageContext {
                control_id: format!("{}Q{sequence:07}", day.day.strftime("%y%m%d")),
                sequence,
                sent_at: sent_at.clone(),
                utc_offset: &offset,
                duty: "question",
                kind: "question",
                run: &run,
                instrument: &self.file.instrument,
                texts: &self.file.texts,
                lots: &self.file.lots,
                specimens: &[specimen],
            };
            self.write(&context, OutgoingKind::Question, Vec::new())
        });
        asked.collect()
    }

    fn write(
        &self,
        context: &MessageContext<'_>,
        kind: OutgoingKind,
        donations: Vec<DonationId>,
    ) -> Result<Outgoing, RenderError> {
        let fault = |e| RenderError::Template { model: self.id.clone(), source: Box::new(e) };
        let which = match kind {
            OutgoingKind::Results => Which::Results,
            OutgoingKind::Controls => Which::Controls,
            OutgoingKind::Question => Which::Question,
        };
        let text = self.templates.message(which, context).map_err(fault)?;
        let encoded = character_sets::encode(&text, self.encoding);
        if let Some(defect) = encoded.defects.first() {
            let encoding = self.encoding.name();
            return Err(RenderError::Encoding { model: self.id.clone(), encoding, at: defect.at.start });
        }
        let file_name = match self.file.protocol {
            Protocol::Delimited => Some(self.templates.render(Which::FileName, context).map_err(fault)?),
            Protocol::Lis02 | Protocol::Hl7v2 | Protocol::PkBlocks => None,
        };
        Ok(Outgoing {
            control_id: context.control_id.clone(),
            kind,
            run: context.run.id.clone(),
            donations,
            bytes: encoded.bytes.into_owned(),
            file_name,
            again: false,
        })
    }
}

/// Everything of a run in one message.
fn whole(groups: Vec<Group<'_>>) -> Group<'_> {
    let mut all = Group {
        kind: OutgoingKind::Results,
        specimens: Vec::new(),
        donations: Vec::new(),
        sent_twice: false,
    };
    for group in groups {
        all.specimens.extend(group.specimens);
        all.donations.extend(group.donations);
        all.sent_twice |= group.sent_twice;
    }
    all
}

/// The analyser at work on one run: counts positions and results.
struct Bench<'a> {
    model: &'a Model,
    run: &'a Run,
    draw: Draw,
    results: u32,
    position: u32,
}

impl<'a> Bench<'a> {
    fn controls(&mut self) -> Result<Vec<Group<'a>>, RenderError> {
        let mut groups = Vec::new();
        for control in &self.model.file.controls {
            self.position += 1;
            let mut results = Vec::new();
            let mut readings = Vec::new();
            let measured = |m: &Marker| self.run.marker.is_none_or(|only| only == *m);
            let reads: Vec<_> = control.reads.iter().filter(|(m, _)| measured(m)).collect();
            for (marker, reads) in reads {
                let passes = self.run.controls != Controls::Fail(*marker) || !is_positive(*reads);
                let finding = match self.run.controls {
                    Controls::Read(of, index) if of == *marker && is_positive(*reads) => {
                        Finding::Index(index)
                    }
                    Controls::Read(..) | Controls::Pass | Controls::Fail(_) => {
                        control_finding(&mut self.draw, *marker, *reads, passes)
                    }
                };
                let reading = Reading { marker: *marker, replicate: 1, finding };
                let assay = self.assay(&reading)?;
                let mut found = Found::new(&reading.finding, assay);
                if *reads == ControlReads::Valid {
                    found = found.judged(passes);
                }
                results.push(self.result(&reading, assay, found)?);
                readings.push(reading);
            }
            let summary = Summary::of(&readings);
            let specimen = |results| self.control(control, summary, results);
            let kind = OutgoingKind::Controls;
            let of = |s| Group { kind, specimens: vec![s], donations: Vec::new(), sent_twice: false };
            groups.extend(self.split(results).map(specimen).map(of));
        }
        Ok(groups)
    }

    fn control(
        &self,
        control: &'a ControlFile,
        summary: Summary,
        results: Vec<ResultContext<'a>>,
    ) -> SpecimenContext<'a> {
        let position = self.position;
        SpecimenContext { id: "", kind: "control", control: Some(&control.more), position, summary, results }
    }

    fn tube(&mut self, test: &'a Test, groups: &mut Vec<Group<'a>>) -> Result<(), RenderError> {
        self.position += 1;
        let mut results = Vec::new();
        for reading in &test.readings {
            let assay = self.assay(reading)?;
            let mut result = self.result(reading, assay, Found::new(&reading.finding, assay))?;
            result.corrected = test.corrected;
            results.push(result);
        }
        if let (true, Some(assay), Some(like)) =
            (test.unmapped, &self.model.file.unmapped, test.readings.last())
        {
            results.push(self.result(like, assay, Found::new(&like.finding, assay))?);
        }
        let summary = Summary::of(&test.readings);
        let position = self.position;
        let id = test.donation.as_str();
        let mut sent_twice = test.sent_twice;
        for results in self.split(results) {
            let specimen = SpecimenContext { id, kind: "patient", control: None, position, summary, results };
            groups.push(Group {
                kind: OutgoingKind::Results,
                specimens: vec![specimen],
                donations: vec![test.donation.clone()],
                sent_twice: std::mem::take(&mut sent_twice),
            });
        }
        Ok(())
    }

    /// A specimen's results as they share a message: all of them, or one by one.
    fn split(
        &self,
        results: Vec<ResultContext<'a>>,
    ) -> impl Iterator<Item = Vec<ResultContext<'a>>> + use<'a> {
        let groups: Vec<_> = match self.model.file.message {
            _ if results.is_empty() => Vec::new(),
            MessageHolds::Test => results.into_iter().map(|r| vec![r]).collect(),
            MessageHolds::Specimen | MessageHolds::Run => vec![results],
        };
        groups.into_iter()
    }

    /// The test code for a reading: the marker's nth for its nth replicate, else its last.
    fn assay(&self, reading: &Reading) -> Result<&'a AssayFile, RenderError> {
        let nth = usize::from(reading.replicate.saturating_sub(1));
        let mut of_marker = self.model.file.assays.iter().filter(|a| a.marker == reading.marker);
        let first = of_marker.next();
        let later = nth.checked_sub(1).and_then(|n| of_marker.nth(n));
        later.or(first).ok_or_else(|| RenderError::NoAssay {
            model: self.model.id.clone(),
            marker: reading.marker,
            run: self.run.id.clone(),
        })
    }

    fn result(
        &mut self,
        reading: &Reading,
        assay: &'a AssayFile,
        found: Found,
    ) -> Result<ResultContext<'a>, RenderError> {
        self.results += 1;
        // On a plate every result has a well of its own; elsewhere a tube has one place.
        let position =
            if self.model.file.message == MessageHolds::Run { self.results } else { self.position };
        let seconds = FIRST_RESULT_MINUTES * 60 + i64::from(self.results) * RESULT_SECONDS;
        let text = found.interpretation.and_then(|i| self.model.file.texts.get(i)).map(String::as_str);
        Ok(ResultContext {
            marker: reading.marker.name(),
            code: &assay.code,
            assay: &assay.more,
            replicate: reading.replicate,
            corrected: false,
            position,
            well: well(position),
            completed_at: digits(self.run.started_at.checked_add(seconds.seconds())?),
            text,
            found,
        })
    }
}

fn is_positive(reads: ControlReads) -> bool {
    match reads {
        ControlReads::Reactive | ControlReads::Positive | ControlReads::Valid | ControlReads::Activity(_) => {
            true
        }
        ControlReads::NonReactive | ControlReads::Negative => false,
    }
}

/// `A1`, `B1` … `H1`, `A2` …
fn well(position: u32) -> String {
    let nth = position.saturating_sub(1);
    let row = char::from_digit(10 + nth % PLATE_ROWS, 36).unwrap_or('?').to_ascii_uppercase();
    format!("{row}{}", nth / PLATE_ROWS + 1)
}

fn digits(moment: DateTime) -> String {
    moment.strftime("%Y%m%d%H%M%S").to_string()
}

fn utc_offset(offset: jiff::tz::Offset) -> String {
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
}
