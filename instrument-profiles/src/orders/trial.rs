//! Every template is tried when a profile is read, on orders that have everything and on orders that have little: what
//! is wrong with it is a fault of the profile with its line, and not a surprise at night.

use super::{
    context::{BELOW, Kind, Scene, SceneError, TOP},
    delimiters::Delimiters,
    question::{AskedSpecimen, Query, QueryKind},
    rules::OrderRules,
    taken::{JudgedOrder, NotTaken, Taken},
    templates::words,
    write::{ForSpecimen, Host, OrderPart, Outcome, Stamp, whole},
};
use crate::{
    fault::nearest,
    message::Cursor,
    schema::{Awaits, Each},
    wish::{OrderWish, WishAction},
};
use character_sets::CharacterSet;
use jiff::civil::{Date, DateTime, date};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{Order, OrderAction, OrderDonor, OrderId, Priority, Protocol, Sex, SpecimenId};

/// What is wrong with a template.
pub(crate) struct TrialFault {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) what: String,
    pub(crate) nearest: Option<String>,
}

const NOW: DateTime = date(2026, 3, 2).at(14, 20, 0, 0);
const BORN: Date = date(1990, 1, 2);
const ASKED: &str = "4711";
const OURS: &str = "HG000001";

/// Tries every template that the rules name; `texts` are the templates by file.
pub(crate) fn try_templates(
    rules: &OrderRules,
    protocol: Protocol,
    texts: &BTreeMap<String, String>,
) -> Vec<TrialFault> {
    let mut trial = Trial { rules, protocol, texts, faults: Vec::new() };
    let used = trial.names();
    if trial.faults.is_empty() {
        for full in [true, false] {
            trial.answers(full);
            trial.orders(full);
        }
        trial.taken();
    }
    trial.unused(&used);
    let mut faults = trial.faults;
    faults.sort_by(|a, b| (&a.file, a.line, &a.what).cmp(&(&b.file, b.line, &b.what)));
    faults.dedup_by(|a, b| (&a.file, a.line, &a.what) == (&b.file, b.line, &b.what));
    faults
}

struct Trial<'a> {
    rules: &'a OrderRules,
    protocol: Protocol,
    texts: &'a BTreeMap<String, String>,
    faults: Vec<TrialFault>,
}

/// A message's part in the exchange.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Names the question in MSA-2.
    Direct,
    /// Is answered by its own MSH-10.
    Awaited,
    Message,
}

