//! `pool`: pools of pipetting robots, over a running daemon or from a data directory at rest.

use crate::{
    cli::{Cli, Lang, Output, Pool},
    client::Client,
    daemon::ledger_settings,
    exit::{Exit, Failure, Outcome},
    print::{Printer, encoded, text},
    store::ledger_of,
};
use ledger::{Ledger, Page};
use serde_json::{Value, json};

/// Pools of one page of a list.
const POOLS_PER_PAGE: usize = 100;

pub(crate) async fn pool(cli: &Cli, asked: &Pool, lang: Lang) -> Outcome {
    match asked {
        Pool::List { limit, output } => list(cli, *limit, output, lang).await,
        Pool::Show { pool, output } => {
            let store = crate::configuration(cli)?.config.store.path;
            let client = Client::of_running(&store, lang)?;
            let shown = client.get(&format!("pools/{}", encoded(pool))).await?;
            show(&shown, output, lang)
        }
    }
}

async fn list(cli: &Cli, limit: usize, output: &Output, lang: Lang) -> Outcome {
    let store = crate::configuration(cli)?.config.store.path;
    let items = match Client::of_store(&store)? {
        Some(client) => over_http(&client, limit).await?,
        None => at_rest(cli, limit)?,
    };
    let mut printer = Printer::new(output.format);
    printer.heads(&lang.pick(["pool", "first entry", "members"], ["混样", "首条记录", "成员"]));
    for item in &items {
        let row = || vec![text(item, "/pool"), text(item, "/first"), joined(item, "/members")];
        printer.item(item, row)?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}

async fn over_http(client: &Client, limit: usize) -> Result<Vec<Value>, Failure> {
    let (mut items, mut after) = (Vec::new(), String::new());
    while items.len() < limit {
        let count = (limit - items.len()).min(POOLS_PER_PAGE);
        let page = client.get(&format!("pools?limit={count}{after}")).await?;
        items.extend(page.get("items").and_then(Value::as_array).into_iter().flatten().cloned());
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={}", encoded(next)),
            None => break,
        }
    }
    Ok(items)
}

/// From the ledger itself, when no daemon is at work on it.
fn at_rest(cli: &Cli, limit: usize) -> Result<Vec<Value>, Failure> {
    let config = ledger_of(cli)?;
    let unavailable = |e: &dyn std::fmt::Display| Failure::new(Exit::Unavailable, e);
    let (ledger, _) = Ledger::open(ledger_settings(&config), &mut |_| {}).map_err(|e| unavailable(&e))?;
    let found = ledger.state().pools(&Page::first(limit)).map_err(|e| unavailable(&e))?;
    Ok(found.items.iter().map(|item| json!(item)).collect())
}

fn each<'v>(value: &'v Value, path: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(path).and_then(Value::as_array).into_iter().flatten()
}

fn joined(value: &Value, path: &str) -> String {
    each(value, path).filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

fn show(shown: &Value, output: &Output, lang: Lang) -> Outcome {
    let mut printer = Printer::new(output.format);
    if output.format == crate::cli::Format::Json {
        printer.item(shown, Vec::new)?;
        printer.finish()?;
        return Ok(Exit::Done);
    }
    let why = |fault: &Value| {
        let place = text(fault, "/place");
        let place = if place.is_empty() { place } else { format!(" ({place})") };
        format!("{}{place}", text(fault, lang.pick("/what", "/what_zh")))
    };
    let mut say = |head: &str, cell: String| printer.item(shown, || vec![head.to_owned(), cell]);
    say(lang.pick("pool", "混样"), text(shown, "/pool"))?;
    say(lang.pick("says", "结论"), text(shown, "/says"))?;
    for fault in each(shown, "/why") {
        say(lang.pick("why", "原因"), why(fault))?;
    }
    for finding in each(shown, "/findings") {
        say(
            lang.pick("waits for", "待处理"),
            format!("{} ({})", text(finding, "/what"), text(finding, "/where")),
        )?;
    }
    for making in each(shown, "/makings") {
        say("", String::new())?;
        let run = format!("{} {}", text(making, "/run"), text(making, "/made_at"));
        say(lang.pick("made in run", "加样批次"), run)?;
        for member in each(making, "/members") {
            let alone = text(member, "/alone/result");
            let cells = [text(member, "/barcode"), joined(member, "/wrong"), text(member, "/place"), alone];
            let cells: Vec<&str> = cells.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
            say(&text(member, "/position"), cells.join("  "))?;
        }
    }
    for result in each(shown, "/results") {
        say("", String::new())?;
        let said = ["/marker", "/value/raw", "/run", "/completed_at"].map(|path| text(result, path));
        say(lang.pick("result", "结果"), said.join("  "))?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}
