//! What the language can say, each on a small message: numbers, controls, lots, escapes, lost records.

use crate::{Interpretation as Said, Profile};
use vocabulary::{Consequence, Interpretation};

const LIS02: &str = include_str!("language.toml");

const MESSAGE: &str = "\
H|\\^&|||MODEL|||||||P|1|20260302142000\r\
P|1\r\
O|1|G123426000001||^^^1|R||||||N\r\
R|1|^^^1|0.21|S/CO||||F||||20260302141800|N-1\r\
M|1|LOT|A1|31122026\r\
L|1|N\r";

/// The small profile and the message, each with one passage replaced by another.
fn read(profile: &[(&str, &str)], message: &[(&str, &str)]) -> Said {
    let replaced = |text: &str, changes: &[(&str, &str)]| {
        changes.iter().fold(text.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from:?} is not in {text}");
            text.replacen(from, to, 1)
        })
    };
    let text = replaced(LIS02, profile);
    let profile = Profile::read("profile.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    profile.interpret(replaced(MESSAGE, message).as_bytes())
}

/// The meaning of the only result, or the findings that hold it.
fn outcome(said: &Said) -> String {
    let held: Vec<&str> = said
        .findings
        .iter()
        .filter(|finding| finding.consequence != Consequence::Note)
        .map(|finding| finding.finding.as_str())
        .collect();
    let meanings: Vec<String> = said
        .observations
        .iter()
        .map(|o| o.value.interpretation.map_or_else(|| format!("{:?}", o.value.number), |m| format!("{m:?}")))
        .collect();
    if held.is_empty() { meanings.join(",") } else { held.join(",") }
}

/// What is said first.
fn first(said: &Said) -> String {
    outcome(said).split(',').next().unwrap().to_owned()
}

#[test]
fn a_number_alone_decides_where_the_profile_says_so_and_a_bound_on_the_wrong_side_decides_nothing() {
    for (number, expect) in [
        ("0.21", "NonReactive"),
        ("1.00", "Reactive"),
        ("0.999", "NonReactive"),
        (">8", "Reactive"),
        ("<0.5", "NonReactive"),
        ("<2", "undecided_number"),
        (">0.5", "undecided_number"),
        ("NEG", "unknown_number"),
        ("", "empty_value"),
    ] {
        assert_eq!(outcome(&read(&[], &[("0.21", number)])), expect, "{number}");
    }
}

#[test]
fn a_control_is_judged_by_the_limits_that_are_sent_or_affirmed_and_never_by_a_bound() {
    let control = [("R||||||N", "R||||||Q"), ("|G123426000001|", "|C1|")];
    let judged = |within: &str, number: &str, range: &str| {
        let message = [
            control[0],
            control[1],
            ("0.21|S/CO|", "NUMBER|S/CO|RANGE"),
            ("NUMBER", number),
            ("RANGE", range),
        ];
        first(&read(&[("between = [\"2.00\", \"6.00\"]", within)], &message))
    };
    let between = "between = [\"2.00\", \"6.00\"]";
    let range = "range = \"R.6\", separator = \" - \"";
    for (within, number, sent, expect) in [
        (between, "2.00", "", "Valid"),
        (between, "6.01", "", "Invalid"),
        (between, ">3", "", "control_without_target"),
        (range, "14.9", "10.70000 - 20.00000", "Valid"),
        (range, "20.1", "10.70000 - 20.00000", "Invalid"),
        (range, "14.9", "10.7-20", "control_without_target"),
        (range, "14.9", "20 - 10", "control_without_target"),
        (range, "14.9", "", "control_without_target"),
        (range, ">14.9", "10.7 - 20.0", "control_without_target"),
    ] {
        assert_eq!(judged(within, number, sent), expect, "{within} {number} {sent}");
    }
    let target = ("between = [\"2.00\", \"6.00\"]", "target = \"R.6\", sd = \"R.8\", sds = 2");
    for (number, expect) in [("1.24", "Valid"), ("1.79", "Invalid"), (">1.24", "control_without_target")] {
        let sent = format!("{number}|S/CO|1.24||0.124|F");
        let message = [control[0], control[1], ("0.21|S/CO||||F", sent.as_str())];
        assert_eq!(first(&read(&[target], &message)), expect, "{number}");
    }
}

#[test]
fn texts_that_stand_for_no_number_are_none_and_a_result_without_one_is_held() {
    let none = ("decimal = \"point\"", "decimal = \"point\"\nnone = [\"Undet\", \"****\"]");
    for (number, expect) in [("Undet", "empty_value"), ("****", "empty_value"), ("undet", "unknown_number")] {
        assert_eq!(outcome(&read(&[none], &[("0.21", number)])), expect, "{number}");
    }
}

