//! What is known of one donation and its runs, gathered from the ledger for one decision.

use crate::donors::DonorFacts;
use crate::measurement::{Stage, identity, outcome};
use release::{
    Moment,
    evidence::{Qc, Validity},
};
use serde::Deserialize;
use std::collections::BTreeMap;
use vocabulary::{
    ConnectionId, DonationId, DonationRegistration, Finding, LotRole, LotUse, Observation, ProfileRef, RunId,
};

/// One result and where it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Sequence number of its message.
    pub message: u64,
    /// The connection it came over.
    pub connection: ConnectionId,
    /// The profile revision that read it.
    pub profile: ProfileRef,
    /// Which of the donation's tubes, where the scan names one.
    pub tube: Option<String>,
    /// The result.
    pub observation: Observation,
    /// When it was finished, if the analyser's clock could be read.
    pub tested_at: Option<Moment>,
}

impl Fact {
    /// The maker, which the profile's id begins with.
    pub(crate) fn maker(&self) -> &str {
        self.profile.id.split('/').next().unwrap_or_default()
    }

    /// What was measured, without what came out and without its place: two facts that agree in it may be one measurement.
    pub(crate) fn identity(&self) -> String {
        identity((&self.connection, &self.profile.id), self.tube.as_deref(), &self.observation)
    }

    /// What came out.
    pub(crate) fn outcome(&self) -> String {
        outcome(&self.observation)
    }

    /// How far it has come.
    pub(crate) fn stage(&self) -> Stage {
        Stage::of(self.observation.status)
    }
}

/// What is known of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFacts {
    /// Whether its controls allow its results.
    pub validity: Validity,
    /// Whether its quality control is in control.
    pub qc: Qc,
    /// Why not.
    pub why: Option<String>,
    /// Lots its controls were made with.
    pub lots: Vec<LotUse>,
}

/// Everything known of one donation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DonationFacts {
    /// The donation.
    pub donation: DonationId,
    /// The laboratory's distance from UTC at collection.
    pub offset: jiff::tz::Offset,
    /// What the blood information system registered.
    pub registration: Option<DonationRegistration>,
    /// Its production results, in the order they came.
    pub observations: Vec<Fact>,
    /// Findings that hold it.
    pub findings: Vec<Finding>,
    /// Donations whose number begins this one, or is begun by it: a reader may have cut one of them.
    pub alike: Vec<DonationId>,
    /// Scans that its results came under, where the site's form says that there may be one only.
    pub scans: Vec<String>,
    /// Donations taken beside it whose tubes may be another donor's.
    pub beside: Vec<ledger::SuspectedBeside>,
    /// What people did with it.
    pub people: ledger::ByPeople,
    /// What people and earlier donations say of its donor and of itself.
    pub donor: DonorFacts,
    /// The pools that it is named as a member of.
    pub pools: Vec<crate::pools::PoolFacts>,
    /// The runs its results, and those of its pools, name.
    pub runs: BTreeMap<RunId, RunFacts>,
}

/// A lot that the laboratory has accepted for use (R-GATE-06).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedLot {
    /// Lot number, exactly as the analyser sends it.
    pub lot: String,
    /// What it is used as; any use when absent.
    #[serde(default)]
    pub role: Option<LotRole>,
    /// The connection of an analyser that has it on board and names no lots in its messages.
    #[serde(default)]
    pub in_use_on: Option<ConnectionId>,
    /// Last day of use.
    #[serde(default)]
    pub expires: Option<jiff::civil::Date>,
    /// Approval or batch release number (批签发/批准文号).
    pub approval: String,
    /// Who accepted it.
    pub accepted_by: String,
}

/// The laboratory's accepted lots. A lot that is not in it is not accepted.
#[derive(Debug, Clone, Default)]
pub struct LotRegister(BTreeMap<String, Vec<AcceptedLot>>);

impl LotRegister {
    /// A register of these lots.
    #[must_use]
    pub fn new(lots: impl IntoIterator<Item = AcceptedLot>) -> Self {
        let mut register: BTreeMap<String, Vec<AcceptedLot>> = BTreeMap::new();
        for lot in lots {
            register.entry(lot.lot.clone()).or_default().push(lot);
        }
        Self(register)
    }

    /// The lots that an analyser has on board by the laboratory's own word.
    pub(crate) fn in_use_on(&self, connection: &ConnectionId) -> impl Iterator<Item = LotUse> {
        let on_board =
            self.0.values().flatten().filter(move |lot| lot.in_use_on.as_ref() == Some(connection));
        on_board.map(|lot| LotUse {
            role: lot.role.unwrap_or(LotRole::Reagent),
            name: None,
            lot: lot.lot.clone(),
            expires: lot.expires,
        })
    }

    pub(crate) fn find(&self, lot: &LotUse) -> Option<&AcceptedLot> {
        self.0.get(&lot.lot)?.iter().find(|known| known.role.is_none_or(|role| role == lot.role))
    }
}
