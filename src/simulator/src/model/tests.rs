use super::*;
use crate::scenario::{Controls, DaySettings, Scenario, Story};
use vocabulary::LotRole;

/// A file of one whole run, a LIS02 analyser with one message a test, an HL7 analyser with one a tube.
pub(crate) const PLATE: &str = r#"
duties = ["serology-second"]
protocol = "delimited"
message = "run"
file_name = "{{ run.id }}.csv"
[templates]
results = "plate.jinja"
[texts]
reactive = "POS"
non_reactive = "NEG"
[[assay]]
marker = "HBsAg"
code = "S"
cutoff = "0.105"
[[assay]]
marker = "anti-HCV"
code = "C"
cutoff = "0.210"
[[assay]]
marker = "HIV"
code = "H"
cutoff = "0.120"
[[assay]]
marker = "syphilis"
code = "T"
cutoff = "0.150"
[[control]]
name = "NC"
reads = { HBsAg = "non_reactive", anti-HCV = "non_reactive", HIV = "non_reactive", syphilis = "non_reactive" }
[[control]]
name = "PC"
reads = { HBsAg = "reactive", anti-HCV = "reactive", HIV = "reactive", syphilis = "reactive" }
"#;

pub(crate) const PLATE_TEMPLATE: &str = "
{% for s in specimens %}{% for r in s.results %}
{{ run.id }},{{ r.well }},{{ s.id or s.control.name }},{{ r.code }},{{ r.od }},{{ r.cutoff }},{{ r.text }}
{% endfor %}{% endfor %}
";

pub(crate) const CHEMISTRY: &str = r#"
duties = ["chemistry"]
protocol = "hl7v2"
message = "specimen"
[templates]
results = "r.jinja"
[instrument]
serial = "S&1"
[[assay]]
marker = "ALT"
code = "3"
name = "ALT"
[[control]]
name = "level 1"
reads = { ALT = "40" }
[unmapped]
marker = "ALT"
code = "9999"
"#;

pub(crate) const CHEMISTRY_TEMPLATE: &str = r"
MSH|^~\&|{{ instrument.serial | esc }}||||{{ sent_at }}{{ utc_offset }}||ORU^R01|{{ control_id }}|P|2.3.1
{% for s in specimens %}
OBR|1|{{ s.id or s.control.name }}
{% for r in s.results %}
OBX|{{ loop.index }}|NM|{{ r.code }}||{{ r.activity }}|U/L|||||F
{% endfor %}
{% endfor %}
";

pub(crate) const SEROLOGY: &str = r#"
duties = ["serology-first"]
protocol = "lis02"
message = "test"
messages_per_transfer = 4
[templates]
results = "r.jinja"
[[assay]]
marker = "HBsAg"
code = "11"
signal_cutoff = "1250"
[[assay]]
marker = "anti-HCV"
code = "12"
[[assay]]
marker = "HIV"
code = "13"
[[assay]]
marker = "syphilis"
code = "14"
"#;

pub(crate) const SEROLOGY_TEMPLATE: &str = r"
H|\^&|{{ control_id }}|||||||||P|1|{{ sent_at }}
P|1
O|1|{{ specimens[0].id }}
R|1|^^^{{ specimens[0].results[0].code }}^F|{{ specimens[0].results[0].index }}|S/CO||||F
L|1
";

#[test]
fn a_question_is_a_message_a_specimen_and_a_model_without_a_template_asks_nothing() {
    let day = DaySettings::default();
    let specimens = ["G1".to_owned(), "A|2".to_owned()];
    let plain = model(SEROLOGY, "r.jinja", SEROLOGY_TEMPLATE);
    assert!(!plain.asks() && plain.questions(&day, &specimens).unwrap().is_empty());
    let toml = SEROLOGY.replace("[templates]", "[templates]\nquestion = \"q.jinja\"");
    let templates = [
        ("r.jinja", SEROLOGY_TEMPLATE),
        ("q.jinja", "H|\\^&|{{ control_id }}\nQ|1|{{ specimens[0].id | esc }}\nL|1"),
    ];
    let templates = templates.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let asking = Model::new("a/b", &toml, &templates).unwrap();
    let asked = asking.questions(&day, &specimens).unwrap();
    let texts: Vec<_> = asked.iter().map(|q| String::from_utf8(q.bytes.clone()).unwrap()).collect();
    assert_eq!(texts.len(), 2);
    assert!(texts[0].ends_with("\rQ|1|G1\rL|1\r") && texts[1].ends_with("\rQ|1|A&F&2\rL|1\r"), "{texts:?}");
    assert!(asked.iter().all(|q| q.kind == OutgoingKind::Question && q.control_id.len() == 14));
    let error =
        Model::new("a/b", &toml, &[("r.jinja".to_owned(), String::new())].into()).unwrap_err().to_string();
    assert!(error.contains("q.jinja"), "{error}");
}

