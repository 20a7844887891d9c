//! `rules add` and `activate`, and which pack judges from when on: over a running daemon.

use crate::{
    cli::{Cli, Lang},
    client::Client,
    decide::text_of,
    exit::{Exit, Failure, Outcome},
    revisions::as_person,
};
use release::{
    RulePack,
    pack::{PackRef, Weaker},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::Path,
};

/// What a running daemon of the configured store says of its packs; nothing where none runs.
pub(super) async fn of_daemon(cli: &Cli) -> Result<Option<Value>, Failure> {
    let store = crate::configuration(cli)?.config.store.path;
    let Some(client) = Client::of_store(&store)? else { return Ok(None) };
    // One that has gone without a word leaves its address behind.
    Ok(client.get("rule-packs").await.ok())
}

/// The item of a pack, by its hash.
pub(super) fn item<'a>(packs: &'a Value, hash: &str) -> Option<&'a Value> {
    packs.get("items")?.as_array()?.iter().find(|item| item.get("hash").is_some_and(|h| h == hash))
}

/// What a pack asks less for than its jurisdiction's, or than orders of the pack in force, as the daemon lists it.
pub(super) fn weaker(item: &Value) -> Vec<Weaker> {
    let listed = item.get("weaker").cloned().unwrap_or_default();
    serde_json::from_value(listed).unwrap_or_default()
}

fn text<'a>(value: &'a Value, at: &str) -> &'a str {
    value.pointer(at).and_then(Value::as_str).unwrap_or_default()
}

fn since(value: &Value, lang: Lang) -> String {
    match text(value, "/from") {
        "" => lang.pick("the beginning", "启用之初").to_owned(),
        from => from.to_owned(),
    }
}

fn who(value: &Value) -> String {
    let (first, second) = (text(value, "/proposed/by"), text(value, "/by"));
    if first.is_empty() { second.to_owned() } else { format!("{first} + {second}") }
}

/// What a pack is to a station, in a few words.
pub(super) fn standing(item: &Value, lang: Lang) -> String {
    let at = |name: &str| item.get(name).filter(|value| !value.is_null());
    let mut words = Vec::new();
    if let Some(active) = at("active") {
        let (since, who) = (since(active, lang), who(active));
        words.push(match lang {
            Lang::En => format!("in force since {since} ({who})"),
            Lang::Zh => format!("自{since}起生效（{who}）"),
        });
    }
    if let Some(next) = at("next") {
        let (from, who) = (since(next, lang), who(next));
        words.push(match lang {
            Lang::En => format!("takes over at {from} ({who})"),
            Lang::Zh => format!("将于{from}生效（{who}）"),
        });
    }
    if let Some(proposed) = at("proposed") {
        let who = text(proposed, "/by");
        words.push(match lang {
            Lang::En => format!("proposed by {who}, waits for another person"),
            Lang::Zh => format!("{who}已提议，待另一人启用"),
        });
        let weaker = weaker(item);
        for than in weaker.iter().map(|one| one.than.as_str()).collect::<BTreeSet<_>>() {
            let count = weaker.iter().filter(|one| one.than == than).count();
            words.push(match lang {
                Lang::En => format!("WEAKER than {than} in {count} values"),
                Lang::Zh => format!("有{count}项弱于{than}"),
            });
        }
    }
    if item.get("configured") == Some(&Value::Bool(true)) {
        words.push(lang.pick("configured", "配置文件所用").to_owned());
    }
    words.join("; ")
}

pub(super) async fn add(cli: &Cli, (file, by): (&Path, &str), lang: Lang) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    let pack = text_of(file)?;
    let body = json!({ "text": pack });
    // Before the password. What cannot be read as a pack the daemon refuses.
    if let Ok(pack) = RulePack::from_toml(&pack) {
        super::warn_of(&pack.weaker(), lang)?;
    }
    let answer = as_person(&client, by, ("rule-packs", &body), lang).await?;
    let mut out = io::stdout().lock();
    writeln!(out, "{} {}", text(&answer, "/pack/id"), text(&answer, "/pack/hash"))?;
    Ok(Exit::Done)
}

pub(super) async fn activate(
    cli: &Cli,
    (pack, from, why): (&str, Option<&str>, &str),
    by: &str,
    lang: Lang,
) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    let body = json!({ "pack": pack, "from": from, "why": why });
    // Before the password: both people see what they would put in force.
    let packs = client.get("rule-packs").await?;
    let is_meant = |item: &&Value| {
        let [id, hash] = ["/id", "/hash"].map(|at| text(item, at).to_owned());
        PackRef { id, hash }.goes_by(pack)
    };
    for item in packs.get("items").and_then(Value::as_array).into_iter().flatten().filter(is_meant) {
        super::warn_of(&weaker(item), lang)?;
    }
    let answer = as_person(&client, by, ("rule-packs/activate", &body), lang).await?;
    let (id, hash) = (text(&answer, "/pack/id"), text(&answer, "/pack/hash"));
    let said = match (text(&answer, "/step"), lang) {
        ("proposed", Lang::En) => "is proposed; another person has to agree with the same command".to_owned(),
        ("proposed", Lang::Zh) => "已提议;须由另一人以同一命令启用".to_owned(),
        ("activated", Lang::En) => format!("judges donations taken from {} on", text(&answer, "/from")),
        ("activated", Lang::Zh) => format!("自{}起采集的献血按其判定", text(&answer, "/from")),
        (_, Lang::En) => "is in force already".to_owned(),
        (_, Lang::Zh) => "已在生效".to_owned(),
    };
    writeln!(io::stdout().lock(), "{id} {hash} {said}")?;
    Ok(Exit::Done)
}
