//! What is known of one donation and its runs, gathered from the ledger for one decision.

use crate::donors::DonorFacts;
use crate::falls::Fall;
use crate::measurement::{Stage, identity, outcome};
use ledger::{EvidenceFinding, Seq};
use release::{
    Moment,
    evidence::{Qc, Validity},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{
    ConnectionId, DonationId, DonationRegistration, Finding, LotRole, LotUse, Observation, PoolId,
    ProfileRef, RunId,
};

/// One result and where it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Sequence number of its message.
    pub message: u64,
    /// The entry that says what it means.
    pub entry: u64,
    /// The connection it came over.
    pub connection: ConnectionId,
    /// The profile revision that read it.
    pub profile: ProfileRef,
    /// Which of the donation's tubes, where the scan names one.
    pub tube: Option<String>,
    /// The material was a segment of the bag.
    pub segment: bool,
    /// A lot that it was made with had expired when it was finished.
    pub lot_expired: bool,
    /// The result.
    pub observation: Observation,
    /// When it was finished, if the analyser's clock could be read.
    pub tested_at: Option<Moment>,
    /// When its message came, milliseconds since 1970 UTC.
    pub came_ms: i64,
    /// The run that its controls make of it, where they stand for a time and not for a run.
    pub window: Option<RunId>,
    /// What the kit makes of its own well.
    pub kit: Option<KitWord>,
}

/// What a kit makes of a sample's well.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KitWord {
    /// Who makes the reagent, where the kit says so.
    pub maker: Option<String>,
    /// A weak signal is reactive.
    pub competitive: bool,
    /// The cut-off that the signal is held against: of the kit's and the reader's the one that loses no reactive sample.
    pub cutoff: Option<Decimal>,
    /// The cut-off that was sent, where it is another one.
    pub differs: Option<Decimal>,
    /// Why the well is no result.
    pub invalid: Option<Told>,
}

/// Words for people, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Told {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Told {
    /// Words in English and Chinese.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }

    /// Both, one behind the other.
    pub(crate) fn and(self, next: &Self) -> Self {
        Self::new(format!("{}; {}", self.en, next.en), format!("{}；{}", self.zh, next.zh))
    }

    /// Both, each once.
    pub(crate) fn joined(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) if one.en.contains(&other.en) => Some(one),
            (Some(one), Some(other)) => Some(one.and(&other)),
            (one, other) => one.or(other),
        }
    }
}

impl Fact {
    /// The reagent's maker, as its kit names it; else the analyser's, which the profile's id begins with. In small letters:
    /// whoever is written in two ways is one.
    pub(crate) fn maker(&self) -> String {
        let of_analyser = self.profile.id.split('/').next().unwrap_or_default();
        let of_kit = self.kit.as_ref().and_then(|kit| kit.maker.as_deref());
        of_kit.unwrap_or(of_analyser).split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
    }

    /// The run that stands for it: the window of controls that it lies in, where there is one.
    pub(crate) fn run(&self) -> Option<&RunId> {
        self.window.as_ref().or(self.observation.run.as_ref())
    }

