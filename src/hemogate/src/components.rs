//! `component`: what was made of a donation and where each is, at the running daemon.

use crate::{
    cli::{Cli, Component, Lang, Move, Output},
    client::Client,
    exit::{Exit, Outcome},
    print::{Printer, encoded, print, text},
    revisions::as_person,
};
use serde_json::{Value, json};

pub(crate) async fn component(cli: &Cli, asked: &Component, lang: Lang) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    let of = |donation: &str| format!("donations/{}/components", encoded(donation));
    let (moved, to) = match asked {
        Component::List { donation, output } => {
            return list(&client.get(&of(donation)).await?, output, lang);
        }
        Component::Made { donation, components, expires, r#as } => {
            let body = json!({ "components": components, "expires": expires });
            return print(&as_person(&client, r#as, (&of(donation), &body), lang).await?);
        }
        Component::Issued { donation, component, to, at, happened, r#as } => {
            let body = json!({
                "component": component, "to": "issued", "consignee": to, "at": at, "happened": happened,
            });
            let path = format!("{}/move", of(donation));
            return print(&as_person(&client, r#as, (&path, &body), lang).await?);
        }
        Component::Back(moved) => (moved, "quarantine"),
        Component::Held(moved) => (moved, "held"),
        Component::Missing(moved) => (moved, "missing"),
        Component::Discarded(moved) => (moved, "discarded"),
        Component::WrittenOff(moved) => (moved, "written_off"),
    };
    let Move { donation, component, reason, r#as } = moved;
    let body = json!({ "component": component, "to": to, "reason": reason });
    print(&as_person(&client, r#as, (&format!("{}/move", of(donation)), &body), lang).await?)
}

fn list(answer: &Value, output: &Output, lang: Lang) -> Outcome {
    let mut printer = Printer::new(output.format);
    printer.heads(&lang.pick(
        ["component", "place", "issued to", "why", "expires"],
        ["成分", "所在", "发往", "原因", "失效"],
    ));
    for item in answer.get("components").and_then(Value::as_array).into_iter().flatten() {
        let why = text(item, "/kept/reason") + &text(item, "/written_off/reason");
        let expires = text(item, "/expires");
        printer.item(item, || {
            vec![text(item, "/component"), text(item, "/place"), issued(item), why, expires]
        })?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}

fn issued(item: &Value) -> String {
    let issues = item.get("issued").and_then(Value::as_array).into_iter().flatten();
    issues.map(|issue| text(issue, "/consignee")).collect::<Vec<_>>().join(", ")
}

/// The components of a task or a recall in one line: where each is, or to whom it was given, and whether it is in date.
pub(crate) fn to_find(item: &Value, lang: Lang) -> String {
    let components = item.get("components").and_then(Value::as_array).into_iter().flatten();
    let one = |component: &Value| {
        let to = issued(component);
        let place =
            if to.is_empty() { format!("({})", text(component, "/place")) } else { format!("→ {to}") };
        let expires = text(component, "/expires");
        let dating = match text(component, "/dating").as_str() {
            "expired" => lang.pick("expired", "已过期").to_owned() + " " + &expires,
            "in_date" => lang.pick("in date until", "有效期至").to_owned() + " " + &expires,
            _ => lang.pick("expiry unknown", "效期未知").to_owned(),
        };
        format!("{} {place}, {dating}", text(component, "/component"))
    };
    components.map(one).collect::<Vec<_>>().join("; ")
}
