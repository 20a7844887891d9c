//! From evidence to verdicts with their reasons, on one thread, counted in CPU time.

use super::repeat;
use crate::contest::{Engine, FLOOR, Measurement, OURS, contest, number};
use crate::{BenchError, Options, corpus};
use release::{Evidence, RulePack};
use std::hint::black_box;

/// Donations that a pass goes through.
const DONATIONS: u64 = 2_000;
/// The rule pack that decides.
const PACK: &str = "cn-2019";

/// Verdicts on mixed evidence. The floor compares every reading with its cut-off, once, and gives no reason.
pub(crate) fn verdicts(options: &Options) -> Result<Measurement, BenchError> {
    let pack = RulePack::built_in(PACK).map_err(BenchError::part("read the rule pack"))?;
    let cases = corpus::evidence(options.seed, DONATIONS);
    let read = |case: &String| release::read_case(case).map_err(BenchError::part("read made-up evidence"));
    let evidence = cases.iter().map(read).collect::<Result<Vec<Evidence>, _>>()?;
    let amount = number(DONATIONS);
    let engines = vec![
        Engine::new(FLOOR, || {
            repeat(options.slice, amount, || {
                black_box(evidence.iter().map(reactive).sum::<usize>());
                Ok(None)
            })
        }),
        Engine::new(OURS, || {
            repeat(options.slice, amount, || {
                for donation in &evidence {
                    black_box(release::decide(black_box(donation), &pack));
                }
                Ok(None)
            })
        }),
    ];
    contest("verdicts, cn-2019", "verdicts/CPU-s", None, engines, options.rounds)
}

/// Readings at or above their cut-off.
fn reactive(evidence: &Evidence) -> usize {
    let results = evidence.serology.iter().flat_map(|series| &series.results);
    let above = results.filter(|result| match (result.od, result.cutoff) {
        (Some(od), Some(cutoff)) => od.number() >= cutoff.number(),
        (_, _) => false,
    });
    above.count()
}
