//! A new profile from what an unknown analyser sent: it loads, lists what was seen, holds everything until a person has
//! said what it means, and reads the same messages then, without a line of code.

use super::{CATALOGUE, reads_negative};
use crate::{Catalogue, NewProfile, Profile, Remarks, Sketch, messages_of, sketch, test_profile};
use std::{collections::BTreeSet, fs, path::Path};
use vocabulary::{Consequence, Interpretation, Protocol, SpecimenKind};

fn begun(id: &str, inputs: &[(&str, &[u8])], remarks: Remarks) -> Sketch {
    sketch(&NewProfile { id, inputs: inputs.to_vec(), remarks }).unwrap_or_else(|what| panic!("{id}: {what}"))
}

fn text(sketch: &Sketch, name: &str) -> String {
    String::from_utf8(sketch.files[name].clone()).unwrap()
}

#[test]
fn whatever_an_analyser_sends_makes_a_profile_that_loads_and_holds_every_result() {
    let mut tried = 0;
    for model in CATALOGUE.list().filter(|m| m.reads_results() && m.protocol() != Protocol::PkBlocks) {
        let id = &model.reference().id;
        let entry = CATALOGUE.entry(id).unwrap();
        let names: Vec<String> =
            entry.names_in("captures").filter(|n| n.ends_with(".capture")).map(str::to_owned).collect();
        for name in names {
            let capture = entry.text(&format!("captures/{name}")).unwrap();
            let rows = messages_of(model, capture)
                .unwrap()
                .iter()
                .any(|raw| !model.examine(raw, crate::interpret::Coverage::default()).fates.is_empty());
            let made = sketch(&NewProfile {
                id: "new/model",
                inputs: vec![(&name, capture.as_bytes())],
                remarks: Remarks::Zh,
            });
            let made = match made {
                Ok(made) => made,
                // A capture of questions alone, or one that shows how a broken message is dealt with.
                Err(what) => {
                    assert!(
                        !rows || what.contains("no link takes") || what.contains("no result row"),
                        "{id} {name}: {what}"
                    );
                    continue;
                }
            };
            tried += 1;
            let profile = Profile::read("profile.toml", &text(&made, "profile.toml")).unwrap();
            assert!(made.open.len() >= 3, "{id} {name}: {:#?}", made.open);
            let (capture_name, capture) =
                made.files.iter().find(|(name, _)| name.ends_with(".capture")).unwrap();
            for raw in messages_of(&profile, std::str::from_utf8(capture).unwrap()).unwrap() {
                let found = profile.interpret(&raw);
                let read = found.observations.iter().find(|o| reads_negative(o));
                assert!(read.is_none(), "{id} {capture_name}: {read:#?}");
                let results = !model.interpret(&raw).observations.is_empty();
                let held = found.findings.iter().any(|f| f.consequence != Consequence::Note);
                assert!(held || !results, "{id} {capture_name}: nothing holds");
            }
        }
    }
    assert!(tried > 20, "{tried} captures");
}

/// An analyser nobody has a profile for: three rows a test, a decimal comma, marks of its own.
const UNKNOWN: &str = "\
H|\\^&|||NOVEL^1.2|||||||P|1|20260302142000\r\
P|1\r\
O|1|NEGCTL||^^^HBS|R||||||Q\r\
R|1|^^^HBS^HBsAg^S|0,12|S/CO||||F||op1||20260302141800|N-1\r\
R|2|^^^HBS^HBsAg^I|non-reactive|||||F||op1||20260302141800|N-1\r\
O|2|G123426000001||^^^HBS|R||||||N\r\
R|1|^^^HBS^HBsAg^S|0,31|S/CO||||F||op1||20260302141900|N-1\r\
R|2|^^^HBS^HBsAg^I|non-reactive|||||F||op1||20260302141900|N-1\r\
O|3|G123426000002||^^^HBS\\^^^ALB|R||||||N\r\
R|1|^^^HBS^HBsAg^S|>8,50|S/CO||H||F||op1||20260302142000|N-1\r\
R|2|^^^HBS^HBsAg^I|reactive|||H||F||op1||20260302142000|N-1\r\
R|3|^^^ALB^Albumin^S|41,2|g/L||||F||op1||20260302142000|N-1\r\
L|1|N\r";

