//! `kit propose` and `activate`, and what a running daemon says of its kits.

use crate::{
    cli::{Cli, Lang},
    client::Client,
    exit::{Exit, Failure, Outcome},
    print::{encoded, text},
    revisions::as_person,
};
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// What a running daemon of the configured store says of its kits; nothing where none runs.
async fn of_daemon(cli: &Cli, path: &str) -> Result<Option<Value>, Failure> {
    let store = crate::configuration(cli)?.config.store.path;
    let Some(client) = Client::of_store(&store)? else { return Ok(None) };
    // One that has gone without a word leaves its address behind.
    Ok(client.get(path).await.ok())
}

/// How the kits of a running daemon stand; a configuration that cannot be read is none.
pub(super) fn stands(cli: &Cli) -> Value {
    let asked = async { of_daemon(cli, "kits").await.map(Option::unwrap_or_default) };
    crate::waited_for(asked).unwrap_or_default()
}

/// The text of a kit that the ledger of a running daemon keeps, by its id or how its hash begins.
pub(super) fn kept(cli: &Cli, name: &str, lang: Lang) -> Result<Option<String>, Failure> {
    let path = format!("kits/{}", encoded(name));
    let found = crate::waited_for(async { of_daemon(cli, &path).await }).unwrap_or_default();
    let items = found.as_ref().and_then(|found| found.get("items")).and_then(Value::as_array);
    match items.map(Vec::as_slice) {
        None | Some([]) => Ok(None),
        Some([only]) => Ok(Some(text(only, "/text"))),
        Some(several) => {
            let hashes: Vec<String> = several.iter().map(|item| text(item, "/hash")).collect();
            let hashes = hashes.join(" ");
            let what = match lang {
                Lang::En => format!("several contents go by {name}; name one by its hash: {hashes}"),
                Lang::Zh => format!("有多个内容名为 {name}；请用哈希指定其一：{hashes}"),
            };
            Err(Failure::new(Exit::Usage, what))
        }
    }
}

/// What a kit is to a station, in a few words.
pub(super) fn standing(item: &Value, lang: Lang) -> String {
    let is = |name: &str| item.get(name) == Some(&Value::Bool(true));
    let mut words = Vec::new();
    if is("in_force") {
        words.push(lang.pick("in force", "生效中"));
    }
    if is("next") {
        words.push(lang.pick("takes over at its time", "将按时生效"));
    }
    if is("proposed") && !is("in_force") {
        words.push(lang.pick("proposed, waits for another person", "已提议，待另一人启用"));
    }
    if is("configured") && !is("in_force") && !is("next") {
        words.push(lang.pick("configured, judges nothing yet", "已配置，尚未生效"));
    } else if is("configured") {
        words.push(lang.pick("configured", "配置所用"));
    }
    words.join("; ")
}

fn named(kit: &Value) -> String {
    let hash: String = text(kit, "/hash").chars().take(12).collect();
    format!("{}@{hash}", text(kit, "/id"))
}

/// `+site/hbsag@0123456789ab −site/hbsag@ba9876543210`.
fn changes(value: Option<&Value>) -> String {
    let of = |name: &str, sign: char| {
        let all = value.and_then(|value| value.get(name)).and_then(Value::as_array);
        all.into_iter().flatten().map(|kit| format!("{sign}{}", named(kit))).collect::<Vec<_>>()
    };
    [of("new", '+'), of("gone", '−')].concat().join(" ")
}

