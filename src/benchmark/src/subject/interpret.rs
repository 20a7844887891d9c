//! From raw messages to observations and findings, on one thread, counted in CPU time.

use super::repeat;
use crate::contest::{Engine, FLOOR, Measurement, OURS, contest, number};
use crate::floor::Boundaries;
use crate::{BenchError, Options};
use instrument_profiles::{Catalogue, Profile, messages_of};
use std::hint::black_box;
use std::sync::Arc;
use vocabulary::Protocol;

/// Observations that a pass reads, at least.
const OBSERVATIONS: usize = 30_000;

/// A message and who reads it.
pub(super) struct Captured {
    pub(super) profile: Arc<Profile>,
    pub(super) raw: Vec<u8>,
}

/// Every message of every capture in the catalogue, one profile after another.
pub(super) fn captured() -> Result<Vec<Captured>, BenchError> {
    let catalogue = Catalogue::built_in().map_err(BenchError::part("read the catalogue"))?;
    let mut all = Vec::new();
    for profile in catalogue.list() {
        let Some(entry) = catalogue.entry(&profile.reference().id) else { continue };
        let names: Vec<String> = entry.names_in("captures").map(|name| format!("captures/{name}")).collect();
        for text in names.iter().filter(|name| name.ends_with(".capture")).filter_map(|name| entry.text(name))
        {
            let messages = messages_of(profile, text).map_err(|faults| BenchError::Part {
                what: format!("read a capture of {}", profile.reference().id),
                why: faults.join("; "),
            })?;
            all.extend(messages.into_iter().map(|raw| Captured { profile: Arc::clone(profile), raw }));
        }
    }
    Ok(all)
}

/// What the catalogue's captures say. The floor finds every field's end, and knows the meaning of none.
pub(crate) fn observations(options: &Options) -> Result<Measurement, BenchError> {
    let captured = captured()?;
    let once: usize = captured.iter().map(|c| c.profile.interpret(&c.raw).observations.len()).sum();
    let times = OBSERVATIONS.div_ceil(once.max(1));
    let amount = number(u64::try_from(once * times).unwrap_or(u64::MAX));
    let messages = || captured.iter().cycle().take(captured.len() * times);
    let mut boundaries = Boundaries::default();
    let engines = vec![
        Engine::new(FLOOR, || {
            repeat(options.slice, amount, || {
                for message in messages() {
                    boundaries.find(&message.raw, separators(message.profile.protocol()));
                }
                Ok(None)
            })
        }),
        Engine::new(OURS, || {
            let turn = repeat(options.slice, amount, || {
                for message in messages() {
                    black_box(message.profile.interpret(black_box(&message.raw)));
                }
                Ok(None)
            });
            turn.map(|mut turn| {
                turn.further.push(("s_for_30000", number(30_000) * turn.seconds / turn.amount));
                turn
            })
        }),
    ];
    let name = format!("{} profiles' captures", profiles(&captured));
    contest(name, "observations/CPU-s", None, engines, options.rounds)
}

fn profiles(captured: &[Captured]) -> usize {
    let mut ids: Vec<&str> = captured.iter().map(|c| c.profile.reference().id.as_str()).collect();
    ids.dedup();
    ids.len()
}

/// What ends a line and what ends a field.
fn separators(protocol: Protocol) -> (u8, u8) {
    match protocol {
        Protocol::Lis02 | Protocol::Hl7v2 => (b'\r', b'|'),
        // Columns, not fields: a blank is what there is between them.
        Protocol::PkBlocks => (b'\r', b' '),
        Protocol::Delimited => (b'\n', b','),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Models with results, each of which is known and set aside.
    const ALL_ASIDE: [&str; 1] = ["mindray/bc-5300"];

    #[test]
    fn every_profile_of_the_catalogue_is_measured_and_its_captures_hold_observations() {
        let captured = captured().unwrap();
        let catalogue = Catalogue::built_in().unwrap();
        assert_eq!(profiles(&captured), catalogue.list().count());
        for profile in catalogue.list() {
            let of = captured.iter().filter(|c| c.profile.reference() == profile.reference());
            let read: usize = of.map(|c| c.profile.interpret(&c.raw).observations.len()).sum();
            let speaks = profile.reads_results() && !ALL_ASIDE.contains(&profile.reference().id.as_str());
            assert_eq!(read > 0, speaks, "{}", profile.reference());
        }
    }
}
