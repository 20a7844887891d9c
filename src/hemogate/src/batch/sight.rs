//! What a person sees of a batch before a signature that names nothing seen before: what it would sign, what stays and why.

use crate::{
    cli::Lang,
    exit::{Exit, Failure},
};
use serde_json::Value;
use std::io::{self, BufRead, IsTerminal, Write};

/// A signature that is about to be given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signing<'a> {
    /// Of the technical review.
    Review,
    /// Of the release: of these only, where any are named, with these gates set aside.
    Release { only: &'a [String], set_aside: &'a [String] },
}

/// Shows the batch on the terminal and asks. Without a terminal nobody can have looked.
pub(super) fn agreed_to(shown: &Value, signing: Signing<'_>, lang: Lang) -> Result<(), Failure> {
    let asked = ask(&mut io::stdin().lock(), &mut io::stderr().lock(), &lines(shown, signing, lang), lang)?;
    let what = lang.pick("nothing was signed", "未签名");
    if asked { Ok(()) } else { Err(Failure::new(Exit::No, what)) }
}

/// Whether somebody sits there who can look and answer.
pub(super) fn can_be_shown() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// What to do without a terminal.
pub(super) fn blind(batch: u64, lang: Lang) -> Failure {
    let what = match lang {
        Lang::En => format!(
            "a signature is for what somebody has seen: without a terminal give --seen HASH, the \"seen\" that hemogate batch \
             show {batch} printed; nothing was signed"
        ),
        Lang::Zh => format!(
            "签名只针对所见内容：非终端方式下须用 --seen 给出 hemogate batch show {batch} 所显示的 seen 值；未签名"
        ),
    };
    Failure::new(Exit::Usage, what)
}

