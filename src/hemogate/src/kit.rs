//! `kit`: kit files listed, shown and checked; and the kits of a configuration.

use crate::{
    cli::{Kit, Lang, Output},
    config::Config,
    exit::{Exit, Failure, Outcome},
    print::Printer,
};
use serde_json::json;
use std::{
    fmt::Display,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use workflow::{KitFile, Kits, SHIPPED_KITS};

pub(crate) fn kit(asked: &Kit, lang: Lang) -> Outcome {
    match asked {
        Kit::List { folder, output: Output { format } } => {
            let kits = match folder {
                Some(folder) => of_folder(folder).map_err(|wrong| faults(&wrong))?,
                None => shipped().map_err(|wrong| faults(&wrong))?,
            };
            let mut printer = Printer::new(*format);
            printer.heads(&lang.pick(
                ["id", "title", "method", "assays", "from", "until", "hash"],
                ["编号", "名称", "方法", "检测项目", "生效", "失效", "哈希"],
            ));
            for kit in kits.iter() {
                let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string());
                let (from, until) = (day(kit.effective_from), day(kit.effective_to));
                let item = json!({
                    "id": kit.id, "hash": kit.hash, "title": kit.title, "title_zh": kit.title_zh, "method": kit.method(),
                    "assays": kit.assays, "effective_from": from, "effective_to": until, "source": kit.source,
                    "not_verified": kit.not_verified,
                });
                let assays: Vec<&str> = kit.assays.iter().map(String::as_str).collect();
                printer.item(&item, || {
                    vec![
                        kit.id.clone(),
                        lang.pick(&kit.title, &kit.title_zh).clone(),
                        kit.method().to_owned(),
                        assays.join(", "),
                        from.clone().unwrap_or_default(),
                        until.clone().unwrap_or_default(),
                        kit.hash.chars().take(12).collect(),
                    ]
                })?;
            }
            printer.finish()?;
            Ok(Exit::Done)
        }
        Kit::Show { kit } => {
            let text = match SHIPPED_KITS.iter().find(|(id, _)| id == kit) {
                Some((_, text)) => (*text).to_owned(),
                None => text_of(Path::new(kit)).map_err(|what| Failure::new(Exit::InputMissing, what))?,
            };
            io::stdout().lock().write_all(text.as_bytes())?;
            Ok(Exit::Done)
        }
        Kit::Check { paths } => check(paths, lang),
    }
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

/// Every `*.toml` of a folder, in order of their names. A folder that is not there is a fault: a site that names kits has some.
fn of_folder(folder: &Path) -> Result<Kits, Vec<String>> {
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
    of_files(&files)
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
