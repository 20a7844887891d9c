//! What stands around a value: whose material, which control, how far, flags, lots, run, time.

use super::{
    case::{Case, Where},
    coverage::{control_name, flag_name, status_name},
    examination::Examination,
    time,
};
use crate::{
    message::{Cursor, Fixed},
    path::{Path, Repetition},
    profile::rules::{ControlRule, Each, LotRule, Meaning, StatusRules},
    schema::FlagEffect,
    template::{Piece, RunWord},
};
use std::{borrow::Cow, collections::HashMap};
use vocabulary::{
    Consequence, ControlReading, Interpretation, LotRole, LotUse, ResultStatus, RunId, SpecimenId,
    SpecimenKind,
};

impl Examination<'_> {
    /// The specimen as the analyser read it.
    pub(super) fn specimen_id(&self, cursor: Cursor) -> Option<SpecimenId> {
        SpecimenId::new(&self.look.specimen(cursor)?.text).ok()
    }

    /// The same, for findings.
    pub(super) fn specimen_text(&self, cursor: Cursor) -> Option<String> {
        self.specimen_id(cursor).map(String::from)
    }
}

/// How far apart statuses are: of several rows the one that is least final counts.
fn rank(status: ResultStatus) -> u8 {
    match status {
        ResultStatus::Final => 0,
        ResultStatus::Repeated => 1,
        ResultStatus::Corrected => 2,
        ResultStatus::Other => 3,
        ResultStatus::Preliminary => 4,
        ResultStatus::NotObtained => 5,
    }
}

