//! `analyser` and `operator`: what is written down of their fitness, at the running daemon.

use crate::{
    cli::{AnalyserNote, Cli, Format, Lang, Operator},
    client::Client,
    exit::{Exit, Outcome},
    print::{Printer, encoded, print, text},
    revisions::as_person,
};
use serde_json::{Value, json};

fn daemon(cli: &Cli, lang: Lang) -> Result<Client, crate::exit::Failure> {
    Client::of_running(&crate::configuration(cli)?.config.store.path, lang)
}

pub(crate) async fn analyser(cli: &Cli, asked: &AnalyserNote, lang: Lang) -> Outcome {
    let client = daemon(cli, lang)?;
    match asked {
        AnalyserNote::Services { connection, output } => {
            let notes = client.get(&format!("connections/{}/services", encoded(connection))).await?;
            let heads = lang.pick(
                ["done", "service", "analyser", "holds until", "report", "by"],
                ["完成", "内容", "仪器", "有效至", "报告", "登记人"],
            );
            let row = |act: &Value, by: String| {
                let of = |path: &str| text(act, &format!("/serviced/{path}"));
                let done =
                    of("done_ms").parse().ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
                let done = done.map(|at| at.to_string()).unwrap_or_default();
                vec![done, of("service"), of("instrument"), of("due"), of("report"), by]
            };
            list(&notes, (&heads, output.format), row)
        }
        AnalyserNote::Serviced { connection, instrument, service, at, due, report, r#as } => {
            let body = json!({
                "instrument": instrument, "service": service.name(), "at": at, "due": due, "report": report,
            });
            let path = format!("connections/{}/services", encoded(connection));
            print(&as_person(&client, r#as, (&path, &body), lang).await?)
        }
    }
}

pub(crate) async fn operator(cli: &Cli, asked: &Operator, lang: Lang) -> Outcome {
    let client = daemon(cli, lang)?;
    match asked {
        Operator::List(output) => {
            let notes = client.get("operators").await?;
            let heads = lang.pick(
                ["operator", "assays", "from", "until", "reason", "by"],
                ["操作者", "检测项目", "开始", "截止", "依据", "登记人"],
            );
            let row = |act: &Value, by: String| {
                let given = act.get("operator_authorised");
                let ended = act.get("operator_withdrawn").unwrap_or(&Value::Null);
                let act = given.unwrap_or(ended);
                let assays = act.get("assays").and_then(Value::as_array);
                let assays: Option<Vec<&str>> =
                    assays.map(|all| all.iter().filter_map(Value::as_str).collect());
                let assays = match (given, assays) {
                    (None, _) => lang.pick("withdrawn", "撤销").to_owned(),
                    (Some(_), None) => lang.pick("every one", "全部").to_owned(),
                    (Some(_), Some(all)) => all.join(", "),
                };
                let of = |path: &str| text(act, path);
                vec![of("/operator"), assays, of("/from"), of("/until"), of("/reason"), by]
            };
            list(&notes, (&heads, output.format), row)
        }
        Operator::Authorise { operator, assay, from, until, reason, r#as } => {
            let body = json!({
                "operator": operator, "assays": assay, "from": from, "until": until, "reason": reason,
            });
            print(&as_person(&client, r#as, ("operators/authorise", &body), lang).await?)
        }
        Operator::Withdraw { operator, from, reason, r#as } => {
            let body = json!({ "operator": operator, "from": from, "reason": reason });
            print(&as_person(&client, r#as, ("operators/withdraw", &body), lang).await?)
        }
    }
}

fn list(
    notes: &Value,
    (heads, format): (&[&str], Format),
    row: impl Fn(&Value, String) -> Vec<String>,
) -> Outcome {
    let mut printer = Printer::new(format);
    printer.heads(heads);
    for note in notes.get("items").and_then(Value::as_array).into_iter().flatten() {
        let act = note.get("act").unwrap_or(&Value::Null);
        printer.item(note, || row(act, text(note, "/by")))?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}
