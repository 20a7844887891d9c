//! `interpret` and `profile`: the instrument catalogue from the command line; touches no store.

use crate::{
    cli::{Interpret, Lang, Profile as Asked},
    decide::{bytes_of, text_of},
    exit::{Exit, Failure, Outcome},
    print::Printer,
    wiring,
};
use instrument_profiles::{Catalogue, Profile, messages_of};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    path::Path,
};
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
fn name(value: &impl Serialize) -> String {
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

pub(crate) fn profile(asked: &Asked, lang: Lang) -> Outcome {
    match asked {
        Asked::List(output) => {
            let mut printer = Printer::new(output.format);
            printer.heads(&lang.pick(
                ["id", "protocol", "maker", "model", "revision"],
                ["编号", "协议", "厂家", "型号", "版本"],
            ));
            for profile in wiring::built_in()?.list() {
                let item = summary(profile);
                printer.item(&item, || row(profile, lang))?;
            }
            printer.finish()?;
            Ok(Exit::Done)
        }
        Asked::Show { id, output } => show(id, output.format, lang),
        Asked::Test { dir } => test(dir.as_deref()),
    }
}

fn summary(profile: &Profile) -> Value {
    let about = profile.reference();
    json!({
        "id": about.id, "revision": about.revision, "protocol": profile.protocol(),
        "maker": { "en": profile.maker().en, "zh": profile.maker().zh },
        "model": { "en": profile.model().en, "zh": profile.model().zh },
    })
}

fn row(profile: &Profile, lang: Lang) -> Vec<String> {
    let revision: String = profile.reference().revision.chars().take(12).collect();
    vec![
        profile.reference().id.clone(),
        name(&profile.protocol()),
        lang.pick(&profile.maker().en, &profile.maker().zh).clone(),
        lang.pick(&profile.model().en, &profile.model().zh).clone(),
        revision,
    ]
}

fn show(id: &str, format: crate::cli::Format, lang: Lang) -> Outcome {
    let profile = wiring::profile(id)?;
    let tests: Vec<Value> =
        profile.assays().map(|(marker, assay)| json!({ "marker": marker, "assay": assay })).collect();
    let evidence = profile.evidence();
    if format == crate::cli::Format::Json {
        let mut item = summary(&profile);
        if let Value::Object(fields) = &mut item {
            fields.insert("tests".into(), json!(tests));
            fields.insert("not_verified".into(), json!(evidence.not_verified));
        }
        let mut printer = Printer::new(format);
        printer.item(&item, Vec::new)?;
        printer.finish()?;
        return Ok(Exit::Done);
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{}", row(&profile, lang).join("  "))?;
    writeln!(out, "\n{}", lang.pick("tests", "检测项目"))?;
    for (marker, assay) in profile.assays() {
        writeln!(out, "  {marker:<18}{assay}")?;
    }
    writeln!(out, "\n{}", lang.pick("evidence", "依据"))?;
    for claim in &evidence.claims {
        writeln!(out, "  {:<12}{}: {} ({})", name(&claim.level), claim.of, claim.says, claim.source)?;
    }
    for source in &evidence.sources {
        writeln!(out, "  {}: {}", source.key, source.title)?;
    }
    writeln!(out, "\n{}", lang.pick("not verified", "尚未核实"))?;
    for what in &evidence.not_verified {
        writeln!(out, "  {what}")?;
    }
    Ok(Exit::Done)
}

fn test(dir: Option<&Path>) -> Outcome {
    let mut out = io::stdout().lock();
    let reports = match dir {
        Some(dir) if dir.join("profile.toml").is_file() => {
            vec![instrument_profiles::test_profile(dir).map_err(|e| Failure::new(Exit::Configuration, e))?]
        }
        Some(dir) => tested(&Catalogue::load(dir).map_err(|e| Failure::new(Exit::Configuration, e))?),
        None => tested(&wiring::built_in()?),
    };
    if reports.is_empty() {
        return Err(Failure::new(Exit::InputMissing, "there is no profile in that folder"));
    }
    for report in &reports {
        writeln!(out, "{report}")?;
    }
    Ok(if reports.iter().all(instrument_profiles::CaptureReport::passed) { Exit::Done } else { Exit::No })
}

fn tested(catalogue: &Catalogue) -> Vec<instrument_profiles::CaptureReport> {
    catalogue
        .list()
        .filter_map(|p| catalogue.entry(&p.reference().id))
        .map(instrument_profiles::Entry::test)
        .collect()
}
