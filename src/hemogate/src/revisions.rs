//! `profile add`, `activate`, `map` and `pinned`: which revision a connection reads with, over a running daemon.

use crate::{
    cli::{Cli, Lang, Revisions},
    client::Client,
    exit::{Exit, Failure, Outcome},
    print::{Printer, encoded},
    secret::password_of,
};
use instrument_profiles::Profile;
use serde_json::{Value, json};
use std::io::{self, Write};

pub(crate) async fn revisions(cli: &Cli, asked: &Revisions, lang: Lang) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    match asked {
        Revisions::Pinned { connection, output } => {
            let answer = client.get(&format!("connections/{}/profile", encoded(connection))).await?;
            let mut printer = Printer::new(output.format);
            printer.heads(
                &lang.pick(
                    ["when", "who", "what", "revision", "why"],
                    ["时间", "何人", "事项", "版本", "原因"],
                ),
            );
            if output.format == crate::cli::Format::Json {
                printer.item(&answer, Vec::new)?;
            } else {
                for entry in answer.get("history").and_then(Value::as_array).into_iter().flatten() {
                    printer.item(entry, || row(entry, lang))?;
                }
            }
            printer.finish()?;
            if output.format == crate::cli::Format::Table {
                of_another_time(&answer, lang)?;
            }
            Ok(Exit::Done)
        }
        Revisions::Add { folder, r#as } => {
            let profile = Profile::load(folder).map_err(|faults| Failure::new(Exit::BadInput, faults))?;
            let content = profile.content();
            let body = json!({ "text": content.text, "templates": content.templates });
            commanded(&client, r#as, ("profiles", &body), lang).await
        }
        Revisions::Activate { connection, revision, why, r#as } => {
            let path = format!("connections/{}/profile/activate", encoded(connection));
            commanded(&client, r#as, (&path, &json!({ "revision": revision, "why": why })), lang).await
        }
        Revisions::Map { connection, value, map, means, test, like, aside, message, why, r#as } => {
            let mapped = match (value, map, means, test, like, aside) {
                (Some(text), Some(map), Some(meaning), None, None, None) => {
                    json!({ "value": { "map": map, "text": text, "meaning": meaning } })
                }
                (None, None, None, Some(code), Some(like), None) => {
                    json!({ "test": { "code": code, "like": like } })
                }
                (None, None, None, None, None, Some(code)) => json!({ "aside": { "code": code } }),
                _ => {
                    let what = lang.pick(
                        "say one thing: --value TEXT --map MAP --means MEANING, --test CODE --like CODE, or --aside CODE",
                        "请指定一项:--value 文本 --map 映射表 --means 含义,或 --test 代码 --like 代码,或 --aside 代码",
                    );
                    return Err(Failure::new(Exit::Usage, what));
                }
            };
            let path = format!("connections/{}/profile/map", encoded(connection));
            let body = json!({ "mapped": mapped, "why": why, "message": message });
            commanded(&client, r#as, (&path, &body), lang).await
        }
    }
}

/// What a revision of an earlier release leaves unsaid.
fn of_another_time(answer: &Value, lang: Lang) -> Result<(), Failure> {
    let unsaid =
        answer.get("unsaid").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let lines: Vec<&str> = unsaid.collect();
    if lines.is_empty() {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    let what = lang.pick(
        "This revision is of an earlier release and reads as it did then. What a profile has to say by now and this one does not; \
         a run without controls that it requires by name stays open. Let two people activate a revision that says it:",
        "此版本出自较早的发行版，仍按当时的规则读取。以下内容现在必须写明而此版本没有；未写明必需质控的批次一直待定。请由两人启用写明的版本：",
    );
    writeln!(out, "\n{what}")?;
    for line in lines {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// Gives a command as a person, who is asked for the password.
pub(crate) async fn as_person(
    client: &Client,
    by: &str,
    (path, body): (&str, &Value),
    lang: Lang,
) -> Result<Value, Failure> {
    let session = client.sign_in(by, &password_of(by, lang)?).await?;
    let answer = session.post(path, body).await;
    session.sign_out().await;
    answer
}

async fn commanded(client: &Client, by: &str, asked: (&str, &Value), lang: Lang) -> Outcome {
    let answer = as_person(client, by, asked, lang).await?;
    let mut printer = Printer::new(crate::cli::Format::Table);
    let revision = text(&answer, "/profile/revision");
    let said = match answer.get("step").and_then(Value::as_str) {
        Some("proposed") => lang.pick(
            "is proposed; another person has to agree with the same command",
            "已提议;须由另一人以同一命令启用",
        ),
        Some("activated") if answer.get("line_at_next_start") == Some(&Value::Bool(true)) => lang.pick(
            "is in force for what comes; framing, answers and orders follow at the next start. Then: hemogate reprocess",
            "已启用;通信、应答与申请将在下次启动时采用。可执行 hemogate reprocess 重新解释",
        ),
        Some("activated") => lang.pick(
            "is in force for what comes. What came before: hemogate reprocess",
            "已启用。此前的报文可执行 hemogate reprocess 重新解释",
        ),
        Some("in_force") => lang.pick("was in force already", "已在使用"),
        _ => lang.pick("is kept; activate it with hemogate profile activate", "已保存;请用 hemogate profile activate 启用"),
    };
    printer.item(&answer, || vec![revision, said.to_owned()])?;
    printer.finish()?;
    Ok(Exit::Done)
}

fn text(value: &Value, path: &str) -> String {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn row(entry: &Value, lang: Lang) -> Vec<String> {
    let at = entry.get("at_ms").and_then(Value::as_i64);
    let at = at.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).map(|at| at.to_string());
    let what = match entry.get("what").and_then(Value::as_str).unwrap_or_default() {
        "profile_pinned" => lang.pick("pinned at its first start", "首次启动时固定"),
        "profile_proposed" => lang.pick("proposed", "提议"),
        "profile_activated" => lang.pick("activated", "启用"),
        other => other,
    };
    let revision: String = text(entry, "/detail/profile/revision").chars().take(12).collect();
    vec![
        at.unwrap_or_default(),
        text(entry, "/by"),
        what.to_owned(),
        format!("{} {revision}", text(entry, "/detail/profile/id")),
        text(entry, "/detail/why"),
    ]
}
