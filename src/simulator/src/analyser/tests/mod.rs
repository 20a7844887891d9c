//! Two peers on a line in memory and in virtual time: what the analyser believes delivered is what the other end has.

pub(crate) mod peers;

use super::courier::Courier;
use super::*;
use crate::fault::Fault;
use crate::model::OutgoingKind;
use crate::model::tests as models;
use crate::scenario::DaySettings;
use lis01::{AnomalyKind, Ending};
use peers::{Habits, Seen, lis01_peer, mllp_peer};
use std::collections::BTreeSet;
use std::sync::MutexGuard;
use tokio::time::Instant;

const MESSAGES: usize = 12;

fn faults(texts: &[&str], seed: u64) -> Faults {
    Faults::new(texts.iter().map(|t| t.parse::<Fault>().unwrap()).collect(), seed)
}

fn message(control_id: String, bytes: Vec<u8>) -> Outgoing {
    let (kind, run) = (OutgoingKind::Results, "R1".to_owned());
    let file_name = Some(format!("{control_id}.csv"));
    Outgoing { control_id, kind, run, donations: Vec::new(), bytes, file_name, again: false }
}

/// Records of several lengths; some need two frames.
fn record_messages() -> Vec<Outgoing> {
    let record = |n: usize| format!("H|\\^&|{n}\rP|1\rO|1|{}\rR|1|{}\rL|1|N\r", n * 7, "x".repeat(n * 40));
    (1..=MESSAGES).map(|n| message(n.to_string(), record(n).into_bytes())).collect()
}

fn block_messages() -> Vec<Outgoing> {
    let text =
        |n: usize| format!("MSH|^~\\&|A||||20260302||ORU^R01|{n}|P|2.3.1\rOBR|1|{}\r", "x".repeat(n * 40));
    (1..=MESSAGES).map(|n| message(n.to_string(), text(n).into_bytes())).collect()
}

async fn send_records(
    messages: &[Outgoing],
    faults: Faults,
    habits: Habits,
) -> (SessionReport, peers::Shared) {
    let (plug, seen, ended) = lis01_peer(habits);
    let wire = RecordsMaker::new(plug, lis01::Config::default());
    let tempo = Tempo { tries_max: 5, ..Tempo::default() };
    let courier = Courier::new("a".to_owned(), tempo, faults, wire);
    let report = courier.carry(messages, 1, &CancellationToken::new()).await;
    ended.await.unwrap();
    (report, seen)
}

async fn send_blocks(
    messages: &[Outgoing],
    faults: Faults,
    habits: Habits,
) -> (SessionReport, peers::Shared) {
    let (plug, seen, ended) = mllp_peer(habits);
    let wire = BlocksMaker::new(plug, Duration::from_secs(30));
    let tempo = Tempo { tries_max: 5, ..Tempo::default() };
    let courier = Courier::new("a".to_owned(), tempo, faults, wire);
    let report = courier.carry(messages, 1, &CancellationToken::new()).await;
    ended.await.unwrap();
    (report, seen)
}

fn look(seen: &peers::Shared) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap()
}

/// Every message is believed sent, and the receiver has exactly these, some perhaps more than once.
fn all_arrived(messages: &[Outgoing], report: &SessionReport, seen: &Seen) {
    assert_eq!(report.failed().count(), 0, "{report:?}");
    assert_eq!(report.messages.len(), messages.len());
    let had: BTreeSet<&[u8]> = seen.messages.iter().map(Vec::as_slice).collect();
    let wanted: BTreeSet<&[u8]> = messages.iter().map(|m| m.bytes.as_slice()).collect();
    assert_eq!(had, wanted);
}

