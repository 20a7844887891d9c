//! `orders`: the worklist from the command line, over a running daemon; lists also from a data directory at rest.

use crate::{
    cli::{Cli, Format, Lang, OrderList, Orders},
    client::Client,
    daemon::ledger_settings,
    decide::text_of,
    exit::{Exit, Failure, Outcome},
    print::{Printer, encoded, text},
    store::ledger_of,
};
use ledger::{Ledger, OrderFilter, Page};
use serde_json::{Value, json};
use std::path::Path;
use vocabulary::{OrderId, OrderState};

/// Orders that are sent to the daemon at once.
const ORDERS_AT_ONCE: usize = 500;
/// Orders of one page of a list.
const ORDERS_PER_PAGE: usize = 500;

pub(crate) async fn orders(cli: &Cli, asked: &Orders, lang: Lang) -> Outcome {
    match asked {
        Orders::List(list) => list_orders(cli, list, lang).await,
        Orders::Show { id, output } => show(cli, id, output.format, lang).await,
        Orders::Place { file, output } => place(cli, file, output.format, lang).await,
        Orders::Cancel { id, assay, reason } => {
            let client = running(cli, lang)?;
            let body = json!({ "assays": assay, "reason": reason });
            let answer = client.post(&format!("orders/{}/cancel", encoded(id)), &body).await?;
            let mut printer = Printer::new(Format::Json);
            printer.item(&answer, Vec::new)?;
            printer.finish()?;
            Ok(Exit::Done)
        }
    }
}

fn running(cli: &Cli, lang: Lang) -> Result<Client, Failure> {
    Client::of_running(&crate::configuration(cli)?.config.store.path, lang)
}

async fn list_orders(cli: &Cli, asked: &OrderList, lang: Lang) -> Outcome {
    let mut printer = Printer::new(asked.output.format);
    printer.heads(&lang.pick(
        ["order", "specimen", "state", "priority", "assays", "placed", "why it waits"],
        ["申请号", "标本", "状态", "优先级", "项目", "下单时间", "等待原因"],
    ));
    let store = crate::configuration(cli)?.config.store.path;
    let items = match Client::of_store(&store)? {
        Some(client) => over_http(&client, asked).await?,
        None => at_rest(cli, asked)?,
    };
    for item in &items {
        printer.item(item, || row(item, lang))?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}

async fn over_http(client: &Client, asked: &OrderList) -> Result<Vec<Value>, Failure> {
    let mut filter = format!("open={}", asked.open);
    for (name, value) in [
        ("state", asked.state.as_ref()),
        ("specimen", asked.specimen.as_ref()),
        ("connection", asked.connection.as_ref()),
        ("assay", asked.assay.as_ref()),
    ] {
        if let Some(value) = value {
            filter = format!("{filter}&{name}={}", encoded(value));
        }
    }
    let (mut items, mut after) = (Vec::new(), String::new());
    while items.len() < asked.limit {
        let limit = (asked.limit - items.len()).min(ORDERS_PER_PAGE);
        let page = client.get(&format!("orders?{filter}&limit={limit}{after}")).await?;
        items.extend(page.get("items").and_then(Value::as_array).into_iter().flatten().cloned());
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={}", encoded(next)),
            None => break,
        }
    }
    Ok(items)
}

/// From the ledger itself, when no daemon is at work on it. Nobody is connected then.
fn at_rest(cli: &Cli, asked: &OrderList) -> Result<Vec<Value>, Failure> {
    let usage = |e: &dyn std::fmt::Display| Failure::new(Exit::Usage, e);
    let config = ledger_of(cli)?;
    let state = asked.state.as_ref().map(|name| state_of(name)).transpose()?;
    let rule = workflow::SpecimenRule::of(
        config.site.normaliser().map_err(|e| Failure::new(Exit::Configuration, e))?,
    );
    let specimen = asked.specimen.as_ref().map(|text| text.parse().map_err(|e| usage(&e))).transpose()?;
    let filter = OrderFilter {
        state,
        open: asked.open,
        specimen: specimen.map(|scan| rule.number(&scan, None).unwrap_or(scan)),
        connection: asked.connection.as_ref().map(|c| c.parse().map_err(|e| usage(&e))).transpose()?,
        assay: asked.assay.clone(),
    };
    let configured = crate::wiring::sound(&crate::wiring::configured(&config)?);
    let rules = crate::wiring::orders(&config, configured.iter().map(|(c, p)| (c, p)))?;
    let unavailable = |e: &dyn std::fmt::Display| Failure::new(Exit::Unavailable, e);
    let (ledger, _) = Ledger::open(ledger_settings(&config), &mut |_| {}).map_err(|e| unavailable(&e))?;
    let found = ledger.state().orders(&filter, &Page::newest(asked.limit)).map_err(|e| unavailable(&e))?;
    let shown = found.items.iter().map(|order| {
        let mut value = json!(order);
        if let Value::Object(fields) = &mut value {
            let waits = workflow::orders::waits(&rules, order, &|_| false);
            fields.insert("id".to_owned(), json!(order.order.id));
            fields.insert("state_zh".to_owned(), json!(order.state.chinese()));
            let at = jiff::Timestamp::from_millisecond(order.placed_at_ms).ok();
            fields.insert("placed_at".to_owned(), json!(at.map(|at| at.to_string())));
            fields.insert("waits".to_owned(), json!(waits));
        }
        value
    });
    Ok(shown.collect())
}

