//! `donation`: what a person says of one donation, at the running daemon.

use crate::{
    cli::{Cli, Donation, Lang},
    client::Client,
    exit::Outcome,
    print::{encoded, print},
    revisions::as_person,
};
use serde_json::{Value, json};

pub(crate) async fn donation(cli: &Cli, asked: &Donation, lang: Lang) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    let (donation, what, body, by) = said(asked);
    let path = format!("donations/{}/{what}", encoded(donation));
    print(&as_person(&client, by, (&path, &body), lang).await?)
}

/// Of which donation, what, with what, by whom.
fn said(asked: &Donation) -> (&str, &'static str, Value, &str) {
    match asked {
        Donation::Hold { donation, kind, reason, r#as } => {
            (donation, "hold", json!({ "kind": kind.name(), "reason": reason }), r#as)
        }
        Donation::Lift { donation, reason, r#as } => (donation, "lift", json!({ "reason": reason }), r#as),
    }
}
