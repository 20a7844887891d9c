//! Reaction grades (rules.md §5.2): a scale, with mixed field, haemolysis and double population beside it; and `+`, a
//! reaction that was seen and whose strength nobody told.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The scale, in ascending order: 0 < w < 1+ < 2+ < 3+ < 4+.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// No reaction.
    Zero,
    /// Weak, ±.
    Weak,
    /// 1+.
    One,
    /// 2+.
    Two,
    /// 3+.
    Three,
    /// 4+.
    Four,
}

impl Strength {
    const NAMES: [(Self, &'static str); 6] = [
        (Self::Zero, "0"),
        (Self::Weak, "w"),
        (Self::One, "1+"),
        (Self::Two, "2+"),
        (Self::Three, "3+"),
        (Self::Four, "4+"),
    ];

    /// The name used in JSON: `0`, `w`, `1+` … `4+`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(s, _)| *s == self).map_or("?", |(_, n)| n)
    }
}

/// A reaction as it was read. `strength` may be absent where only a remark was given (`mf`, `H`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "remarks stand beside the scale independently of each other"
)]
pub struct Grade {
    /// Place on the scale.
    pub strength: Option<Strength>,
    /// `+`: positive, and no place on the scale was told. It stands for no strength, weak or strong.
    pub bare_plus: bool,
    /// Two populations of cells seen as agglutinated and free.
    pub mixed_field: bool,
    /// Haemolysis: a positive reaction.
    pub haemolysis: bool,
    /// Double population, as gel readers report it.
    pub double_population: bool,
}

/// A text that is no grade. Never a negative reaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a reaction grade (0, w, 1+, 2+, 3+, 4+, or + where no strength is told, with mf, H or dp beside it)"
)]
pub struct UnknownGrade(pub String);

impl Grade {
    /// A plain place on the scale.
    #[must_use]
    pub const fn plain(strength: Strength) -> Self {
        Self {
            strength: Some(strength),
            bare_plus: false,
            mixed_field: false,
            haemolysis: false,
            double_population: false,
        }
    }

    /// `+`: a reaction whose strength was not told.
    #[must_use]
    pub const fn untold() -> Self {
        Self {
            strength: None,
            bare_plus: true,
            mixed_field: false,
            haemolysis: false,
            double_population: false,
        }
    }

    /// Exactly 0, with no remark beside it.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::plain(Strength::Zero)
    }

    /// Whether a remark stands beside the scale.
    #[must_use]
    pub fn has_remark(self) -> bool {
        self.mixed_field || self.haemolysis || self.double_population
    }
}

impl FromStr for Grade {
    type Err = UnknownGrade;

    /// Reads `4+`, `0`, `w`, `+`, `mf`, `3+ mf`, `H`, `2+ dp`. Words are separated by blanks; each at most once.
    fn from_str(text: &str) -> Result<Self, UnknownGrade> {
        let unknown = || UnknownGrade(text.to_owned());
        let mut grade = Self { bare_plus: false, ..Self::untold() };
        for word in text.split_ascii_whitespace() {
            let seen = match word {
                "+" => std::mem::replace(&mut grade.bare_plus, true),
                "mf" => std::mem::replace(&mut grade.mixed_field, true),
                "H" => std::mem::replace(&mut grade.haemolysis, true),
                "dp" => std::mem::replace(&mut grade.double_population, true),
                other => {
                    let named = Strength::NAMES.iter().find(|(_, n)| *n == other).ok_or_else(unknown)?.0;
                    grade.strength.replace(named).is_some()
                }
            };
            if seen {
                return Err(unknown());
            }
        }
        let told = grade.strength.is_some();
        let says_nothing = !told && !grade.bare_plus && !grade.has_remark();
        if says_nothing || (told && grade.bare_plus) { Err(unknown()) } else { Ok(grade) }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            self.strength.map(Strength::name),
            self.bare_plus.then_some("+"),
            self.mixed_field.then_some("mf"),
            self.haemolysis.then_some("H"),
            self.double_population.then_some("dp"),
        ];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        f.pad(&words.join(" "))
    }
}

impl TryFrom<String> for Grade {
    type Error = UnknownGrade;
    fn try_from(text: String) -> Result<Self, UnknownGrade> {
        text.parse()
    }
}

impl From<Grade> for String {
    fn from(grade: Grade) -> String {
        grade.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mixed_field_stands_beside_the_scale_and_is_not_zero() {
        let grade: Grade = "0 mf".parse().unwrap();
        assert!(grade.mixed_field && !grade.is_zero());
        assert_eq!("mf".parse::<Grade>().unwrap().strength, None);
    }

    #[test]
    fn error_codes_and_blanks_are_no_grades() {
        for text in ["", " ", "-115", "-", "?", "40", "5+", "++", "+ +", "4+ +", "4+ 4+", "mf mf", "NEG"] {
            assert_eq!(text.parse::<Grade>(), Err(UnknownGrade(text.into())));
        }
    }

    #[test]
    fn a_bare_plus_has_no_strength_and_is_no_remark() {
        let grade: Grade = "+".parse().unwrap();
        assert_eq!((grade, grade.strength), (Grade::untold(), None));
        assert!(!grade.is_zero() && !grade.has_remark());
        assert_eq!("+ mf".parse::<Grade>().unwrap().to_string(), "+ mf");
    }

    #[test]
    fn the_scale_is_in_order() {
        assert!(Strength::NAMES.windows(2).all(|w| w[0].0 < w[1].0));
    }

    proptest! {
        #[test]
        fn a_grade_reads_back_as_written(s in 0usize..7, plus: bool, mf: bool, h: bool, dp: bool) {
            let grade = Grade {
                strength: Strength::NAMES.get(s).map(|n| n.0),
                bare_plus: plus && s == 6, mixed_field: mf, haemolysis: h, double_population: dp,
            };
            prop_assume!(grade.strength.is_some() || grade.bare_plus || grade.has_remark());
            prop_assert_eq!(grade.to_string().parse::<Grade>().unwrap(), grade);
        }
    }
}