/// Tells a person, beside the list, since when what judges does, what takes over, and what waits.
pub(super) fn notes(stands: &Value, lang: Lang) -> Result<(), Failure> {
    let mut to = io::stderr().lock();
    if stands.is_null() {
        let what = lang.pick(
            "no daemon runs here: which kits judge, and since when, is in its ledger",
            "此处没有运行中的守护进程：哪些试剂盒规则生效、自何时起，记录在其账本中",
        );
        writeln!(to, "{what}")?;
        return Ok(());
    }
    let who = |set: &Value| {
        let (first, second) = (text(set, "/proposed/by"), text(set, "/by"));
        if first.is_empty() { second } else { format!("{first} + {second}") }
    };
    if let Some(set) = stands.get("in_force").filter(|set| !set.is_null()) {
        let (entry, at, who) = (text(set, "/entry"), text(set, "/at"), who(set));
        match lang {
            Lang::En => writeln!(to, "in force by entry {entry} since {at} ({who})")?,
            Lang::Zh => writeln!(to, "自 {at} 起由记录 {entry} 生效（{who}）")?,
        }
    }
    for set in stands.get("next").and_then(Value::as_array).into_iter().flatten() {
        let (entry, from, who) = (text(set, "/entry"), text(set, "/from"), who(set));
        match lang {
            Lang::En => writeln!(to, "entry {entry} takes over for what is tested from {from} on ({who})")?,
            Lang::Zh => writeln!(to, "记录 {entry} 自 {from} 起检测的标本生效（{who}）")?,
        }
    }
    if let Some(proposed) = stands.get("proposed").filter(|proposed| !proposed.is_null()) {
        let (entry, by) = (text(proposed, "/entry"), text(proposed, "/by"));
        let (why, lapses) = (text(proposed, "/why"), text(proposed, "/lapses"));
        let changes = changes(stands.get("proposed_changes"));
        match lang {
            Lang::En => writeln!(
                to,
                "entry {entry}: {by} proposes {changes} ({why}); another person agrees by hemogate kit activate {entry} until {lapses}"
            )?,
            Lang::Zh => writeln!(
                to,
                "记录 {entry}：{by} 提议 {changes}（{why}）；另一人可在 {lapses} 前执行 hemogate kit activate {entry} 启用"
            )?,
        }
    }
    let waits = changes(stands.get("waits"));
    if !waits.is_empty() {
        let said = lang.pick("configured otherwise, and not in force", "配置不同且尚未生效");
        writeln!(to, "{said}: {waits} (hemogate kit propose)")?;
    }
    Ok(())
}

/// What is to be proposed.
pub(super) struct Proposed<'a> {
    pub(super) paths: &'a [PathBuf],
    pub(super) kits: &'a [String],
    pub(super) leave_out: &'a [String],
    pub(super) from: Option<&'a str>,
    pub(super) why: &'a str,
}

pub(super) async fn propose(cli: &Cli, asked: &Proposed<'_>, by: &str, lang: Lang) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    let mut files = Vec::new();
    for path in asked.paths {
        let of_path = if path.is_dir() { super::files_of(path) } else { Ok(vec![path.clone()]) };
        for file in of_path.map_err(|wrong| super::faults(&wrong))? {
            let text = super::text_of(&file).map_err(|what| Failure::new(Exit::InputMissing, what))?;
            files.push(json!({ "name": file.display().to_string(), "text": text }));
        }
    }
    let body = json!({
        "files": files, "kits": asked.kits, "leave_out": asked.leave_out, "from": asked.from, "why": asked.why,
    });
    said(&as_person(&client, by, ("kits/propose", &body), lang).await?, lang)
}

pub(super) async fn activate(cli: &Cli, proposal: u64, by: &str, lang: Lang) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    let body = json!({ "proposal": proposal });
    said(&as_person(&client, by, ("kits/activate", &body), lang).await?, lang)
}

fn said(answer: &Value, lang: Lang) -> Outcome {
    let changes = changes(answer.get("changes"));
    let (entry, from) = (text(answer, "/entry"), text(answer, "/from"));
    let said = match (text(answer, "/step").as_str(), lang) {
        ("proposed", Lang::En) => {
            format!("{changes} proposed; another person has to agree: hemogate kit activate {entry}")
        }
        ("proposed", Lang::Zh) => {
            format!("{changes} 已提议；须由另一人执行 hemogate kit activate {entry} 启用")
        }
        ("activated", Lang::En) if from.is_empty() => {
            format!("{changes} in force for what comes; what came before: hemogate runs judge")
        }
        ("activated", Lang::Zh) if from.is_empty() => {
            format!("{changes} 已对此后的结果生效；此前的批次可用 hemogate runs judge")
        }
        ("activated", Lang::En) => format!("{changes} in force for what is tested from {from} on"),
        ("activated", Lang::Zh) => format!("{changes} 自 {from} 起检测的标本生效"),
        (_, Lang::En) => "they are in force already".to_owned(),
        (_, Lang::Zh) => "已在生效".to_owned(),
    };
    writeln!(io::stdout().lock(), "{said}")?;
    Ok(Exit::Done)
}