/// What a laboratory engineer does in an editor, remark by remark.
const ANSWERS: &[(&str, &str)] = &[
    (
        "recognition = \"open\"",
        "recognition = \"rules\"\n[[kind]]\nis = \"control\"\nwhen = [{ at = \"O.12\", is = \"Q\" }]\n\
         [[kind]]\nis = \"patient\"\nwhen = [{ at = \"O.12\", is = \"N\" }]\n\
         [[control]]\nname = \"negative\"\nreads = \"non_reactive\"\nwhen = [{ at = \"O.3.1\", is = \"NEGCTL\" }]",
    ),
    (
        "[run]\nid = \"open\"",
        "[run]\nid = \"{R.14.1}/{assay}/{day}\"\n[[run.requires]]\ncontrols = [\"negative\"]",
    ),
    ("\"F\" = \"open\"", "\"F\" = \"final\""),
    (
        "\"H\" = { does = \"open\", what = \"not explained yet\" }",
        "\"H\" = { does = \"keep\", what = \"above the range\" }",
    ),
    ("\"non-reactive\" = \"open\"", "\"non-reactive\" = \"non_reactive\""),
    ("\"reactive\" = \"open\"", "\"reactive\" = \"reactive\""),
    ("code = \"ALB\"\nopen = ", "code = \"ALB\"\naside = \"a protein, no test of a donation\" # "),
    (
        "code = \"HBS\"\nopen = ",
        "code = \"HBS\"\nmarker = \"HBsAg\"\nassay = \"NOVEL HBsAg\"\nreactive = \">= 1.00\" # ",
    ),
];

