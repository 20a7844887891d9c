//! `kit`: kit files listed, shown and checked; the kits of a configuration; and put in force by two people at a running
//! daemon.

mod station;

use crate::{
    cli::{Cli, Format, Kit, Lang, Output},
    config::Config,
    exit::{Exit, Failure, Outcome},
    print::{Printer, text},
};
use serde_json::{Value, json};
use station::Proposed;
use std::{
    fmt::Display,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use workflow::{KitFile, Kits, SHIPPED_KITS};

pub(crate) fn kit(cli: &Cli, asked: &Kit, lang: Lang) -> Outcome {
    match asked {
        Kit::List { folder: Some(folder), output: Output { format } } => {
            let kits = of_folder(folder).map_err(|wrong| faults(&wrong))?;
            list(&kits.iter().map(|kit| item(kit)).collect::<Vec<_>>(), *format, lang)
        }
        Kit::List { folder: None, output: Output { format } } => {
            let stands = station::stands(cli);
            let examples = shipped().map_err(|wrong| faults(&wrong))?;
            let own = stands.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            let is_own = |kit: &KitFile| own.iter().any(|item| item.get("hash") == Some(&json!(kit.hash)));
            let mut items: Vec<Value> =
                examples.iter().filter(|kit| !is_own(kit)).map(|kit| item(kit)).collect();
            items.extend(own);
            list(&items, *format, lang)?;
            station::notes(&stands, lang)?;
            Ok(Exit::Done)
        }
        Kit::Show { kit } => {
            let example = SHIPPED_KITS.iter().find(|(id, _)| id == kit).map(|(_, text)| (*text).to_owned());
            let path = Path::new(kit);
            let text = match example {
                Some(text) => text,
                None if path.exists() => {
                    text_of(path).map_err(|what| Failure::new(Exit::InputMissing, what))?
                }
                None => match station::kept(cli, kit, lang)? {
                    Some(text) => text,
                    None => text_of(path).map_err(|what| Failure::new(Exit::InputMissing, what))?,
                },
            };
            io::stdout().lock().write_all(text.as_bytes())?;
            Ok(Exit::Done)
        }
        Kit::Check { paths } => check(paths, lang),
        Kit::Propose { paths, kit, leave_out, from, why, r#as } => {
            let asked = Proposed { paths, kits: kit, leave_out, from: from.as_deref(), why };
            crate::block_on(station::propose(cli, &asked, r#as, lang))
        }
        Kit::Activate { proposal, r#as } => crate::block_on(station::activate(cli, *proposal, r#as, lang)),
    }
}

fn item(kit: &KitFile) -> Value {
    let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string());
    json!({
        "id": kit.id, "hash": kit.hash, "title": kit.title, "title_zh": kit.title_zh, "method": kit.method(),
        "assays": kit.assays, "effective_from": day(kit.effective_from), "effective_to": day(kit.effective_to),
        "source": kit.source, "not_verified": kit.not_verified,
    })
}

fn list(items: &[Value], format: Format, lang: Lang) -> Outcome {
    let mut printer = Printer::new(format);
    printer.heads(&lang.pick(
        ["id", "title", "method", "assays", "from", "until", "hash", "stands"],
        ["编号", "名称", "方法", "检测项目", "生效", "失效", "哈希", "状态"],
    ));
    for item in items {
        printer.item(item, || {
            let assays = item.get("assays").and_then(Value::as_array).into_iter().flatten();
            let assays: Vec<&str> = assays.filter_map(Value::as_str).collect();
            vec![
                text(item, "/id"),
                text(item, lang.pick("/title", "/title_zh")),
                text(item, "/method"),
                assays.join(", "),
                text(item, "/effective_from"),
                text(item, "/effective_to"),
                text(item, "/hash").chars().take(12).collect(),
                station::standing(item, lang),
            ]
        })?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}

fn check(paths: &[PathBuf], lang: Lang) -> Outcome {
    let mut out = io::stdout().lock();
    let mut exit = Exit::Done;
    let read: Vec<Result<Kits, Vec<String>>> = if paths.is_empty() {
        vec![shipped()]
    } else {
        let one = |path: &PathBuf| {
            if path.is_dir() { of_folder(path) } else { of_files(std::slice::from_ref(path)) }
        };
        paths.iter().map(one).collect()
    };
    for kits in read {
        match kits {
            Ok(kits) => {
                for kit in kits.iter() {
                    writeln!(out, "✓ {} {}", kit.reference(), lang.pick(&kit.title, &kit.title_zh))?;
                    for open in &kit.not_verified {
                        writeln!(out, "  {} {open}", lang.pick("not verified:", "尚未核实："))?;
                    }
                }
            }
            Err(faults) => {
                exit = Exit::No;
                for fault in faults {
                    writeln!(out, "✗ {fault}")?;
                }
            }
        }
    }
    Ok(exit)
}

/// The kits of a configuration's folder; none where it names none.
pub(crate) fn configured(config: &Config) -> Result<Kits, Failure> {
    match &config.site.kits {
        Some(folder) => of_folder(folder).map_err(|wrong| faults(&wrong)),
        None => Ok(Kits::default()),
    }
}

fn faults(faults: &[String]) -> Failure {
    Failure::new(Exit::Configuration, faults.join("\n"))
}

fn said(faults: Vec<impl Display>) -> Vec<String> {
    faults.into_iter().map(|fault| fault.to_string()).collect()
}

fn shipped() -> Result<Kits, Vec<String>> {
    let mut kits = Vec::new();
    for (id, text) in SHIPPED_KITS {
        kits.push(KitFile::read(id, text).map_err(said)?);
    }
    Kits::new(kits).map_err(said)
}

/// The kits in every `*.toml` of a folder.
fn of_folder(folder: &Path) -> Result<Kits, Vec<String>> {
    of_files(&files_of(folder)?)
}

/// Every `*.toml` of a folder, in order of their names. A folder that is not there is a fault: a site that names kits has some.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Vec<String>> {
    let unreadable = |e: io::Error| {
        vec![format!("{}: the folder of kits cannot be read: {e}; look at [site] kits", folder.display())]
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Files read whole: one fault anywhere and none of them counts.
fn of_files(files: &[PathBuf]) -> Result<Kits, Vec<String>> {
    let (mut kits, mut wrong) = (Vec::new(), Vec::new());
    for file in files {
        match text_of(file) {
            Err(what) => wrong.push(what),
            Ok(text) => match KitFile::read(&file.display().to_string(), &text) {
                Ok(kit) => kits.push(kit),
                Err(faults) => wrong.extend(said(faults)),
            },
        }
    }
    if wrong.is_empty() { Kits::new(kits).map_err(said) } else { Err(wrong) }
}

fn text_of(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|e| {
        format!(
            "{}: the kit cannot be read: {e}; give a file, or the id of an example (hemogate kit list)",
            file.display()
        )
    })
}
