//! What is known of a donation's pools, gathered from the ledger for one decision.

use crate::decider::Tubes;
use crate::donors::are_compared;
use crate::facts::TypedNumber;
use crate::moments::moment;
use crate::{Fact, RunFacts, Settings, runs};
use jiff::Timestamp;
use ledger::{Interpretations, PoolMadeAt, PoolView, ReadError, Reader, ResultSettled};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{Aspiration, DonationId, Finding, Interpretation, MarkerKind, Mode, PoolId, RunId};

/// Pools that are remembered at once while many donations are decided; past it all are read again.
const POOLS_REMEMBERED_MAX: usize = 512;

/// One member's material, drawn once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Whose it was; nothing where its barcode is none of a donation here.
    pub donation: Option<DonationId>,
    /// As the robot's log has it.
    pub aspiration: Aspiration,
    /// When.
    pub at: Option<Timestamp>,
    /// Where that stands: file or message, and row.
    pub place: String,
}

impl Drawn {
    /// The same aspiration, in whichever file it stands.
    fn same(&self) -> impl PartialEq + use<'_> {
        let Aspiration { position, barcode, wrong, said, volume, at, record: _ } = &self.aspiration;
        (&self.donation, position, barcode, wrong, said, volume, at)
    }

    fn in_order(&self) -> impl Ord + use<'_> {
        let Aspiration { position, barcode, wrong, said, volume, at, record: _ } = &self.aspiration;
        let number = position.as_ref().and_then(|text| text.parse::<u32>().ok()).unwrap_or(u32::MAX);
        ((number, position, barcode, at), (wrong, said, volume, &self.donation), &self.place)
    }

    /// The member's name for people.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.donation, &self.aspiration.barcode) {
            (Some(donation), _) => donation.to_string(),
            (None, Some(barcode)) => format!("{:?}", barcode.as_str()),
            (None, None) => "without a barcode".to_owned(),
        }
    }
}

/// A pool as one run of the robot made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Making {
    /// The robot's run.
    pub run: String,
    /// How many members it has to have; a log that does not agree with itself says several.
    pub sizes: BTreeSet<u16>,
    /// Its members by position, each aspiration once, in however many files it stands.
    pub drawn: Vec<Drawn>,
}

impl Making {
    /// The donations in it, each once.
    #[must_use]
    pub fn donations(&self) -> Vec<&DonationId> {
        let mut seen = BTreeSet::new();
        self.drawn.iter().filter_map(|drawn| drawn.donation.as_ref()).filter(|d| seen.insert(*d)).collect()
    }

    /// When the first and when the last member was drawn; nothing where any of these times is not known.
    #[must_use]
    pub fn made(&self) -> Option<(Timestamp, Timestamp)> {
        let times: Option<Vec<Timestamp>> = self.drawn.iter().map(|drawn| drawn.at).collect();
        let times = times?;
        Some((*times.iter().min()?, *times.iter().max()?))
    }
}

/// What is known of a member beside the pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberFacts {
    /// The blood information system registered it.
    pub registered: bool,
    /// When it was taken.
    pub collected_at: Option<Timestamp>,
    /// When its sample was centrifuged, where its own results are asked for.
    pub centrifuged_at: Option<Timestamp>,
    /// A number of its tubes was typed in, and two people have not compared it: whose its results are nobody knows.
    pub doubted: bool,
    /// Its own nucleic acid results, where the pool asks for them.
    pub alone: Vec<Fact>,
    /// Their runs.
    pub runs: BTreeMap<RunId, RunFacts>,
    /// Which versions of them people said stand.
    pub settled: Vec<ResultSettled>,
}

/// Everything known of one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolFacts {
    /// Its number.
    pub pool: PoolId,
    /// How often it was made, by the robot's runs.
    pub makings: Vec<Making>,
    /// Its production results, in the order they came.
    pub results: Vec<Fact>,
    /// Findings that hold its members.
    pub findings: Vec<Finding>,
    /// Its number was typed in: each member waits until two people have compared it.
    pub typed: Vec<TypedNumber>,
    /// Every donation that any log names as its member.
    pub members: BTreeMap<DonationId, MemberFacts>,
}

