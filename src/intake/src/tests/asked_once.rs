//! Whatever a well-meaning analyser does on the line, each of its queries is answered exactly once.

use super::{PATIENCE, Site, lis01, site, then};
use crate::Settled;
use lis01::{Config, Event, FrameEnd, Link, Phase, Role};
use proptest::prelude::*;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;

/// What the analyser does next.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Asks about one more specimen.
    Query,
    /// Refuses the next frame, once.
    Refuse,
    /// Is busy: answers the next enquiries NAK, until it is not.
    Busy(bool),
    /// Lets some time go.
    Wait(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Query),
        2 => Just(Step::Refuse),
        1 => any::<bool>().prop_map(Step::Busy),
        3 => (1_u8..25).prop_map(Step::Wait),
    ]
}

struct Analyser {
    link: Link<()>,
    refuse: bool,
    received: Vec<String>,
    transfer: Vec<u8>,
}

impl Analyser {
    fn now() -> std::time::Instant {
        tokio::time::Instant::now().into_std()
    }

    fn events(&mut self) {
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::Frame(frame) if std::mem::take(&mut self.refuse) => {
                    self.link.refuse(frame.ticket, Self::now());
                }
                Event::Frame(frame) => {
                    assert_eq!(frame.end, FrameEnd::End);
                    self.transfer.extend(frame.text);
                    self.link.accept(frame.ticket, (), Self::now());
                }
                Event::TransferEnded(_) => {
                    let text = String::from_utf8(std::mem::take(&mut self.transfer)).unwrap();
                    self.received.extend(text.ends_with("L|1|F\r").then_some(text));
                }
                Event::SendFailed { why, .. } => panic!("a query was not delivered: {why}"),
                Event::TransferStarted
                | Event::Repeated { .. }
                | Event::InterruptRequested { .. }
                | Event::Sent(_)
                | Event::Contention
                | Event::HangUp(_)
                | Event::Anomaly(_) => {}
            }
        }
    }

    /// Exchanges bytes until nothing moves any more. While the line is not neutral one side owes the other a byte
    /// that no clock has to bring, so it is waited for, however slow the machine is.
    async fn talk(&mut self, site: &mut Site) {
        self.link.handle_timeout(Self::now());
        let mut since = Instant::now();
        loop {
            self.events();
            while let Some(bytes) = self.link.poll_transmit() {
                site.send(&bytes).await;
            }
            site.settle().await;
            let mut bytes = [0; 512];
            let read = tokio::select! {
                biased;
                read = site.peer.read(&mut bytes) => read.unwrap(),
                () = std::future::ready(()) => 0,
            };
            if read == 0 && self.link.phase() == Phase::Neutral {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "the line stands still: {:?}", self.link.phase());
            let mut rest = &bytes[..read];
            while !rest.is_empty() {
                since = Instant::now();
                let taken = self.link.handle_input(rest, Self::now());
                rest = &rest[taken..];
                self.events();
            }
        }
    }
}

async fn play(steps: Vec<Step>) {
    let mut site = site(lis01(|_| {}));
    let config = Config { role: Role::Instrument, ..Config::default() };
    let mut analyser =
        Analyser { link: Link::new(config), refuse: false, received: Vec::new(), transfer: Vec::new() };
    let (mut asked, mut was_busy) = (Vec::new(), false);
    for step in steps {
        match step {
            Step::Query => {
                let id = asked.len() as u64 + 1;
                let answer = format!("H|\\^&\rP|1\rO|1|S{id}\rL|1|F\r");
                site.clerk.says(then(id, &answer));
                asked.push(answer);
                let records = ["H|\\^&\r".to_owned(), format!("Q|1|^S{id}\r"), "L|1|N\r".to_owned()];
                analyser.link.send(records.map(String::into_bytes).to_vec(), Analyser::now()).unwrap();
            }
            Step::Refuse => analyser.refuse = true,
            Step::Busy(busy) => {
                was_busy |= busy;
                analyser.link.set_ready(!busy);
            }
            Step::Wait(seconds) => tokio::time::advance(Duration::from_secs(seconds.into())).await,
        }
        analyser.talk(&mut site).await;
    }
    analyser.link.set_ready(true);
    analyser.refuse = false;
    for _ in 0..400 {
        if site.clerk.settled().len() >= asked.len() {
            break;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        analyser.talk(&mut site).await;
    }
    let settled = site.clerk.settled();
    assert_eq!(settled.len(), asked.len(), "{settled:?}");
    for (id, answer) in (1..).zip(&asked) {
        let how: Vec<&Settled> = settled.iter().filter(|(of, _)| *of == id).map(|(_, how)| how).collect();
        let came = analyser.received.iter().filter(|text| *text == answer).count();
        match how.as_slice() {
            [Settled::Sent] => assert_eq!(came, 1, "{answer:?}"),
            // Busy for minutes: given up, and somebody is told.
            [Settled::Failed { why }] => assert!(was_busy && came == 0, "{answer:?}: {why}"),
            other => panic!("{answer:?}: {other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_query_is_answered_exactly_once(steps in prop::collection::vec(step(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(play(steps));
    }
}