    /// Whether its kit reacts the less the more there is of what it looks for.
    pub(crate) fn is_competitive(&self) -> bool {
        self.kit.as_ref().is_some_and(|kit| kit.competitive)
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
    /// Why not.
    pub why: Option<Told>,
    /// Whether its quality control is in control.
    pub qc: Qc,
    /// Why not.
    pub qc_why: Option<Told>,
    /// Lots its controls were made with.
    pub lots: Vec<AssayLot>,
    /// Kits that judged it, each with its hash; none where the profile's controls did.
    pub kits: Vec<String>,
    /// What each criterion came to.
    pub checks: Vec<RunCheck>,
    /// What went wrong on its line meanwhile and stands open.
    pub interface: Option<Told>,
    /// What went wrong there and somebody has looked at.
    pub acknowledged: Option<Told>,
    /// What of its analysers' qualification, calibration or maintenance is overdue.
    pub overdue: Option<Told>,
    /// Its analysers of whose qualification, calibration and maintenance nothing is recorded.
    pub unserviced: BTreeSet<String>,
    /// Operators who may not run the assays that they ran.
    pub unauthorised: BTreeSet<String>,
    /// Operators of whom nothing is recorded; `?` where a result names none.
    pub unrecorded: BTreeSet<String>,
    /// What people declared of it, or of a lot that it was made with, that took its results.
    pub falls: Vec<Fall>,
}

impl RunFacts {
    /// A run that is so, and nothing else is known of it.
    #[must_use]
    pub fn new(validity: Validity, qc: Qc) -> Self {
        Self {
            validity,
            why: None,
            qc,
            qc_why: None,
            lots: Vec::new(),
            kits: Vec::new(),
            checks: Vec::new(),
            interface: None,
            acknowledged: None,
            overdue: None,
            unserviced: BTreeSet::new(),
            unauthorised: BTreeSet::new(),
            unrecorded: BTreeSet::new(),
            falls: Vec::new(),
        }
    }
}

/// What one criterion of a run came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunCheck {
    /// The assay, or the kit.
    pub assay: String,
    /// The criterion.
    pub criterion: String,
    /// Whether it holds; none where a bound of the reader leaves that open.
    pub holds: Option<bool>,
    /// The values that it was made with, and the limit.
    pub measured: String,
}

/// A number that was typed in at an analyser, not read from the label (R-GATE-09).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypedNumber {
    /// The message.
    pub message: Seq,
    /// Where in it.
    pub place: String,
    /// What the analyser said.
    pub what: String,
    /// The number, where the analyser names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specimen: Option<String>,
    /// The pool whose number it is, where it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolId>,
}

impl TypedNumber {
    /// The name of findings that say so.
    pub(crate) const FINDING: &str = "typed_identifier";

    /// Findings, and those among them that say that a number was typed in.
    pub(crate) fn apart(findings: Vec<EvidenceFinding>, pool: Option<&PoolId>) -> (Vec<Finding>, Vec<Self>) {
        let (mut others, mut typed) = (Vec::new(), Vec::new());
        for EvidenceFinding { message, finding, .. } in findings {
            if finding.finding == Self::FINDING {
                let Finding { place, what, specimen, .. } = finding;
                typed.push(Self { message, place, what, specimen, pool: pool.cloned() });
            } else {
                others.push(finding);
            }
        }
        (others, typed)
    }
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
    /// Findings that hold it, those of numbers that were typed in aside.
    pub findings: Vec<Finding>,
    /// Numbers of its tubes that were typed in.
    pub typed: Vec<TypedNumber>,
    /// Donations whose number begins this one, or is begun by it: a reader may have cut one of them.
    pub alike: Vec<DonationId>,
    /// Scans that its results came under, where the site's form says that there may be one only.
    pub scans: Vec<String>,
    /// Donations taken beside it whose tubes may be another donor's.
    pub beside: Vec<ledger::SuspectedBeside>,
    /// What people did with it.
    pub people: ledger::ByPeople,
    /// What was made of it, and where each is.
    pub components: ledger::Components,
    /// What people and earlier donations say of its donor and of itself.
    pub donor: DonorFacts,
    /// The pools that it is named as a member of.
    pub pools: Vec<crate::pools::PoolFacts>,
    /// The runs its results, and those of its pools, name.
    pub runs: BTreeMap<RunId, RunFacts>,
}

/// A lot, and the assay that it was used for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AssayLot {
    /// The lot.
    pub lot: LotUse,
    /// The assay, as the profile names it.
    pub assay: String,
}

