//! Every model's simulation templates write messages that its own profile reads without a finding.
//!
//! The context is the one of the simulator's crate documentation, made here from `simulation.toml` alone: one
//! negative donor, and every control as it should be.

use super::CATALOGUE;
use crate::{Entry, Interpretation, orders::Delimiters};
use minijinja::{Environment, Error, State, UndefinedBehavior, value::Serde};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use vocabulary::{Consequence, Marker, MarkerKind, Protocol, SpecimenId, SpecimenKind};

/// The delimiters that a template's header names; files have none.
fn delimiters(template: &str, protocol: Protocol) -> Option<Delimiters> {
    let head = match protocol {
        Protocol::Lis02 => "H",
        Protocol::Hl7v2 => "MSH",
        Protocol::Delimited | Protocol::PkBlocks => return None,
    };
    let named = |line: &str| {
        let marks = line.trim_start().strip_prefix(head)?;
        let field = marks.chars().next()?;
        let end = marks.char_indices().skip(1).find(|(_, mark)| *mark == field)?.0;
        Delimiters::parse(marks.get(..end)?, protocol).ok()
    };
    Some(template.lines().find_map(named).unwrap_or_else(|| Delimiters::standard(protocol)))
}

fn environment(entry: &Entry) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    let protocol = entry.profile().protocol();
    let headers: BTreeMap<String, Option<Delimiters>> = entry
        .names_in("simulation")
        .map(|name| {
            (name.to_owned(), delimiters(entry.text(&format!("simulation/{name}")).unwrap(), protocol))
        })
        .collect();
    environment.add_filter("esc", move |state: &State<'_, '_>, text: &str| match &headers[state.name()] {
        Some(delimiters) => delimiters.escape(text).unwrap().into_owned(),
        None => text.to_owned(),
    });
    environment.add_filter("time", |digits: &str, form: &str| -> Result<String, Error> {
        let moment = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", digits).unwrap();
        Ok(moment.strftime(form).to_string())
    });
    for name in entry.names_in("simulation") {
        let text = entry.text(&format!("simulation/{name}")).unwrap().to_owned();
        environment.add_template_owned(name.to_owned(), text).unwrap();
    }
    environment
}

/// Keys of an assay that no template is given.
const USED_ITSELF: &[&str] = &["marker", "code", "cutoff", "signal_cutoff"];

/// A result of one assay that reads `reads`.
fn result(file: &Value, assay: &Value, reads: &str, position: usize) -> Value {
    let marker: Marker = assay["marker"].as_str().unwrap().parse().unwrap();
    let positive = matches!(reads, "reactive" | "positive");
    let mut found = json!({"interpretation": reads, "value": null, "index": null, "od": null, "cutoff": null,
        "signal": null, "ct": null, "control_ct": null, "grade": null, "activity": null, "corrected": false});
    match marker.kind() {
        MarkerKind::Serology => {
            found["index"] = json!(if positive { "3.00" } else { "0.20" });
            found["od"] = json!(if positive { "3.150" } else { "0.010" });
            found["cutoff"] = assay.get("cutoff").cloned().unwrap_or(Value::Null);
            found["signal"] = json!("420");
        }
        MarkerKind::Nat => found["control_ct"] = json!("31.20"),
        MarkerKind::Grouping | MarkerKind::Screening => {
            found["grade"] = json!(if positive { "4+" } else { "0" });
        }
        MarkerKind::Chemistry => {
            found["activity"] = json!(if reads.contains(char::is_numeric) { reads } else { "23.0" });
        }
    }
    let well =
        format!("{}{}", char::from(b'A' + u8::try_from((position - 1) % 8).unwrap()), (position - 1) / 8 + 1);
    // A template sees of an assay what the simulator does not use itself.
    let mut of_assay = assay.clone();
    of_assay.as_object_mut().unwrap().retain(|key, _| !USED_ITSELF.contains(&key.as_str()));
    let more = json!({"marker": marker.name(), "code": assay["code"], "assay": of_assay, "replicate": 1, "position": position,
        "well": well, "completed_at": "20260302141500", "text": file["texts"].get(reads).cloned().unwrap_or(Value::Null)});
    found.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    found
}

/// How a donor of group O reads, without any infection.
fn negative(marker: Marker) -> &'static str {
    let reverse = matches!(marker, Marker::A1Cells | Marker::BCells);
    match marker.kind() {
        MarkerKind::Grouping if reverse => "positive",
        MarkerKind::Grouping | MarkerKind::Screening => "negative",
        MarkerKind::Serology | MarkerKind::Nat | MarkerKind::Chemistry => "non_reactive",
    }
}

/// A donor without any infection.
fn donor(file: &Value, assays: &[Value], id: &str, position: usize) -> Value {
    let reads = |assay: &Value| negative(assay["marker"].as_str().unwrap().parse().unwrap());
    let results: Vec<Value> =
        assays.iter().map(|assay| result(file, assay, reads(assay), position)).collect();
    json!({"id": id, "kind": "patient", "control": null, "position": position,
        "summary": {"abo": "O", "rhd": "negative"}, "results": results})
}

/// The message that a template makes of these specimens.
fn written(entry: &Entry, file: &Value, specimens: &[Value], template: &str) -> String {
    let line_end = if file["protocol"] == "delimited" { "\r\n" } else { "\r" };
    let context = json!({"control_id": "260302SA000001", "sequence": 1, "sent_at": "20260302150000", "utc_offset": "+0800",
        "duty": "any", "kind": "results", "run": {"id": "260302-SA-001", "number": 1, "started_at": "20260302140000"},
        "instrument": file["instrument"], "texts": file.get("texts"), "specimens": specimens});
    let environment = environment(entry);
    let text = environment
        .get_template(template)
        .unwrap()
        .render(Serde(&context))
        .unwrap_or_else(|e| panic!("{e:#}"));
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.flat_map(|line| [line, line_end]).collect()
}

