//! The laboratory's analysers: a model of the catalogue for every duty, and the lots they work with.

use crate::BenchError;
use instrument_profiles::{Catalogue, Profile};
use jiff::civil::Date;
use simulator::{
    model::Model,
    scenario::{DaySettings, Duty, Scenario},
    year::{Models, Sender},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use vocabulary::{ConnectionId, LotUse, Observation};
use workflow::AcceptedLot;

/// A lot that was accepted once and has expired.
pub(super) const EXPIRED: &str = "EXP2025001";
/// A lot that nobody accepted.
pub(super) const UNACCEPTED: &str = "NEW2026999";
/// Working days of a year, and some.
const DAYS: i64 = 400;
/// Who tests pools: its runs have controls that a kit can judge, and its form knows a pool's number.
const POOL_ANALYSER: &str = "generic/nat-run";
/// Who makes them.
const POOLING_ROBOT: &str = "generic/pooling-log";

/// An analyser or a robot in its place.
pub(super) struct Place {
    pub(super) connection: ConnectionId,
    pub(super) profile: Arc<Profile>,
    /// A robot's log is simulated without one.
    pub(super) model: Option<Arc<Model>>,
    duty: Duty,
}

impl Place {
    /// What it says of a day.
    fn observations(&self, day: &Scenario) -> Result<Vec<Observation>, BenchError> {
        let Some(model) = &self.model else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        let mut sequence = 0;
        for run in day.session(self.duty).map(|session| session.runs.as_slice()).unwrap_or_default() {
            let written = model.messages(&day.settings, self.duty, run, &mut sequence);
            for message in written.map_err(BenchError::part("write a day"))? {
                all.extend(self.profile.interpret(&message.bytes).observations);
            }
        }
        Ok(all)
    }

    fn of(
        catalogue: &Catalogue,
        id: &str,
        sender: Sender,
        model: Option<Arc<Model>>,
    ) -> Result<Self, BenchError> {
        let lacks =
            || BenchError::Part { what: format!("find {id}"), why: "the catalogue lacks it".to_owned() };
        let profile = Arc::clone(catalogue.get(id).ok_or_else(lacks)?);
        let connection = ConnectionId::new(sender.name()).map_err(BenchError::part("name a connection"))?;
        let duty = match sender {
            Sender::Analyser(duty) => duty,
            Sender::PoolAnalyser | Sender::PoolingRobot => Duty::Nat,
        };
        Ok(Self { connection, profile, model, duty })
    }
}

/// All of them.
pub(super) struct Street {
    pub(super) catalogue: Catalogue,
    pub(super) models: Models,
    pub(super) places: BTreeMap<Sender, Place>,
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
        let (mut places, mut chosen) = (BTreeMap::new(), BTreeMap::new());
        for duty in duties {
            let found = able(duty).find(|m| !taken.contains(m.id())).or_else(|| able(duty).next());
            let lacks = || BenchError::Part {
                what: format!("find a model for {}", duty.name()),
                why: "none of the catalogue is simulated".to_owned(),
            };
            let model = found.ok_or_else(lacks)?;
            taken.insert(model.id().to_owned());
            let place = Place::of(&catalogue, model.id(), duty.into(), Some(Arc::clone(model)))?;
            places.insert(Sender::Analyser(duty), place);
            chosen.insert(duty, Arc::clone(model));
        }
        let lacks = || BenchError::Part {
            what: format!("find {POOL_ANALYSER}"),
            why: "it is not simulated".to_owned(),
        };
        let pools = models.iter().find(|m| m.id() == POOL_ANALYSER).ok_or_else(lacks)?;
        let (analyser, robot) = (Sender::PoolAnalyser, Sender::PoolingRobot);
        places.insert(analyser, Place::of(&catalogue, POOL_ANALYSER, analyser, Some(Arc::clone(pools)))?);
        places.insert(robot, Place::of(&catalogue, POOLING_ROBOT, robot, None)?);
        let models = Models::new(chosen, Arc::clone(pools)).map_err(BenchError::part("place the models"))?;
        Ok(Self { catalogue, models, places })
    }

    /// What the analyser of a duty calls its assays.
    pub(super) fn assays(&self, duty: Duty) -> Result<BTreeSet<String>, BenchError> {
        let scenario = some_day()?;
        let place = self.places.get(&Sender::Analyser(duty));
        let read = place.map(|place| place.observations(&scenario)).transpose()?;
        Ok(read.into_iter().flatten().map(|observation| observation.assay).collect())
    }

    /// What the laboratory has accepted: every lot that its analysers name on a day, and one on board of each that
    /// names none.
    pub(super) fn lots(&self, first_day: Date) -> Result<Vec<AcceptedLot>, BenchError> {
        let scenario = some_day()?;
        let until = first_day.checked_add(jiff::Span::new().days(DAYS)).ok();
        let lot = |lot: String, role, on: Option<&ConnectionId>, expires| AcceptedLot {
            lot,
            role,
            assays: Vec::new(),
            in_use_on: on.cloned(),
            expires,
            on_board_until: None,
            approval: "SIMULATED".to_owned(),
            accepted_by: "simulation".to_owned(),
        };
        let mut accepted = Vec::new();
        for place in self.places.values() {
            let mut named: BTreeSet<LotUse> = BTreeSet::new();
            for observation in place.observations(&scenario)? {
                named.extend(observation.lots);
            }
            // A robot's log names none, and none is asked for.
            if place.model.is_none() {
                continue;
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

/// A day on which everything is measured.
fn some_day() -> Result<Scenario, BenchError> {
    let settings = DaySettings { donations: 60, ..DaySettings::default() };
    Scenario::new(settings).map_err(BenchError::part("draw a day"))
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
