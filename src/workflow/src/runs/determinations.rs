//! A donation that was grouped several times in one run: each determination stands for itself, so that one that is done again
//! after the known samples were can be valid. Each is a part of the run by its message: `RUN@#MESSAGE`.

use super::{Outcome, Standing};
use crate::facts::Fact;
use crate::measurement::homes;
use ledger::WINDOW_MARK;
use std::collections::BTreeMap;
use vocabulary::RunId;

/// A row of a blood grouping, and what stands for it beside its run.
pub(super) struct Row<'f> {
    pub(super) fact: &'f mut Fact,
    pub(super) outcome: Option<Outcome>,
}

/// What stands for the rows. Those of a donation that was grouped once in the run stand for the run itself; else each
/// determination becomes a part of it, together with what stands for `whole`.
pub(super) fn parts(run: &RunId, rows: Vec<Row<'_>>, whole: Option<&Outcome>) -> Parts {
    let homes = homes(&rows.iter().map(|row| &*row.fact).collect::<Vec<_>>());
    let mut determinations: BTreeMap<(u64, bool), Vec<Row<'_>>> = BTreeMap::new();
    for (home, row) in homes.into_iter().zip(rows) {
        determinations.entry((home, row.fact.segment)).or_default().push(row);
    }
    if determinations.len() < 2 {
        let outcomes = determinations.into_values().flatten().filter_map(|row| row.outcome);
        return Parts::Whole(outcomes.collect());
    }
    let mut parts = Vec::new();
    for ((home, segment), rows) in determinations {
        let Some(id) = part_of(run, home, segment) else {
            // The worst of them then counts for all.
            parts.extend(rows.into_iter().filter_map(|row| Some((run.clone(), row.outcome?))));
            continue;
        };
        let mut joined = whole.cloned();
        for Row { fact, outcome } in rows {
            fact.window = Some(id.clone());
            joined = Outcome::both(joined, outcome);
        }
        parts.push((id, joined.unwrap_or_else(|| Outcome::open(super::nothing_speaks()))));
    }
    Parts::Each(parts)
}

/// What stands for the rows of blood groupings of a run.
pub(super) enum Parts {
    /// All of them are one determination.
    Whole(Vec<Outcome>),
    /// By determination.
    Each(Vec<Standing>),
}

fn part_of(run: &RunId, home: u64, segment: bool) -> Option<RunId> {
    let of = if segment { "-segment" } else { "" };
    RunId::new(&format!("{run}{WINDOW_MARK}#{home}{of}")).ok()
}
