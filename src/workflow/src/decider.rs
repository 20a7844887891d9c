//! From what is known of a donation to its verdict.

use crate::{
    DonationFacts, Fact, Located, Settings, Stopped,
    donors::{DonorFacts, found_in},
    evidence::evidence,
    facts::TypedNumber,
    fitness, lots,
    moments::moment,
    neighbours, pools, receivers, registrations,
    rules::Book,
    runs,
};
use ledger::{
    DecideItem, DonationView, Draft, EvidenceObservation, Interpretations, Ledger, Page, ReadError, Reader,
    Seq, VerdictMade, What,
};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{ConnectionId, DonationId, Mode, SpecimenId};

/// Donations of one round. What they come to stands in memory until all of them are decided.
const DONATIONS_PER_ROUND: usize = 32;
/// A round ends behind the verdict with which it has made so many bytes: donations with many results make long ones, and a
/// round stands in memory until it is written.
const BYTES_PER_ROUND: usize = 256 << 10;

/// What several donations share while many are looked at.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) runs: runs::Known,
    pools: pools::Memory,
    lots: lots::Known,
    fitness: fitness::Known,
}

/// The groups that end some decision items.
pub(crate) fn some(settings: &Settings, ledger: &Ledger) -> Result<Vec<Vec<Draft>>, Stopped> {
    let reader = ledger.state();
    // Read before anything else of this round: what comes later is not considered, be it of a donation, or of a run or a
    // pool that several of them share, and asks for another decision.
    let considered = reader.applied();
    let items = reader.to_decide(&Page::first(DONATIONS_PER_ROUND))?.items;
    let book = Book::read(settings, &reader)?;
    // Donations of one round stand on the same plates and in the same runs: each is read once.
    let (mut known, mut read) = (Known::default(), Interpretations::default());
    let (mut groups, mut bytes) = (Vec::with_capacity(items.len()), 0);
    for item in items {
        let entries = decide((settings, &book), (&reader, considered), &item, (&mut known, &mut read))?;
        bytes += entries.iter().map(length).sum::<usize>();
        groups.push(entries.into_iter().map(Draft::by_system).collect());
        if bytes >= BYTES_PER_ROUND {
            break;
        }
    }
    Ok(groups)
}

/// What of an entry grows with its donation.
fn length(what: &What) -> usize {
    if let What::VerdictMade(made) = what { made.json().len() } else { 0 }
}

