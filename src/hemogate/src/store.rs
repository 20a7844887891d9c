//! `verify` and `rebuild`: the ledger's chain and its state.

use crate::{
    cli::{Cli, Format, Lang, Verify},
    config::Config,
    daemon::ledger_settings,
    exit::{Exit, Failure, Outcome},
};
use ledger::{OpenError, VerifyReport, VerifyState};
use std::io::{self, Write};

/// The configuration of a ledger that is there.
pub(crate) fn ledger_of(cli: &Cli) -> Result<Config, Failure> {
    let config = crate::configuration(cli)?.config;
    let path = &config.store.path;
    if path.join("journal").is_dir() {
        Ok(config)
    } else {
        let what = format!("there is no ledger in {} (choose one with --data or --config)", path.display());
        Err(Failure::new(Exit::InputMissing, what))
    }
}

fn unavailable(error: OpenError) -> Failure {
    Failure::new(Exit::Unavailable, error)
}

pub(crate) fn verify(cli: &Cli, asked: &Verify, lang: Lang) -> Outcome {
    let settings = ledger_settings(&ledger_of(cli)?);
    let state = if asked.state { VerifyState::Compare } else { VerifyState::Skip };
    let report = ledger::verify(&settings, state, &mut |_| {}).map_err(unavailable)?;
    let mut out = io::stdout().lock();
    match asked.output.format {
        Format::Json => {
            serde_json::to_writer(&mut out, &report).map_err(|e| Failure::new(Exit::Internal, e))?;
            writeln!(out)?;
        }
        Format::Table => tell(&report, lang, &mut out)?,
    }
    Ok(if report.is_sound() { Exit::Done } else { Exit::No })
}

fn tell(report: &VerifyReport, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    let journal = &report.journal;
    writeln!(
        out,
        "{} {} · {} {} · {} {} · {} {}",
        lang.pick("entries", "条目"),
        journal.entries,
        lang.pick("files", "文件"),
        journal.files,
        lang.pick("bytes", "字节"),
        journal.bytes,
        lang.pick("chain", "链尾哈希"),
        journal.chain,
    )?;
    for damage in &journal.damage {
        let words = lang.pick(["damage in", "byte", "entry"], ["损坏:文件", "字节", "条目"]);
        let [inside, byte, entry] = words;
        writeln!(
            out,
            "✗ {inside} {}, {byte} {}, {entry} {}: {}",
            damage.file, damage.offset, damage.seq, damage.what
        )?;
    }
    if journal.damage.is_empty() {
        writeln!(
            out,
            "✓ {}",
            lang.pick("every checksum, every number and the chain are whole", "校验和、序号与哈希链均完整")
        )?;
    }
    if let Some(tail) = &journal.tail {
        let what = lang.pick(
            "bytes at the end are no whole group; the next start leaves them behind",
            "字节的末尾不完整;下次启动时将被舍弃",
        );
        writeln!(out, "· {} {what}", tail.bytes)?;
    }
    if let Some(state) = &report.state {
        let said = match (state.is_sound(), &state.fault) {
            (true, _) => {
                lang.pick("✓ the state is what the journal makes it", "✓ 状态与日志重放一致").to_owned()
            }
            (false, Some(fault)) => format!("✗ {fault} (hemogate rebuild)"),
            (false, None) => lang
                .pick(
                    "✗ the state is not what the journal makes it (hemogate rebuild)",
                    "✗ 状态与日志不一致(请执行 hemogate rebuild)",
                )
                .to_owned(),
        };
        writeln!(out, "{said}")?;
    }
    if report.in_use {
        writeln!(
            out,
            "· {}",
            lang.pick(
                "a daemon is at work on it; the very end was not judged",
                "守护进程正在运行;未检查日志末尾"
            )
        )?;
    }
    Ok(())
}

pub(crate) fn rebuild(cli: &Cli, lang: Lang) -> Outcome {
    let settings = ledger_settings(&ledger_of(cli)?);
    let report = ledger::rebuild(&settings, &mut |_| {}).map_err(unavailable)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{} {}", report.entries, lang.pick("entries applied; digest", "条已重放;摘要"))?;
    writeln!(out, "{}", report.digest)?;
    match report.before {
        Some(before) if before == report.digest => {
            writeln!(out, "{}", lang.pick("the state before was the same", "与原状态一致"))?;
        }
        Some(_) => writeln!(out, "{}", lang.pick("the state before was another", "与原状态不同"))?,
        None => writeln!(out, "{}", lang.pick("there was no usable state before", "此前没有可用的状态"))?,
    }
    if let Some(aside) = report.set_aside {
        writeln!(out, "{} {}", lang.pick("the old state was set aside in", "旧状态保存在"), aside.display())?;
    }
    Ok(Exit::Done)
}
