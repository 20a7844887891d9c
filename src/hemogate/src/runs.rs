//! `runs`: listed, shown, and declared invalid, at the running daemon.

use crate::{
    cli::{Cli, Format, Lang, Runs},
    client::Client,
    exit::{Exit, Outcome},
    print::{Printer, encoded, print, text},
    revisions::as_person,
};
use serde_json::{Value, json};

pub(crate) async fn runs(cli: &Cli, asked: &Runs, lang: Lang) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    match asked {
        Runs::List(output) => list(&client, output.format, lang).await,
        Runs::Show { run, output } => show(&client, run, output.format, lang).await,
        Runs::Invalidate { run, reason, cause, repeated_in, r#as } => {
            let body = json!({ "reason": reason, "cause": cause.name(), "repeated_in": repeated_in });
            act(&client, (r#as, lang), (run, "invalidate"), &body).await
        }
        Runs::Confirm { run, r#as } => act(&client, (r#as, lang), (run, "confirm"), &Value::Null).await,
        Runs::Repeat { run, repeated_in, r#as } => {
            act(&client, (r#as, lang), (run, "repeat"), &json!({ "repeated_in": repeated_in })).await
        }
        Runs::Judge { run, reason, r#as } => {
            act(&client, (r#as, lang), (run, "judge"), &json!({ "reason": reason })).await
        }
        Runs::Reinstate { run, reason, r#as } => {
            act(&client, (r#as, lang), (run, "reinstate"), &json!({ "reason": reason })).await
        }
    }
}

/// What a person does with a run.
async fn act(client: &Client, (who, lang): (&str, Lang), (run, what): (&str, &str), body: &Value) -> Outcome {
    print(&as_person(client, who, (&format!("runs/{}/{what}", encoded(run)), body), lang).await?)
}

/// Who declared it invalid, who stands for that, and where its samples are tested again.
fn invalidation(said: &Value, lang: Lang) -> Vec<String> {
    let nobody =
        |who: String| if who.is_empty() { lang.pick("nobody yet", "尚无").to_owned() } else { who };
    let (by, second) = (text(said, "/by"), nobody(text(said, "/confirmed/by")));
    let again = nobody(text(said, "/repeated_in"));
    let state = lang.pick(
        format!("declared invalid by {by}, confirmed by {second}"),
        format!("{by}判定无效，确认人：{second}"),
    );
    let again = lang.pick(
        format!("{}; tested again in: {again}", text(said, "/reason")),
        format!("{}；重做批次：{again}", text(said, "/reason")),
    );
    vec![text(said, "/run"), state, again]
}

async fn list(client: &Client, format: Format, lang: Lang) -> Outcome {
    let mut printer = Printer::new(format);
    printer.heads(
        &lang.pick(["run", "donations", "invalidated by entry"], ["批次", "献血数", "判定无效的记录"]),
    );
    let mut after = String::new();
    loop {
        let page = client.get(&format!("runs?limit=1000{after}")).await?;
        for run in page.get("items").and_then(Value::as_array).into_iter().flatten() {
            printer
                .item(run, || ["/run", "/donations", "/invalidated"].map(|path| text(run, path)).to_vec())?;
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={}", encoded(next)),
            None => break,
        }
    }
    printer.finish()?;
    Ok(Exit::Done)
}

async fn show(client: &Client, run: &str, format: Format, lang: Lang) -> Outcome {
    let shown = client.get(&format!("runs/{}", encoded(run))).await?;
    if format == Format::Json {
        return print(&shown);
    }
    let mut printer = Printer::new(format);
    let why = |of: &Value, name: &str| {
        of.get(name).map(|told| text(told, lang.pick("/en", "/zh"))).unwrap_or_default()
    };
    printer.heads(&lang.pick(["what", "state", "why"], ["内容", "状态", "原因"]));
    let each = |name: &str| shown.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let rows = std::iter::once(shown.clone()).chain(each("windows"));
    for row in rows {
        let state = format!("{} {}", text(&row, "/validity"), text(&row, "/qc"));
        let reason = [why(&row, "why"), why(&row, "qc_why")].into_iter().find(|why| !why.is_empty());
        printer.item(&row, || vec![text(&row, "/run"), state, reason.unwrap_or_default()])?;
    }
    if let Some(said) = shown.get("invalidated").filter(|said| !said.is_null()) {
        printer.item(said, || invalidation(said, lang))?;
    }
    for check in each("checks") {
        let word = match check.get("holds").and_then(Value::as_bool) {
            Some(true) => lang.pick("holds", "符合"),
            Some(false) => lang.pick("does not hold", "不符合"),
            None => lang.pick("nobody can know", "无法判定"),
        };
        printer
            .item(&check, || vec![text(&check, "/criterion"), word.to_owned(), text(&check, "/measured")])?;
    }
    for donation in each("depends") {
        printer.item(&donation, || {
            vec![text(&donation, "/donation"), text(&donation, "/unit"), text(&donation, "/runs")]
        })?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}
