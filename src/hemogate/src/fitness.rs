//! `analyser` and `operator`: what is written down of their fitness, at the running daemon.

use crate::{
    cli::{AnalyserNote, Cli, Format, Lang, Note, Operator},
    client::Client,
    exit::{Exit, Failure, Outcome},
    print::{Printer, encoded, print, text},
    revisions::as_person,
};
use serde_json::{Value, json};
use std::io::{self, Write};

/// A person's word at the running daemon.
struct Door {
    client: Client,
    lang: Lang,
}

impl Door {
    fn of(cli: &Cli, lang: Lang) -> Result<Self, Failure> {
        let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
        Ok(Self { client, lang })
    }

    async fn says(&self, who: &str, path: &str, body: &Value) -> Outcome {
        print(&as_person(&self.client, who, (path, body), self.lang).await?)
    }

    async fn confirms(&self, note: &Note) -> Outcome {
        self.tells(note.entry).await?;
        self.says(&note.r#as, &format!("fitness/{}/confirm", note.entry), &Value::Null).await
    }

    async fn takes_back(&self, note: &Note, reason: &str) -> Outcome {
        self.tells(note.entry).await?;
        let path = format!("fitness/{}/take-back", note.entry);
        self.says(&note.r#as, &path, &json!({ "reason": reason })).await
    }

    /// What an entry says and how much it changes, before the person gives a word about it.
    async fn tells(&self, entry: u64) -> Result<(), Failure> {
        let note = self.client.get(&format!("fitness/{entry}")).await?;
        let mut out = io::stderr().lock();
        for (head, part) in heads(self.lang).into_iter().zip(row(&note, self.lang)) {
            writeln!(out, "{head}{}{part}", self.lang.pick(": ", "："))?;
        }
        let [runs, donations] = ["/changes/runs", "/changes/donations"].map(|path| text(&note, path));
        let changes = self.lang.pick(
            format!("decided anew with it: donations {donations}, runs {runs}"),
            format!("将随之重新判定：{donations} 份献血，涉及 {runs} 个批次"),
        );
        writeln!(out, "{changes}")?;
        Ok(())
    }

    async fn lists(&self, path: &str, format: Format) -> Outcome {
        let lang = self.lang;
        let mut printer = Printer::new(format);
        printer.heads(&heads(lang));
        let mut after = String::new();
        loop {
            let page = self.client.get(&format!("{path}?limit=1000{after}")).await?;
            for note in page.get("items").and_then(Value::as_array).into_iter().flatten() {
                printer.item(note, || row(note, lang))?;
            }
            match page.get("next").and_then(Value::as_str) {
                Some(next) => after = format!("&after={}", encoded(next)),
                None => break,
            }
        }
        printer.finish()?;
        Ok(Exit::Done)
    }
}

pub(crate) async fn analyser(cli: &Cli, asked: &AnalyserNote, lang: Lang) -> Outcome {
    let door = Door::of(cli, lang)?;
    match asked {
        AnalyserNote::Services { connection, output } => {
            door.lists(&format!("connections/{}/services", encoded(connection)), output.format).await
        }
        AnalyserNote::Serviced { connection, instrument, service, from, due, report, r#as } => {
            let body = json!({
                "instrument": instrument, "service": service.name(), "from": from, "due": due, "report": report,
            });
            door.says(r#as, &format!("connections/{}/services", encoded(connection)), &body).await
        }
        AnalyserNote::Unfit { connection, instrument, service, from, reason, r#as } => {
            let body = json!({
                "instrument": instrument, "service": service.name(), "from": from, "reason": reason,
            });
            door.says(r#as, &format!("connections/{}/unfit", encoded(connection)), &body).await
        }
        AnalyserNote::Confirm(note) => door.confirms(note).await,
        AnalyserNote::TakeBack { note, reason } => door.takes_back(note, reason).await,
    }
}

pub(crate) async fn operator(cli: &Cli, asked: &Operator, lang: Lang) -> Outcome {
    let door = Door::of(cli, lang)?;
    match asked {
        Operator::List(output) => door.lists("operators", output.format).await,
        Operator::Authorise { operator, assay, from, until, reason, r#as } => {
            let body = json!({
                "operator": operator, "assays": assay, "from": from, "until": until, "reason": reason,
            });
            door.says(r#as, "operators/authorise", &body).await
        }
        Operator::Withdraw { operator, assay, from, reason, r#as } => {
            let body = json!({ "operator": operator, "assays": assay, "from": from, "reason": reason });
            door.says(r#as, "operators/withdraw", &body).await
        }
        Operator::Confirm(note) => door.confirms(note).await,
        Operator::TakeBack { note, reason } => door.takes_back(note, reason).await,
    }
}

fn heads(lang: Lang) -> [&'static str; 8] {
    lang.pick(
        ["entry", "what", "of", "from", "until", "why", "by", "state"],
        ["记录", "内容", "对象", "开始", "截止", "依据", "登记人", "状态"],
    )
}

fn row(note: &Value, lang: Lang) -> Vec<String> {
    let act = note.get("act").and_then(Value::as_object).and_then(|act| act.iter().next());
    let (kind, act) = act.map_or(("", &Value::Null), |(kind, act)| (kind.as_str(), act));
    let kind = match kind {
        "serviced" => lang.pick("good", "合格"),
        "unfit" => lang.pick("overdue or failed", "逾期或不合格"),
        "authorised" => lang.pick("authorised", "授权"),
        "withdrawn" => lang.pick("withdrawn", "撤销授权"),
        other => other,
    };
    let part = |path: &str| text(act, path);
    let named = ["/connection", "/instrument", "/operator", "/assays"].map(part);
    let named: Vec<String> = named.into_iter().filter(|part| !part.is_empty()).collect();
    let own = act.get("from_ms").or_else(|| note.get("at_ms")).and_then(Value::as_i64);
    let from = own.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let is = |name: &str| note.get(name) == Some(&Value::Bool(true));
    let state = if note.get("taken_back").is_some() {
        lang.pick("taken back", "已撤回")
    } else if is("lapsed") {
        lang.pick("lapsed without a second person: write it anew", "逾期未经另一人确认，已失效：请重新登记")
    } else if is("take_back_waits") {
        lang.pick("another person has to agree that it is taken back", "待另一人同意撤回")
    } else if is("waits") {
        lang.pick("waits for another person", "待另一人确认")
    } else {
        lang.pick("in effect", "有效")
    };
    vec![
        text(note, "/entry"),
        format!("{kind} {}", part("/service")).trim_end().to_owned(),
        named.join(" "),
        from.map(|at| at.to_string()).unwrap_or_default(),
        format!("{}{}", part("/due"), part("/until")),
        format!("{}{}", part("/report"), part("/reason")),
        text(note, "/by"),
        state.to_owned(),
    ]
}
