//! What stands where in the messages, and what each place is most likely for.

use super::{heard::Heard, table};
use crate::{
    message::{self, Cursor, Document, layout_of},
    path::Path,
    profile::{Profile, own_record},
    schema::DecimalMark,
};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::Protocol;

/// Texts and how often each was seen.
pub(super) type Tally = BTreeMap<String, usize>;

/// Rows beyond this add nothing to what is known of a model.
const ROWS_MAX: usize = 20_000;
/// More different texts than this are no code.
const WORDS_MAX: usize = 40;

const LIS02: &[&str] = &[
    "H.3", "H.5", "H.5.1", "H.12", "P.3", "P.4", "P.5", "P.6", "O.3", "O.3.1", "O.4", "O.4.1", "O.4.5",
    "O.12", "O.16", "R.3", "R.3.1", "R.3.2", "R.3.3", "R.3.4", "R.3.5", "R.3.6", "R.3.7", "R.3.8", "R.3.9",
    "R.3.10", "R.3.11", "R.3.12", "R.4", "R.5", "R.7", "R.9", "R.11", "R.12", "R.13", "R.14", "R.14.1",
];
const HL7: &[&str] = &[
    "MSH-3", "MSH-3.1", "MSH-4", "MSH-9", "MSH-10", "MSH-11", "MSH-16", "PID-3", "SPM-2", "SPM-2.1",
    "SPM-11", "SPM-11.1", "SAC-3", "SAC-3.1", "OBR-2", "OBR-3", "OBR-4", "OBX-3", "OBX-3.1", "OBX-3.2",
    "OBX-4", "OBX-5", "OBX-6", "OBX-6.1", "OBX-8", "OBX-11", "OBX-14", "OBX-16", "OBX-18", "OBX-18.1",
    "OBX-19",
];
/// Places that tell controls from donors on one model or another (LIS02 and HL7).
const MARKS: [&str; 12] =
    ["H.12", "P.3", "P.6", "O.3", "O.4.5", "O.12", "O.16", "MSH-16", "PID-3", "SPM-11", "SPM-2.1", "OBR-2"];

/// Message and order record.
type OrderOf = (usize, Option<usize>);

/// One result row: the order it belongs to, and what stands at each place.
#[derive(Debug, Default)]
pub(super) struct SeenRow {
    order: OrderOf,
    texts: BTreeMap<String, String>,
}

impl SeenRow {
    pub(super) fn at(&self, path: &str) -> &str {
        self.texts.get(path).map_or("", String::as_str)
    }
}

/// One code and what was seen with it.
#[derive(Debug, Default)]
pub(super) struct Code {
    pub(super) rows: usize,
    /// The whole field that the code stands in, once.
    pub(super) beside: String,
    pub(super) words: Tally,
    pub(super) numbers: Tally,
    pub(super) units: BTreeSet<String>,
}

/// Rows of one test that differ at one place.
#[derive(Debug)]
pub(super) struct Aspects {
    pub(super) at: String,
    /// Text there → whether numbers stand in those rows.
    pub(super) texts: BTreeMap<String, bool>,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) rows: Vec<SeenRow>,
    /// Kinds of HL7 messages with results, and without.
    pub(super) with_results: BTreeSet<String>,
    pub(super) silent: BTreeSet<String>,
    pub(super) sender: Option<(String, BTreeSet<String>)>,
    pub(super) production: Option<String>,
    pub(super) control_id: Option<String>,
    pub(super) specimen: Vec<String>,
    pub(super) test: String,
    pub(super) value: String,
    pub(super) unit: Option<String>,
    pub(super) flags: Option<String>,
    pub(super) status: Option<String>,
    pub(super) time: Option<String>,
    /// A `strptime` form, where times are not packed digits.
    pub(super) time_form: Option<&'static str>,
    pub(super) instrument: Option<String>,
    pub(super) marks: Vec<(String, Tally)>,
    pub(super) codes: BTreeMap<String, Code>,
    pub(super) aspects: Option<Aspects>,
    pub(super) comma: bool,
    pub(super) comparators: BTreeSet<&'static str>,
    pub(super) headings: Vec<String>,
}

impl Survey {
    pub(super) fn of(heard: &Heard) -> Result<Self, String> {
        let profile = super::heard::listener(heard.protocol, &heard.link, heard.fallback)?;
        let mut survey = Self::default();
        for (number, raw) in heard.messages.iter().enumerate() {
            survey.message(&profile, number, raw);
        }
        survey.places(heard);
        survey.numbers();
        survey.count_codes();
        survey.find_aspects(heard.protocol);
        survey.find_marks(heard.protocol);
        Ok(survey)
    }

