//! Rows that see each other: one that confirms, one that may come once, remarks beside the first; bounds; parts of texts.

use crate::Profile;
use vocabulary::Consequence;

const LIS02: &str = include_str!("language.toml");

/// A profile for two rows of one result: a word and an index in `R|1`, and whatever stands behind it.
fn profile(more: &str, replaced: (&str, &str)) -> Profile {
    let text = LIS02
        .replace("within = { between = [\"2.00\", \"6.00\"] }\n", "right = \"non_reactive\"\n")
        .replace("number = \"R.4\"\n", "")
        .replace("test = \"R.3.4\"", "test = \"R.3.4\"\ntogether = []\nonce = \"R.10\"")
        .replace("at = []\nunknown", "at = [\"R.7[*]\", \"C.4\"]\nunknown")
        .replace("by_number = true", "values = \"words\"")
        .replace(
            "[[test]]",
            &format!("{more}[values.words]\n\"NEG\" = \"non_reactive\"\n\"POS\" = \"reactive\"\n[[test]]"),
        )
        .replace(replaced.0, replaced.1);
    Profile::read("profile.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

const ROWS: &str = "[[row]]\nname = \"result\"\nwhen = [{ at = \"R.3.5\", is = \"\" }]\ninterpretation = \"R.4.1\"\nnumber = \"R.4.2\"\n\
                    whole = [\"interpretation\", \"number\", \"confirmation\"]\n\
                    [[row]]\nname = \"again\"\nwhen = [{ at = \"R.3.5\", is = \"AGAIN\" }]\nconfirms = \"R.4\"\n";

/// The findings that hold, or the meaning of the result.
fn outcome(profile: &Profile, rows: &str) -> String {
    let message = format!(
        "H|\\^&|||MODEL|||||||P|1|20260302142000\rP|1\rO|1|G123426000001||^^^1|R||||||N\r{rows}L|1|N\r"
    );
    let said = profile.interpret(message.as_bytes());
    let held = said.findings.iter().filter(|finding| finding.consequence != Consequence::Note);
    let mut held: Vec<&str> = held.map(|finding| finding.finding.as_str()).collect();
    held.dedup();
    let meanings = said.observations.iter().map(|o| format!("{:?}", o.value.interpretation));
    if held.is_empty() { meanings.collect::<Vec<_>>().join(",") } else { held.join(",") }
}

fn row(number: usize, aspect: &str, value: &str, more: &str) -> String {
    format!("R|{number}|^^^1^{aspect}|{value}|S/CO||||F|{more}|||20260302141800|N-1\r")
}

#[test]
fn a_row_that_confirms_has_to_be_there_and_to_say_the_same() {
    let profile = profile(ROWS, ("", ""));
    let first = row(1, "", "NEG^0.21", "");
    for (behind, expect) in [
        (vec!["NEG"], "Some(NonReactive)"),
        (vec!["NEG", "NEG"], "Some(NonReactive)"),
        (vec!["POS"], "value_contradiction"),
        (vec!["NEG", "POS"], "value_contradiction"),
        (vec!["LOW"], "unknown_value"),
        (vec![""], "incomplete_result"),
        (vec![], "incomplete_result"),
    ] {
        let rows: Vec<String> =
            behind.iter().enumerate().map(|(at, word)| row(at + 2, "AGAIN", word, "")).collect();
        assert_eq!(outcome(&profile, &format!("{first}{}", rows.concat())), expect, "{behind:?}");
    }
    let positive = format!("{}{}", row(1, "", "POS^3.10", ""), row(2, "AGAIN", "NEG", ""));
    assert_eq!(outcome(&profile, &positive), "value_contradiction");
}

#[test]
fn what_may_stand_once_in_an_order_and_stands_twice_holds_the_order() {
    let aside = "[[row]]\nname = \"supplement\"\nwhen = [{ at = \"R.3.5\", is = \"CT\" }]\naside = \"a supplement\"\n";
    let profile = profile(&format!("{aside}{ROWS}"), ("", ""));
    let result = format!("{}{}", row(1, "", "NEG^0.21", "a"), row(2, "AGAIN", "NEG", "b"));
    for (third, expect) in [("c", "Some(NonReactive)"), ("", "Some(NonReactive)"), ("a", "ambiguous_rows")] {
        let rows = format!("{result}{}", row(3, "CT", "31.2", third));
        assert_eq!(outcome(&profile, &rows), expect, "{third:?}");
    }
}

#[test]
fn a_second_remark_and_one_about_the_order_are_read_as_the_first_is() {
    let profile = profile(ROWS, ("", ""));
    let result = format!("{}{}", row(1, "", "NEG^0.21", ""), row(2, "AGAIN", "NEG", ""));
    for (remarks, expect) in [
        ("", "Some(NonReactive)"),
        ("C|1|I||I\r", "Some(NonReactive)"),
        ("C|1|I|clot|I\r", "unknown_flag"),
        ("C|1|I||I\rC|2|I|clot|I\r", "unknown_flag"),
    ] {
        assert_eq!(outcome(&profile, &format!("{result}{remarks}")), expect, "{remarks:?}");
        assert_eq!(outcome(&profile, &format!("{remarks}{result}")), expect, "of the order: {remarks:?}");
    }
}

#[test]
fn a_lower_bound_is_never_negative_and_an_upper_bound_never_positive() {
    let little_is_reactive = ("reactive = \">= 1.00\"", "reactive = \"<= 1.00\"");
    for (replaced, value, expect) in [
        (("", ""), "NEG^>0.21", "bound_contradicts"),
        (("", ""), "NEG^<0.21", "Some(NonReactive)"),
        (("", ""), "NEG^<2.00", "Some(NonReactive)"),
        (("", ""), "POS^>8.00", "Some(Reactive)"),
        (("", ""), "POS^<8.00", "bound_contradicts"),
        (little_is_reactive, "NEG^>2.00", "Some(NonReactive)"),
        (little_is_reactive, "NEG^<2.00", "bound_contradicts"),
        (little_is_reactive, "POS^<0.50", "Some(Reactive)"),
        (little_is_reactive, "POS^>0.50", "bound_contradicts"),
    ] {
        let profile = profile(ROWS, replaced);
        let again = value.split('^').next().unwrap();
        let rows = format!("{}{}", row(1, "", value, ""), row(2, "AGAIN", again, ""));
        assert_eq!(outcome(&profile, &rows), expect, "{replaced:?} {value}");
    }
}

#[test]
fn a_check_compares_the_part_of_a_text_that_the_profile_names() {
    let check = "[[check]]\nfinding = \"two_samples\"\nequal = [\"R.6.1\", \"R.6.2\"]\npart = \"([A-H])[0-9]+\"\n\
                 does = \"hold\"\nwhat = \"wells of two samples\"\n";
    let profile = profile(&format!("{check}{ROWS}"), ("", ""));
    for (wells, expect) in [
        ("A1^A12", "Some(NonReactive)"),
        ("A1^B1", "two_samples"),
        ("A1^A", "Some(NonReactive)"),
        ("A1^", "two_samples"),
        ("?^?", "Some(NonReactive)"),
    ] {
        let rows = format!("{}{}", row(1, "", "NEG^0.21", ""), row(2, "AGAIN", "NEG", ""));
        let rows = rows.replace("|S/CO||", &format!("|S/CO|{wells}|"));
        assert_eq!(outcome(&profile, &rows), expect, "{wells}");
    }
    let wrong = LIS02.replace("[[test]]", &format!("{}[[test]]", check.replace("([A-H])[0-9]+", "[A-H]")));
    let errors = Profile::read("profile.toml", &wrong).unwrap_err().to_string();
    assert!(errors.contains("with one group"), "{errors}");
}

#[test]
fn a_control_reads_a_bare_plus_as_positive_only_where_its_rule_says_so() {
    let graded = |at_least: &str, value: &str| {
        let text = LIS02
            .replace(
                "reads = \"valid\"\nwithin = { between = [\"2.00\", \"6.00\"] }\n",
                &format!("reads = \"positive\"\n{at_least}"),
            )
            .replace("number = \"R.4\"\nunit = \"R.5\"", "grade = \"R.4\"")
            .replace(
                "units = { \"S/CO\" = \"S/CO\" }\nreactive = \">= 1.00\"\nby_number = true",
                "grades = \"signs\"",
            )
            .replace("marker = \"HBsAg\"", "marker = \"anti-A\"")
            .replace("[[test]]", "[grades.signs]\n\"+\" = \"+\"\n\"-\" = \"0\"\n\"2\" = \"2+\"\n[[test]]");
        let profile = Profile::read("profile.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let message = format!(
            "H|\\^&|||MODEL|||||||P|1|20260302142000\rP|1\rO|1|C1||^^^1|R||||||Q\r\
             R|1|^^^1|{value}|||||F||||20260302141800|N-1\rL|1|N\r"
        );
        let said = profile.interpret(message.as_bytes());
        let observation = &said.observations[0];
        observation.control.as_ref().unwrap().passes(observation.value.interpretation)
    };
    for (at_least, value, passes) in [
        ("at_least = \"1+\"\n", "+", false),
        ("at_least = \"+\"\n", "+", true),
        ("at_least = \"+\"\n", "2", true),
        ("at_least = \"3+\"\n", "2", false),
        ("at_least = \"+\"\n", "-", false),
    ] {
        assert_eq!(graded(at_least, value), passes, "{at_least:?} {value}");
    }
}
