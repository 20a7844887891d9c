//! The six ways of marking controls: whatever a profile knows and a message bears, a control is never read as a donor and
//! a donor never as a control.

use super::reads_negative;
use crate::Profile;
use vocabulary::{Consequence, Observation, SpecimenKind};

/// A way, as a profile has it (control, donor), and as a message bears it.
struct Way {
    name: &'static str,
    control: &'static str,
    donor: &'static str,
    mark: fn(&str) -> String,
}

/// `H`, `P`, `O`, `R` and `L` of an unmarked message, with the specimen in O-3.
const MESSAGE: &str = "H|\\^&|||MODEL|||||||P|1|20260302142000\rP|1||||NAME\rO|1|ID|^^|^^^1|R||||||N\r\
                       R|1|^^^1|3.00|S/CO||||F||||20260302141800|N-1\rL|1|N\r";
const CONTROL: &str = "C1";
const DONOR: &str = "G123426000001";

const WAYS: [Way; 6] = [
    Way {
        name: "H-12 = Q",
        control: "{ at = \"H.12\", is = \"Q\" }",
        donor: "{ at = \"H.12\", is = \"P\" }",
        mark: |message| message.replace("|P|1|2026", "|Q|1|2026"),
    },
    Way {
        name: "O-12 = Q, also as a repetition",
        control: "{ at = \"O.12[*]\", is = \"Q\" }",
        donor: "{ at = \"O.12[*]\", is_not = \"Q\" }",
        mark: |message| message.replace("||||||N\r", "||||||X\\Q\r"),
    },
    Way {
        name: "QC in the sample type",
        control: "{ at = \"O.4.3\", is = \"QC\" }",
        donor: "{ at = \"O.4.3\", is = \"\" }",
        mark: |message| message.replace("|^^|", "|^^QC^|"),
    },
    Way {
        name: "the control's name in P-6",
        control: "{ at = \"P.6\", starts_with = \"CONTROL\" }",
        donor: "{ at = \"P.6\", matches = \"(NAME)?\" }",
        mark: |message| message.replace("|NAME\r", "|CONTROL 1\r"),
    },
    Way {
        name: "a Q record after the results",
        control: "{ at = \"Q.3\", present = true }",
        donor: "{ at = \"Q.3\", present = false }",
        mark: |message| message.replace("L|1|N\r", "Q|1|1^LOT7^level 1\rL|1|N\r"),
    },
    Way {
        name: "no patient",
        control: "{ at = \"P.6\", present = false }",
        donor: "{ at = \"P.6\", present = true }",
        mark: |message| message.replace("P|1||||NAME\r", "P|1\r"),
    },
];

fn profile(way: &Way) -> Profile {
    let text = include_str!("language.toml")
        .replace("{ at = \"O.12\", is = \"Q\" }", way.control)
        .replace("{ at = \"O.12\", is = \"N\" }", way.donor);
    Profile::read(way.name, &text).unwrap_or_else(|e| panic!("{}: {e}", way.name))
}

fn read(profile: &Profile, message: &str) -> (Vec<Observation>, bool) {
    let said = profile.interpret(message.as_bytes());
    let held = said.findings.iter().any(|finding| finding.consequence != Consequence::Note);
    (said.observations, held)
}

#[test]
fn a_control_is_never_read_as_a_donor_and_a_donor_never_as_a_control() {
    for known in &WAYS {
        let profile = profile(known);
        let (donor, held) = read(&profile, &MESSAGE.replace("ID", DONOR));
        assert!(
            !held && donor[0].kind == SpecimenKind::Patient && donor[0].control.is_none(),
            "{}: {donor:#?}",
            known.name
        );
        let (unmarked, held) = read(&profile, &MESSAGE.replace("ID", CONTROL));
        assert!(held && !unmarked.iter().any(reads_negative), "{}, no mark: {unmarked:#?}", known.name);
        for borne in &WAYS {
            let what = format!("profile: {}; message: {}", known.name, borne.name);
            let marked = (borne.mark)(MESSAGE);
            assert_ne!(marked, MESSAGE, "{what}");

            let (control, held) = read(&profile, &marked.replace("ID", CONTROL));
            for observation in control.iter().filter(|o| reads_negative(o)) {
                let recognised = observation.kind == SpecimenKind::Control && observation.control.is_some();
                assert!(recognised, "{what}: {observation:#?}");
            }
            let same = known.name == borne.name;
            assert!(held || same, "{what}: a control marked in a way the profile does not know holds nobody");
            if same {
                assert!(!held && control.iter().all(reads_negative), "{what}: {control:#?}");
            }

            let (donor, held) = read(&profile, &marked.replace("ID", DONOR));
            assert!(donor.iter().all(|o| o.control.is_none()), "{what}: {donor:#?}");
            if same {
                let read = donor.iter().any(reads_negative);
                assert!(held && !read, "{what}: a donor with a control's mark: {donor:#?}");
            }
        }
    }
}

/// In LIS02 a record without its parent is a broken hierarchy, whatever a model means by it.
#[test]
fn an_order_without_a_patient_record_is_quarantined() {
    for known in &WAYS {
        for id in [CONTROL, DONOR] {
            let message = MESSAGE.replace("P|1||||NAME\r", "").replace("ID", id);
            let (read, held) = read(&profile(known), &message);
            assert!(held && !read.iter().any(reads_negative), "{}: {read:#?}", known.name);
        }
    }
}
