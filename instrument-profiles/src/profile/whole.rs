//! Puts the rules together and checks them against each other.

use super::{
    builder::Builder,
    rules::{ControlRule, FlagRules, Rules, Slot, TestRule},
};
use crate::{
    evidence::{Claim, Evidence, Level, Source},
    link::LinkSettings,
    orders::OrderRules,
    schema::{self, Recognition},
};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::Range,
};
use toml::Spanned;
use vocabulary::{Consequence, Protocol, SpecimenKind};

/// The version of the profile language that this release reads.
const SCHEMA: u32 = 1;

/// A name in two languages, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// Everything a profile consists of, before it gets its revision.
pub(super) struct Parts {
    pub(super) id: String,
    pub(super) maker: Name,
    pub(super) model: Name,
    pub(super) link: LinkSettings,
    pub(super) rules: Rules,
    pub(super) orders: OrderRules,
    pub(super) evidence: Evidence,
}

const START: Range<usize> = 0..0;

impl Builder<'_, '_> {
    pub(super) fn parts(&mut self, document: &schema::Document) -> Option<Parts> {
        self.schema_version(document);
        let id = self.id(document);
        let names = self.names(document);
        let link = self.required(document.link.as_ref(), &START, "`[link]`");
        let link = link.and_then(|link| self.link(link));
        let evidence = self.evidence(document);
        let rules = match &document.reads_results {
            Some(reads) if !*reads.get_ref() => Some(self.no_results(document, reads)),
            Some(_) | None => self.rules(document),
        };
        if let (true, Some(order)) = (rules.as_ref().is_some_and(|r| r.reads_results), &document.order_in) {
            self.fault(&order.span(), "`[order_in]` belongs to a profile with `reads_results = false`");
        }
        if let (true, Some(pooling)) = (rules.as_ref().is_some_and(|r| r.reads_results), &document.pooling) {
            self.fault(&pooling.span(), "`[pooling]` belongs to a profile with `reads_results = false`");
        }
        let orders = self.orders(document, rules.as_ref().map_or(&[], |rules| &rules.tests));
        if !self.faults.any() {
            self.maps_are_used(document);
            if let Some(rules) = &rules {
                self.columns_are_listed(document, rules);
            }
        }
        let ((maker, model), rules) = (names?, rules?);
        Some(Parts { id: id?, maker, model, link: link?, rules, orders, evidence })
    }

    fn schema_version(&mut self, document: &schema::Document) {
        match self.required(document.schema.as_ref(), &START, "`schema = 1`, the version of this language") {
            Some(version) if *version.get_ref() != SCHEMA => {
                self.fault(&version.span(), format!("this release reads schema {SCHEMA}"));
            }
            Some(_) | None => {}
        }
    }

    fn id(&mut self, document: &schema::Document) -> Option<String> {
        let id = self.required(document.id.as_ref(), &START, "`id`, the folder's place: maker/model")?;
        let plain = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !id.get_ref().split_once('/').is_some_and(|(maker, model)| plain(maker) && plain(model)) {
            self.fault(&id.span(), "an id is maker/model in small letters, digits and hyphens");
        }
        Some(id.get_ref().clone())
    }

    fn names(&mut self, document: &schema::Document) -> Option<(Name, Name)> {
        let names = self.required(document.names.as_ref(), &START, "`[names]`")?;
        let mut read = |one: Option<&Spanned<schema::InTwoLanguages>>, what: &str| {
            let name = self.required(one, &names.span(), what)?;
            self.not_empty(&name.get_ref().en, &name.span(), "`en`");
            self.not_empty(&name.get_ref().zh, &name.span(), "`zh`");
            Some(Name { en: name.get_ref().en.clone(), zh: name.get_ref().zh.clone() })
        };
        let maker = read(names.get_ref().maker.as_ref(), "`maker` in English and Chinese");
        let model = read(names.get_ref().model.as_ref(), "`model` in English and Chinese");
        Some((maker?, model?))
    }

