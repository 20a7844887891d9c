//! A verdict that comes while those before it are sent.

#[cfg(test)]
mod overtaken {
    use delivery::{Board, Destination};
    use ledger::{DeliveryState, Draft, Ledger, Seq, Settings, VerdictMade, What};
    use release::{Evidence, Explained, RulePack};
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };
    use std::time::Duration;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };
    use tokio_util::sync::CancellationToken;
    use vocabulary::{DestinationId, DonationId};

    const GOOD: &str = include_str!("../../release/tests/cases/base.json");
    const WITHIN: Duration = Duration::from_mins(1);

    fn to() -> DestinationId {
        DestinationId::new("lis").unwrap()
    }

    fn id(donation: &str) -> DonationId {
        DonationId::new(donation).unwrap()
    }

    fn passes(donation: &str) -> Explained {
        let mut evidence = release::read_case(GOOD).unwrap();
        evidence.donation = id(donation);
        release::explain(&evidence, &RulePack::built_in("cn-2019").unwrap())
    }

    /// Nothing was tested.
    fn is_held(donation: &str) -> Explained {
        release::explain(&Evidence::new(id(donation)), &RulePack::built_in("cn-2019").unwrap())
    }

    async fn writes(ledger: &Ledger, verdict: &Explained) -> Seq {
        let made = VerdictMade::new(verdict, Seq::NONE, vec![to()]).unwrap();
        let written = ledger.append(vec![Draft::by_system(What::VerdictMade(made))]).unwrap();
        let entry = written.await.unwrap().last();
        ledger.wait_applied(entry).await.unwrap();
        entry
    }

    /// The next message's control id, which names its verdict.
    async fn hears(line: &mut TcpStream) -> String {
        let (mut message, mut byte) = (Vec::new(), [0]);
        while !message.ends_with(&[0x1c, b'\r']) {
            line.read_exact(&mut byte).await.unwrap();
            message.extend(byte);
        }
        let text = String::from_utf8(message).unwrap();
        text.split('|').nth(9).unwrap().to_owned()
    }

    async fn answers(line: &mut TcpStream, control_id: &str) {
        let answer = format!(
            "\x0bMSH|^~\\&|LIS|C|HG|C|20260302||ACK|A{control_id}|P|2.5.1\rMSA|AA|{control_id}\r\x1c\r"
        );
        line.write_all(answer.as_bytes()).await.unwrap();
    }

    async fn overtaken() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { free_bytes_min: 0, ballast_bytes: 0, ..Settings::new(folder.path()) };
        let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
        let first = writes(&ledger, &passes("G1")).await;
        let second = writes(&ledger, &passes("G2")).await;
        let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = receiver.local_addr().unwrap().to_string();
        let (destination, stop) = (Destination::new(to(), &address), CancellationToken::new());
        let courier =
            tokio::spawn(delivery::run(destination, ledger.clone(), Board::default(), stop.clone()));
        let mut line = receiver.accept().await.unwrap().0;
        let name = |verdict| ledger::DeliveryId { verdict, destination: to() };
        let told = hears(&mut line).await;
        assert_eq!(told, name(first).to_string());
        // Both were looked up already; the second is held before its turn comes.
        let held = writes(&ledger, &is_held("G2")).await;
        answers(&mut line, &told).await;
        let told = hears(&mut line).await;
        assert_eq!(told, name(held).to_string(), "and not the pass before it");
        let how = ledger.state().delivery(&name(second)).unwrap().unwrap();
        assert_eq!((how.state, how.attempts), (DeliveryState::Withdrawn, 0));
        stop.cancel();
        courier.await.unwrap();
    }

    #[test]
    fn a_pass_that_is_overtaken_by_a_hold_before_its_turn_does_not_leave() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { tokio::time::timeout(WITHIN, overtaken()).await.expect("in time") });
    }

    /// A clock that is set by hand, milliseconds ahead of the right time.
    #[derive(Debug, Default)]
    struct Ahead(AtomicI64);

    impl ledger::Clock for Ahead {
        fn now_ms(&self) -> i64 {
            ledger::SystemClock.now_ms() + self.0.load(Ordering::SeqCst)
        }
    }

    const DAY_MS: i64 = 86_400_000;

    /// Holds that were written, and one that was tried, while the clock was a day ahead; it is right again.
    async fn set_back() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Ahead(AtomicI64::new(DAY_MS)));
        let of_ledger = Arc::clone(&clock) as Arc<dyn ledger::Clock>;
        let settings = Settings {
            free_bytes_min: 0,
            ballast_bytes: 0,
            clock: of_ledger,
            ..Settings::new(folder.path())
        };
        let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
        let name = |verdict| ledger::DeliveryId { verdict, destination: to() };
        let says = async |what| {
            let entry = ledger.append(vec![Draft::by_system(what)]).unwrap().await.unwrap().last();
            ledger.wait_applied(entry).await.unwrap();
        };
        let tried = writes(&ledger, &is_held("G1")).await;
        let next_at_ms = ledger::Clock::now_ms(clock.as_ref()) + 200;
        says(What::DeliveryAttempted { delivery: name(tried), outcome: "no answer".into(), next_at_ms })
            .await;
        let again = writes(&ledger, &is_held("G2")).await;
        says(What::DeliveryDead { delivery: name(again), reason: "no answer".into() }).await;
        says(What::DeliveryRequeued { delivery: name(again) }).await;
        let held = writes(&ledger, &is_held("G3")).await;
        clock.0.store(0, Ordering::SeqCst);
        let later = writes(&ledger, &passes("G4")).await;
        let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = receiver.local_addr().unwrap().to_string();
        let (destination, stop) = (Destination::new(to(), &address), CancellationToken::new());
        let courier =
            tokio::spawn(delivery::run(destination, ledger.clone(), Board::default(), stop.clone()));
        let mut line = receiver.accept().await.unwrap().0;
        for verdict in [tried, again, held, later] {
            let told = hears(&mut line).await;
            assert_eq!(told, name(verdict).to_string(), "each at once, and in order");
            answers(&mut line, &told).await;
        }
        stop.cancel();
        courier.await.unwrap();
    }

    #[test]
    fn what_was_written_while_the_clock_was_ahead_leaves_at_once_when_it_is_set_back() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { tokio::time::timeout(WITHIN, set_back()).await.expect("in time") });
    }
}
