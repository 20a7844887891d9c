//! One message: is it from whom it should be, which rows are results, which belong together, what is missing.

use super::{
    Coverage, Examined, Fate, Interpretation,
    case::Case,
    coverage::{row_name, test_name},
    findings::Findings,
    look::Look,
};
use crate::{
    OrderWish,
    message::{Cursor, Document},
    path::Path,
    profile::{
        Profile, own_record,
        rules::{Condition, RowRule, TestBody, TestRule},
    },
    schema::Sequence,
};
use std::collections::{HashMap, HashSet};
use vocabulary::{Consequence, Observation, Pooling, Protocol};

/// A message while it is looked through.
pub(crate) struct Examination<'m> {
    pub(super) profile: &'m Profile,
    pub(super) look: Look<'m>,
    pub(super) findings: Findings<'m>,
    pub(super) coverage: Coverage,
    pub(super) observations: Vec<Observation>,
    /// Result rows and where they ended, in the order of the message.
    pub(super) rows: Vec<RowOf<'m>>,
    fates: Vec<Option<Fate>>,
    /// Order record → the observations made from its rows.
    pub(super) made: HashMap<usize, Vec<usize>>,
}

/// A result row and the rule that reads it.
#[derive(Clone, Copy)]
pub(super) struct RowOf<'m> {
    pub(super) node: usize,
    pub(super) rule: Option<&'m RowRule>,
}

/// Rows that are one result.
struct Group<'m> {
    code: String,
    /// Places in `Examination::rows`.
    rows: Vec<usize>,
    lead: RowOf<'m>,
    /// Why nothing of it is read, and the word for that.
    aside: Option<(&'static str, &'m str)>,
}

/// Rows, or the test that they name, that a profile knows and does not read.
const ROW_ASIDE: &str = "row_set_aside";
const TEST_ASIDE: &str = "test_set_aside";

impl<'m> Examination<'m> {
    pub(crate) fn new(
        profile: &'m Profile,
        document: &'m Document<'m>,
        findings: Findings<'m>,
        coverage: Coverage,
    ) -> Self {
        Self {
            profile,
            look: Look { document, rules: &profile.rules },
            findings,
            coverage,
            observations: Vec::new(),
            rows: Vec::new(),
            fates: Vec::new(),
            made: HashMap::new(),
        }
    }

    pub(crate) fn run(mut self) -> Examined {
        self.defects();
        self.collect_rows();
        if self.carries_results() {
            self.rows_without_a_rule();
            let held_wells = self.plates();
            let mut groups = self.groups();
            for group in &mut groups {
                self.group(group, &held_wells);
            }
            for group in &groups {
                self.set_aside(group);
            }
            self.panels();
            self.said_twice();
            self.held_below();
            self.orders_without_rows();
        }
        // Last, so that a message from the wrong sender, or one that does not end, places nothing.
        let carries_orders = self.carries_orders();
        let orders = if carries_orders { self.wishes() } else { Vec::new() };
        let poolings = self.poolings();
        Examined { carries_orders, ..self.finish(orders, poolings) }
    }

    /// What the parser found wrong, and a message that does not end.
    fn defects(&mut self) {
        let document = self.look.document;
        for defect in &document.defects {
            let strict = self.profile.rules.message.sequence == Sequence::Strict;
            let lost = strict && defect.name.starts_with("sequence_");
            let harmless = defect.harmless && !lost;
            let consequence = if harmless { Consequence::Note } else { Consequence::Quarantine };
            let place = self.findings.bytes(&defect.at);
            let place = place.trim_matches(['(', ')']).to_owned();
            self.findings.about(consequence, &defect.name, place, defect.what.clone());
        }
        if document.more_defects > 0 {
            let what = format!("{} further defects are not listed", document.more_defects);
            self.findings.about(Consequence::Quarantine, "too_many_defects", "the message".to_owned(), what);
        }
        if !document.terminated && !self.profile.rules.message.terminator_optional {
            let what =
                "the message has no proper end and may have been cut off; have it sent again".to_owned();
            self.findings.about(Consequence::Quarantine, "unterminated_message", "its end".to_owned(), what);
        }
    }

    fn collect_rows(&mut self) {
        let rules = &self.profile.rules;
        let own = own_record(self.profile.protocol());
        for (node, entry) in self.look.document.nodes.iter().enumerate() {
            let rule = rules
                .rows
                .iter()
                .find(|rule| entry.name.is(&rule.record) && self.look.holds(Cursor::at(node), &rule.when));
            if rule.is_some() || entry.name.is(own) {
                self.rows.push(RowOf { node, rule });
            }
        }
        self.fates = vec![None; self.rows.len()];
    }

