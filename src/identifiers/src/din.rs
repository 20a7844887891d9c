//! ISBT 128 data structure 001: the donation identification number (DIN).
//!
//! ```text
//!   = G 1 2 3 4 9 8 6 5 4 3 2 1 0 0        H
//!   │ └─ α pppp ┘ yy └ serial ┘ └ flags    └ check character, printed in a box and keyed in, never in the bar code
//!   └ data identifier; α is its second character
//! ```
//!
//! The flags are no part of the number. 00 says nothing, 01–59 are for process use or the site's own, 60–96 are the
//! check value and 60, and are verified.

use crate::{
    Refusal,
    algorithm::{din_check_character, din_check_value},
    normaliser::{Identified, Whose},
    rules::{DinShape, Form, RulesFault},
};
use regex::Regex;

/// Characters of the number.
const DIN_CHARS: usize = 13;
/// Characters of the facility's number, at its beginning.
const FACILITY_CHARS: usize = 5;
/// Flags of type 3 begin here.
const CHECK_FLAGS_FROM: usize = 60;

/// A checked form of kind `isbt128-din`.
#[derive(Debug, Clone)]
pub(crate) struct DinForm {
    name: String,
    accept: Vec<DinShape>,
    equals: Vec<char>,
    facility: Option<Regex>,
    site_flags: Vec<String>,
    one_scan: bool,
}

impl DinForm {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn new(form: &Form) -> Result<Self, RulesFault> {
        let fault =
            |key, what: String, remedy: &str| RulesFault { form: None, key, what, remedy: remedy.to_owned() };
        if form.accept.as_ref().is_some_and(Vec::is_empty) {
            let remedy = "name the shapes it may have, or leave the key out for all of them";
            return Err(fault("accept", "the list of accepted shapes is empty".to_owned(), remedy));
        }
        if let Some(flags) = form.site_flags.iter().find(|flags| flags.chars().count() != 2) {
            return Err(fault(
                "site_flags",
                format!("{flags:?} are not two characters"),
                "write each as two characters, such as \"A1\"",
            ));
        }
        Ok(Self {
            name: form.name.clone(),
            accept: form.accept.clone().unwrap_or_else(|| DinShape::ALL.to_vec()),
            equals: std::iter::once('=').chain(form.equals_as.chars()).collect(),
            facility: form
                .facility
                .as_ref()
                .map(|expression| crate::form::whole_expression("facility", expression))
                .transpose()?,
            site_flags: form.site_flags.clone(),
            one_scan: form.one_scan,
        })
    }

    /// Every way to take `scan` for a DIN: the number, or what is wrong with it.
    pub(crate) fn read(&self, scan: &str) -> Vec<Result<Identified, Refusal>> {
        let text: String = scan.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
        let behind_equals = text.strip_prefix(|c| self.equals.contains(&c));
        let shapes = self.accept.iter().filter_map(|shape| {
            let (number, rest) = match shape {
                DinShape::EqualsFlags => parts(behind_equals?, 2)?,
                DinShape::Equals => parts(behind_equals?, 0)?,
                DinShape::Flags => parts(&text, 2)?,
                DinShape::Check => parts(&text, 1)?,
                DinShape::Bare => parts(&text, 0)?,
            };
            self.number(*shape, number, rest)
        });
        shapes.collect()
    }

    fn number(&self, shape: DinShape, number: &str, rest: &str) -> Option<Result<Identified, Refusal>> {
        if !is_din(number) {
            return None;
        }
        if let Some(facility) = &self.facility
            && !facility.is_match(number.get(..FACILITY_CHARS)?)
        {
            return None;
        }
        let wrong = match shape {
            DinShape::EqualsFlags | DinShape::Flags => self.wrong_flags(number, rest),
            DinShape::Check => self.wrong_check(number, rest),
            DinShape::Equals | DinShape::Bare => None,
        };
        Some(match wrong {
            Some(refusal) => Err(refusal),
            None => Ok(Identified {
                form: self.name.clone(),
                whose: Whose::Donation,
                number: number.to_owned(),
                tube: None,
                segment: false,
                check: din_check_character(number),
                one_scan: self.one_scan,
            }),
        })
    }

    fn wrong_check(&self, number: &str, found: &str) -> Option<Refusal> {
        let expected = din_check_character(number)?.to_string();
        (expected != found).then(|| Refusal::CheckFailed {
            form: self.name.clone(),
            found: found.to_owned(),
            expected,
        })
    }

    fn wrong_flags(&self, number: &str, flags: &str) -> Option<Refusal> {
        if self.site_flags.iter().any(|known| known == flags) {
            return None;
        }
        let unknown = || Refusal::UnknownFlags { form: self.name.clone(), flags: flags.to_owned() };
        // Two ASCII digits, as `is_din` has seen to the rest: no sign, no blank.
        let Some(value) = flags.bytes().all(|b| b.is_ascii_digit()).then(|| flags.parse().ok()).flatten()
        else {
            return Some(unknown());
        };
        match value {
            0..CHECK_FLAGS_FROM => None,
            60..=96 => {
                let expected = din_check_value(number)? + CHECK_FLAGS_FROM;
                (expected != value).then(|| Refusal::CheckFailed {
                    form: self.name.clone(),
                    found: flags.to_owned(),
                    expected: expected.to_string(),
                })
            }
            _ => Some(unknown()),
        }
    }
}

