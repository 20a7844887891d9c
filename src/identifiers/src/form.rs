//! A form of the site's own: a regular expression over the whole id, and what is done before and after it.

use crate::{
    CheckAlgorithm, Refusal,
    codabar::{Between, between},
    normaliser::{Identified, Whose},
    rules::{Case, Form, Pad, RulesFault, StartStop},
};
use regex::{Captures, Regex, RegexBuilder};
use std::ops::Range;

/// Memory of one compiled expression.
const EXPRESSION_BYTES_MAX: usize = 1 << 20;

/// A checked form of kind `pattern`.
#[derive(Debug, Clone)]
pub(crate) struct PatternForm {
    name: String,
    start_stop: Option<StartStop>,
    /// Counted in the check where the reader sends none.
    assumed: Option<(char, char)>,
    remove: String,
    case: Option<Case>,
    pattern: Regex,
    /// `donation` or `pool`: its name, and whose number it is.
    number: (&'static str, Whose),
    check: Option<Check>,
    pad: Option<Pad>,
    one_scan: bool,
}

#[derive(Debug, Clone)]
struct Check {
    algorithm: CheckAlgorithm,
    weights: Vec<u8>,
    over: Vec<String>,
}

fn fault(key: &'static str, what: impl Into<String>, remedy: &str) -> RulesFault {
    RulesFault { form: None, key, what: what.into(), remedy: remedy.to_owned() }
}

/// An expression that has to fit the whole text, whatever was written.
pub(crate) fn whole_expression(key: &'static str, expression: &str) -> Result<Regex, RulesFault> {
    let whole = format!(r"\A(?:{expression})\z");
    RegexBuilder::new(&whole).size_limit(EXPRESSION_BYTES_MAX).build().map_err(|error| {
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        fault(key, format!("{expression:?} is no regular expression: {last}"), "mend the expression")
    })
}

impl PatternForm {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn new(form: &Form) -> Result<Self, RulesFault> {
        let Some(expression) = &form.pattern else {
            let remedy = "write pattern = '(?<donation>…)'";
            return Err(fault("pattern", "a form of kind \"pattern\" has no pattern", remedy));
        };
        let pattern = whole_expression("pattern", expression)?;
        let has = |name: &str| pattern.capture_names().flatten().any(|group| group == name);
        let known = ["donation", "pool", "tube", "segment", "check"];
        let over = || form.check_over.iter().map(String::as_str);
        let strange = |name: &&str| !known.contains(name) && !over().any(|over| over == *name);
        if let Some(name) = pattern.capture_names().flatten().find(strange) {
            let what = format!("the pattern has a group {name:?} that nothing uses");
            return Err(fault(
                "pattern",
                what,
                "groups are donation, pool, tube, segment, check, and those of check_over",
            ));
        }
        let number = match (has("donation"), has("pool")) {
            (true, false) => ("donation", Whose::Donation),
            (false, true) => ("pool", Whose::Pool),
            (false, false) => {
                let what = "the pattern has no group named donation";
                return Err(fault("pattern", what, "write (?<donation>…) around the donation's number"));
            }
            (true, true) => {
                let what = "the pattern has both donation and pool";
                return Err(fault("pattern", what, "make two forms of it"));
            }
        };
        if number.1 == Whose::Pool && has("segment") {
            let what = "the pattern has both pool and segment";
            return Err(fault("pattern", what, "a segment is one donation's: take one of the groups out"));
        }
        if let Some(pad) = &form.pad
            && (pad.from >= pad.to || pad.from == 0)
        {
            let what = format!("numbers of {} characters cannot be brought to {}", pad.from, pad.to);
            return Err(fault("pad", what, "pad makes longer: from has to be less than to"));
        }
        Ok(Self {
            name: form.name.clone(),
            start_stop: form.start_stop,
            assumed: assumed(form)?,
            remove: form.remove.clone(),
            case: form.case,
            check: check(form, number.0, has)?,
            pattern,
            number,
            pad: form.pad.clone(),
            one_scan: form.one_scan,
        })
    }

