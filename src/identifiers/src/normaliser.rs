//! All forms of a site together: one outcome, or none.

use crate::{
    Code, CodeKind, Refusal,
    algorithm::din_check_character,
    din::{DinForm, is_din, leading_din},
    form::PatternForm,
    rules::{DinShape, Form, FormKind, Rules, RulesFault, Shortened},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Whose number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose {
    /// A donation's.
    Donation,
    /// A pool's: several donations'.
    Pool,
}

/// What a scan is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The form it has.
    pub form: String,
    /// Whose number it is.
    pub whose: Whose,
    /// The number, normalised.
    pub number: String,
    /// Tube or aliquot, where the id names one.
    pub tube: Option<String>,
    /// It is a piece of the bag's own tubing, not a sample tube.
    pub segment: bool,
    /// The check character that belongs to it: verified where it was sent; of a DIN in any case.
    pub check: Option<char>,
    /// The form says that all results of a donation come under one and the same scan.
    pub one_scan: bool,
}

/// What `id check` says of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Its sort.
    pub kind: CodeKind,
    /// Its number or value; the scan itself where it is none.
    pub value: String,
    /// The check character that belongs to it.
    pub check_character: Option<char>,
    /// Whether it is what it says it is.
    pub valid: bool,
    /// The site's form that it has, where that is one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// Tube or aliquot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tube: Option<String>,
    /// It is a segment of the bag.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub segment: bool,
    /// The date it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The ABO group it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abo: Option<&'static str>,
    /// The RhD type it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rhd: Option<&'static str>,
    /// Why it is not valid, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The same in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why_zh: Option<String>,
}

/// The site's rules, checked and ready.
#[derive(Debug, Clone)]
pub struct Normaliser {
    forms: Vec<Ready>,
    chars_max: usize,
    cut_at: BTreeMap<String, usize>,
    shortened: Shortened,
}

#[derive(Debug, Clone)]
struct Ready {
    only_on: Vec<String>,
    fallback: bool,
    form: ReadyForm,
}

#[derive(Debug, Clone)]
enum ReadyForm {
    Din(DinForm),
    Pattern(PatternForm),
}

impl Ready {
    fn new(form: &Form) -> Result<Self, RulesFault> {
        if let Some(key) = form.misplaced() {
            return Err(RulesFault {
                form: None,
                key,
                what: format!("{key} says nothing about a form of this kind"),
                remedy: "take it out, or change the kind".to_owned(),
            });
        }
        let ready = match form.kind {
            FormKind::Isbt128Din => ReadyForm::Din(DinForm::new(form)?),
            FormKind::Pattern => ReadyForm::Pattern(PatternForm::new(form)?),
        };
        Ok(Self { only_on: form.only_on.clone(), fallback: form.fallback, form: ready })
    }

    fn read(&self, scan: &str) -> Vec<Result<Identified, Refusal>> {
        match &self.form {
            ReadyForm::Din(form) => form.read(scan),
            ReadyForm::Pattern(form) => form.read(scan).into_iter().collect(),
        }
    }
}

impl Form {
    /// A key that is set and says nothing about this kind of form.
    fn misplaced(&self) -> Option<&'static str> {
        let din = [
            ("accept", self.accept.is_some()),
            ("equals_as", !self.equals_as.is_empty()),
            ("facility", self.facility.is_some()),
            ("site_flags", !self.site_flags.is_empty()),
        ];
        let pattern = [
            ("pattern", self.pattern.is_some()),
            ("start_stop", self.start_stop.is_some()),
            ("start_stop_assumed", self.start_stop_assumed.is_some()),
            ("remove", !self.remove.is_empty()),
            ("case", self.case.is_some()),
            ("check", self.check.is_some()),
            ("check_weights", !self.check_weights.is_empty()),
            ("check_over", !self.check_over.is_empty()),
            ("pad", self.pad.is_some()),
        ];
        let others = match self.kind {
            FormKind::Isbt128Din => &pattern[..],
            FormKind::Pattern => &din[..],
        };
        others.iter().find(|(_, set)| *set).map(|(key, _)| *key)
    }
}

