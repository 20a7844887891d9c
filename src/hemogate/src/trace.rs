//! `trace`: what went over a connection's line, from a running daemon.

use crate::{
    cli::{Cli, Format, Lang, Trace},
    client::Client,
    exit::{Exit, Failure, Outcome},
    print::Printer,
    run::until_told,
};
use serde_json::Value;
use std::{
    io::{self, Write},
    time::Duration,
};
use vocabulary::ConnectionId;

/// Pause between two looks at a trace that is followed.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

pub(crate) async fn trace(cli: &Cli, asked: &Trace, lang: Lang) -> Outcome {
    let connection = ConnectionId::new(&asked.connection).map_err(|e| Failure::new(Exit::Usage, e))?;
    let store = crate::configuration(cli)?.config.store.path;
    let client = Client::of_running(&store, lang)?;
    let mut reader =
        Reader { client, path: format!("connections/{connection}/trace"), begun: false, at: None };
    reader.go_on(asked.output.format).await?;
    if !asked.follow {
        return Ok(Exit::Done);
    }
    let told = until_told();
    tokio::pin!(told);
    loop {
        tokio::select! {
            told = &mut told => return told.map(|()| Exit::Done),
            () = tokio::time::sleep(LOOK_AGAIN) => reader.go_on(asked.output.format).await?,
        }
    }
}

struct Reader {
    client: Client,
    path: String,
    /// Something was shown already.
    begun: bool,
    /// The last event that was shown, and what times count from.
    at: Option<(u64, u64)>,
}

impl Reader {
    /// Shows what came since it showed something last.
    async fn go_on(&mut self, format: Format) -> Result<(), Failure> {
        let (since, begin_ms) = self.at.unwrap_or_default();
        match format {
            Format::Json => {
                let page = self.client.get(&format!("{}?since={since}", self.path)).await?;
                let mut printer = Printer::new(format);
                for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
                    printer.item(item, Vec::new)?;
                }
                printer.finish()?;
                self.at = Some((page.get("last").and_then(Value::as_u64).unwrap_or(since), begin_ms));
            }
            Format::Table => {
                let on = self.at.map(|_| format!("&begin_ms={begin_ms}")).unwrap_or_default();
                let path = format!("{}?since={since}{on}", self.path);
                let names = ["hemogate-trace-last", "hemogate-trace-begin-ms"];
                let (text, [last, begin_ms]) = self.client.text(&path, names).await?;
                // Until something happens its times are still to be fixed; that nothing did is said once.
                self.at = (last > 0).then_some((last, begin_ms));
                if last > 0 || !self.begun {
                    let mut out = io::stdout().lock();
                    out.write_all(text.as_bytes())?;
                    out.flush()?;
                }
                self.begun = true;
            }
        }
        Ok(())
    }
}
