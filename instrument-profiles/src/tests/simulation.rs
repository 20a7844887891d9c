//! Every model's simulation templates write messages that its own profile reads without a finding.
//!
//! The context is the one of the simulator's crate documentation, made here from `simulation.toml` alone: one
//! negative donor, and every control as it should be.

use super::CATALOGUE;
use crate::{Entry, Interpretation};
use minijinja::{Environment, Error, UndefinedBehavior, value::Serde};
use serde_json::{Value, json};
use vocabulary::{Consequence, Marker, MarkerKind, SpecimenKind};

fn environment(entry: &Entry) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_filter("esc", |text: &str| text.to_owned());
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

fn interpreted(entry: &Entry, file: &Value, specimens: &[Value], template: &str) -> Interpretation {
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
    let message: String = lines.flat_map(|line| [line, line_end]).collect();
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
    let of_donor = |position: usize| -> Vec<Value> {
        let reads = |assay: &Value| negative(assay["marker"].as_str().unwrap().parse().unwrap());
        of_run.iter().map(|assay| result(&file, assay, reads(assay), position)).collect()
    };
    let position = specimens.len() + 1;
    specimens.push(json!({"id": "G123426000001", "kind": "patient", "control": null, "position": position,
        "summary": {"abo": "O", "rhd": "negative"}, "results": of_donor(position)}));
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