#[test]
fn lots_are_found_at_every_row_and_their_last_day_in_its_own_form() {
    let lots = |form: &str| {
        let said = read(&[("expires_form = \"%d%m%Y\"", form)], &[]);
        said.observations[0]
            .lots
            .iter()
            .map(|lot| format!("{} {:?}", lot.lot, lot.expires))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(lots("expires_form = \"%d%m%Y\""), "A1 Some(2026-12-31)");
    assert_eq!(lots(""), "A1 None");
    // Two rows are one result; the lot is attached to the second.
    let second = "20260302141800|N-1\rR|2|^^^1|low|||||F||||20260302141800|N-1\r";
    let rows = "[[row]]\nname = \"number\"\nwhen = [{ at = \"R.5\", is = \"S/CO\" }]\nnumber = \"R.4\"\nunit = \"R.5\"\n\
                [[row]]\nname = \"remark\"\naside = \"a remark\"\n[[lot]]";
    let together = ("test = \"R.3.4\"", "test = \"R.3.4\"\ntogether = []");
    let said = read(&[together, ("[[lot]]", rows)], &[("20260302141800|N-1\r", second)]);
    assert_eq!(said.observations[0].lots.len(), 1, "{said:#?}");
    assert_eq!(outcome(&said), "NonReactive");
}

#[test]
fn an_order_that_only_tells_where_a_specimen_is_holds_nothing() {
    let event = "O|1|G123426000001||^^^1|R||||||N||||||||||||||P\rL|1|N\r";
    let start = MESSAGE.split_once("O|1").unwrap().0;
    for (written, expect) in [("event = [{ at = \"O.26\", is = \"P\" }]", ""), ("", "no_results")] {
        let text = LIS02.replacen("[order]", &format!("[order]\n{written}"), 1);
        let said =
            Profile::read("profile.toml", &text).unwrap().interpret(format!("{start}{event}").as_bytes());
        assert_eq!(outcome(&said), expect, "{written}");
    }
}

#[test]
fn a_record_number_that_repeats_is_a_lost_record_where_the_model_numbers_strictly() {
    let twice = "20260302141800|N-1\rO|1|G123426000002||^^^1|R||||||N\rR|1|^^^1|0.31|S/CO||||F||||20260302141800|N-1\r";
    let message = [("20260302141800|N-1\r", twice)];
    assert_eq!(outcome(&read(&[], &message)), "NonReactive,NonReactive");
    let strict = ("sequence = \"lenient\"", "sequence = \"strict\"");
    let said = read(&[strict], &message);
    assert!(said.findings.iter().any(|f| f.consequence == Consequence::Quarantine), "{:#?}", said.findings);
    assert!(said.observations.iter().all(|o| o.value.interpretation.is_none()));
}

#[test]
fn two_values_whose_mark_came_escaped_are_parted_where_the_profile_says_so() {
    let text = LIS02
        .replace("\"lis02\"", "\"hl7v2\"")
        .replace("[link.lis01]", "[link.mllp]")
        .replace(
            "[message]",
            "[message]\nresults = [{ at = \"MSH-9\", is = \"ORU^R01\" }]\nsplit_escaped = \"OBX-5\"",
        )
        .replace("H.5", "MSH-3")
        .replace("O.12", "PID-2")
        .replace("O.3.1", "OBR-2")
        .replace("R.14", "OBX-16")
        .replace("R.9", "OBX-11")
        .replace("R.3.4", "OBX-3.1")
        .replace("number = \"R.4\"", "number = \"OBX-5.2\"\ninterpretation = \"OBX-5.1\"")
        .replace("R.5", "OBX-6")
        .replace("R.13", "OBX-14")
        .replace("\"M.4\"", "\"NTE-3\"")
        .replace("\"M.5\"", "\"NTE-4\"")
        .replace("each = \"M\"\n", "")
        .replace("by_number = true", "values = \"words\"")
        .replace("[[test]]", "[values.words]\n\"-1\" = \"non_reactive\"\n\"1\" = \"reactive\"\n[[test]]");
    let profile = Profile::read("profile.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let said = |value: &str| {
        let message = format!(
            "MSH|^~\\&|MODEL||||20260302142000||ORU^R01|1|P|2.4\rPID|1|N\rOBR|1|G123426000001||1\r\
             OBX|1||1||{value}|S/CO||||||F|||20260302141800||N-1\r"
        );
        let message = message.replace("||||||F", "|||||F");
        outcome(&profile.interpret(message.as_bytes()))
    };
    assert_eq!(said("-1\\S\\0.14"), "NonReactive");
    assert_eq!(said("1\\S\\2.14"), "Reactive");
    assert_eq!(said("1^2.14"), "Reactive");
    assert_eq!(said("-1\\S\\2.14"), "value_contradiction");
    assert_eq!(said("1\\T\\2.14"), "unknown_value");
}

#[test]
fn what_the_words_do_not_allow_is_refused_with_the_remedy() {
    for (from, to, words) in [
        ("reactive = \">= 1.00\"", "", "`by_number` needs `reactive`"),
        ("by_number = true", "by_number = true\ndiscriminates = true", "nucleic acid tests of one target"),
        ("between = [\"2.00\", \"6.00\"]", "between = [\"6.00\", \"2.00\"]", "the lowest and the highest"),
        ("between = [\"2.00\", \"6.00\"]", "between = \"2.00\"", "the lowest and the highest"),
        ("between = [\"2.00\", \"6.00\"]", "range = \"R.6\"", "`separator`"),
        ("expires_form = \"%d%m%Y\"", "expires_form = \"%d\"", "does not read back"),
        ("decimal = \"point\"", "decimal = \"point\"\nthousands = \".\"", "not the decimal mark"),
        ("[message]", "[message]\nsplit_escaped = \"R.4\"", "whole fields of HL7"),
        ("sequence = \"lenient\"", "sequence = \"strikt\"", "nearest known name: \"strict\""),
    ] {
        assert!(LIS02.contains(from), "{from}");
        let errors = Profile::read("profile.toml", &LIS02.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(errors.contains(words), "{from:?} → {to:?}: {errors}");
    }
    assert_eq!(outcome(&read(&[], &[])), format!("{:?}", Interpretation::NonReactive));
}