impl AssayLot {
    /// The lots that a result names.
    pub(crate) fn of(o: &Observation) -> impl Iterator<Item = Self> {
        o.lots.iter().map(|lot| Self { lot: lot.clone(), assay: o.assay.clone() })
    }
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
    /// What it is for, by the assays' names; any when absent. Two makers may number alike: a lot that names its assays accepts
    /// no result of another.
    #[serde(default, deserialize_with = "some_assay")]
    pub assays: Vec<String>,
    /// The connection of the analyser that has it on board: no result of another one is accepted by this line. One that names
    /// no lots in its messages is taken to use it.
    #[serde(default)]
    pub in_use_on: Option<ConnectionId>,
    /// Last day of use.
    #[serde(default)]
    pub expires: Option<jiff::civil::Date>,
    /// Last day of what was opened of it: on the analysers of `in_use_on`, on every one without that.
    #[serde(default)]
    pub on_board_until: Option<jiff::civil::Date>,
    /// Approval or batch release number (批签发/批准文号).
    pub approval: String,
    /// Who accepted it.
    pub accepted_by: String,
}

fn some_assay<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    let assays = Vec::<String>::deserialize(input)?;
    if assays.is_empty() {
        return Err(D::Error::custom("a lot that is for no assay; name its assays, or leave the key out"));
    }
    Ok(assays)
}

impl AcceptedLot {
    /// Whether it is for an assay.
    fn is_for(&self, assay: &str) -> bool {
        self.assays.is_empty() || self.assays.iter().any(|own| own == assay)
    }

    /// Whether it is for the analyser of a connection.
    fn is_there(&self, connection: &ConnectionId) -> bool {
        self.in_use_on.as_ref().is_none_or(|on| on == connection)
    }

    /// The number and the assay, or `any assay`, for which two lines of a register both speak though one of them names what it
    /// is for: nobody could say which lot it is. One lot may be on board of several analysers.
    #[must_use]
    pub fn overlap(lots: &[Self]) -> Option<(&str, &str)> {
        let alike = |a: &Self, b: &Self| {
            let analysers_differ =
                a.in_use_on.as_ref().zip(b.in_use_on.as_ref()).is_some_and(|(a, b)| a != b);
            let roles_differ = a.role.zip(b.role).is_some_and(|(a, b)| a != b);
            a.lot == b.lot && !analysers_differ && !roles_differ
        };
        lots.iter().enumerate().find_map(|(at, one)| {
            lots.iter().skip(at + 1).filter(|other| alike(one, other)).find_map(|other| {
                let named = one.assays.iter().chain(&other.assays);
                let both = named.map(String::as_str).find(|assay| one.is_for(assay) && other.is_for(assay));
                both.map(|assay| (one.lot.as_str(), assay))
            })
        })
    }
}

/// The laboratory's accepted lots. A lot that is not in it is not accepted.
#[derive(Debug, Clone, Default)]
pub struct LotRegister {
    by_number: BTreeMap<String, Vec<AcceptedLot>>,
    /// What analysers have on board that name no lots in their messages.
    on_board: BTreeMap<ConnectionId, Vec<OnBoard>>,
}

/// A lot on an analyser that names none.
#[derive(Debug, Clone)]
struct OnBoard {
    lot: LotUse,
    /// What it is for; any assay where it names none.
    assays: Vec<String>,
}

impl LotRegister {
    /// A register of these lots.
    #[must_use]
    pub fn new(lots: impl IntoIterator<Item = AcceptedLot>) -> Self {
        let mut by_number: BTreeMap<String, Vec<AcceptedLot>> = BTreeMap::new();
        for lot in lots {
            by_number.entry(lot.lot.clone()).or_default().push(lot);
        }
        let mut on_board: BTreeMap<ConnectionId, Vec<OnBoard>> = BTreeMap::new();
        for lot in by_number.values().flatten() {
            if let Some(connection) = &lot.in_use_on {
                let used = LotUse {
                    role: lot.role.unwrap_or(LotRole::Reagent),
                    name: None,
                    lot: lot.lot.clone(),
                    expires: lot.expires,
                };
                let assays = lot.assays.clone();
                on_board.entry(connection.clone()).or_default().push(OnBoard { lot: used, assays });
            }
        }
        Self { by_number, on_board }
    }

