//! Laws that hold for every profile of the catalogue, whoever writes it.

mod captures;
mod characters;
mod compare;
mod controls;
mod faults;
mod json_schema;
mod language;
mod laws;
mod mutations;
mod questions;
mod rules;
mod simulation;
mod sketch;
mod templates;

use crate::{Catalogue, Profile, messages_of};
use std::sync::{Arc, LazyLock};

/// The catalogue as it is built in.
static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::built_in().unwrap_or_else(|e| panic!("\n{e}")));

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

/// Whether an observation could count as a result, above all as "nothing found".
fn reads_negative(observation: &vocabulary::Observation) -> bool {
    let value = &observation.value;
    let says = value.interpretation.is_some_and(|meaning| meaning != vocabulary::Interpretation::Invalid);
    says || value.number.is_some() || value.od.is_some() || value.grade.is_some()
}
