//! The value of a result: its parts from their rows, their meaning by exact text, and whether they contradict.

use super::{
    case::{Case, Where},
    coverage::{grade_name, value_name},
    number::{Number, surely_at_least, surely_below},
};
use crate::{
    message::Cursor,
    path::Path,
    profile::rules::{ControlRule, Criterion, GradeMeaning, Rules, Slot, WithinRule},
};
use rust_decimal::Decimal;
use std::borrow::Cow;
use vocabulary::{Comparator, Grade, Interpretation, Strength, Value};

/// Takes away everything that could be read as a result; the text as it was sent stays for people.
pub(super) fn withhold(value: &mut Value) {
    let interpretation = value.interpretation.filter(|meaning| *meaning == Interpretation::Invalid);
    *value = Value { raw: std::mem::take(&mut value.raw), interpretation, ..Value::default() };
}

/// A part of a value and where it was looked for.
pub(super) struct Found<'m> {
    slot: Slot,
    text: Cow<'m, str>,
    cursor: Cursor,
    path: &'m Path,
    unit: Option<&'m Path>,
}

/// The parts of a value.
pub(super) struct Parts<'m> {
    found: Vec<Found<'m>>,
    /// Slots that several rows fill.
    ambiguous: Vec<Slot>,
    /// Where the first part was looked for.
    looked: Option<(Cursor, &'m Path)>,
}

impl Parts<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    fn get(&self, slot: Slot) -> Option<&Found<'_>> {
        self.found.iter().find(|found| found.slot == slot)
    }
}

