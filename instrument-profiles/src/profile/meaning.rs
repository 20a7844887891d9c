//! Checks the parts that give texts a meaning: value and grade maps, status, flags, numbers, times, plates.

use super::{
    builder::Builder,
    rules::{
        Characters, FlagRule, FlagRules, GradeMap, GradeMeaning, Meaning, Numbers, PlateRules, StatusRules,
        TableRules, TimeForm, ValueMap, Well,
    },
};
use crate::{
    message::layout_of,
    schema::{self, DecimalMark, FlagEffect, Text},
};
use character_sets::CharacterSet;
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};
use toml::Spanned;
use vocabulary::{Comparator, Consequence, Grade, Interpretation};

/// Every meaning a value text may have, by its name in `interpret`'s JSON.
pub(crate) const INTERPRETATIONS: [(&str, Interpretation); 12] = [
    ("reactive", Interpretation::Reactive),
    ("non_reactive", Interpretation::NonReactive),
    ("grey_zone", Interpretation::GreyZone),
    ("indeterminate", Interpretation::Indeterminate),
    ("invalid", Interpretation::Invalid),
    ("valid", Interpretation::Valid),
    ("positive", Interpretation::Positive),
    ("negative", Interpretation::Negative),
    ("a", Interpretation::A),
    ("b", Interpretation::B),
    ("ab", Interpretation::AB),
    ("o", Interpretation::O),
];

const RUN_FAILED: &str = "run_failed";
const INVALID: &str = "invalid";
/// Seen, and nobody has said yet what it means.
pub(crate) const OPEN: &str = "open";

type Map = BTreeMap<Text, BTreeMap<Text, Text>>;

impl Builder<'_, '_> {
    pub(crate) fn value_maps(&mut self, written: &Map) -> HashMap<String, ValueMap> {
        let known: Vec<(&str, Meaning)> = INTERPRETATIONS
            .iter()
            .map(|(name, meaning)| (*name, Meaning::Reads(*meaning)))
            .chain([(RUN_FAILED, Meaning::RunFailed), (OPEN, Meaning::Open)])
            .collect();
        let mut maps = HashMap::new();
        for (name, texts) in written {
            let mut map = ValueMap { name: name.get_ref().clone(), texts: HashMap::new() };
            for (text, meaning) in texts {
                if meaning.get_ref() == OPEN {
                    self.text_is_open(name, text);
                }
                if let Some(meaning) = self.one_of(meaning, "meaning", &known) {
                    map.texts.insert(text.get_ref().clone(), meaning);
                }
            }
            maps.insert(map.name.clone(), map);
        }
        maps
    }

    pub(crate) fn grade_maps(&mut self, written: &Map) -> HashMap<String, GradeMap> {
        let mut maps = HashMap::new();
        for (name, texts) in written {
            let mut map = GradeMap { name: name.get_ref().clone(), texts: HashMap::new() };
            for (text, grade) in texts {
                let meaning = match grade.get_ref().parse::<Grade>() {
                    _ if grade.get_ref() == INVALID => GradeMeaning::Invalid,
                    _ if grade.get_ref() == OPEN => {
                        self.text_is_open(name, text);
                        GradeMeaning::Open
                    }
                    Ok(grade) => GradeMeaning::Reads(grade),
                    Err(error) => {
                        self.fault(&grade.span(), format!("{error}, or {INVALID}"));
                        continue;
                    }
                };
                map.texts.insert(text.get_ref().clone(), meaning);
            }
            maps.insert(map.name.clone(), map);
        }
        maps
    }

    fn text_is_open(&mut self, map: &Text, text: &Text) {
        let what = format!(
            "the text {:?} of the map {:?} is open: say what it means; until then it is held",
            text.get_ref(),
            map.get_ref()
        );
        self.open(&text.span(), what);
    }

    pub(crate) fn status(&mut self, written: &Spanned<schema::Status>) -> Option<StatusRules> {
        let (span, status) = (written.span(), written.get_ref());
        match (&status.at, status.always) {
            (None, Some(always)) if status.map.is_empty() => Some(StatusRules::Always(always)),
            (Some(at), None) => {
                if status.map.is_empty() {
                    self.missing(&span, "`[status.map]`");
                }
                let mut map = HashMap::new();
                for (text, meaning) in &status.map {
                    if let Some(meaning) = meaning.get_ref().status() {
                        map.insert(text.get_ref().clone(), meaning);
                    } else {
                        let what =
                            format!("the status {:?} is open: say whether it is final", text.get_ref());
                        self.open(&text.span(), what);
                    }
                }
                Some(StatusRules::Read { at: self.path(at)?, map })
            }
            (None, None) => {
                self.missing(&span, "`at` with a `map`, or `always`");
                None
            }
            (_, Some(_)) => {
                self.fault(&span, "`always` stands alone: there is nothing to read then");
                None
            }
        }
    }