    fn message(&mut self, profile: &Profile, number: usize, raw: &[u8]) {
        let decoded = profile.decode(raw);
        match profile.protocol() {
            Protocol::Lis02 => {
                let mut index = lis02::Index::new();
                let document = message::read_lis02(&index.read(&decoded.text));
                self.document(profile, number, &document, LIS02);
            }
            Protocol::Hl7v2 => {
                let mut index = profile.hl7_index();
                let document = message::read_hl7(&index.read(&decoded.text));
                self.document(profile, number, &document, HL7);
            }
            Protocol::PkBlocks => {}
            Protocol::Delimited => {
                let rules = profile.rules.table.as_ref();
                if let Some((rules, layout)) = rules.and_then(|rules| Some((rules, layout_of(rules).ok()?))) {
                    let table = delimited::Table::read(&decoded.text, &layout);
                    self.headings = table.column_names().map(|name| name.trim().to_owned()).collect();
                    let paths = self.columns(table.rows().map(|row| row.cells().count()).max().unwrap_or(0));
                    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
                    self.document(profile, number, &message::read_table(&table, rules), &paths);
                }
            }
        }
    }

    fn columns(&self, count: usize) -> Vec<String> {
        if self.headings.is_empty() {
            return (1..=count).map(|number| format!("column #{number}")).collect();
        }
        self.headings.iter().filter(|name| !name.is_empty()).map(|name| format!("column {name}")).collect()
    }

    fn document(&mut self, profile: &Profile, number: usize, document: &Document<'_>, places: &[&str]) {
        let own = own_record(profile.protocol());
        let paths: Vec<(&str, Path)> = places
            .iter()
            .filter_map(|place| Some((*place, Path::parse(place, profile.protocol()).ok()?)))
            .collect();
        let text = |node: usize, path: &Path| match path {
            Path::Field(path) => document.piece(Cursor::at(node), path).map(|piece| piece.text.into_owned()),
            Path::Column(column) => document.column(node, column).map(|piece| piece.text.into_owned()),
            Path::Plate | Path::Specimen => None,
        };
        let rows: Vec<usize> = (0..document.nodes.len())
            .filter(|at| document.node(*at).is_some_and(|node| node.name.is(own)))
            .collect();
        if profile.protocol() == Protocol::Hl7v2
            && let Ok(kind) = Path::parse("MSH-9", Protocol::Hl7v2)
        {
            let kind = text(0, &kind).unwrap_or_default();
            let kinds = if rows.is_empty() { &mut self.silent } else { &mut self.with_results };
            kinds.insert(kind);
        }
        for node in rows {
            if self.rows.len() >= ROWS_MAX {
                return;
            }
            let texts = paths.iter().filter_map(|(name, path)| Some(((*name).to_owned(), text(node, path)?)));
            let order = (number, document.node(node).and_then(|node| node.parent));
            self.rows.push(SeenRow { order, texts: texts.collect() });
        }
    }

    pub(super) fn tally(&self, path: &str) -> Tally {
        let mut tally = Tally::new();
        for row in &self.rows {
            *tally.entry(row.at(path).to_owned()).or_default() += 1;
        }
        tally
    }

