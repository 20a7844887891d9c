//! `bench analysers`: a laboratory's worth of the catalogue's simulated models at a daemon of its own.

use crate::{
    cli::{Bench, Format},
    exit::{Exit, Failure, Outcome},
    laboratory, wiring,
};
use benchmark::{AnalysersOptions, Part};
use hl7v2::{AckCondition, AckMode, Index};
use instrument_profiles::LinkSettings;
use simulator::{
    analyser::{Analyser, Framing, Peer, Target, Tempo},
    fault::Faults,
    model::Model,
    scenario::{DaySettings, Duty, Scenario},
};
use std::{collections::BTreeMap, env, io, path::PathBuf, sync::Arc, time::Duration};
use vocabulary::Protocol;

/// Of so many analysers in a row, how many speak LIS01; the others MLLP.
const LIS01_OF: (usize, usize) = (3, 5);
/// So many analysers test the same donations and no others: a donation has the results that a laboratory makes of it, and
/// the next ones are of the next donation.
const BENCH: usize = 8;
/// Donations of a bench for each minute: enough that few results are sent twice.
const DONATIONS_A_MINUTE: f64 = 100.0;
const DONATIONS: (f64, f64) = (50.0, 6_000.0);
const MINUTES: f64 = 10.0;
const MINUTES_MAX: f64 = 24.0 * 60.0;
const SEED: u64 = 64;

pub(crate) fn bench(asked: &Bench) -> Outcome {
    let minutes = minutes(asked)?.unwrap_or(MINUTES);
    let options = AnalysersOptions {
        duration: Duration::from_secs_f64(minutes * 60.0),
        seed: SEED,
        binary: env::current_exe()?,
        folder: PathBuf::from("."),
        format: match asked.output.format {
            Format::Table => benchmark::Format::Table,
            Format::Json => benchmark::Format::Json,
        },
    };
    let parts = parts(usize::from(asked.analysers), minutes)?;
    let verdict = benchmark::analysers(parts, &options, &mut io::stdout().lock())
        .map_err(|e| Failure::new(Exit::Internal, e))?;
    Ok(if verdict.is_reached() { Exit::Done } else { Exit::No })
}

/// How long a benchmark is to take.
pub(crate) fn minutes(asked: &Bench) -> Result<Option<f64>, Failure> {
    match asked.minutes {
        Some(minutes) if !(minutes > 0.0 && minutes <= MINUTES_MAX) => {
            let what = format!("--minutes {minutes}: from 0.01 to {MINUTES_MAX}");
            Err(Failure::new(Exit::Usage, what))
        }
        asked @ (Some(_) | None) => Ok(asked),
    }
}

