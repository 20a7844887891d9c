//! Checks the parts about orders: the question, the answers, what is sent, and the templates that write it.

use super::builder::Builder;
use crate::{
    evidence::{Claim, Source},
    fault::{Fault, nearest},
    orders::{
        AnswerRule, AnswerRules, Delimiters, OrderOutRules, OrderRules, Orderable, QueryRules, ReplyRules,
        StepRules, TakenRules, Templates, Writing, try_templates,
    },
    profile::rules::{TestBody, TestRule},
    schema::{self, Awaits, Each, Text},
};
use character_sets::CharacterSet;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
};
use toml::Spanned;
use vocabulary::{Priority, Protocol, Sex};

const START: Range<usize> = 0..0;

impl Builder<'_, '_> {
    /// Everything about orders; a profile without any of it has empty rules.
    pub(super) fn orders(&mut self, document: &schema::Document, tests: &[TestRule]) -> OrderRules {
        let writing = self.writing(document);
        let (templates, broken) = Templates::new(self.templates, writing.delimiters, self.protocol);
        for (file, error) in broken {
            self.template_fault(&file, error.line().unwrap_or(1), error.to_string(), None);
        }
        let query = document.query.as_ref().and_then(|query| self.query(query));
        let nothing = schema::Answers::default();
        let answers = self.answers(document.answer.as_ref().map_or(&nothing, Spanned::get_ref));
        let order_out = document.order_out.as_ref().map(|out| self.order_out(out));
        let reply = document.reply.as_ref().and_then(|reply| self.reply(reply));
        let orderables = self.orderables(document, tests);
        self.orders_fit(document, &answers, orderables.is_empty());
        let answer = document.order_in.as_ref().and_then(|order| order.get_ref().answer.as_ref());
        let taken = answer.map(|answer| self.taken(answer));
        let rules = OrderRules { query, answers, order_out, reply, taken, writing, orderables, templates };
        if !self.faults.any() {
            for fault in try_templates(&rules, self.protocol, self.templates) {
                self.template_fault(&fault.file, fault.line, fault.what, fault.nearest);
            }
        }
        rules
    }

    fn template_fault(&mut self, file: &str, line: usize, what: String, nearest: Option<String>) {
        let file = self.faults.beside(&format!("{}/{file}", crate::orders::ORDERS_FOLDER));
        self.faults.found(Fault { file, line, column: 1, what, nearest });
    }

    /// The sections need each other.
    fn orders_fit(&mut self, document: &schema::Document, answers: &AnswerRules, nothing_orderable: bool) {
        let never = document.query.as_ref().and_then(|query| query.get_ref().nothing_ordered.as_ref());
        if let Some(never) = never {
            self.nothing_is_ordered(document, never);
        }
        if let Some(query) = &document.query {
            let found_missing = answers.found.is_none() && never.is_none();
            for (name, missing) in [("found", found_missing), ("nothing", answers.nothing.is_none())] {
                if missing {
                    let what = format!(
                        "`[answer.{name}]`: what the analyser gets then; an empty section is silence"
                    );
                    self.missing(&query.span(), &what);
                }
            }
        }
        if let (Some(answer), None) = (&document.answer, &document.query) {
            self.fault(&answer.span(), "`[answer]` without `[query]`: nothing would ever be answered");
        }
        let sends = document.query.is_some() || document.order_out.is_some();
        if sends && nothing_orderable && never.is_none() {
            self.missing(&START, "`[[orderable]]`: no test could be ordered");
        }
        if let (true, Protocol::Delimited | Protocol::PkBlocks) = (sends, self.protocol) {
            self.fault(&START, "files and PK sessions carry no questions and no orders");
        }
        let awaited = |awaits: Option<Awaits>| awaits.unwrap_or(self.awaits()) == Awaits::Answer;
        let out = document.order_out.as_ref().is_some_and(|out| awaited(out.get_ref().awaits));
        let answered =
            answers.each().any(|(_, rule)| rule.message.is_some() && rule.awaits == Awaits::Answer);
        if (out || answered) && document.reply.is_none() {
            self.missing(&START, "`[reply]`: what the analyser's answer to an order means");
        }
    }

