//! Checks the parts that turn rows into results: rows, tests, lots, runs, controls.

use super::{
    builder::{Asked, Builder, whole_text},
    meaning::{INTERPRETATIONS, OPEN},
    rules::{
        CheckRule, ControlRule, Criterion, Each, GradeMap, KindRule, LotRule, Measured, MessageRules,
        PanelRule, RequirementRule, RowRule, Rules, RunRules, Slot, Slots, SpecimenRules, TestBody, TestRule,
        ValueMap, WithinRule,
    },
};
use crate::{
    path::{FieldPath, Path, RecordPath},
    schema::{self, Text, Texts},
    template::RunTemplate,
};
use rust_decimal::Decimal;
use std::{collections::HashMap, ops::Range};
use toml::Spanned;
use vocabulary::{Comparator, Expected, Grade, Interpretation, Marker, MarkerKind, Protocol, Strength};

/// A test whose number and text have no limit in common.
const NONE: &str = "none";

impl Builder<'_, '_> {
    pub(crate) fn message(
        &mut self,
        written: Option<&Spanned<schema::Message>>,
        reads_results: bool,
    ) -> MessageRules {
        let nothing = schema::Message::default();
        let (span, message) = written.map_or((0..0, &nothing), |w| (w.span(), w.get_ref()));
        match self.protocol {
            Protocol::Hl7v2 if reads_results && message.results.is_empty() => {
                self.missing(&span, "`results` in `[message]`: which messages carry results");
            }
            Protocol::PkBlocks if reads_results && message.results.is_empty() => {
                self.missing_today(&span, "`results` in `[message]`: which messages carry results");
            }
            Protocol::Lis02 | Protocol::Hl7v2 | Protocol::PkBlocks if message.sender.is_empty() => {
                self.missing(&span, "`sender` in `[message]`: whose messages these are");
            }
            Protocol::Lis02 | Protocol::Hl7v2 if reads_results && message.production.is_none() => {
                let what =
                    "`production` in `[message]`: what marks a message as one of routine work ([]: nothing)";
                self.missing_today(&span, what);
            }
            Protocol::Lis02 | Protocol::Hl7v2 | Protocol::Delimited | Protocol::PkBlocks => {}
        }
        if let Some(why) = &message.uncounted {
            self.not_empty(why.get_ref(), &why.span(), "why lost rows are not missed");
        }
        MessageRules {
            sender: self.conditions(&message.sender),
            production: self.conditions(message.production.as_deref().unwrap_or_default()),
            results: self.conditions(&message.results),
            silent: self.conditions(&message.silent),
            control_id: self.path_if(message.control_id.as_ref()),
            terminator_optional: message.terminator_optional,
            sequence: message.sequence.unwrap_or_default(),
            split_escaped: self.split_escaped(&message.split_escaped),
            uncounted: message.uncounted.is_some(),
        }
    }

    fn split_escaped(&mut self, written: &Texts) -> Vec<FieldPath> {
        let mut fields = Vec::new();
        for text in written.iter() {
            match self.path(text) {
                Some(Path::Field(path))
                    if path.spot.component.is_none() && self.protocol == Protocol::Hl7v2 =>
                {
                    fields.push(path);
                }
                Some(_) => self.fault(&text.span(), "`split_escaped` names whole fields of HL7: OBX-5"),
                None => {}
            }
        }
        fields
    }

    pub(crate) fn specimen(&mut self, written: &Spanned<schema::Specimen>) -> SpecimenRules {
        let (span, specimen) = (written.span(), written.get_ref());
        for path in specimen.id.iter().filter(|path| path.get_ref() == "specimen") {
            self.fault(&path.span(), "the specimen's place cannot be \"specimen\" itself");
        }
        if specimen.id.0.is_empty() {
            self.missing(&span, "`id`, where the specimen's identity stands");
        }
        SpecimenRules {
            id: self.paths(&specimen.id),
            must_agree: specimen.must_agree.unwrap_or(self.asked == Asked::Today),
            trim_end: specimen.trim_end,
            not_of_controls: specimen.not_of_controls,
            form: specimen.form.as_ref().and_then(|form| self.pattern(form)),
        }
    }