/// `count` analysers in benches; those of one model at one bench share its part of the day.
fn parts(count: usize, minutes: f64) -> Result<Vec<Part>, Failure> {
    let donations = (minutes * DONATIONS_A_MINUTE).clamp(DONATIONS.0, DONATIONS.1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between the two bounds")]
    let donations = donations as u32;
    let day = |seed| {
        let day = DaySettings { seed, donations, ..DaySettings::default() };
        Scenario::new(day).map_err(|e| Failure::new(Exit::Internal, e))
    };
    let mut parts = Vec::with_capacity(count);
    let chosen = choose(count, &at_work(&day(0)?)?)?;
    for (seed, bench) in (1..).zip(chosen.chunks(BENCH)) {
        at_a_bench(bench, &day(seed)?, &mut parts)?;
    }
    Ok(parts)
}

fn at_a_bench(models: &[Arc<Model>], scenario: &Scenario, parts: &mut Vec<Part>) -> Result<(), Failure> {
    let mut alike: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (nth, model) in models.iter().enumerate() {
        alike.entry(model.id()).or_default().push(nth);
    }
    for (nth, model) in models.iter().enumerate() {
        let of_model = alike.get(model.id()).map(Vec::as_slice).unwrap_or_default();
        let place = of_model.iter().position(|other| *other == nth).unwrap_or_default();
        let all = messages(model, scenario)?;
        let share = all.len().div_ceil(of_model.len().max(1)).max(1);
        let messages = all.chunks(share).nth(place).or_else(|| all.chunks(share).next()).unwrap_or_default();
        parts.push(Part {
            connection: format!("a{:02}", parts.len() + 1),
            profile: model.id().to_owned(),
            protocol: model.protocol(),
            per_transfer: model.messages_per_transfer(),
            messages: messages.to_vec(),
        });
    }
    Ok(())
}

/// The models of the catalogue that work, by name. Left out are those that do none of the day's tests, those that ask for
/// no answer (there is nothing to time), and those that frame in a way that the benchmark does not speak.
fn at_work(scenario: &Scenario) -> Result<Vec<Arc<Model>>, Failure> {
    let mut at_work = BTreeMap::new();
    for model in laboratory::models()? {
        if matches!(model.protocol(), Protocol::Lis02 | Protocol::Hl7v2)
            && is_spoken(model.id())?
            && messages(&model, scenario)?.iter().any(|message| !asks_for_silence(message))
        {
            at_work.insert(model.id().to_owned(), model);
        }
    }
    Ok(at_work.into_values().collect())
}

/// Whether a model's line is one of the two that the benchmark's analysers speak: numbered frames, or blocks.
fn is_spoken(model: &str) -> Result<bool, Failure> {
    Ok(match wiring::built_in()?.get(model).map(|profile| profile.link()) {
        Some(LinkSettings::Lis01(lis01)) => match lis01.framing {
            instrument_profiles::Framing::Numbered => true,
            instrument_profiles::Framing::ControlBytes => false,
        },
        Some(LinkSettings::Mllp(_)) => true,
        Some(LinkSettings::Unframed(_) | LinkSettings::PkBlocks(_) | LinkSettings::Directory(_)) | None => {
            false
        }
    })
}

/// Models by turns: of five analysers three with LIS01 and two with MLLP.
fn choose(count: usize, at_work: &[Arc<Model>]) -> Result<Vec<Arc<Model>>, Failure> {
    let with = |protocol| {
        let of = at_work.iter().filter(|m| m.protocol() == protocol);
        of.cloned().collect::<Vec<_>>()
    };
    let (mut lis01, mut mllp) =
        (with(Protocol::Lis02).into_iter().cycle(), with(Protocol::Hl7v2).into_iter().cycle());
    let turns = (0..count).map(|nth| if nth % LIS01_OF.1 < LIS01_OF.0 { lis01.next() } else { mllp.next() });
    let chosen: Option<Vec<Arc<Model>>> = turns.collect();
    chosen.ok_or_else(|| Failure::new(Exit::Internal, "the catalogue simulates no such analyser"))
}

/// The messages of a model's busiest duty.
fn messages(model: &Arc<Model>, scenario: &Scenario) -> Result<Vec<Vec<u8>>, Failure> {
    let mut busiest = Vec::new();
    for duty in model.duties() {
        let of_duty = messages_of(model, *duty, scenario)?;
        if of_duty.len() > busiest.len() {
            busiest = of_duty;
        }
    }
    Ok(busiest)
}

fn messages_of(model: &Arc<Model>, duty: Duty, scenario: &Scenario) -> Result<Vec<Vec<u8>>, Failure> {
    let analyser = Analyser {
        name: model.id().to_owned(),
        model: Arc::clone(model),
        duty,
        // Nothing is sent from here.
        target: Target::Line(Peer::Connect(String::new())),
        framing: Framing::default(),
        tempo: Tempo::default(),
        faults: Faults::default(),
    };
    let ready = analyser.prepare(scenario).map_err(|e| Failure::new(Exit::Internal, e))?;
    Ok(ready.messages().iter().map(|message| message.bytes.clone()).collect())
}

/// Whether MSH-15 and MSH-16 both say `NE`, never (HL7 v2.4 §2.13.9): such a message is not acknowledged.
fn asks_for_silence(message: &[u8]) -> bool {
    let never = Some(AckCondition::Never);
    let mode = Index::new().read(&String::from_utf8_lossy(message)).header().map(|header| header.ack_mode());
    mode == Some(AckMode::Enhanced { accept: never, application: never })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn only_a_message_that_asks_for_neither_answer_is_left_out() {
        let header =
            |last: &str| format!("MSH|^~\\&|A|B|H||20260302||OUL^R21|1|P|2.4|||{last}||UTF-8\rPID|1");
        for (last, silent) in
            [("NE|NE", true), ("NE|AL", false), ("AL|NE", false), ("|", false), ("NE", false)]
        {
            assert_eq!(asks_for_silence(header(last).as_bytes()), silent, "{last}");
        }
        assert!(!asks_for_silence(b"H|\\^&|||NE|NE"));
    }

    #[test]
    fn a_donation_is_tested_at_one_bench() {
        let parts = parts(20, 0.1).unwrap();
        let serials = |bench: &[Part]| -> BTreeSet<String> {
            let messages = bench.iter().flat_map(|part| &part.messages);
            let texts: Vec<_> =
                messages.map(|message| String::from_utf8_lossy(message).into_owned()).collect();
            let starts =
                texts.iter().flat_map(|text| text.match_indices("A9999").map(move |(at, _)| (text, at)));
            starts.filter_map(|(text, at)| text.get(at..at + 13)).map(str::to_owned).collect()
        };
        let benches: Vec<BTreeSet<String>> = parts.chunks(BENCH).map(serials).collect();
        assert!(benches.iter().all(|bench| bench.len() >= 40), "{:?}", benches.iter().map(BTreeSet::len));
        for (nth, bench) in benches.iter().enumerate() {
            assert!(benches[..nth].iter().all(|other| other.is_disjoint(bench)), "bench {nth}");
        }
    }

    #[test]
    fn a_model_with_frames_of_its_own_is_left_out() {
        let catalogue = wiring::built_in().unwrap();
        let own = catalogue.list().find(|profile| match profile.link() {
            LinkSettings::Lis01(lis01) => lis01.framing == instrument_profiles::Framing::ControlBytes,
            LinkSettings::Mllp(_)
            | LinkSettings::Unframed(_)
            | LinkSettings::PkBlocks(_)
            | LinkSettings::Directory(_) => false,
        });
        let own = own.expect("the catalogue has one").reference().id.clone();
        assert!(!is_spoken(&own).unwrap());
        assert!(parts(64, 0.1).unwrap().iter().all(|part| part.profile != own));
    }

    #[test]
    fn every_analyser_has_messages_and_both_links_are_there() {
        let parts = parts(12, 0.1).unwrap();
        assert_eq!(parts.len(), 12);
        assert!(
            parts.iter().all(|p| !p.messages.is_empty()),
            "{:?}",
            parts.iter().map(|p| p.messages.len()).collect::<Vec<_>>()
        );
        let lis01 = parts.iter().filter(|p| p.protocol == Protocol::Lis02).count();
        assert_eq!(lis01, 8, "3 of 5, and the next two");
    }
}
