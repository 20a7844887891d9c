//! What a well measured: a number, or everything on one side of a bound. `>3.5` is surely above 2.0, and nobody knows
//! whether it is above 4.0.

use super::Relation;
use crate::ratio::{Inexact, Ratio};
use std::fmt;
use vocabulary::Comparator;

/// All that a value may be, both ends among it; none where it has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    low: Option<Ratio>,
    high: Option<Ratio>,
}

impl Range {
    /// Nothing is known of it.
    pub(super) const ANY: Self = Self { low: None, high: None };

    /// One number.
    pub(crate) fn point(number: Ratio) -> Self {
        Self { low: Some(number), high: Some(number) }
    }

    /// What was sent: a number, or a bound.
    pub(crate) fn sent(number: Ratio, bound: Option<Comparator>) -> Self {
        match bound {
            None => Self::point(number),
            Some(Comparator::Above | Comparator::AtLeast) => Self { low: Some(number), high: None },
            Some(Comparator::Below | Comparator::AtMost) => Self { low: None, high: Some(number) },
        }
    }

    /// The one number that it is; none where it may be several.
    pub(crate) fn number(self) -> Option<Ratio> {
        self.low.filter(|low| self.high == Some(*low))
    }

    fn each_end(
        self,
        other: Self,
        with: fn(Ratio, Ratio) -> Result<Ratio, Inexact>,
    ) -> Result<Self, Inexact> {
        let end = |a: Option<Ratio>, b: Option<Ratio>| a.zip(b).map(|(a, b)| with(a, b)).transpose();
        Ok(Self { low: end(self.low, other.low)?, high: end(self.high, other.high)? })
    }

    pub(crate) fn plus(self, other: Self) -> Result<Self, Inexact> {
        self.each_end(other, Ratio::plus)
    }

    pub(crate) fn minus(self, other: Self) -> Result<Self, Inexact> {
        self.each_end(Self { low: other.high, high: other.low }, Ratio::minus)
    }

    /// Of two values of which neither is a number nothing is said: no kit multiplies controls with each other.
    pub(crate) fn times(self, other: Self) -> Result<Self, Inexact> {
        match (self.number(), other.number()) {
            (_, Some(by)) => self.scaled(by),
            (Some(by), None) => other.scaled(by),
            (None, None) => Ok(Self::ANY),
        }
    }

    pub(crate) fn by(self, other: Self) -> Result<Self, Inexact> {
        match (self.number(), other.number()) {
            (Some(over), Some(under)) => Ok(Self::point(over.by(under)?)),
            (None, Some(under)) => self.scaled(Ratio::count(1).by(under)?),
            (_, None) => Ok(Self::ANY),
        }
    }

    fn scaled(self, by: Ratio) -> Result<Self, Inexact> {
        let end = |end: Option<Ratio>| end.map(|end| end.times(by)).transpose();
        let (low, high) = (end(self.low)?, end(self.high)?);
        Ok(match by.cmp(&Ratio::ZERO) {
            std::cmp::Ordering::Greater => Self { low, high },
            std::cmp::Ordering::Less => Self { low: high, high: low },
            std::cmp::Ordering::Equal => Self::point(Ratio::ZERO),
        })
    }

    /// The larger of two.
    pub(crate) fn larger(self, other: Self) -> Self {
        // No low end lies below every other, no high end above.
        Self { low: self.low.max(other.low), high: self.high.zip(other.high).map(|(a, b)| a.max(b)) }
    }

    /// The smaller of two.
    pub(crate) fn smaller(self, other: Self) -> Self {
        let low = self.low.zip(other.low).map(|(a, b)| a.min(b));
        Self { low, high: [self.high, other.high].into_iter().flatten().min() }
    }
}

