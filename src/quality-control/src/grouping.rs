//! Grouping reagents against cells that are known (rules.md §2.4): a reagent that fails takes back every result since its
//! last passing control.

use jiff::Timestamp;
use vocabulary::{Grade, Strength};

/// What a reagent has to give with a known cell or serum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Due {
    /// Nothing at all.
    Zero,
    /// At least this strength, without a remark.
    AtLeast(Strength),
}

/// One known reaction that a reagent has to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The reagent or cell under control: `anti-A`, `A1 cells`, `Coombs cells`.
    pub reagent: &'static str,
    /// What it is tested with.
    pub with: &'static str,
    /// What has to come out.
    pub due: Due,
}

const fn known(reagent: &'static str, with: &'static str, due: Due) -> Known {
    Known { reagent, with, due }
}

const STRONG: Due = Due::AtLeast(Strength::Three);
const ANY: Due = Due::AtLeast(Strength::One);

/// The known reactions of rules.md §2.4.
pub const KNOWN: [Known; 13] = [
    known("anti-A", "A1 cells", STRONG),
    known("anti-A", "B cells", Due::Zero),
    known("anti-B", "B cells", STRONG),
    known("anti-B", "A1 cells", Due::Zero),
    known("anti-D", "D+ cells", STRONG),
    known("anti-D", "D- cells", Due::Zero),
    known("A1 cells", "anti-A", STRONG),
    known("A1 cells", "anti-B", Due::Zero),
    known("B cells", "anti-B", STRONG),
    known("B cells", "anti-A", Due::Zero),
    known("screening cells", "weak anti-D", ANY),
    known("screening cells", "AB serum", Due::Zero),
    known("Coombs cells", "antiglobulin", ANY),
];

/// A control reaction as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// When.
    pub at: Timestamp,
    /// The reagent or cell under control.
    pub reagent: String,
    /// What it was tested with.
    pub with: String,
    /// The reagent's lot.
    pub lot: String,
    /// What came out.
    pub grade: Grade,
}

/// What stands for a reagent's results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReagentState {
    /// Every known reaction came out as it has to, since the time given.
    Passing {
        /// The last time that all of them had.
        since: Timestamp,
    },
    /// One did not: every result after `since` is invalid.
    Failing {
        /// The last passing control; none where there never was one.
        since: Option<Timestamp>,
        /// Which reaction, in English.
        why: String,
        /// Which reaction, in Chinese.
        why_zh: String,
    },
    /// A known reaction was never shown: nothing may be concluded.
    Open {
        /// What it has not been tested with.
        missing: Vec<&'static str>,
    },
}

/// Whether one reaction came out as it has to. A remark (mixed field, haemolysis) never does.
#[must_use]
pub fn passes(due: Due, grade: Grade) -> bool {
    match due {
        Due::Zero => grade.is_zero(),
        Due::AtLeast(min) => !grade.has_remark() && grade.strength.is_some_and(|strength| strength >= min),
    }
}

/// Judges one lot of a reagent by its control reactions, in any order.
#[must_use]
pub fn reagent_state(reagent: &str, lot: &str, reactions: &[Reaction]) -> ReagentState {
    let needed: Vec<&Known> = KNOWN.iter().filter(|k| k.reagent == reagent).collect();
    let mut last: Vec<(&Known, Option<&Reaction>)> = Vec::new();
    for one in needed {
        let own = reactions.iter().filter(|r| r.reagent == reagent && r.lot == lot && r.with == one.with);
        // Of two readings at one moment the failing one counts.
        last.push((one, own.max_by_key(|r| (r.at, !passes(one.due, r.grade)))));
    }
    let failing = last.iter().find_map(|(one, found)| {
        let found = (*found)?;
        (!passes(one.due, found.grade)).then_some((*one, found))
    });
    if let Some((one, found)) = failing {
        let good = reactions.iter().filter(|r| {
            r.reagent == reagent
                && r.lot == lot
                && r.with == one.with
                && r.at < found.at
                && passes(one.due, r.grade)
        });
        let (due, due_zh) = match one.due {
            Due::Zero => ("0".to_owned(), "0".to_owned()),
            Due::AtLeast(min) => (format!("at least {}", min.name()), format!("≥{}", min.name())),
        };
        let (with, grade) = (one.with, found.grade);
        return ReagentState::Failing {
            since: good.map(|r| r.at).max(),
            why: format!(
                "{reagent} lot {lot} gives {grade} with {with}, {due} is due; repeat every result since its last passing control"
            ),
            why_zh: format!(
                "{reagent} 批号 {lot} 与 {with} 反应为 {grade}，应为 {due_zh}；上次合格质控后的结果全部重做"
            ),
        };
    }
    let missing: Vec<&'static str> = last.iter().filter(|(_, r)| r.is_none()).map(|(k, _)| k.with).collect();
    match last.iter().filter_map(|(_, r)| r.map(|r| r.at)).min() {
        Some(since) if missing.is_empty() => ReagentState::Passing { since },
        Some(_) | None => ReagentState::Open { missing },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    fn reaction(hour: i64, with: &str, grade: &str) -> Reaction {
        let (reagent, lot) = ("anti-A".to_owned(), "L".to_owned());
        Reaction { at: at(hour), reagent, with: with.into(), lot, grade: grade.parse().unwrap() }
    }

    /// F12: anti-A gives 1+ with A1 cells, at least 3+ is due.
    #[test]
    fn a_failing_reagent_takes_back_everything_since_it_last_passed() {
        let mut reactions = vec![reaction(1, "A1 cells", "4+"), reaction(1, "B cells", "0")];
        assert_eq!(reagent_state("anti-A", "L", &reactions), ReagentState::Passing { since: at(1) });
        reactions.push(reaction(9, "A1 cells", "1+"));
        let found = reagent_state("anti-A", "L", &reactions);
        let ReagentState::Failing { since, why, why_zh } = found else { panic!("{found:?}") };
        assert_eq!(since, Some(at(1)));
        assert!(why.contains("1+ with A1 cells, at least 3+ is due") && !why_zh.is_empty(), "{why}");
        reactions.push(reaction(10, "A1 cells", "3+"));
        assert_eq!(reagent_state("anti-A", "L", &reactions), ReagentState::Passing { since: at(1) });
    }

    #[test]
    fn a_reaction_that_was_never_shown_proves_nothing() {
        let only = [reaction(1, "A1 cells", "4+")];
        assert_eq!(reagent_state("anti-A", "L", &only), ReagentState::Open { missing: vec!["B cells"] });
        assert!(matches!(reagent_state("anti-A", "M", &only), ReagentState::Open { .. }), "another lot");
        assert!(
            matches!(reagent_state("anti-X", "L", &only), ReagentState::Open { .. }),
            "no known reaction"
        );
    }

    #[test]
    fn mixed_field_and_haemolysis_never_pass() {
        for (due, grade, good) in [
            (STRONG, "3+", true),
            (STRONG, "2+", false),
            (STRONG, "4+ mf", false),
            (Due::Zero, "0", true),
            (Due::Zero, "w", false),
            (ANY, "1+", true),
            (ANY, "w", false),
        ] {
            assert_eq!(passes(due, grade.parse().unwrap()), good, "{due:?} {grade}");
        }
    }
}
