//! What a profile may say, and what is said about it when it may not.

use super::*;
use crate::link::{Checksum, LinkSettings};

pub(super) const SMALL: &str = r#"
schema = 1
id = "maker/model"
protocol = "lis02"

[names]
maker = { en = "Maker", zh = "厂家" }
model = { en = "Model", zh = "型号" }

[link.lis01]
checksum = "warn"

[message]
sender = [{ at = "H.5.1", is = "MODEL" }]
production = []
sequence = "lenient"

[specimen]
id = "O.3.1"
form = ".+"

[[kind]]
is = "control"
when = [{ at = "O.12", is = "Q" }]

[[kind]]
is = "patient"
when = [{ at = "O.12", is = ["", "N"] }]

[controls]
recognition = "rules"

[[control]]
name = "negative"
reads = "non_reactive"
when = [{ at = "O.3.1", is = "NEG" }]

[run]
id = "{R.14}/{assay}/{day}"
[[run.requires]]
controls = ["negative"]
markers = ["HBsAg"]

[status]
at = "R.9"
map = { F = "final" }

[flags]
at = []
unknown = "hold"

[result]
test = "R.3.4"
interpretation = "R.4"
completed_at = "R.13"

[values.words]
"Nonreactive" = "non_reactive"
"Reactive" = "reactive"

[[test]]
code = "1"
marker = "HBsAg"
assay = "HBsAg of a test"
values = "words"
source = "trace"

[evidence]
not_verified = ["everything"]
[evidence.sources.trace]
title = "A trace"
level = "trace"
"#;

pub(super) fn faults(text: &str) -> Vec<String> {
    let errors = Profile::read("profile.toml", text).map(|profile| profile.reference().clone()).unwrap_err();
    errors.faults.iter().map(ToString::to_string).collect()
}

/// Replaces one passage of the small profile and expects exactly one fault, on the line that begins with `on`.
pub(super) fn check(from: &str, to: &str, on: &str, words: &[&str]) {
    assert!(SMALL.contains(from), "{from:?} is not in the profile");
    let text = SMALL.replacen(from, to, 1);
    let found = faults(&text);
    let line = text.lines().position(|line| line.starts_with(on)).unwrap() + 1;
    assert_eq!(found.len(), 1, "{from:?} → {to:?}: {found:#?}");
    assert!(found[0].starts_with(&format!("profile.toml:{line}:")), "{from:?} → {to:?}: {found:#?}");
    for word in words {
        assert!(found[0].contains(word), "{from:?} → {to:?}: {word:?} not in {found:#?}");
    }
}

#[test]
fn a_small_profile_is_read() {
    let profile = Profile::read("profile.toml", SMALL).unwrap();
    assert_eq!(profile.reference().id, "maker/model");
    assert_eq!(profile.protocol(), Protocol::Lis02);
    assert_eq!(profile.maker().zh, "厂家");
    assert_eq!(profile.assays().collect::<Vec<_>>(), [(Marker::HBsAg, "HBsAg of a test")]);
    assert_eq!(profile.required_controls(Marker::HBsAg).names, ["negative"]);
    assert_eq!(profile.required_controls(Marker::Hiv).names, Vec::<&str>::new());
    let LinkSettings::Lis01(link) = profile.link() else { panic!("another link") };
    assert_eq!((link.checksum, link.tries_max, link.timers.t3), (Checksum::Warn, 6, 30_000));
}

#[test]
fn the_revision_follows_the_content_and_not_the_line_ends() {
    let revision = |text: &str| Profile::read("p", text).unwrap().reference().revision.clone();
    assert_eq!(revision(SMALL).len(), 64);
    assert_eq!(revision(SMALL), revision(&SMALL.replace('\n', "\r\n")));
    assert_ne!(revision(SMALL), revision(&SMALL.replace("\"Reactive\"", "\"reactive\"")));
}

#[test]
fn an_unknown_name_is_named_with_its_line_and_its_neighbour() {
    check("checksum =", "chekcsum =", "chekcsum", &["unknown key", "\"checksum\""]);
    check("\"warn\"", "\"wran\"", "checksum", &["unknown word", "\"warn\""]);
    check("marker = \"HBsAg\"", "marker = \"HbSag\"", "marker =", &["unknown marker", "\"HBsAg\""]);
    check("= \"reactive\"", "= \"reactiv\"", "\"Reactive\"", &["unknown meaning", "\"reactive\""]);
    check(
        "values = \"words\"",
        "values = \"wordz\"\nunit_is = \"x\"",
        "values =",
        &["unknown value map", "\"words\""],
    );
    check("[\"negative\"]", "[\"negativ\"]", "controls = [", &["unknown control", "\"negative\""]);
    check("source = \"trace\"", "source = \"trase\"", "source =", &["unknown source", "\"trace\""]);
    check("F = \"final\"", "F = \"finale\"", "map =", &["unknown word", "\"final\""]);
}

