//! `faults`: what stands open of the interfaces, and the word of whoever has looked at it, at the running daemon.

use crate::{
    cli::{Cli, Faults, Lang},
    client::Client,
    exit::{Exit, Outcome},
    print::{Printer, encoded, print, text},
    revisions::as_person,
};
use serde_json::{Value, json};

pub(crate) async fn faults(cli: &Cli, asked: &Faults, lang: Lang) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    match asked {
        Faults::List { connection, output } => {
            let mut printer = Printer::new(output.format);
            printer.heads(&lang.pick(
                ["fault", "when", "connection", "what", "runs"],
                ["故障", "时间", "连接", "内容", "批次"],
            ));
            let of = connection.as_ref().map(|id| format!("&connection={}", encoded(id))).unwrap_or_default();
            let mut after = String::new();
            loop {
                let page = client.get(&format!("faults?limit=1000{of}{after}")).await?;
                for fault in page.get("items").and_then(Value::as_array).into_iter().flatten() {
                    printer.item(fault, || row(fault, lang))?;
                }
                match page.get("next").and_then(Value::as_str) {
                    Some(next) => after = format!("&after={}", encoded(next)),
                    None => break,
                }
            }
            printer.finish()?;
            Ok(Exit::Done)
        }
        Faults::Acknowledge { fault, why, r#as } => {
            let path = format!("faults/{fault}/acknowledge");
            print(&as_person(&client, r#as, (&path, &json!({ "why": why })), lang).await?)
        }
    }
}

fn row(fault: &Value, lang: Lang) -> Vec<String> {
    let at = fault.get("at_ms").and_then(Value::as_i64);
    let at = at.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let what = match fault.get("kind").and_then(Value::as_str) {
        Some("quarantined") => lang.pick("a message is in quarantine", "报文在隔离中").to_owned(),
        Some("broken_off") => {
            format!(
                "{} {}",
                lang.pick("broken off: half transmission", "传输中断：残缺传输"),
                text(fault, "/transfer")
            )
        }
        other => other.unwrap_or_default().to_owned(),
    };
    let runs = fault.get("runs").and_then(Value::as_array).into_iter().flatten();
    let runs: Vec<&str> = runs.filter_map(Value::as_str).collect();
    vec![
        text(fault, "/fault"),
        at.map(|at| at.to_string()).unwrap_or_default(),
        text(fault, "/connection"),
        what,
        runs.join(" "),
    ]
}
