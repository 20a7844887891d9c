//! `lots`: those that were found defective, at the running daemon.

use crate::{
    cli::{Cli, Lang, Lots},
    client::Client,
    exit::{Exit, Outcome},
    print::{Printer, encoded, print, text},
    revisions::as_person,
};
use serde_json::{Value, json};

pub(crate) async fn lots(cli: &Cli, asked: &Lots, lang: Lang) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    let (lot, what, body, who) = match asked {
        Lots::List(output) => {
            let answer = client.get("lots/defective").await?;
            let mut printer = Printer::new(output.format);
            printer.heads(&lang.pick(
                ["lot", "since", "by", "confirmed by", "why"],
                ["批号", "自", "判定人", "确认人", "原因"],
            ));
            for one in answer.get("items").and_then(Value::as_array).into_iter().flatten() {
                let cells = ["/lot", "/since", "/declared/by", "/confirmed/by", "/reason"];
                printer.item(one, || cells.map(|path| text(one, path)).to_vec())?;
            }
            printer.finish()?;
            return Ok(Exit::Done);
        }
        Lots::Defective { lot, since, reason, r#as } => {
            (lot, "defective", json!({ "since": since.to_string(), "reason": reason }), r#as)
        }
        Lots::Confirm { lot, r#as } => (lot, "confirm", Value::Null, r#as),
        Lots::Reinstate { lot, reason, r#as } => (lot, "reinstate", json!({ "reason": reason }), r#as),
    };
    print(&as_person(&client, who, (&format!("lots/{}/{what}", encoded(lot)), &body), lang).await?)
}
