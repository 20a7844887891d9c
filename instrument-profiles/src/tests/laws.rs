//! Every row ends somewhere; nothing that is held can be read; what is taken away is never missed in silence.

use super::{MESSAGES, READINGS, on_all_cores, reads_negative};
use crate::{Interpretation, Profile, interpret::Coverage, interpret::Fate};
use proptest::prelude::*;
use vocabulary::{Consequence, Finding, Observation, Protocol, SpecimenKind};

fn holds(finding: &Finding) -> bool {
    finding.consequence != Consequence::Note
}

/// Result rows of a message, counted without any help of the profile.
fn rows_in(profile: &Profile, raw: &[u8]) -> usize {
    if !profile.reads_results() {
        return 0;
    }
    let text = String::from_utf8_lossy(raw);
    let lines = text.split(['\r', '\n']).filter(|line| !line.trim().is_empty());
    match profile.protocol() {
        Protocol::Lis02 => lines.filter(|line| line.starts_with("R|")).count(),
        Protocol::Hl7v2 => lines.filter(|line| line.starts_with("OBX|")).count(),
        Protocol::Delimited => lines.count().saturating_sub(1),
        Protocol::PkBlocks => lines.filter(|line| line.starts_with("D ")).count(),
    }
}

/// What came out is not in doubt, and whoever it is said to be of is held: people compare the number (R-GATE-09).
fn only_whose(finding: &Finding, observation: &Observation) -> bool {
    let same =
        finding.specimen.as_deref() == observation.specimen.as_ref().map(vocabulary::SpecimenId::as_str);
    let of_somebody = observation.kind == SpecimenKind::Patient && observation.specimen.is_some();
    finding.finding == "typed_identifier" && finding.consequence == Consequence::Hold && of_somebody && same
}

fn check_laws(profile: &Profile, name: &str, raw: &[u8]) {
    let examined = profile.examine(raw, Coverage::default());
    let (observations, findings) = (&examined.interpretation.observations, &examined.interpretation.findings);
    for fate in &examined.fates {
        match fate {
            Fate::Observation(at) => assert!(*at < observations.len(), "{name}"),
            Fate::Finding(at) => assert!(*at < findings.len(), "{name}"),
        }
    }
    let quarantined = findings.iter().any(|finding| finding.consequence == Consequence::Quarantine);
    // Where the sender's numbering is damaged, two records may have one label; the finding names the specimen then.
    let numbered = !findings.iter().any(|finding| finding.finding.starts_with("sequence_"));
    for observation in observations {
        let bare = !reads_negative(observation);
        assert!(bare || !quarantined, "{name}: quarantined, and yet {observation:#?}");
        assert!(bare || observation.kind != SpecimenKind::Unknown, "{name}: {observation:#?}");
        let labels: Vec<&str> = observation.source.record.split(',').collect();
        let named = |finding: &&Finding| numbered || finding.specimen.is_none();
        let held = findings
            .iter()
            .filter(named)
            .filter(|finding| holds(finding) && finding.finding != "incomplete_panel")
            .filter(|finding| !only_whose(finding, observation))
            .any(|finding| labels.iter().any(|label| finding.place.starts_with(&format!("{label} "))));
        assert!(bare || !held, "{name}: held, and yet {observation:#?} {findings:#?}");
    }
}

#[test]
fn every_row_of_every_capture_ends_in_an_observation_or_a_finding() {
    for (profile, name, raw) in MESSAGES.iter() {
        let examined = profile.examine(raw, Coverage::default());
        assert!(examined.fates.len() >= rows_in(profile, raw), "{name}");
        check_laws(profile, name, raw);
    }
}

/// Group and Rh factor stand in one field of one row. Where one of them cannot be read, the other may be what stood
/// beside it, and counts no more.
#[test]
fn a_row_that_says_several_things_is_read_whole_or_not_at_all() {
    let of_rows = |(profile, name, _): &&super::Message| {
        profile.reference().id == "bio-rad/ih-com" && name.ends_with("donations.capture")
    };
    let mut damaged_rows = 0;
    for (profile, name, raw) in MESSAGES.iter().filter(of_rows) {
        let text = String::from_utf8(raw.clone()).unwrap();
        for group in ["|A^", "|B^", "|AB^", "|O^"].into_iter().filter(|group| text.contains(group)) {
            let damaged = text.replace(group, &group.replace('|', "|?"));
            let found = profile.interpret(damaged.as_bytes());
            assert!(found.findings.iter().any(holds), "{name}");
            let of = |assay: &'static str| found.observations.iter().filter(move |o| o.assay == assay);
            for unread in of("IH ABO").filter(|abo| !reads_negative(abo)) {
                let beside: Vec<&Observation> =
                    of("IH RhD").filter(|rhd| rhd.source.record == unread.source.record).collect();
                assert!(
                    !beside.is_empty() && !beside.iter().any(|rhd| reads_negative(rhd)),
                    "{name}: {beside:#?}"
                );
                damaged_rows += 1;
            }
        }
    }
    assert!(damaged_rows >= 4, "{damaged_rows} rows");
}