fn interpreted(entry: &Entry, file: &Value, specimens: &[Value], template: &str) -> Interpretation {
    let message = written(entry, file, specimens, template);
    let interpretation = entry.profile().interpret(message.as_bytes());
    let held = |f: &&vocabulary::Finding| f.consequence != Consequence::Note;
    let trouble: Vec<_> = interpretation.findings.iter().filter(held).collect();
    assert!(
        trouble.is_empty(),
        "{}: {trouble:#?}\n{}",
        entry.profile().reference(),
        message.replace('\r', "\n")
    );
    interpretation
}

fn check(entry: &Entry) {
    let file: toml::Table = entry.text("simulation.toml").unwrap().parse().unwrap();
    let mut file = serde_json::to_value(file).unwrap();
    file.as_object_mut().unwrap().entry("texts").or_insert_with(|| json!({}));
    let assays = file["assay"].as_array().unwrap().clone();
    let (results, controls) =
        (file["templates"]["results"].as_str().unwrap(), file["templates"].get("controls"));
    let controls = controls.and_then(Value::as_str).unwrap_or(results);
    let mut specimens = Vec::new();
    // A plate holds one kit; everything else measures all it can.
    let whole_run = file["message"] == "run";
    let of_run: Vec<Value> = if whole_run { assays[..1].to_vec() } else { assays };
    for control in file["control"].as_array().unwrap() {
        let reads = |assay: &Value| control["reads"].get(assay["marker"].as_str().unwrap()).cloned();
        let results: Vec<Value> = of_run
            .iter()
            .filter_map(|assay| {
                Some(result(&file, assay, reads(assay)?.as_str().unwrap(), specimens.len() + 1))
            })
            .collect();
        specimens
            .push(json!({"id": "", "kind": "control", "control": control, "position": specimens.len() + 1,
            "summary": {"abo": null, "rhd": null}, "results": results}));
    }
    let position = specimens.len() + 1;
    specimens.push(donor(&file, &of_run, "G123426000001", position));
    let mut observations = Vec::new();
    if whole_run {
        observations.extend(interpreted(entry, &file, &specimens, results).observations);
    } else {
        for mut specimen in specimens {
            let template = if specimen["kind"] == "control" { controls } else { results };
            let all = specimen["results"].as_array().unwrap().clone();
            let size = if file["message"] == "test" { 1 } else { all.len() };
            // A model whose tests are all set aside measures nothing, and still says something of every tube.
            let chunks = if all.is_empty() { vec![&all[..]] } else { all.chunks(size).collect() };
            for chunk in chunks {
                specimen["results"] = json!(chunk);
                observations.extend(
                    interpreted(entry, &file, std::slice::from_ref(&specimen), template).observations,
                );
            }
        }
    }
    let id = entry.profile().reference();
    let donors = observations.iter().filter(|o| o.kind == SpecimenKind::Patient).count();
    assert!(donors >= of_run.len(), "{id}: {donors} results of the donor");
    for observation in observations.iter().filter(|o| o.kind == SpecimenKind::Control) {
        let control = observation.control.as_ref().unwrap();
        assert!(control.passes(observation.value.interpretation), "{id}: {observation:#?}");
    }
    for observation in &observations {
        for name in entry.profile().required_controls(observation.marker).names {
            let shown = observations.iter().any(|o| {
                o.run == observation.run && o.control.as_ref().is_some_and(|control| control.name == name)
            });
            assert!(shown, "{id}: no control {name} for {}", observation.marker);
        }
    }
}

#[test]
fn what_a_models_templates_write_its_profile_reads_and_its_controls_pass() {
    for profile in CATALOGUE.list().filter(|profile| profile.reads_results()) {
        check(CATALOGUE.entry(&profile.reference().id).unwrap());
    }
}

/// A specimen id that is all delimiters comes back as it was, whatever delimiters the model's header names.
#[test]
fn what_a_template_escapes_its_profile_reads_as_it_was() {
    let id = r"G|1^2&3\4~5@6";
    let mut seen = 0;
    for profile in CATALOGUE.list().filter(|profile| profile.reads_results()) {
        let framed = match profile.protocol() {
            Protocol::Lis02 | Protocol::Hl7v2 => true,
            Protocol::Delimited | Protocol::PkBlocks => false,
        };
        let entry = CATALOGUE.entry(&profile.reference().id).unwrap();
        let file: toml::Table = entry.text("simulation.toml").unwrap().parse().unwrap();
        let mut file = serde_json::to_value(file).unwrap();
        file.as_object_mut().unwrap().entry("texts").or_insert_with(|| json!({}));
        let assays = file["assay"].as_array().unwrap().clone();
        if !framed || assays.is_empty() {
            continue;
        }
        let template = file["templates"]["results"].as_str().unwrap();
        let text = entry.text(&format!("simulation/{template}")).unwrap();
        // A header without an escape character leaves no way to send such an id.
        if delimiters(text, profile.protocol()).unwrap().escape(id).is_none() {
            continue;
        }
        let donor = donor(&file, &assays[..1], id, 1);
        let message = written(entry, &file, &[donor], template);
        let found = profile.interpret(message.as_bytes());
        let of_observations =
            found.observations.iter().filter_map(|o| o.specimen.as_ref().map(SpecimenId::as_str));
        let of_findings = found.findings.iter().filter_map(|finding| finding.specimen.as_deref());
        let named: Vec<&str> = of_observations.chain(of_findings).collect();
        assert!(named.contains(&id), "{}: {named:?}\n{}", profile.reference(), message.replace('\r', "\n"));
        seen += 1;
    }
    assert!(seen > 20, "{seen} models");
}