    pub(crate) fn flags(&mut self, written: &Spanned<schema::Flags>) -> FlagRules {
        let (span, flags) = (written.span(), written.get_ref());
        let unknown = self.required(flags.unknown.as_ref(), &span, "`unknown`: note, hold or quarantine");
        let unknown = *unknown.unwrap_or(&Consequence::Quarantine);
        let mut known = HashMap::new();
        for (text, flag) in &flags.known {
            let with = flag.with.as_ref().and_then(|with| self.one_of(with, "meaning", &INTERPRETATIONS));
            if flag.with.is_some() != (flag.does == FlagEffect::Agree) {
                self.fault(&text.span(), "`with` belongs to does = \"agree\", and only to it");
            }
            if flag.does == FlagEffect::Open {
                let what = format!("the flag {:?} is open: say what it does to its result", text.get_ref());
                self.open(&text.span(), what);
            }
            let rule = FlagRule { does: flag.does, with, what: flag.what.clone() };
            known.insert(text.get_ref().clone(), rule);
        }
        let at = flags.at.as_ref();
        if at.is_none() {
            self.missing_today(&span, "`at`: where flags and remarks stand ([]: nowhere)");
        }
        if at.is_none_or(|at| at.0.is_empty()) && !known.is_empty() {
            self.fault(&span, "flags without a place in `at` are never seen");
        }
        let separator = flags.separator.as_ref().map(|text| text.get_ref().clone());
        if separator.as_deref() == Some("") {
            self.fault(&span, "an empty `separator` parts nothing");
        }
        let width = flags.width.as_ref().map(|width| {
            if *width.get_ref() == 0 || separator.is_some() {
                let what = "`width` is how many characters a flag has where nothing stands between them: 1 or more, and no `separator`";
                self.fault(&width.span(), what);
            }
            usize::from(*width.get_ref())
        });
        FlagRules { at: at.map_or_else(Vec::new, |at| self.paths(at)), separator, width, unknown, known }
    }

    pub(crate) fn numbers(&mut self, written: &schema::Numbers) -> Numbers {
        let known = [
            ("<", Comparator::Below),
            ("<=", Comparator::AtMost),
            (">", Comparator::Above),
            (">=", Comparator::AtLeast),
        ];
        let comparators =
            written.comparators.iter().filter_map(|text| self.one_of(text, "comparator", &known)).collect();
        let thousands = written.thousands.as_ref().and_then(|mark| self.thousands(mark, written.decimal));
        Numbers {
            decimal: written.decimal,
            comparators,
            trailing_mark: written.trailing_mark,
            thousands,
            scientific: written.scientific,
            none: written.none.to_strings(),
        }
    }

    fn thousands(&mut self, text: &Text, decimal: DecimalMark) -> Option<char> {
        let mark = match text.get_ref().as_str() {
            "," if decimal == DecimalMark::Point => Some(','),
            "." if decimal == DecimalMark::Comma => Some('.'),
            " " => Some(' '),
            "'" => Some('\''),
            _ => None,
        };
        if mark.is_none() {
            self.fault(&text.span(), "`thousands` is \",\", \".\", \" \" or \"'\", and not the decimal mark");
        }
        mark
    }

    /// The form of a day without a time.
    pub(crate) fn date_form(&mut self, form: &Text) -> TimeForm {
        let sample = jiff::civil::date(2026, 3, 1);
        let printed = jiff::fmt::strtime::format(form.get_ref(), sample);
        let read = printed.and_then(|text| jiff::fmt::strtime::parse(form.get_ref(), text));
        if read.and_then(|broken| broken.to_date()).ok() != Some(sample) {
            self.fault(&form.span(), "this form does not read back the day it writes");
        }
        TimeForm::Written(form.get_ref().clone())
    }

    pub(crate) fn times(&mut self, written: &schema::Times) -> TimeForm {
        let Some(form) = &written.form else { return TimeForm::Packed };
        let sample = jiff::civil::date(2026, 3, 1).at(15, 4, 5, 0);
        let printed = jiff::fmt::strtime::format(form.get_ref(), sample);
        let read = printed.and_then(|text| jiff::fmt::strtime::parse(form.get_ref(), text));
        if read.and_then(|broken| broken.to_datetime()).is_err() {
            self.fault(&form.span(), "this form does not read back the date and time it writes");
        }
        TimeForm::Written(form.get_ref().clone())
    }

    pub(crate) fn characters(&mut self, written: &schema::Characters) -> Characters {
        Characters {
            always: written.always.as_ref().and_then(|name| self.character_set(name)),
            fallback: written.fallback.as_ref().and_then(|name| self.character_set(name)),
        }
    }

    pub(crate) fn character_set(&mut self, name: &Text) -> Option<CharacterSet> {
        let found = CharacterSet::from_name(name.get_ref());
        if found.is_none() {
            let common = ["utf-8", "gb18030", "gbk", "latin1", "windows-1251", "windows-1252", "ascii"];
            self.faults.unknown(&name.span(), "character set", name.get_ref(), common);
        }
        found
    }

