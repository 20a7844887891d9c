//! Metrics in the Prometheus text form. Labels are connections and receivers, never donations.

use crate::{Site, problem::Problem};
use axum::{extract::State, http::header, response::IntoResponse};
use intake::{Irregularity, Standing};
use std::{collections::BTreeMap, fmt::Write, sync::Arc};
use vocabulary::ConnectionId;

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

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ")
}

fn label(name: &str, value: &str) -> String {
    format!("{{{name}=\"{}\"}}", escaped(value))
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
    text.metric(
        "deliveries_withdrawn_total",
        "counter",
        "Passes that were no longer the verdict when they were to be sent",
        bare(counters.deliveries_withdrawn),
    );
    text.metric("dead_letters", "gauge", "Deliveries given up", bare(counters.deliveries_dead));
    connections(&mut text, &site.connections.standings());
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text.0))
}

/// A number of a connection: name, kind, help, and where it stands.
type OfConnection = (&'static str, &'static str, &'static str, fn(&Standing) -> u64);

const OF_CONNECTION: &[OfConnection] = &[
    ("connection_sockets", "gauge", "Sockets open", |s| s.sockets as u64),
    ("connection_connected_total", "counter", "Sockets and lines opened", |s| s.connected_total),
    ("connection_silent", "gauge", "1 while nothing comes for longer than it should", |s| {
        u64::from(s.silent)
    }),
    ("connection_bytes_total", "counter", "Bytes received", |s| s.bytes_total),
    ("connection_sent_bytes_total", "counter", "Bytes sent", |s| s.bytes_sent_total),
    ("connection_accepted_total", "counter", "Frames and blocks accepted", |s| s.accepted_total),
    ("connection_refused_total", "counter", "Frames and blocks refused", |s| s.refused_total),
    ("connection_messages_total", "counter", "Messages received", |s| s.messages_total),
    ("connection_cut_total", "counter", "Transmissions that ended half-way", |s| s.cut_total),
    ("connection_repeated_total", "counter", "Frames and files that came again", |s| s.repeated_total),
    ("connection_last_bytes_seconds", "gauge", "When the last bytes came; 0 is never", |s| {
        s.last_bytes_ms / 1_000
    }),
    ("connection_last_message_seconds", "gauge", "When the last message was kept; 0 is never", |s| {
        s.last_message_ms / 1_000
    }),
];

fn connections(text: &mut Text, standings: &BTreeMap<ConnectionId, Standing>) {
    for (name, kind, help, value) in OF_CONNECTION {
        let samples =
            standings.iter().map(|(id, standing)| (label("connection", id.as_str()), value(standing)));
        text.metric(name, kind, help, samples);
    }
    // Every kind of every connection, so that a rate over a first one is not lost.
    let anomalies = standings.iter().flat_map(|(id, standing)| {
        Irregularity::ALL.map(|kind| {
            let labels = format!("{{connection=\"{}\",kind=\"{}\"}}", escaped(id.as_str()), kind.name());
            (labels, standing.anomalies.get(&kind).copied().unwrap_or(0))
        })
    });
    let help = "What was not as it should be on the line, by kind";
    text.metric("connection_anomalies_total", "counter", help, anomalies);
}