    /// Analysers' lines that have a lot on board by the laboratory's own word.
    pub(crate) fn lines_with(&self, lot: &str) -> Vec<ConnectionId> {
        let has = |(_, lots): &(&ConnectionId, &Vec<OnBoard>)| lots.iter().any(|one| one.lot.lot == lot);
        self.on_board.iter().filter(has).map(|(line, _)| line.clone()).collect()
    }

    /// Whether the laboratory has a line about a lot.
    pub(crate) fn knows(&self, lot: &str) -> bool {
        self.by_number.contains_key(lot)
    }

    /// The lots that a result was made with: those that it names, else those on board for its assay by the laboratory's own word.
    pub(crate) fn of<'l>(
        &'l self,
        o: &'l Observation,
        connection: &ConnectionId,
    ) -> impl Iterator<Item = &'l LotUse> + use<'l> {
        let on_board = if o.lots.is_empty() { self.on_board.get(connection) } else { None };
        let for_it = |one: &&OnBoard| one.assays.is_empty() || one.assays.contains(&o.assay);
        o.lots.iter().chain(on_board.into_iter().flatten().filter(for_it).map(|one| &one.lot))
    }

    /// The last day of a lot: the earliest of what the analyser says and of what the register's lines with its number say.
    pub(crate) fn last_day(&self, lot: &LotUse, assay: &str) -> Option<jiff::civil::Date> {
        lot.expires.into_iter().chain(self.lines(lot, assay).filter_map(|known| known.expires)).min()
    }

    /// Whether a lot of a result had expired on the day that it was finished.
    pub(crate) fn expired(&self, o: &Observation, connection: &ConnectionId, day: jiff::civil::Date) -> bool {
        self.of(o, connection).any(|lot| self.last_day(lot, &o.assay).is_some_and(|last| last < day))
    }

    /// Whether a lot stood on an analyser longer than it may (R-GATE-06). Nothing where the register does not say how long;
    /// where nobody knows when it was tested it is taken for too long.
    pub(crate) fn on_board_exceeded(
        &self,
        (lot, assay): (&LotUse, &str),
        (connection, day): (&ConnectionId, Option<jiff::civil::Date>),
    ) -> Option<bool> {
        let there = self.lines(lot, assay).filter(|known| known.is_there(connection));
        let last = there.filter_map(|known| known.on_board_until).min()?;
        Some(day.is_none_or(|day| last < day))
    }

    /// Whether a lot is accepted for an assay, on the analyser of that connection.
    pub(crate) fn accepts(&self, (lot, assay): (&LotUse, &str), connection: &ConnectionId) -> bool {
        self.lines(lot, assay).any(|known| known.is_there(connection))
    }

    /// Whether lots of its number are accepted, and for other assays only.
    pub(crate) fn is_of_others(&self, lot: &LotUse, assay: &str) -> bool {
        self.lines(lot, assay).next().is_none() && self.alike(lot).next().is_some()
    }

    /// Whether a lot is accepted for the assay, and on other analysers only.
    pub(crate) fn is_elsewhere(&self, (lot, assay): (&LotUse, &str), connection: &ConnectionId) -> bool {
        self.lines(lot, assay).next().is_some() && !self.accepts((lot, assay), connection)
    }

    fn lines(&self, lot: &LotUse, assay: &str) -> impl Iterator<Item = &AcceptedLot> {
        self.alike(lot).filter(move |known| known.is_for(assay))
    }

    /// Two makers may number alike.
    fn alike(&self, lot: &LotUse) -> impl Iterator<Item = &AcceptedLot> + use<'_> {
        let role = lot.role;
        let alike = self.by_number.get(&lot.lot).into_iter().flatten();
        alike.filter(move |known| known.role.is_none_or(|known| known == role))
    }
}