    fn rules(&mut self, document: &schema::Document) -> Option<Rules> {
        let values = self.value_maps(&document.values);
        let grades = self.grade_maps(&document.grades);
        let whole = self.whole(&document.result.whole);
        let tests: Vec<TestRule> =
            document.test.iter().filter_map(|test| self.test(test, &values, &grades, &whole)).collect();
        let mut codes: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, test) in tests.iter().enumerate() {
            codes.entry(test.code.clone()).or_default().push(index);
        }
        if document.test.is_empty() {
            self.missing(&START, "`[[test]]`: no code would be known");
        }
        let controls_open =
            document.controls.as_ref().and_then(|c| c.get_ref().recognition) == Some(Recognition::Open);
        let kinds = self.kinds(&document.kind);
        let controls = self.control_rules(&document.control);
        self.controls_are_clear(document, &controls);
        self.lost_rows_are_missed(document);
        self.guards_are_said(document);
        let nothing = schema::Run::default();
        let mut run = self.run(document.run.as_ref().map_or(&nothing, Spanned::get_ref), &controls);
        run.unsaid = self.controls_are_required(&document.control, &controls, &tests, &run);
        if document.run.as_ref().is_none_or(|run| run.get_ref().id.is_none()) {
            self.missing(&START, "`id` in `[run]`: no control would stand for any result");
        }
        let rows = self.rows(&document.row, &document.result);
        self.rows_are_reachable(document);
        let specimen = self.required(document.specimen.as_ref(), &START, "`[specimen]`");
        let specimen = specimen.map(|specimen| self.specimen(specimen));
        let status = self.required(document.status.as_ref(), &START, "`[status]`");
        let status = status.and_then(|status| self.status(status));
        let flags = self.flags_of(document);
        Some(Rules {
            reads_results: true,
            order_in: None,
            pooling: None,
            characters: self.characters(&document.characters),
            numbers: self.numbers(&document.numbers),
            times: self.times(&document.times),
            table: self.table_of(document),
            plate: document.plate.as_ref().and_then(|plate| self.plate(plate)),
            message: self.message(document.message.as_ref(), true),
            order_not_done: self.conditions(&document.order.not_done),
            order_event: self.conditions(&document.order.event),
            specimen: specimen?,
            controls_open,
            kinds,
            controls,
            run,
            lots: self.lots(&document.lot),
            status: status?,
            flags,
            rows,
            operator: self.paths(&document.result.operator),
            instrument: self.paths(&document.result.instrument),
            replicate: self.replicate(document),
            together: document.result.together.as_ref().map(|texts| self.paths(texts)),
            once: self.paths(&document.result.once),
            checks: self.checks(&document.check),
            panels: self.panels(&document.panel, &codes),
            tests,
            codes,
        })
    }

    fn flags_of(&mut self, document: &schema::Document) -> FlagRules {
        if let Some(flags) = &document.flags {
            return self.flags(flags);
        }
        self.missing_today(&START, "`[flags]`: where flags and remarks stand");
        FlagRules {
            at: vec![],
            separator: None,
            width: None,
            unknown: Consequence::Hold,
            known: HashMap::new(),
        }
    }

    /// What has neither a hierarchy nor numbers of its own says how a lost row is missed, or why that is bearable.
    fn lost_rows_are_missed(&mut self, document: &schema::Document) {
        let complete = document.plate.as_ref().is_some_and(|plate| plate.get_ref().complete);
        let uncounted =
            document.message.as_ref().is_some_and(|message| message.get_ref().uncounted.is_some());
        match self.protocol {
            Protocol::Delimited | Protocol::PkBlocks if !complete && !uncounted => {
                let what = "`complete = true` in `[plate]`, or `uncounted` in `[message]` with the reason: how a lost row is missed";
                self.missing_today(&START, what);
            }
            Protocol::Delimited | Protocol::PkBlocks | Protocol::Lis02 | Protocol::Hl7v2 => {}
        }
    }

    /// Where a replicate is named; on a plate that is its well.
    fn replicate(&mut self, document: &schema::Document) -> Vec<crate::path::Path> {
        let well = document.plate.as_ref().and_then(|plate| plate.get_ref().well.as_ref());
        match well.filter(|_| document.result.replicate.0.is_empty()) {
            Some(well) => self.path_if(Some(well)).into_iter().collect(),
            None => self.paths(&document.result.replicate),
        }
    }

    pub(super) fn table_of(&mut self, document: &schema::Document) -> Option<super::rules::TableRules> {
        match (self.protocol, &document.table) {
            (Protocol::Delimited, None) => {
                self.missing(&START, "`[table]`: how the file is parted");
                None
            }
            (Protocol::Delimited, Some(table)) => self.table(table),
            (Protocol::Lis02 | Protocol::Hl7v2 | Protocol::PkBlocks, Some(table)) => {
                self.fault(&table.span(), "`[table]` belongs to delimited files");
                None
            }
            (Protocol::Lis02 | Protocol::Hl7v2 | Protocol::PkBlocks, None) => None,
        }
    }

    /// Whether controls are marked is never left to chance (protocols differ in six ways, and in silence).
    fn controls_are_clear(&mut self, document: &schema::Document, controls: &[ControlRule]) {
        let recognition = document.controls.as_ref().and_then(|controls| controls.get_ref().recognition);
        if document.kind.is_empty() && recognition != Some(Recognition::Open) {
            self.missing(&START, "`[[kind]]`: whose material a result is about");
        }
        let kind_of_control = document.kind.iter().any(|k| k.get_ref().is == SpecimenKind::Control);
        let Some(written) = self.required(document.controls.as_ref(), &START, "`[controls]`: recognition")
        else {
            return;
        };
        let affirmed = written.get_ref().affirmed.as_ref().filter(|text| !text.get_ref().trim().is_empty());
        match (written.get_ref().recognition, affirmed) {
            (None, _) => self.missing(&written.span(), "`recognition`: \"rules\" or \"none\""),
            (Some(Recognition::Open), _) => {
                let what = "how controls are told from donors is open, and every result is held for it: \
                            `[[kind]]` and `[[control]]` with recognition = \"rules\", or \"none\" with `affirmed`";
                self.open(&written.span(), what);
            }
            (Some(Recognition::None), None) => {
                self.missing(&written.span(), "`affirmed`: who says, and why, that no control is ever sent");
            }
            (Some(Recognition::None), Some(_)) if kind_of_control || !controls.is_empty() => {
                self.fault(&written.span(), "recognition is \"none\", yet there are rules for controls");
            }
            (Some(Recognition::Rules), _) if !kind_of_control || controls.is_empty() => {
                let what = "`[[kind]]` with is = \"control\" and a `[[control]]` for each, or recognition = \"none\"";
                self.missing(&written.span(), what);
            }
            (Some(Recognition::Rules | Recognition::None), _) => {}
        }
    }

    fn maps_are_used(&mut self, document: &schema::Document) {
        let used = |pick: fn(&schema::Test) -> Option<&schema::Text>| -> HashSet<&str> {
            document.test.iter().filter_map(|t| pick(t.get_ref())).map(|n| n.get_ref().as_str()).collect()
        };
        let (values, grades) = (used(|t| t.values.as_ref()), used(|t| t.grades.as_ref()));
        for (maps, used) in [(&document.values, values), (&document.grades, grades)] {
            for name in maps.keys().filter(|name| !used.contains(name.get_ref().as_str())) {
                self.fault(&name.span(), format!("no test uses the map {:?}", name.get_ref()));
            }
        }
    }

    fn rows_are_reachable(&mut self, document: &schema::Document) {
        let mut taken: BTreeSet<Option<&str>> = BTreeSet::new();
        for row in &document.row {
            let record = row.get_ref().record.as_ref().map(|record| record.get_ref().as_str());
            if taken.contains(&record) {
                self.fault(&row.span(), "never reached: a row before it has no `when` and takes everything");
            }
            if row.get_ref().when.is_empty() {
                taken.insert(record);
            }
        }
    }

    fn evidence(&mut self, document: &schema::Document) -> Evidence {
        let Some(written) = self.required(document.evidence.as_ref(), &START, "`[evidence]`") else {
            return Evidence::default();
        };
        let written_sources = written.get_ref().sources.iter();
        let sources: Vec<Source> = written_sources.map(|(key, source)| self.source(key, source)).collect();
        let mut claims = Vec::new();
        for test in &document.test {
            claims.extend(self.claim_of_test(test, &sources));
        }
        for test in &document.orderable {
            claims.extend(self.claim_of_orderable(test, &sources));
        }
        for fact in &written.get_ref().fact {
            let fact = fact.get_ref();
            let of = fact.at.to_strings().join(", ");
            claims.extend(self.claim(of, fact.says.clone(), &fact.source, fact.level, &sources));
        }
        let guessed = claims.iter().any(|claim| claim.level == Level::Inferred);
        if guessed && written.get_ref().not_verified.is_empty() {
            self.missing(&written.span(), "`not_verified`: something is inferred, so a site has to check it");
        }
        let mut not_verified = written.get_ref().not_verified.clone();
        let message = document.message.as_ref().map(Spanned::get_ref);
        not_verified.extend(message.and_then(|m| m.uncounted.as_ref()).map(|why| why.get_ref().clone()));
        Evidence { sources, claims, not_verified }
    }

    fn source(&mut self, key: &schema::Text, source: &schema::Source) -> Source {
        let title = self.required(source.title.as_ref(), &key.span(), "`title`: the document's own name");
        let title = title.map_or_else(String::new, |title| title.get_ref().clone());
        let level =
            self.required(source.level.as_ref(), &key.span(), "`level`: documented, trace or inferred");
        Source { key: key.get_ref().clone(), title, level: *level.unwrap_or(&Level::Documented) }
    }

    fn claim_of_test(&mut self, written: &Spanned<schema::Test>, sources: &[Source]) -> Option<Claim> {
        let test = written.get_ref();
        let code = test.code.as_ref()?.get_ref();
        let source =
            self.required(test.source.as_ref(), &written.span(), "`source`: where this code is from")?;
        let plain = |text: &Option<schema::Text>| text.as_ref().map(|text| text.get_ref().clone());
        let says = plain(&test.aside).or_else(|| plain(&test.assay)).unwrap_or_default();
        self.claim(format!("test {code}"), says, source, test.level, sources)
    }

    pub(super) fn claim(
        &mut self,
        of: String,
        says: String,
        source: &schema::Text,
        level: Option<Level>,
        sources: &[Source],
    ) -> Option<Claim> {
        let Some(known) = sources.iter().find(|known| known.key == *source.get_ref()) else {
            let names = sources.iter().map(|known| known.key.as_str());
            self.faults.unknown(&source.span(), "source", source.get_ref(), names);
            return None;
        };
        let level = level.unwrap_or(known.level);
        if level < known.level {
            self.fault(&source.span(), "a claim cannot be better than its source");
        }
        Some(Claim { of, says, source: known.key.clone(), level })
    }
}

impl Rules {
    /// What one test reads from its rows: only what it has a map or a unit for.
    pub(crate) fn reads(test: &super::rules::Measured, slot: Slot) -> bool {
        match slot {
            Slot::Interpretation | Slot::Confirmation => test.values.is_some(),
            Slot::Grade => test.grades.is_some(),
            Slot::Number => test.unit_is.is_some() || !test.units.is_empty(),
            Slot::Od | Slot::Cutoff => true,
        }
    }
}