    pub(crate) fn kinds(&mut self, written: &[Spanned<schema::Kind>]) -> Vec<KindRule> {
        written
            .iter()
            .map(|kind| {
                let when = self.conditions_of(&kind.get_ref().when, &kind.span());
                KindRule { kind: kind.get_ref().is, when }
            })
            .collect()
    }

    pub(crate) fn control_rules(&mut self, written: &[Spanned<schema::Control>]) -> Vec<ControlRule> {
        written
            .iter()
            .map(|written| {
                let control = written.get_ref();
                self.not_empty(control.name.get_ref(), &control.name.span(), "the control's name");
                ControlRule {
                    name: control.name.get_ref().clone(),
                    reads: control.reads,
                    when: self.conditions_of(&control.when, &written.span()),
                    markers: self.markers(&control.markers),
                    at_least: self.at_least(control.at_least.as_ref()),
                    right: control.right.as_ref().and_then(|right| self.right(right, control.reads)),
                    within: control
                        .within
                        .as_ref()
                        .and_then(|within| self.within_rule(within, control.reads)),
                }
            })
            .collect()
    }

    fn right(&mut self, written: &Text, reads: Expected) -> Option<Interpretation> {
        if reads != Expected::Valid {
            self.fault(
                &written.span(),
                "`right` makes a control valid or invalid: it needs reads = \"valid\"",
            );
        }
        self.one_of(written, "meaning", &INTERPRETATIONS)
    }

    fn at_least(&mut self, written: Option<&Text>) -> Grade {
        let Some(text) = written else { return Grade::plain(Strength::One) };
        let grade = text.get_ref().parse::<Grade>().ok();
        grade.filter(|grade| !grade.has_remark() && !grade.is_zero()).unwrap_or_else(|| {
            let what =
                "`at_least` is a plain grade above 0: w, 1+, 2+, 3+, 4+, or + where none tells a strength";
            self.fault(&text.span(), what);
            Grade::plain(Strength::Four)
        })
    }

    fn within_rule(&mut self, written: &Spanned<schema::Within>, reads: Expected) -> Option<WithinRule> {
        let (span, within) = (written.span(), written.get_ref());
        if reads != Expected::Valid {
            self.fault(&span, "`within` judges a control valid or invalid: it needs reads = \"valid\"");
        }
        if let Some(between) = &within.between {
            return self.between(between, &span);
        }
        if let Some(range) = &within.range {
            let separator =
                self.required(within.separator.as_ref(), &span, "`separator`, what parts the range")?;
            self.not_empty(separator.get_ref(), &separator.span(), "`separator`");
            let separator = separator.get_ref().clone();
            return Some(WithinRule::Range { at: self.path(range)?, separator });
        }
        let target = self.required(within.target.as_ref(), &span, "`target`").and_then(|at| self.path(at));
        let sd = self.required(within.sd.as_ref(), &span, "`sd`").and_then(|at| self.path(at));
        let sds = *self.required(within.sds.as_ref(), &span, "`sds`, how many SDs are allowed")?;
        if !(1..=4).contains(&sds) {
            self.fault(&span, "`sds` is 1 to 4");
        }
        Some(WithinRule::Target { target: target?, sd: sd?, sds })
    }

    fn between(&mut self, written: &Texts, at: &Range<usize>) -> Option<WithinRule> {
        let limits: Vec<Decimal> = written.iter().filter_map(|text| text.get_ref().parse().ok()).collect();
        match (limits.as_slice(), written.0.len()) {
            (&[low, high], 2) if low < high => Some(WithinRule::Between { low, high }),
            _ => {
                self.fault(
                    at,
                    "`between` is the lowest and the highest number, as texts: [\"2.00\", \"6.00\"]",
                );
                None
            }
        }
    }