impl Relation {
    /// Whether it holds between two values; none where that cannot be known.
    pub(super) fn between(self, left: Range, right: Range) -> Option<bool> {
        let is = |a: Option<Ratio>, b: Option<Ratio>, relation: fn(&Ratio, &Ratio) -> bool| {
            a.zip(b).is_some_and(|(a, b)| relation(&a, &b))
        };
        let (holds, fails) = match self {
            Self::Below => (is(left.high, right.low, Ratio::lt), is(left.low, right.high, Ratio::ge)),
            Self::AtMost => (is(left.high, right.low, Ratio::le), is(left.low, right.high, Ratio::gt)),
            Self::Above => return Self::Below.between(right, left),
            Self::AtLeast => return Self::AtMost.between(right, left),
            Self::Equal => {
                let apart = is(left.high, right.low, Ratio::lt) || is(right.high, left.low, Ratio::lt);
                (left.number().zip(right.number()).is_some_and(|(a, b)| a == b), apart)
            }
        };
        if holds {
            Some(true)
        } else if fails {
            Some(false)
        } else {
            None
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.low, self.high) {
            (Some(low), Some(high)) if low == high => write!(f, "{low}"),
            (Some(low), Some(high)) => write!(f, "{low} to {high}"),
            (Some(low), None) => write!(f, ">{low}"),
            (None, Some(high)) => write!(f, "<{high}"),
            (None, None) => f.write_str("?"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ratio(text: &str) -> Ratio {
        Ratio::of(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_bound_meets_a_limit_on_its_own_side_and_of_the_other_nothing_is_known() {
        use Relation::{Above, AtLeast, AtMost, Below, Equal};
        let above = Range::sent(ratio("3.5"), Some(Comparator::Above));
        let below = Range::sent(ratio("0.01"), Some(Comparator::Below));
        let check = |value: Range, relation: Relation, limit: &str, expect: Option<bool>| {
            let limit = Range::point(ratio(limit));
            assert_eq!(relation.between(value, limit), expect, "{value} {relation:?} {limit}");
        };
        check(above, AtLeast, "2.0", Some(true));
        check(above, Above, "2.0", Some(true));
        check(above, AtMost, "4.0", None);
        check(above, AtLeast, "4.0", None);
        check(above, Below, "3.0", Some(false));
        check(above, Equal, "3.0", Some(false));
        check(above, Equal, "4.0", None);
        check(below, AtMost, "0.05", Some(true));
        check(below, AtLeast, "0.05", Some(false));
        check(below, AtMost, "0.005", None);
    }

    proptest! {
        /// Whatever the value behind a bound is, what is said of the bound is true of it.
        #[test]
        fn what_is_said_of_a_bound_is_true_of_every_number_behind_it(
            at in -50_i64..50, beyond in 0_i64..100, limit in -50_i64..50, factor in -5_i64..5, add in -50_i64..50,
            upwards: bool,
        ) {
            let whole = |n: i64| Ratio::of(n.into()).unwrap();
            let bound = if upwards { Comparator::AtLeast } else { Comparator::AtMost };
            let number = if upwards { at + beyond } else { at - beyond };
            let made = |value: Range| {
                value.times(Range::point(whole(factor))).unwrap().plus(Range::point(whole(add))).unwrap()
            };
            let (of_bound, of_number) =
                (made(Range::sent(whole(at), Some(bound))), made(Range::point(whole(number))));
            let limit = Range::point(whole(limit));
            for relation in [Relation::Below, Relation::AtMost, Relation::Above, Relation::AtLeast, Relation::Equal] {
                let truth = relation.between(of_number, limit);
                prop_assert!(truth.is_some());
                if let Some(said) = relation.between(of_bound, limit) {
                    prop_assert_eq!(Some(said), truth, "{} {:?}", of_bound, relation);
                }
            }
            for with in [Range::larger, Range::smaller] {
                let (said, truth) = (with(of_bound, limit), with(of_number, limit).number().unwrap());
                prop_assert!(Relation::AtMost.between(said, Range::point(truth)) != Some(false) || said.number().is_none());
                prop_assert!(said.low.is_none_or(|low| low <= truth) && said.high.is_none_or(|high| high >= truth));
            }
        }
    }
}
