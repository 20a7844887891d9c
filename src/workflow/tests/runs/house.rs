//! A laboratory of one line, whose messages are said together with what they mean.

use ledger::{Body, Draft, Ledger, Seq, StateStore, What};
use quality_control::kits::{KitFile, Kits, SHIPPED};
use release::{RulePack, Verdict};
use std::sync::Arc;
use vocabulary::{
    ConnectionId, ControlReading, DonationId, Expected, Marker, Mode, Observation, ProfileRef, Protocol,
    ResultStatus, RunId, Source, SpecimenId, SpecimenKind, Value,
};
use workflow::{LotRegister, RunFacts, Settings, SpecimenRule};

pub(crate) struct House {
    pub(crate) settings: Settings,
    pub(crate) ledger: Ledger,
    _folder: tempfile::TempDir,
}

pub(crate) fn line() -> ConnectionId {
    ConnectionId::new("line").unwrap()
}

pub(crate) fn kits() -> Kits {
    Kits::new(SHIPPED.iter().map(|(id, text)| KitFile::read(id, text).unwrap())).unwrap()
}

impl House {
    pub(crate) fn new(pack: &str) -> Self {
        Self::with_clock(pack, Arc::new(ledger::SystemClock))
    }

    pub(crate) fn with_clock(pack: &str, clock: Arc<dyn ledger::Clock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = ledger::Settings::new(folder.path());
        settings.state = StateStore::Memory;
        settings.clock = clock;
        settings.free_bytes_min = 0;
        settings.ballast_bytes = 0;
        Self {
            settings: Settings {
                profiles: workflow::Profiles::default(),
                pack: RulePack::built_in(pack).unwrap(),
                specimens: SpecimenRule::new(r"(?<donation>\S+)").unwrap(),
                time_zone: jiff::tz::TimeZone::UTC,
                lots: LotRegister::default(),
                orders: workflow::orders::OrderRules::default(),
                kits: kits(),
                reagents_per_marker: 1,
                neighbours_each_side: 1,
                deliver_to: vec![],
                sign_off: workflow::SignOff::Here,
            },
            ledger: Ledger::open(settings, &mut |_| {}).unwrap().0,
            _folder: folder,
        }
    }

    pub(crate) fn append(&self, what: What) -> Seq {
        let seq = self.ledger.append(vec![Draft::by_system(what)]).unwrap().wait().unwrap().last();
        self.ledger.wait_applied(seq).wait().unwrap();
        seq
    }

    /// A message, and what it was taken to mean.
    pub(crate) fn says(&self, observations: &[Observation]) -> Seq {
        let profile = ProfileRef { id: "maker/model".into(), revision: "1".into() };
        let message = self.append(What::MessageReceived {
            connection: line(),
            mode: Mode::Production,
            profile: profile.clone(),
            protocol: Protocol::Lis02,
            body: Body::Whole(b"-".as_slice().into()),
        });
        self.means(message, observations);
        message
    }

    /// What a message is taken to mean, from now on.
    pub(crate) fn means(&self, message: Seq, observations: &[Observation]) {
        let profile = ProfileRef { id: "maker/model".into(), revision: "1".into() };
        self.append(interpreted(message, profile, observations));
    }

    /// The same content, in so many messages.
    pub(crate) fn says_often(&self, times: usize, observations: &[Observation]) {
        let profile = ProfileRef { id: "maker/model".into(), revision: "1".into() };
        let first = self.says(observations).get() + 2;
        let both = |at: u64| {
            let received = What::MessageReceived {
                connection: line(),
                mode: Mode::Production,
                profile: profile.clone(),
                protocol: Protocol::Lis02,
                body: Body::Whole(b"-".as_slice().into()),
            };
            let message = Seq::new(first + 2 * at);
            [received, interpreted(message, profile.clone(), observations)].map(Draft::by_system)
        };
        let drafts: Vec<Draft> = (0..times as u64 - 1).flat_map(both).collect();
        for some in drafts.chunks(200) {
            let durable = self.ledger.append(some.to_vec()).unwrap().wait().unwrap();
            assert!(durable.last().get() >= first);
        }
        self.ledger.wait_applied(Seq::new(first + 2 * times as u64 - 3)).wait().unwrap();
    }

    pub(crate) fn works(&self) {
        while workflow::work_once(&self.settings, &self.ledger).unwrap() > 0 {}
    }

    pub(crate) fn judged(&self, donation: &str) -> (Verdict, workflow::DonationFacts) {
        let donation = DonationId::new(donation).unwrap();
        let facts = workflow::facts_of(&self.settings, &self.ledger.state(), &donation).unwrap();
        (release::decide(&workflow::evidence(&facts, &self.settings), &self.settings.pack), facts)
    }

    /// What stands for the last result of a donation.
    pub(crate) fn stands(&self, donation: &str) -> (RunId, RunFacts) {
        let (_, facts) = self.judged(donation);
        let last = facts.observations.last().unwrap();
        let run = last.window.clone().or(last.observation.run.clone()).unwrap();
        (run.clone(), facts.runs[&run].clone())
    }

    pub(crate) fn serology(&self, donation: &str) -> String {
        let (verdict, _) = self.judged(donation);
        let found = verdict.serology().iter().find(|s| s.marker == Marker::HBsAg).unwrap();
        serde_json::to_value(found).unwrap()["state"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn interpreted(message: Seq, profile: ProfileRef, observations: &[Observation]) -> What {
    let donations = (0..).zip(observations).filter(|(_, o)| o.kind == SpecimenKind::Patient);
    let donation = |o: &Observation| DonationId::new(o.specimen.as_ref().unwrap().as_str()).unwrap();
    What::MessageInterpreted {
        message,
        profile,
        observations: observations.to_vec(),
        findings: vec![],
        donations: donations.map(|(at, o)| (at, donation(o))).collect(),
        holds: vec![],
        orders: vec![],
        measured: vec![],
        continues: vec![],
        pools: ledger::Pools::default(),
        part: 0,
        last: true,
    }
}

pub(crate) fn observation(
    kind: SpecimenKind,
    (assay, marker): (&str, Marker),
    run: &str,
    at: &str,
) -> Observation {
    Observation {
        specimen: None,
        instrument: Some("A1".into()),
        assay: assay.into(),
        marker,
        kind,
        value: Value::default(),
        flags: vec![],
        status: ResultStatus::Final,
        run: Some(RunId::new(run).unwrap()),
        lots: vec![],
        completed_at: Some(format!("2026-03-{at}:00Z")),
        replicate: None,
        operator: None,
        control: None,
        discriminates: false,
        source: Source::default(),
    }
}

pub(crate) fn of(mut o: Observation, donation: &str) -> Observation {
    o.specimen = Some(SpecimenId::new(donation).unwrap());
    o
}

pub(crate) fn control(mut o: Observation, name: &str, expected: Expected) -> Observation {
    o.control = Some(ControlReading { name: name.into(), expected });
    o
}