    pub(crate) fn run(&mut self, written: &schema::Run, controls: &[ControlRule]) -> RunRules {
        let open = written.id.as_ref().filter(|id| id.get_ref() == OPEN);
        if let Some(id) = open {
            let what = "what a run is, is open: say which controls stand for which results, as in \"{R.14}/{assay}/{lot}/{day}\"";
            self.open(&id.span(), what);
        }
        let id = written.id.as_ref().filter(|_| open.is_none()).and_then(|id| {
            RunTemplate::parse(id.get_ref(), self.protocol).map_err(|what| self.fault(&id.span(), what)).ok()
        });
        let mut requires = Vec::new();
        for requirement in &written.requires {
            let requirement = requirement.get_ref();
            for name in requirement.controls.iter() {
                if controls.iter().all(|control| control.name != *name.get_ref()) {
                    let known = controls.iter().map(|control| control.name.as_str());
                    self.faults.unknown(&name.span(), "control", name.get_ref(), known);
                }
            }
            requires.push(RequirementRule {
                controls: requirement.controls.to_strings(),
                markers: self.markers(&requirement.markers),
            });
        }
        RunRules { open: open.is_some(), id, requires, unsaid: Vec::new() }
    }

    pub(crate) fn lots(&mut self, written: &[Spanned<schema::Lot>]) -> Vec<LotRule> {
        written
            .iter()
            .filter_map(|written| {
                let lot = written.get_ref();
                if lot.required.is_none() {
                    let what = "`required`: whether a result without this lot is held";
                    self.missing_today(&written.span(), what);
                }
                Some(LotRule {
                    role: lot.role,
                    each: lot.each.as_ref().and_then(|each| self.each(each)),
                    lot: self.path(&lot.lot)?,
                    name: self.path_if(lot.name.as_ref()),
                    expires: self.path_if(lot.expires.as_ref()),
                    expires_form: lot.expires_form.as_ref().map(|form| self.date_form(form)),
                    when: self.conditions(&lot.when),
                    required: lot.required.unwrap_or(self.asked == Asked::Today),
                })
            })
            .collect()
    }

    fn each(&mut self, text: &Text) -> Option<Each> {
        let record = RecordPath::parse(text.get_ref(), self.protocol).map(Each::Record);
        let found = record.or_else(|| {
            FieldPath::parse(text.get_ref(), self.protocol)
                .map(|path| Each::Repetition(path.record, path.spot))
        });
        if found.is_none() {
            let what =
                format!("{:?} is neither a record (INV(3=MR)) nor a repeated field (C.3)", text.get_ref());
            self.fault(&text.span(), what);
        }
        found
    }

    pub(crate) fn rows(
        &mut self,
        written: &[Spanned<schema::Row>],
        defaults: &schema::Results,
    ) -> Vec<RowRule> {
        let own = own_record(self.protocol);
        if written.is_empty() {
            let only = Spanned::new(0..0, schema::Row::default());
            return self.row(&only, defaults, own).into_iter().collect();
        }
        written.iter().filter_map(|row| self.row(row, defaults, own)).collect()
    }

    fn row(
        &mut self,
        written: &Spanned<schema::Row>,
        defaults: &schema::Results,
        own: &str,
    ) -> Option<RowRule> {
        let row = written.get_ref();
        let record = row.record.as_ref().map_or(own, |record| record.get_ref());
        let usual = record == own;
        let or_default = |mine: &Option<Text>, default: &Option<Text>| {
            mine.clone().or_else(|| default.clone().filter(|_| usual))
        };
        let mut slots = self.slots([&row.interpretation, &row.grade, &row.number, &row.od, &row.cutoff]);
        slots.confirmation = self.path_if(row.confirms.as_ref());
        if slots.is_empty() && usual && row.aside.is_none() {
            let d = defaults;
            slots = self.slots([&d.interpretation, &d.grade, &d.number, &d.od, &d.cutoff]);
        }
        let test = or_default(&row.test, &defaults.test);
        if test.is_none() && row.aside.is_none() {
            self.missing(&written.span(), "`test`: where the code of the test stands");
            return None;
        }
        let own_times = !row.completed_at.0.is_empty() || !usual;
        let completed_at = if own_times { &row.completed_at } else { &defaults.completed_at };
        if completed_at.0.is_empty() && usual && row.aside.is_none() {
            let what = "`completed_at` in `[result]`: when a result was made";
            self.missing_today(&written.span(), what);
        }
        let time_open = matches!(completed_at.0.as_slice(), [only] if only.get_ref() == OPEN);
        if let Some(at) = completed_at.0.first().filter(|_| time_open) {
            self.open(
                &at.span(),
                "where it stands when a result was made is open, and every result is held for it",
            );
        }
        Some(RowRule {
            name: row.name.as_ref().map_or_else(|| "result".to_owned(), |name| name.get_ref().clone()),
            record: record.to_owned(),
            when: self.conditions(&row.when),
            aside: row.aside.as_ref().map(|why| why.get_ref().clone()),
            test: self.path_if(test.as_ref()),
            slots,
            unit: self.path_if(or_default(&row.unit, &defaults.unit).as_ref()),
            completed_at: if time_open { Vec::new() } else { self.paths(completed_at) },
            time_open,
            whole: row.whole.as_ref().map(|texts| self.whole(texts)),
            status_is: row.status_is,
        })
    }