fn decide(
    (settings, book): (&Settings, &Book<'_>),
    (reader, considered): (&Reader, Seq),
    item: &DecideItem,
    (known, read): (&mut Known, &mut Interpretations),
) -> Result<Vec<What>, Stopped> {
    let donation = &item.donation;
    let view = reader.donation_with(donation, read)?;
    let standing = view.as_ref().and_then(|v| v.summary.verdict.clone());
    let before = view.as_ref().map_or_else(Vec::new, |v| v.verdicts.clone());
    let facts = facts(settings, reader, donation, view, known)?;
    let by = book.of(&facts);
    let verdict = release::explain(&evidence(&facts, by), &by.pack);
    let beside =
        neighbours::beside(reader, (facts.registration.as_ref(), settings.neighbours_each_side), &verdict)?;
    let with = |made: What| [made].into_iter().chain(beside).collect();
    if standing.as_ref().is_some_and(|s| s.content_hash == verdict.content_hash()) {
        return Ok(with(What::VerdictUnchanged { donation: donation.clone(), considered }));
    }
    let deliver_to = receivers::of(settings, reader, &before, &verdict)?;
    let mut made =
        VerdictMade::new(&verdict, considered, deliver_to).map_err(|e| Stopped::Unwritable(e.to_string()))?;
    if let (Some(standing), true) = (standing, verdict.waits_for_two()) {
        made = made.keeping(found_in(&reader.verdict(standing.seq)?));
    }
    Ok(with(What::VerdictMade(made)))
}

/// What is known of a donation now.
///
/// # Errors
/// [`ReadError`].
pub fn facts_of(
    settings: &Settings,
    reader: &Reader,
    donation: &DonationId,
) -> Result<DonationFacts, ReadError> {
    let view = reader.donation(donation)?;
    facts(settings, reader, donation, view, &mut Known::default())
}

pub(crate) fn facts(
    settings: &Settings,
    reader: &Reader,
    donation: &DonationId,
    view: Option<DonationView>,
    known: &mut Known,
) -> Result<DonationFacts, ReadError> {
    let registered = view.as_ref().and_then(|view| view.registration.clone());
    let registration = registered.as_ref().map(|known| known.registration.clone());
    let at = registration.as_ref().map_or(jiff::Timestamp::UNIX_EPOCH, |r| r.collected_at);
    let mut facts = DonationFacts {
        donation: donation.clone(),
        offset: settings.time_zone.to_offset(at),
        registration,
        observations: Vec::new(),
        findings: Vec::new(),
        typed: Vec::new(),
        alike: if settings.specimens.holds_shortened() { reader.alike(donation)? } else { Vec::new() },
        scans: Vec::new(),
        beside: reader.suspected_beside(donation)?,
        people: reader.by_people(donation)?,
        components: reader.components(donation)?,
        donor: DonorFacts::default(),
        pools: pools::pools_of(settings, reader, donation, (&mut known.runs, &mut known.pools))?,
        runs: BTreeMap::new(),
    };
    // What somebody signed is no release while no verdict lets the donation go by it.
    let standing = view.as_ref().and_then(|view| view.summary.verdict.as_ref());
    let which = (donation, standing.is_some_and(|verdict| verdict.releasable));
    facts.donor = DonorFacts::gather(reader, which, registered.as_ref(), settings)?;
    let Some(view) = view else { return Ok(facts) };
    (facts.findings, facts.typed) = TypedNumber::apart(view.findings, None);
    facts.findings.extend(view.registration.iter().flat_map(registrations::contradicted));
    let production = view.observations.into_iter().filter(|o| o.mode == Mode::Production);
    let (mut tubes, mut scans) = (Tubes::default(), BTreeSet::new());
    for result in production {
        let located = tubes.locate(settings, &result);
        // Of results whose form says that a donation has one scan only, each once.
        let one_scan = located.as_ref().is_some_and(|located| located.one_scan);
        scans.extend(result.observation.specimen.as_ref().filter(|_| one_scan).map(ToString::to_string));
        facts.observations.push(fact(settings, result, located));
    }
    facts.scans = scans.into_iter().collect();
    let own = facts.observations.iter_mut();
    let of_pools = facts.pools.iter_mut().flat_map(|pool| &mut pool.results);
    facts.runs = runs::stand(settings, (reader, &mut known.runs), own.chain(of_pools))?;
    known.lots.judge(settings, reader, &mut facts)?;
    known.fitness.judge(settings, reader, &mut facts)?;
    Ok(facts)
}

/// A result and where it stands.
fn fact(settings: &Settings, o: EvidenceObservation, located: Option<Located>) -> Fact {
    let tested_at = o.observation.completed_at.as_deref().and_then(|t| moment(t, &settings.time_zone));
    let expired =
        |tested: release::Moment| settings.lots.expired(&o.observation, &o.connection, tested.day());
    Fact {
        message: o.message.get(),
        entry: o.entry.get(),
        lot_expired: tested_at.is_some_and(expired),
        tested_at,
        came_ms: o.at_ms,
        connection: o.connection,
        profile: o.profile,
        segment: located.as_ref().is_some_and(|located| located.segment),
        tube: located.and_then(|located| located.tube),
        observation: o.observation,
        window: None,
        kit: None,
    }
}

/// The tubes of a donation's results: an analyser sends many results of one.
#[derive(Debug, Default)]
pub(crate) struct Tubes(Vec<(SpecimenId, ConnectionId, Option<Located>)>);

impl Tubes {
    fn locate(&mut self, settings: &Settings, o: &EvidenceObservation) -> Option<Located> {
        let specimen = o.observation.specimen.as_ref()?;
        let known = self.0.iter().find(|(scan, line, _)| scan == specimen && *line == o.connection);
        if let Some((_, _, located)) = known {
            return located.clone();
        }
        let located = settings.specimens.locate(specimen, &o.connection).ok();
        self.0.push((specimen.clone(), o.connection.clone(), located.clone()));
        located
    }

    /// Results and where they stand.
    pub(crate) fn facts(
        &mut self,
        settings: &Settings,
        results: impl IntoIterator<Item = EvidenceObservation>,
    ) -> Vec<Fact> {
        let fact = |result: EvidenceObservation| {
            let located = self.locate(settings, &result);
            fact(settings, result, located)
        };
        results.into_iter().map(fact).collect()
    }
}
