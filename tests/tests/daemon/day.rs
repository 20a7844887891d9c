//! A whole working day at a daemon: six analysers over real lines, every lot accepted, every donation registered.

use crate::house::{Daemon, House};
use instrument_profiles::Catalogue;
use serde_json::json;
use simulator::{
    analyser::{Analyser, Framing, Peer, Target, Tempo},
    fault::Faults,
    model::Model,
    scenario::{DaySettings, Duty, PlannedDonation, Scenario, Story},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;
use vocabulary::LotUse;

/// Who does what. The second reagent is of another maker and comes in files.
const MODELS: [(Duty, &str); 6] = [
    (Duty::SerologyFirst, "abbott/architect-i2000sr"),
    (Duty::SerologySecond, "generic/elisa-plate"),
    (Duty::Nat, "roche/cobas-x800"),
    (Duty::GroupingFirst, "immucor/neo"),
    (Duty::GroupingSecond, "bio-rad/ih-com"),
    (Duty::Chemistry, "mindray/bs"),
];

pub(crate) struct Day {
    pub(crate) house: House,
    pub(crate) scenario: Scenario,
    models: BTreeMap<Duty, Arc<Model>>,
}

impl Day {
    /// A house for the day of `donations` donations; nothing runs yet.
    pub(crate) fn new(donations: u32) -> Self {
        let scenario = Scenario::new(DaySettings { donations, ..DaySettings::default() }).unwrap();
        let catalogue = Catalogue::built_in().unwrap();
        let model = |id: &str| {
            let entry = catalogue.entry(id).unwrap();
            let templates: BTreeMap<String, String> = entry
                .names_in("simulation")
                .map(|name| (name.to_owned(), entry.text(&format!("simulation/{name}")).unwrap().to_owned()))
                .collect();
            Arc::new(Model::new(id, entry.text("simulation.toml").unwrap(), &templates).unwrap())
        };
        let models: BTreeMap<Duty, Arc<Model>> = MODELS.iter().map(|(duty, id)| (*duty, model(id))).collect();
        let house = House::with(&[]);
        let day = Self { house, scenario, models };
        let mut text = fs::read_to_string(day.house.config()).unwrap();
        for (duty, id) in MODELS {
            let transport = if id == "generic/elisa-plate" {
                let inbox = day.inbox();
                fs::create_dir_all(&inbox).unwrap();
                format!("type = \"directory\", path = {inbox:?}, pattern = \"*\"")
            } else {
                "type = \"tcp-listen\", address = \"127.0.0.1:0\"".to_owned()
            };
            let name = duty.name();
            writeln!(
                text,
                "[[connection]]\nid = \"{name}\"\nprofile = \"{id}\"\nmode = \"production\"\ntransport = {{ {transport} }}"
            )
            .unwrap();
            day.accept_lots(duty, &catalogue, &mut text);
        }
        fs::write(day.house.config(), text).unwrap();
        day
    }

    /// Where plates are taken from.
    pub(crate) fn inbox(&self) -> PathBuf {
        self.house.path.join("inbox")
    }

    fn analyser(&self, duty: Duty, target: Target) -> Analyser {
        Analyser {
            name: duty.name().to_owned(),
            model: Arc::clone(&self.models[&duty]),
            duty,
            target,
            framing: Framing::default(),
            tempo: Tempo::default(),
            faults: Faults::default(),
        }
    }

    /// The lots that its messages name; of an analyser that names none, the one on board.
    fn accept_lots(&self, duty: Duty, catalogue: &Catalogue, text: &mut String) {
        let target = if duty == Duty::SerologySecond {
            Target::Directory(PathBuf::new())
        } else {
            Target::Line(Peer::Connect(String::new()))
        };
        let profile = catalogue.get(self.models[&duty].id()).unwrap();
        let ready = self.analyser(duty, target).prepare(&self.scenario).unwrap();
        let observed = ready.messages().iter().flat_map(|m| profile.interpret(&m.bytes).observations);
        let lots: BTreeSet<LotUse> = observed.flat_map(|observation| observation.lots).collect();
        let accepted = "approval = \"A-1\"\naccepted_by = \"qc\"\nexpires = \"2026-12-31\"\n";
        if lots.is_empty() {
            let name = duty.name();
            write!(text, "[[lot]]\nlot = \"on-{name}\"\nin_use_on = \"{name}\"\n{accepted}").unwrap();
        }
        for lot in lots {
            write!(text, "[[lot]]\nlot = {:?}\nrole = {}\n{accepted}", lot.lot, json!(lot.role)).unwrap();
        }
    }

    /// Registers every donation and plays every analyser, until nothing waits to be decided.
    pub(crate) fn play(&self, daemon: &Daemon) {
        self.play_with_plates_in(daemon, &self.inbox());
    }

    /// The same; the files of plates come into another folder than the daemon looks into.
    pub(crate) fn play_with_plates_in(&self, daemon: &Daemon, plates: &Path) {
        let registered: Vec<_> = self.scenario.donations.iter().map(|d| &d.registration).collect();
        let (status, answer) = daemon.post("donations", &json!(registered));
        assert_eq!(status, 201, "{answer}");
        let target = |duty: Duty| match daemon.listening.get(duty.name()) {
            Some(address) => Target::Line(Peer::Connect(address.to_string())),
            None => Target::Directory(plates.to_path_buf()),
        };
        let analysers: Vec<Analyser> = MODELS.iter().map(|(d, _)| self.analyser(*d, target(*d))).collect();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let stop = CancellationToken::new();
        let at_once = NonZeroUsize::new(analysers.len()).unwrap();
        let played = runtime.block_on(simulator::run_day(&self.scenario, analysers, at_once, &stop)).unwrap();
        assert_eq!(played.failed(), 0, "{played:?}");
        self.takes_files(daemon);
    }

    /// Waits until every plate is taken in and everything is decided.
    pub(crate) fn takes_files(&self, daemon: &Daemon) {
        crate::house::until("every file is taken", std::time::Duration::from_mins(2), || {
            let files = fs::read_dir(self.inbox()).unwrap().map(Result::unwrap);
            !files.into_iter().any(|file| file.path().is_file())
        });
        daemon.idle();
    }

    /// The donations that this story happens to, in order.
    pub(crate) fn of(&self, story: Story) -> Vec<&PlannedDonation> {
        self.scenario.donations.iter().filter(|d| d.story == story).collect()
    }
}
