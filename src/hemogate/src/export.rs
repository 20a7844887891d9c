//! `export`: what the ledger holds, one object a line, from a running daemon or from the folder of a stopped one.

use crate::{
    cli::{Cli, Export, ExportKind},
    client::Client,
    daemon::open_ledger,
    exit::{Exit, Failure, Outcome},
    print::Printer,
};
use ledger::{DeliveryFilter, Listing, MessageFilter, Page, ReadError, Reader, Seq};
use serde_json::{Value, json};

/// Items asked for at once.
const PAGE: usize = 500;

pub(crate) async fn export(cli: &Cli, asked: &Export) -> Outcome {
    let config = crate::configuration(cli)?.config;
    let mut printer = Printer::new(asked.format);
    let mut print = |item: &Value| printer.item(item, || vec![item.to_string()]);
    if let Some(client) = Client::of_store(&config.store.path)? {
        running(&client, asked.kind, &mut print).await?;
    } else {
        if !config.store.path.join("journal").is_dir() {
            let what = format!("there is no ledger in {}", config.store.path.display());
            return Err(Failure::new(Exit::InputMissing, what));
        }
        let ledger = open_ledger(&config)?;
        stopped(&ledger.state(), asked.kind, &mut print)?;
        ledger.close();
    }
    printer.finish()?;
    Ok(Exit::Done)
}

type Print<'a> = &'a mut dyn FnMut(&Value) -> Result<(), Failure>;

async fn running(client: &Client, kind: ExportKind, print: Print<'_>) -> Result<(), Failure> {
    let resource = match kind {
        ExportKind::Messages => "messages",
        ExportKind::Observations => "observations",
        ExportKind::Verdicts => "verdicts",
        ExportKind::Deliveries => "deliveries",
        ExportKind::Audit => "audit",
    };
    let mut after = String::new();
    loop {
        let page = client.get(&format!("{resource}?limit={PAGE}{after}")).await?;
        for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
            print(item)?;
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(()),
        }
    }
}

fn unread(error: ReadError) -> Failure {
    Failure::new(Exit::Unavailable, error)
}

/// Walks a list to its end, page by page.
fn walk<T, C: Clone>(
    mut read: impl FnMut(&Page<C>) -> Result<Listing<T, C>, ReadError>,
    mut each: impl FnMut(T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut page = Page::first(PAGE);
    loop {
        let list = read(&page).map_err(unread)?;
        list.items.into_iter().try_for_each(&mut each)?;
        match list.next {
            Some(next) => page = Page::first(PAGE).after(next),
            None => return Ok(()),
        }
    }
}

fn stopped(reader: &Reader, kind: ExportKind, print: Print<'_>) -> Result<(), Failure> {
    let every = MessageFilter::default();
    match kind {
        ExportKind::Messages => walk(|page| reader.messages(&every, page), |message| print(&json!(message))),
        ExportKind::Observations => walk(
            |page| reader.messages(&every, page),
            |message| {
                let meaning = reader.observations_of(message.seq).map_err(unread)?;
                let observations = meaning.map(|m| m.observations).unwrap_or_default();
                observations
                    .iter()
                    .try_for_each(|o| print(&json!({ "message": message.seq, "observation": o })))
            },
        ),
        ExportKind::Verdicts => walk(
            |page| reader.donations(page),
            |donation| {
                let Some(standing) = donation.verdict else { return Ok(()) };
                let made = reader.verdict(standing.seq).map_err(unread)?;
                let verdict: Value =
                    serde_json::from_str(made.json()).map_err(|e| Failure::new(Exit::Internal, e))?;
                print(&verdict)
            },
        ),
        ExportKind::Deliveries => {
            walk(|page| reader.deliveries(&DeliveryFilter::default(), page), |d| print(&json!(d)))
        }
        ExportKind::Audit => reader.entries(Seq::NONE.next()).try_for_each(|entry| {
            let entry = entry.map_err(|e| Failure::new(Exit::Unavailable, e))?.entry;
            print(
                &json!({ "seq": entry.seq, "at_ms": entry.at_ms, "by": entry.by, "what": entry.what.name() }),
            )
        }),
    }
}
