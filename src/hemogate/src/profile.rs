//! `profile`: the instrument catalogue and a site's own profiles; touches no store.

mod difference;

use crate::{
    catalogue::name,
    cli::{Cli, Lang, Profile as Asked},
    decide::bytes_of,
    exit::{Exit, Failure, Outcome},
    print::Printer,
    wiring,
};
use instrument_profiles::{Catalogue, Level, NewProfile, Profile, Remarks, sketch};
use serde_json::{Value, json};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

pub(crate) fn profile(cli: &Cli, asked: &Asked, lang: Lang) -> Outcome {
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
        Asked::Show { id, evidence: true, .. } => evidence_page(id, lang),
        Asked::Show { id, evidence: false, output } => show(id, output.format, lang),
        Asked::Diff { before, after, output } => difference::diff(before, after, output.format, lang),
        Asked::Schema => {
            io::stdout().lock().write_all(instrument_profiles::JSON_SCHEMA.as_bytes())?;
            Ok(Exit::Done)
        }
        Asked::Test { dir: Some(dir), record: true } => record(dir),
        Asked::Test { dir, record: _ } => test(dir.as_deref(), lang),
        Asked::New { id, files, to } => begin(id, files, to, lang),
        Asked::Revisions(asked) => crate::block_on(crate::revisions::revisions(cli, asked, lang)),
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

fn test(dir: Option<&Path>, lang: Lang) -> Outcome {
    let mut out = io::stdout().lock();
    let reports = match dir {
        Some(dir) if dir.join("profile.toml").is_file() => {
            vec![instrument_profiles::test_profile(dir).map_err(|e| Failure::new(Exit::Configuration, e))?]
        }
        Some(dir) => tested(&Catalogue::load(dir).map_err(|e| Failure::new(Exit::Configuration, e))?),
        None => tested(wiring::built_in()?),
    };
    if reports.is_empty() {
        return Err(Failure::new(Exit::InputMissing, "there is no profile in that folder"));
    }
    for report in &reports {
        writeln!(out, "{report}")?;
    }
    let open: usize = reports.iter().map(|report| report.open.len()).sum();
    if open > 0 {
        let what = lang.pick(
            "are open: results that depend on them are held until a person has said what they mean",
            "处待填写：在有人说明其含义之前，相关结果会被暂停",
        );
        writeln!(out, "{open} {what}")?;
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

/// Every code and place with its source and level, as a page.
fn evidence_page(id: &str, lang: Lang) -> Outcome {
    let profile = wiring::profile(id)?;
    let evidence = profile.evidence();
    let mut out = io::stdout().lock();
    let name = |names: &instrument_profiles::Name| lang.pick(&names.en, &names.zh).clone();
    writeln!(out, "# {} {}\n", name(profile.maker()), name(profile.model()))?;
    writeln!(out, "`{}`, {}\n", profile.reference().id, profile.reference().revision)?;
    for level in [Level::Documented, Level::Trace, Level::Inferred] {
        let count = evidence.claims.iter().filter(|claim| claim.level == level).count();
        writeln!(out, "- {}: {count}", level_name(level, lang))?;
    }
    let heads = lang.pick(
        ["code or place", "what it stands for", "level", "source"],
        ["代码或位置", "含义", "依据等级", "来源"],
    );
    writeln!(out, "\n| {} |\n|---|---|---|---|", heads.join(" | "))?;
    let cell = |text: &str| text.replace('|', "\\|");
    for claim in &evidence.claims {
        let level = level_name(claim.level, lang);
        writeln!(out, "| {} | {} | {level} | {} |", cell(&claim.of), cell(&claim.says), cell(&claim.source))?;
    }
    writeln!(out, "\n## {}\n", lang.pick("sources", "来源"))?;
    for source in &evidence.sources {
        writeln!(out, "- {} ({}): {}", source.key, level_name(source.level, lang), source.title)?;
    }
    writeln!(
        out,
        "\n## {}\n",
        lang.pick("not verified: to be checked by the site", "尚未核实：须由使用单位确认")
    )?;
    let nothing = lang.pick("nothing is listed", "无").to_owned();
    let open = profile.open_points().iter().map(|open| format!("{}: {}", open.line, open.what));
    let mut unsure: Vec<String> = evidence.not_verified.iter().cloned().chain(open).collect();
    if unsure.is_empty() {
        unsure.push(nothing);
    }
    for what in unsure {
        writeln!(out, "- {what}")?;
    }
    Ok(Exit::Done)
}

fn level_name(level: Level, lang: Lang) -> &'static str {
    match level {
        Level::Documented => lang.pick("documented", "有文档"),
        Level::Trace => lang.pick("trace", "有报文实例"),
        Level::Inferred => lang.pick("inferred", "推断"),
    }
}

/// Writes what the captures of one profile come to now as their expectation.
fn record(folder: &Path) -> Outcome {
    let written = instrument_profiles::record_expectations(folder);
    let written = written.map_err(|faults| Failure::new(Exit::BadInput, faults))?;
    let mut out = io::stdout().lock();
    for name in written {
        writeln!(out, "{}", folder.join(name).display())?;
    }
    Ok(Exit::Done)
}

/// Where editors find the schema that a new profile's first line names.
const SCHEMA_FILE: &str = "profile.schema.json";

/// Begins a profile from what an analyser sent. An existing folder is never written into.
fn begin(id: &str, files: &[PathBuf], to: &Path, lang: Lang) -> Outcome {
    if Catalogue::is_built_in(id) {
        let what = format!("{id} is in the catalogue of this release; give yours an id of its own");
        return Err(Failure::new(Exit::Usage, what));
    }
    let folder = to.join(id);
    if folder.exists() {
        let what = format!("{} is there already; choose another id, or move it away", folder.display());
        return Err(Failure::new(Exit::Usage, what));
    }
    let mut inputs = Vec::new();
    for file in files {
        inputs.push((file.display().to_string(), bytes_of(file)?));
    }
    let inputs = inputs.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let remarks = lang.pick(Remarks::En, Remarks::Zh);
    let made =
        sketch(&NewProfile { id, inputs, remarks }).map_err(|what| Failure::new(Exit::BadInput, what))?;
    for (file, bytes) in &made.files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        fs::write(path, bytes)?;
    }
    let schema = to.join(SCHEMA_FILE);
    if !schema.exists() {
        fs::write(schema, instrument_profiles::JSON_SCHEMA)?;
    }
    let mut out = io::stdout().lock();
    let (messages, rows) = made.read;
    writeln!(out, "{}", folder.join("profile.toml").display())?;
    match lang {
        Lang::En => writeln!(
            out,
            "{messages} messages with {rows} result rows were read. Nothing has a meaning yet, and everything is held.\nStill to be said:"
        )?,
        Lang::Zh => writeln!(
            out,
            "已读取 {messages} 条报文，共 {rows} 行结果。目前均无含义，全部结果都会被暂停。\n待填写："
        )?,
    }
    for open in &made.open {
        writeln!(out, "  {}:{}: {}", folder.join(&open.file).display(), open.line, open.what)?;
    }
    let folder = folder.display();
    let next = lang.pick(
        ["then: hemogate profile test", "read what it comes to, and keep it: hemogate profile test --record",
         "the captures hold what was sent, donors' numbers and names included: replace them before you pass them on"],
        ["然后运行：hemogate profile test", "核对结果后保存为期望值：hemogate profile test --record",
         "captures 中含有原始报文（包括献血者编号和姓名），对外提供前请先替换"],
    );
    let [test, keep, warning] = next;
    writeln!(out, "{test} {folder}\n{keep} {folder}\n{warning}")?;
    Ok(Exit::Done)
}
