//! `donation`: what a person says of one donation, at the running daemon.

use crate::{
    cli::{Cli, Donation, Format, Lang},
    client::Client,
    exit::{Exit, Outcome},
    print::{Printer, encoded, print, text},
    revisions::as_person,
};
use serde_json::{Value, json};

pub(crate) async fn donation(cli: &Cli, asked: &Donation, lang: Lang) -> Outcome {
    let client = Client::of_running(&crate::configuration(cli)?.config.store.path, lang)?;
    let (donation, what, body, by) = match asked {
        Donation::Show { donation, output } => {
            let shown = client.get(&format!("donations/{}", encoded(donation))).await?;
            return show(&shown, output.format, lang);
        }
        Donation::Hold { donation, kind, reason, r#as } => {
            (donation, "hold", json!({ "kind": kind.name(), "reason": reason }), r#as)
        }
        Donation::Lift { donation, reason, r#as } => (donation, "lift", json!({ "reason": reason }), r#as),
        Donation::CheckNumber { donation, reason, r#as } => {
            (donation, "number/check", json!({ "reason": reason }), r#as)
        }
        Donation::AcceptDuplicate { donation, assay, seen, reason, r#as } => {
            let body = json!({ "assay": assay, "seen": seen, "reason": reason });
            (donation, "duplicate/accept", body, r#as)
        }
        Donation::SettleResult { donation, assay, marker, message, seen, reason, r#as } => {
            let body = json!({
                "assay": assay, "marker": marker, "message": message, "seen": seen, "reason": reason,
            });
            (donation, "result/settle", body, r#as)
        }
        Donation::SettleRegistration { donation, entry, seen, reason, r#as } => {
            let body = json!({ "entry": entry, "seen": seen, "reason": reason });
            (donation, "registration/settle", body, r#as)
        }
    };
    let path = format!("donations/{}/{what}", encoded(donation));
    print(&as_person(&client, by, (&path, &body), lang).await?)
}

/// What a person says, or has to say.
const SAID: [&str; 8] = [
    "donation",
    "summary",
    "by_people",
    "typed_numbers",
    "duplicates",
    "disputed_results",
    "registered_twice",
    "donor_tasks",
];

fn show(shown: &Value, format: Format, lang: Lang) -> Outcome {
    if format == Format::Json {
        let said = SAID.iter().filter_map(|name| Some(((*name).to_owned(), shown.get(*name)?.clone())));
        return print(&Value::Object(said.collect()));
    }
    let each = |of: &Value, path: &str| -> Vec<Value> {
        of.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let by = |of: &Value, path: &str| {
        let by: Vec<String> = each(of, path).iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if by.is_empty() { lang.pick("nobody yet", "尚无").to_owned() } else { by.join(", ") }
    };
    let mut printer = Printer::new(format);
    printer.heads(&lang.pick(["what", "which", "about", "by"], ["内容", "对象", "说明", "人员"]));
    for hold in each(shown, "/by_people/holds") {
        printer.item(&hold, || {
            let what = lang.pick("held", "暂扣").to_owned();
            vec![what, text(&hold, "/kind"), text(&hold, "/reason"), text(&hold, "/by")]
        })?;
    }
    for number in each(shown, "/typed_numbers") {
        printer.item(&number, || {
            let which = [text(&number, "/pool"), text(&number, "/specimen")].join(" ").trim().to_owned();
            let about = format!(
                "{} ({} {})",
                text(&number, "/what"),
                text(&number, "/message"),
                text(&number, "/place")
            );
            vec![lang.pick("typed in", "手工录入").to_owned(), which, about, by(&number, "/checked_by")]
        })?;
    }
    for duplicate in each(shown, "/duplicates") {
        let test = |test: &Value| {
            let lots: Vec<String> =
                each(test, "/lots").iter().filter_map(Value::as_str).map(str::to_owned).collect();
            format!("{} {} [{}]", text(test, "/value"), text(test, "/instrument"), lots.join(" "))
        };
        printer.item(&duplicate, || {
            let tests: Vec<String> = each(&duplicate, "/tests").iter().map(test).collect();
            vec![
                lang.pick("duplicate on another lot or analyser", "异批号或异仪器复检").to_owned(),
                format!("{} {}", text(&duplicate, "/assay"), text(&duplicate, "/seen")),
                tests.join("; "),
                by(&duplicate, "/accepted_by"),
            ]
        })?;
    }
    for disputed in each(shown, "/disputed_results") {
        printer.item(&disputed, || row_of_versions(&disputed, lang))?;
    }
    if let Some(twice) = shown.get("registered_twice").filter(|twice| !twice.is_null()) {
        printer.item(twice, || row_of_registrations(twice, lang))?;
    }
    for task in each(shown, "/donor_tasks") {
        printer.item(&task, || {
            let what = lang.pick("to be done for the donor", "献血者待办").to_owned();
            let which = [text(&task, "/kind"), text(&task, "/marker")].join(" ");
            vec![what, which, text(&task, lang.pick("/next", "/next_zh")), String::new()]
        })?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}

/// A result that was sent with different values, each version with who says that it stands.
fn row_of_versions(disputed: &Value, lang: Lang) -> Vec<String> {
    let versions = disputed.get("versions").and_then(Value::as_array).into_iter().flatten();
    let (mut about, mut by) = (Vec::new(), Vec::new());
    for version in versions {
        let (message, read) = (text(version, "/message"), text(version, "/interpretation"));
        let read = if read.is_empty() { read } else { format!(" ({read})") };
        let od = text(version, "/od");
        let read = if od.is_empty() { read } else { format!(" OD {od}{read}") };
        about.push(format!("{message}: {}{read} [{}]", text(version, "/value"), text(version, "/status")));
        let said_by = version.get("said_by").and_then(Value::as_array).into_iter().flatten();
        by.extend(said_by.filter_map(Value::as_str).map(|who| format!("{who}: {message}")));
    }
    if let Some(stands) = disputed.get("stands").and_then(Value::as_u64) {
        about.push(format!("{}{stands}", lang.pick("stands: ", "为准：")));
    }
    let nobody = lang.pick("nobody yet", "尚无").to_owned();
    vec![
        lang.pick("sent with different values", "结果先后不一致").to_owned(),
        [
            text(disputed, "/pool"),
            text(disputed, "/assay"),
            text(disputed, "/marker"),
            text(disputed, "/seen"),
        ]
        .join(" ")
        .trim()
        .to_owned(),
        about.join("; "),
        if by.is_empty() { nobody } else { by.join(", ") },
    ]
}

/// A number that was registered for two, each registration with who says that it stands.
fn row_of_registrations(twice: &Value, lang: Lang) -> Vec<String> {
    let told = twice.get("registrations").and_then(Value::as_array).into_iter().flatten();
    let (mut about, mut by) = (Vec::new(), Vec::new());
    for one in told {
        let entry = text(one, "/entry");
        let (donor, at) = (text(one, "/registration/donor/id"), text(one, "/registration/collected_at"));
        let again = text(one, "/again");
        let again =
            if again.is_empty() { again } else { format!(" ({} {again})", lang.pick("again", "再次")) };
        about.push(format!("{entry}: {}{donor} {at}{again}", lang.pick("donor ", "献血者")));
        let said_by = one.get("said_by").and_then(Value::as_array).into_iter().flatten();
        by.extend(said_by.filter_map(Value::as_str).map(|who| format!("{who}: {entry}")));
    }
    if let Some(more) = twice.get("more").and_then(Value::as_u64) {
        about.push(format!("+{more}"));
    }
    if let Some(stands) = twice.get("stands").and_then(Value::as_u64) {
        about.push(format!("{}{stands}", lang.pick("stands: ", "为准：")));
    }
    let nobody = lang.pick("nobody yet", "尚无").to_owned();
    vec![
        lang.pick("registered for two", "编号重复登记").to_owned(),
        text(twice, "/seen"),
        about.join("; "),
        if by.is_empty() { nobody } else { by.join(", ") },
    ]
}