#[test]
fn what_is_missing_is_named() {
    check("id = \"{R.14}/{assay}/{day}\"", "", "", &["missing `id` in `[run]`"]);
    check("sender = [{ at = \"H.5.1\", is = \"MODEL\" }]", "", "[message]", &["missing `sender`"]);
    check("production = []\n", "", "[message]", &["missing `production`"]);
    check("[flags]\nat = []", "[flags]", "[flags]", &["missing `at`"]);
    let whole = "interpretation = \"R.4\"\nwhole = [\"number\"]";
    check("interpretation = \"R.4\"", whole, "[[test]]", &["`whole` asks for the number", "cannot read"]);
    check("values = \"words\"", "values = \"words\"\naside = \"why\"", "aside", &["neither"]);
    check("zh = \"型号\"", "zh = \" \"", "model =", &["`zh` is empty"]);
    check("recognition = \"rules\"", "", "[controls]", &["`recognition`"]);
    check("completed_at = \"R.13\"\n", "", "", &["missing `completed_at` in `[result]`"]);
    let lot = "[[lot]]\nrole = \"reagent\"\nlot = \"R.3.8\"\n[status]";
    check("[status]", lot, "[[lot]]", &["missing `required`", "is held"]);
}

/// What can only make less be read is not left out: nothing could tell that it was lost.
#[test]
fn a_guard_that_is_not_said_is_named() {
    check("sequence = \"lenient\"\n", "", "", &["missing `sequence`", "lost record"]);
    check("form = \".+\"", "", "[specimen]", &["missing `form`", "\".+\""]);
    check("id = \"O.3.1\"", "id = [\"O.3.1\", \"O.4.1\"]", "[specimen]", &["missing `must_agree`"]);
    check("values = \"words\"", "values = \"words\"\nunit_is = \"x\"", "[[test]]", &["missing `reactive`"]);
    let alone = "unit_is = \"x\"\nreactive = \">= 1.00\"";
    let text = SMALL.replacen("values = \"words\"", alone, 1);
    assert!(faults(&text).iter().any(|fault| fault.contains("missing `by_number`")), "{:#?}", faults(&text));
    let spared = "name = \"negative\"\nnot_required_for = \"HBsAg\"";
    check("name = \"negative\"", spared, "[[control]]", &["spares the control", "asks for it"]);
    let none = "[[run.requires]]\ncontrols = [\"negative\"]\nmarkers = [\"HBsAg\"]\n";
    check(
        none,
        "",
        "[[control]]",
        &["no run needs the control \"negative\" for \"HBsAg\"", "not_required_for"],
    );
    let text = SMALL.replacen(none, "", 1).replacen("name = \"negative\"", spared, 1);
    assert!(Profile::read("profile.toml", &text).is_ok());
    let graded = SMALL
        .replacen("reads = \"non_reactive\"", "reads = \"positive\"", 1)
        .replacen("values = \"words\"", "grades = \"signs\"", 1)
        .replacen("[values.words]", "[grades.signs]\n\"+\" = \"1+\"\n[values.words]", 1);
    assert!(
        faults(&graded).iter().any(|fault| fault.contains("missing `at_least`")),
        "{:#?}",
        faults(&graded)
    );
}

#[test]
fn a_profile_that_counts_its_guards_is_refused_with_another_number_of_them() {
    let counted = |number: u32| format!("[evidence]\nguards = {number}");
    let number = Profile::read("profile.toml", SMALL).unwrap().uncounted_guards().unwrap();
    let said = SMALL.replacen("[evidence]", &counted(number), 1);
    assert_eq!(Profile::read("profile.toml", &said).unwrap().uncounted_guards(), None);
    let lost = said.replacen("is = [\"\", \"N\"]", "is = \"N\"", 1);
    let found = faults(&lost);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].contains("one was lost") && found[0].contains(&format!("`guards = {}`", number - 1)),
        "{found:#?}"
    );
    check("[evidence]", &counted(number - 1), "guards = ", &["one was added"]);
}

#[test]
fn a_column_that_is_read_is_among_those_that_have_to_be_there() {
    let text = SMALL
        .replacen("\"lis02\"", "\"delimited\"", 1)
        .replacen(
            "[link.lis01]\nchecksum = \"warn\"",
            "[link.directory]\npattern = \"*\"\n[table]\ndelimiter = \",\"\nheader = true\ncolumns = [\"A\"]",
            1,
        )
        .replacen("sender = [{ at = \"H.5.1\", is = \"MODEL\" }]", "uncounted = \"-\"", 1);
    let text = ["O.12", "O.3.1", "R.14", "R.9", "R.3.4", "R.4", "R.13"]
        .iter()
        .fold(text, |text, at| text.replace(at, if *at == "R.14" { "column Run" } else { "column A" }));
    let found = faults(&text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].contains("the column \"Run\" is read"), "{found:#?}");
    assert!(Profile::read("profile.toml", &text.replacen("[\"A\"]", "[\"A\", \"Run\"]", 1)).is_ok());
}

