//! The demonstration's laboratory: which model of the catalogue plays which part, and over what line.

use crate::{
    config::{Directory, TcpConnect, TcpListen, Transport},
    exit::{Exit, Failure},
    wiring,
};
use instrument_profiles::Entry;
use simulator::{
    analyser::{Analyser, Framing, Target, Tempo},
    fault::Faults,
    model::Model,
    scenario::{Duty, Scenario},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};
use vocabulary::{ConnectionId, LotUse, Protocol};

/// All of them work at once.
pub(crate) const ANALYSERS_AT_ONCE: usize = 8;

/// An analyser in its place.
pub(crate) struct Placed {
    pub(crate) connection: ConnectionId,
    pub(crate) duty: Duty,
    pub(crate) model: Arc<Model>,
    pub(crate) transport: Transport,
    /// Where the analyser itself listens and we connect.
    pub(crate) listener: Option<TcpListener>,
}

/// The simulated models of the catalogue, by id.
pub(crate) fn models() -> Result<Vec<Arc<Model>>, Failure> {
    let catalogue = wiring::built_in()?;
    let entries = catalogue.list().filter_map(|p| catalogue.entry(&p.reference().id));
    entries.filter_map(|entry| model(entry).transpose()).collect()
}

/// A model as data, where the catalogue holds a simulation of it.
pub(crate) fn model(entry: &Entry) -> Result<Option<Arc<Model>>, Failure> {
    let Some(simulation) = entry.text("simulation.toml") else { return Ok(None) };
    let templates: BTreeMap<String, String> = entry
        .names_in("simulation")
        .filter_map(|name| Some((name.to_owned(), entry.text(&format!("simulation/{name}"))?.to_owned())))
        .collect();
    let id = &entry.profile().reference().id;
    Model::new(id, simulation, &templates)
        .map(|m| Some(Arc::new(m)))
        .map_err(|e| Failure::new(Exit::Internal, e))
}

/// Gives every duty of a day to a model that can do it, and every model a duty where that can be: the duty that the
/// fewest can do chooses first.
pub(crate) fn place(folder: &Path) -> Result<Vec<Placed>, Failure> {
    let mut models = models()?;
    // The catalogue grows; what a newcomer is shown stays.
    models.sort_by_key(|model| !model.is_demonstrated());
    let able = |duty: &Duty| models.iter().filter(|m| m.duties().contains(duty)).collect::<Vec<_>>();
    let mut duties: Vec<(Duty, Vec<&Arc<Model>>)> =
        Duty::ALL.iter().map(|duty| (*duty, able(duty))).collect();
    duties.sort_by_key(|(_, able)| able.len());
    let mut taken = BTreeSet::new();
    let mut placed = Vec::new();
    for (duty, able) in duties {
        let free = able.iter().find(|m| !taken.contains(m.id()));
        let model = free.or(able.first()).ok_or_else(|| {
            Failure::new(Exit::Internal, format!("no model of the catalogue can simulate {}", duty.name()))
        })?;
        taken.insert(model.id().to_owned());
        let connection = ConnectionId::new(duty.name()).map_err(|e| Failure::new(Exit::Internal, e))?;
        let (transport, listener) = line(model.protocol(), duty, folder)?;
        placed.push(Placed { connection, duty, model: Arc::clone(model), transport, listener });
    }
    placed.sort_by_key(|p| p.duty);
    Ok(placed)
}

/// Both roles of a socket are played: one analyser listens itself, the others connect.
fn line(protocol: Protocol, duty: Duty, folder: &Path) -> io::Result<(Transport, Option<TcpListener>)> {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    Ok(match (protocol, duty) {
        (Protocol::Delimited, _) => {
            let path = inbox(folder).join(duty.name());
            fs::create_dir_all(&path)?;
            (Transport::Directory(Directory { path, pattern: "*".to_owned() }), None)
        }
        (Protocol::Lis02 | Protocol::Hl7v2 | Protocol::PkBlocks, Duty::GroupingFirst) => {
            let listener = TcpListener::bind(loopback)?;
            (
                Transport::TcpConnect(TcpConnect { address: listener.local_addr()?.to_string() }),
                Some(listener),
            )
        }
        (Protocol::Lis02 | Protocol::Hl7v2 | Protocol::PkBlocks, _) => {
            (Transport::TcpListen(TcpListen::at(loopback)), None)
        }
    })
}