fn ask(from: &mut impl BufRead, to: &mut impl Write, lines: &[String], lang: Lang) -> Result<bool, Failure> {
    for line in lines {
        writeln!(to, "{line}")?;
    }
    write!(to, "{}", lang.pick("Sign this? Type yes: ", "确认签名？请输入 yes："))?;
    to.flush()?;
    let mut answer = String::new();
    from.read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn listed<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Counts, then each donation with what becomes of it.
fn lines(shown: &Value, signing: Signing<'_>, lang: Lang) -> Vec<String> {
    let members: Vec<&Value> = listed(shown, "donations").collect();
    let (signed, stay): (Vec<&Value>, Vec<&Value>) =
        members.iter().copied().partition(|member| would_sign(member, signing, &members));
    let batch = shown.get("batch").cloned().unwrap_or_default();
    let number = |pointer: &str| shown.pointer(pointer).map_or_else(|| "?".to_owned(), Value::to_string);
    let (failing, located) = (number("/failing/failing"), number("/failing/located"));
    let (all, goes, name) = (members.len(), signed.len(), text(&batch, "name"));
    let mut lines = vec![match (lang, signing) {
        (Lang::En, Signing::Review) => {
            format!("{name}: {all} donations; the review of {goes} would be signed, {} not", stay.len())
        }
        (Lang::Zh, Signing::Review) => {
            format!("{name}：{all} 份献血；将签署 {goes} 份的审核，{} 份不签", stay.len())
        }
        (Lang::En, Signing::Release { .. }) => {
            format!("{name}: {all} donations; {goes} would be released, {} stay", stay.len())
        }
        (Lang::Zh, Signing::Release { .. }) => {
            format!("{name}：{all} 份献血；将放行 {goes} 份，{} 份不放行", stay.len())
        }
    }];
    lines.push(match lang {
        Lang::En => format!("failing units: {failing}, found and taken out: {located}"),
        Lang::Zh => format!("不合格 {failing} 份，已清出 {located} 份"),
    });
    if let Signing::Release { only, set_aside } = signing {
        if !set_aside.is_empty() {
            let gates = set_aside.join(", ");
            lines.push(lang.pick(format!("set aside: {gates}"), format!("不予考虑的条件：{gates}")));
        }
        if !only.is_empty() {
            let chosen = only.join(", ");
            lines.push(lang.pick(format!("only: {chosen}"), format!("仅限：{chosen}")));
        }
    }
    for (mark, members) in [("+", signed), ("-", stay)] {
        lines.extend(members.into_iter().map(|member| {
            let (donation, stage) = (text(member, "donation"), text(member, "stage"));
            format!("{mark} {donation}  {stage}  {}", kept_by(member, lang)).trim_end().to_owned()
        }));
    }
    lines
}

/// What keeps a donation, the gates that wait for a signature aside.
pub(super) fn kept_by(member: &Value, lang: Lang) -> String {
    let gates = listed(member, "kept_by").filter(|gate| gate.get("by_signature") != Some(&Value::Bool(true)));
    let why = gates.map(|gate| format!("{} {}", text(gate, "id"), text(gate, lang.pick("why", "why_zh"))));
    why.collect::<Vec<_>>().join("; ")
}

/// Whether the signature would be for this donation too, as far as the batch says; the daemon decides.
fn would_sign(member: &Value, signing: Signing<'_>, all: &[&Value]) -> bool {
    let stage = text(member, "stage");
    let complete = member.get("complete") == Some(&Value::Bool(true));
    match signing {
        Signing::Review => matches!(stage, "ready" | "reviewed") || stage == "open" && complete,
        Signing::Release { only, set_aside } => {
            let is_member = |given: &&String| all.iter().any(|one| text(one, "donation") == given.as_str());
            // A number in another form may be anybody's here.
            let chosen = only.is_empty()
                || only.iter().any(|given| given == text(member, "donation"))
                || !only.iter().all(|given| is_member(&given));
            let by_hand = stage == "open" && complete && !set_aside.is_empty();
            chosen && (stage == "reviewed" || by_hand)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn batch() -> Value {
        let member = |donation: &str, stage: &str, kept_by: Value| json!({ "donation": donation, "stage": stage, "complete": stage != "held", "kept_by": kept_by });
        let waits =
            json!({ "id": "R-GATE-14", "why": "not signed", "why_zh": "未签名", "by_signature": true });
        let lot = json!({ "id": "R-GATE-06", "why": "lot L expired", "why_zh": "批号 L 过期", "by_signature": false });
        json!({
            "batch": { "name": "1 March" }, "failing": { "failing": 1, "located": 0 },
            "donations": [
                member("G1", "reviewed", json!([waits])), member("G2", "ready", json!([waits])),
                member("G3", "open", json!([lot, waits])), member("G4", "failing", json!([])),
                member("G5", "held", json!([lot])),
            ],
        })
    }

    #[test]
    fn what_a_review_would_sign_and_what_not_is_shown_with_the_reasons() {
        let lines = lines(&batch(), Signing::Review, Lang::En);
        assert_eq!(
            lines,
            [
                "1 March: 5 donations; the review of 3 would be signed, 2 not",
                "failing units: 1, found and taken out: 0",
                "+ G1  reviewed",
                "+ G2  ready",
                "+ G3  open  R-GATE-06 lot L expired",
                "- G4  failing",
                "- G5  held  R-GATE-06 lot L expired",
            ]
        );
    }

    #[test]
    fn a_release_shows_only_what_was_reviewed_and_chosen() {
        let goes = |only: &[&str], set_aside: &[&str]| -> Vec<String> {
            let [only, set_aside] =
                [only, set_aside].map(|of| of.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
            let lines = lines(&batch(), Signing::Release { only: &only, set_aside: &set_aside }, Lang::Zh);
            let goes = lines.iter().filter_map(|line| line.strip_prefix("+ "));
            goes.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
        };
        assert_eq!(goes(&[], &[]), ["G1"]);
        assert_eq!(goes(&["G2"], &[]), Vec::<String>::new());
        assert_eq!(goes(&["G3"], &["R-GATE-06"]), ["G3"]);
        assert_eq!(goes(&["=G1 00"], &[]), ["G1"], "a scanned form may be any of them");
    }

    #[test]
    fn only_a_yes_signs() {
        for (answer, expect) in
            [("yes\n", true), (" YES \n", true), ("y\n", false), ("\n", false), ("", false)]
        {
            let mut seen = Vec::new();
            let asked = ask(&mut answer.as_bytes(), &mut seen, &["G1".to_owned()], Lang::En).unwrap();
            assert_eq!(asked, expect, "{answer:?}");
            assert_eq!(String::from_utf8(seen).unwrap(), "G1\nSign this? Type yes: ");
        }
    }
}