impl<'m> Case<'_, 'm> {
    /// Finds the parts: the test's own places first, else the row's, and only what the test has a map or unit for.
    pub(super) fn slots(&self) -> Parts<'m> {
        let test = self.test;
        let mut parts = Parts { found: Vec::new(), ambiguous: Vec::new(), looked: None };
        for (_, slot) in Slot::ALL.into_iter().filter(|(_, slot)| Rules::reads(test, *slot)) {
            let mut filled = false;
            for row in self.rows {
                let Some(rule) = row.rule.filter(|rule| rule.aside.is_none()) else { continue };
                let Some(path) = test.slots.get(slot).or_else(|| rule.slots.get(slot)) else { continue };
                let cursor = Cursor::at(row.node);
                // Every row that confirms has to.
                if filled && slot != Slot::Confirmation {
                    parts.ambiguous.push(slot);
                    continue;
                }
                filled = true;
                parts.looked = parts.looked.or(Some((cursor, path)));
                let numeric = matches!(slot, Slot::Number | Slot::Od | Slot::Cutoff);
                let none = &self.exam.look.rules.numbers.none;
                let says_none = |text: &str| numeric && none.iter().any(|word| word == text);
                if let Some(piece) = self.exam.look.piece(cursor, path).filter(|p| !says_none(&p.text)) {
                    let unit = rule.unit.as_ref();
                    parts.found.push(Found { slot, text: piece.text, cursor, path, unit });
                }
            }
        }
        parts
    }

    pub(super) fn value(&mut self, parts: &Parts<'m>) -> Value {
        let raw = parts.found.first().map_or_else(String::new, |found| found.text.clone().into_owned());
        let mut value = Value { raw, ..Value::default() };
        for slot in &parts.ambiguous {
            let what = format!("several rows give the {} of one result; which one counts?", slot.name());
            self.hold("ambiguous_rows", &Where::Row, what);
        }
        let mut number = None;
        for found in &parts.found {
            match found.slot {
                Slot::Interpretation => value.interpretation = self.read_meaning(found),
                Slot::Grade => value.grade = self.read_grade(found),
                Slot::Number => {
                    number = self.read_number(found);
                    value.unit = self.read_unit(found);
                }
                Slot::Od => value.od = self.read_exact(found, value.interpretation),
                Slot::Cutoff => value.cutoff = self.read_exact(found, None),
                Slot::Confirmation => self.confirmed(found, value.interpretation),
            }
        }
        value.number = number.map(|number| number.value);
        value.comparator = number.and_then(|number| number.comparator);
        if self.test.by_number {
            value.interpretation = self.decided(parts, number);
        }
        self.empty_text(parts, &mut value);
        self.wholeness(parts);
        self.contradictions(parts, &value, number);
        value
    }

    /// Another row that says what the result means, in words of its own.
    fn confirmed(&mut self, found: &Found<'m>, concluded: Option<Interpretation>) {
        if let Some(meaning) = self.read_meaning(found)
            && concluded != Some(meaning)
        {
            let what = format!("{:?} does not confirm the result, which is {concluded:?}", found.text);
            self.hold("value_contradiction", &Where::At(found.cursor, found.path), what);
        }
    }

    /// What a number means by itself. A bound on the wrong side of the limit decides nothing.
    fn decided(&mut self, parts: &Parts<'m>, number: Option<Number>) -> Option<Interpretation> {
        let (criterion, number) = (self.test.reactive?, number?);
        let reactive = criterion.contradicts(number, Interpretation::NonReactive);
        let non_reactive = criterion.contradicts(number, Interpretation::Reactive);
        match (reactive, non_reactive) {
            (true, false) => Some(Interpretation::Reactive),
            (false, true) => Some(Interpretation::NonReactive),
            (false, false) | (true, true) => {
                let text = parts.get(Slot::Number).map_or("", |found| &*found.text);
                let what =
                    format!("{text:?} does not say on which side of the limit {} it is", criterion.limit);
                self.hold("undecided_number", &Where::Row, what);
                None
            }
        }
    }

    /// An empty text that the profile gives a meaning to.
    fn empty_text(&mut self, parts: &Parts<'m>, value: &mut Value) {
        let map = self.test.values.as_ref().filter(|_| parts.get(Slot::Interpretation).is_none());
        if let Some(map) = map
            && let Some(meaning) = map.texts.get("")
        {
            self.exam.coverage.saw(|| value_name(&map.name, ""));
            value.interpretation = self.meaning(*meaning, &Where::Row, "");
        }
    }

    fn wholeness(&mut self, parts: &Parts<'m>) {
        let empty_means = self.test.values.as_ref().is_some_and(|map| map.texts.contains_key(""));
        if self.invalid || (parts.is_empty() && empty_means) {
            return;
        }
        if parts.is_empty() {
            let place = match parts.looked {
                Some((cursor, path)) => Where::At(cursor, path),
                None => Where::Row,
            };
            return self.hold("empty_value", &place, "the result is empty; repeat the test".to_owned());
        }
        let of_row = self.rows.iter().find_map(|row| row.rule?.whole.as_ref());
        let whole = of_row.unwrap_or(&self.test.whole);
        let missing: Vec<&str> = whole
            .iter()
            .filter(|slot| Rules::reads(self.test, **slot) && parts.get(**slot).is_none())
            .map(|slot| slot.name())
            .collect();
        if !missing.is_empty() {
            self.hold(
                "incomplete_result",
                &Where::Row,
                format!("the result has no {}", missing.join(" and no ")),
            );
        }
    }

    fn read_meaning(&mut self, found: &Found<'m>) -> Option<Interpretation> {
        let map = self.test.values.as_ref()?;
        if let Some(meaning) = map.texts.get(&*found.text) {
            self.exam.coverage.saw(|| value_name(&map.name, &found.text));
            return self.meaning(*meaning, &Where::At(found.cursor, found.path), &found.text);
        }
        let what = format!("the text {:?} is not in the profile's map {:?}", found.text, map.name);
        self.hold("unknown_value", &Where::At(found.cursor, found.path), what);
        None
    }

    fn read_grade(&mut self, found: &Found<'m>) -> Option<Grade> {
        let map = self.test.grades.as_ref()?;
        let meaning = map.texts.get(&*found.text);
        if meaning.is_some() {
            self.exam.coverage.saw(|| grade_name(&map.name, &found.text));
        }
        match meaning {
            Some(GradeMeaning::Reads(grade)) => Some(*grade),
            Some(GradeMeaning::Open) => {
                self.text_is_open(&Where::At(found.cursor, found.path), &found.text);
                None
            }
            Some(GradeMeaning::Invalid) => {
                self.invalid = true;
                let what =
                    format!("{:?} is an error of the reader, no reaction; repeat the test", found.text);
                self.note("reading_error", &Where::At(found.cursor, found.path), what);
                None
            }
            None => {
                let what = format!("{:?} is no grade of the profile's map {:?}", found.text, map.name);
                self.hold("unknown_value", &Where::At(found.cursor, found.path), what);
                None
            }
        }
    }

    fn read_number(&mut self, found: &Found<'m>) -> Option<Number> {
        let number = self.exam.look.rules.numbers.read(&found.text);
        if number.is_none() {
            self.hold(
                "unknown_number",
                &Where::At(found.cursor, found.path),
                format!("{:?} is no number in the profile's form", found.text),
            );
        }
        number
    }

    /// A number that is compared with another one. An optical density beyond the reader's range is only good
    /// for a result that the analyser itself calls reactive.
    fn read_exact(&mut self, found: &Found<'m>, concluded: Option<Interpretation>) -> Option<Decimal> {
        let number = self.read_number(found)?;
        if number.comparator.is_none() {
            return Some(number.value);
        }
        let what = format!("{:?} is a bound, no number that can be compared", found.text);
        if concluded == Some(Interpretation::Reactive) {
            self.note("bound_only", &Where::At(found.cursor, found.path), what);
        } else {
            self.hold("bound_only", &Where::At(found.cursor, found.path), what);
        }
        None
    }

    fn read_unit(&mut self, found: &Found<'m>) -> Option<String> {
        if let Some(unit) = &self.test.unit_is {
            return Some(unit.clone());
        }
        let sent = found.unit.map_or(Cow::Borrowed(""), |path| self.exam.look.text(found.cursor, path));
        let unit = self.test.units.get(&*sent).cloned();
        if unit.is_none() {
            self.hold(
                "unknown_unit",
                &Where::At(found.cursor, found.unit.unwrap_or(found.path)),
                format!("the unit {sent:?} is not in the profile for this test"),
            );
        }
        unit
    }

    fn contradictions(&mut self, parts: &Parts<'m>, value: &Value, number: Option<Number>) {
        let Some(meaning) = value.interpretation else { return };
        for (flag, wanted) in std::mem::take(&mut self.must_mean) {
            if wanted != meaning {
                let what = format!("the flag {flag:?} contradicts the value {:?}", value.raw);
                self.hold("value_contradiction", &Where::Row, what);
            }
        }
        if let Some(number) = number.filter(|number| !supports(self.test.reactive, *number, meaning)) {
            let bound = if number.is_lower_bound() { "a lower" } else { "an upper" };
            let what = format!("{bound} bound cannot show that the result is {meaning:?}: {:?}", value.raw);
            self.hold("bound_contradicts", &Where::Row, what);
        }
        let Some(criterion) = self.test.reactive else { return };
        let ratio = value.od.zip(value.cutoff).filter(|(_, cutoff)| *cutoff > Decimal::ZERO);
        let by_ratio = ratio.is_some_and(|(od, cutoff)| {
            let scaled = criterion.limit.checked_mul(cutoff);
            scaled.is_none_or(|limit| {
                Criterion { limit, ..criterion }.contradicts(Number { value: od, comparator: None }, meaning)
            })
        });
        if by_ratio || number.is_some_and(|number| criterion.contradicts(number, meaning)) {
            let texts: Vec<&str> = parts.found.iter().map(|found| &*found.text).collect();
            let what = format!("number and interpretation contradict each other: {}", texts.join(", "));
            self.hold("value_contradiction", &Where::Row, what);
        }
    }

    /// A control's reaction or number is put into the words that its expectation uses.
    pub(super) fn judge(&mut self, rule: &'m ControlRule, value: &mut Value) {
        if let Some(grade) = value.grade.filter(|_| value.interpretation.is_none()) {
            value.interpretation = Some(reaction(grade, rule.at_least));
        }
        if let (Some(right), Some(found)) = (rule.right, value.interpretation) {
            let judgement = if found == right { Interpretation::Valid } else { Interpretation::Invalid };
            value.interpretation = Some(judgement);
        }
        let Some(within) = &rule.within else { return };
        // A bound (`>0.24`) says on which side a number is, and not where.
        let exact = value.number.filter(|_| value.comparator.is_none());
        let judged =
            exact.zip(self.limits(within)).map(|(number, (low, high))| low <= number && number <= high);
        if let Some(inside) = judged {
            let judgement = if inside { Interpretation::Valid } else { Interpretation::Invalid };
            value.interpretation = Some(judgement);
            return;
        }
        let what = "the control's target, SD or value cannot be read, so that it cannot be judged";
        let place = match within {
            WithinRule::Target { target: at, .. } | WithinRule::Range { at, .. } => Where::At(self.lead, at),
            WithinRule::Between { .. } => Where::Row,
        };
        self.hold("control_without_target", &place, what.to_owned());
    }

    /// The lowest and the highest number that a control may read.
    fn limits(&self, within: &'m WithinRule) -> Option<(Decimal, Decimal)> {
        let exact = |text: &str| {
            let number = self.exam.look.rules.numbers.read(text)?;
            number.comparator.is_none().then_some(number.value)
        };
        match within {
            WithinRule::Target { target, sd, sds } => {
                let target = exact(&self.exam.look.text(self.lead, target))?;
                let spread = exact(&self.exam.look.text(self.lead, sd))?;
                // An SD that lets anything through judges nothing.
                let widest = target.abs().checked_div(Decimal::from(SD_SHARE_MIN))?;
                let believable = spread > Decimal::ZERO && spread <= widest;
                let allowed = spread.checked_mul(Decimal::from(*sds)).filter(|_| believable)?;
                Some((target.checked_sub(allowed)?, target.checked_add(allowed)?))
            }
            WithinRule::Range { at, separator } => {
                let text = self.exam.look.text(self.lead, at);
                let (low, high) = text.split_once(separator.as_str())?;
                let (low, high) = (exact(low)?, exact(high)?);
                // A range that lets anything through judges nothing.
                (Decimal::ZERO <= low && low < high).then_some((low, high))
            }
            WithinRule::Between { low, high } => Some((*low, *high)),
        }
    }
}