/// Where analysers put files.
pub(crate) fn inbox(folder: &Path) -> PathBuf {
    folder.join("inbox")
}

/// The lots that the day's results will name, and one on board of each analyser that names none: the demonstration's
/// laboratory has accepted them all.
pub(crate) fn accepted_lots(
    placed: &[Placed],
    scenario: &Scenario,
) -> Result<Vec<workflow::AcceptedLot>, Failure> {
    // Where a message gives no expiry, the laboratory's own register has to.
    let in_use_until = scenario.settings.day.checked_add(jiff::Span::new().months(6)).ok();
    let mut accepted = Vec::new();
    for p in placed {
        let lots = lots_named(p, scenario)?;
        let on_board = lots.is_empty().then(|| workflow::AcceptedLot {
            lot: format!("DEMO-{}", p.connection),
            role: None,
            assays: Vec::new(),
            in_use_on: Some(p.connection.clone()),
            expires: in_use_until,
            on_board_until: None,
            approval: "DEMO".to_owned(),
            accepted_by: "demo".to_owned(),
        });
        accepted.extend(on_board);
        accepted.extend(lots.into_iter().map(|lot| workflow::AcceptedLot {
            lot: lot.lot,
            role: Some(lot.role),
            assays: Vec::new(),
            in_use_on: None,
            expires: lot.expires.or(in_use_until),
            on_board_until: None,
            approval: "DEMO".to_owned(),
            accepted_by: "demo".to_owned(),
        }));
    }
    Ok(accepted)
}

fn lots_named(p: &Placed, scenario: &Scenario) -> Result<BTreeSet<LotUse>, Failure> {
    let profile = wiring::profile(p.model.id())?;
    let analyser = Analyser {
        name: p.connection.to_string(),
        model: Arc::clone(&p.model),
        duty: p.duty,
        target: target_of_kind(p.model.protocol()),
        framing: Framing::default(),
        tempo: Tempo::default(),
        faults: Faults::default(),
    };
    let ready = analyser.prepare(scenario).map_err(|e| Failure::new(Exit::Internal, e))?;
    let observations =
        ready.messages().iter().flat_map(|message| profile.interpret(&message.bytes).observations);
    Ok(observations.flat_map(|observation| observation.lots).collect())
}

/// A line that nothing will be sent over.
fn target_of_kind(protocol: Protocol) -> Target {
    match protocol {
        Protocol::Delimited => Target::Directory(PathBuf::new()),
        Protocol::Lis02 | Protocol::Hl7v2 | Protocol::PkBlocks => {
            Target::Line(simulator::analyser::Peer::Connect(String::new()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simulator::scenario::DaySettings;

    #[test]
    fn the_demonstration_shows_the_models_that_are_meant_for_it_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let placed = place(folder.path()).unwrap();
        let shown: BTreeSet<&str> = placed.iter().map(|p| p.model.id()).collect();
        assert_eq!((placed.len(), shown.len()), (Duty::ALL.len(), Duty::ALL.len()), "{shown:?}");
        assert!(placed.iter().all(|p| p.model.is_demonstrated()), "{shown:?}");
    }

    #[test]
    fn every_question_of_a_simulated_model_is_understood_by_its_profile() {
        let asking: Vec<_> = models().unwrap().into_iter().filter(|model| model.asks()).collect();
        for protocol in [Protocol::Lis02, Protocol::Hl7v2] {
            assert!(asking.iter().any(|model| model.protocol() == protocol), "{protocol:?}");
        }
        for model in asking {
            let profile = wiring::profile(model.id()).unwrap();
            let specimens = ["G123426000001".to_owned(), "A^2".to_owned()];
            for (question, asked) in
                model.questions(&DaySettings::default(), &specimens).unwrap().iter().zip(&specimens)
            {
                let query = profile.query(&question.bytes).unwrap();
                let about: Vec<_> = query.specimens.iter().map(|specimen| specimen.id.as_str()).collect();
                assert_eq!(about, [asked.as_str()], "{}", model.id());
            }
        }
    }
}