#[test]
fn a_profile_whose_questions_are_always_answered_with_nothing_says_why_and_has_no_other_answer() {
    let asks = |more: &str| {
        format!(
            "[query]\nspecimens = \"Q.3.2\"\nwhen = [{{ at = \"Q.13\", is = \"O\" }}]\nnothing_ordered = \"nobody orders here\"\n[answer.nothing]\n{more}[status]"
        )
    };
    let profile = Profile::read("profile.toml", &SMALL.replacen("[status]", &asks(""), 1)).unwrap();
    assert!(profile.asks() && profile.orderable_assays().next().is_none());
    check("[status]", &asks("").replace("nobody orders here", " "), "nothing_ordered", &["is empty"]);
    check("[status]", &asks("").replace("[answer.nothing]\n", ""), "[query]", &["`[answer.nothing]`"]);
    check("[status]", &asks("[answer.found]\n"), "[answer.found]", &["beside `nothing_ordered`"]);
    let orderable = "[[orderable]]\ncode = \"1\"\nassays = \"HBsAg of a test\"\nsource = \"trace\"\n";
    check("[status]", &asks(orderable), "[[orderable]]", &["beside `nothing_ordered`"]);
    check(
        "[status]",
        &asks("").replace("nothing_ordered", "nothing_orderd"),
        "nothing_orderd",
        &["\"nothing_ordered\""],
    );
}

#[test]
fn flags_without_anything_between_them_are_parted_by_their_width() {
    let at = |more: &str| format!("at = \"R.7\"\n{more}\nunknown = \"hold\"");
    let none = "at = []\nunknown = \"hold\"";
    check(none, &at("width = 0"), "width", &["1 or more"]);
    check(none, &at("separator = \"^\"\nwidth = 2"), "width", &["no `separator`"]);
}

#[test]
fn what_contradicts_itself_is_named() {
    check("[link.lis01]\nchecksum = \"warn\"", "[link.mllp]\n", "[link.mllp]", &["does not carry"]);
    check("recognition = \"rules\"", "recognition = \"none\"", "[controls]", &["affirmed"]);
    let affirmed = "recognition = \"none\"\naffirmed = \"the quality manager\"";
    check("recognition = \"rules\"", affirmed, "[controls]", &["rules for controls"]);
    check("at = \"R.9\"", "at = \"OBX-11\"", "at = \"OBX", &["no LIS02 field path"]);
    check("\"{R.14}/{assay}/{day}\"", "\"{R.14}/{assai}\"", "id = \"{R.14}", &["one of the words"]);
    check("is = \"Q\"", "is = \"Q\", present = true", "when = ", &["one test"]);
    check("is = \"Q\"", "is_not = [\"\"], ends_with = \"Q\"", "when = ", &["one test"]);
    check(
        "not_verified = [\"everything\"]",
        "[[evidence.fact]]\nat = \"R.3\"\nsays = \"x\"\nsource = \"trace\"\nlevel = \"inferred\"",
        "[evidence]",
        &["not_verified"],
    );
    check("title = \"A trace\"", "title = 7", "title", &["invalid type"]);
    check("schema = 1", "schema = 2", "schema", &["schema 1"]);
    check("\"maker/model\"", "\"Maker Model\"", "id = \"Maker", &["maker/model"]);
}

#[test]
fn that_nothing_counts_the_rows_is_said_with_a_reason_and_shown_with_what_is_not_verified() {
    check("sender = [", "uncounted = \" \"\nsender = [", "uncounted", &["lost rows", "is empty"]);
    let text = SMALL.replacen("sender = [", "uncounted = \"nobody counts\"\nsender = [", 1);
    let profile = Profile::read("profile.toml", &text).unwrap();
    assert!(profile.evidence().not_verified.iter().any(|what| what == "nobody counts"));
}

#[test]
fn every_fault_is_reported_not_only_the_first() {
    let text = SMALL
        .replace("checksum =", "chekcsum =")
        .replace("\"lis02\"", "\"lis02\"\ncolour = \"red\"")
        .replace("marker = \"HBsAg\"", "marker = \"HbSag\"")
        .replace("is = \"patient\"", "is = \"pateint\"")
        .replace("at = \"R.9\"", "at = \"R\"")
        .replace("level = \"trace\"", "level = \"gossip\"");
    let found = faults(&text);
    for words in ["colour", "chekcsum", "pateint", "no LIS02 field path", "HbSag", "gossip"] {
        assert!(found.iter().any(|fault| fault.contains(words)), "{words}: {found:#?}");
    }
}

