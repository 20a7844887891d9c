//! The laboratory's analysers: a model of the catalogue for every duty, and the lots they work with.

use crate::BenchError;
use instrument_profiles::{Catalogue, Profile};
use jiff::civil::Date;
use simulator::{
    model::Model,
    scenario::{DaySettings, Duty, Scenario},
    year::Models,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use vocabulary::{ConnectionId, LotUse};
use workflow::AcceptedLot;

/// A lot that was accepted once and has expired.
pub(super) const EXPIRED: &str = "EXP2025001";
/// A lot that nobody accepted.
pub(super) const UNACCEPTED: &str = "NEW2026999";
/// Working days of a year, and some.
const DAYS: i64 = 400;

/// An analyser in its place.
pub(super) struct Place {
    pub(super) connection: ConnectionId,
    pub(super) profile: Arc<Profile>,
    pub(super) model: Arc<Model>,
}

/// All of them.
pub(super) struct Street {
    pub(super) catalogue: Catalogue,
    pub(super) models: Models,
    pub(super) places: BTreeMap<Duty, Place>,
}

impl Street {
    /// The models that are meant to be shown, each in one place where that can be: the duty that the fewest can do
    /// chooses first.
    pub(super) fn of_catalogue() -> Result<Self, BenchError> {
        let catalogue = Catalogue::built_in().map_err(BenchError::part("read the catalogue"))?;
        let mut models = models(&catalogue)?;
        models.sort_by_key(|model| !model.is_demonstrated());
        let able = |duty: Duty| models.iter().filter(move |m| m.duties().contains(&duty));
        let mut duties: Vec<Duty> = Duty::ALL.to_vec();
        duties.sort_by_key(|duty| able(*duty).count());
        let mut taken = BTreeSet::new();
        let mut places = BTreeMap::new();
        for duty in duties {
            let found = able(duty).find(|m| !taken.contains(m.id())).or_else(|| able(duty).next());
            let lacks = || BenchError::Part {
                what: format!("find a model for {}", duty.name()),
                why: "none of the catalogue is simulated".to_owned(),
            };
            let model = found.ok_or_else(lacks)?;
            let profile = catalogue.get(model.id()).ok_or_else(lacks)?;
            taken.insert(model.id().to_owned());
            let connection = ConnectionId::new(duty.name()).map_err(BenchError::part("name a connection"))?;
            let place = Place { connection, profile: Arc::clone(profile), model: Arc::clone(model) };
            places.insert(duty, place);
        }
        let chosen = places.iter().map(|(duty, place)| (*duty, Arc::clone(&place.model))).collect();
        let models = Models::new(chosen).map_err(BenchError::part("place the models"))?;
        Ok(Self { catalogue, models, places })
    }

    /// What the laboratory has accepted: every lot that its analysers name on a day, and one on board of each that
    /// names none.
    pub(super) fn lots(&self, first_day: Date) -> Result<Vec<AcceptedLot>, BenchError> {
        let broken = BenchError::part::<simulator::scenario::DayError>("draw a day");
        let scenario =
            Scenario::new(DaySettings { donations: 60, ..DaySettings::default() }).map_err(broken)?;
        let until = first_day.checked_add(jiff::Span::new().days(DAYS)).ok();
        let lot = |lot: String, role, on: Option<&ConnectionId>, expires| AcceptedLot {
            lot,
            role,
            in_use_on: on.cloned(),
            expires,
            approval: "SIMULATED".to_owned(),
            accepted_by: "simulation".to_owned(),
        };
        let mut accepted = Vec::new();
        for (duty, place) in &self.places {
            let mut named: BTreeSet<LotUse> = BTreeSet::new();
            let mut sequence = 0;
            for run in scenario.session(*duty).map(|session| session.runs.as_slice()).unwrap_or_default() {
                let written = place.model.messages(&scenario.settings, *duty, run, &mut sequence);
                for message in written.map_err(BenchError::part("write a day"))? {
                    let read = place.profile.interpret(&message.bytes);
                    named.extend(read.observations.into_iter().flat_map(|o| o.lots));
                }
            }
            if named.is_empty() {
                let name = format!("ON-{}", place.connection);
                accepted.push(lot(name, None, Some(&place.connection), until));
            }
            accepted.extend(named.into_iter().map(|l| lot(l.lot, Some(l.role), None, l.expires.or(until))));
        }
        accepted.push(lot(EXPIRED.to_owned(), None, None, first_day.yesterday().ok()));
        Ok(accepted)
    }
}

/// The simulated models of the catalogue.
fn models(catalogue: &Catalogue) -> Result<Vec<Arc<Model>>, BenchError> {
    let mut all = Vec::new();
    for profile in catalogue.list() {
        let id = &profile.reference().id;
        let Some(entry) = catalogue.entry(id) else { continue };
        let Some(simulation) = entry.text("simulation.toml") else { continue };
        let template =
            |name: &str| Some((name.to_owned(), entry.text(&format!("simulation/{name}"))?.to_owned()));
        let templates = entry.names_in("simulation").filter_map(template).collect();
        let model = Model::new(id, simulation, &templates).map_err(BenchError::part("read a model"))?;
        all.push(Arc::new(model));
    }
    Ok(all)
}
