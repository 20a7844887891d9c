//! `simulate`: one analyser with real traffic. `bench`: the benchmarks.

use crate::{
    cli::{Bench, Lang, Simulate},
    exit::{Exit, Failure, Outcome},
    laboratory,
    run::until_told,
    wiring,
};
use instrument_profiles::{LinkSettings, Profile, messages_of};
use simulator::{
    analyser::{Analyser, Delivery, Framing, Listen, Peer, Target, Tempo, TlsPeer},
    fault::{Fault, Faults},
    model::Model,
    scenario::{DaySettings, Scenario},
};
use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use vocabulary::Protocol;

/// The benchmark that starts a daemon of its own and takes minutes.
const ANALYSERS: &str = "analysers";
/// The benchmark that plays a simulated year.
const YEAR: &str = "year";
/// Messages that were not acknowledged are listed with their reason up to this many.
const FAILURES_SHOWN: usize = 10;

pub(crate) async fn simulate(asked: &Simulate, lang: Lang) -> Outcome {
    let models = laboratory::models()?;
    let model = models.into_iter().find(|m| m.id() == asked.profile).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            format!("the catalogue holds no simulation of {:?} (hemogate profile list)", asked.profile),
        )
    })?;
    let faults: Result<Vec<Fault>, _> = asked.fault.iter().map(|f| f.parse()).collect();
    let faults = faults.map_err(|e| Failure::new(Exit::Usage, e))?;
    let day = DaySettings { seed: asked.seed, donations: asked.donations, ..DaySettings::default() };
    let scenario = Scenario::new(day).map_err(|e| Failure::new(Exit::Usage, e))?;
    let duty = *model.duties().first().ok_or_else(|| {
        let what = "this model measures too little to play a part of a day, and is not simulated by itself";
        Failure::new(Exit::Usage, format!("{}: {what}", model.id()))
    })?;
    let target = match model.protocol() {
        Protocol::Delimited => Target::Directory(PathBuf::from(&asked.to)),
        Protocol::Lis02 | Protocol::Hl7v2 | Protocol::PkBlocks => Target::Line(peer(asked).await?),
    };
    let profile = wiring::profile(model.id())?;
    let framing = framing(profile.link());
    let analyser = Analyser {
        name: model.id().to_owned(),
        model,
        duty,
        target,
        framing,
        tempo: Tempo {
            tries_max: asked.tries,
            answer_timeout: Duration::from_millis(asked.answer_timeout_ms),
            listen: Listen { within: Duration::from_millis(asked.listen_for_ms), until: asked.listen_until },
            ..Tempo::default()
        },
        faults: Faults::new(faults, asked.seed),
    };
    let questions = questions(&analyser.model, &scenario.settings, &asked.query)?;
    let mut ready = analyser.prepare(&scenario).map_err(|e| Failure::new(Exit::Usage, e))?;
    if !questions.is_empty() {
        ready = ready.with_messages(questions);
    } else if !asked.send.is_empty() {
        ready = ready.with_messages(written(&profile, &asked.send)?);
    }
    let stop = CancellationToken::new();
    let ended = stop.clone();
    let signals = tokio::spawn(async move {
        if crate::run::until_told().await.is_ok() {
            ended.cancel();
        }
    });
    let played = ready.play(&stop).await;
    signals.abort();
    let words = lang.pick(["messages acknowledged", "not acknowledged"], ["条消息已确认", "条未确认"]);
    let [acknowledged, not] = words;
    let (sent, failed) = (played.sent().count(), played.failed().count());
    let mut out = io::stdout().lock();
    writeln!(out, "{sent} {acknowledged} · {failed} {not}")?;
    for message in played.failed().take(FAILURES_SHOWN) {
        if let Delivery::Failed { tries, why } = &message.delivery {
            let tried = lang.pick("tries", "次尝试");
            writeln!(out, "  {}: {tries} {tried}: {why}", message.control_id)?;
        }
    }
    for message in &played.received {
        writeln!(out, "{}", lang.pick("the host sent:", "主机发来："))?;
        for line in String::from_utf8_lossy(message).split(['\r', '\n']).filter(|line| !line.is_empty()) {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::No })
}

/// The model's questions, one a specimen.
fn questions(model: &Model, day: &DaySettings, specimens: &[String]) -> Result<Vec<Vec<u8>>, Failure> {
    if !specimens.is_empty() && !model.asks() {
        let what = format!("the simulation of {} has no question; send one with --send FILE", model.id());
        return Err(Failure::new(Exit::Usage, what));
    }
    let questions = model.questions(day, specimens).map_err(|e| Failure::new(Exit::Internal, e))?;
    Ok(questions.into_iter().map(|question| question.bytes).collect())
}