    fn always(&self, path: &str) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| !row.at(path).is_empty())
    }

    fn ever(&self, path: &str) -> bool {
        self.rows.iter().any(|row| !row.at(path).is_empty())
    }

    /// The first place that is never empty, else the first that is not always empty.
    fn first_of(&self, paths: &[&str]) -> Option<String> {
        let always = paths.iter().find(|path| self.always(path));
        always.or_else(|| paths.iter().find(|path| self.ever(path))).map(|path| (*path).to_owned())
    }

    fn places(&mut self, heard: &Heard) {
        let of = |survey: &Self, paths: &[&str]| survey.first_of(paths);
        match heard.protocol {
            Protocol::Lis02 => {
                self.test =
                    of(self, &["R.3.4", "R.3.1", "R.3.2", "R.3.3", "R.3.5", "R.3"]).unwrap_or_default();
                "R.4".clone_into(&mut self.value);
                self.unit = of(self, &["R.5"]);
                self.flags = of(self, &["R.7"]);
                self.status = of(self, &["R.9"]);
                self.time = of(self, &["R.13", "R.12"]);
                self.instrument = of(self, &["R.14.1"]);
                self.control_id = of(self, &["H.3"]);
                self.sender = self.named(&["H.5.1", "H.5"]);
                self.production =
                    Some("H.12".to_owned()).filter(|at| self.tally(at).keys().all(|text| text == "P"));
                self.specimens(&["O.3.1", "O.4.1", "P.4", "P.3", "P.5"]);
            }
            Protocol::Hl7v2 => {
                self.test = of(self, &["OBX-3.1", "OBX-4", "OBX-3"]).unwrap_or_default();
                "OBX-5".clone_into(&mut self.value);
                self.unit = of(self, &["OBX-6.1"]);
                self.flags = of(self, &["OBX-8"]);
                self.status = of(self, &["OBX-11"]);
                self.time = of(self, &["OBX-19", "OBX-14"]);
                self.instrument = of(self, &["OBX-18.1"]);
                self.control_id = of(self, &["MSH-10"]);
                self.sender = self.named(&["MSH-3.1", "MSH-4"]);
                self.production =
                    Some("MSH-11".to_owned()).filter(|at| self.tally(at).keys().all(|text| text == "P"));
                self.specimens(&["SPM-2.1", "SAC-3.1", "OBR-3", "OBR-2", "PID-3"]);
            }
            Protocol::Delimited => self.places_of_table(&heard.link),
            Protocol::PkBlocks => {}
        }
        self.time_form();
    }

    fn places_of_table(&mut self, link: &str) {
        let headings: Vec<String> = if table::has_header(link) { self.headings.clone() } else { Vec::new() };
        let by = |words: &[&str]| table::by_words(&headings, words).map(|name| format!("column {name}"));
        let columns: Vec<String> =
            self.rows.first().map(|row| row.texts.keys().cloned().collect()).unwrap_or_default();
        // Where no heading says it, specimens differ most and tests least.
        let different = |column: &&String| self.tally(column).len();
        let specimen = by(&table::SPECIMEN).or_else(|| columns.iter().max_by_key(different).cloned());
        let left = || columns.iter().filter(|column| Some(*column) != specimen.as_ref());
        let test = by(&table::TEST).or_else(|| left().min_by_key(different).cloned()).unwrap_or_default();
        let value =
            by(&table::VALUE).or_else(|| left().find(|column| **column != test).cloned()).unwrap_or_default();
        let (unit, flags, status, time) =
            (by(&table::UNIT), by(&table::FLAGS), by(&table::STATUS), by(&table::TIME));
        (self.unit, self.flags, self.status, self.time) = (unit, flags, status, time);
        self.specimen = specimen.into_iter().collect();
        (self.test, self.value) = (test, value);
    }

    fn named(&self, paths: &[&str]) -> Option<(String, BTreeSet<String>)> {
        let at = self.first_of(paths)?;
        let texts: BTreeSet<String> = self.tally(&at).into_keys().collect();
        Some((at, texts)).filter(|(_, texts)| texts.len() <= WORDS_MAX)
    }

    fn specimens(&mut self, paths: &[&str]) {
        // Where nothing stood anywhere, the usual place: results without a specimen are held.
        let found = self.first_of(paths).or_else(|| paths.first().map(|path| (*path).to_owned()));
        self.specimen = found.into_iter().collect();
    }

    fn time_form(&mut self) {
        const FORMS: [&str; 7] = [
            "%Y-%m-%d %H:%M:%S",
            "%Y/%m/%d %H:%M:%S",
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%d %H:%M",
            "%Y/%m/%d %H:%M",
            "%d.%m.%Y %H:%M:%S",
            "%d/%m/%Y %H:%M:%S",
        ];
        let Some(at) = &self.time else { return };
        let texts: Vec<String> = self.tally(at).into_keys().filter(|text| !text.is_empty()).collect();
        let packed =
            |text: &String| text.len() >= 8 && text.bytes().take(8).all(|byte| byte.is_ascii_digit());
        if texts.iter().all(packed) {
            return;
        }
        let fits = |form: &&&str| {
            texts.iter().all(|text| {
                let read = jiff::fmt::strtime::parse(**form, text);
                read.and_then(|broken| broken.to_datetime()).is_ok()
            })
        };
        self.time_form = FORMS.iter().find(fits).copied();
        if self.time_form.is_none() {
            self.time = None;
        }
    }

    fn numbers(&mut self) {
        let texts = self.tally(&self.value);
        let figures: Vec<&str> =
            texts.keys().filter_map(|text| figure(text).map(|(_, digits)| digits)).collect();
        self.comma =
            figures.iter().any(|text| text.contains(',')) && figures.iter().all(|text| !text.contains('.'));
        self.comparators = texts.keys().filter_map(|text| figure(text)?.0).collect();
    }

    /// The decimal mark of the numbers.
    pub(super) fn decimal(&self) -> DecimalMark {
        if self.comma { DecimalMark::Comma } else { DecimalMark::Point }
    }

    fn count_codes(&mut self) {
        let field: String = self
            .test
            .split_once('.')
            .map_or(self.test.as_str(), |_| {
                self.test.rsplit_once('.').map_or(self.test.as_str(), |(field, _)| field)
            })
            .to_owned();
        for row in &self.rows {
            let code = self.codes.entry(row.at(&self.test).to_owned()).or_default();
            code.rows += 1;
            if code.beside.is_empty() {
                row.at(&field).clone_into(&mut code.beside);
            }
            let value = row.at(&self.value);
            let kind = if figure(value).is_some() { &mut code.numbers } else { &mut code.words };
            *kind.entry(value.to_owned()).or_default() += 1;
            if figure(value).is_some() {
                code.units.insert(self.unit.as_ref().map_or("", |unit| row.at(unit)).to_owned());
            }
        }
        self.codes.remove("");
    }

    /// The component of the test's field by which rows of one test in one order differ.
    fn find_aspects(&mut self, protocol: Protocol) {
        let field = match protocol {
            Protocol::Lis02 => "R.3",
            Protocol::Hl7v2 => "OBX-3",
            Protocol::Delimited | Protocol::PkBlocks => return,
        };
        let mut groups: BTreeMap<(OrderOf, &str), Vec<&SeenRow>> = BTreeMap::new();
        for row in &self.rows {
            groups.entry((row.order, row.at(&self.test))).or_default().push(row);
        }
        let several: Vec<&Vec<&SeenRow>> = groups.values().filter(|rows| rows.len() > 1).collect();
        let places = (1..=12).map(|n| format!("{field}.{n}")).filter(|at| *at != self.test);
        let differs = |at: &String| {
            let all = |rows: &&&Vec<&SeenRow>| {
                let texts: BTreeSet<&str> = rows.iter().map(|row| row.at(at)).collect();
                texts.len() == rows.len() && !texts.contains("")
            };
            several.iter().all(|rows| all(&rows))
        };
        let found =
            places.filter(|at| !several.is_empty() && differs(at)).min_by_key(|at| self.tally(at).len());
        let Some(at) = found.filter(|at| self.tally(at).len() <= WORDS_MAX) else { return };
        let mut texts: BTreeMap<String, bool> = BTreeMap::new();
        for row in &self.rows {
            *texts.entry(row.at(&at).to_owned()).or_insert(true) &= figure(row.at(&self.value)).is_some();
        }
        self.aspects = Some(Aspects { at, texts });
    }

    fn find_marks(&mut self, protocol: Protocol) {
        let columns: Vec<String> =
            self.rows.first().map(|row| row.texts.keys().cloned().collect()).unwrap_or_default();
        let places: Vec<String> = match protocol {
            Protocol::Delimited => columns,
            Protocol::Lis02 | Protocol::Hl7v2 | Protocol::PkBlocks => MARKS.map(str::to_owned).to_vec(),
        };
        let known = [&self.test, &self.value];
        let marks = places
            .into_iter()
            .filter(|at| self.ever(at) && !known.contains(&at))
            .map(|at| (self.tally(&at), at));
        self.marks =
            marks.filter(|(tally, _)| tally.len() <= WORDS_MAX).map(|(tally, at)| (at, tally)).collect();
    }
}

/// A number with the comparator before it.
fn figure(text: &str) -> Option<(Option<&'static str>, &str)> {
    let text = text.trim();
    let sign = ["<=", ">=", "<", ">"].into_iter().find(|sign| text.starts_with(sign));
    let digits = sign.map_or(text, |sign| text.trim_start_matches(sign).trim_start());
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let plain = unsigned.starts_with(|c: char| c.is_ascii_digit())
        && unsigned.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',')
        && unsigned.chars().filter(|c| !c.is_ascii_digit()).count() <= 1;
    plain.then_some((sign, digits))
}
