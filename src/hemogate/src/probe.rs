//! `probe`: what would happen if a connection were used now. A running daemon is asked; without one it is found out from
//! the configuration.

use crate::{
    cli::{Cli, Lang, Probe},
    client::Client,
    exit::{Exit, Failure, Outcome},
    lines,
    print::Printer,
};
use serde_json::{Value, json};
use vocabulary::ConnectionId;

pub(crate) async fn probe(cli: &Cli, asked: &Probe, lang: Lang) -> Outcome {
    let connection = ConnectionId::new(&asked.connection).map_err(|e| Failure::new(Exit::Usage, e))?;
    let config = crate::configuration(cli)?.config;
    let looks = if let Some(client) = Client::of_store(&config.store.path)? {
        let mut found = client.get(&format!("connections/{connection}/probe")).await?;
        match found.get_mut("items").map(Value::take) {
            Some(Value::Array(looks)) => looks,
            Some(_) | None => Vec::new(),
        }
    } else {
        let configured = config.connections.iter().find(|c| c.id == connection).ok_or_else(|| {
            let known: Vec<&str> = config.connections.iter().map(|c| c.id.as_str()).collect();
            let what = format!("there is no connection {connection}; there are: {}", known.join(", "));
            Failure::new(Exit::No, what)
        })?;
        let looks = intake::probe_unserved(&lines::reach(&configured.transport), configured.mode).await;
        looks.iter().map(|look| json!(look)).collect()
    };
    let mut printer = Printer::new(asked.output.format);
    printer.heads(&lang.pick(["", "looked at", "found"], ["", "检查项", "结果"]));
    for look in &looks {
        printer.item(look, || row(look, lang))?;
    }
    printer.finish()?;
    let bad = looks.iter().any(|look| look.get("outcome").is_some_and(|outcome| outcome == "bad"));
    Ok(if bad { Exit::No } else { Exit::Done })
}

fn row(look: &Value, lang: Lang) -> Vec<String> {
    let said = |name: &str| {
        let said = look.get(name).and_then(|said| said.get(lang.pick("en", "zh")));
        said.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mark = match look.get("outcome").and_then(Value::as_str) {
        Some("good") => "✓",
        Some("doubt") => "?",
        Some(_) | None => "✗",
    };
    vec![mark.to_owned(), said("at"), said("found")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_a_row_in_either_language() {
        for (outcome, mark) in [("good", "✓"), ("doubt", "?"), ("bad", "✗")] {
            let look = json!({
                "aspect": "port", "outcome": outcome,
                "at": { "en": "the port", "zh": "端口" }, "found": { "en": "it is free", "zh": "空闲" },
            });
            assert_eq!(row(&look, Lang::En), [mark, "the port", "it is free"]);
            assert_eq!(row(&look, Lang::Zh), [mark, "端口", "空闲"]);
        }
    }
}