#[test]
fn interpretation_is_a_function_of_the_bytes() {
    for (profile, name, raw) in MESSAGES.iter() {
        assert_eq!(profile.interpret(raw), profile.interpret(raw), "{name}");
    }
}

/// Observations without the list of rows they were made from: supplements without a value may be missing.
fn results(read: &Interpretation) -> Vec<Observation> {
    let mut observations = read.observations.clone();
    for observation in &mut observations {
        observation.source.record.clear();
    }
    observations
}

/// Every place near the end of a record, and every few bytes elsewhere.
fn worth_a_cut(raw: &[u8], end: usize) -> bool {
    let near = &raw[end.saturating_sub(1)..(end + 2).min(raw.len())];
    let step = if raw.len() > 4_000 { 1_997 } else { 41 };
    (raw.len() < 4_000 && near.contains(&b'\r')) || end.is_multiple_of(step) || end % (step + 2) == 1
}

/// What stays of a message that was cut is what was there before it was cut, or is held.
#[test]
fn a_message_cut_anywhere_is_held_or_has_lost_nothing() {
    let messages: Vec<_> = MESSAGES.iter().zip(READINGS.iter()).collect();
    on_all_cores(&messages, |((profile, name, raw), read)| {
        let whole = results(read);
        for end in (0..raw.len()).filter(|end| worth_a_cut(raw, *end)) {
            let cut = profile.interpret(&raw[..end]);
            let results = results(&cut);
            let lost_nothing = results == whole;
            let held = cut.findings.iter().any(holds);
            // Rows that nothing counts, in a file that nothing ends: what is left of them is what it was.
            let endless = profile.rules.table.as_ref().is_some_and(|table| table.end_marker.is_none());
            let borne = endless && profile.rules.message.uncounted && results.len() < whole.len();
            assert!(held || lost_nothing || borne, "{name} cut at {end}: {:#?}", cut.findings);
            for observation in results.iter().filter(|observation| reads_negative(observation)) {
                assert!(whole.contains(observation), "{name} cut at {end}: {observation:#?}");
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_interpreted(which: prop::sample::Index, raw in prop::collection::vec(any::<u8>(), 0..300)) {
        let (profile, name, _) = &MESSAGES[which.index(MESSAGES.len())];
        check_laws(profile, name, &raw);
    }

    #[test]
    fn a_mutated_message_keeps_the_laws(
        which: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6),
    ) {
        let (profile, name, raw) = &MESSAGES[which.index(MESSAGES.len())];
        let mut raw = raw.clone();
        for (at, byte, what) in changes {
            let at = at.index(raw.len());
            match what {
                0 => raw[at] = byte,
                1 => raw.insert(at, byte),
                2 => drop(raw.remove(at)),
                _ => raw[at] = b"|^\\&~\r\n,;"[usize::from(byte) % 9],
            }
            if raw.is_empty() {
                break;
            }
        }
        let examined = profile.examine(&raw, Coverage::default());
        prop_assert!(examined.fates.len() >= rows_in_strict(profile, &raw), "{}", name);
        check_laws(profile, name, &raw);
    }
}

/// As [`rows_in`], for messages whose header may have been damaged: only rows that the damaged header still names.
fn rows_in_strict(profile: &Profile, raw: &[u8]) -> usize {
    match profile.protocol() {
        // The header may name other delimiters now, so that its rows are no rows any more but defects.
        Protocol::Lis02 | Protocol::Hl7v2 | Protocol::Delimited | Protocol::PkBlocks
            if profile.interpret(raw).findings.iter().any(holds) =>
        {
            0
        }
        Protocol::Lis02 | Protocol::Hl7v2 | Protocol::Delimited | Protocol::PkBlocks => rows_in(profile, raw),
    }
}