impl Trial<'_> {
    /// Every template that is named, checked for names that nobody gives it.
    fn names(&mut self) -> BTreeSet<String> {
        let answers = self.rules.answers.each().flat_map(|(_, rule)| [&rule.direct, &rule.message]);
        let out = self.rules.order_out.iter().flat_map(|out| [&out.place, &out.cancel]);
        let taken = self.rules.taken.iter().flat_map(|taken| [&taken.direct, &taken.refused]);
        let used: BTreeSet<String> = answers.chain(out).chain(taken).flatten().cloned().collect();
        for file in used.iter().filter(|file| self.rules.templates.has(file)) {
            for name in self.rules.templates.undeclared(file) {
                if !TOP.contains(&name.as_str()) {
                    let text = self.texts.get(file).map_or("", String::as_str);
                    let line = text.lines().position(|line| word_in(line, &name)).map_or(1, |at| at + 1);
                    let nearest = nearest(&name, TOP);
                    let what = format!("unknown name {name:?}");
                    self.faults.push(TrialFault { file: file.clone(), line, what, nearest });
                }
            }
        }
        used
    }

    fn unused(&mut self, used: &BTreeSet<String>) {
        for file in self.texts.keys().filter(|file| !used.contains(*file)) {
            if !self.texts.iter().any(|(other, text)| other != file && text.contains(file.as_str())) {
                let what = "no answer and no order uses this template".to_owned();
                self.faults.push(TrialFault { file: file.clone(), line: 1, what, nearest: None });
            }
        }
    }

    fn answers(&mut self, full: bool) {
        let query = query(full, self.rules.writing.characters);
        let orders = [self.order(1, full), self.order(2, full)];
        let assays = self.assays();
        let parts = |order| vec![OrderPart { order, assays: &assays }];
        let specimens: Vec<ForSpecimen<'_>> = orders
            .iter()
            .enumerate()
            .map(|(at, order)| ForSpecimen { asked: Some(at), parts: parts(order) })
            .collect();
        let nothing = [(0, true), (1, false)];
        for (name, rule) in self.rules.answers.each() {
            let outcome = match name {
                "found" => Outcome::Found { specimens: &specimens, nothing: &nothing },
                "nothing" => Outcome::Nothing(&nothing),
                "refused" => Outcome::Refused("it names no specimen"),
                "failed" => Outcome::Failed("the ledger cannot be read"),
                _ => Outcome::Cancelled,
            };
            let all = if name == "found" { specimens.as_slice() } else { &[] };
            let each = if rule.each == Each::Specimen { all.get(..1).unwrap_or_default() } else { all };
            let kind = Kind::Answer(&outcome);
            let part = if rule.awaits == Awaits::Answer { Part::Awaited } else { Part::Message };
            for (file, specimens, part) in [(&rule.direct, all, Part::Direct), (&rule.message, each, part)] {
                if let Some(file) = file {
                    self.try_one(file, (Some(&query), kind, specimens), part);
                }
            }
        }
    }

    fn orders(&mut self, full: bool) {
        let Some(out) = &self.rules.order_out else { return };
        let order = self.order(1, full);
        let assays = self.assays();
        let specimen = ForSpecimen { asked: None, parts: vec![OrderPart { order: &order, assays: &assays }] };
        let part = if out.awaits == Awaits::Answer { Part::Awaited } else { Part::Message };
        for (file, action) in [(&out.place, OrderAction::Place), (&out.cancel, OrderAction::Cancel)] {
            if let Some(file) = file {
                self.try_one(file, (None, Kind::Order(action), std::slice::from_ref(&specimen)), part);
            }
        }
    }

    fn taken(&mut self) {
        let Some(rules) = &self.rules.taken else { return };
        let query = query(true, self.rules.writing.characters);
        let fault = NotTaken { code: "204", why: "there is no order L2" };
        let wish = |id: &str, action, word: &str| OrderWish {
            id: id.to_owned(),
            specimen: "G123426000001".to_owned(),
            action,
            word: word.to_owned(),
            ..OrderWish::default()
        };
        let wishes = [wish("L1", WishAction::Place, "NW"), wish("L2", WishAction::Cancel, "CA")];
        let judged = |refused| wishes.iter().map(move |order| JudgedOrder { order, refused }).collect();
        let (all, none): (Vec<JudgedOrder<'_>>, Vec<JudgedOrder<'_>>) = (judged(None), judged(Some(fault)));
        let cases =
            [Taken::Judged(&all), Taken::Judged(&none), Taken::Refused(fault), Taken::Failed("not in time")];
        for taken in &cases {
            let refused = rules.refused.as_ref().filter(|_| taken.fault().is_some());
            for (file, part) in [(rules.direct.as_ref(), Part::Direct), (refused, Part::Message)] {
                if let Some(file) = file {
                    self.try_one(file, (Some(&query), Kind::Taken(taken), &[]), part);
                }
            }
        }
    }

    fn try_one(
        &mut self,
        file: &str,
        (query, kind, specimens): (Option<&Query>, Kind<'_>, &[ForSpecimen<'_>]),
        part: Part,
    ) {
        let host = Host { name: "HOST", facility: "SITE" };
        let stamp = Stamp { now: NOW, utc_offset: "+0800", host, control_id: &|| OURS.to_owned() };
        let scene = Scene { rules: self.rules, query, kind, specimens, more: false, stamp: &stamp };
        let fault = match self.rules.templates.render(file, &scene) {
            Ok(text) => match self.check(&text, part) {
                Ok(()) => return,
                Err(what) => TrialFault { file: file.to_owned(), line: 1, what, nearest: None },
            },
            Err(SceneError::Template(error)) => self.explained(file, &error),
            Err(SceneError::SpecimenType { specimen_type, .. }) => TrialFault {
                file: file.to_owned(),
                line: 1,
                what: format!("no word for the specimen type {specimen_type:?}"),
                nearest: None,
            },
        };
        self.faults.push(fault);
    }

    fn explained(&self, file: &str, error: &minijinja::Error) -> TrialFault {
        let file = error.name().unwrap_or(file).to_owned();
        let line = error.line().unwrap_or(1);
        let text =
            self.texts.get(&file).and_then(|text| text.lines().nth(line.saturating_sub(1))).unwrap_or("");
        let unknown = attributes(text).find(|name| !BELOW.contains(name) && !TOP.contains(name));
        let undefined = error.kind() == minijinja::ErrorKind::UndefinedError;
        match unknown.filter(|_| undefined) {
            Some(name) => TrialFault {
                what: format!("unknown name {name:?}"),
                nearest: nearest(name, BELOW),
                file,
                line,
            },
            None => TrialFault { what: words(error), nearest: None, file, line },
        }
    }

    /// Whether the text is a message with the profile's delimiters, and can be told from others.
    fn check(&self, text: &str, part: Part) -> Result<(), String> {
        whole(text, self.protocol)?;
        match self.rules.writing.delimiters {
            Delimiters::Lis02(wanted) => {
                let mut index = lis02::Index::new();
                let reading = index.read(text);
                let found = reading.messages().next().map(|message| message.delimiters());
                if found != Some(wanted) {
                    return Err("the header names other delimiters than `[writing]`".to_owned());
                }
                Ok(())
            }
            Delimiters::Hl7(wanted) => {
                let mut index = hl7v2::Index::new();
                let message = index.read(text);
                if message.delimiters() != wanted {
                    return Err("MSH names other delimiters than `[writing]`".to_owned());
                }
                let named = message.first("MSA").and_then(|msa| Some(msa.field(2)?.raw()));
                let own = message.header().map(|header| header.control_id());
                match part {
                    Part::Direct if named != Some(ASKED) => {
                        Err("it leaves in place of the acknowledgement, so MSA-2 has to be {{ asked.control_id }}".to_owned())
                    }
                    Part::Awaited if own != Some(OURS) => {
                        Err("its answer is known by MSH-10, which has to be {{ control_id }}".to_owned())
                    }
                    Part::Direct | Part::Awaited | Part::Message => Ok(()),
                }
            }
        }
    }

    fn assays(&self) -> Vec<String> {
        self.rules.orderables.iter().flat_map(|test| test.assays.iter().cloned()).collect()
    }

    fn order(&self, number: u8, full: bool) -> Order {
        let id = OrderId::new(&format!("O{number}"));
        let specimen = SpecimenId::new(&format!("G12342600000{number}"));
        // Neither can fail: both are plain short texts.
        let (Ok(id), Ok(specimen)) = (id, specimen) else { return self.order(1, full) };
        let some_type = self.rules.writing.specimen_types.keys().min().cloned();
        Order {
            id,
            specimen,
            as_given: None,
            assays: self.assays(),
            priority: if full { Priority::Stat } else { Priority::Routine },
            specimen_type: some_type.filter(|_| full),
            collected_at: full.then_some(NOW),
            only_on: None,
            donor: full.then(|| OrderDonor {
                id: Some("D1".to_owned()),
                name: Some("A|B^C&D\\E~F".to_owned()),
                born: Some(BORN),
                sex: Some(Sex::Female),
            }),
        }
    }
}

fn query(full: bool, characters: CharacterSet) -> Query {
    let some = |text: &str| full.then(|| text.to_owned());
    let asked = |text: &str| AskedSpecimen {
        id: text.to_owned(),
        raw: text.to_owned(),
        carrier: some("R1"),
        position: some("2"),
        at: Cursor::at(0),
    };
    Query {
        kind: QueryKind::Orders,
        specimens: vec![asked("G123426000001"), asked("G123426000002")],
        all: false,
        tests: Vec::new(),
        carrier: some("R1"),
        position: some("2"),
        tag: some("T1"),
        id: some("Q1"),
        control_id: Some(ASKED.to_owned()),
        fault: None,
        text: String::new(),
        characters,
    }
}

/// Names behind a dot.
fn attributes(line: &str) -> impl Iterator<Item = &str> {
    line.split('.').skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        rest.get(..end).filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
    })
}

fn word_in(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|found| found == word)
}
