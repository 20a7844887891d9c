//! `run`: the daemon in the foreground, until SIGINT or SIGTERM.

use crate::{
    cli::{Cli, Lang},
    config::{Config, Loaded},
    daemon::Daemon,
    exit::{Exit, Failure, Outcome},
    token,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use tokio::signal;

pub(crate) async fn run(cli: &Cli, lang: Lang) -> Outcome {
    let Loaded { config, file } = crate::configuration(cli)?;
    descriptors();
    let daemon = Daemon::start(&config).await?;
    // Listened for before anybody can know of the daemon: who finds the note may stop it at once.
    let mut stop = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    let note = Whereabouts::write(&config.store.path, &daemon)?;
    greet(&config, file.as_deref(), &daemon, lang)?;
    tokio::select! {
        told = until_told_reloading(&daemon) => told?,
        _ = stop.recv() => {}
    }
    tracing::info!("stopping");
    daemon.stop().await;
    drop(note);
    Ok(Exit::Done)
}

/// As many files and sockets as this process may have at all: the usual first limit is 1,024, and 64 analysers in a
/// flood of connections need more. What the system does not give is done without.
fn descriptors() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if let (Some(current), Some(maximum)) = (current, maximum)
        && current < maximum
        && let Err(error) =
            setrlimit(Resource::Nofile, Rlimit { current: Some(maximum), maximum: Some(maximum) })
    {
        tracing::warn!(%error, current, "the limit of open files cannot be raised");
    }
}

/// Resolves when the process is asked to stop; SIGHUP reads the certificates anew.
async fn until_told_reloading(daemon: &Daemon) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        let mut hangup = signal::unix::signal(signal::unix::SignalKind::hangup())?;
        let told = until_told();
        tokio::pin!(told);
        loop {
            tokio::select! {
                told = &mut told => return told,
                _ = hangup.recv() => daemon.reload(),
            }
        }
    }
    #[cfg(not(unix))]
    until_told().await
}

/// Resolves when the process is asked to stop.
pub(crate) async fn until_told() -> Result<(), Failure> {
    #[cfg(unix)]
    {
        let mut term = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = signal::ctrl_c() => interrupted?,
            _ = term.recv() => {}
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await?;
    Ok(())
}

fn greet(config: &Config, file: Option<&Path>, daemon: &Daemon, lang: Lang) -> Result<(), Failure> {
    let mut out = io::stderr().lock();
    let from = file.map_or_else(
        || lang.pick("no configuration file: defaults", "没有配置文件:使用默认值").to_owned(),
        |f| f.display().to_string(),
    );
    writeln!(out, "hemogate {} · {from}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  {} {}", lang.pick("ledger ", "账本"), config.store.path.display())?;
    writeln!(
        out,
        "  {} http://{}/  ({} {})",
        lang.pick("HTTP   ", "HTTP"),
        daemon.console,
        lang.pick("token in", "令牌文件"),
        token::path(&config.store.path).display()
    )?;
    for (id, address) in &daemon.listening {
        writeln!(out, "  {} {id}: {address}", lang.pick("listens", "监听"))?;
    }
    if config.connections.is_empty() {
        let what = lang.pick(
            "no analyser is configured yet: add a [[connection]] (hemogate profile list shows what is known)",
            "尚未配置任何仪器:请添加 [[connection]](hemogate profile list 列出已知型号)",
        );
        writeln!(out, "  {what}")?;
    }
    if daemon.ledger.state().counters().is_ok_and(|counters| counters.users == 0) {
        let what = lang.pick(
            "nobody can sign in yet: stop, and make the administrators (hemogate user add NAME --role system-administrator)",
            "尚无人可以登录:请先停止,再建立管理员账户(hemogate user add 用户名 --role system-administrator)",
        );
        writeln!(out, "  {what}")?;
    }
    if config.destinations.is_empty() {
        let what = lang.pick(
            "no destination is configured yet: verdicts stay here until a [[destination]] is added",
            "尚未配置接收方:添加 [[destination]] 之前,结论只保存在本机",
        );
        writeln!(out, "  {what}")?;
    }
    Ok(())
}

/// Where a running daemon can be asked, for the command line; gone when it stops in order.
pub(crate) struct Whereabouts(PathBuf);

impl Whereabouts {
    pub(crate) fn file(store: &Path) -> PathBuf {
        store.join("daemon.json")
    }

    fn write(store: &Path, daemon: &Daemon) -> Result<Self, Failure> {
        let file = Self::file(store);
        let listening: serde_json::Map<String, serde_json::Value> =
            daemon.listening.iter().map(|(id, a)| (id.to_string(), a.to_string().into())).collect();
        let about = serde_json::json!({
            "pid": std::process::id(),
            "console": daemon.console.to_string(),
            "listening": listening,
        });
        fs::write(&file, format!("{about}\n"))?;
        Ok(Self(file))
    }
}

impl Drop for Whereabouts {
    fn drop(&mut self) {
        if let Err(e) = fs::remove_file(&self.0) {
            tracing::warn!(file = %self.0.display(), error = %e, "cannot be removed");
        }
    }
}
