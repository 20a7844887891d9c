//! `quarantine`: what is held and why, over a running daemon; lists also from a data directory at rest.

use crate::{
    cli::{Cli, Format, Lang, Quarantine, QuarantineList},
    client::Client,
    daemon::ledger_settings,
    exit::{Exit, Failure, Outcome},
    print::{Printer, encoded, text},
    store::ledger_of,
};
use ledger::{Ledger, Page};
use serde_json::{Value, json};
use workflow::quarantine::{Filter, Reason};

/// Held messages of one page of a list.
const HELD_PER_PAGE: usize = 100;

pub(crate) async fn quarantine(cli: &Cli, asked: &Quarantine, lang: Lang) -> Outcome {
    match asked {
        Quarantine::List(list) => listed(cli, list, lang).await,
        Quarantine::Show { message, output } => {
            let client = running(cli, lang)?;
            let shown = client.get(&format!("quarantine/{message}")).await?;
            show(&shown, output.format, lang)
        }
    }
}

fn running(cli: &Cli, lang: Lang) -> Result<Client, Failure> {
    Client::of_running(&crate::configuration(cli)?.config.store.path, lang)
}

async fn listed(cli: &Cli, asked: &QuarantineList, lang: Lang) -> Outcome {
    let store = crate::configuration(cli)?.config.store.path;
    if let Some(name) = asked.reason.as_deref().filter(|name| Reason::named(name).is_none()) {
        let known = Reason::ALL.map(Reason::name).join(", ");
        return Err(Failure::new(Exit::Usage, format!("{name:?} is no reason; there are {known}")));
    }
    let items = match Client::of_store(&store)? {
        Some(client) => over_http(&client, asked).await?,
        None => at_rest(cli, asked)?,
    };
    let mut printer = Printer::new(asked.output.format);
    printer.heads(&lang.pick(
        ["message", "came", "connection", "why", "donations", "specimens", "runs", "first place"],
        ["报文", "到达时间", "连接", "原因", "献血", "标本", "批次", "首处位置"],
    ));
    for item in &items {
        printer.item(item, || row(item, lang))?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}

async fn over_http(client: &Client, asked: &QuarantineList) -> Result<Vec<Value>, Failure> {
    let mut filter = "order=newest".to_owned();
    for (name, value) in [("connection", asked.connection.as_ref()), ("reason", asked.reason.as_ref())] {
        if let Some(value) = value {
            filter = format!("{filter}&{name}={}", encoded(value));
        }
    }
    let (mut items, mut after) = (Vec::new(), String::new());
    while items.len() < asked.limit {
        let limit = (asked.limit - items.len()).min(HELD_PER_PAGE);
        let page = client.get(&format!("quarantine?{filter}&limit={limit}{after}")).await?;
        items.extend(page.get("items").and_then(Value::as_array).into_iter().flatten().cloned());
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={}", encoded(next)),
            None => break,
        }
    }
    Ok(items)
}

/// From the ledger itself, when no daemon is at work on it.
fn at_rest(cli: &Cli, asked: &QuarantineList) -> Result<Vec<Value>, Failure> {
    let config = ledger_of(cli)?;
    let connection = asked.connection.as_ref();
    let connection = connection.map(|c| c.parse().map_err(|e| Failure::new(Exit::Usage, e))).transpose()?;
    let filter = Filter { connection, reason: asked.reason.as_deref().and_then(Reason::named) };
    let unavailable = |e: &dyn std::fmt::Display| Failure::new(Exit::Unavailable, e);
    let (ledger, _) = Ledger::open(ledger_settings(&config), &mut |_| {}).map_err(|e| unavailable(&e))?;
    let found = workflow::quarantine::list(&ledger.state(), &filter, &Page::newest(asked.limit));
    Ok(found.map_err(|e| unavailable(&e))?.items.iter().map(|item| json!(item)).collect())
}

