//! Metrics in the Prometheus text form. Labels are connections and receivers, never donations.

use crate::{Site, problem::Problem};
use axum::{extract::State, http::header, response::IntoResponse};
use std::{fmt::Write, sync::Arc};

struct Text(String);

impl Text {
    fn metric(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (String, u64)>,
    ) {
        let written = self.write(name, kind, help, samples);
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }

    fn write(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (String, u64)>,
    ) -> std::fmt::Result {
        writeln!(self.0, "# HELP hemogate_{name} {help}\n# TYPE hemogate_{name} {kind}")?;
        for (labels, value) in samples {
            writeln!(self.0, "hemogate_{name}{labels} {value}")?;
        }
        Ok(())
    }
}

fn label(name: &str, value: &str) -> String {
    let value: String = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ");
    format!("{{{name}=\"{value}\"}}")
}

fn bare(value: u64) -> [(String, u64); 1] {
    [(String::new(), value)]
}

pub(crate) async fn metrics(State(site): State<Arc<Site>>) -> Result<impl IntoResponse, Problem> {
    let counters = site.read(ledger::Reader::counters).await?;
    let status = site.ledger.status();
    let mut text = Text(String::new());
    text.metric("accepting", "gauge", "1 while results are accepted", bare(u64::from(status.accepting)));
    text.metric("journal_bytes", "gauge", "Size of the journal", bare(status.journal_bytes));
    text.metric(
        "state_lag_entries",
        "gauge",
        "Entries the state is behind the journal",
        bare(status.lag_entries),
    );
    text.metric("entries_total", "counter", "Entries of the ledger", bare(counters.entries));
    text.metric("messages_total", "counter", "Messages received", bare(counters.messages));
    text.metric(
        "messages_held",
        "gauge",
        "Messages with findings that hold or quarantine",
        bare(counters.held_messages),
    );
    text.metric("half_transfers", "gauge", "Half transmissions kept", bare(counters.half_transfers));
    text.metric("observations_total", "counter", "Results", bare(counters.observations));
    text.metric("verdicts_total", "counter", "Verdicts", bare(counters.verdicts));
    text.metric("deliveries_pending", "gauge", "Deliveries to be made", bare(counters.deliveries_pending));
    text.metric("deliveries_done_total", "counter", "Deliveries made", bare(counters.deliveries_done));
    text.metric("dead_letters", "gauge", "Deliveries given up", bare(counters.deliveries_dead));
    let lines = site.connections.standings();
    let of = |value: fn(&intake::Standing) -> u64| -> Vec<(String, u64)> {
        lines.iter().map(|(id, standing)| (label("connection", id.as_str()), value(standing))).collect()
    };
    text.metric(
        "connection_accepted_total",
        "counter",
        "Frames and blocks accepted",
        of(|s| s.accepted_total),
    );
    text.metric("connection_refused_total", "counter", "Frames and blocks refused", of(|s| s.refused_total));
    text.metric("connection_bytes_total", "counter", "Bytes received", of(|s| s.bytes_total));
    text.metric("connection_anomalies_total", "counter", "Anomalies of the line", of(|s| s.anomalies_total));
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text.0))
}
