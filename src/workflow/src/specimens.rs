//! From the specimen id an analyser read to the donation it belongs to.

use regex::Regex;
use vocabulary::{DonationId, SpecimenId};

/// Why a rule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecimenRuleError {
    /// The expression is none.
    #[error("the specimen pattern cannot be read: {0}")]
    Expression(String),
    /// There is no group named `donation`.
    #[error(
        "the specimen pattern has no group named donation: write (?<donation>…) around the donation's number"
    )]
    NoDonation,
}

/// The site's rule: a regular expression over the whole id, with the named group `donation`.
///
/// Ids are never read as numbers, padded, shortened or matched by their beginning (protocols §4.5).
#[derive(Debug, Clone)]
pub struct SpecimenRule(Regex);

impl SpecimenRule {
    /// Reads a rule.
    ///
    /// # Errors
    /// [`SpecimenRuleError`] when the expression is none or names no donation.
    pub fn new(expression: &str) -> Result<Self, SpecimenRuleError> {
        // The whole id has to match, whatever the site wrote.
        let whole = format!(r"\A(?:{expression})\z");
        let regex = Regex::new(&whole).map_err(|e| SpecimenRuleError::Expression(e.to_string()))?;
        if regex.capture_names().flatten().any(|name| name == "donation") {
            Ok(Self(regex))
        } else {
            Err(SpecimenRuleError::NoDonation)
        }
    }

    /// The donation a specimen belongs to; nothing when the id does not fit the rule.
    #[must_use]
    pub fn donation(&self, specimen: &SpecimenId) -> Option<DonationId> {
        let found = self.0.captures(specimen.as_str())?;
        DonationId::new(found.name("donation")?.as_str()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: &str, specimen: &str, expect: Option<&str>) {
        let found = SpecimenRule::new(rule).unwrap().donation(&SpecimenId::new(specimen).unwrap());
        assert_eq!(found.as_ref().map(DonationId::as_str), expect, "{rule} {specimen}");
    }

    #[test]
    fn the_whole_id_has_to_fit_and_zeros_stay() {
        check(r"(?<donation>\S+)", "000123", Some("000123"));
        check(r"(?<donation>\d{6})", "0001234", None);
        check(r"(?<donation>\d{6})", "000123", Some("000123"));
        check(r"(?<donation>[A-Z]\d{12})(-\d)?", "G123498654321-2", Some("G123498654321"));
        check(r"a|(?<donation>b)", "a", None);
    }

    #[test]
    fn a_rule_without_a_donation_is_refused() {
        assert_eq!(SpecimenRule::new("x").unwrap_err(), SpecimenRuleError::NoDonation);
        assert!(matches!(SpecimenRule::new("(").unwrap_err(), SpecimenRuleError::Expression(_)));
    }
}