    /// What cannot stand beside `nothing_ordered`.
    fn nothing_is_ordered(&mut self, document: &schema::Document, never: &Text) {
        self.not_empty(never.get_ref(), &never.span(), "`nothing_ordered`");
        let found = document.answer.as_ref().and_then(|answer| answer.get_ref().found.as_ref());
        let beside = [
            ("`[answer.found]`", found.map(Spanned::span)),
            ("`[order_out]`", document.order_out.as_ref().map(Spanned::span)),
            ("`[[orderable]]`", document.orderable.first().map(Spanned::span)),
        ];
        for (name, at) in beside {
            if let Some(at) = at {
                self.fault(
                    &at,
                    format!("{name} beside `nothing_ordered`, which says that nothing is ever ordered"),
                );
            }
        }
    }

    fn query(&mut self, written: &Spanned<schema::Query>) -> Option<QueryRules> {
        let (span, query) = (written.span(), written.get_ref());
        let record = match (&query.record, self.protocol) {
            (Some(name), _) => self.record_name(name),
            (None, Protocol::Lis02) => Some("Q".to_owned()),
            (None, Protocol::Hl7v2 | Protocol::Delimited | Protocol::PkBlocks) => {
                self.missing(&span, "`record`: QPD or QRD, the segment that asks");
                None
            }
        };
        if query.specimens.iter().next().is_none() && query.all.is_empty() {
            self.missing(&span, "`specimens`: the places of the ids that are asked for");
        }
        Some(QueryRules {
            when: self.conditions_of(&query.when, &span),
            specimens: self.paths(&query.specimens),
            all: self.conditions(&query.all),
            cancel: self.conditions(&query.cancel),
            trim_end: query.trim_end,
            tests: self.path_if(query.tests.as_ref()),
            all_tests: query.all_tests.to_strings(),
            carrier: self.path_if(query.carrier.as_ref()),
            position: self.path_if(query.position.as_ref()),
            tag: self.path_if(query.tag.as_ref()),
            id: self.path_if(query.id.as_ref()),
            record: record?,
        })
    }

    fn record_name(&mut self, name: &Text) -> Option<String> {
        let found = crate::path::RecordPath::parse(name.get_ref(), self.protocol);
        if found.as_ref().is_none_or(|path| path.only.is_some()) {
            self.fault(&name.span(), "no record: Q, O … in LIS02, QPD, QRD, OBR … in HL7");
        }
        found.map(|path| path.name)
    }

    fn awaits(&self) -> Awaits {
        match self.protocol {
            Protocol::Hl7v2 => Awaits::Answer,
            Protocol::Lis02 | Protocol::Delimited | Protocol::PkBlocks => Awaits::Link,
        }
    }

    fn answers(&mut self, written: &schema::Answers) -> AnswerRules {
        let mut one =
            |answer: &Option<Spanned<schema::Answer>>| answer.as_ref().map(|answer| self.answer(answer));
        AnswerRules {
            found: one(&written.found),
            nothing: one(&written.nothing),
            refused: one(&written.refused),
            failed: one(&written.failed),
            cancelled: one(&written.cancelled),
        }
    }

    fn answer(&mut self, written: &Spanned<schema::Answer>) -> AnswerRule {
        let answer = written.get_ref();
        if let (Some(direct), Protocol::Lis02) = (&answer.direct, self.protocol) {
            let what =
                "LIS01 acknowledges frames, so nothing can take an acknowledgement's place; use `message`";
            self.fault(&direct.span(), what);
        }
        AnswerRule {
            direct: self.template_of(answer.direct.as_ref()),
            message: self.template_of(answer.message.as_ref()),
            each: answer.each.unwrap_or(Each::Query),
            awaits: self.awaits_given(answer.awaits, &written.span()),
        }
    }

