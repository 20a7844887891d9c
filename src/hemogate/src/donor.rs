//! `donor`, `recall` and `tasks`: at the running daemon.

use crate::{
    cli::{Cli, Donor, Lang, Output, Recall, Tasks},
    client::Client,
    components::to_find,
    exit::{Exit, Failure, Outcome},
    print::{Printer, encoded, print, text},
    revisions::as_person,
};
use serde_json::{Value, json};
use std::io::{self, Write};

fn time(value: &Value, name: &str) -> String {
    let ms = value.get(name).and_then(Value::as_i64);
    ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).map(|at| at.to_string()).unwrap_or_default()
}

fn daemon(cli: &Cli, lang: Lang) -> Result<Client, Failure> {
    Client::of_running(&crate::configuration(cli)?.config.store.path, lang)
}

pub(crate) async fn recall(cli: &Cli, asked: &Recall, lang: Lang) -> Outcome {
    let client = daemon(cli, lang)?;
    match asked {
        Recall::List(output) => {
            let answer = client.get("recalls?limit=1000").await?;
            let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            recalls(&items, output, lang)
        }
        Recall::Show { recall, output } => {
            let one = client.get(&format!("recalls/{recall}")).await?;
            recalls(&[one], output, lang)
        }
        Recall::Close { recall, outcome, told, kept, r#as } => {
            let path = format!("recalls/{recall}/close");
            let body = json!({ "outcome": outcome, "told": told, "kept": kept });
            print(&as_person(&client, r#as, (&path, &body), lang).await?)
        }
    }
}

fn recalls(items: &[Value], output: &Output, lang: Lang) -> Outcome {
    let mut printer = Printer::new(output.format);
    printer.heads(&lang.pick(
        ["recall", "donation", "components", "raised", "now", "closed by", "outcome"],
        ["召回", "献血码", "成分", "发起", "现结论", "关闭人", "结果"],
    ));
    for item in items {
        let closed = item.get("closed").map(|closed| text(closed, "/by")).unwrap_or_default();
        printer.item(item, || {
            vec![
                text(item, "/recall"),
                text(item, "/donation"),
                to_find(item, lang),
                time(item, "raised_at_ms"),
                text(item, "/unit"),
                closed,
                text(item, "/outcome"),
            ]
        })?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}

/// Tasks of a kind for donors that are asked for at once.
const TASKS_A_PAGE: usize = 1_000;

pub(crate) async fn tasks(cli: &Cli, asked: &Tasks, lang: Lang) -> Outcome {
    let kind = asked.kind.as_ref().map(|kind| format!("kind={}", encoded(kind)));
    let is_paged = asked.kind.as_ref().is_some_and(|kind| kind.starts_with("donor_"));
    let limit = is_paged.then(|| format!("limit={TASKS_A_PAGE}"));
    let after = asked.after.as_ref().map(|after| format!("after={}", encoded(after)));
    let words: Vec<String> = [kind, limit, after].into_iter().flatten().collect();
    let path = if words.is_empty() { "tasks".to_owned() } else { format!("tasks?{}", words.join("&")) };
    let answer = daemon(cli, lang)?.get(&path).await?;
    let mut printer = Printer::new(asked.output.format);
    printer.heads(&lang.pick(
        ["kind", "number", "donation", "for", "due", "not before", "next"],
        ["类别", "编号", "献血码", "缘由", "期限", "不早于", "下一步"],
    ));
    for task in answer.get("items").and_then(Value::as_array).into_iter().flatten() {
        let late = task.get("overdue") == Some(&Value::Bool(true));
        let due = text(task, "/due") + if late { lang.pick(" (overdue)", "（已逾期）") } else { "" };
        let about = [
            text(task, "/run"),
            text(task, "/lot"),
            text(task, "/kits"),
            text(task, "/marker"),
            text(task, "/trigger"),
            text(task, "/donor"),
            to_find(task, lang),
        ];
        let about: Vec<String> = about.into_iter().filter(|part| !part.is_empty()).collect();
        printer.item(task, || {
            vec![
                text(task, "/kind"),
                text(task, "/id"),
                text(task, "/donation"),
                about.join(" "),
                due,
                text(task, "/not_before"),
                text(task, lang.pick("/next", "/next_zh")),
            ]
        })?;
    }
    printer.finish()?;
    let more = answer.get("more").and_then(Value::as_array).into_iter().flatten();
    let more: Vec<&str> = more.filter_map(Value::as_str).collect();
    if !more.is_empty() {
        let what = lang.pick("more are open than are listed, of", "未全部列出，尚有更多");
        writeln!(io::stderr(), "{what}{}{}", lang.pick(": ", "："), more.join(lang.pick(", ", "、")))?;
    }
    if let Some(next) = answer.get("next").and_then(Value::as_str) {
        let what = lang.pick("more are open than are listed; go on with", "未全部列出；继续请用");
        writeln!(io::stderr(), "{what} --after {next}")?;
    }
    Ok(Exit::Done)
}

pub(crate) async fn donor(cli: &Cli, asked: &Donor, lang: Lang) -> Outcome {
    let client = daemon(cli, lang)?;
    let (Some(by), Some((path, body))) = (asked.signed_in_as(), command(asked)?) else {
        let Donor::Show { donor } = asked else { return Ok(Exit::Usage) };
        return print(&client.get(&format!("donors/{}", encoded(donor))).await?);
    };
    print(&as_person(&client, by, (&path, &body), lang).await?)
}

/// Where a command goes, and what with.
fn command(asked: &Donor) -> Result<Option<(String, Value)>, Failure> {
    let donors = |donor: &str, what: &str| format!("donors/{}/{what}", encoded(donor));
    let donations = |donation: &str, what: &str| format!("donations/{}/{what}", encoded(donation));
    Ok(Some(match asked {
        Donor::Show { .. } => return Ok(None),
        Donor::Defer { donor, permanent, until, since, donation, reason, .. } => {
            let body = json!({
                "permanent": permanent, "until": until, "since": since, "donation": donation, "reason": reason,
            });
            (donors(donor, "defer"), body)
        }
        Donor::Reinstate { donor, on, reason, .. } => {
            (donors(donor, "reinstate"), json!({ "on": on, "reason": reason }))
        }
        Donor::Earlier { donor, donation, collected_at, result, source, .. } => {
            let results: Result<Vec<Value>, Failure> = result.iter().map(|text| given(text)).collect();
            let mut earlier = json!({ "donation": donation, "results": results? });
            if let (Some(at), Value::Object(fields)) = (collected_at, &mut earlier) {
                fields.insert("collected_at".to_owned(), json!(at));
            }
            (donors(donor, "earlier"), json!({ "earlier": earlier, "source": source }))
        }
        Donor::TakeBack { donor, record, reason, .. } => {
            (donors(donor, "earlier/take-back"), json!({ "record": record, "reason": reason }))
        }
        Donor::Confirm { donation, marker, outcome, method, at, report, .. } => {
            let test = json!({ "marker": marker, "outcome": outcome, "method": method, "at": at });
            (donations(donation, "confirmatory"), json!({ "test": test, "report": report }))
        }
        Donor::Examine { donor, marker, deferred_on, nat_then, reason, .. } => {
            let body = json!({ "marker": marker, "deferred_on": deferred_on, "nat_then": nat_then, "reason": reason });
            (donors(donor, "examine"), body)
        }
        Donor::Test { donor, id, kind, reagent, result, collected_on, .. } => {
            let body = json!({
                "id": id, "kind": kind, "reagent": reagent, "result": result, "collected_on": collected_on,
            });
            (donors(donor, "tests"), body)
        }
        Donor::Approve { donor, on, deferral, reason, .. } => {
            (donors(donor, "approve"), json!({ "on": on, "deferrals": deferral, "reason": reason }))
        }
        Donor::Neighbour { donation, beside, settled, reason, .. } => {
            let what = if *settled { "neighbours/settle" } else { "neighbours" };
            (donations(donation, what), json!({ "donation": beside, "reason": reason }))
        }
        Donor::Group { donation, run, message, sample, seen, history_wrong, reason, .. } => {
            let body = json!({
                "run": run, "message": message, "sample": sample, "seen": seen,
                "history_wrong": history_wrong, "reason": reason,
            });
            (donations(donation, "group/settle"), body)
        }
        Donor::Close { donation, task, marker, outcome, reason, .. } => {
            let body = json!({
                "donation": donation, "task": task, "marker": marker, "outcome": outcome, "reason": reason,
            });
            ("tasks/donor".to_owned(), body)
        }
        Donor::Lookback { trigger, marker, earlier, step, outcome, .. } => (
            "tasks/lookback".to_owned(),
            json!({ "trigger": trigger, "marker": marker, "earlier": earlier, "step": step, "outcome": outcome }),
        ),
    }))
}

/// `HCV=reactive`.
fn given(text: &str) -> Result<Value, Failure> {
    let (marker, result) = text.split_once('=').ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{text:?}: write MARKER=RESULT, as in HCV=reactive"))
    })?;
    Ok(json!({ "marker": marker.trim(), "result": result.trim() }))
}
