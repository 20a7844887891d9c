//! `reprocess`: messages are read again from their bytes, over a running daemon, as a person.

use crate::{
    cli::{Cli, Lang, Reprocess},
    client::Client,
    exit::{Exit, Outcome},
    print::{Printer, text},
    secret::password_of,
};
use serde_json::{Value, json};

pub(crate) async fn reprocess(cli: &Cli, asked: &Reprocess, lang: Lang) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    let session = client.sign_in(&asked.r#as, &password_of(&asked.r#as, lang)?).await?;
    let outcome = read_again(&session, asked, lang).await;
    session.sign_out().await;
    outcome
}

async fn read_again(session: &Client, asked: &Reprocess, lang: Lang) -> Outcome {
    let mut printer = Printer::new(asked.output.format);
    printer.heads(&lang.pick(["message", "outcome", "why"], ["报文", "结果", "原因"]));
    if let Some(message) = asked.message {
        let path = format!("messages/{message}/reprocess");
        let answer = session.post(&path, &json!({ "why": asked.why })).await?;
        printer.item(&answer, || {
            vec![message.to_string(), outcome(&text(&answer, "/outcome"), lang), String::new()]
        })?;
        printer.finish()?;
        return Ok(Exit::Done);
    }
    let mut exit = Exit::Done;
    let mut after = Value::Null;
    loop {
        let body = json!({
            "why": asked.why, "connection": asked.connection, "revision": asked.revision,
            "only": if asked.all { "all" } else { "quarantine" }, "after": after,
        });
        let answer = session.post("reprocess", &body).await?;
        for message in answer.get("asked").and_then(Value::as_array).into_iter().flatten() {
            let item = json!({ "message": message, "outcome": "asked" });
            printer.item(&item, || vec![message.to_string(), outcome("asked", lang), String::new()])?;
        }
        for refused in answer.get("refused").and_then(Value::as_array).into_iter().flatten() {
            exit = Exit::No;
            let why = text(refused, lang.pick("/why", "/why_zh"));
            printer.item(refused, || vec![text(refused, "/message"), outcome("refused", lang), why])?;
        }
        match answer.get("next") {
            Some(next @ Value::Number(_)) => after = next.clone(),
            Some(_) | None => break,
        }
    }
    printer.finish()?;
    Ok(exit)
}

fn outcome(name: &str, lang: Lang) -> String {
    let said = match name {
        "asked" => lang.pick("is read again", "将重新解释"),
        "unchanged" => lang.pick("nothing would change", "结果不变"),
        "waiting" => lang.pick("waits to be read already", "已在等待解释"),
        "refused" => lang.pick("cannot be read again", "无法重新解释"),
        other => other,
    };
    said.to_owned()
}