pub(crate) fn model(toml: &str, name: &str, template: &str) -> Model {
    Model::new("maker/model", toml, &[(name.to_owned(), template.to_owned())].into()).unwrap()
}

fn day() -> Scenario {
    Scenario::new(DaySettings { donations: 100, ..DaySettings::default() }).unwrap()
}

fn messages(model: &Model, scenario: &Scenario) -> Vec<Outgoing> {
    let duty = model.duties()[0];
    let mut sequence = 0;
    let runs = &scenario.session(duty).unwrap().runs;
    runs.iter().flat_map(|r| model.messages(&scenario.settings, duty, r, &mut sequence).unwrap()).collect()
}

fn text(message: &Outgoing) -> &str {
    std::str::from_utf8(&message.bytes).unwrap()
}

#[test]
fn a_plate_is_one_file_with_its_controls_first_and_a_well_for_every_result() {
    let scenario = day();
    let plates = messages(&model(PLATE, "plate.jinja", PLATE_TEMPLATE), &scenario);
    assert_eq!(plates.len(), scenario.sessions[1].runs.len());
    let rows: Vec<&str> = text(&plates[0]).split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 2 + plates[0].donations.len());
    assert!(rows[0].starts_with("260302-SB-001,A1,NC,S,") && rows[0].ends_with(",0.105,NEG"), "{}", rows[0]);
    assert!(rows[1].starts_with("260302-SB-001,B1,PC,S,") && rows[1].ends_with(",0.105,POS"), "{}", rows[1]);
    assert!(rows[8].contains(",A2,"), "{}", rows[8]);
    assert_eq!(plates[0].file_name.as_deref(), Some("260302-SB-001.csv"));
}

#[test]
fn a_failed_plate_has_a_positive_control_that_is_not_found() {
    let scenario = day();
    let plates = messages(&model(PLATE, "plate.jinja", PLATE_TEMPLATE), &scenario);
    let runs = &scenario.session(Duty::SerologySecond).unwrap().runs;
    for (plate, run) in plates.iter().zip(runs) {
        let control = text(plate).lines().nth(1).unwrap().trim();
        assert_eq!(control.ends_with("NEG"), run.controls != Controls::Pass, "{control}");
    }
}

#[test]
fn a_tubes_tests_stand_in_one_message_and_the_unmapped_code_comes_once() {
    let scenario = day();
    let sent = messages(&model(CHEMISTRY, "r.jinja", CHEMISTRY_TEMPLATE), &scenario);
    assert!(text(&sent[0]).starts_with(
        "MSH|^~\\&|S\\T\\1||||20260302142003+0800||ORU^R01|260302CH000001|P|2.3.1\rOBR|1|level 1\rOBX|1|NM|3||"
    ));
    let unmapped: Vec<_> = sent.iter().filter(|m| text(m).contains("|9999|")).collect();
    let [unmapped] = unmapped[..] else { panic!("{} messages", unmapped.len()) };
    let story = scenario.donations.iter().find(|d| d.story == Story::UnmappedTest).unwrap();
    assert_eq!(unmapped.donations, std::slice::from_ref(&story.registration.donation));
    assert!(text(unmapped).contains("OBX|2|NM|9999||"));
}

