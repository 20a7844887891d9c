//! `demo`: the whole laboratory in one process, on a ledger of its own that is gone afterwards.

use crate::{
    cli::{Demo, Format, Lang},
    client::Client,
    config::{Config, Connection, Console, Destination, DestinationKind, Store, Transport},
    daemon::Daemon,
    exit::{Exit, Failure, Outcome},
    laboratory::{self, Placed},
    reconcile::{self, Summary},
    run::until_told,
    sample_people,
};
use simulator::{
    analyser::{Analyser, Framing, Peer, Target, Tempo},
    fault::Faults,
    lis::{Lis, Script},
    scenario::{DaySettings, Scenario},
};
use std::{
    io::{self, IsTerminal, Write},
    net::{SocketAddr, TcpListener},
    num::NonZeroUsize,
    path::Path,
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use vocabulary::{DestinationId, Mode};

/// After the analysers are done: the longest time the rooms may take for what is left.
const SETTLE_WITHIN: Duration = Duration::from_mins(10);

pub(crate) async fn demo(asked: &Demo, lang: Lang) -> Outcome {
    let folder = tempfile::tempdir()?;
    let day = DaySettings { seed: asked.seed, donations: asked.donations, ..DaySettings::default() };
    let scenario = Scenario::new(day).map_err(|e| Failure::new(Exit::Usage, e))?;
    let stop = CancellationToken::new();

    let lis = Lis::new(Script::default());
    let lis_listener = tokio::net::TcpListener::bind(loopback()).await?;
    let lis_address = lis_listener.local_addr()?;
    let serving = {
        let (lis, stop) = (lis.clone(), stop.clone());
        tokio::spawn(async move { lis.serve(lis_listener, stop).await })
    };

    let placed = laboratory::place(folder.path())?;
    let lots = laboratory::accepted_lots(&placed, &scenario)?;
    let config = configuration(folder.path(), &placed, lis_address, lots)?;
    let daemon = Daemon::start(&config).await?;
    sample_people::make(&daemon.ledger).await?;
    greet(&daemon, &placed, lis_address, asked, lang)?;

    register(&daemon, &scenario).await?;
    let analysers = analysers(placed, &daemon)?;
    let at_once = NonZeroUsize::new(laboratory::ANALYSERS_AT_ONCE).unwrap_or(NonZeroUsize::MIN);
    let watch = Watch::start(&daemon, lang);
    let report = tokio::select! {
        report = simulator::run_day(&scenario, analysers, at_once, &stop) => report,
        () = interrupted(asked.once) => { stop.cancel(); return ended(daemon, serving).await }
    };
    let report = report.map_err(|e| Failure::new(Exit::Internal, e))?;
    reconcile::settle(&daemon.ledger, folder.path(), SETTLE_WITHIN).await?;
    let donations: Vec<String> =
        scenario.donations.iter().map(|d| d.registration.donation.to_string()).collect();
    sample_people::sign(&daemon, &donations).await?;
    reconcile::settle(&daemon.ledger, folder.path(), SETTLE_WITHIN).await?;
    watch.stop().await;

    let summary = reconcile::summary(&daemon.ledger, &scenario, &report, &lis)?;
    print(&summary, asked.output.format, lang)?;
    if !asked.once {
        let mut out = io::stderr().lock();
        writeln!(
            out,
            "{}",
            lang.pick(
                "\nThe daemon goes on; Ctrl-C ends the demonstration and its ledger.",
                "\n守护进程继续运行;按 Ctrl-C 结束演示并删除其账本。"
            )
        )?;
        drop(out);
        until_told().await?;
    }
    stop.cancel();
    let exit = if summary.is_accounted_for() { Exit::Done } else { Exit::No };
    ended(daemon, serving).await?;
    Ok(exit)
}

async fn ended(daemon: Daemon, serving: tokio::task::JoinHandle<()>) -> Outcome {
    daemon.stop().await;
    serving.abort();
    Ok(Exit::Done)
}

/// A demonstration that goes on is ended by a person at any time; one that plays once plays to its end.
async fn interrupted(once: bool) {
    if once {
        std::future::pending::<()>().await;
    }
    if let Err(e) = until_told().await {
        tracing::error!(what = e.what, "signals cannot be heard");
        std::future::pending::<()>().await;
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn configuration(
    folder: &Path,
    placed: &[Placed],
    lis: SocketAddr,
    lots: Vec<workflow::AcceptedLot>,
) -> Result<Config, Failure> {
    let connections = placed
        .iter()
        .map(|p| Connection {
            id: p.connection.clone(),
            profile: p.model.id().to_owned(),
            mode: Mode::Production,
            warn_when_silent_s: None,
            transport: p.transport.clone(),
            orders: None,
            orders_unasked: None,
        })
        .collect();
    let destination = Destination {
        id: DestinationId::new("demo-lis").map_err(|e| Failure::new(Exit::Internal, e))?,
        kind: DestinationKind::Hl7Mllp,
        address: lis.to_string(),
        answer_timeout_s: 30,
        attempts_max: 50,
    };
    Ok(Config {
        site: crate::config::Site { name: "演示 DEMO".into(), code: "DEMO".into(), ..Default::default() },
        store: Store { path: folder.join("ledger"), minimum_free_mib: 64, ..Default::default() },
        console: Console { listen: loopback() },
        rules: crate::config::Rules::default(),
        orders: crate::config::Orders::default(),
        people: crate::config::People::default(),
        connections,
        destinations: vec![destination],
        lots,
    })
}

fn greet(
    daemon: &Daemon,
    placed: &[Placed],
    lis: SocketAddr,
    asked: &Demo,
    lang: Lang,
) -> Result<(), Failure> {
    let mut out = io::stderr().lock();
    writeln!(out, "{}", lang.pick("演示数据 DEMO – not for release", "演示数据 DEMO – 不得用于放行"))?;
    writeln!(out, "  HTTP     http://{}/api/v1/status", daemon.console)?;
    writeln!(out, "           Authorization: Bearer {}", daemon.token)?;
    sample_people::greet(&mut out, lang)?;
    writeln!(out, "  LIS      {lis}")?;
    for p in placed {
        let at =
            daemon.listening.get(&p.connection).map_or_else(|| p.transport.to_string(), ToString::to_string);
        writeln!(out, "  {:<17}{:<28}{at}", p.connection, p.model.id())?;
    }
    let what = lang.pick("donations in this day", "份献血");
    writeln!(out, "  {} {what}, seed {}", asked.donations, asked.seed)?;
    Ok(())
}

/// Registers every donation the way a blood information system does.
async fn register(daemon: &Daemon, scenario: &Scenario) -> Result<(), Failure> {
    let client = Client::at(daemon.console, &daemon.token)?;
    let registrations: Vec<_> = scenario.donations.iter().map(|d| &d.registration).collect();
    for some in registrations.chunks(500) {
        client.post("donations", &some).await?;
    }
    Ok(())
}

fn analysers(placed: Vec<Placed>, daemon: &Daemon) -> Result<Vec<Analyser>, Failure> {
    placed
        .into_iter()
        .map(|p| {
            let target = match (p.transport, p.listener) {
                (Transport::TcpListen(_), _) => {
                    let address = daemon
                        .listening
                        .get(&p.connection)
                        .ok_or_else(|| Failure::new(Exit::Internal, "a connection does not listen"))?;
                    Target::Line(Peer::Connect(address.to_string()))
                }
                (Transport::TcpConnect(_), Some(listener)) => {
                    Target::Line(Peer::Listen(tokio_listener(listener)?))
                }
                (Transport::Directory(d), _) => Target::Directory(d.path),
                (
                    other @ (Transport::TcpConnect(_)
                    | Transport::TlsListen(_)
                    | Transport::TlsConnect(_)
                    | Transport::Serial(_)),
                    _,
                ) => return Err(Failure::new(Exit::Internal, format!("nobody plays at {other}"))),
            };
            Ok(Analyser {
                name: p.connection.to_string(),
                model: p.model,
                duty: p.duty,
                target,
                framing: Framing::default(),
                tempo: Tempo::default(),
                faults: Faults::default(),
            })
        })
        .collect()
}

fn tokio_listener(listener: TcpListener) -> io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

/// One line that shows how far the day is, on a terminal only.
struct Watch {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Watch {
    fn start(daemon: &Daemon, lang: Lang) -> Self {
        let stop = CancellationToken::new();
        let (ledger, until) = (daemon.ledger.clone(), stop.clone());
        let task = tokio::spawn(async move {
            if !io::stderr().is_terminal() {
                return;
            }
            let mut every = tokio::time::interval(Duration::from_millis(250));
            loop {
                tokio::select! {
                    () = until.cancelled() => break,
                    _ = every.tick() => {}
                }
                if let Ok(c) = ledger.state().counters() {
                    let words = lang.pick(
                        ["messages", "results", "verdicts", "delivered"],
                        ["消息", "结果", "结论", "已送达"],
                    );
                    let numbers = [c.messages, c.observations, c.verdicts, c.deliveries_done];
                    let line: Vec<String> =
                        words.iter().zip(numbers).map(|(w, n)| format!("{w} {n}")).collect();
                    eprint!("\r  {}   ", line.join(" · "));
                }
            }
            eprintln!();
        });
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        if let Err(e) = self.task.await {
            tracing::debug!(error = %e, "progress line");
        }
    }
}

fn print(summary: &Summary, format: Format, lang: Lang) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match format {
        Format::Json => {
            serde_json::to_writer(&mut out, summary).map_err(|e| Failure::new(Exit::Internal, e))?;
            writeln!(out)?;
        }
        Format::Table => summary.write(&mut out, lang)?,
    }
    Ok(())
}
