//! Engines take turns in one run, so that a noisy neighbour or a hot processor meets all of them alike; what is
//! reported is the middle of the ratios of single rounds, not the ratio of two averages.

use crate::{BenchError, Values};

/// One engine's turn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turn {
    /// What was done, in the measurement's unit.
    pub(crate) amount: f64,
    /// In this time.
    pub(crate) seconds: f64,
    /// What was seen while doing it, where all have to see the same.
    pub(crate) values: Option<Values>,
    /// Further figures of the turn: name with unit, figure.
    pub(crate) further: Vec<(&'static str, f64)>,
}

impl Turn {
    fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.amount / self.seconds } else { 0.0 }
    }
}

/// Something that can take a turn.
pub(crate) struct Engine<'a> {
    pub(crate) name: String,
    pub(crate) turn: Box<dyn FnMut() -> Result<Turn, BenchError> + 'a>,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(name: impl Into<String>, turn: impl FnMut() -> Result<Turn, BenchError> + 'a) -> Self {
        Self { name: name.into(), turn: Box::new(turn) }
    }
}

/// What one engine reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Which engine: `floor`, `hemogate`, or a peer's name and version.
    pub engine: String,
    /// The middle of its rates.
    pub rate: f64,
    /// The middle of its ratios to the floor of the same round; absent without a floor.
    pub ratio: Option<f64>,
    /// The lowest and the highest of these ratios.
    pub ratio_range: Option<(f64, f64)>,
    /// Further figures, each the middle of its rounds: name with unit, figure.
    pub further: Vec<(&'static str, f64)>,
}

/// What a ratio should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wanted {
    /// At least this: of the floor's speed.
    AtLeast(f64),
    /// At most this: of a bound.
    AtMost(f64),
}

impl Wanted {
    fn is_reached(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(least) => ratio >= least,
            Self::AtMost(most) => ratio <= most,
        }
    }
}

/// One measurement: the engines that took turns at the same work.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// What was measured.
    pub name: String,
    /// In what.
    pub unit: &'static str,
    /// What our ratio should be, where that was set.
    pub wanted: Option<Wanted>,
    /// The floor (where there is one), ours, and peers.
    pub figures: Vec<Figure>,
}

impl Measurement {
    /// Our own figure.
    #[must_use]
    pub fn ours(&self) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.engine == OURS)
    }

    /// Whether what was wanted was reached; `None` where nothing was set.
    #[must_use]
    pub fn reached(&self) -> Option<bool> {
        Some(self.wanted?.is_reached(self.ours()?.ratio?))
    }
}

/// The name of what all others are held against.
pub(crate) const FLOOR: &str = "floor";
/// Our own engine's name.
pub(crate) const OURS: &str = "hemogate";

