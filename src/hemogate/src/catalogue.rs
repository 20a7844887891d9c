//! `interpret`: a capture or a raw message by a profile; touches no store.

use crate::{
    cli::Interpret,
    decide::{bytes_of, text_of},
    exit::{Exit, Failure, Outcome},
    print::Printer,
    wiring,
};
use instrument_profiles::messages_of;
use serde::Serialize;
use serde_json::Value;
use vocabulary::{Consequence, Finding, Observation};

pub(crate) fn interpret(asked: &Interpret) -> Outcome {
    let profile = wiring::profile(&asked.profile)?;
    let is_capture = asked.file.extension().is_some_and(|e| e == "capture");
    let messages = if is_capture {
        messages_of(&profile, &text_of(&asked.file)?)
            .map_err(|faults| Failure::new(Exit::BadInput, faults.join("\n")))?
    } else {
        vec![bytes_of(&asked.file)?]
    };
    let mut printer = Printer::new(asked.format);
    printer.heads(&["specimen", "kind", "assay", "marker", "value", "meaning", "status", "run", "where"]);
    let mut exit = Exit::Done;
    for message in messages {
        let interpretation = profile.interpret(&message);
        for observation in &interpretation.observations {
            printer.item(observation, || observation_row(observation))?;
        }
        for finding in &interpretation.findings {
            if finding.consequence == Consequence::Quarantine {
                exit = Exit::No;
            }
            printer.item(finding, || finding_row(finding))?;
        }
    }
    printer.finish()?;
    Ok(exit)
}

/// The name a value has in JSON.
pub(crate) fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(Value::Null) | Err(_) => String::new(),
        Ok(other) => other.to_string(),
    }
}

fn observation_row(o: &Observation) -> Vec<String> {
    let meaning = o.value.interpretation.as_ref().map(name).or_else(|| o.value.grade.map(|g| g.to_string()));
    vec![
        name(&o.specimen),
        name(&o.kind),
        o.assay.clone(),
        o.marker.to_string(),
        o.value.raw.clone(),
        meaning.unwrap_or_default(),
        name(&o.status),
        name(&o.run),
        o.source.record.clone(),
    ]
}

fn finding_row(f: &Finding) -> Vec<String> {
    let specimen = f.specimen.clone().unwrap_or_default();
    let empty = String::new;
    vec![
        specimen,
        "finding".into(),
        f.finding.clone(),
        name(&f.consequence),
        f.what.clone(),
        empty(),
        empty(),
        empty(),
        f.place.clone(),
    ]
}
