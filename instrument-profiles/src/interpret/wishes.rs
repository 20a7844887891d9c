//! Orders that a message places, changes or cancels. One that cannot be read whole takes the message with it: half a
//! list of tests is another order.

use super::{coverage::wish_name, examination::Examination};
use crate::{
    message::Cursor,
    path::Path,
    profile::order_in::OrderInRules,
    wish::{OrderWish, WishAction},
};
use std::collections::HashMap;
use vocabulary::{Consequence, Priority, Protocol, Source};

/// Orders of one message; past it nothing of the message is taken.
const WISHES_MAX: usize = 1_000;

/// A finding says what could not be read.
struct Unread;

impl<'m> Examination<'m> {
    /// Whether the message is one that carries orders.
    pub(super) fn carries_orders(&self) -> bool {
        let Some(rules) = self.order_in() else { return false };
        let mut headers = self.headers().peekable();
        self.profile.protocol() == Protocol::Delimited
            || (headers.peek().is_some() && headers.all(|at| self.look.holds(Cursor::at(at), &rules.message)))
    }

    fn order_in(&self) -> Option<&'m OrderInRules> {
        self.profile.rules.order_in.as_ref()
    }

    /// Reads the orders; none when anything of the message could not be read.
    pub(super) fn wishes(&mut self) -> Vec<OrderWish> {
        let Some(rules) = self.order_in() else { return Vec::new() };
        let document = self.look.document;
        let records = document.nodes.iter().enumerate().filter(|(_, node)| node.name.is(&rules.record));
        let records: Vec<usize> = records.map(|(at, _)| at).collect();
        if records.is_empty() {
            self.unread("no_orders", "the message".to_owned(), "there is no order in it".to_owned());
        }
        self.controls_without_a_test(&records);
        let mut wishes: Vec<OrderWish> = Vec::new();
        let mut known: HashMap<(String, WishAction), usize> = HashMap::new();
        for at in records {
            let Some(wish) = self.wish(rules, at) else { continue };
            let place = self.place_of_row(at);
            match known.get(&(wish.id.clone(), wish.action)).and_then(|at| wishes.get_mut(*at)) {
                Some(first) if !same_but_tests(first, &wish) => {
                    let what = format!("order {:?} comes twice and does not say the same", wish.id);
                    self.unread("order_contradicts_itself", place, what);
                }
                Some(first) => {
                    let new: Vec<String> =
                        wish.assays.into_iter().filter(|a| !first.assays.contains(a)).collect();
                    first.assays.extend(new);
                    first.source.record = format!("{},{}", first.source.record, wish.source.record);
                }
                None => {
                    known.insert((wish.id.clone(), wish.action), wishes.len());
                    wishes.push(wish);
                }
            }
        }
        if wishes.len() > WISHES_MAX {
            let what = format!("{} orders in one message; {WISHES_MAX} are taken; part it", wishes.len());
            self.unread("too_many_orders", "the message".to_owned(), what);
        }
        if self.findings.quarantines() { Vec::new() } else { wishes }
    }

    /// Never with the specimen: what is wrong with an order holds no donation.
    fn unread(&mut self, name: &str, place: String, what: String) {
        self.findings.about(Consequence::Quarantine, name, place, what);
    }

    /// An ORC without its OBR asks for something that nobody reads.
    fn controls_without_a_test(&mut self, records: &[usize]) {
        if self.profile.protocol() != Protocol::Hl7v2 {
            return;
        }
        let document = self.look.document;
        for (at, node) in document.nodes.iter().enumerate().filter(|(_, node)| node.name.is("ORC")) {
            let of_record = |record: &usize| {
                document
                    .node(*record)
                    .is_some_and(|found| found.attached.contains(&at) || node.parent == Some(*record))
            };
            if !records.iter().any(of_record) {
                let what = "an order control (ORC) without a test (OBR); ask for the whole order".to_owned();
                self.unread("order_without_test", self.place_of_row(at), what);
            }
        }
    }

    fn wish(&mut self, rules: &OrderInRules, at: usize) -> Option<OrderWish> {
        let cursor = Cursor::at(at);
        let action = match &rules.action {
            Some(words) => self.word(cursor, words, "action")?,
            None => WishAction::Place,
        };
        let word = rules.action.as_ref().map(|(path, _)| self.look.text(cursor, path).into_owned());
        let specimen = self.first(cursor, &rules.specimen);
        let Some(specimen) = specimen else {
            let place = self.place_of_first(cursor, &rules.specimen, at);
            self.unread("missing_specimen", place, "an order without a specimen id".to_owned());
            return None;
        };
        let id = match self.first(cursor, &rules.id) {
            Some(id) => id,
            None if rules.id.is_empty() => specimen.clone(),
            None => {
                let place = self.place_of_first(cursor, &rules.id, at);
                self.unread("missing_order_number", place, "an order without a number".to_owned());
                return None;
            }
        };
        let assays = self.assays(rules, cursor, at, action)?;
        let priority = match &rules.priority {
            Some(words) if self.look.piece(cursor, &words.0).is_some() => {
                self.word(cursor, words, "priority")?
            }
            Some(_) | None => Priority::Routine,
        };
        let text = |path: &Option<Path>| {
            path.as_ref().and_then(|path| self.look.piece(cursor, path)).map(|p| p.text.into_owned())
        };
        let (kind, only_on) = (text(&rules.specimen_type), text(&rules.only_on));
        let (donor_id, donor_name) = (text(&rules.donor_id), text(&rules.donor_name));
        let specimen_type = match kind {
            Some(word) if !rules.specimen_types.is_empty() => Some(self.specimen_type(rules, cursor, &word)?),
            as_it_came => as_it_came,
        };
        let sex = match &rules.sex {
            Some(words) if self.look.piece(cursor, &words.0).is_some() => {
                Some(self.word(cursor, words, "sex")?)
            }
            Some(_) | None => None,
        };
        let collected_at = self.time(cursor, rules.collected_at.as_ref(), false).ok()?;
        let born = self.time(cursor, rules.born.as_ref(), true).ok()?;
        let control_id = self.profile.rules.message.control_id.as_ref();
        let message = control_id.and_then(|path| self.look.piece(cursor, path)).map(|p| p.text.into_owned());
        let source = Source { record: self.look.document.label(at), message };
        Some(OrderWish {
            action,
            word: word.unwrap_or_default(),
            id,
            specimen,
            assays,
            priority,
            specimen_type,
            collected_at,
            only_on,
            donor_id,
            donor_name,
            born,
            sex,
            source,
        })
    }

    fn first(&self, cursor: Cursor, paths: &[Path]) -> Option<String> {
        let texts = paths.iter().filter_map(|path| self.look.piece(cursor, path));
        texts.map(|piece| piece.text.trim_matches(' ').to_owned()).find(|text| !text.is_empty())
    }

    fn place_of_first(&self, cursor: Cursor, paths: &[Path], at: usize) -> String {
        paths.first().map_or_else(|| self.place_of_row(at), |path| self.place(cursor, path))
    }

    /// What a word means that has to be known.
    fn word<T: Copy>(
        &mut self,
        cursor: Cursor,
        (path, words): &(Path, HashMap<String, T>),
        name: &str,
    ) -> Option<T> {
        let text = self.look.text(cursor, path);
        if let Some(meaning) = words.get(&*text) {
            self.coverage.saw(|| wish_name(name, &text));
            return Some(*meaning);
        }
        let what = format!("the {name} {text:?} is not in the profile; map it");
        self.unread(&format!("unknown_{name}"), self.place(cursor, path), what);
        None
    }

    /// Our word for the sender's, or no order at all: an analyser would be told something else.
    fn specimen_type(&mut self, rules: &OrderInRules, cursor: Cursor, word: &str) -> Option<String> {
        if let Some(ours) = rules.specimen_types.get(word) {
            self.coverage.saw(|| wish_name("specimen type", word));
            return Some(ours.clone());
        }
        let place = rules.specimen_type.as_ref().map(|path| self.place(cursor, path)).unwrap_or_default();
        let what = format!("the specimen type {word:?} is not in the profile; map it");
        self.unread("unknown_specimen_type", place, what);
        None
    }

    fn assays(
        &mut self,
        rules: &OrderInRules,
        cursor: Cursor,
        at: usize,
        action: WishAction,
    ) -> Option<Vec<String>> {
        let mut assays: Vec<String> = Vec::new();
        let mut unknown = false;
        for piece in self.look.pieces(cursor, &rules.test) {
            let codes: Vec<&str> = match &rules.separator {
                Some(separator) => piece.text.split(separator.as_str()).collect(),
                None => vec![&*piece.text],
            };
            for code in codes.into_iter().map(|code| code.trim_matches(' ')).filter(|code| !code.is_empty()) {
                let found = match rules.tests.get(code) {
                    Some(found) => {
                        self.coverage.saw(|| wish_name("test", code));
                        found.clone()
                    }
                    None if rules.assay_names => vec![code.to_owned()],
                    None => {
                        let place = self.place_of_piece(cursor, &rules.test, &piece.at);
                        let what =
                            format!("the profile does not know the test {code:?}; map it to its assays");
                        self.unread("unmapped_test", place, what);
                        unknown = true;
                        continue;
                    }
                };
                let new: Vec<String> = found.into_iter().filter(|assay| !assays.contains(assay)).collect();
                assays.extend(new);
            }
        }
        if unknown {
            return None;
        }
        if assays.is_empty() && action != WishAction::Cancel {
            let place = self.place_of_first(cursor, std::slice::from_ref(&rules.test), at);
            self.unread("missing_test", place, "an order that names no test".to_owned());
            return None;
        }
        Some(assays)
    }

    /// A time, or its day alone; nothing where nothing was sent, and no wish where it cannot be read.
    fn time(&mut self, cursor: Cursor, path: Option<&Path>, day: bool) -> Result<Option<String>, Unread> {
        let Some((path, piece)) = path.and_then(|path| Some((path, self.look.piece(cursor, path)?))) else {
            return Ok(None);
        };
        let read = self.profile.rules.times.read(&piece.text);
        let read = if day { read.and_then(|time| time.get(..10).map(str::to_owned)) } else { read };
        if read.is_none() {
            let what = format!("{:?} is no time in the profile's form", piece.text);
            self.unread("unreadable_time", self.place_of_piece(cursor, path, &piece.at), what);
            return Err(Unread);
        }
        Ok(read)
    }
}

fn same_but_tests(first: &OrderWish, other: &OrderWish) -> bool {
    let same = OrderWish { assays: first.assays.clone(), source: first.source.clone(), ..other.clone() };
    same == *first
}
