//! Names of assays: those that profiles know, and the nearest to one that none knows.

use crate::Profiles;
use std::collections::BTreeSet;

/// Nearest names that are told.
const NEAREST_MAX: usize = 3;

/// Every assay that some profile knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Assays(BTreeSet<String>);

impl Assays {
    pub(crate) fn of(profiles: &Profiles) -> Self {
        Self(profiles.assays().map(str::to_owned).collect())
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    pub(crate) fn nearest(&self, name: &str) -> Vec<String> {
        nearest(name, self.0.iter().map(String::as_str))
    }
}

/// The known names most like `name`: those that hold it first, then those that differ by little.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Vec<String> {
    let wanted = name.to_lowercase();
    let rank = |candidate: &str| {
        let lower = candidate.to_lowercase();
        if lower == wanted {
            return Some(0);
        }
        if !wanted.is_empty() && (lower.contains(&wanted) || wanted.contains(&lower)) {
            return Some(1);
        }
        let distance = strsim::damerau_levenshtein(&lower, &wanted);
        let longer = lower.chars().count().max(wanted.chars().count());
        (distance <= 1 + longer / 3).then_some(1 + distance)
    };
    let mut found: Vec<(usize, &str)> = known.filter_map(|c| Some((rank(c)?, c))).collect();
    found.sort_unstable();
    found.into_iter().take(NEAREST_MAX).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expect: &[&str]) {
        let known = ["ARCHITECT HBsAg Qualitative II", "ELISA HBsAg", "ELISA anti-HCV", "Mindray ALT"];
        assert_eq!(nearest(name, known.into_iter()), expect, "{name}");
    }

    #[test]
    fn a_name_that_nobody_knows_leads_to_those_that_hold_it_or_are_like_it() {
        check("HBsAg", &["ARCHITECT HBsAg Qualitative II", "ELISA HBsAg"]);
        check("elisa hbsag", &["ELISA HBsAg"]);
        check("ELISA HBsAG2", &["ELISA HBsAg"]);
        check("Mindray AST", &["Mindray ALT"]);
        check("urea", &[]);
        check("", &[]);
    }
}