    fn taken(&mut self, written: &Spanned<schema::OrderInAnswer>) -> TakenRules {
        let answer = written.get_ref();
        let unfit = match self.protocol {
            Protocol::Lis02 => answer.direct.as_ref().map(|at| {
                (at, "LIS01 acknowledges frames, so nothing can take an acknowledgement's place; use `refused`")
            }),
            Protocol::Hl7v2 => {
                answer.refused.as_ref().map(|at| (at, "HL7 answers in the acknowledgement's place; use `direct`"))
            }
            Protocol::Delimited | Protocol::PkBlocks => {
                self.fault(&written.span(), "whoever writes files is not answered");
                None
            }
        };
        if let Some((at, what)) = unfit {
            self.fault(&at.span(), what);
        }
        if answer.direct.is_none() && answer.refused.is_none() {
            self.missing(&written.span(), "`direct` (HL7) or `refused` (LIS02): the template of the answer");
        }
        TakenRules {
            direct: self.template_of(answer.direct.as_ref()),
            refused: self.template_of(answer.refused.as_ref()),
        }
    }

    fn awaits_given(&mut self, given: Option<Awaits>, at: &Range<usize>) -> Awaits {
        if given == Some(Awaits::Answer) && self.protocol != Protocol::Hl7v2 {
            self.fault(at, "LIS02 has no answer to a message; it is done with when its frames are accepted");
        }
        given.unwrap_or(self.awaits())
    }

    fn template_of(&mut self, name: Option<&Text>) -> Option<String> {
        let name = name?;
        if !self.templates.contains_key(name.get_ref()) {
            let known = self.templates.keys().map(String::as_str);
            let near = nearest(name.get_ref(), known);
            let what = format!("there is no template {:?} in the folder orders", name.get_ref());
            self.faults.push(&name.span(), what, near);
        }
        Some(name.get_ref().clone())
    }

    fn order_out(&mut self, written: &Spanned<schema::OrderOut>) -> OrderOutRules {
        let out = written.get_ref();
        if out.place.is_none() && (out.cancel.is_none() || out.unasked == Some(true)) {
            self.missing(&written.span(), "`place`: the template of a new order");
        }
        OrderOutRules {
            unasked: out.unasked.unwrap_or(out.place.is_some()),
            place: self.template_of(out.place.as_ref()),
            cancel: self.template_of(out.cancel.as_ref()),
            awaits: self.awaits_given(out.awaits, &written.span()),
        }
    }

    fn reply(&mut self, written: &Spanned<schema::Reply>) -> Option<ReplyRules> {
        let (span, reply) = (written.span(), written.get_ref());
        let code =
            self.required(reply.code.as_ref(), &span, "`code`: where it says whether it took the message");
        if reply.accepted.iter().next().is_none() {
            self.missing(&span, "`accepted`: the texts that mean yes");
        }
        let code = code.and_then(|code| self.path(code));
        Some(ReplyRules {
            when: self.conditions_of(&reply.when, &span),
            accepted: reply.accepted.to_strings(),
            text: self.paths(&reply.text),
            step: self.step_rules(reply, &span),
            code: code?,
        })
    }

    fn step_rules(&mut self, reply: &schema::Reply, span: &Range<usize>) -> Option<StepRules> {
        let step = reply.step.as_ref()?;
        if reply.status.iter().next().is_none() || reply.steps.is_empty() {
            self.missing(span, "`status` and `[reply.steps]`: what is said of a step, and what that means");
        }
        let path = self.path(step)?;
        let crate::path::Path::Field(field) = &path else {
            self.fault(&step.span(), "a step has a place in a record, such as OBR-2");
            return None;
        };
        let meanings = reply.steps.iter().map(|(text, meaning)| (text.get_ref().clone(), *meaning));
        Some(StepRules {
            record: field.record.name.clone(),
            status: self.paths(&reply.status),
            meanings: meanings.collect(),
            step: path,
        })
    }