/// The number and exactly `rest` characters behind it.
fn parts(text: &str, rest: usize) -> Option<(&str, &str)> {
    (text.len() == DIN_CHARS + rest).then(|| text.split_at_checked(DIN_CHARS)).flatten()
}

/// `αppppyynnnnnn`: α is a capital letter but O, or a digit but 0; all the others are digits.
pub(crate) fn is_din(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|b| matches!(b, b'A'..=b'N' | b'P'..=b'Z' | b'1'..=b'9'));
    first && text.len() == DIN_CHARS && bytes.all(|b| b.is_ascii_digit())
}

/// The DIN that `scan` begins with, whatever stands behind it.
pub(crate) fn leading_din(scan: &str) -> Option<String> {
    let text: String = scan.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
    let number = text.strip_prefix('=').unwrap_or(&text).get(..DIN_CHARS)?;
    is_din(number).then(|| number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number, or the name of the refusal.
    fn check(form: &Form, scan: &str, expect: &[Result<&str, &str>]) {
        let found = DinForm::new(form).unwrap().read(scan);
        let found: Vec<Result<&str, &str>> =
            found.iter().map(|f| f.as_ref().map(|i| i.number.as_str()).map_err(Refusal::name)).collect();
        assert_eq!(found, expect, "{scan:?}");
    }

    #[test]
    fn every_shape_of_a_din_is_the_same_number() {
        let form = Form::din("din");
        for scan in [
            "G123498654321",
            "=G123498654321",
            "=G12349865432100",
            "G12349865432100",
            "=G12349865432177",
            "G12349865432177",
            "=G12349865432119",
            "G123498654321H",
            "g123498654321h",
            "G1234 98 654321 H",
            " G1234 98 654321 ",
            "=g1234 98 654321 00",
        ] {
            check(&form, scan, &[Ok("G123498654321")]);
        }
    }

    #[test]
    fn k01_check_character_and_check_flags_are_verified() {
        let form = Form::din("din");
        check(&form, "G123498654321J", &[Err("specimen_check_failed")]);
        check(&form, "G123498654321*", &[Err("specimen_check_failed")]);
        check(&form, "=G12349865432178", &[Err("specimen_check_failed")]);
        check(&form, "=G12349865432197", &[Err("specimen_flags_unknown")]);
        check(&form, "=G1234986543210A", &[Err("specimen_flags_unknown")]);
        check(&form, "=G123498654321+1", &[Err("specimen_flags_unknown")]);
        check(&Form::din("x"), "A999914123458J", &[Ok("A999914123458")]);
        check(&Form::din("x"), "=G15172360000193", &[Ok("G151723600001")]);
        let refused = DinForm::new(&form).unwrap().read("=G12349865432178").pop().unwrap().unwrap_err();
        assert!(refused.to_string().contains("\"77\""), "{refused}");
    }

    #[test]
    fn what_has_another_structure_is_no_din() {
        for scan in [
            "",
            "=",
            "O123498654321",
            "0123498654321",
            "GA23498654321",
            "G12349865432",
            "G1234986543210000",
            "==G12349865432100",
            "=%5100",
            "G12349865432\u{661}",
            "\u{ff27}123498654321",
        ] {
            check(&Form::din("din"), scan, &[]);
        }
    }

    #[test]
    fn a_keyboard_that_has_no_equals_sign_is_configured_and_only_its_first_character_counts() {
        let zero = Form { equals_as: "0\u{ff1d}".to_owned(), ..Form::din("din") };
        check(&zero, "0G12349865432100", &[Ok("G123498654321")]);
        check(&zero, "\u{ff1d}G123498654321", &[Ok("G123498654321")]);
        check(&zero, "G123498654300H", &[Err("specimen_check_failed")]);
        check(&Form::din("din"), "0G12349865432100", &[]);
        // 1 + 13 characters, and 13 with a check character: both are looked at.
        let one = Form { equals_as: "1".to_owned(), ..Form::din("din") };
        check(&one, "11234986543210", &[Ok("1234986543210"), Err("specimen_check_failed")]);
    }

    #[test]
    fn a_site_narrows_shapes_facilities_and_flags() {
        let form = Form {
            accept: Some(vec![DinShape::EqualsFlags, DinShape::Bare]),
            facility: Some("G12.*|S0001".to_owned()),
            site_flags: vec!["A1".to_owned()],
            ..Form::din("din")
        };
        check(&form, "=G123498654321A1", &[Ok("G123498654321")]);
        check(&form, "=G123498654321A2", &[Err("specimen_flags_unknown")]);
        check(&form, "G123498654321", &[Ok("G123498654321")]);
        check(&form, "G123498654321H", &[]);
        check(&form, "A123498654321", &[]);
        check(&form, "S000198654321", &[Ok("S000198654321")]);
    }

    #[test]
    fn rules_that_cannot_be_meant_are_refused() {
        let key = |form: Form| DinForm::new(&form).unwrap_err().key;
        assert_eq!(key(Form { accept: Some(vec![]), ..Form::din("x") }), "accept");
        assert_eq!(key(Form { site_flags: vec!["A".to_owned()], ..Form::din("x") }), "site_flags");
        assert_eq!(key(Form { facility: Some("(".to_owned()), ..Form::din("x") }), "facility");
    }
}
