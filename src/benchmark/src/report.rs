//! Figures for people and for programs.

use crate::contest::{FLOOR, Figure, Measurement, OURS, Wanted};
use crate::{BenchError, Format};
use serde_json::{Map, Value, json};
use std::io::Write;

/// Writes measurements as they come.
pub(crate) struct Report<'a> {
    out: &'a mut dyn Write,
    format: Format,
}

impl<'a> Report<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, format: Format) -> Self {
        Self { out, format }
    }

    pub(crate) fn title(&mut self, title: &str) -> Result<(), BenchError> {
        match self.format {
            Format::Table => self.line(&format!("\n{title}")),
            Format::Json => Ok(()),
        }
    }

    pub(crate) fn measurement(&mut self, measurement: &Measurement) -> Result<(), BenchError> {
        match self.format {
            Format::Json => self.line(&object(measurement).to_string()),
            Format::Table => measurement.figures.iter().enumerate().try_for_each(|(nth, figure)| {
                let name = if nth == 0 { measurement.name.as_str() } else { "" };
                self.line(&row(name, measurement, figure))
            }),
        }
    }

    /// What else the machine was doing meanwhile.
    pub(crate) fn machine(&mut self, cores: usize, others_percent: f64) -> Result<(), BenchError> {
        match self.format {
            Format::Table => self.line(&format!(
                "\n{cores} cores; other processes took {others_percent:.0} % of them meanwhile. What is bound by the processor shows a lower ratio on a busy machine."
            )),
            Format::Json => {
                self.line(&json!({"machine": {"cores": cores, "others_percent": others_percent}}).to_string())
            }
        }
    }

    fn line(&mut self, line: &str) -> Result<(), BenchError> {
        writeln!(self.out, "{line}")
            .and_then(|()| self.out.flush())
            .map_err(BenchError::io("write the report"))
    }
}

fn row(name: &str, measurement: &Measurement, figure: &Figure) -> String {
    let ratio = match (figure.ratio, figure.ratio_range) {
        (Some(ratio), Some((low, high))) if figure.engine != FLOOR => {
            format!("{ratio:.2} ({low:.2}–{high:.2})")
        }
        (_, _) => String::new(),
    };
    let verdict = match (figure.engine == OURS, measurement.wanted, measurement.reached()) {
        (true, Some(Wanted::AtLeast(least)), Some(true)) => format!("≥ {least:.2} reached"),
        (true, Some(Wanted::AtLeast(least)), Some(false)) => format!("≥ {least:.2} MISSED"),
        (true, Some(Wanted::AtMost(most)), Some(true)) => format!("≤ {most:.2} kept"),
        (true, Some(Wanted::AtMost(most)), Some(false)) => format!("≤ {most:.2} EXCEEDED"),
        (_, _, _) => String::new(),
    };
    let further: Vec<String> =
        figure.further.iter().map(|(name, figure)| format!("{name} {}", short(*figure))).collect();
    format!(
        "{name:<38} {:<22} {:>10} {:<11} {ratio:<17} {verdict:<15} {}",
        figure.engine,
        short(figure.rate),
        measurement.unit,
        further.join(", ")
    )
    .trim_end()
    .to_owned()
}

fn short(figure: f64) -> String {
    if figure >= 100.0 { format!("{figure:.0}") } else { format!("{figure:.1}") }
}

fn object(measurement: &Measurement) -> Value {
    let engines: Vec<Value> = measurement
        .figures
        .iter()
        .map(|figure| {
            let further: Map<String, Value> =
                figure.further.iter().map(|(name, figure)| ((*name).to_owned(), json!(figure))).collect();
            let (low, high) = figure.ratio_range.unzip();
            json!({"engine": figure.engine, "rate": figure.rate, "ratio": figure.ratio,
                "ratio_low": low, "ratio_high": high, "further": further})
        })
        .collect();
    let (at_least, at_most) = match measurement.wanted {
        Some(Wanted::AtLeast(least)) => (Some(least), None),
        Some(Wanted::AtMost(most)) => (None, Some(most)),
        None => (None, None),
    };
    json!({"measurement": measurement.name, "unit": measurement.unit, "wanted_at_least": at_least,
        "wanted_at_most": at_most, "reached": measurement.reached(), "engines": engines})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(wanted: Wanted) -> Measurement {
        let figure = |engine: &str, rate, ratio| Figure {
            engine: engine.to_owned(),
            rate,
            ratio: Some(ratio),
            ratio_range: Some((ratio - 0.01, ratio + 0.01)),
            further: vec![("p50_us", 12.0)],
        };
        let figures = vec![figure(FLOOR, 600.0, 1.0), figure(OURS, 330.0, 0.55)];
        Measurement { name: "parse".to_owned(), unit: "MB/s", wanted: Some(wanted), figures }
    }

    fn written(wanted: Wanted, format: Format) -> String {
        let mut out = Vec::new();
        Report::new(&mut out, format).measurement(&measured(wanted)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_says_whether_what_was_wanted_was_reached() {
        for (wanted, expect) in [
            (Wanted::AtLeast(0.5), "0.55 (0.54–0.56)  ≥ 0.50 reached"),
            (Wanted::AtLeast(0.7), "≥ 0.70 MISSED"),
            (Wanted::AtMost(0.6), "≤ 0.60 kept"),
            (Wanted::AtMost(0.5), "≤ 0.50 EXCEEDED"),
        ] {
            let table = written(wanted, Format::Table);
            assert!(table.contains(expect) && table.lines().count() == 2, "{table}");
        }
    }

    #[test]
    fn json_is_one_object_a_line() {
        let line = written(Wanted::AtLeast(0.5), Format::Json);
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line.lines().count(), 1);
        assert_eq!((&value["reached"], &value["wanted_at_least"]), (&true.into(), &0.5.into()));
        assert_eq!(value["engines"][1]["ratio"], 0.55);
        assert_eq!(value["engines"][1]["further"]["p50_us"], 12.0);
    }
}