    fn writing(&mut self, document: &schema::Document) -> Writing {
        let nothing = schema::Writing::default();
        let written = document.writing.as_ref().map_or(&nothing, Spanned::get_ref);
        let standard = Delimiters::standard(self.protocol);
        let delimiters = written.delimiters.as_ref().map_or(standard, |text| {
            Delimiters::parse(text.get_ref(), self.protocol).unwrap_or_else(|what| {
                self.fault(&text.span(), what);
                standard
            })
        });
        let characters = &document.characters;
        let named =
            written.characters.as_ref().or(characters.always.as_ref()).or(characters.fallback.as_ref());
        let set = named.and_then(|name| self.character_set(name)).unwrap_or(CharacterSet::Utf8);
        Writing {
            delimiters,
            characters: set,
            priority: self.words(
                &written.priority,
                "priority",
                &[("routine", Priority::Routine), ("stat", Priority::Stat)],
            ),
            sex: self.words(
                &written.sex,
                "sex",
                &[("male", Sex::Male), ("female", Sex::Female), ("other", Sex::Other)],
            ),
            specimen_types: plain(&written.specimen_types).into_iter().collect(),
        }
    }

    fn words<T: Copy + Eq + std::hash::Hash>(
        &mut self,
        written: &BTreeMap<Text, String>,
        kind: &str,
        known: &[(&str, T)],
    ) -> HashMap<T, String> {
        let mut words = HashMap::new();
        for (ours, theirs) in written {
            words.extend(self.one_of(ours, kind, known).map(|ours| (ours, theirs.clone())));
        }
        words
    }

    /// The tests that can be ordered: those declared, or every code that is a whole assay.
    fn orderables(&mut self, document: &schema::Document, tests: &[TestRule]) -> Vec<Orderable> {
        if document.query.as_ref().is_some_and(|query| query.get_ref().nothing_ordered.is_some()) {
            return Vec::new();
        }
        let measured: BTreeSet<&str> = tests.iter().filter_map(assay_of).collect();
        if document.orderable.is_empty() {
            return of_tests(tests);
        }
        let mut codes: BTreeSet<&str> = BTreeSet::new();
        let mut found = Vec::new();
        for written in &document.orderable {
            let test = written.get_ref();
            let code =
                self.required(test.code.as_ref(), &written.span(), "`code`: what the test is ordered under");
            let Some(code) = code else { continue };
            if !codes.insert(code.get_ref()) {
                self.fault(&code.span(), format!("the code {:?} is there twice", code.get_ref()));
            }
            if test.assays.iter().next().is_none() {
                self.missing(&written.span(), "`assays`: what the test measures");
            }
            for assay in test.assays.iter().filter(|_| !measured.is_empty()) {
                if !measured.contains(assay.get_ref().as_str()) {
                    let known = measured.iter().copied();
                    self.faults.unknown(&assay.span(), "assay", assay.get_ref(), known);
                }
            }
            let with = plain(&test.with);
            found.push(Orderable { code: code.get_ref().clone(), assays: test.assays.to_strings(), with });
        }
        found
    }

    pub(super) fn claim_of_orderable(
        &mut self,
        written: &Spanned<schema::Orderable>,
        sources: &[Source],
    ) -> Option<Claim> {
        let test = written.get_ref();
        let code = test.code.as_ref()?.get_ref();
        let source =
            self.required(test.source.as_ref(), &written.span(), "`source`: where this code is from")?;
        let says = format!("ordered: {}", test.assays.to_strings().join(", "));
        self.claim(format!("test {code}"), says, source, test.level, sources)
    }
}

fn plain(written: &BTreeMap<Text, String>) -> BTreeMap<String, String> {
    written.iter().map(|(name, value)| (name.get_ref().clone(), value.clone())).collect()
}

fn assay_of(test: &TestRule) -> Option<&str> {
    match &test.body {
        TestBody::Measures(measured) => Some(&measured.assay),
        TestBody::Aside(_) => None,
    }
}

fn of_tests(tests: &[TestRule]) -> Vec<Orderable> {
    let mut found: Vec<Orderable> = Vec::new();
    for (test, assay) in tests.iter().filter_map(|test| Some((test, assay_of(test)?))) {
        match found.iter_mut().find(|known| known.code == test.code) {
            Some(known) => known.assays.push(assay.to_owned()),
            None => found.push(Orderable {
                code: test.code.clone(),
                assays: vec![assay.to_owned()],
                with: BTreeMap::new(),
            }),
        }
    }
    found
}