    fn slots(&mut self, written: [&Option<Text>; 5]) -> Slots {
        let [interpretation, grade, number, od, cutoff] = written.map(|text| self.path_if(text.as_ref()));
        Slots { interpretation, grade, number, od, cutoff, confirmation: None }
    }

    pub(crate) fn whole(&mut self, written: &Texts) -> Vec<Slot> {
        written.iter().filter_map(|text| self.one_of(text, "part of a value", &Slot::ALL)).collect()
    }

    pub(crate) fn checks(&mut self, written: &[Spanned<schema::Check>]) -> Vec<CheckRule> {
        written
            .iter()
            .map(|written| {
                let check = written.get_ref();
                if check.equal.0.len() < 2 {
                    self.fault(&written.span(), "`equal` holds two places or more against each other");
                }
                CheckRule {
                    finding: check.finding.get_ref().clone(),
                    equal: self.paths(&check.equal),
                    part: check.part.as_ref().and_then(|pattern| self.part(pattern)),
                    does: check.does,
                    what: check.what.clone(),
                    when: self.conditions(&check.when),
                }
            })
            .collect()
    }

    /// A pattern for a whole text, with the group that is the part of it.
    fn part(&mut self, pattern: &Text) -> Option<regex::Regex> {
        let read = whole_text(pattern.get_ref());
        let grouped = read.ok().filter(|regex| regex.captures_len() == 2);
        if grouped.is_none() {
            let what = "`part` is a regular expression for the whole text, with one group: ([A-H])[0-9]+";
            self.fault(&pattern.span(), what);
        }
        grouped
    }

    pub(crate) fn panels(
        &mut self,
        written: &[Spanned<schema::Panel>],
        codes: &HashMap<String, Vec<usize>>,
    ) -> Vec<PanelRule> {
        let mut panels = Vec::new();
        for written in written {
            let panel = written.get_ref();
            for code in panel.tests.iter().filter(|code| !codes.contains_key(code.get_ref())) {
                let known = codes.keys().map(String::as_str);
                self.faults.unknown(&code.span(), "test code", code.get_ref(), known);
            }
            panels.push(PanelRule {
                name: panel.name.clone(),
                when: self.conditions_of(&panel.when, &written.span()),
                tests: panel.tests.to_strings(),
            });
        }
        panels
    }