/// Lets `engines` take `rounds` turns each, after one turn that does not count; every second round runs backwards.
pub(crate) fn contest(
    name: impl Into<String>,
    unit: &'static str,
    wanted: Option<Wanted>,
    mut engines: Vec<Engine<'_>>,
    rounds: u32,
) -> Result<Measurement, BenchError> {
    let name = name.into();
    let mut turns: Vec<Vec<Turn>> = engines.iter().map(|_| Vec::new()).collect();
    for round in 0..=rounds {
        let mut order: Vec<_> = engines.iter_mut().zip(turns.iter_mut()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for (engine, turns) in order {
            let turn = (engine.turn)()?;
            if round > 0 {
                turns.push(turn);
            }
        }
    }
    let names: Vec<String> = engines.into_iter().map(|engine| engine.name).collect();
    same_values(&name, &names, &turns)?;
    let floor: Option<Vec<f64>> = names
        .iter()
        .position(|engine| engine == FLOOR)
        .and_then(|at| turns.get(at))
        .map(|turns| turns.iter().map(Turn::rate).collect());
    let figures = names
        .into_iter()
        .zip(&turns)
        .map(|(engine, turns)| figure(engine, turns, floor.as_deref()))
        .collect();
    Ok(Measurement { name, unit, wanted, figures })
}

fn same_values(name: &str, engines: &[String], turns: &[Vec<Turn>]) -> Result<(), BenchError> {
    let Some(first) = turns.iter().flatten().find_map(|turn| turn.values) else { return Ok(()) };
    for (engine, turns) in engines.iter().zip(turns) {
        if let Some(seen) = turns.iter().filter_map(|turn| turn.values).find(|seen| *seen != first) {
            let (measurement, engine) = (name.to_owned(), engine.clone());
            return Err(BenchError::ValuesDiffer { measurement, engine, seen, floor: first });
        }
    }
    Ok(())
}

fn figure(engine: String, turns: &[Turn], floor: Option<&[f64]>) -> Figure {
    let rates: Vec<f64> = turns.iter().map(Turn::rate).collect();
    let ratios: Option<Vec<f64>> = floor.map(|floor| {
        rates.iter().zip(floor).map(|(ours, floor)| ours / floor.max(f64::MIN_POSITIVE)).collect()
    });
    let names = turns.first().map(|turn| turn.further.iter().map(|(name, _)| *name)).into_iter().flatten();
    let further = names
        .map(|name| {
            let of = |turn: &Turn| {
                turn.further.iter().find(|(other, _)| *other == name).map(|(_, figure)| *figure)
            };
            (name, middle(turns.iter().filter_map(of).collect()))
        })
        .collect();
    let range = |ratios: &Vec<f64>| {
        let (low, high) = (
            ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratios.iter().copied().fold(0.0, f64::max),
        );
        (low, high)
    };
    Figure {
        engine,
        rate: middle(rates),
        ratio_range: ratios.as_ref().map(range),
        ratio: ratios.map(middle),
        further,
    }
}

fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    let half = numbers.len() / 2;
    match (numbers.len() % 2, half.checked_sub(1).and_then(|below| numbers.get(below)), numbers.get(half)) {
        (0, Some(low), Some(high)) => f64::midpoint(*low, *high),
        (_, _, Some(one)) => *one,
        (_, _, None) => 0.0,
    }
}

/// As a figure: exact up to 2^53, far above anything counted here.
#[expect(
    clippy::cast_precision_loss,
    reason = "figures are read by people; nothing is decided by the last digit"
)]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine<'a>(name: &str, rates: &'a [f64], values: Values) -> Engine<'a> {
        let mut rates = rates.iter();
        Engine::new(name, move || {
            let amount = *rates.next().unwrap();
            Ok(Turn { amount, seconds: 2.0, values: Some(values), further: vec![("p50_us", amount)] })
        })
    }

    #[test]
    fn the_ratio_is_the_middle_of_the_rounds_and_the_first_turn_does_not_count() {
        let (floor, ours) = ([1.0, 10.0, 20.0, 40.0], [900.0, 5.0, 18.0, 24.0]);
        let engines = vec![engine(FLOOR, &floor, Values::default()), engine(OURS, &ours, Values::default())];
        let measured = contest("x", "things/s", Some(Wanted::AtLeast(0.6)), engines, 3).unwrap();
        let figure = measured.ours().unwrap();
        assert_eq!((figure.ratio, figure.ratio_range), (Some(0.6), Some((0.5, 0.9))));
        assert!((figure.rate - 9.0).abs() < 1e-9 && figure.further == [("p50_us", 18.0)], "{figure:?}");
        assert_eq!(measured.reached(), Some(true));
    }

    #[test]
    fn an_engine_that_saw_other_values_has_no_figure() {
        let seen = Values { count: 1, sum: 66 };
        let engines =
            vec![engine(FLOOR, &[1.0; 2], Values { count: 1, sum: 65 }), engine(OURS, &[1.0; 2], seen)];
        let error = contest("x", "things/s", None, engines, 1).unwrap_err().to_string();
        assert!(error.starts_with("hemogate saw Values { count: 1, sum: 66 }"), "{error}");
    }

    #[test]
    fn the_middle_of_an_even_number_lies_between_two() {
        for (numbers, expect) in
            [(vec![], 0.0), (vec![3.0], 3.0), (vec![4.0, 1.0], 2.5), (vec![9.0, 1.0, 2.0], 2.0)]
        {
            assert!((middle(numbers.clone()) - expect).abs() < 1e-9, "{numbers:?}");
        }
    }
}