/// The messages of files: captures by what the analyser says in them, anything else line by line.
fn written(profile: &Profile, files: &[PathBuf]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut messages = Vec::new();
    for file in files {
        let at = file.display();
        let bytes =
            std::fs::read(file).map_err(|e| Failure::new(Exit::InputMissing, format!("{at}: {e}")))?;
        if file.extension().is_some_and(|extension| extension == "capture") {
            let said = messages_of(profile, &String::from_utf8_lossy(&bytes));
            messages.extend(
                said.map_err(|what| Failure::new(Exit::BadInput, format!("{at}: {}", what.join("; "))))?,
            );
        } else {
            let lines = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_empty());
            messages.push(lines.flat_map(|line| [line, b"\r"].concat()).collect());
        }
    }
    Ok(messages)
}

/// The other end of the line: `host:port`, `tls:host:port`, `listen:host:port` or `serial:DEVICE,9600,8N1`.
async fn peer(asked: &Simulate) -> Result<Peer, Failure> {
    let (kind, rest) = asked.to.split_once(':').unwrap_or(("", &asked.to));
    if kind != "tls" && (asked.ca.is_some() || asked.certificate.is_some()) {
        let what = "--ca, --certificate and --key belong to --to tls:HOST:PORT";
        return Err(Failure::new(Exit::Usage, what));
    }
    match kind {
        "serial" => Ok(Peer::Serial(rest.parse().map_err(|e| Failure::new(Exit::Usage, e))?)),
        "listen" => {
            let listener = tokio::net::TcpListener::bind(rest).await;
            let listener =
                listener.map_err(|e| Failure::new(Exit::Usage, format!("cannot listen at {rest}: {e}")))?;
            let at = listener.local_addr()?;
            tracing::info!(%at, "the simulated analyser listens");
            Ok(Peer::Listen(listener))
        }
        "tls" => {
            let ca = asked.ca.clone().ok_or_else(|| {
                Failure::new(Exit::Usage, "tls needs --ca FILE: who vouches for the other side's certificate")
            })?;
            let identity = asked.certificate.clone().zip(asked.key.clone());
            Ok(Peer::Tls(TlsPeer { address: rest.to_owned(), ca, identity }))
        }
        _ => Ok(Peer::Connect(asked.to.clone())),
    }
}

/// How the profile's analyser sends its records.
fn framing(link: &LinkSettings) -> Framing {
    match link {
        LinkSettings::Lis01(lis01) => Framing::Lis01(lis01.config()),
        LinkSettings::Unframed(_) => Framing::Unframed,
        LinkSettings::Mllp(_) | LinkSettings::PkBlocks(_) | LinkSettings::Directory(_) => Framing::default(),
    }
}

pub(crate) fn bench(asked: &Bench) -> Outcome {
    if asked.what == ANALYSERS {
        return crate::analysers::bench(asked);
    }
    if asked.what == YEAR {
        return year(asked);
    }
    let selection = asked.what.parse().map_err(|e| Failure::new(Exit::Usage, e))?;
    let usual = benchmark::Options::default();
    let options = benchmark::Options {
        loads: if asked.load.is_empty() { usual.loads } else { asked.load.clone() },
        slice: std::time::Duration::from_secs(asked.seconds.into()),
        format: format(asked),
        ..usual
    };
    benchmark::run(selection, &options, &mut io::stdout().lock())
        .map_err(|e| Failure::new(Exit::Internal, e))?;
    Ok(Exit::Done)
}

fn format(asked: &Bench) -> benchmark::Format {
    match asked.output.format {
        crate::cli::Format::Table => benchmark::Format::Table,
        crate::cli::Format::Json => benchmark::Format::Json,
    }
}

fn year(asked: &Bench) -> Outcome {
    let minutes = crate::analysers::minutes(asked)?;
    let stop = CancellationToken::new();
    // Signals are heard until the year is over; where they cannot be, Ctrl-C ends it without a report.
    let hears = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    hears.spawn({
        let stop = stop.clone();
        async move {
            match until_told().await {
                Ok(()) => stop.cancel(),
                Err(e) => tracing::error!(what = e.what, "signals cannot be heard"),
            }
        }
    });
    let options = benchmark::YearOptions {
        donations: asked.donations,
        per_day: asked.per_day,
        seed: asked.seed,
        folder: PathBuf::from("."),
        keep: asked.keep.clone(),
        at_most: minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0)),
        stop,
        format: format(asked),
    };
    let verdict =
        benchmark::year(&options, &mut io::stdout().lock()).map_err(|e| Failure::new(Exit::Internal, e))?;
    Ok(if verdict.is_reached() { Exit::Done } else { Exit::No })
}
