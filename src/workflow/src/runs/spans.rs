//! What a window covers at the moment when a person declares it invalid.

use super::{Known, window};
use crate::facts::Fact;
use crate::{Settings, decider};
use ledger::{Interpretations, ReadError, Reader, WindowSpan, whole_run};
use quality_control::kits::{Found, KitRules};
use vocabulary::RunId;

/// Rows of results that an invalidation names; what lies beyond falls by its time, and by the controls that opened it.
const ROWS_MAX: usize = 1_500;

/// What a window covers, by channel: nothing where no result lies in a window of this name.
///
/// # Errors
/// [`ReadError`].
pub fn spans_of(settings: &Settings, reader: &Reader, window: &RunId) -> Result<Vec<WindowSpan>, ReadError> {
    let Some(run) = whole_run(window) else { return Ok(Vec::new()) };
    let (mut known, mut read) = (decider::Known::default(), Interpretations::default());
    let mut spans: Vec<WindowSpan> = Vec::new();
    for donation in reader.run(&run)?.donations {
        let about = reader.donation_with(&donation, &mut read)?;
        let facts = decider::facts(settings, reader, &donation, about, &mut known)?;
        for fact in facts.observations.iter().filter(|fact| fact.window.as_ref() == Some(window)) {
            if let Some(span) = span_of(settings, (reader, &mut known.runs), &run, fact)? {
                add(&mut spans, span);
            }
        }
    }
    Ok(spans)
}

fn span_of(
    settings: &Settings,
    (reader, known): (&Reader, &mut Known),
    run: &RunId,
    fact: &Fact,
) -> Result<Option<WindowSpan>, ReadError> {
    let Ok(kits) = known.kits(settings, (reader, run), fact)? else { return Ok(None) };
    match kits.of(&fact.observation.assay, fact.tested_at.map(release::Moment::day)) {
        Found::Kit(kit) => match &kit.rules {
            KitRules::Window(rules) => window::span(settings, (reader, known), (kit, rules), fact).map(Some),
            KitRules::Cells(_) => Ok(Some(window::rows_alone(fact))),
            KitRules::Plate(_) | KitRules::Batch(_) => Ok(None),
        },
        // A row of another column of a determination that is a part of the run: it falls by itself.
        Found::None | Found::NotInForce => Ok(Some(window::rows_alone(fact))),
    }
}

/// Both where they are of one channel: from the earlier to the later, and open where one is.
fn add(spans: &mut Vec<WindowSpan>, mut span: WindowSpan) {
    if spans.iter().map(|known| known.results.len()).sum::<usize>() >= ROWS_MAX {
        span.results.clear();
    }
    let Some(known) = spans.iter_mut().find(|known| known.channel == span.channel) else {
        spans.push(span);
        return;
    };
    (known.from_ms, known.until_ms) = match (known.from_ms, span.from_ms) {
        (None, _) => (span.from_ms, span.until_ms),
        (Some(_), None) => (known.from_ms, known.until_ms),
        (Some(one), Some(other)) => {
            (Some(one.min(other)), known.until_ms.zip(span.until_ms).map(|(one, other)| one.max(other)))
        }
    };
    for row in span.opened_by {
        if !known.opened_by.contains(&row) {
            known.opened_by.push(row);
        }
    }
    known.results.extend(span.results);
}