/// A control's SD may be at most a fifth of its target.
const SD_SHARE_MIN: u32 = 5;

/// What a control's reaction proves. A remark beside the scale proves nothing.
fn reaction(grade: Grade, at_least: Grade) -> Interpretation {
    let enough = match (grade.strength, at_least.strength) {
        (Some(found), Some(least)) => found >= least,
        (Some(found), None) => found > Strength::Zero,
        (None, _) => grade.bare_plus && at_least.bare_plus,
    };
    match (grade.is_zero(), grade.has_remark()) {
        (true, _) => Interpretation::Negative,
        (false, false) if enough => Interpretation::Positive,
        (false, _) => Interpretation::Indeterminate,
    }
}

/// Whether a bound may stand beside what the analyser concluded: "more than" leaves open how much more, and is never
/// negative; "less than" is never positive. Where little is reactive (a Ct, a competitive assay) it is the other way round.
fn supports(criterion: Option<Criterion>, number: Number, meaning: Interpretation) -> bool {
    let much_is_reactive = match criterion.map(|criterion| criterion.comparator) {
        None | Some(Comparator::AtLeast | Comparator::Above) => true,
        Some(Comparator::AtMost | Comparator::Below) => false,
    };
    let against_negative = number.comparator.is_some() && number.is_lower_bound() == much_is_reactive;
    // What is found below the limit of quantification is found: without a limit a "less than" contradicts nothing.
    let against_positive = number.comparator.is_some() && !against_negative && criterion.is_some();
    match meaning {
        Interpretation::NonReactive | Interpretation::Negative => !against_negative,
        Interpretation::Reactive | Interpretation::Positive => !against_positive,
        Interpretation::GreyZone
        | Interpretation::Indeterminate
        | Interpretation::Invalid
        | Interpretation::Valid
        | Interpretation::A
        | Interpretation::B
        | Interpretation::AB
        | Interpretation::O => true,
    }
}