#[test]
fn a_message_that_comes_twice_is_the_same_byte_for_byte() {
    let scenario = day();
    let sent = messages(&model(SEROLOGY, "r.jinja", SEROLOGY_TEMPLATE), &scenario);
    let again: Vec<_> = sent.iter().enumerate().filter(|(_, m)| m.again).collect();
    assert_eq!(again.len(), 1);
    let (at, second) = again[0];
    let first = sent.iter().position(|m| m.control_id == second.control_id).unwrap();
    assert_eq!(sent[first].bytes, second.bytes);
    assert_eq!(at - first, 4);
}

#[test]
fn a_model_that_writes_one_test_a_message_does_so() {
    let scenario = day();
    let sent = messages(&model(SEROLOGY, "r.jinja", SEROLOGY_TEMPLATE), &scenario);
    assert_eq!(text(&sent[0]).matches('\r').count(), 5);
    let readings = scenario.sessions[0].runs.iter().flat_map(|r| &r.tests).flat_map(|t| &t.readings).count();
    assert_eq!(sent.iter().filter(|m| !m.again).count(), readings);
}

#[test]
fn what_cannot_be_simulated_says_what_and_where() {
    let templates = [("plate.jinja".to_owned(), PLATE_TEMPLATE.to_owned())].into();
    for (toml, expect) in [
        (PLATE.replace("serology-second", "nat"), "duty nat needs an [[assay]] for marker HBV-DNA"),
        (PLATE.replace("plate.jinja", "p.jinja"), "p.jinja"),
        (PLATE.replace("file_name", "filename"), "unknown field `filename`"),
        (PLATE.replace("file_name = \"{{ run.id }}.csv\"", ""), "needs file_name"),
        (PLATE.replace("protocol", "encoding = \"klingon\"\nprotocol"), "unknown encoding \"klingon\""),
        (PLATE.replace("\"reactive\"", "\"strong\""), "\"strong\" is none of reactive"),
        (PLATE.replace("marker = \"HIV\"", "marker = \"hiv\""), "unknown variant `hiv`"),
        (CHEMISTRY.replace("[unmapped]", "[[assay]]"), "a chemistry model needs [unmapped]"),
    ] {
        let error = Model::new("maker/model", &toml, &templates).unwrap_err().to_string();
        assert!(error.contains(expect) && error.contains("maker/model"), "{error}");
    }
}

#[test]
fn a_model_names_its_lots_once_each() {
    let with = |more: &str| {
        let toml = SEROLOGY.replace("code = \"11\"", "code = \"11\"\nlot = \"L1\"\nexpires = \"20301231\"");
        let toml = toml.replace("code = \"12\"", "code = \"12\"\nlot = \"L1\"\nexpires = \"20301231000000\"");
        let templates = [("r.jinja".to_owned(), SEROLOGY_TEMPLATE.to_owned())].into();
        Model::new("maker/model", &format!("{toml}\n{more}"), &templates)
    };
    let day = jiff::civil::date(2030, 12, 31);
    let reagent = LotUse { role: LotRole::Reagent, name: None, lot: "L1".to_owned(), expires: Some(day) };
    assert_eq!(with("").unwrap().lots(), std::slice::from_ref(&reagent));
    let card =
        LotUse { role: LotRole::Control, name: Some("C".to_owned()), lot: "L2".to_owned(), expires: None };
    let named = with("[[lot]]\nrole = \"control\"\nname = \"C\"\nlot = \"L2\"").unwrap();
    assert_eq!(named.lots(), [reagent, card]);
    for (more, expect) in
        [("expires = \"31.12.2030\"", "is no day"), ("role = \"card\"", "the role \"card\"")]
    {
        let error = with(&format!("[[lot]]\nlot = \"L2\"\n{more}")).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }
}

#[test]
fn a_name_that_the_context_does_not_have_is_an_error_with_its_place() {
    let scenario = day();
    let broken = model(PLATE, "plate.jinja", "\n{{ run.plate }}");
    let run = &scenario.session(Duty::SerologySecond).unwrap().runs[0];
    let error =
        broken.messages(&scenario.settings, Duty::SerologySecond, run, &mut 0).unwrap_err().to_string();
    assert!(error.contains("plate.jinja:2"), "{error}");
}
