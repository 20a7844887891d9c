//! The small language of kit criteria and cut-offs (rules.md §2.1).
//!
//! ```text
//! BLK <= 0.080                         every blank well
//! PC > 1.000 AND PC < 2.500            every positive control well
//! NC;x < 0.100                         the mean of the negative controls; also mean(NC)
//! drop_one(NC <= 0.100)                one well of three or more may fail, and is left out from then on
//! mean(PC) - mean(NC) >= 0.600         arithmetic over means, min, max, sd, cv (per cent), n (wells that count)
//! 2.1 * max(mean(NC), 0.050)           a cut-off with a floor
//! ```
//!
//! A control's bare name speaks of each of its wells. Two bare names do not go together: whose well against whose?
//! Numbers are exact ([`Ratio`]). A well whose value is a bound (`>3.5`) meets a limit, fails it, or leaves it open.

mod parse;
mod range;
mod told;

pub(crate) use range::Range;

use crate::ratio::{Inexact, Ratio};
use std::collections::BTreeMap;

/// A formula's text may have so many bytes, and be nested so deep.
pub(crate) const FORMULA_BYTES_MAX: usize = 1000;
pub(crate) const FORMULA_DEPTH_MAX: usize = 32;

/// What is wrong with a formula: where, what, and what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {what}; {remedy}")]
pub struct FormulaFault {
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// How two numbers are held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `=`
    Equal,
}

/// What is made of a control's wells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Summary {
    Mean,
    Min,
    Max,
    Sd,
    Cv,
    Count,
}

/// A number, or one a well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    Number(Ratio),
    /// Each well of a control.
    Each(String),
    /// One well, from 1.
    One(String, usize),
    Of(Summary, String),
    Largest(Vec<Expression>),
    Smallest(Vec<Expression>),
    Plus(Box<Expression>, Box<Expression>),
    Minus(Box<Expression>, Box<Expression>),
    Times(Box<Expression>, Box<Expression>),
    By(Box<Expression>, Box<Expression>),
}

/// Something that holds or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    Compare(Expression, Relation, Expression),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// At most one well of three or more may fail; it counts no further.
    DropOne(Expression, Relation, Expression),
}

/// Wells by control, those that were dropped left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wells(pub(crate) BTreeMap<String, Vec<Well>>);

/// One well of a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Well {
    pub(crate) signal: Range,
    pub(crate) dropped: bool,
}

/// Why a formula has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoValue {
    /// The control has no well, or too few.
    #[error("{control} has {have} of {need} wells")]
    TooFew {
        /// The control.
        control: String,
        /// Wells that count.
        have: usize,
        /// Wells needed.
        need: usize,
    },
    /// The numbers do not allow it.
    #[error(transparent)]
    Inexact(#[from] Inexact),
}

enum Value {
    One(Range),
    Each(String, Vec<(usize, Range)>),
}

impl Wells {
    fn counting(&self, control: &str) -> Vec<(usize, Range)> {
        let wells = self.0.get(control).into_iter().flatten().enumerate();
        wells.filter(|(_, well)| !well.dropped).map(|(at, well)| (at, well.signal)).collect()
    }

    fn drop_well(&mut self, control: &str, at: usize) {
        if let Some(well) = self.0.get_mut(control).and_then(|wells| wells.get_mut(at)) {
            well.dropped = true;
        }
    }
}

impl Expression {
    /// The control whose every well it speaks of.
    fn each(&self) -> Option<&str> {
        match self {
            Self::Each(control) => Some(control),
            Self::Number(_) | Self::One(..) | Self::Of(..) => None,
            Self::Largest(list) | Self::Smallest(list) => list.iter().find_map(Self::each),
            Self::Plus(a, b) | Self::Minus(a, b) | Self::Times(a, b) | Self::By(a, b) => {
                a.each().or_else(|| b.each())
            }
        }
    }