    /// What `scan` is in this form: nothing when it does not have it, else the number, or what is wrong with it.
    pub(crate) fn read(&self, scan: &str) -> Option<Result<Identified, Refusal>> {
        let kept: String = scan.chars().filter(|c| !self.remove.contains(*c)).collect();
        let (text, ends) = match self.start_stop {
            None => (kept.as_str(), None),
            Some(StartStop::Strip) => between(&kept).map(inner)?,
            Some(StartStop::StripIfSent) => between(&kept).map_or((kept.as_str(), None), inner),
        };
        let text = match self.case {
            None => text.to_owned(),
            Some(Case::Upper) => text.to_ascii_uppercase(),
            Some(Case::Lower) => text.to_ascii_lowercase(),
        };
        let found = self.pattern.captures(&text)?;
        let number = padded(found.name(self.number.0)?.as_str(), self.pad.as_ref())?;
        let check = match &self.check {
            None => None,
            Some(check) => match self.checked(check, &found, ends.or(self.assumed)) {
                Ok(check) => check,
                Err(refusal) => return Some(Err(refusal)),
            },
        };
        let segment = found.name("segment").filter(|segment| !segment.is_empty());
        Some(Ok(Identified {
            form: self.name.clone(),
            whose: self.number.1,
            number,
            tube: segment.or_else(|| found.name("tube")).map(|tube| tube.as_str().to_owned()),
            segment: segment.is_some(),
            check,
            // A segment's label is another than the tube's.
            one_scan: self.one_scan && segment.is_none(),
        }))
    }

    /// The check character that was verified; nothing where the scan has none.
    fn checked(
        &self,
        check: &Check,
        found: &Captures<'_>,
        ends: Option<(char, char)>,
    ) -> Result<Option<char>, Refusal> {
        let Some(sent) = found.name("check") else { return Ok(None) };
        let mut over = String::new();
        for name in &check.over {
            if let Some(group) = found.name(name) {
                // The check character may stand inside the number itself, as in EAN-13.
                over.extend(without(group.as_str(), group.range(), &sent.range()));
            }
        }
        if check.algorithm == CheckAlgorithm::CodabarMod16
            && let Some((start, stop)) = ends
        {
            over = format!("{start}{over}{stop}");
        }
        let expected = check.algorithm.character(&over, &check.weights);
        match expected {
            Some(expected) if sent.as_str().chars().eq([expected]) => Ok(Some(expected)),
            Some(_) | None => Err(Refusal::CheckFailed {
                form: self.name.clone(),
                found: sent.as_str().to_owned(),
                expected: expected.map_or_else(|| "none".to_owned(), String::from),
            }),
        }
    }
}

fn inner(between: Between<'_>) -> (&str, Option<(char, char)>) {
    (between.inner, Some((between.start, between.stop)))
}

/// `text`, which stands at `at`, without what stands at `cut`.
fn without<'t>(text: &'t str, at: Range<usize>, cut: &Range<usize>) -> impl Iterator<Item = char> + use<'t> {
    let cut = cut.clone();
    text.char_indices().filter(move |(n, _)| !cut.contains(&(at.start + n))).map(|(_, c)| c)
}

/// Only numbers of exactly the two lengths have the form.
fn padded(number: &str, pad: Option<&Pad>) -> Option<String> {
    let Some(pad) = pad else { return Some(number.to_owned()) };
    let chars = number.chars().count();
    if chars == pad.to {
        Some(number.to_owned())
    } else if chars == pad.from {
        Some(std::iter::repeat_n(pad.with, pad.to - pad.from).chain(number.chars()).collect())
    } else {
        None
    }
}

fn assumed(form: &Form) -> Result<Option<(char, char)>, RulesFault> {
    let Some(text) = &form.start_stop_assumed else {
        let unknown_ends = form.start_stop != Some(StartStop::Strip);
        if form.check == Some(CheckAlgorithm::CodabarMod16) && unknown_ends {
            let what = "codabar-mod-16 counts start and stop, which may not be sent";
            let remedy = "set start_stop = \"strip\", or say with start_stop_assumed = \"AB\" which they are";
            return Err(fault("start_stop_assumed", what, remedy));
        }
        return Ok(None);
    };
    if let Some(Between { start, inner: "", stop }) = between(text) {
        return Ok(Some((start, stop)));
    }
    let what = format!("{text:?} is not a start and a stop character");
    Err(fault("start_stop_assumed", what, "write two of A, B, C and D"))
}