impl PoolFacts {
    /// Whether what its members gave alone is asked for.
    pub(super) fn is_resolved(&self) -> bool {
        let negative = Some(Interpretation::NonReactive);
        self.results.iter().any(|fact| fact.observation.value.interpretation != negative)
    }
}

/// What several donations share while many are decided.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    read: Interpretations,
    pools: BTreeMap<PoolId, Option<PoolFacts>>,
}

/// The pools that any production log names the donation as a member of.
pub(crate) fn pools_of(
    settings: &Settings,
    reader: &Reader,
    donation: &DonationId,
    (runs, memory): (&mut runs::Known, &mut Memory),
) -> Result<Vec<PoolFacts>, ReadError> {
    let mut found = Vec::new();
    for pool in reader.pools_of(donation)? {
        if !memory.pools.contains_key(&pool) {
            let view = reader.pool(&pool, &mut memory.read)?;
            let facts = view.map(|view| facts_of(settings, reader, view, (runs, &mut memory.read)));
            if memory.pools.len() >= POOLS_REMEMBERED_MAX {
                memory.pools.clear();
            }
            memory.pools.insert(pool.clone(), facts.transpose()?);
        }
        let known = memory.pools.get(&pool).cloned().flatten();
        found.extend(known.filter(|known| known.members.contains_key(donation)));
    }
    Ok(found)
}

pub(super) fn facts_of(
    settings: &Settings,
    reader: &Reader,
    view: PoolView,
    (runs, read): (&mut runs::Known, &mut Interpretations),
) -> Result<PoolFacts, ReadError> {
    let production = view.results.into_iter().filter(|result| result.mode == Mode::Production);
    let (findings, typed) = TypedNumber::apart(view.findings, Some(&view.summary.pool));
    let mut pool = PoolFacts {
        pool: view.summary.pool,
        makings: makings(settings, &view.made),
        results: Tubes::default().facts(settings, production),
        findings,
        typed,
        members: BTreeMap::new(),
    };
    let resolved = pool.is_resolved();
    let donations: BTreeSet<DonationId> =
        pool.makings.iter().flat_map(|making| making.donations().into_iter().cloned()).collect();
    for donation in donations {
        let (registered, collected) = reader.registered(&donation)?;
        let collected_at = collected.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let mut member = MemberFacts { registered, collected_at, ..MemberFacts::default() };
        if resolved && let Some(about) = reader.donation_with(&donation, read)? {
            member.centrifuged_at = about.registration.and_then(|known| known.registration.centrifuged_at);
            let own = about.observations.into_iter().filter(|o| o.mode == Mode::Production);
            let own = own.filter(|o| o.observation.marker.kind() == MarkerKind::Nat);
            member.alone = Tubes::default().facts(settings, own);
            let notes = reader.notes_of(&donation)?;
            member.doubted = !are_compared(&TypedNumber::apart(about.findings, None).1, &notes.numbers);
            member.settled = notes.results;
            member.runs = runs::stand(settings, (reader, runs), &mut member.alone)?;
        }
        pool.members.insert(donation, member);
    }
    Ok(pool)
}

/// What logs say, by the robot's runs; each aspiration once.
fn makings(settings: &Settings, told: &[PoolMadeAt]) -> Vec<Making> {
    let mut makings: BTreeMap<&str, Making> = BTreeMap::new();
    for told in told.iter().filter(|told| told.mode == Mode::Production) {
        let file = told.file.clone().unwrap_or_else(|| format!("message {}", told.message));
        let begun = || Making { run: told.made.run.clone(), sizes: BTreeSet::new(), drawn: Vec::new() };
        let making = makings.entry(&told.made.run).or_insert_with(begun);
        making.sizes.insert(told.made.size);
        making.drawn.extend(told.made.members.iter().map(|member| {
            Drawn {
                donation: member.donation.clone(),
                at: member
                    .aspiration
                    .at
                    .as_deref()
                    .and_then(|at| moment(at, &settings.time_zone))
                    .map(release::Moment::at),
                place: format!("{file} {}", member.aspiration.record),
                aspiration: member.aspiration.clone(),
            }
        }));
    }
    makings
        .into_values()
        .map(|mut making| {
            making.drawn.sort_by(|a, b| a.in_order().cmp(&b.in_order()));
            making.drawn.dedup_by(|a, b| a.same() == b.same());
            making
        })
        .collect()
}