    /// Checks sender and kind of every message in the text; whether its rows are to be read.
    fn carries_results(&mut self) -> bool {
        if self.profile.protocol() == Protocol::Delimited {
            return self.profile.rules.reads_results;
        }
        let look = self.look;
        // Questions, and answers to orders, are read elsewhere; that they come from the right sender is seen to here.
        let of_orders = !self.profile.asking(look).is_empty()
            || self.profile.is_order_answer(look)
            || self.carries_orders();
        let mut reads = true;
        let headers: Vec<usize> = self.headers().collect();
        for header in headers {
            reads &= self.header(Cursor::at(header), of_orders);
        }
        if !reads && !self.rows.is_empty() {
            let what = "the message should carry no results, and does";
            let at = self.findings.about(
                Consequence::Quarantine,
                "unexpected_rows",
                "the message".to_owned(),
                what.to_owned(),
            );
            self.fates.fill(Some(Fate::Finding(at)));
        }
        reads
    }

    pub(super) fn headers(&self) -> impl Iterator<Item = usize> + use<'m> {
        let document = self.look.document;
        let header = |at: &usize| {
            document.node(*at).is_some_and(|n| ["H", "MSH", "SB"].iter().any(|header| n.name.is(header)))
        };
        (0..document.nodes.len()).filter(header)
    }

    fn header(&mut self, cursor: Cursor, of_orders: bool) -> bool {
        let message = &self.profile.rules.message;
        self.expect(cursor, &message.sender, "sender_mismatch", "the sender is not the one of the profile");
        self.expect(cursor, &message.production, "not_production", "the message is not marked as production");
        if of_orders {
            return false;
        }
        if !self.profile.rules.reads_results {
            self.results_are_not_read(cursor);
            return false;
        }
        if self.look.holds(cursor, &message.results) {
            return true;
        }
        if message.silent.is_empty() || !self.look.holds(cursor, &message.silent) {
            self.expect(
                cursor,
                &message.results,
                "unexpected_message",
                "this kind of message is not known here",
            );
        }
        false
    }

    /// A dialect of orders alone: what is neither a question nor silent, nor a LIS02 sign of life, was not meant for it.
    fn results_are_not_read(&mut self, cursor: Cursor) {
        let message = &self.profile.rules.message;
        let silent = !message.silent.is_empty() && self.look.holds(cursor, &message.silent);
        let bare = self.profile.protocol() == Protocol::Lis02
            && self
                .look
                .document
                .nodes
                .iter()
                .all(|node| ["H", "L", "C", "M"].iter().any(|name| node.name.is(name)));
        if !silent && !bare {
            let what = "this profile speaks of orders only and reads no results; take one that does";
            let place = self.place_of_row(cursor.node);
            self.findings.about(Consequence::Quarantine, "results_not_read", place, what.to_owned());
        }
    }

    fn expect(&mut self, cursor: Cursor, conditions: &[Condition], name: &str, what: &str) {
        for condition in conditions {
            if !self.look.holds(cursor, std::slice::from_ref(condition)) {
                let found = self.look.text(cursor, &condition.at);
                let what = format!("{what}: {found:?}; check the connection and its profile");
                let place = self.place(cursor, &condition.at);
                self.findings.about(Consequence::Quarantine, name, place, what);
            }
        }
    }

    pub(super) fn place(&self, cursor: Cursor, path: &Path) -> String {
        let (label, at) = self.look.place(cursor, path);
        format!("{label} {}", self.findings.bytes(&at))
    }

    /// As [`Self::place`], for one of several texts that stand there.
    pub(super) fn place_of_piece(&self, cursor: Cursor, path: &Path, at: &std::ops::Range<usize>) -> String {
        let (label, _) = self.look.place(cursor, path);
        // Of several remarks it is the one that the text stands in.
        let document = self.look.document;
        let nearest = path.record().and_then(|record| document.find(cursor, record));
        let mut all =
            path.record().map_or_else(Vec::new, |record| document.find_all(cursor.node, record)).into_iter();
        let holds = |node: &usize| document.node(*node).is_some_and(|n| n.record.range().contains(&at.start));
        let label = match (nearest, all.find(holds)) {
            (Some(nearest), Some(found)) if nearest != found => {
                label.replacen(&document.label(nearest), &document.label(found), 1)
            }
            (_, _) => label,
        };
        format!("{label} {}", self.findings.bytes(at))
    }

    pub(super) fn place_of_row(&self, node: usize) -> String {
        let at = self.look.document.node(node).map_or(0..0, |node| node.record.range());
        format!("{} {}", self.look.document.label(node), self.findings.bytes(&at))
    }

    fn rows_without_a_rule(&mut self) {
        for at in 0..self.rows.len() {
            let Some(row) = self.rows.get(at).copied().filter(|row| row.rule.is_none()) else { continue };
            let specimen = self.specimen_text(Cursor::at(row.node));
            let finding = vocabulary::Finding {
                finding: "unknown_row".to_owned(),
                place: self.place_of_row(row.node),
                what: "no rule of the profile reads this row; it may hold a result".to_owned(),
                consequence: Consequence::Hold,
                specimen,
            };
            let found = self.findings.add(finding);
            self.settle(at, Fate::Finding(found));
        }
    }

    /// Rows of one order with the same test (and the same texts at the `together` places) are one result.
    fn groups(&mut self) -> Vec<Group<'m>> {
        let mut groups: Vec<Group<'m>> = Vec::new();
        let mut known: HashMap<(Option<usize>, Vec<String>), usize> = HashMap::new();
        for (at, row) in self.rows.iter().enumerate() {
            let Some(rule) = row.rule else { continue };
            self.coverage.saw(|| row_name(&rule.name));
            let cursor = Cursor::at(row.node);
            let code =
                rule.test.as_ref().map_or_else(String::new, |path| self.look.text(cursor, path).into_owned());
            let group = Group { code, rows: vec![at], lead: *row, aside: None };
            let Some(together) = &self.profile.rules.together else {
                groups.push(group);
                continue;
            };
            let texts = together.iter().map(|path| self.look.text(cursor, path).into_owned());
            let key: Vec<String> = std::iter::once(group.code.clone()).chain(texts).collect();
            let order = self.order_of(row.node);
            let next = groups.len();
            let place = *known.entry((order, key)).or_insert(next);
            if let Some(earlier) = groups.get_mut(place) {
                earlier.rows.push(at);
            } else {
                groups.push(group);
            }
        }
        groups
    }

    fn group(&mut self, group: &mut Group<'m>, held_wells: &HashSet<usize>) {
        let rows: Vec<RowOf<'m>> = group.rows.iter().filter_map(|at| self.rows.get(*at).copied()).collect();
        group.aside = all_aside(&rows).map(|why| (ROW_ASIDE, why));
        if group.aside.is_some() {
            return;
        }
        let cursor = Cursor::at(group.lead.node);
        let tests = self.tests_of(&group.code, cursor);
        if tests.is_empty() {
            let found = self.unmapped(group, cursor);
            return self.settle_all(group, Fate::Finding(found));
        }
        self.coverage.saw(|| test_name(&group.code));
        let mut fate = None;
        let (first, findings) = (self.observations.len(), self.findings.count());
        for test in &tests {
            if let TestBody::Measures(measured) = &test.body {
                let held = rows.iter().any(|row| held_wells.contains(&row.node));
                let made = Case::new(self, &rows, measured, held).run();
                fate = fate.or(made.map(|observation| self.keep(observation, group.lead.node)));
            }
        }
        if tests.len() > 1 {
            self.all_or_nothing(&rows, first, findings);
        }
        group.aside = all_tests_aside(&tests).map(|why| (TEST_ASIDE, why));
        if group.aside.is_none() {
            let fate = fate.unwrap_or_else(|| Fate::Finding(self.nothing_read(group, cursor)));
            self.settle_all(group, fate);
        }
    }

    /// A row may say several things (`A^NEG^NEG^ccee`). When one of them cannot be read, the others may stand in each
    /// other's places: none of them counts then.
    fn all_or_nothing(&mut self, rows: &[RowOf<'m>], first: usize, findings: usize) {
        let label = |row: &RowOf<'_>| self.look.document.label(row.node);
        if rows.iter().any(|row| self.findings.hold_record(findings, &label(row))) {
            for observation in self.observations.iter_mut().skip(first) {
                super::value::withhold(&mut observation.value);
            }
        }
    }

    /// A result that has rows of its own below it (the wells of a card) is as good as they are: what holds one of them holds
    /// it.
    fn held_below(&mut self) {
        let own = own_record(self.profile.protocol());
        if !self.profile.rules.rows.iter().any(|row| row.record != own && row.aside.is_none()) {
            return;
        }
        for observation in &mut self.observations {
            if observation.source.record.split(',').any(|label| self.findings.hold_record(0, label)) {
                super::value::withhold(&mut observation.value);
            }
        }
    }

    /// Rows and tests that give nothing to a value go with the first result of their order; where there is none, they are
    /// named in a note.
    fn set_aside(&mut self, group: &Group<'m>) {
        let Some((finding, why)) = group.aside else { return };
        let row = group.lead.rule.map_or("", |rule| rule.name.as_str());
        let name = if finding == ROW_ASIDE { row } else { group.code.as_str() };
        let order = self.order_of(group.lead.node);
        let first = order.and_then(|order| self.made.get(&order)?.first().copied());
        if let Some(at) = first
            && let Some(observation) = self.observations.get_mut(at)
        {
            for row in group.rows.iter().filter_map(|at| self.rows.get(*at)) {
                observation.source.record.push(',');
                observation.source.record.push_str(&self.look.document.label(row.node));
            }
            return self.settle_all(group, Fate::Observation(at));
        }
        let found = self.aside(finding, name, why);
        self.settle_all(group, Fate::Finding(found));
    }

    fn keep(&mut self, observation: Observation, node: usize) -> Fate {
        let at = self.observations.len();
        self.observations.push(observation);
        if let Some(order) = self.order_of(node) {
            self.made.entry(order).or_default().push(at);
        }
        Fate::Observation(at)
    }

    /// The order that a row belongs to, also where the row is attached to another one; else what stands above it.
    pub(super) fn order_of(&self, node: usize) -> Option<usize> {
        let document = self.look.document;
        let parent = document.node(node)?.parent;
        let mut above = std::iter::successors(parent, |at| document.node(*at)?.parent);
        let is_order = |at: &usize| document.node(*at).is_some_and(|n| n.name.is("O") || n.name.is("OBR"));
        above.find(is_order).or(parent)
    }

    fn tests_of(&self, code: &str, cursor: Cursor) -> Vec<&'m TestRule> {
        let rules = &self.profile.rules;
        let places = rules.codes.get(code).map_or(&[][..], Vec::as_slice);
        let named = places.iter().filter_map(|at| rules.tests.get(*at));
        named.filter(|test| self.look.holds(cursor, &test.when)).collect()
    }

    fn unmapped(&mut self, group: &Group<'m>, cursor: Cursor) -> usize {
        let place = match group.lead.rule.and_then(|rule| rule.test.as_ref()) {
            Some(path) => self.place(cursor, path),
            None => self.place_of_row(group.lead.node),
        };
        let known = self.profile.rules.codes.contains_key(&group.code);
        let what = if known {
            format!("the code {:?} is known, but not as it stands here; map it in the profile", group.code)
        } else {
            format!(
                "the profile does not know the test {:?}; map it, or set it aside with a reason",
                group.code
            )
        };
        let specimen = self.specimen_text(cursor);
        self.findings.add(vocabulary::Finding {
            finding: "unmapped_test".to_owned(),
            place,
            what,
            consequence: Consequence::Hold,
            specimen,
        })
    }

    fn nothing_read(&mut self, group: &Group<'m>, cursor: Cursor) -> usize {
        let finding = vocabulary::Finding {
            finding: "empty_value".to_owned(),
            place: self.place_of_row(group.lead.node),
            what: format!("the row for {:?} holds no value", group.code),
            consequence: Consequence::Note,
            specimen: self.specimen_text(cursor),
        };
        self.findings.add(finding)
    }

    fn aside(&mut self, finding: &str, name: &str, why: &str) -> usize {
        self.findings.about(
            Consequence::Note,
            finding,
            name.to_owned(),
            format!("not read, as the profile says: {why}"),
        )
    }

    fn settle(&mut self, at: usize, fate: Fate) {
        if let Some(slot) = self.fates.get_mut(at) {
            *slot = slot.or(Some(fate));
        }
    }

    fn settle_all(&mut self, group: &Group<'m>, fate: Fate) {
        for at in &group.rows {
            self.settle(*at, fate);
        }
    }

    fn finish(mut self, orders: Vec<OrderWish>, poolings: Vec<Pooling>) -> Examined {
        if self.findings.quarantines() {
            for observation in &mut self.observations {
                super::value::withhold(&mut observation.value);
            }
        }
        let fates = self.fates.into_iter().flatten().collect();
        let interpretation = Interpretation {
            observations: self.observations,
            findings: self.findings.finish(),
            orders,
            poolings,
        };
        let answers_order = self.profile.is_order_answer(self.look);
        Examined { interpretation, fates, coverage: self.coverage, answers_order, carries_orders: false }
    }
}

/// Why no row of a group is read, if none is.
fn all_aside<'m>(rows: &[RowOf<'m>]) -> Option<&'m str> {
    let why = |row: &RowOf<'m>| row.rule?.aside.as_deref();
    if rows.iter().all(|row| why(row).is_some()) { rows.iter().find_map(why) } else { None }
}

/// Why a code is not read, if it is known and never is.
fn all_tests_aside<'m>(tests: &[&'m TestRule]) -> Option<&'m str> {
    let why = |test: &&'m TestRule| match &test.body {
        TestBody::Aside(why) => Some(why.as_str()),
        TestBody::Measures(_) => None,
    };
    if tests.iter().all(|test| why(test).is_some()) { tests.iter().find_map(why) } else { None }
}
