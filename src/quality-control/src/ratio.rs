//! Exact numbers: a mean of three times 2.1 is what it is, and a sample that stands exactly on its cut-off is not lost to
//! a rounded 28th digit (R-NUM-01).

use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::fmt;

/// Digits behind the point at which a square root ends, rounded up.
const ROOT_DIGITS: u32 = 12;

/// A fraction in lowest terms; the denominator is above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    over: i128,
    under: i128,
}

/// The numbers are too long to be computed with exactly, or something was divided by zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Inexact {
    /// More digits than fit.
    #[error("the numbers have too many digits to be computed with exactly; give them as they were measured")]
    TooLong,
    /// Division by zero.
    #[error("something is divided by zero")]
    ByZero,
    /// A root of a number below zero.
    #[error("the square root of a number below zero")]
    Root,
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs().max(1)
}

fn product(a: i128, b: i128) -> Result<i128, Inexact> {
    a.checked_mul(b).ok_or(Inexact::TooLong)
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self { over: 0, under: 1 };

    fn new(over: i128, under: i128) -> Result<Self, Inexact> {
        if under == 0 {
            return Err(Inexact::ByZero);
        }
        let by = if under < 0 { -gcd(over, under) } else { gcd(over, under) };
        Ok(Self { over: over / by, under: under / by })
    }

    /// A decimal, exactly.
    ///
    /// # Errors
    /// [`Inexact::TooLong`].
    pub fn of(number: Decimal) -> Result<Self, Inexact> {
        let under = 10_i128.checked_pow(number.scale()).ok_or(Inexact::TooLong)?;
        Self::new(number.mantissa(), under)
    }

    /// A count, exactly.
    #[must_use]
    pub fn count(n: usize) -> Self {
        Self { over: i128::try_from(n).unwrap_or(i128::MAX), under: 1 }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`Inexact::TooLong`].
    pub fn plus(self, other: Self) -> Result<Self, Inexact> {
        let shared = gcd(self.under, other.under);
        let (left, right) =
            (product(self.over, other.under / shared)?, product(other.over, self.under / shared)?);
        let over = left.checked_add(right).ok_or(Inexact::TooLong)?;
        Self::new(over, product(self.under, other.under / shared)?)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`Inexact::TooLong`].
    pub fn minus(self, other: Self) -> Result<Self, Inexact> {
        self.plus(Self { over: -other.over, ..other })
    }

    /// The product.
    ///
    /// # Errors
    /// [`Inexact::TooLong`].
    pub fn times(self, other: Self) -> Result<Self, Inexact> {
        let (a, b) = (gcd(self.over, other.under), gcd(other.over, self.under));
        Self::new(product(self.over / a, other.over / b)?, product(self.under / b, other.under / a)?)
    }

    /// The quotient.
    ///
    /// # Errors
    /// [`Inexact`].
    pub fn by(self, other: Self) -> Result<Self, Inexact> {
        self.times(Self::new(other.under, other.over)?)
    }

    /// The square root, exact where there is one, else rounded up at the twelfth digit.
    ///
    /// # Errors
    /// [`Inexact`].
    pub fn root(self) -> Result<Self, Inexact> {
        if self.over < 0 {
            return Err(Inexact::Root);
        }
        let (over, under) = (self.over.isqrt(), self.under.isqrt());
        if over * over == self.over && under * under == self.under {
            return Self::new(over, under);
        }
        let scale = 10_i128.pow(ROOT_DIGITS);
        let scaled = self.times(Self { over: product(scale, scale)?, under: 1 })?;
        let whole = scaled.over / scaled.under;
        let exact = whole.isqrt() * whole.isqrt() == whole && scaled.over % scaled.under == 0;
        Self::new(whole.isqrt() + i128::from(!exact), scale)
    }

    /// A decimal that is not above the number, and equal to it where a decimal can be: 20 digits behind the point.
    #[must_use]
    pub fn at_most(self) -> Option<Decimal> {
        self.decimal(false)
    }

    /// A decimal that is not below the number, and equal to it where a decimal can be.
    #[must_use]
    pub fn at_least(self) -> Option<Decimal> {
        self.decimal(true)
    }

    fn decimal(self, up: bool) -> Option<Decimal> {
        (0..=20_u32)
            .rev()
            .find_map(|digits| {
                let scaled = self.over.checked_mul(10_i128.checked_pow(digits)?)?;
                let below = scaled.div_euclid(self.under);
                let more = up && scaled.rem_euclid(self.under) != 0;
                Decimal::try_from_i128_with_scale(below + i128::from(more), digits).ok()
            })
            .map(|d| d.normalize())
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        // Compared as continued fractions: never too long.
        let (mut a, mut b, mut turned) = (*self, *other, false);
        loop {
            let (whole_a, whole_b) = (a.over.div_euclid(a.under), b.over.div_euclid(b.under));
            let order = whole_a.cmp(&whole_b);
            let (rest_a, rest_b) = (a.over.rem_euclid(a.under), b.over.rem_euclid(b.under));
            let order = match (order, rest_a, rest_b) {
                (Ordering::Equal, 0, 0) => Ordering::Equal,
                (Ordering::Equal, 0, _) => Ordering::Less,
                (Ordering::Equal, _, 0) => Ordering::Greater,
                (Ordering::Equal, _, _) => {
                    // 1/rest turns the order round.
                    (a, b) = (Self { over: a.under, under: rest_a }, Self { over: b.under, under: rest_b });
                    turned = !turned;
                    continue;
                }
                (order, _, _) => order,
            };
            return if turned { order.reverse() } else { order };
        }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Ratio {
    /// To six digits behind the point: for people, never for a comparison.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at_most() {
            Some(number) => write!(f, "{}", number.round_dp(6).normalize()),
            None => write!(f, "{}/{}", self.over, self.under),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Ratio {
        Ratio::of(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn law_08_a_mean_of_three_times_a_factor_is_exact() {
        let sum = of("0.05").plus(of("0.05")).unwrap().plus(of("0.07")).unwrap();
        let cutoff = of("2.1").times(sum.by(Ratio::count(3)).unwrap()).unwrap();
        assert_eq!(cutoff, of("0.119"));
        let (mean, factor): (Decimal, Decimal) =
            (Decimal::new(17, 2) / Decimal::new(3, 0), Decimal::new(21, 1));
        assert!(mean * factor > Decimal::new(119, 3), "rounded at the 28th digit, OD 0.119 would be lost");
    }

    #[test]
    fn roots_are_exact_where_there_is_one_and_rounded_up_elsewhere() {
        assert_eq!(of("0.25").root().unwrap(), of("0.5"));
        let two = of("2").root().unwrap();
        assert!(two.times(two).unwrap() > of("2"));
        assert_eq!(two.to_string(), "1.414214");
    }

    proptest! {
        #[test]
        fn fractions_keep_the_order_and_the_sums_of_their_decimals(a in -9999_i64..9999, b in -9999_i64..9999, n in 1_i64..50) {
            let (x, y) = (Decimal::new(a, 3), Decimal::new(b, 2));
            let (rx, ry) = (Ratio::of(x).unwrap(), Ratio::of(y).unwrap());
            prop_assert_eq!(rx.cmp(&ry), x.cmp(&y));
            prop_assert_eq!(rx.plus(ry).unwrap(), Ratio::of(x + y).unwrap());
            prop_assert_eq!(rx.times(ry).unwrap(), Ratio::of(x * y).unwrap());
            let part = rx.by(Ratio::count(usize::try_from(n).unwrap())).unwrap();
            let (low, high) = (part.at_most().unwrap(), part.at_least().unwrap());
            prop_assert!(Ratio::of(low).unwrap() <= part && part <= Ratio::of(high).unwrap());
            prop_assert!(high - low <= Decimal::new(1, 20));
        }
    }
}