    pub(crate) fn table(&mut self, written: &Spanned<schema::Table>) -> Option<TableRules> {
        let (span, table) = (written.span(), written.get_ref());
        let delimiter = self.required(table.delimiter.as_ref(), &span, "`delimiter`")?;
        let delimiter_mark = self.character(delimiter)?;
        let quote = match &table.quote {
            None => Some('"'),
            Some(text) if text.get_ref().is_empty() => None,
            Some(text) => Some(self.character(text)?),
        };
        let header = *self.required(table.header.as_ref(), &span, "`header`: true or false")?;
        if !header && !table.columns.0.is_empty() {
            self.fault(&span, "a file without a header line has no column names");
        }
        let plain = |text: &Option<Text>| text.as_ref().map(|text| text.get_ref().clone());
        let rules = TableRules {
            delimiter: delimiter_mark,
            quote,
            comment: plain(&table.comment),
            end_marker: plain(&table.end_marker),
            skip_lines: table.skip_lines,
            header,
            columns: table.columns.to_strings(),
        };
        if let Err(error) = layout_of(&rules) {
            self.fault(&delimiter.span(), error.to_string());
        }
        Some(rules)
    }

    fn character(&mut self, text: &Text) -> Option<char> {
        let mut characters = text.get_ref().chars();
        let only = characters.next().filter(|c| characters.next().is_none() && !c.is_ascii_alphanumeric());
        if only.is_none() {
            self.fault(&text.span(), "this is one character, no letter and no digit");
        }
        only
    }

    pub(crate) fn plate(&mut self, written: &Spanned<schema::Plate>) -> Option<PlateRules> {
        let (span, plate) = (written.span(), written.get_ref());
        let id = self.required(plate.id.as_ref(), &span, "`id`, the plate's identity")?;
        let well = self.required(plate.well.as_ref(), &span, "`well`")?;
        let rows = self.required(plate.rows.as_ref(), &span, "`rows`")?;
        let columns = self.required(plate.columns.as_ref(), &span, "`columns`")?;
        let size = Well { row: *rows.get_ref(), column: *columns.get_ref() };
        if !(1..=26).contains(&size.row) || !(1..=99).contains(&size.column) {
            self.fault(&span, "a plate has 1 to 26 rows and 1 to 99 columns");
        }
        Some(PlateRules {
            id: self.path(id)?,
            well: self.path(well)?,
            rows: size.row,
            columns: size.column,
            complete: plate.complete,
            role: self.path_if(plate.role.as_ref()),
            layout: self.layout(&plate.layout, size),
        })
    }

    fn layout(&mut self, written: &BTreeMap<Text, Text>, size: Well) -> BTreeMap<Well, String> {
        let mut layout = BTreeMap::new();
        for (wells, role) in written {
            let (first, last) = wells.get_ref().split_once('-').unwrap_or((wells.get_ref(), wells.get_ref()));
            let (Some(first), Some(last)) = (Well::parse(first), Well::parse(last)) else {
                self.fault(
                    &wells.span(),
                    format!("{:?} is no well (A1) or block of wells (A1-D1)", wells.get_ref()),
                );
                continue;
            };
            if first.row > last.row
                || first.column > last.column
                || last.row >= size.row
                || last.column >= size.column
            {
                self.fault(&wells.span(), "this block is not on the plate");
                continue;
            }
            for well in Well::block(first, last) {
                if layout.insert(well, role.get_ref().clone()).is_some() {
                    self.fault(&wells.span(), format!("well {well} has two roles"));
                }
            }
        }
        layout
    }

    pub(crate) fn known_map<'m, M>(
        &mut self,
        name: &Text,
        kind: &str,
        maps: &'m HashMap<String, M>,
    ) -> Option<&'m M> {
        let found = maps.get(name.get_ref());
        if found.is_none() {
            self.faults.unknown(&name.span(), kind, name.get_ref(), maps.keys().map(String::as_str));
        }
        found
    }

    /// A number must never be mistaken for "not given".
    pub(crate) fn not_empty(&mut self, text: &str, at: &Range<usize>, what: &str) {
        if text.trim().is_empty() {
            self.fault(at, format!("{what} is empty"));
        }
    }
}

impl Well {
    /// `A1`, `H12`, `a01`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut characters = text.chars();
        let row = characters.next()?.to_ascii_uppercase();
        let row = row.is_ascii_uppercase().then(|| u8::try_from(row).ok())?? - b'A';
        let column = characters.as_str();
        let digits = (1..=2).contains(&column.len()) && column.bytes().all(|b| b.is_ascii_digit());
        let column: u8 = column.parse().ok().filter(|n| digits && *n > 0)?;
        Some(Self { row, column: column - 1 })
    }

    fn block(first: Self, last: Self) -> impl Iterator<Item = Self> {
        (first.row..=last.row)
            .flat_map(move |row| (first.column..=last.column).map(move |column| Self { row, column }))
    }
}

impl std::fmt::Display for Well {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", char::from(b'A' + self.row), u16::from(self.column) + 1)
    }
}