impl Criterion {
    /// Whether a number and what the analyser concluded cannot both be right. The grey zone fits either.
    fn contradicts(self, number: Number, meaning: Interpretation) -> bool {
        let (reactive, non_reactive) = match self.comparator {
            Comparator::AtLeast | Comparator::Above => {
                (surely_at_least(number, self.limit), surely_below(number, self.limit))
            }
            Comparator::AtMost | Comparator::Below => {
                let above = match number.comparator {
                    None | Some(Comparator::AtLeast) => number.value > self.limit,
                    Some(Comparator::Above) => number.value >= self.limit,
                    Some(Comparator::Below | Comparator::AtMost) => false,
                };
                let at_most = match number.comparator {
                    None | Some(Comparator::AtMost | Comparator::Below) => number.value <= self.limit,
                    Some(Comparator::Above | Comparator::AtLeast) => false,
                };
                (at_most, above)
            }
        };
        match meaning {
            Interpretation::Reactive | Interpretation::Positive => non_reactive,
            Interpretation::NonReactive | Interpretation::Negative => reactive,
            Interpretation::GreyZone
            | Interpretation::Indeterminate
            | Interpretation::Invalid
            | Interpretation::Valid
            | Interpretation::A
            | Interpretation::B
            | Interpretation::AB
            | Interpretation::O => false,
        }
    }
}
