//! What a criterion came to, in the words of its own formula: `PC[1] = 0.75, limit >= 0.8`.

use super::{Condition, Criterion, Expression, Relation, Summary, Value, Wells};
use std::fmt;

impl Relation {
    fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Equal => "=",
        }
    }
}

impl Summary {
    fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Sd => "sd",
            Self::Cv => "cv",
            Self::Count => "n",
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, name: &str, list: &[Self]| {
            let all: Vec<String> = list.iter().map(ToString::to_string).collect();
            write!(f, "{name}({})", all.join(", "))
        };
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Each(control) => f.write_str(control),
            Self::One(control, number) => write!(f, "{control}[{number}]"),
            Self::Of(summary, control) => write!(f, "{}({control})", summary.name()),
            Self::Largest(all) => list(f, "max", all),
            Self::Smallest(all) => list(f, "min", all),
            Self::Plus(a, b) => write!(f, "({a} + {b})"),
            Self::Minus(a, b) => write!(f, "({a} - {b})"),
            Self::Times(a, b) => write!(f, "{a} * {b}"),
            Self::By(a, b) => write!(f, "{a} / {b}"),
        }
    }
}

/// One side of a comparison: its name and its value, or one a well.
fn side(of: &Expression, wells: &Wells) -> Vec<String> {
    match of.value(wells) {
        Ok(Value::One(number)) => match of {
            Expression::Number(_) => vec![number.to_string()],
            Expression::Each(_)
            | Expression::One(..)
            | Expression::Of(..)
            | Expression::Largest(_)
            | Expression::Smallest(_)
            | Expression::Plus(..)
            | Expression::Minus(..)
            | Expression::Times(..)
            | Expression::By(..) => vec![format!("{of} = {number}")],
        },
        Ok(Value::Each(_, each)) => {
            each.into_iter().map(|(at, number)| format!("{of}[{}] = {number}", at + 1)).collect()
        }
        Err(none) => vec![format!("{of}: {none}")],
    }
}

fn comparison(a: &Expression, relation: Relation, b: &Expression, wells: &Wells) -> String {
    format!("{}, limit {} {}", side(a, wells).join(", "), relation.sign(), side(b, wells).join(", "))
}

impl Condition {
    fn told(&self, wells: &Wells, into: &mut Vec<String>) {
        match self {
            Self::Compare(a, relation, b) | Self::DropOne(a, relation, b) => {
                into.push(comparison(a, *relation, b, wells));
            }
            Self::All(list) | Self::Any(list) => list.iter().for_each(|one| one.told(wells, into)),
            Self::Not(inner) => inner.told(wells, into),
        }
    }
}

impl Criterion {
    /// Each comparison in it with the values that it was made with, and its limit.
    pub(crate) fn told(&self, wells: &Wells) -> String {
        let mut all = Vec::new();
        self.condition.told(wells, &mut all);
        all.join("; ")
    }
}