fn check(form: &Form, number: &'static str, has: impl Fn(&str) -> bool) -> Result<Option<Check>, RulesFault> {
    let Some(algorithm) = form.check else {
        if has("check") {
            let remedy = "say with check = \"…\" how it is made, or take the group out";
            return Err(fault("check", "the pattern has a group check, and nothing verifies it", remedy));
        }
        return Ok(None);
    };
    if !has("check") {
        let what = "a check is asked for, and the pattern has no group named check";
        return Err(fault("pattern", what, "write (?<check>.) around the check character"));
    }
    if algorithm == CheckAlgorithm::Mod10 && form.check_weights.is_empty() {
        let remedy = "write them from the right: [1] for the plain sum, [3, 1] as in EAN";
        return Err(fault("check_weights", "mod-10 needs weights", remedy));
    }
    if let Some(missing) = form.check_over.iter().find(|name| !has(name)) {
        let what = format!("the pattern has no group {missing:?}");
        return Err(fault("check_over", what, "name groups of the pattern"));
    }
    let over = if form.check_over.is_empty() { vec![number.to_owned()] } else { form.check_over.clone() };
    Ok(Some(Check { algorithm, weights: form.check_weights.clone(), over }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `number`, `number/tube`, or the name of the refusal.
    fn check(form: &Form, scan: &str, expect: Option<Result<&str, &str>>) {
        let found = PatternForm::new(form).unwrap().read(scan).map(|found| {
            found
                .map(|i| match i.tube {
                    Some(tube) => format!("{}/{tube}", i.number),
                    None => i.number,
                })
                .map_err(|refusal| refusal.name().to_owned())
        });
        let expect = expect.map(|e| e.map(str::to_owned).map_err(str::to_owned));
        assert_eq!(found, expect, "{scan:?}");
    }

    #[test]
    fn the_whole_id_has_to_fit_and_zeros_stay() {
        check(&Form::pattern("x", r"(?<donation>\S+)"), "000123", Some(Ok("000123")));
        check(&Form::pattern("x", r"(?<donation>\d{6})"), "0001234", None);
        check(&Form::pattern("x", r"^(?<donation>\d{6})$"), "000123", Some(Ok("000123")));
        check(&Form::pattern("x", "a|(?<donation>b)"), "a", None);
        check(&Form::pattern("x", r"(?<donation>\d{6})"), "000123 ", None);
    }

    #[test]
    fn prefixes_and_suffixes_are_named_groups() {
        let form = Form::pattern("x", r"(?:BC)?(?<donation>[A-Z]\d{12})(?:-(?<tube>\d))?");
        check(&form, "G123498654321-2", Some(Ok("G123498654321/2")));
        check(&form, "BCG123498654321", Some(Ok("G123498654321")));
        let pool = PatternForm::new(&Form::pattern("x", r"P(?<pool>\d{5})")).unwrap();
        assert_eq!(pool.read("P00017").unwrap().unwrap().whose, Whose::Pool);
    }

    #[test]
    fn a_segment_of_the_bag_is_told_from_its_tubes() {
        let pattern = r"(?<donation>\d{4})(?:-(?<tube>\d)|(?<segment>SEG\d*))?";
        let form = PatternForm::new(&Form { one_scan: true, ..Form::pattern("x", pattern) }).unwrap();
        let read = |scan| {
            let id = form.read(scan).unwrap().unwrap();
            (id.tube, id.segment, id.one_scan)
        };
        assert_eq!(read("1234"), (None, false, true));
        assert_eq!(read("1234-2"), (Some("2".to_owned()), false, true));
        assert_eq!(read("1234SEG7"), (Some("SEG7".to_owned()), true, false));
        let empty = PatternForm::new(&Form::pattern("x", r"(?<donation>\d{4})(?<segment>S?)")).unwrap();
        assert!(!empty.read("1234").unwrap().unwrap().segment, "a group that matches nothing marks nothing");
        assert_eq!(
            PatternForm::new(&Form::pattern("x", "(?<pool>P)(?<segment>S)")).err().unwrap().key,
            "pattern"
        );
    }

    #[test]
    fn blanks_and_case_change_only_where_it_is_configured() {
        let as_sent = Form::pattern("x", r"(?<donation>\S+)");
        check(&as_sent, "ab 1", None);
        check(&as_sent, "ab1", Some(Ok("ab1")));
        let form = Form { remove: " -".to_owned(), case: Some(Case::Upper), ..as_sent.clone() };
        check(&form, "ab 1-2", Some(Ok("AB12")));
        check(&Form { case: Some(Case::Lower), ..as_sent }, "AB", Some(Ok("ab")));
    }

    #[test]
    fn numbers_are_brought_to_an_exact_length_or_not_at_all() {
        let pad = Some(Pad { from: 4, to: 6, with: '0' });
        let form = Form { pad, ..Form::pattern("x", r"(?<donation>\d+)") };
        check(&form, "1234", Some(Ok("001234")));
        check(&form, "001234", Some(Ok("001234")));
        check(&form, "12345", None);
        check(&form, "123", None);
        check(&form, "0001234", None);
    }

    #[test]
    fn start_and_stop_are_stripped_as_configured() {
        let plain = Form::pattern("x", r"(?<donation>\d{7})");
        let strip = Form { start_stop: Some(StartStop::Strip), ..plain.clone() };
        check(&strip, "A0123456B", Some(Ok("0123456")));
        check(&strip, "0123456", None);
        let perhaps = Form { start_stop: Some(StartStop::StripIfSent), ..plain.clone() };
        check(&perhaps, "d0123456d", Some(Ok("0123456")));
        check(&perhaps, "0123456", Some(Ok("0123456")));
        check(&perhaps, "A0123456", None);
        check(&plain, "A0123456B", None);
    }

    #[test]
    fn check_characters_are_verified_and_taken_off() {
        let with = |check, pattern: &str| Form { check: Some(check), ..Form::pattern("x", pattern) };
        let luhn = with(CheckAlgorithm::Luhn, r"(?<donation>\d{10})(?<check>\d)");
        check(&luhn, "79927398713", Some(Ok("7992739871")));
        check(&luhn, "79927398712", Some(Err("specimen_check_failed")));
        let inside = with(CheckAlgorithm::Ean13, r"(?<donation>\d{12}(?<check>\d))");
        check(&inside, "4006381333931", Some(Ok("4006381333931")));
        check(&inside, "4006381333932", Some(Err("specimen_check_failed")));
        let iso = with(CheckAlgorithm::Mod37Two, r"(?<donation>[A-Z0-9]{13})(?<check>[A-Z0-9*])?");
        check(&iso, "G123498654321H", Some(Ok("G123498654321")));
        check(&iso, "G123498654321", Some(Ok("G123498654321")));
        check(&iso, "G123498654321I", Some(Err("specimen_check_failed")));
        let weights = vec![3, 1];
        let gs1 = Form {
            check_weights: weights,
            ..with(CheckAlgorithm::Mod10, r"(?<donation>\d{12})(?<check>\d)")
        };
        check(&gs1, "4006381333931", Some(Ok("400638133393")));
        let over = Form {
            check_over: vec!["centre".to_owned(), "donation".to_owned()],
            ..with(CheckAlgorithm::Luhn, r"(?<centre>\d{2})(?<donation>\d{8})(?<check>\d)")
        };
        check(&over, "79927398713", Some(Ok("92739871")));
        let letters = with(CheckAlgorithm::Luhn, r"(?<donation>\w{10})(?<check>\d)");
        check(&letters, "A9927398713", Some(Err("specimen_check_failed")));
    }

    #[test]
    fn codabar_counts_start_and_stop_in_its_check() {
        let pattern = r"(?<donation>\d{5})(?<check>[\d$:/.+A-D-])";
        let form = Form {
            start_stop: Some(StartStop::StripIfSent),
            start_stop_assumed: Some("AB".to_owned()),
            check: Some(CheckAlgorithm::CodabarMod16),
            ..Form::pattern("x", pattern)
        };
        check(&form, "A37859+B", Some(Ok("37859")));
        check(&form, "37859+", Some(Ok("37859")));
        check(&form, "B37859+B", Some(Err("specimen_check_failed")));
    }

    #[test]
    fn rules_that_cannot_be_meant_are_refused_with_their_key() {
        let x = |pattern: &str| Form::pattern("x", pattern);
        let luhn = Some(CheckAlgorithm::Luhn);
        for (form, key, says) in [
            (Form { pattern: None, ..x("") }, "pattern", "no pattern"),
            (x("("), "pattern", "unclosed group"),
            (x("y"), "pattern", "no group named donation"),
            (x("(?<donation>a)(?<pool>b)"), "pattern", "both"),
            (x("(?<donation>a)(?<serial>b)"), "pattern", "\"serial\""),
            (x("(?<donation>a)(?<check>b)"), "check", "nothing verifies"),
            (Form { check: luhn, ..x("(?<donation>a)") }, "pattern", "no group named check"),
            (
                Form { check: Some(CheckAlgorithm::Mod10), ..x("(?<donation>a)(?<check>b)") },
                "check_weights",
                "weights",
            ),
            (
                Form { check: luhn, check_over: vec!["site".into()], ..x("(?<donation>a)(?<check>b)") },
                "check_over",
                "\"site\"",
            ),
            (Form { pad: Some(Pad { from: 6, to: 6, with: '0' }), ..x("(?<donation>a)") }, "pad", "6"),
            (
                Form { check: Some(CheckAlgorithm::CodabarMod16), ..x("(?<donation>a)(?<check>b)") },
                "start_stop_assumed",
                "may not be sent",
            ),
            (
                Form { start_stop_assumed: Some("AX".into()), ..x("(?<donation>a)") },
                "start_stop_assumed",
                "\"AX\"",
            ),
            (x(r"(?<donation>(\w{1000}){1000})"), "pattern", "size limit"),
        ] {
            let fault = PatternForm::new(&form).unwrap_err();
            assert_eq!(fault.key, key, "{fault}");
            assert!(fault.what.contains(says), "{fault}");
        }
    }
}