impl Normaliser {
    /// Checks the rules.
    ///
    /// # Errors
    /// Every [`RulesFault`], each with its form and key.
    pub fn new(rules: &Rules) -> Result<Self, Vec<RulesFault>> {
        let mut faults = Vec::new();
        let mut forms = Vec::new();
        let mut names = BTreeSet::new();
        for (at, form) in rules.forms.iter().enumerate() {
            if !names.insert(form.name.as_str()) {
                faults.push(RulesFault {
                    form: Some(at),
                    key: "name",
                    what: format!("two forms are named {:?}", form.name),
                    remedy: "give each its own name".to_owned(),
                });
            }
            match Ready::new(form) {
                Ok(ready) => forms.push(ready),
                Err(fault) => faults.push(RulesFault {
                    form: Some(at),
                    what: format!("form {:?}: {}", form.name, fault.what),
                    ..fault
                }),
            }
        }
        if rules.forms.is_empty() {
            faults.push(RulesFault {
                form: None,
                key: "form",
                what: "there is no form: no id would be known".to_owned(),
                remedy: "add [[site.identifiers.form]], such as kind = \"isbt128-din\"".to_owned(),
            });
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            forms,
            chars_max: rules.chars_max,
            cut_at: rules.cut_at.clone(),
            shortened: rules.shortened,
        })
    }

    /// The short form: one expression with the group `donation`, and nothing besides.
    ///
    /// # Errors
    /// [`RulesFault`] when it is none or names no donation.
    pub fn of_pattern(expression: &str) -> Result<Self, RulesFault> {
        let form = Form::pattern("specimen_pattern", expression);
        Self::new(&Rules::of(vec![form])).map_err(|mut faults| {
            let fault = faults.pop();
            let mut fault = fault.unwrap_or(RulesFault {
                form: None,
                key: "specimen_pattern",
                what: String::new(),
                remedy: String::new(),
            });
            fault.form = None;
            fault
        })
    }

    /// What labels carry, of every facility: for checking a code where no site has said anything.
    #[must_use]
    pub fn of_labels() -> Self {
        Self::of_own(&[Form::din("ISBT 128 DIN")])
    }

    /// Of forms that are known to be right.
    fn of_own(forms: &[Form]) -> Self {
        let rules = Rules::of(Vec::new());
        Self {
            forms: forms.iter().filter_map(|form| Ready::new(form).ok()).collect(),
            chars_max: rules.chars_max,
            cut_at: rules.cut_at,
            shortened: rules.shortened,
        }
    }

    /// What a scan is, as read on a connection.
    ///
    /// # Errors
    /// [`Refusal`]: nothing may be matched to it.
    pub fn read(&self, scan: &str, connection: &str) -> Result<Identified, Refusal> {
        let chars = scan.chars().count();
        if self.cut_at.get(connection).is_some_and(|keeps| chars >= *keeps) {
            return Err(Refusal::MayBeCut { chars });
        }
        self.of_forms(scan, |form| form.only_on.is_empty() || form.only_on.iter().any(|on| on == connection))
    }

    /// What a scan is that came over no analyser's connection: keyed in, or from the blood information system.
    ///
    /// # Errors
    /// [`Refusal`]: nothing may be matched to it.
    pub fn read_entered(&self, scan: &str) -> Result<Identified, Refusal> {
        self.of_forms(scan, |form| form.only_on.is_empty())
    }

    /// The names of the forms.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.forms.iter().map(|ready| match &ready.form {
            ReadyForm::Din(form) => form.name(),
            ReadyForm::Pattern(form) => form.name(),
        })
    }

    /// What becomes of two numbers of which one is the other's beginning.
    #[must_use]
    pub fn shortened(&self) -> Shortened {
        self.shortened
    }

    fn of_forms(&self, scan: &str, applies: impl Fn(&Ready) -> bool) -> Result<Identified, Refusal> {
        let chars = scan.chars().count();
        if chars > self.chars_max {
            return Err(Refusal::TooLong { chars, max: self.chars_max });
        }
        let of = |fallback: bool| -> Vec<Result<Identified, Refusal>> {
            let forms = self.forms.iter().filter(|form| form.fallback == fallback && applies(form));
            forms.flat_map(|form| form.read(scan)).collect()
        };
        let mut outcomes = of(false);
        if outcomes.is_empty() {
            // A label's other code has no form of the site's, and never falls back to one.
            if let Some(code) = Code::read(scan).filter(|code| code.kind != CodeKind::Loinc) {
                return Err(Refusal::OtherCode(code.kind));
            }
            outcomes = of(true);
        }
        one(outcomes)
    }

    /// Everything that can be said of a scan, for people: the site's forms first, then what labels carry besides.
    #[must_use]
    pub fn check(&self, scan: &str) -> Checked {
        let strict = Self {
            forms: self.forms.iter().filter(|form| !form.fallback).cloned().collect(),
            chars_max: self.chars_max,
            cut_at: BTreeMap::new(),
            shortened: self.shortened,
        };
        match strict.of_forms(scan, |_| true) {
            Ok(found) => Checked::of(&found),
            Err(refusal) => match Code::read(scan) {
                Some(code) => Checked::of_code(code),
                None => Checked::refused(scan, &refusal),
            },
        }
    }
}

