//! The whole laboratory at work: every analyser's session over real lines, at once.

use crate::analyser::{Analyser, SessionError, SessionReport};
use crate::scenario::Scenario;
use serde::Serialize;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What every analyser believes of its messages, by analyser in the order they were given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct DayReport {
    /// One a session.
    pub sessions: Vec<SessionReport>,
}

impl DayReport {
    /// Messages believed delivered.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.sessions.iter().map(|s| s.sent().count()).sum()
    }

    /// Messages given up or never sent.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.sessions.iter().map(|s| s.failed().count()).sum()
    }
}

/// Why a day could not be played.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// An analyser cannot begin. Nothing was sent.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A fault of the simulator itself.
    #[error("a simulated analyser broke down")]
    Broken(#[from] tokio::task::JoinError),
}

/// Plays the day: each analyser its session, at most `at_once` of them at the same time. Ends when all are done, or
/// soon after `stop` is cancelled.
///
/// # Errors
/// [`PlayError`] when an analyser cannot begin; failures of lines are in the report.
pub async fn run_day(
    scenario: &Scenario,
    analysers: Vec<Analyser>,
    at_once: NonZeroUsize,
    stop: &CancellationToken,
) -> Result<DayReport, PlayError> {
    let ready: Vec<_> = analysers.into_iter().map(|a| a.prepare(scenario)).collect::<Result<_, _>>()?;
    let seats = Arc::new(Semaphore::new(at_once.get()));
    let mut sessions = JoinSet::new();
    for (nth, analyser) in ready.into_iter().enumerate() {
        let seats = Arc::clone(&seats);
        let stop = stop.clone();
        sessions.spawn(async move {
            // The semaphore is never closed; without a seat the session would only begin early.
            let _seat = seats.acquire_owned().await.ok();
            (nth, analyser.play(&stop).await)
        });
    }
    let mut reports = Vec::new();
    while let Some(ended) = sessions.join_next().await {
        reports.push(ended?);
    }
    reports.sort_by_key(|(nth, _)| *nth);
    Ok(DayReport { sessions: reports.into_iter().map(|(_, report)| report).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyser::tests::peers::{Habits, Shared, computer, receiver};
    use crate::analyser::{Peer, Target, Tempo};
    use crate::fault::Faults;
    use crate::model::tests as models;
    use crate::scenario::DaySettings;
    use std::collections::BTreeSet;
    use tokio::net::{TcpListener, TcpStream};

    fn analyser(toml: &str, name: &str, template: &str, target: Target, fault: &str) -> Analyser {
        let model = Arc::new(models::model(toml, name, template));
        let duty = model.duties()[0];
        let tempo = Tempo { pause_first: std::time::Duration::ZERO, ..Tempo::default() };
        let faults = Faults::new(vec![fault.parse().unwrap()], 3);
        Analyser {
            name: duty.name().to_owned(),
            model,
            duty,
            target,
            framing: crate::analyser::Framing::default(),
            tempo,
            faults,
        }
    }

    /// Three kinds of line: we connect, we listen, a directory. Both sockets break now and then.
    #[tokio::test]
    async fn a_day_over_real_lines_arrives_whole_in_spite_of_faults() {
        let scenario = Scenario::new(DaySettings { donations: 60, ..DaySettings::default() }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (blocks, transfers) = (Shared::default(), Shared::default());
        let chemistry = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let serology = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let chemistry_at = chemistry.local_addr().unwrap().to_string();
        let serology_at = serology.local_addr().unwrap();
        let seen = Arc::clone(&blocks);
        tokio::spawn(async move {
            loop {
                let line = chemistry.accept().await.unwrap().0;
                receiver(line, Habits::default(), &mut 0, &seen).await;
            }
        });
        let seen = Arc::clone(&transfers);
        // Ends when the analyser has closed its port, after everything it sent was read.
        let computer_ended = tokio::spawn(async move {
            while let Ok(line) = TcpStream::connect(serology_at).await {
                computer(line, Habits::default(), &seen).await;
            }
        });
        let plates = Target::Directory(folder.path().to_owned());
        let analysers = vec![
            analyser(
                models::SEROLOGY,
                "r.jinja",
                models::SEROLOGY_TEMPLATE,
                Target::Line(Peer::Listen(serology)),
                "drop/9",
            ),
            analyser(
                models::CHEMISTRY,
                "r.jinja",
                models::CHEMISTRY_TEMPLATE,
                Target::Line(Peer::Connect(chemistry_at)),
                "cut/7",
            ),
            analyser(models::PLATE, "plate.jinja", models::PLATE_TEMPLATE, plates, "drop@2"),
        ];
        let two = NonZeroUsize::new(2).unwrap();
        let report = run_day(&scenario, analysers, two, &CancellationToken::new()).await.unwrap();

        computer_ended.await.unwrap();
        assert_eq!(report.failed(), 0);
        let names: Vec<&str> = report.sessions.iter().map(|s| s.analyser.as_str()).collect();
        assert_eq!(names, ["serology-first", "chemistry", "serology-second"]);
        let believed = |nth: usize| -> BTreeSet<&str> {
            report.sessions[nth].sent().map(|m| m.control_id.as_str()).collect()
        };
        let ids = |seen: &Shared, mark: u8, field: usize| -> BTreeSet<String> {
            let seen = seen.lock().unwrap();
            let texts = seen.messages.iter().map(|m| String::from_utf8(m.clone()).unwrap());
            let records = texts.flat_map(|t| t.split('\r').map(str::to_owned).collect::<Vec<_>>());
            let headers = records.filter(|r| r.as_bytes().first() == Some(&mark));
            headers.map(|h| h.split('|').nth(field).unwrap().to_owned()).collect()
        };
        let had = ids(&transfers, b'H', 2);
        assert_eq!(had.iter().map(String::as_str).collect::<BTreeSet<_>>(), believed(0));
        let had = ids(&blocks, b'M', 9);
        assert_eq!(had.iter().map(String::as_str).collect::<BTreeSet<_>>(), believed(1));
        let whole = std::fs::read_dir(folder.path()).unwrap();
        let whole = whole.filter(|f| f.as_ref().unwrap().path().extension().is_some_and(|e| e == "csv"));
        assert_eq!(whole.count(), believed(2).len());
        assert!(report.sessions[0].connections > 1 && report.sessions[1].connections > 1);
    }

    #[tokio::test]
    async fn a_day_that_is_stopped_at_once_reports_everything_as_not_sent() {
        let scenario = Scenario::new(DaySettings { donations: 60, ..DaySettings::default() }).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::Line(Peer::Listen(listener));
        let stop = CancellationToken::new();
        stop.cancel();
        let one = vec![analyser(models::SEROLOGY, "r.jinja", models::SEROLOGY_TEMPLATE, target, "merge")];
        let report = run_day(&scenario, one, NonZeroUsize::MIN, &stop).await.unwrap();
        assert_eq!(report.sent(), 0);
        assert!(report.failed() > 240, "{}", report.failed());
    }
}
