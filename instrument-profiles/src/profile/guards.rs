//! What can only make less be read has to be said, also where it is not wanted: nothing in a message could tell a profile
//! that has lost it from one that never had it. So a guard that is taken away leaves a profile that is not read.

use super::{
    builder::Builder,
    rules::{ControlRule, Measured, RequirementRule, Rules, RunRules, Slot, TestBody, TestRule},
};
use crate::{
    path::{Column, Path},
    schema,
    template::{Piece, RunTemplate},
};
use std::{collections::BTreeSet, ops::Range};
use toml::Spanned;
use vocabulary::{Expected, Marker, Protocol};

const START: Range<usize> = 0..0;

impl Builder<'_, '_> {
    /// Guards of one table each, of a profile that reads results.
    pub(super) fn guards_are_said(&mut self, document: &schema::Document) {
        if let Some(specimen) = &document.specimen {
            let (span, specimen) = (specimen.span(), specimen.get_ref());
            if specimen.form.is_none() {
                self.missing_today(
                    &span,
                    "`form`, the form of a specimen id: \".+\" where any text may be one",
                );
            }
            if specimen.id.0.len() > 1 && specimen.must_agree.is_none() {
                let what = "`must_agree`: whether all places of the specimen id have to say the same";
                self.missing_today(&span, what);
            }
        }
        let said = document.evidence.as_ref().and_then(|evidence| evidence.get_ref().guards.as_ref());
        if let Some(said) = said.filter(|said| *said.get_ref() != document.guards && !self.shape_faults) {
            let (said, at, found) = (said.get_ref(), said.span(), document.guards);
            let lost = if found < *said { "one was lost" } else { "one was added" };
            let what = format!(
                "the profile says {said} guards and has {found}: {lost}, or `guards = {found}` if that was meant"
            );
            self.fault_today(&at, what);
        }
        let sequence = document.message.as_ref().and_then(|message| message.get_ref().sequence);
        if self.protocol == Protocol::Lis02 && sequence.is_none() {
            let what = "`sequence` in `[message]`: whether a record number that does not follow is a lost record (\"strict\") or a habit (\"lenient\")";
            self.missing_today(&START, what);
        }
    }

    /// Which number says what, and whether it is held against the text.
    pub(super) fn criterion_is_said(&mut self, written: &schema::Test, test: &Measured, at: &Range<usize>) {
        let reads_number = Rules::reads(test, Slot::Number);
        if reads_number && test.values.is_some() && written.reactive.is_none() {
            let what = "`reactive`: from which number on the text has to say reactive, \">= 1.00\"; \"none\" where the number says nothing of that";
            self.missing_today(at, what);
        }
        if written.reactive.is_some() && test.values.is_none() && written.by_number.is_none() {
            self.missing_today(at, "`by_number`: whether the number alone decides, as no text does");
        }
    }

    /// Every control stands for its markers: none of their runs is valid without it, unless that is said. Gives those of
    /// which it is not said.
    pub(super) fn controls_are_required(
        &mut self,
        written: &[Spanned<schema::Control>],
        controls: &[ControlRule],
        tests: &[TestRule],
        run: &RunRules,
    ) -> Vec<RequirementRule> {
        let mut unsaid = Vec::new();
        let unknown = |name: &String| controls.iter().all(|control| control.name != *name);
        if run.open || self.shape_faults || run.requires.iter().flat_map(|rule| &rule.controls).any(unknown) {
            return unsaid;
        }
        for (written, rule) in written.iter().zip(controls) {
            let (span, control) = (written.span(), written.get_ref());
            let spared = self.markers(&control.not_required_for);
            let stands_for = |marker: &Marker| rule.markers.is_empty() || rule.markers.contains(marker);
            let measured = tests.iter().filter_map(measured);
            let measured: BTreeSet<Marker> = measured.map(|test| test.marker).filter(stands_for).collect();
            let needed = |marker: &Marker| {
                run.requires.iter().any(|rule| {
                    rule.controls.contains(control.name.get_ref())
                        && (rule.markers.is_empty() || rule.markers.contains(marker))
                })
            };
            let names = |markers: &[Marker]| {
                let names: Vec<String> =
                    markers.iter().map(|marker| format!("{:?}", marker.name())).collect();
                names.join(", ")
            };
            let (needed, unneeded): (Vec<Marker>, Vec<Marker>) = measured.iter().copied().partition(needed);
            let open: Vec<Marker> = unneeded.into_iter().filter(|marker| !spared.contains(marker)).collect();
            if !open.is_empty() {
                let what = format!(
                    "no run needs the control {:?} for {}: name it in `[[run.requires]]`, or these markers in its `not_required_for`",
                    rule.name,
                    names(&open)
                );
                self.fault_today(&span, what);
                unsaid.push(RequirementRule { controls: vec![rule.name.clone()], markers: open });
            }
            let both: Vec<Marker> = needed.into_iter().filter(|marker| spared.contains(marker)).collect();
            if !both.is_empty() {
                let what = format!(
                    "`not_required_for` spares the control {:?} for {}, and `[[run.requires]]` asks for it",
                    rule.name,
                    names(&both)
                );
                self.fault(&span, what);
            }
            self.strength_is_said(control, rule, tests, &span);
        }
        unsaid
    }

    /// From which reaction on a positive control is positive.
    fn strength_is_said(
        &mut self,
        control: &schema::Control,
        rule: &ControlRule,
        tests: &[TestRule],
        at: &Range<usize>,
    ) {
        let stands_for = |test: &&Measured| rule.markers.is_empty() || rule.markers.contains(&test.marker);
        let graded = tests.iter().filter_map(measured).filter(stands_for).any(|test| test.grades.is_some());
        if graded && control.reads == Expected::Positive && control.at_least.is_none() {
            let what = "`at_least`: the weakest reaction of this control that is positive, as \"2+\" (\"+\" where no strength is told)";
            self.missing_today(at, what);
        }
    }

    /// A column that is read and may be missing would be read as empty: no flag, no second well.
    pub(super) fn columns_are_listed(&mut self, document: &schema::Document, rules: &Rules) {
        let Some(table) = document.table.as_ref().filter(|table| table.get_ref().header == Some(true)) else {
            return;
        };
        let mut read = std::mem::take(&mut self.columns_read);
        let run = rules.run.id.iter().flat_map(|RunTemplate(pieces)| pieces);
        read.extend(run.filter_map(|piece| match piece {
            Piece::Place(Path::Column(Column::Named(name))) => Some(name.clone()),
            Piece::Place(_) | Piece::Text(_) | Piece::Word(_) => None,
        }));
        let listed: BTreeSet<&str> =
            table.get_ref().columns.iter().map(|column| column.get_ref().as_str()).collect();
        for name in read.iter().filter(|name| !listed.contains(name.as_str())) {
            let what = format!(
                "the column {name:?} is read, and a file without it would not be noticed: name it in `columns`"
            );
            self.fault_today(&table.span(), what);
        }
    }
}

fn measured(test: &TestRule) -> Option<&Measured> {
    match &test.body {
        TestBody::Measures(measured) => Some(measured),
        TestBody::Aside(_) => None,
    }
}