#[tokio::test(start_paused = true)]
async fn without_faults_every_message_arrives_once_and_in_order() {
    let sent = record_messages();
    let (report, seen) = send_records(&sent, Faults::default(), Habits::default()).await;
    all_arrived(&sent, &report, &look(&seen));
    assert_eq!(look(&seen).messages, sent.iter().map(|m| m.bytes.clone()).collect::<Vec<_>>());
    assert_eq!((report.connections, look(&seen).broken.len()), (1, 0));
    let sent = block_messages();
    let (report, seen) = send_blocks(&sent, Faults::default(), Habits::default()).await;
    assert_eq!(look(&seen).messages, sent.iter().map(|m| m.bytes.clone()).collect::<Vec<_>>());
    assert_eq!(report.connections, 1);
}

/// Each fault on the eighth LIS01 transfer, which has two frames for its result record.
async fn one_fault(fault: &str) -> (SessionReport, peers::Shared, Duration) {
    let sent = record_messages();
    let begun = Instant::now();
    let (report, seen) = send_records(&sent, faults(&[fault], 1), Habits::default()).await;
    all_arrived(&sent, &report, &look(&seen));
    (report, seen, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_dropped_line_breaks_the_transfer_and_the_message_is_sent_again_whole() {
    let (report, seen, _) = one_fault("drop@8").await;
    assert_eq!(report.connections, 2);
    assert_eq!(report.messages[7].delivery, Delivery::Sent { tries: 2 });
    let seen = look(&seen);
    assert_eq!(seen.messages.len(), MESSAGES);
    assert!(matches!(seen.broken[..], [(Ending::Disconnected, frames)] if frames > 0), "{:?}", seen.broken);
}

#[tokio::test(start_paused = true)]
async fn a_cut_line_leaves_whole_frames_and_no_end_of_transfer() {
    let (report, seen, _) = one_fault("cut@8").await;
    assert_eq!(report.connections, 2);
    let seen = look(&seen);
    assert!(matches!(seen.broken[..], [(Ending::Disconnected, frames)] if frames > 0), "{:?}", seen.broken);
    assert!(!seen.anomalies.iter().any(|a| a.kind == AnomalyKind::FrameBrokenOff), "{:?}", seen.anomalies);
}

#[tokio::test(start_paused = true)]
async fn a_flipped_bit_and_a_wrong_checksum_are_refused_and_sent_again_on_the_same_line() {
    for fault in ["flip@8", "checksum@8"] {
        let (report, seen, _) = one_fault(fault).await;
        assert_eq!(
            (report.connections, report.messages[7].delivery.clone()),
            (1, Delivery::Sent { tries: 1 })
        );
        let bad = look(&seen).anomalies.iter().filter(|a| matches!(a.kind, AnomalyKind::BadFrame(_))).count();
        assert_eq!(bad, 1, "{fault}: {:?}", look(&seen).anomalies);
    }
}

#[tokio::test(start_paused = true)]
async fn split_bytes_leave_one_by_one() {
    let (_, seen, _) = one_fault("split=1@8").await;
    let single = look(&seen).writes.iter().filter(|r| r.len() == 1).count();
    assert!(single > 100, "{single}");
}

#[tokio::test(start_paused = true)]
async fn merged_is_the_end_of_one_transfer_with_the_enquiry_of_the_next() {
    let (_, seen, _) = one_fault("merge@8").await;
    let merged = look(&seen).writes.iter().filter(|r| r.as_slice() == [0x04, 0x05]).count();
    assert_eq!(merged, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_line_is_silent_in_the_middle_of_a_frame_and_goes_on() {
    let (report, seen, took) = one_fault("stall=9s@8").await;
    assert!(took >= Duration::from_secs(9), "{took:?}");
    assert_eq!((report.connections, look(&seen).broken.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stall_past_the_receivers_patience_breaks_the_transfer_and_it_is_sent_again() {
    let (report, seen, _) = one_fault("stall=60s@8").await;
    assert!(matches!(look(&seen).broken[..], [(Ending::Timeout, _)]), "{:?}", look(&seen).broken);
    assert_eq!(report.messages[7].delivery, Delivery::Sent { tries: 2 });
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_is_the_same_transfer_again() {
    let (_, seen, _) = one_fault("duplicate@8").await;
    let seen = look(&seen);
    assert_eq!(seen.messages.len(), MESSAGES + 1);
    assert_eq!(seen.messages[7], seen.messages[8]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_takes_its_time_with_every_byte_of_an_answer() {
    let (report, seen, took) = one_fault("slow-reader=700ms@8").await;
    assert!(took >= Duration::from_secs(3), "{took:?}: an answer for each of several frames");
    assert_eq!((report.connections, look(&seen).broken.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_endless_frame_ends_with_the_connection_and_the_message_is_sent_again() {
    let (report, seen, _) = one_fault("endless-frame=300000@8").await;
    assert_eq!(report.messages[7].delivery, Delivery::Sent { tries: 2 });
    let written: usize = look(&seen).writes.iter().map(Vec::len).sum();
    assert!(written > 300_000, "{written}");
    let faults = faults(&["endless-frame=300000@8"], 1);
    let (_, seen) = send_blocks(&block_messages(), faults, Habits::default()).await;
    assert!(look(&seen).writes.iter().map(Vec::len).sum::<usize>() > 300_000);
}

#[tokio::test(start_paused = true)]
async fn contention_is_an_enquiry_in_answer_to_an_enquiry_and_the_analyser_wins() {
    let sent = record_messages();
    let habits = Habits { sends: Some(b"H|\\^&\rL|1|N\r"), ..Habits::default() };
    // The first enquiries meet by themselves: both are out as soon as the connection stands.
    for (asked, contentions) in [(&["merge@2"], 1), (&["contention@2"], 2)] {
        let (report, seen) = send_records(&sent, faults(asked, 1), habits).await;
        all_arrived(&sent, &report, &look(&seen));
        assert_eq!((look(&seen).contentions, report.connections), (contentions, 1), "{asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn interrupt_asks_for_the_line_in_the_middle_of_the_others_transfer() {
    let sent = record_messages();
    let habits = Habits { sends: Some(b"H|\\^&\rL|1|N\r"), ..Habits::default() };
    let (report, seen) = send_records(&sent, faults(&["interrupt@1"], 1), habits).await;
    all_arrived(&sent, &report, &look(&seen));
    assert_eq!((look(&seen).interrupts, report.connections), (1, 1));
    assert_eq!(look(&seen).writes[..2], [vec![0x06], vec![0x04]], "ACK to the enquiry, EOT to the frame");
}

#[tokio::test(start_paused = true)]
async fn unframed_records_leave_as_they_are() {
    struct Once(Option<tokio::io::DuplexStream>);
    impl dial::Dial for Once {
        type Stream = tokio::io::DuplexStream;
        async fn dial(&mut self) -> std::io::Result<Self::Stream> {
            self.0.take().ok_or_else(|| std::io::ErrorKind::ConnectionRefused.into())
        }
    }
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let messages = record_messages();
    let wire = UnframedMaker::new(Once(Some(near)));
    let courier = Courier::new("a".to_owned(), Tempo::default(), faults(&["split=7@2"], 1), wire);
    let report = courier.carry(&messages, 1, &CancellationToken::new()).await;
    assert_eq!((report.failed().count(), report.connections), (0, 1));
    let mut had = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut far, &mut had).await.unwrap();
    assert_eq!(had, messages.iter().flat_map(|m| m.bytes.clone()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn under_every_fault_at_once_what_is_believed_sent_is_there() {
    let all = [
        "drop%20",
        "cut%20",
        "flip%20",
        "checksum%20",
        "split=3%30",
        "merge%40",
        "stall=5s%20",
        "duplicate%20",
        "slow-reader=50ms%20",
        "endless-frame=900%10",
        "contention%20",
        "interrupt%20",
    ];
    let habits = Habits { sends: Some(b"H|\\^&\rL|1|N\r"), ..Habits::default() };
    let sent = record_messages();
    for seed in 0..40 {
        let (report, seen) = send_records(&sent, faults(&all, seed), habits).await;
        all_arrived(&sent, &report, &look(&seen));
    }
    let all = [
        "drop%20",
        "cut%20",
        "split=3%30",
        "merge%40",
        "stall=5s%20",
        "duplicate%20",
        "slow-reader=50ms%20",
        "endless-frame=900%10",
    ];
    let sent = block_messages();
    for seed in 0..40 {
        let (report, seen) = send_blocks(&sent, faults(&all, seed), Habits::default()).await;
        all_arrived(&sent, &report, &look(&seen));
    }
}

#[tokio::test(start_paused = true)]
async fn several_messages_share_a_transfer() {
    let sent = record_messages();
    let (plug, seen, ended) = lis01_peer(Habits::default());
    let wire = RecordsMaker::new(plug, lis01::Config::default());
    let courier = Courier::new("a".to_owned(), Tempo::default(), faults(&["drop@2"], 1), wire);
    let report = courier.carry(&sent, 5, &CancellationToken::new()).await;
    ended.await.unwrap();
    let seen = look(&seen);
    let lengths: Vec<usize> = seen
        .messages
        .iter()
        .map(|m| m.split(|b| *b == b'\r').filter(|r| r.starts_with(b"H")).count())
        .collect();
    assert_eq!(lengths, [5, 5, 2]);
    let tries: Vec<_> = report.messages.iter().map(|m| m.delivery.clone()).collect();
    assert!(tries[5..10].iter().all(|d| *d == Delivery::Sent { tries: 2 }), "{tries:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_computer_sends_unasked_is_taken_and_the_session_goes_on() {
    let sent = record_messages();
    let habits = Habits { sends: Some(b"H|\\^&\rL|1|N\r"), ..Habits::default() };
    let (report, seen) = send_records(&sent, Faults::default(), habits).await;
    all_arrived(&sent, &report, &look(&seen));
}

#[tokio::test(start_paused = true)]
async fn a_mute_peer_is_given_up_after_so_many_tries_and_the_report_says_why() {
    let mute = Habits { mute: true, ..Habits::default() };
    let (report, _) = send_records(&record_messages()[..2], Faults::default(), mute).await;
    let why = "nobody answered the enquiry".to_owned();
    assert_eq!(report.messages[1].delivery, Delivery::Failed { tries: 5, why });
    let (report, _) = send_blocks(&block_messages()[..2], Faults::default(), mute).await;
    let why = "nobody answered in time".to_owned();
    assert_eq!(report.messages[1].delivery, Delivery::Failed { tries: 5, why });
}

#[tokio::test(start_paused = true)]
async fn a_message_answered_ae_is_sent_again_on_the_same_line_until_it_is_accepted() {
    let sent = block_messages();
    let (report, seen) =
        send_blocks(&sent, Faults::default(), Habits { refusals: 3, ..Habits::default() }).await;
    all_arrived(&sent, &report, &look(&seen));
    assert_eq!(report.messages[0].delivery, Delivery::Sent { tries: 4 });
    assert_eq!(report.connections, 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_another_message_is_passed_over() {
    let sent = block_messages();
    let habits = Habits { answers_another_first: true, refusals: 1, ..Habits::default() };
    let (report, seen) = send_blocks(&sent, Faults::default(), habits).await;
    all_arrived(&sent, &report, &look(&seen));
    assert_eq!(report.messages[0].delivery, Delivery::Sent { tries: 2 });
}

#[tokio::test(start_paused = true)]
async fn block_faults_break_lines_where_they_say() {
    for (fault, arrivals, connections) in
        [("drop@3", 12, 2), ("cut@3", 13, 2), ("merge@3", 13, 1), ("duplicate@3", 13, 1)]
    {
        let sent = block_messages();
        let (report, seen) = send_blocks(&sent, faults(&[fault], 1), Habits::default()).await;
        all_arrived(&sent, &report, &look(&seen));
        assert_eq!((look(&seen).messages.len(), report.connections), (arrivals, connections), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_there_is_tried_with_pauses_and_given_up() {
    struct Nobody;
    impl dial::Dial for Nobody {
        type Stream = tokio::io::DuplexStream;
        async fn dial(&mut self) -> std::io::Result<Self::Stream> {
            Err(std::io::ErrorKind::ConnectionRefused.into())
        }
    }
    let begun = Instant::now();
    let tempo = Tempo { tries_max: 4, ..Tempo::default() };
    let wire = BlocksMaker::new(Nobody, Duration::from_secs(1));
    let courier = Courier::new("a".to_owned(), tempo, Faults::default(), wire);
    let report = courier.carry(&block_messages()[..1], 1, &CancellationToken::new()).await;
    assert!(
        matches!(&report.messages[0].delivery, Delivery::Failed { tries: 4, why } if why.contains("failed"))
    );
    assert_eq!((begun.elapsed(), report.connections), (Duration::from_millis(100 + 200 + 400), 0));
}

#[tokio::test(start_paused = true)]
async fn a_stop_leaves_a_true_report() {
    let stop = CancellationToken::new();
    let (plug, seen, _ended) = lis01_peer(Habits { mute: true, ..Habits::default() });
    let wire = RecordsMaker::new(plug, lis01::Config::default());
    let courier = Courier::new("a".to_owned(), Tempo::default(), Faults::default(), wire);
    let messages = record_messages();
    let (report, ()) = tokio::join!(courier.carry(&messages, 1, &stop), async {
        while look(&seen).writes.is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    });
    assert_eq!(report.failed().count(), MESSAGES);
    let tries: Vec<u32> = report
        .messages
        .iter()
        .map(|m| if let Delivery::Failed { tries, .. } = &m.delivery { *tries } else { 99 })
        .collect();
    assert_eq!(tries[..3], [1, 0, 0]);
}

#[tokio::test]
async fn files_appear_whole_under_their_names_and_a_second_one_beside_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let messages = block_messages();
    let maker = FilesMaker::new(folder.path().join("in"));
    let faults = faults(&["drop@2", "duplicate@3"], 1);
    let tempo = Tempo { pause_first: Duration::ZERO, pause_max: Duration::ZERO, ..Tempo::default() };
    let courier = Courier::new("a".to_owned(), tempo, faults, maker);
    let report = courier.carry(&messages[..4], 1, &CancellationToken::new()).await;
    assert_eq!(report.messages[1].delivery, Delivery::Sent { tries: 2 });
    let mut names: Vec<String> = std::fs::read_dir(folder.path().join("in"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["1.csv", "2.csv", "3-2.csv", "3.csv", "4.csv"]);
    for (name, message) in [("1.csv", 0), ("2.csv", 1), ("3-2.csv", 2), ("3.csv", 2)] {
        assert_eq!(std::fs::read(folder.path().join("in").join(name)).unwrap(), messages[message].bytes);
    }
}

fn analyser(toml: &str, name: &str, template: &str, target: Target) -> Analyser {
    let model = Arc::new(models::model(toml, name, template));
    let duty = model.duties()[0];
    Analyser {
        name: "a".to_owned(),
        model,
        duty,
        target,
        framing: Framing::default(),
        tempo: Tempo::default(),
        faults: Faults::default(),
    }
}

#[test]
fn what_does_not_go_together_is_refused_before_anything_is_sent() {
    let scenario = Scenario::new(DaySettings { donations: 60, ..DaySettings::default() }).unwrap();
    let tcp = || Target::Line(Peer::Connect("127.0.0.1:1".to_owned()));
    let directory = || Target::Directory("in".into());
    let plate = |target| analyser(models::PLATE, "plate.jinja", models::PLATE_TEMPLATE, target);
    let serology = |target| analyser(models::SEROLOGY, "r.jinja", models::SEROLOGY_TEMPLATE, target);
    for (analyser, expect) in [
        (plate(tcp()), "it writes files"),
        (serology(directory()), "it speaks over a line"),
        (Analyser { duty: Duty::Nat, ..serology(tcp()) }, "has no duty nat"),
        (Analyser { faults: faults(&["flip"], 1), ..plate(directory()) }, "has no checksum"),
    ] {
        let error = analyser.prepare(&scenario).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }
    assert!(serology(tcp()).prepare(&scenario).is_ok());
}
