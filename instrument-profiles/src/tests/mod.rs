//! Laws that hold for every profile of the catalogue, whoever writes it.

mod captures;
mod characters;
mod compare;
mod controls;
mod faults;
mod json_schema;
mod kept;
mod language;
mod laws;
mod mutations;
mod questions;
mod removal;
mod rules;
mod siblings;
mod simulation;
mod sketch;
mod templates;

use crate::{Catalogue, Interpretation, Profile, messages_of};
use std::{
    path::PathBuf,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The catalogue as it is on disk; a test holds the built-in one against it.
static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::load(&folder()).unwrap_or_else(|e| panic!("\n{e}")));

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("catalogue")
}

/// A message of a capture: its profile, the capture, the bytes.
type Message = (Arc<Profile>, String, Vec<u8>);

/// Every message of every capture of every profile.
static MESSAGES: LazyLock<Vec<Message>> = LazyLock::new(|| {
    let mut messages = Vec::new();
    for profile in CATALOGUE.list() {
        let entry = CATALOGUE.entry(&profile.reference().id).unwrap();
        for name in entry.names_in("captures").filter(|name| name.ends_with(".capture")) {
            let text = entry.text(&format!("captures/{name}")).unwrap();
            for raw in messages_of(profile, text).unwrap_or_else(|e| panic!("{name}: {e:#?}")) {
                messages.push((Arc::clone(profile), format!("{}/{name}", profile.reference().id), raw));
            }
        }
    }
    messages
});

/// What each of [`MESSAGES`] comes to.
static READINGS: LazyLock<Vec<Interpretation>> =
    LazyLock::new(|| MESSAGES.iter().map(|(profile, _, raw)| profile.interpret(raw)).collect());

/// Runs `check` on every item, as many at a time as there are cores.
fn on_all_cores<T: Sync>(items: &[T], check: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            check(item);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
}

/// Whether an observation could count as a result, above all as "nothing found".
fn reads_negative(observation: &vocabulary::Observation) -> bool {
    let value = &observation.value;
    let says = value.interpretation.is_some_and(|meaning| meaning != vocabulary::Interpretation::Invalid);
    says || value.number.is_some() || value.od.is_some() || value.grade.is_some()
}