impl Default for Normaliser {
    /// Where a site says nothing: DINs, and any other id without a blank as it stands. A facility's number may begin with
    /// a digit; without the `=` such a DIN looks like a local code of as many digits, and the site has to say which it is.
    fn default() -> Self {
        let letter = Form { facility: Some("[A-Z][0-9]{4}".to_owned()), ..Form::din("ISBT 128 DIN") };
        let marked = Form {
            accept: Some(vec![DinShape::EqualsFlags, DinShape::Equals]),
            ..Form::din("ISBT 128 DIN with =")
        };
        let any = Form { fallback: true, ..Form::pattern("as sent", r"(?<donation>\S+)") };
        Self::of_own(&[letter, marked, any])
    }
}

/// One number, or why not: a failed check spoils every other form, and two numbers are none.
fn one(outcomes: Vec<Result<Identified, Refusal>>) -> Result<Identified, Refusal> {
    let mut found: Option<Identified> = None;
    for outcome in outcomes {
        let other = outcome?;
        match &found {
            None => found = Some(other),
            Some(first) if material(first) == material(&other) => {}
            Some(first) => {
                let say = |id: &Identified| match (&id.tube, id.whose) {
                    (Some(tube), _) => format!("{} tube {tube}", id.number),
                    (None, Whose::Donation) => id.number.clone(),
                    (None, Whose::Pool) => format!("pool {}", id.number),
                };
                return Err(Refusal::TwoOutcomes {
                    first_form: first.form.clone(),
                    first: say(first),
                    second_form: other.form.clone(),
                    second: say(&other),
                });
            }
        }
    }
    found.ok_or(Refusal::Unknown)
}

/// Of whom, and which of its tubes.
fn material(id: &Identified) -> (Whose, &str, Option<&str>, bool) {
    (id.whose, &id.number, id.tube.as_deref(), id.segment)
}

impl Checked {
    fn plain(kind: CodeKind, value: &str, valid: bool) -> Self {
        Self {
            kind,
            value: value.to_owned(),
            check_character: None,
            valid,
            form: None,
            tube: None,
            segment: false,
            date: None,
            abo: None,
            rhd: None,
            why: None,
            why_zh: None,
        }
    }

    fn of(found: &Identified) -> Self {
        let din = is_din(&found.number) && found.check.is_some();
        let mut checked = Self::plain(if din { CodeKind::Din } else { CodeKind::Site }, &found.number, true);
        checked.check_character = found.check;
        checked.form = (!din).then(|| found.form.clone());
        checked.tube.clone_from(&found.tube);
        checked.segment = found.segment;
        checked
    }

    fn of_code(code: Code) -> Self {
        let mut checked = Self::plain(code.kind, &code.value, code.well_formed);
        checked.check_character = code.check;
        checked.date = code.date;
        if let Some((abo, rhd)) = code.group {
            (checked.abo, checked.rhd) = (Some(abo), Some(rhd));
        }
        if !code.well_formed {
            checked.why =
                Some(format!("it is marked as {}, and does not have its structure", code.kind.english()));
            checked.why_zh = Some(format!("标识为{},但结构不符", code.kind.chinese()));
        }
        checked
    }

    fn refused(scan: &str, refusal: &Refusal) -> Self {
        let mut checked = Self::plain(CodeKind::Unknown, scan, false);
        if let Refusal::CheckFailed { .. } | Refusal::UnknownFlags { .. } = refusal {
            checked.kind = CodeKind::Site;
            if let Some(number) = leading_din(scan) {
                checked.kind = CodeKind::Din;
                checked.check_character = din_check_character(&number);
                checked.value = number;
            }
        }
        checked.why = Some(refusal.to_string());
        checked.why_zh = Some(refusal.chinese());
        checked
    }
}