fn state_of(name: &str) -> Result<OrderState, Failure> {
    OrderState::ALL.into_iter().find(|state| state.name() == name).ok_or_else(|| {
        let known: Vec<&str> = OrderState::ALL.iter().map(|state| state.name()).collect();
        Failure::new(Exit::Usage, format!("{name:?} is no state; there are {}", known.join(", ")))
    })
}

fn row(order: &Value, lang: Lang) -> Vec<String> {
    let list = |path: &str| order.pointer(path).and_then(Value::as_array).into_iter().flatten();
    let assays: Vec<&str> = list("/order/assays").filter_map(Value::as_str).collect();
    let mut waits: Vec<String> =
        list("/waits").map(|wait| text(wait, lang.pick("/why", "/why_zh"))).collect();
    waits.dedup();
    vec![
        text(order, "/id"),
        text(order, "/order/specimen"),
        text(order, lang.pick("/state", "/state_zh")),
        text(order, "/order/priority"),
        assays.join(", "),
        text(order, "/placed_at"),
        waits.join("; "),
    ]
}

async fn show(cli: &Cli, id: &str, format: Format, lang: Lang) -> Outcome {
    let checked: OrderId = id.parse().map_err(|e| Failure::new(Exit::Usage, e))?;
    let order = running(cli, lang)?.get(&format!("orders/{}", encoded(checked.as_str()))).await?;
    let mut printer = Printer::new(format);
    if format == Format::Json {
        printer.item(&order, Vec::new)?;
        printer.finish()?;
        return Ok(Exit::Done);
    }
    printer.heads(&["", ""]);
    let heads = lang.pick(
        ["order", "specimen", "state", "priority", "assays", "placed", "why it waits"],
        ["申请号", "标本", "状态", "优先级", "项目", "下单时间", "等待原因"],
    );
    for (head, cell) in heads.iter().zip(row(&order, lang)) {
        printer.item(&order, || vec![(*head).to_owned(), cell])?;
    }
    for entry in order.get("history").and_then(Value::as_array).into_iter().flatten() {
        let told = format!("{} {} {}", text(entry, "/what"), text(entry, "/by"), text(entry, "/detail"));
        printer.item(entry, || vec![text(entry, "/at"), told])?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}

async fn place(cli: &Cli, file: &Path, format: Format, lang: Lang) -> Outcome {
    let orders = read(&text_of(file)?).map_err(|what| {
        Failure::new(Exit::BadInput, format!("{}: {what}; nothing was placed", file.display()))
    })?;
    let client = running(cli, lang)?;
    let mut printer = Printer::new(format);
    printer.heads(&lang.pick(["order", "outcome", "why"], ["申请号", "结果", "原因"]));
    let mut exit = Exit::Done;
    for some in orders.chunks(ORDERS_AT_ONCE) {
        let answer = client.post("orders", &some).await?;
        for outcome in answer.get("orders").and_then(Value::as_array).into_iter().flatten() {
            if text(outcome, "/outcome") == "refused" {
                exit = Exit::No;
            }
            let why = text(outcome, lang.pick("/what", "/what_zh"));
            printer.item(outcome, || vec![text(outcome, "/id"), text(outcome, "/outcome"), why])?;
        }
    }
    printer.finish()?;
    Ok(exit)
}

/// One object, an array, or one object a line.
fn read(text: &str) -> Result<Vec<Value>, String> {
    let orders = match serde_json::from_str(text) {
        Ok(Value::Array(list)) => list,
        Ok(one) => vec![one],
        Err(_) => {
            let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
            let read = lines.map(|(number, line): (usize, &str)| {
                serde_json::from_str(line).map_err(|e| format!("line {number}: {e}"))
            });
            read.collect::<Result<_, String>>()?
        }
    };
    if orders.is_empty() {
        return Err("there is no order in it".to_owned());
    }
    match orders.iter().position(|order| !order.is_object()) {
        Some(at) => Err(format!("order {at} is no JSON object")),
        None => Ok(orders),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_come_as_one_object_an_array_or_lines() {
        for (text, expect) in [
            (r#"{"id":"1"}"#, Ok(1)),
            (r#"[{"id":"1"},{"id":"2"}]"#, Ok(2)),
            ("{\"id\":\"1\"}\n\n{\"id\":\"2\"}\n", Ok(2)),
            ("{\"id\":\"1\"}\n{", Err("line 2: ")),
            ("", Err("there is no order")),
            ("[]", Err("there is no order")),
            ("[{},7]", Err("order 1 is no JSON object")),
        ] {
            match (read(text), expect) {
                (Ok(found), Ok(count)) => assert_eq!(found.len(), count, "{text}"),
                (Err(why), Err(start)) => assert!(why.starts_with(start), "{text}: {why}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
