//! `rules`: packs listed, shown and proven, which touches no store; and compared over the donations of one.

mod compare;

use crate::{
    cli::{Cli, Format, Lang, Rules},
    decide::pack,
    exit::{Exit, Failure, Outcome},
    print::Printer,
};
use release::RulePack;
use release::pack::Stated;
use release::proof::{Proof, prove};
use serde_json::json;
use std::io::{self, IsTerminal, Write};

pub(crate) fn rules(cli: &Cli, asked: &Rules, lang: Lang) -> Outcome {
    match asked {
        Rules::List(output) => list(output.format, lang),
        Rules::Show { id, output } => show(id, output.format, lang),
        Rules::Check { packs, at_once, output } => check(packs, *at_once, output.format, lang),
        Rules::Compare { old, new, output } => compare::compare(cli, [old, new], output.format, lang),
    }
}

fn list(format: Format, lang: Lang) -> Outcome {
    let mut printer = Printer::new(format);
    printer.heads(&lang.pick(
        ["id", "jurisdiction", "edition", "from", "until", "based on", "to confirm", "hash"],
        ["编号", "地区", "版本", "生效", "失效", "基于", "待确认", "哈希"],
    ));
    for name in RulePack::built_in_ids() {
        let pack = pack(name)?;
        let s = pack.settings();
        let until = s.effective_to.as_ref().map(|day| day.value.to_string());
        let open = pack.unconfirmed().len();
        let item = json!({
            "id": pack.id(), "hash": pack.hash(), "jurisdiction": s.jurisdiction, "title": s.title,
            "edition": s.edition.value, "effective_from": s.effective_from.value, "effective_to": until,
            "based_on": s.based_on, "to_confirm": open,
        });
        printer.item(&item, || {
            let short: String = pack.hash().chars().take(12).collect();
            vec![
                pack.id().to_owned(),
                s.jurisdiction.clone(),
                s.edition.value.clone(),
                s.effective_from.value.to_string(),
                until.clone().unwrap_or_default(),
                s.based_on.clone().unwrap_or_default(),
                open.to_string(),
                short,
            ]
        })?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}

fn show(id: &str, format: Format, lang: Lang) -> Outcome {
    let pack = pack(id)?;
    let mut printer = Printer::new(format);
    if format == Format::Table {
        let mut out = io::stdout().lock();
        let s = pack.settings();
        writeln!(out, "{}  {}  {}", pack.id(), s.title, pack.hash())?;
        let open = pack.unconfirmed().len();
        let note = lang.pick("values to be confirmed by the laboratory before use", "项须由实验室确认后使用");
        writeln!(out, "{open} {note} (own-M, own-L)\n")?;
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
        if !proof.holds() && exit == Exit::Done {
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
        let word = lang.pick(["proven", "NOT PROVEN"], ["已证明", "未证明"]);
        let [good, bad] = word;
        let stands = if proof.holds() { good } else { bad };
        let of = lang.pick("combinations", "种组合");
        writeln!(out, "{name} {}: {stands}, {} {of}", proof.rule_pack.hash, proof.combinations())?;
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
    printer.finish()
}
