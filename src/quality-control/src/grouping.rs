//! What a grouping reagent has to give with a cell or serum that is known (rules.md §2.4).

use vocabulary::{Grade, Strength};

/// What a reagent has to give with a known cell or serum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Due {
    /// Nothing at all.
    Zero,
    /// At least this strength, without a remark.
    AtLeast(Strength),
}

/// Whether one reaction came out as it has to. A remark (mixed field, haemolysis) never does.
#[must_use]
pub fn passes(due: Due, grade: Grade) -> bool {
    match due {
        Due::Zero => grade.is_zero(),
        Due::AtLeast(min) => !grade.has_remark() && grade.strength.is_some_and(|strength| strength >= min),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_field_and_haemolysis_never_pass() {
        for (due, grade, good) in [
            (Due::AtLeast(Strength::Three), "3+", true),
            (Due::AtLeast(Strength::Three), "2+", false),
            (Due::AtLeast(Strength::Three), "4+ mf", false),
            (Due::Zero, "0", true),
            (Due::Zero, "w", false),
            (Due::AtLeast(Strength::One), "1+", true),
            (Due::AtLeast(Strength::One), "w", false),
        ] {
            assert_eq!(passes(due, grade.parse().unwrap()), good, "{due:?} {grade}");
        }
    }
}