fn title(name: &str, lang: Lang) -> String {
    let words = Reason::named(name).map(Reason::title);
    words.map_or_else(|| name.to_owned(), |[en, zh]| lang.pick(en, zh).to_owned())
}

fn at(value: &Value, path: &str) -> String {
    let ms = value.pointer(path).and_then(Value::as_i64);
    let at = ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map(|at| at.to_string()).unwrap_or_default()
}

fn row(item: &Value, lang: Lang) -> Vec<String> {
    let reasons = item.get("reasons").and_then(Value::as_object).into_iter().flatten();
    let reasons: Vec<String> =
        reasons.map(|(name, count)| format!("{} ({count})", title(name, lang))).collect();
    let findings = item.get("findings").and_then(Value::as_array).into_iter().flatten();
    let first = findings
        .filter(|f| f.get("consequence").and_then(Value::as_str) != Some("note"))
        .map(|f| text(f, "/where"))
        .next();
    let unknown = item.pointer("/holds/unknown") == Some(&Value::Bool(true));
    let donations = if unknown {
        lang.pick("not known", "未知").to_owned()
    } else {
        text(item, "/holds/donations_total")
    };
    vec![
        text(item, "/message/seq"),
        at(item, "/message/at_ms"),
        text(item, "/message/connection"),
        reasons.join("; "),
        donations,
        text(item, "/holds/specimens_total"),
        text(item, "/holds/runs_total"),
        first.unwrap_or_default(),
    ]
}

fn show(shown: &Value, format: Format, lang: Lang) -> Outcome {
    let mut printer = Printer::new(format);
    if format == Format::Json {
        printer.item(shown, Vec::new)?;
        printer.finish()?;
        return Ok(Exit::Done);
    }
    let mut say = |head: &str, cell: String| printer.item(shown, || vec![head.to_owned(), cell]);
    say(lang.pick("message", "报文"), text(shown, "/message/seq"))?;
    say(lang.pick("came", "到达时间"), at(shown, "/message/at_ms"))?;
    say(lang.pick("connection", "连接"), text(shown, "/message/connection"))?;
    say(
        lang.pick("read with", "所用配置"),
        format!("{} {}", text(shown, "/message/read_with/id"), text(shown, "/message/read_with/revision")),
    )?;
    for reason in shown.get("reasons").and_then(Value::as_array).into_iter().flatten() {
        say("", String::new())?;
        say(lang.pick("why", "原因"), text(reason, lang.pick("/title", "/title_zh")))?;
        say(
            lang.pick("finding", "发现"),
            format!("{}: {}", text(reason, "/finding"), text(reason, "/what")),
        )?;
        say(lang.pick("place", "位置"), text(reason, "/where"))?;
        if reason.get("excerpt").is_some_and(|excerpt| !excerpt.is_null()) {
            let part = |name: &str| text(reason, &format!("/excerpt/{name}"));
            let excerpt = format!("{}»{}«{}", part("before"), part("at"), part("after"));
            say(lang.pick("there", "内容"), excerpt)?;
        }
        say(lang.pick("what to do", "下一步"), text(reason, lang.pick("/next", "/next_zh")))?;
    }
    say("", String::new())?;
    for (head, name) in [
        (lang.pick("holds donations", "涉及献血"), "donations"),
        (lang.pick("holds specimens", "涉及标本"), "specimens"),
    ] {
        let listed = shown.pointer(&format!("/holds/{name}")).and_then(Value::as_array).into_iter().flatten();
        let listed: Vec<&str> = listed.filter_map(Value::as_str).collect();
        let total = text(shown, &format!("/holds/{name}_total"));
        say(head, format!("{total}: {}", listed.join(", ")))?;
    }
    for run in shown.pointer("/holds/runs").and_then(Value::as_array).into_iter().flatten() {
        let told = format!(
            "{} ({} {})",
            text(run, "/run"),
            text(run, "/donations"),
            lang.pick("donations", "份献血")
        );
        say(lang.pick("holds run", "涉及批次"), told)?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}