    /// Controls that it speaks of.
    fn controls<'a>(&'a self, into: &mut Vec<&'a str>) {
        match self {
            Self::Number(_) => {}
            Self::Each(control) | Self::One(control, _) | Self::Of(_, control) => into.push(control),
            Self::Largest(list) | Self::Smallest(list) => list.iter().for_each(|e| e.controls(into)),
            Self::Plus(a, b) | Self::Minus(a, b) | Self::Times(a, b) | Self::By(a, b) => {
                a.controls(into);
                b.controls(into);
            }
        }
    }

    fn value(&self, wells: &Wells) -> Result<Value, NoValue> {
        let both = |a: &Self, b: &Self, with: fn(Range, Range) -> Result<Range, Inexact>| {
            combine(a.value(wells)?, b.value(wells)?, with)
        };
        let chosen = |list: &[Self], larger: bool| {
            let mut best: Option<Range> = None;
            for item in list {
                let next = item.number(wells)?;
                best = Some(best.map_or(next, |b| if larger { b.larger(next) } else { b.smaller(next) }));
            }
            Ok::<Value, NoValue>(Value::One(best.unwrap_or(Range::point(Ratio::ZERO))))
        };
        Ok(match self {
            Self::Number(number) => Value::One(Range::point(*number)),
            Self::Each(control) => Value::Each(control.clone(), at_least(wells, control, 1)?),
            Self::One(control, number) => {
                let all = wells.0.get(control).map_or(0, Vec::len);
                let well = wells.0.get(control).and_then(|w| w.get(number - 1));
                let few = || NoValue::TooFew { control: control.clone(), have: all, need: *number };
                Value::One(well.ok_or_else(few)?.signal)
            }
            Self::Of(summary, control) => Value::One(summary.of(wells, control)?),
            Self::Largest(list) => chosen(list, true)?,
            Self::Smallest(list) => chosen(list, false)?,
            Self::Plus(a, b) => both(a, b, Range::plus)?,
            Self::Minus(a, b) => both(a, b, Range::minus)?,
            Self::Times(a, b) => both(a, b, Range::times)?,
            Self::By(a, b) => both(a, b, Range::by)?,
        })
    }

    /// The one number it stands for. What speaks of each well is refused when the formula is read.
    fn number(&self, wells: &Wells) -> Result<Range, NoValue> {
        match self.value(wells)? {
            Value::One(number) => Ok(number),
            Value::Each(control, all) => Err(NoValue::TooFew { control, have: all.len(), need: 1 }),
        }
    }
}

fn combine(a: Value, b: Value, with: fn(Range, Range) -> Result<Range, Inexact>) -> Result<Value, NoValue> {
    let map = |name, list: Vec<(usize, Range)>, f: &dyn Fn(Range) -> Result<Range, Inexact>| {
        let all = list.into_iter().map(|(at, n)| Ok((at, f(n)?))).collect::<Result<Vec<_>, Inexact>>()?;
        Ok(Value::Each(name, all))
    };
    match (a, b) {
        (Value::One(a), Value::One(b)) => Ok(Value::One(with(a, b)?)),
        (Value::Each(name, list), Value::One(b)) => map(name, list, &|a| with(a, b)),
        (Value::One(a), Value::Each(name, list)) => map(name, list, &|b| with(a, b)),
        (Value::Each(name, list), Value::Each(..)) => {
            Err(NoValue::TooFew { control: name, have: list.len(), need: 1 })
        }
    }
}

fn at_least(wells: &Wells, control: &str, need: usize) -> Result<Vec<(usize, Range)>, NoValue> {
    let all = wells.counting(control);
    if all.len() < need {
        return Err(NoValue::TooFew { control: control.to_owned(), have: all.len(), need });
    }
    Ok(all)
}

impl Summary {
    fn of(self, wells: &Wells, control: &str) -> Result<Range, NoValue> {
        let need = match self {
            Self::Count => 0,
            Self::Mean | Self::Min | Self::Max => 1,
            Self::Sd | Self::Cv => 2,
        };
        let all: Vec<Range> = at_least(wells, control, need)?.into_iter().map(|(_, n)| n).collect();
        let nothing = Range::point(Ratio::ZERO);
        Ok(match self {
            Self::Count => Range::point(Ratio::count(all.len())),
            Self::Mean => {
                let sum = all.iter().try_fold(nothing, |sum, n| sum.plus(*n))?;
                sum.by(Range::point(Ratio::count(all.len())))?
            }
            Self::Min => all.into_iter().reduce(Range::smaller).unwrap_or(nothing),
            Self::Max => all.into_iter().reduce(Range::larger).unwrap_or(nothing),
            Self::Sd | Self::Cv => match all.iter().map(|one| one.number()).collect::<Option<Vec<Ratio>>>() {
                Some(numbers) => Range::point(self.spread(&numbers)?),
                None => Range::ANY,
            },
        })
    }

    /// The standard deviation of numbers, or the coefficient of variation in per cent.
    fn spread(self, all: &[Ratio]) -> Result<Ratio, Inexact> {
        let count = Ratio::count(all.len());
        let sum = |list: &[Ratio]| list.iter().try_fold(Ratio::ZERO, |sum, n| sum.plus(*n));
        let mean = sum(all)?.by(count)?;
        let squares = all.iter().map(|n| {
            let off = n.minus(mean)?;
            off.times(off)
        });
        let squares = squares.collect::<Result<Vec<_>, Inexact>>()?;
        let sd = sum(&squares)?.by(count.minus(Ratio::count(1))?)?.root()?;
        match self {
            Self::Cv => sd.times(Ratio::count(100))?.by(mean),
            Self::Sd | Self::Mean | Self::Min | Self::Max | Self::Count => Ok(sd),
        }
    }
}

