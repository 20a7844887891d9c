//! `rules`: packs listed, shown and proven; put in force by two people at a running daemon; compared over the donations
//! of a store.

mod active;
mod compare;

use crate::{
    cli::{Cli, Format, Lang, Rules},
    decide::pack,
    exit::{Exit, Failure, Outcome},
    print::Printer,
};
use release::RulePack;
use release::pack::{Stated, Weaker};
use release::proof::{Proof, prove};
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};

pub(crate) fn rules(cli: &Cli, asked: &Rules, lang: Lang) -> Outcome {
    match asked {
        Rules::List(output) => list(cli, output.format, lang),
        Rules::Show { id, output } => show(cli, id, output.format, lang),
        Rules::Add { file, r#as } => crate::block_on(active::add(cli, (file, r#as), lang)),
        Rules::Activate { pack, from, why, r#as } => {
            crate::block_on(active::activate(cli, (pack, from.as_deref(), why), r#as, lang))
        }
        Rules::Check { packs, at_once, output } => check(packs, *at_once, output.format, lang),
        Rules::Compare { old, new, output } => compare::compare(cli, [old, new], output.format, lang),
    }
}

/// Says, key by key, what a pack asks less for than its jurisdiction's.
fn warn_of(weaker: &[Weaker], lang: Lang) -> io::Result<()> {
    let mut to = io::stderr().lock();
    weaker.iter().try_for_each(|one| writeln!(to, "! {}", lang.pick(one.english(), one.chinese())))
}

/// What a running daemon says of its packs; a configuration that cannot be read is none.
fn asked_of_daemon(cli: &Cli) -> Value {
    let asked = async { active::of_daemon(cli).await.map(Option::unwrap_or_default) };
    crate::waited_for(asked).unwrap_or_default()
}

fn list(cli: &Cli, format: Format, lang: Lang) -> Outcome {
    let of_daemon = asked_of_daemon(cli);
    let mut printer = Printer::new(format);
    printer.heads(&lang.pick(
        ["id", "jurisdiction", "edition", "from", "until", "based on", "to confirm", "hash", "stands"],
        ["编号", "地区", "版本", "生效", "失效", "基于", "待确认", "哈希", "状态"],
    ));
    let mut items = Vec::new();
    for name in RulePack::built_in_ids() {
        let pack = pack(name)?;
        let s = pack.settings();
        items.push(active::item(&of_daemon, pack.hash()).cloned().unwrap_or_else(|| {
            json!({
                "id": pack.id(), "hash": pack.hash(), "jurisdiction": s.jurisdiction, "title": s.title,
                "edition": s.edition.value, "effective_from": s.effective_from.value.to_string(),
                "effective_to": s.effective_to.as_ref().map(|day| day.value.to_string()),
                "based_on": s.based_on, "to_confirm": pack.unconfirmed().len(),
            })
        }));
    }
    // The site's own, which the daemon's ledger keeps.
    for item in of_daemon.get("items").and_then(Value::as_array).into_iter().flatten() {
        if !items.iter().any(|known| known.get("hash") == item.get("hash")) {
            items.push(item.clone());
        }
    }
    for item in &items {
        printer.item(item, || {
            let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let short: String = text("hash").chars().take(12).collect();
            let names = ["id", "jurisdiction", "edition", "effective_from", "effective_to", "based_on"];
            let mut row: Vec<String> = names.iter().map(|name| text(name)).collect();
            row.push(item.get("to_confirm").map(Value::to_string).unwrap_or_default());
            row.extend([short, active::standing(item, lang)]);
            row
        })?;
    }
    printer.finish()?;
    // Whoever agrees to it sees what it asks less for.
    for item in items.iter().filter(|item| !item.get("proposed").is_none_or(Value::is_null)) {
        warn_of(&active::weaker(item), lang)?;
    }
    if of_daemon.is_null() {
        let what = lang.pick(
            "no daemon runs here: which pack judges, and since when, is in its ledger",
            "此处没有运行中的守护进程:哪个规则包生效、自何时起,记录在其账本中",
        );
        writeln!(io::stderr().lock(), "{what}")?;
    }
    Ok(Exit::Done)
}

fn show(cli: &Cli, id: &str, format: Format, lang: Lang) -> Outcome {
    let pack = pack(id)?;
    let mut printer = Printer::new(format);
    if format == Format::Table {
        let of_daemon = asked_of_daemon(cli);
        let standing = active::item(&of_daemon, pack.hash()).map(|item| active::standing(item, lang));
        let mut out = io::stdout().lock();
        let s = pack.settings();
        writeln!(out, "{}  {}  {}", pack.id(), s.title, pack.hash())?;
        let open = pack.unconfirmed().len();
        let note = lang.pick("values to be confirmed by the laboratory before use", "项须由实验室确认后使用");
        if let Some(standing) = standing.filter(|standing| !standing.is_empty()) {
            writeln!(out, "{standing}")?;
        }
        writeln!(out, "{open} {note} (own-M, own-L)\n")?;
        warn_of(&pack.weaker(), lang)?;
    }
    printer.heads(&lang.pick(["key", "value", "confidence", "confirm"], ["项", "值", "可信度", "待确认"]));
    for Stated { key, value, confidence, confirm, must_be_confirmed } in pack.stated() {
        let item = json!({
            "key": key, "value": value, "confidence": confidence, "confirm": confirm,
            "must_be_confirmed": must_be_confirmed,
        });
        printer.item(&item, || {
            let mark = if must_be_confirmed { lang.pick(" ← confirm", " ← 待确认") } else { "" };
            vec![key, value, format!("{confidence}{mark}"), confirm.unwrap_or_default()]
        })?;
    }
    for key in pack.unset() {
        let item = json!({
            "key": key, "value": null, "confidence": "", "confirm": null, "must_be_confirmed": false,
        });
        let not_set = lang.pick("not set", "未设置");
        printer.item(&item, || vec![key, "–".to_owned(), not_set.to_owned(), String::new()])?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}

fn check(packs: &[String], at_once: Option<usize>, format: Format, lang: Lang) -> Outcome {
    let mut exit = Exit::Done;
    let all: Vec<String> = RulePack::built_in_ids().into_iter().map(str::to_owned).collect();
    let asked = if packs.is_empty() { &all } else { packs };
    for name in asked {
        let pack = match pack(name) {
            Ok(pack) => pack,
            Err(refused) if asked.len() == 1 => return Err(refused),
            Err(refused) => {
                let mut to = io::stderr().lock();
                writeln!(to, "{}", refused.what)?;
                exit = Exit::Configuration;
                continue;
            }
        };
        let shown = io::stderr().is_terminal();
        let proof = prove(&pack, at_once, |world| {
            if shown {
                eprintln!("{name}: {} ({})", world.name, world.combinations);
            }
        })
        .map_err(|e| Failure::new(Exit::Internal, e))?;
        if !(proof.holds() && proof.weaker.is_empty()) && exit == Exit::Done {
            exit = Exit::No;
        }
        print(&proof, format, lang)?;
    }
    Ok(exit)
}

fn print(proof: &Proof, format: Format, lang: Lang) -> Result<(), Failure> {
    let mut printer = Printer::new(format);
    if format == Format::Json {
        printer.item(proof, Vec::new)?;
        return printer.finish();
    }
    let name = &proof.rule_pack.id;
    {
        let mut out = io::stdout().lock();
        let [good, bad] = lang.pick(["proven", "NOT PROVEN"], ["已证明", "未证明"]);
        let stands = if proof.holds() { good } else { bad };
        let of = lang.pick("combinations", "种组合");
        writeln!(out, "{name} {}: {stands}, {} {of}", proof.rule_pack.hash, proof.combinations())?;
        if let Some(first) = proof.weaker.first() {
            let (keys, than) = (proof.weaker.len(), &first.than);
            let said = match lang {
                Lang::En => format!("{name} asks for LESS than {than} in {keys} values, listed below"),
                Lang::Zh => format!("{name} 有 {keys} 项弱于 {than}，见下"),
            };
            writeln!(out, "{said}")?;
        }
    }
    printer.heads(&lang.pick(
        ["  world", "combinations", "pass", "hold", "discard", "passes"],
        ["  范围", "组合", "合格", "暂扣", "报废", "合格的组合"],
    ));
    for world in &proof.worlds {
        // Where many pass, their number says enough.
        let few = world.pass <= world.passing.len();
        let passing = if few { world.passing.join(" | ") } else { String::new() };
        let counts = [world.combinations, world.pass, world.hold, world.discard].map(|n| n.to_string());
        let mut row = vec![format!("  {}", world.name)];
        row.extend(counts);
        row.push(passing);
        printer.item(world, || row)?;
    }
    for fault in &proof.faults {
        printer.item(fault, || vec![format!("  ! {fault}")])?;
    }
    if proof.further_faults > 0 {
        let more = lang.pick("more faults", "项未列出");
        printer.item(&proof.further_faults, || vec![format!("  ! {} {more}", proof.further_faults)])?;
    }
    printer.finish()?;
    let mut out = io::stdout().lock();
    for weaker in &proof.weaker {
        writeln!(out, "  ! {}", lang.pick(weaker.english(), weaker.chinese()))?;
    }
    Ok(())
}