impl<'m> Case<'_, 'm> {
    pub(super) fn kind(&mut self) -> SpecimenKind {
        let rules = &self.exam.profile.rules;
        if rules.controls_open {
            let what = "the profile leaves open how controls are told from donors (`[controls]`)";
            self.hold("unknown_kind", &Where::Row, what.to_owned());
            return SpecimenKind::Unknown;
        }
        let found = rules.kinds.iter().find(|rule| self.exam.look.holds(self.lead, &rule.when));
        if let Some(rule) = found {
            self.not_a_control(rule.kind);
            return rule.kind;
        }
        let what = "no rule of the profile says whether this is a donor, a control or a calibrator";
        self.hold("unknown_kind", &Where::Row, what.to_owned());
        SpecimenKind::Unknown
    }

    /// What is marked as a donor's and bears the name of a control is neither.
    fn not_a_control(&mut self, kind: SpecimenKind) {
        if kind != SpecimenKind::Control
            && let Some(rule) = self.control_rule()
        {
            let what = format!("this is the control {:?}, and is not marked as a control", rule.name);
            self.hold("control_not_marked", &Where::Row, what);
        }
    }

    fn control_rule(&self) -> Option<&'m ControlRule> {
        let (marker, look, lead) = (self.test.marker, self.exam.look, self.lead);
        look.rules.controls.iter().find(|rule| {
            (rule.markers.is_empty() || rule.markers.contains(&marker)) && look.holds(lead, &rule.when)
        })
    }

    pub(super) fn specimen(&mut self, kind: SpecimenKind) -> Option<SpecimenId> {
        let rules = &self.exam.profile.rules.specimen;
        let found: Vec<(&Path, Cow<'m, str>)> = rules
            .id
            .iter()
            .filter_map(|path| Some((path, self.exam.look.piece(self.lead, path)?.text)))
            .collect();
        if rules.not_of_controls && kind == SpecimenKind::Control {
            self.specimen_is_none();
            return None;
        }
        let needed = match kind {
            SpecimenKind::Patient | SpecimenKind::Unknown | SpecimenKind::Proficiency => true,
            SpecimenKind::Control | SpecimenKind::Calibrator | SpecimenKind::Blank => false,
        };
        let Some((path, text)) = found.first() else {
            if let Some(path) = rules.id.first().filter(|_| needed) {
                self.hold(
                    "missing_specimen",
                    &Where::At(self.lead, path),
                    "a result without a specimen id; find the tube".to_owned(),
                );
            }
            return None;
        };
        if rules.must_agree && found.iter().any(|(_, other)| other != text) {
            let texts: Vec<&str> = found.iter().map(|(_, text)| &**text).collect();
            let what = format!("the message names several specimens for one result: {}", texts.join(", "));
            for text in &texts {
                self.hold_specimen(text, "ambiguous_specimen", &Where::At(self.lead, path), what.clone());
            }
        }
        let text = if rules.trim_end { text.trim_end_matches(' ') } else { text };
        if needed && rules.form.as_ref().is_some_and(|form| !form.is_match(text)) {
            let what = format!("{text:?} does not have the form of a specimen id; find the tube");
            self.hold("unknown_specimen_form", &Where::At(self.lead, path), what);
        }
        match SpecimenId::new(text) {
            Ok(id) => Some(id),
            Err(error) => {
                self.hold("bad_specimen", &Where::At(self.lead, path), format!("{error}; find the tube"));
                None
            }
        }
    }

    pub(super) fn control(&mut self, kind: SpecimenKind) -> Option<&'m ControlRule> {
        if kind != SpecimenKind::Control {
            return None;
        }
        let found = self.control_rule();
        if let Some(rule) = found {
            self.exam.coverage.saw(|| control_name(&rule.name));
        } else {
            let what = "a control that the profile does not name; say in the profile what it has to read";
            self.hold("unknown_control", &Where::Row, what.to_owned());
        }
        found
    }

    pub(super) fn status(&mut self) -> ResultStatus {
        let mut worst = ResultStatus::Final;
        let mut unknown = false;
        for row in self.rows {
            let status = match (row.rule.and_then(|rule| rule.status_is), &self.exam.look.rules.status) {
                (Some(status), _) => status,
                (None, StatusRules::Always(status)) => *status,
                (None, StatusRules::Read { at, map }) => {
                    let read = self.status_read(Cursor::at(row.node), at, map);
                    unknown |= read.is_none();
                    read.unwrap_or(ResultStatus::Other)
                }
            };
            worst = if rank(status) > rank(worst) { status } else { worst };
        }
        if !unknown {
            self.not_final(worst);
        }
        worst
    }

    fn status_read(
        &mut self,
        cursor: Cursor,
        at: &Path,
        map: &HashMap<String, ResultStatus>,
    ) -> Option<ResultStatus> {
        let text = self.exam.look.text(cursor, at);
        if let Some(status) = map.get(&*text) {
            self.exam.coverage.saw(|| status_name(&text));
            return Some(*status);
        }
        let what = format!("the status {text:?} is not in the profile; is this result final?");
        self.hold("unknown_status", &Where::At(cursor, at), what);
        None
    }

    fn not_final(&mut self, status: ResultStatus) {
        let what = match status {
            ResultStatus::Final | ResultStatus::Corrected | ResultStatus::Repeated => return,
            ResultStatus::Preliminary => "not final yet; the final result has to come",
            ResultStatus::Other => "not the reportable run of its order; that one has to come",
            ResultStatus::NotObtained => "the analyser obtained no result; repeat the test",
        };
        self.note("not_final", &Where::Row, what.to_owned());
        match status {
            ResultStatus::NotObtained => self.invalid = true,
            ResultStatus::Final
            | ResultStatus::Corrected
            | ResultStatus::Repeated
            | ResultStatus::Preliminary
            | ResultStatus::Other => self.withheld = true,
        }
    }

    /// The flags as sent; what they do is done here, but for `agree`, which is kept for the value.
    pub(super) fn flags(&mut self, kind: SpecimenKind) -> Vec<String> {
        let rules = &self.exam.look.rules.flags;
        let mut seen: Vec<String> = Vec::new();
        for row in self.rows {
            for path in &rules.at {
                for piece in self.exam.look.pieces_of_all(Cursor::at(row.node), path) {
                    split(&piece.text, rules.separator.as_deref(), rules.width, |flag| {
                        if !flag.is_empty() && !seen.iter().any(|known| known == flag) {
                            let place = Where::Piece(Cursor::at(row.node), path, piece.at.clone());
                            self.flag(flag, kind, &place);
                            seen.push(flag.to_owned());
                        }
                    });
                }
            }
        }
        seen
    }

    fn flag(&mut self, flag: &str, kind: SpecimenKind, place: &Where<'_>) {
        let rules = &self.exam.look.rules.flags;
        let Some(rule) = rules.known.get(flag) else {
            let what = format!("the flag {flag:?} is not in the profile; what does it mean for the result?");
            return match rules.unknown {
                Consequence::Note => self.note("unknown_flag", place, what),
                Consequence::Hold => self.hold("unknown_flag", place, what),
                Consequence::Quarantine => {
                    self.hold_as(Consequence::Quarantine, "unknown_flag", place, what);
                }
            };
        };
        self.exam.coverage.saw(|| flag_name(flag));
        let what = format!("flag {flag}: {}", rule.what);
        match rule.does {
            FlagEffect::Keep => {}
            FlagEffect::Hold | FlagEffect::Open => self.hold("flag_holds", place, what),
            FlagEffect::Typed => self.typed(kind, place, what),
            FlagEffect::Invalid => {
                self.invalid = true;
                self.note("flag_invalidates", place, what);
            }
            FlagEffect::RunFailed => self.run_failed(place, what),
            FlagEffect::Agree => self.must_mean.extend(rule.with.map(|with| (flag.to_owned(), with))),
        }
    }

    pub(super) fn run_failed(&mut self, place: &Where<'_>, what: String) {
        self.invalid = true;
        self.hold("run_failed", place, what);
    }

    /// What a text means once the run it may condemn is seen to.
    pub(super) fn meaning(
        &mut self,
        meaning: Meaning,
        place: &Where<'_>,
        text: &str,
    ) -> Option<Interpretation> {
        match meaning {
            Meaning::Reads(interpretation) => {
                self.invalid |= interpretation == Interpretation::Invalid;
                Some(interpretation)
            }
            Meaning::RunFailed => {
                self.run_failed(place, format!("{text:?} says that the run failed"));
                Some(Interpretation::Invalid)
            }
            Meaning::Open => {
                self.text_is_open(place, text);
                None
            }
        }
    }

    /// Listed in the profile, without a meaning.
    pub(super) fn text_is_open(&mut self, place: &Where<'_>, text: &str) {
        let what = format!("the profile lists the text {text:?} and leaves its meaning open");
        self.hold("unknown_value", place, what);
    }

    pub(super) fn completed_at(&mut self) -> Option<String> {
        if self.rows.iter().any(|row| row.rule.is_some_and(|rule| rule.time_open)) {
            let what = "the profile leaves open where it stands when a result was made";
            self.hold("time_missing", &Where::Row, what.to_owned());
        }
        let paths: Vec<(Cursor, &Path)> = self
            .rows
            .iter()
            .filter_map(|row| Some((Cursor::at(row.node), row.rule?)))
            .flat_map(|(cursor, rule)| rule.completed_at.iter().map(move |path| (cursor, path)))
            .collect();
        let first = *paths.first()?;
        let found = paths
            .iter()
            .find_map(|(cursor, path)| Some((*cursor, *path, self.exam.look.piece(*cursor, path)?)));
        let Some((cursor, path, piece)) = found else {
            if !self.invalid {
                self.hold(
                    "time_missing",
                    &Where::At(first.0, first.1),
                    "the result does not say when it was made".to_owned(),
                );
            }
            return None;
        };
        let read = self.exam.look.rules.times.read(&piece.text);
        if read.is_none() {
            let what = format!("{:?} is no time in the form of the profile", piece.text);
            self.hold("unknown_time", &Where::At(cursor, path), what);
        }
        read
    }

    /// The first of these places that is not empty.
    pub(super) fn first_text(&self, paths: &[Path]) -> Option<String> {
        paths.iter().find_map(|path| Some(self.exam.look.piece(self.lead, path)?.text.into_owned()))
    }

    /// These places, joined by a blank.
    pub(super) fn joined(&self, paths: &[Path]) -> Option<String> {
        let texts: Vec<Cow<'m, str>> =
            paths.iter().filter_map(|path| Some(self.exam.look.piece(self.lead, path)?.text)).collect();
        (!texts.is_empty()).then(|| texts.join(" "))
    }

    pub(super) fn lots(&mut self) -> Vec<LotUse> {
        let rules = self.exam.look.rules;
        let mut lots: Vec<LotUse> = Vec::new();
        for rule in &rules.lots {
            if !self.exam.look.holds(self.lead, &rule.when) {
                continue;
            }
            let before = lots.len();
            for cursor in self.each(rule.each.as_ref()) {
                if let Some(lot) = self.lot(rule, cursor)
                    && !lots.contains(&lot)
                {
                    lots.push(lot);
                }
            }
            if rule.required && lots.len() == before && !self.invalid {
                let what = format!("the result does not name its {} lot", role(rule.role));
                self.hold("lot_missing", &Where::At(self.lead, &rule.lot), what);
            }
        }
        lots
    }

    fn lot(&mut self, rule: &LotRule, cursor: Cursor) -> Option<LotUse> {
        let look = self.exam.look;
        let lot = look.piece(cursor, &rule.lot)?.text.into_owned();
        let name = rule.name.as_ref().and_then(|path| Some(look.piece(cursor, path)?.text.into_owned()));
        let mut expires = None;
        if let Some(path) = &rule.expires
            && let Some(piece) = look.piece(cursor, path)
        {
            expires = match &rule.expires_form {
                Some(form) => time::day(&piece.text, form),
                None => time::expiry(&piece.text, &look.rules.times),
            };
            if expires.is_none() {
                self.hold(
                    "unknown_expiry",
                    &Where::At(cursor, path),
                    format!("{:?} is no last day of use", piece.text),
                );
            }
        }
        Some(LotUse { role: rule.role, name, lot, expires })
    }

    fn each(&self, each: Option<&Each>) -> Vec<Cursor> {
        let document = self.exam.look.document;
        let fixed = |node: usize, repetition| Cursor { fixed: Some(Fixed { node, repetition }), ..self.lead };
        match each {
            None => vec![self.lead],
            // A lot may be attached to any row of the result.
            Some(Each::Record(path)) => {
                let mut found: Vec<usize> = Vec::new();
                for row in self.rows {
                    let seen = document.find_all(row.node, path);
                    found.extend(seen.into_iter().filter(|at| !found.contains(at)).collect::<Vec<_>>());
                }
                found.into_iter().map(|at| fixed(at, None)).collect()
            }
            Some(Each::Repetition(path, spot)) => {
                let Some(at) = document.find(self.lead, path) else { return Vec::new() };
                let count = document.node(at).map_or(0, |node| node.record.repetitions(spot.field));
                let only = match spot.repetition {
                    Repetition::Nth(number) => number..=number,
                    Repetition::Unnamed | Repetition::Each => 1..=count,
                };
                only.map(|number| fixed(at, Some((spot.field, number)))).collect()
            }
        }
    }

    pub(super) fn run_id(
        &mut self,
        completed_at: Option<&str>,
        instrument: Option<&str>,
        lots: &[LotUse],
    ) -> Option<RunId> {
        if self.exam.look.rules.run.open && !self.invalid {
            let what = "the profile leaves open what a run is; no control can stand for this result";
            self.hold("run_missing", &Where::Row, what.to_owned());
        }
        let template = self.exam.look.rules.run.id.as_ref()?;
        let mut id = String::new();
        let mut missing = Vec::new();
        for piece in &template.0 {
            let text = match piece {
                Piece::Text(text) => Some(Cow::Borrowed(text.as_str())),
                Piece::Place(path) => self.exam.look.piece(self.lead, path).map(|piece| piece.text),
                Piece::Word(RunWord::Assay) => Some(Cow::Borrowed(self.test.assay.as_str())),
                Piece::Word(RunWord::Day) => completed_at.and_then(|time| time.get(..10)).map(Cow::Borrowed),
                Piece::Word(RunWord::Instrument) => instrument.map(Cow::Borrowed),
                Piece::Word(RunWord::Lot) => {
                    let reagent = lots.iter().find(|lot| lot.role == LotRole::Reagent);
                    reagent.map(|lot| Cow::Borrowed(lot.lot.as_str()))
                }
            };
            match text {
                Some(text) => id.push_str(&text),
                None => missing.push(piece.name()),
            }
        }
        if missing.is_empty()
            && let Ok(id) = RunId::new(&id)
        {
            return Some(id);
        }
        if !self.invalid {
            let what = format!(
                "no control can stand for this result: its run is not named ({})",
                missing.join(", ")
            );
            self.hold("run_missing", &Where::Row, what);
        }
        None
    }

    pub(super) fn reading(rule: &ControlRule) -> ControlReading {
        ControlReading { name: rule.name.clone(), expected: rule.reads }
    }
}

/// Gives each flag of a text to `take`, empty ones too.
fn split(text: &str, separator: Option<&str>, width: Option<usize>, take: impl FnMut(&str)) {
    match (separator, width) {
        (Some(separator), _) => text.split(separator).map(str::trim).for_each(take),
        (None, Some(width)) => wide(text, width).into_iter().for_each(take),
        (None, None) => std::iter::once(text).for_each(take),
    }
}

/// So many characters each; the last may be shorter.
fn wide(text: &str, width: usize) -> Vec<&str> {
    let mut ends: Vec<usize> = text.char_indices().map(|(at, _)| at).step_by(width.max(1)).skip(1).collect();
    ends.push(text.len());
    let mut begin = 0;
    let parts = ends.into_iter().filter_map(|end| text.get(std::mem::replace(&mut begin, end)..end));
    parts.collect()
}

fn role(role: LotRole) -> &'static str {
    match role {
        LotRole::Reagent => "reagent",
        LotRole::Control => "control",
        LotRole::Calibrator => "calibrator",
    }
}
