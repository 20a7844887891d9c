//! One result of one test: everything that is known about it, and whether it may be used.

use super::examination::{Examination, RowOf};
use crate::{message::Cursor, path::Path, profile::rules::Measured};
use std::ops::Range;
use vocabulary::{
    Consequence, Expected, Finding, Interpretation, Observation, Source, SpecimenId, SpecimenKind,
};

/// A result while it is put together.
pub(super) struct Case<'x, 'm> {
    pub(super) exam: &'x mut Examination<'m>,
    pub(super) rows: &'x [RowOf<'m>],
    pub(super) test: &'m Measured,
    /// The first row: what concerns the whole result is looked up from here.
    pub(super) lead: Cursor,
    specimen: Option<SpecimenId>,
    /// Nothing may read this result as anything.
    pub(super) withheld: bool,
    /// The analyser itself says that it cannot be used.
    pub(super) invalid: bool,
    /// Flags that say again what the value says.
    pub(super) must_mean: Vec<(String, Interpretation)>,
}

/// Where something about a result was found. The words and bytes are worked out only when somebody is told.
#[derive(Debug, Clone)]
pub(super) enum Where<'p> {
    /// The result's first row.
    Row,
    /// What stands at a path, or should.
    At(Cursor, &'p Path),
    /// One of several texts at a path.
    Piece(Cursor, &'p Path, Range<usize>),
}

impl<'x, 'm> Case<'x, 'm> {
    pub(super) fn new(
        exam: &'x mut Examination<'m>,
        rows: &'x [RowOf<'m>],
        test: &'m Measured,
        withheld: bool,
    ) -> Self {
        let lead = Cursor::at(rows.first().map_or(0, |row| row.node));
        let specimen = exam.specimen_id(lead);
        Self { exam, rows, test, lead, specimen, withheld, invalid: false, must_mean: Vec::new() }
    }

    /// The observation; `None` for an optional part that was not sent.
    pub(super) fn run(mut self) -> Option<Observation> {
        let slots = self.slots();
        if self.test.optional && slots.is_empty() {
            return None;
        }
        let kind = self.kind();
        let specimen = self.specimen(kind);
        let control = self.control(kind);
        let status = self.status();
        let flags = self.flags(kind);
        let mut value = self.value(&slots);
        if let Some(rule) = control {
            self.judge(rule, &mut value);
        }
        self.in_its_place(kind, control.map(|rule| rule.reads), value.interpretation);
        let completed_at = self.completed_at();
        let instrument = self.joined(&self.exam.look.rules.instrument);
        let lots = self.lots();
        let run = self.run_id(completed_at.as_deref(), instrument.as_deref(), &lots);
        self.checks();
        if self.withheld {
            super::value::withhold(&mut value);
        }
        if self.invalid {
            super::value::withhold(&mut value);
            value.interpretation = Some(Interpretation::Invalid);
        }
        let control_id = self.exam.look.rules.message.control_id.as_ref();
        Some(Observation {
            specimen,
            instrument,
            assay: self.test.assay.clone(),
            marker: self.test.marker,
            kind,
            value,
            flags,
            status,
            run,
            lots,
            completed_at,
            replicate: self.joined(&self.exam.look.rules.replicate),
            operator: self.first_text(&self.exam.look.rules.operator),
            control: control.map(Self::reading),
            discriminates: self.test.discriminates,
            source: Source {
                record: self.labels(),
                message: control_id.and_then(|path| self.first_text(std::slice::from_ref(path))),
            },
        })
    }

    /// A word that only controls or only donors can have.
    fn in_its_place(&mut self, kind: SpecimenKind, reads: Option<Expected>, found: Option<Interpretation>) {
        let judged = found == Some(Interpretation::Valid);
        if judged && kind != SpecimenKind::Control {
            let what = "only a control can be valid; is this a control that was not recognised?";
            self.hold("value_out_of_place", &Where::Row, what.to_owned());
        }
        let screened = matches!(found, Some(Interpretation::Reactive | Interpretation::NonReactive));
        if screened && reads == Some(Expected::Valid) {
            let what = "this control should be judged valid or invalid; is it a donor?";
            self.hold("value_out_of_place", &Where::Row, what.to_owned());
        }
    }

    fn checks(&mut self) {
        let look = self.exam.look;
        for check in &look.rules.checks {
            if !look.holds(self.lead, &check.when) {
                continue;
            }
            let Some((path, others)) = check.equal.split_first() else { continue };
            let (text, part) = (look.text(self.lead, path), check.part.as_ref());
            let same = |other: &Path| part_of(&look.text(self.lead, other), part) == part_of(&text, part);
            if others.iter().all(same) {
                continue;
            }
            let texts: Vec<_> = check.equal.iter().map(|path| look.text(self.lead, path)).collect();
            let texts: Vec<&str> = texts.iter().map(|text| part_of(text, part)).collect();
            let what = format!("{}: {}", check.what, texts.join(", "));
            match check.does {
                Consequence::Note => self.note(&check.finding, &Where::At(self.lead, path), what),
                Consequence::Hold | Consequence::Quarantine => {
                    self.hold_as(check.does, &check.finding, &Where::At(self.lead, path), what);
                }
            }
        }
    }

    /// `R|1,R|2`: every row that went into it.
    fn labels(&self) -> String {
        let mut labels = String::new();
        for row in self.rows {
            if !labels.is_empty() {
                labels.push(',');
            }
            labels.push_str(&self.exam.look.document.label(row.node));
        }
        labels
    }

    /// What was taken for its specimen is none.
    pub(super) fn specimen_is_none(&mut self) {
        self.specimen = None;
    }

    fn place(&self, place: &Where<'_>) -> String {
        match place {
            Where::Row => self.exam.place_of_row(self.lead.node),
            Where::At(cursor, path) => self.exam.place(*cursor, path),
            Where::Piece(cursor, path, at) => self.exam.place_of_piece(*cursor, path, at),
        }
    }

    pub(super) fn hold(&mut self, name: &str, place: &Where<'_>, what: String) {
        self.hold_as(Consequence::Hold, name, place, what);
    }

    /// A number that was typed in leaves open whose result it is, and not what came out: a reactive one stays reactive, and
    /// its donation waits until people have compared the number (R-GATE-09). Whose control it is nobody compares.
    pub(super) fn typed(&mut self, kind: SpecimenKind, place: &Where<'_>, what: String) {
        self.withheld |= kind != SpecimenKind::Patient;
        self.say(Consequence::Hold, "typed_identifier", place, what);
    }

    pub(super) fn hold_as(&mut self, consequence: Consequence, name: &str, place: &Where<'_>, what: String) {
        self.withheld = true;
        self.say(consequence, name, place, what);
    }

    /// Holds another specimen than the one this result seems to be of.
    pub(super) fn hold_specimen(&mut self, specimen: &str, name: &str, place: &Where<'_>, what: String) {
        self.withheld = true;
        let place = self.place(place);
        let specimen = Some(specimen.to_owned());
        let (finding, consequence) = (name.to_owned(), Consequence::Hold);
        self.exam.findings.add(Finding { finding, place, what, consequence, specimen });
    }

    pub(super) fn note(&mut self, name: &str, place: &Where<'_>, what: String) {
        self.say(Consequence::Note, name, place, what);
    }

    fn say(&mut self, consequence: Consequence, name: &str, place: &Where<'_>, what: String) {
        let place = self.place(place);
        let specimen = self.specimen.clone().map(String::from);
        self.exam.findings.add(Finding { finding: name.to_owned(), place, what, consequence, specimen });
    }
}

/// The part of a text that a check compares.
fn part_of<'t>(text: &'t str, part: Option<&regex::Regex>) -> &'t str {
    let group = part.and_then(|part| part.captures(text)?.get(1));
    group.map_or(text, |group| group.as_str())
}
