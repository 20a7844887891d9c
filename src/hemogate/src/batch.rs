//! `batch`: put together, looked at, reviewed, released, held and discarded, at the running daemon. A signature is for what
//! was looked at before, which `--seen` names, or for what is shown on the terminal before it is asked for.

mod sight;

use crate::{
    cli::{Batch, Cli, Format, Lang},
    client::Client,
    exit::{Exit, Failure, Outcome},
    print::Printer,
    secret::password_of,
};
use serde_json::{Value, json};
use sight::{Signing, kept_by, listed, text};

pub(crate) async fn batch(cli: &Cli, asked: &Batch, lang: Lang) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    if let Batch::Show { batch, output } = asked {
        return show(&client, *batch, output.format, lang).await;
    }
    let Some(by) = asked.signed_in_as() else { return Ok(Exit::Usage) };
    let seen = seen(&client, asked, lang).await?;
    let password = password_of(by, lang)?;
    let session = client.sign_in(by, &password).await?;
    let outcome = command(&session, asked, (&password, seen.as_deref())).await;
    session.sign_out().await;
    let mut printer = Printer::new(Format::Json);
    printer.item(&outcome?, Vec::new)?;
    printer.finish()?;
    Ok(Exit::Done)
}

/// The version of the batch that a signature is for; nothing, where none is asked for.
async fn seen(client: &Client, asked: &Batch, lang: Lang) -> Result<Option<String>, Failure> {
    let (batch, seen, signing) = match asked {
        Batch::Review { batch, seen, .. } => (*batch, seen, Signing::Review),
        Batch::Release { batch, seen, only, set_aside, .. } => {
            (*batch, seen, Signing::Release { only, set_aside })
        }
        Batch::Open { .. }
        | Batch::Show { .. }
        | Batch::Hold { .. }
        | Batch::Lift { .. }
        | Batch::Discard { .. } => return Ok(None),
    };
    if let Some(seen) = seen {
        return Ok(Some(format!("\"{seen}\"")));
    }
    if !sight::can_be_shown() {
        return Err(sight::blind(batch, lang));
    }
    let (shown, version) = client.versioned(&format!("batches/{batch}")).await?;
    sight::agreed_to(&shown, signing, lang)?;
    Ok(Some(version))
}

async fn command(
    session: &Client,
    asked: &Batch,
    (password, seen): (&str, Option<&str>),
) -> Result<Value, Failure> {
    match asked {
        Batch::Show { .. } => Ok(Value::Null),
        Batch::Open { name, from, to, run, donations, .. } => {
            let window = from.as_ref().zip(to.as_ref()).map(|(from, to)| json!({ "from": from, "to": to }));
            let body = json!({ "name": name, "session": window, "runs": run, "donations": donations });
            session.post("batches", &body).await
        }
        Batch::Review { batch, comment, .. } => {
            let body = json!({ "password": password, "comment": comment });
            session.command("POST", &format!("batches/{batch}/review"), seen, &body).await
        }
        Batch::Release { batch, comment, only, set_aside, reason, .. } => {
            let aside: Vec<Value> = set_aside
                .iter()
                .map(|gate| json!({ "gate": gate, "reason": reason, "donations": only }))
                .collect();
            let asked = json!({ "donations": only, "set_aside": aside, "comment": comment });
            let body = json!({ "password": password, "asked": asked });
            session.command("POST", &format!("batches/{batch}/release"), seen, &body).await
        }
        Batch::Hold { batch, donations, kind, reason, .. } => {
            let body = json!({ "donations": donations, "kind": kind.name(), "reason": reason });
            session.post(&format!("batches/{batch}/hold"), &body).await
        }
        Batch::Lift { batch, donations, reason, .. } => {
            let body = json!({ "donations": donations, "reason": reason });
            session.post(&format!("batches/{batch}/lift"), &body).await
        }
        Batch::Discard { batch, donations, counted, reason, passing, .. } => {
            let body =
                json!({ "donations": donations, "counted": counted, "reason": reason, "passing": passing });
            session.post(&format!("batches/{batch}/discard"), &body).await
        }
    }
}

async fn show(client: &Client, batch: u64, format: Format, lang: Lang) -> Outcome {
    let (shown, _) = client.versioned(&format!("batches/{batch}")).await?;
    let mut printer = Printer::new(format);
    if format == Format::Json {
        printer.item(&shown, Vec::new)?;
        printer.finish()?;
        return Ok(Exit::Done);
    }
    printer.heads(&lang.pick(["donation", "stage", "unit", "kept by"], ["献血码", "阶段", "结论", "原因"]));
    for member in listed(&shown, "donations") {
        let row = ["donation", "stage", "unit"].map(|name| text(member, name).to_owned());
        printer.item(member, || [row.to_vec(), vec![kept_by(member, lang)]].concat())?;
    }
    printer.item(&shown, || vec!["seen".to_owned(), text(&shown, "seen").to_owned()])?;
    printer.finish()?;
    Ok(Exit::Done)
}