    pub(crate) fn test(
        &mut self,
        written: &Spanned<schema::Test>,
        values: &HashMap<String, ValueMap>,
        grades: &HashMap<String, GradeMap>,
        defaults: &[Slot],
    ) -> Option<TestRule> {
        let (span, test) = (written.span(), written.get_ref());
        let code = self.required(test.code.as_ref(), &span, "`code`")?.get_ref().clone();
        let when = self.conditions(&test.when);
        if let Some(why) = &test.aside {
            if test.marker.is_some() || test.assay.is_some() {
                self.fault(&why.span(), "a test set aside has neither `marker` nor `assay`");
            }
            return Some(TestRule { code, when, body: TestBody::Aside(why.get_ref().clone()) });
        }
        if let Some(open) = &test.open {
            let given = test.marker.is_some() || test.assay.is_some();
            if given {
                self.fault(&open.span(), "the test says what it measures: take `open` away");
            } else {
                self.open(&open.span(), format!("the test {code:?} is open: {}", open.get_ref()));
            }
            return None;
        }
        let marker = self.required(test.marker.as_ref(), &span, "`marker`").map(|m| self.marker(m));
        let assay = self.required(test.assay.as_ref(), &span, "`assay`")?;
        self.not_empty(assay.get_ref(), &assay.span(), "the assay's name");
        let values = test.values.as_ref().and_then(|name| self.known_map(name, "value map", values));
        let grades = test.grades.as_ref().and_then(|name| self.known_map(name, "grade map", grades));
        let measured = Measured {
            marker: marker??,
            assay: assay.get_ref().clone(),
            values: values.cloned(),
            grades: grades.cloned(),
            units: test.units.iter().map(|(text, unit)| (text.get_ref().clone(), unit.clone())).collect(),
            unit_is: test.unit_is.as_ref().map(|unit| unit.get_ref().clone()),
            reactive: test
                .reactive
                .as_ref()
                .filter(|text| text.get_ref() != NONE)
                .and_then(|text| self.criterion(text)),
            by_number: test.by_number == Some(true),
            discriminates: test.discriminates,
            optional: test.optional,
            whole: test.whole.as_ref().map_or_else(|| defaults.to_vec(), |texts| self.whole(texts)),
            slots: self.slots([&test.interpretation, &test.grade, &test.number, &None, &None]),
        };
        self.consistent(&measured, &span);
        self.criterion_is_said(test, &measured, &span);
        self.reads_what_is_whole(&measured, &span);
        Some(TestRule { code, when, body: TestBody::Measures(Box::new(measured)) })
    }

    /// A part that every result must have is not passed over because a test cannot read it.
    fn reads_what_is_whole(&mut self, test: &Measured, at: &Range<usize>) {
        for slot in test.whole.iter().filter(|slot| !Rules::reads(test, **slot)) {
            let what = format!(
                "`whole` asks for the {}, which this test cannot read: a map or a unit, or a `whole` of its own",
                slot.name()
            );
            self.fault_today(at, what);
        }
    }

    fn consistent(&mut self, test: &Measured, at: &Range<usize>) {
        let reads_number = test.unit_is.is_some() || !test.units.is_empty();
        if test.values.is_none() && test.grades.is_none() && !reads_number {
            self.missing(at, "one of `values`, `grades`, `units`, `unit_is`: nothing would be read");
        }
        if test.unit_is.is_some() && !test.units.is_empty() {
            self.fault(at, "`units` reads the unit that is sent, `unit_is` stands in for one that is not");
        }
        let own = [
            (test.slots.interpretation.is_some() && test.values.is_none(), "`interpretation` needs `values`"),
            (test.slots.grade.is_some() && test.grades.is_none(), "`grade` needs `grades`"),
            (test.slots.number.is_some() && !reads_number, "`number` needs `units` or `unit_is`"),
            (test.reactive.is_some() && !reads_number, "`reactive` needs a number with its unit"),
            (
                test.by_number && test.reactive.is_none(),
                "`by_number` needs `reactive`: the number that decides",
            ),
            (
                test.by_number && test.values.is_some(),
                "`by_number` is for tests without `values`: the text decides",
            ),
            (
                test.discriminates && !is_of_one_target(test.marker),
                "`discriminates` is for nucleic acid tests of one target: \"HBV-DNA\", \"HCV-RNA\", \"HIV-RNA\"",
            ),
        ];
        for (wrong, what) in own {
            if wrong {
                self.fault(at, what);
            }
        }
    }

    fn criterion(&mut self, text: &Text) -> Option<Criterion> {
        let written = text.get_ref();
        let read = [(">=", Comparator::AtLeast), ("<=", Comparator::AtMost)].into_iter().find_map(
            |(sign, comparator)| {
                let limit = written.strip_prefix(sign)?.trim().parse::<Decimal>().ok()?;
                Some(Criterion { comparator, limit })
            },
        );
        if read.is_none() {
            self.fault(
                &text.span(),
                format!("{written:?} is no criterion; write \">= 1.00\", \"<= 1.00\" or \"none\""),
            );
        }
        read
    }
}

/// The record that is a result in itself.
pub(crate) fn own_record(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Lis02 => "R",
        Protocol::Hl7v2 => "OBX",
        Protocol::Delimited => "row",
        Protocol::PkBlocks => crate::message::SPECIMEN_LINE,
    }
}

fn is_of_one_target(marker: Marker) -> bool {
    marker.kind() == MarkerKind::Nat && marker.virus().is_some()
}