impl Condition {
    fn controls<'a>(&'a self, into: &mut Vec<&'a str>) {
        match self {
            Self::Compare(a, _, b) | Self::DropOne(a, _, b) => {
                a.controls(into);
                b.controls(into);
            }
            Self::All(list) | Self::Any(list) => list.iter().for_each(|c| c.controls(into)),
            Self::Not(inner) => inner.controls(into),
        }
    }

    fn drops(&self) -> bool {
        matches!(self, Self::DropOne(..))
    }

    /// Whether it holds; none where a bound leaves it open.
    fn holds(&self, wells: &mut Wells) -> Result<Option<bool>, NoValue> {
        Ok(match self {
            Self::Compare(a, relation, b) => Failing::of(a, *relation, b, wells)?.none(),
            Self::All(list) => joined(list, wells, false)?,
            Self::Any(list) => joined(list, wells, true)?,
            Self::Not(inner) => inner.holds(wells)?.map(|holds| !holds),
            Self::DropOne(a, relation, b) => {
                let failing = Failing::of(a, *relation, b, wells)?;
                let (Some(control), [one], false) =
                    (a.each().or_else(|| b.each()), failing.surely.as_slice(), failing.perhaps)
                else {
                    let several = failing.surely.len() > 1;
                    return Ok(if several { Some(false) } else { failing.none() });
                };
                let enough = wells.counting(control).len() >= DROPPABLE_OF;
                if enough {
                    wells.drop_well(control, *one);
                }
                Some(enough)
            }
        })
    }
}

/// One well may be dropped of so many.
const DROPPABLE_OF: usize = 3;

/// Conditions of which all have to hold, or of which one that holds is enough: the one word `decides`.
fn joined(list: &[Condition], wells: &mut Wells, decides: bool) -> Result<Option<bool>, NoValue> {
    let each = list.iter().map(|one| one.holds(wells)).collect::<Result<Vec<_>, _>>()?;
    Ok(if each.contains(&Some(decides)) {
        Some(decides)
    } else if each.contains(&None) {
        None
    } else {
        Some(!decides)
    })
}

/// Wells for which a comparison fails.
struct Failing {
    /// From 0; a failing comparison of two plain numbers fails as well 0.
    surely: Vec<usize>,
    /// A bound leaves it open for some well.
    perhaps: bool,
}

impl Failing {
    fn of(a: &Expression, relation: Relation, b: &Expression, wells: &Wells) -> Result<Self, NoValue> {
        let list: Vec<(usize, Option<bool>)> = match (a.value(wells)?, b.value(wells)?) {
            (Value::One(a), Value::One(b)) => vec![(0, relation.between(a, b))],
            (Value::Each(_, list), Value::One(b)) => {
                list.into_iter().map(|(at, a)| (at, relation.between(a, b))).collect()
            }
            (Value::One(a), Value::Each(_, list)) => {
                list.into_iter().map(|(at, b)| (at, relation.between(a, b))).collect()
            }
            (Value::Each(name, list), Value::Each(..)) => {
                return Err(NoValue::TooFew { control: name, have: list.len(), need: 1 });
            }
        };
        Ok(Self {
            perhaps: list.iter().any(|(_, holds)| holds.is_none()),
            surely: list.into_iter().filter(|(_, holds)| *holds == Some(false)).map(|(at, _)| at).collect(),
        })
    }

    /// Whether no well fails; none where that is open.
    fn none(&self) -> Option<bool> {
        if !self.surely.is_empty() {
            Some(false)
        } else if self.perhaps {
            None
        } else {
            Some(true)
        }
    }
}

/// A criterion: holds or not, for a set of control wells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    text: String,
    condition: Condition,
}

impl Criterion {
    /// Reads a criterion.
    ///
    /// # Errors
    /// [`FormulaFault`] with the column and the remedy.
    pub fn read(text: &str) -> Result<Self, FormulaFault> {
        Ok(Self { text: text.trim().to_owned(), condition: parse::condition(text)? })
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Controls that it speaks of.
    #[must_use]
    pub fn controls(&self) -> Vec<&str> {
        let mut all = Vec::new();
        self.condition.controls(&mut all);
        all
    }

    pub(crate) fn drops(&self) -> bool {
        self.condition.drops()
    }

    /// Whether it holds; none where a bound leaves it open.
    pub(crate) fn holds(&self, wells: &mut Wells) -> Result<Option<bool>, NoValue> {
        self.condition.holds(wells)
    }
}

/// A formula with one number as its value: a cut-off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula {
    text: String,
    expression: Expression,
}

impl Formula {
    /// Reads a formula.
    ///
    /// # Errors
    /// [`FormulaFault`] with the column and the remedy.
    pub fn read(text: &str) -> Result<Self, FormulaFault> {
        let expression = parse::number(text)?;
        Ok(Self { text: text.trim().to_owned(), expression })
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Controls that it speaks of.
    #[must_use]
    pub fn controls(&self) -> Vec<&str> {
        let mut all = Vec::new();
        self.expression.controls(&mut all);
        all
    }

    pub(crate) fn value(&self, wells: &Wells) -> Result<Range, NoValue> {
        self.expression.number(wells)
    }
}
