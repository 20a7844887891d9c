//! What is wrong with a template is a fault of the profile, with its file and line, and never a surprise on the line.

use super::CATALOGUE;
use crate::Profile;

/// Reads a profile of the catalogue with `template` in place of its own; what is said about it.
fn with(id: &str, file: &str, template: &str) -> Result<Profile, String> {
    let entry = CATALOGUE.entry(id).unwrap();
    let mut templates = entry.templates();
    assert!(templates.insert(file.to_owned(), template.to_owned()).is_some(), "{id} has no {file}");
    Profile::read_with("profile.toml", entry.text("profile.toml").unwrap(), &templates)
        .map_err(|faults| faults.to_string())
}

fn own(id: &str, file: &str) -> String {
    CATALOGUE.entry(id).unwrap().templates()[file].clone()
}

/// The template with one piece of it exchanged is refused, and the words say where and what.
fn check((id, file): (&str, &str), (from, to): (&str, &str), expect: &[&str]) {
    let own = own(id, file);
    assert!(own.contains(from), "{id} {file} has no {from:?}");
    let what = with(id, file, &own.replacen(from, to, 1)).expect_err(to);
    for words in [&[file], expect].concat() {
        assert!(what.contains(words), "{to:?}: no {words:?} in\n{what}");
    }
}

const ORDERS: (&str, &str) = ("generic/astm-host-query", "orders.jinja");
const RSP: (&str, &str) = ("generic/ihe-law", "rsp.jinja");
const OML: (&str, &str) = ("generic/ihe-law", "oml.jinja");
const ORL: (&str, &str) = ("generic/lis-hl7-oml-o33", "orl.jinja");

#[test]
fn a_template_as_it_stands_is_taken() {
    for (id, file) in [ORDERS, RSP, OML, ORL] {
        assert!(with(id, file, &own(id, file)).is_ok());
    }
}

#[test]
fn a_name_that_nobody_gives_is_refused_with_its_line_and_the_nearest() {
    check(
        ORDERS,
        ("{{ control_id }}", "{{ controlid }}"),
        &["orders.jinja:1:", "\"controlid\"", "control_id"],
    );
    check(ORDERS, ("s.id", "s.identifier"), &["\"identifier\""]);
    check(ORDERS, ("t.code", "t.cod"), &["orders.jinja:5:", "\"cod\"", "code"]);
    check(ORL, ("o.id", "o.number"), &["\"number\""]);
}

#[test]
fn a_template_that_does_not_end_or_calls_what_is_not_there_is_refused() {
    check(ORDERS, ("{% endfor %}", ""), &["orders.jinja:"]);
    check(ORDERS, ("{{ now }}", "{{ now | lower_case }}"), &["lower_case"]);
    check(RSP, ("field(\"MSH-5\")", "field(\"MSH5\")"), &["MSH5"]);
}

#[test]
fn what_is_no_whole_message_is_refused() {
    check(ORDERS, ("H|\\^&|", "P|\\^&|"), &[]);
    check(ORDERS, ("H|\\^&|", "H|^\\&|"), &["delimiters"]);
    check(RSP, ("MSH|", "PID|"), &["MSH"]);
    check(OML, ("MSH|^~\\&|", "MSH|^~\\#|"), &["delimiters"]);
}

#[test]
fn an_answer_that_names_no_question_or_cannot_be_answered_is_refused() {
    check(RSP, ("MSA|AA|{{ asked.control_id }}", "MSA|AA|"), &["MSA-2"]);
    check(ORL, ("|{{ asked.control_id }}", "|1"), &["MSA-2"]);
    check(OML, ("|{{ control_id }}|", "|1|"), &["MSH-10"]);
}

#[test]
fn a_template_that_is_not_there_or_that_nobody_uses_is_named() {
    let entry = CATALOGUE.entry(RSP.0).unwrap();
    let text = entry.text("profile.toml").unwrap();
    let mut templates = entry.templates();
    templates.insert("spare.jinja".to_owned(), "MSH|\n".to_owned());
    let what = Profile::read_with("profile.toml", text, &templates).unwrap_err().to_string();
    assert!(what.contains("spare.jinja") && what.contains("uses this template"), "{what}");
    templates.remove("spare.jinja");
    templates.remove(RSP.1);
    let what = Profile::read_with("profile.toml", text, &templates).unwrap_err().to_string();
    assert!(what.contains("there is no template \"rsp.jinja\""), "{what}");
}