#[test]
fn an_unknown_analyser_is_added_as_data_and_read_without_a_line_of_code() {
    let begun = begun("novel/one", &[("first-day.txt", UNKNOWN.as_bytes())], Remarks::En);
    assert_eq!(begun.read, (1, 7));
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("novel/one");
    fs::create_dir_all(folder.join("captures")).unwrap();
    for (name, bytes) in &begun.files {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let raw = UNKNOWN.as_bytes();

    let untouched = Catalogue::load(root.path()).unwrap();
    let held = untouched.get("novel/one").unwrap().interpret(raw);
    assert!(held.observations.iter().all(|o| !reads_negative(o)), "{held:#?}");
    let report = test_profile(&folder).unwrap();
    assert!(!report.passed() && report.captures.iter().all(|c| c.differences.is_empty()), "{report}");
    let open: Vec<String> = report.open.iter().map(ToString::to_string).collect();
    for words in [
        "controls are told from donors",
        "\"HBS\" is open",
        "\"ALB\" is open",
        "\"non-reactive\"",
        "status \"F\"",
        "flag \"H\"",
        "what a run is",
    ] {
        let found = open.iter().filter(|line| line.contains(words)).count();
        assert_eq!(found, 1, "{words}: {open:#?}");
    }
    let profile = text(&begun, "profile.toml");
    for point in &begun.open {
        let line = profile.lines().nth(point.line - 1).unwrap();
        assert!(line.contains("open") || line.starts_with("[controls]"), "{point}: {line}");
    }

    let mut completed = profile;
    for (from, to) in ANSWERS {
        assert!(completed.contains(from), "{from:?} is not in\n{completed}");
        completed = completed.replacen(from, to, 1);
    }
    // The conditions that were written are not in the number of guards yet, and whoever loads it is told so.
    fs::write(folder.join("profile.toml"), &completed).unwrap();
    let told = Catalogue::load(root.path()).unwrap_err().to_string();
    let number = told.split("or `").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    assert!(told.contains("one was added") && number.starts_with("guards = "), "{told}");
    let said = completed.lines().find(|line| line.starts_with("guards = ")).unwrap().to_owned();
    completed = completed.replacen(&said, number, 1);
    fs::write(folder.join("profile.toml"), &completed).unwrap();
    let profile = Catalogue::load(root.path()).unwrap_or_else(|e| panic!("{e}\n{completed}"));
    let profile = profile.get("novel/one").unwrap();
    assert_eq!(profile.open_points(), []);
    let found = profile.interpret(raw);
    let read: Vec<_> = found
        .observations
        .iter()
        .map(|o| {
            (
                o.specimen.as_ref().map_or("", |s| s.as_str()),
                o.kind,
                o.value.interpretation,
                o.value.number.map(|n| n.to_string()),
            )
        })
        .collect();
    assert_eq!(
        read,
        [
            ("NEGCTL", SpecimenKind::Control, Some(Interpretation::NonReactive), Some("0.12".to_owned())),
            (
                "G123426000001",
                SpecimenKind::Patient,
                Some(Interpretation::NonReactive),
                Some("0.31".to_owned())
            ),
            ("G123426000002", SpecimenKind::Patient, Some(Interpretation::Reactive), Some("8.50".to_owned())),
        ],
        "{:#?}",
        found.findings
    );
    assert!(found.findings.iter().all(|f| f.consequence == Consequence::Note), "{:#?}", found.findings);

    crate::record_expectations(&folder).unwrap();
    let report = test_profile(&folder).unwrap();
    assert!(report.passed(), "{report}");

    fs::write(folder.join("profile.toml"), completed.replacen(&format!("{number}\n"), "", 1)).unwrap();
    let report = test_profile(&folder).unwrap();
    assert!(!report.passed() && report.to_string().contains(&format!("write `{number}`")), "{report}");
}

#[test]
fn files_hl7_and_other_character_sets_are_begun_from_raw_messages() {
    let oru = "MSH|^~\\&|NOVEL|LAB|||20260302142000||ORU^R01|1|P|2.3.1\rPID|1\rOBR|1|G123426000001|7|1^HBsAg\r\
               OBX|1|ST|HBS||阴性|||||F|||20260302141900\r";
    let made = begun("novel/hl7", &[("result.hl7", oru.as_bytes())], Remarks::En);
    let written = text(&made, "profile.toml");
    for line in [
        "sender = [{ at = \"MSH-3.1\", is = \"NOVEL\" }]",
        "\"阴性\" = \"open\"",
        "code = \"HBS\"",
        "[link.mllp]",
    ] {
        assert!(written.contains(line), "{line} is not in\n{written}");
    }
    let plate = "条码;项目;结果\r\nG123426000001;HBsAg;阴性\r\nG123426000002;HBsAg;阳性\r\n";
    let set = character_sets::CharacterSet::from_name("gb18030").unwrap();
    let bytes = character_sets::encode(plate, set).bytes.to_vec();
    let made = begun("novel/plate", &[("plate.csv", &bytes)], Remarks::Zh);
    let written = text(&made, "profile.toml");
    for line in [
        "delimiter = \";\"",
        "fallback = \"gb18030\"",
        "test = \"column 项目\"",
        "id = \"column 条码\"",
        "\"阳性\" = \"open\"",
    ] {
        assert!(written.contains(line), "{line} is not in\n{written}");
    }
}

#[test]
fn what_no_profile_can_be_made_of_is_refused_with_what_to_do() {
    for (name, bytes, expect) in [
        ("a.capture", &b"00:00.000 > \xFF"[..], "a capture is UTF-8"),
        ("a.capture", b"# nothing", "no bytes"),
        ("a.txt", b"H|\\^&|||X\rP|1\rL|1|N\r", "no result row was found"),
        ("a.txt", b"", "the file is empty"),
        ("a.txt", b"one column\nof text\n", "neither LIS02"),
        ("a.txt", b"\x02SB01\x03\x00", "the maker's manual"),
    ] {
        let asked = NewProfile { id: "new/model", inputs: vec![(name, bytes)], remarks: Remarks::En };
        let error = sketch(&asked).unwrap_err();
        assert!(error.contains(expect), "{name} {bytes:?}: {error}");
    }
    let named =
        NewProfile { id: "New Model", inputs: vec![("a.txt", UNKNOWN.as_bytes())], remarks: Remarks::En };
    assert!(sketch(&named).unwrap_err().contains("maker/model"));
    let none = NewProfile { id: "new/model", inputs: vec![], remarks: Remarks::En };
    assert!(sketch(&none).unwrap_err().contains("no capture"));
}

#[test]
fn no_profile_of_the_catalogue_leaves_anything_open() {
    for profile in CATALOGUE.list() {
        let open: BTreeSet<String> = profile.open_points().iter().map(ToString::to_string).collect();
        assert!(open.is_empty(), "{}: {open:#?}", profile.reference());
    }
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue").is_dir());
}