#[test]
fn a_text_that_is_no_toml_has_a_place() {
    let found = faults("schema = 1\nid = \"maker");
    assert!(found[0].starts_with("profile.toml:2:"), "{found:#?}");
    let missing = Profile::load(Path::new("/nonexistent")).unwrap_err();
    assert!(missing.to_string().contains("cannot be read"));
}

#[test]
fn an_acknowledgement_template_is_checked() {
    let with = |template: &str| {
        let link = format!("[link.mllp]\ntemplate = [{template}]");
        let text = SMALL.replace("[link.lis01]\nchecksum = \"warn\"", &link);
        faults(&text.replace("\"lis02\"", "\"hl7v2\""))
    };
    let good = with("\"MSH|^~\\\\&|{now}\", \"MSA|{code}|{MSH-10}|\"");
    assert!(good.iter().all(|fault| !fault.contains("acknowledgement")), "{good:#?}");
    let bad = with("\"MSH|^~\\\\&|{noun}\", \"MSA|{code}|{MSH-10}|\"");
    assert!(bad.iter().any(|fault| fault.contains(":11:") && fault.contains("{noun}")), "{bad:#?}");
}

#[test]
fn what_releases_came_to_ask_is_refused_today_and_listed_of_a_revision_that_is_kept() {
    let requires = "[[run.requires]]\ncontrols = [\"negative\"]\nmarkers = [\"HBsAg\"]\n";
    for (without, asked) in [
        ("form = \".+\"\n", "missing `form`"),
        ("sequence = \"lenient\"\n", "missing `sequence`"),
        ("production = []\n", "missing `production`"),
        ("[flags]\nat = []\nunknown = \"hold\"\n", "missing `[flags]`"),
        ("at = []\n", "missing `at`"),
        ("completed_at = \"R.13\"\n", "missing `completed_at`"),
        (requires, "no run needs the control \"negative\""),
    ] {
        let text = SMALL.replacen(without, "", 1);
        let refused = faults(&text);
        assert!(refused.iter().any(|fault| fault.contains(asked)), "{asked}: {refused:#?}");
        let kept = Profile::read_kept("profile.toml", &text, &BTreeMap::new()).unwrap();
        let unsaid: Vec<String> = kept.unsaid().iter().map(ToString::to_string).collect();
        assert!(unsaid.len() == 1 && unsaid[0].contains(asked), "{asked}: {unsaid:#?}");
        assert_eq!(kept.content().text, text);
    }
    // What satisfies today's check is the same, read either way.
    let kept = Profile::read_kept("profile.toml", SMALL, &BTreeMap::new()).unwrap();
    let today = Profile::read("profile.toml", SMALL).unwrap();
    assert!(kept.unsaid().is_empty());
    assert_eq!(format!("{:?}", kept.rules.message), format!("{:?}", today.rules.message));
    // What was a fault from the beginning is one.
    for without in ["[status]\nat = \"R.9\"\n", "id = \"{R.14}/{assay}/{day}\"\n", "schema = 1\n"] {
        let text = SMALL.replacen(without, "", 1);
        assert!(Profile::read_kept("profile.toml", &text, &BTreeMap::new()).is_err(), "{without}");
    }
}

#[test]
fn a_kept_revision_requires_each_control_of_which_it_does_not_say_otherwise_and_is_silent_without_any() {
    let requires = "[[run.requires]]\ncontrols = [\"negative\"]\nmarkers = [\"HBsAg\"]\n";
    let second =
        "[[control]]\nname = \"second\"\nreads = \"non_reactive\"\nwhen = [{ at = \"O.3.1\", is = \"2\" }]\n";
    let two = SMALL.replacen("[run]", &format!("{second}[run]"), 1);
    let spared = SMALL.replacen(requires, "", 1).replacen(
        "name = \"negative\"",
        "name = \"negative\"\nnot_required_for = [\"HBsAg\"]",
        1,
    );
    for (text, names, unsaid) in [
        (SMALL.to_owned(), vec!["negative"], false),
        (SMALL.replacen(requires, "", 1), vec!["negative"], true),
        (two.clone(), vec!["negative", "second"], false),
        (two.replacen(requires, "", 1), vec!["negative", "second"], true),
        (spared, vec![], false),
    ] {
        let kept = Profile::read_kept("profile.toml", &text, &BTreeMap::new()).unwrap();
        assert_eq!(kept.required_controls(Marker::HBsAg), RequiredControls { names, unsaid }, "{text}");
    }
}
