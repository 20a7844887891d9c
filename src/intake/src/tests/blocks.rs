//! Answers and orders over MLLP.

use super::{Says, Site, mllp, outgoing, site};
use crate::{Awaits, Outgoing, Reply, Settled};
use ledger::Seq;

const QUERY: &str = "MSH|^~\\&|A|B|C|D|1||QRY^Q02|7|P|2.3.1\rQRD|1|R|D|1|||RD|000123|OTH|||T|\r";
const FOUND: &str = "MSH|^~\\&|C|D|A|B|1||QCK^Q02|7|P|2.3.1\rMSA|AA|7\rQAK|SR|OK|\r";

fn order(control_id: &str) -> String {
    format!("MSH|^~\\&|C|D|A|B|1||DSR^Q03|{control_id}|P|2.3.1\rDSP|1||000123\r")
}

fn answer(to: &str) -> String {
    format!("MSH|^~\\&|A|B|C|D|1||ACK^Q03|8|P|2.3.1\rMSA|AA|{to}|Message accepted|||0|\r")
}

fn found(then: Vec<Outgoing>) -> Says {
    Says::Reply(Some(Reply { direct: Some(FOUND.into()), then, withdraw: false }))
}

impl Site {
    async fn say(&mut self, text: &str) {
        self.send(&::mllp::frame(text.as_bytes())).await;
    }

    async fn hear(&mut self, text: &str) {
        assert_eq!(self.block().await, text);
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_takes_the_acks_place_and_the_order_follows_and_is_answered() {
    let mut site = site(mllp());
    site.clerk.says(found(vec![outgoing(1, &order("X1"))]));
    site.say(QUERY).await;
    site.hear(FOUND).await;
    site.hear(&order("X1")).await;
    site.say(&answer("X1")).await;
    site.until(|clerk| !clerk.settled().is_empty()).await;
    let (id, how) = site.clerk.settled().remove(0);
    let Settled::Answered { answer: bytes, message } = how else { panic!("{how:?}") };
    assert_eq!((id, bytes.as_slice()), (1, answer("X1").as_bytes()));
    let ledger = site.ledger.clone();
    let (messages, ..) = site.hang_up().await;
    assert_eq!(messages, [QUERY.as_bytes().to_vec(), answer("X1").into_bytes()]);
    assert_eq!(ledger.state().raw(message).unwrap(), answer("X1").as_bytes(), "durable before it counts");
}

#[tokio::test(start_paused = true)]
async fn orders_of_one_answer_leave_one_at_a_time() {
    let mut site = site(mllp());
    site.clerk.says(found(vec![outgoing(1, &order("X1")), outgoing(2, &order("X2"))]));
    site.say(QUERY).await;
    site.hear(FOUND).await;
    site.hear(&order("X1")).await;
    site.silence().await;
    site.say(&answer("X1")).await;
    site.hear(&order("X2")).await;
    site.say(&answer("X2")).await;
    site.until(|clerk| clerk.settled().len() == 2).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_something_else_is_noted_kept_and_neither_taken_nor_acknowledged() {
    let mut site = site(mllp());
    site.clerk.has(outgoing(1, &order("X1")));
    site.hear(&order("X1")).await;
    let before = site.anomalies();
    site.say(&answer("X9")).await;
    site.after(29).await;
    assert!(site.clerk.settled().is_empty());
    assert_eq!(site.anomalies(), before + 1);
    site.after(1).await;
    site.hear(&order("X1")).await;
    site.say(&answer("X1")).await;
    site.until(|clerk| clerk.settled().len() == 1).await;
    // The answer to the first copy comes late.
    site.say(&answer("X1")).await;
    site.silence().await;
    assert_eq!(site.clerk.settled().len(), 1);
    let (messages, ..) = site.hang_up().await;
    assert_eq!(messages.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_new_message_is_acknowledged_while_an_answer_is_awaited() {
    let mut site = site(mllp());
    site.clerk.has(outgoing(1, &order("X1")));
    site.hear(&order("X1")).await;
    site.say("MSH|^~\\&|A|B|C|D|1||ORU^R01|X1|P|2.3.1\rOBX|1\r").await;
    let ack = site.block().await;
    assert!(ack.contains("MSA|AA|X1"), "{ack}");
    assert!(site.clerk.settled().is_empty(), "a message of the same control id is no answer");
    site.say(&answer("X1")).await;
    site.until(|clerk| clerk.settled().len() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_nobody_answers_is_given_up_after_three_tries() {
    let mut site = site(mllp());
    site.clerk.has(outgoing(1, &order("X1")));
    for _ in 0..3 {
        site.hear(&order("X1")).await;
        site.after(30).await;
    }
    site.until(|clerk| !clerk.settled().is_empty()).await;
    let why = "given up after 3 tries: no answer within 30s".to_owned();
    assert_eq!(site.clerk.settled(), [(1, Settled::Failed { why })]);
    site.silence().await;
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_does_not_come_back_holds_no_acknowledgement_up() {
    let mut site = site(mllp());
    site.clerk.says(Says::Hangs);
    site.say(QUERY).await;
    site.say("MSH|^~\\&|A|B|C|D|1||ORU^R01|8|P|2.3.1\rOBX|1\r").await;
    site.until(|clerk| clerk.asked().len() == 1).await;
    site.after(2).await;
    site.after(1).await;
    let nothing = site.block().await;
    assert!(nothing.contains("QAK|SR|NF"), "{nothing}");
    let ack = site.block().await;
    assert!(ack.contains("MSA|AA|8"), "answers keep their order: {ack}");
}

#[tokio::test(start_paused = true)]
async fn without_a_word_from_the_desk_a_query_is_acknowledged_as_any_message() {
    let mut site = site(mllp());
    site.clerk.says(Says::Reply(None));
    site.say(QUERY).await;
    let ack = site.block().await;
    assert!(ack.contains("MSA|AA|7"), "{ack}");
}

#[tokio::test(start_paused = true)]
async fn that_a_message_is_safe_is_not_its_answer() {
    let mut site = site(mllp());
    let order = order("X1").replace("|2.3.1\r", "|2.5.1|||AL|AL\r");
    site.clerk.has(outgoing(1, &order));
    site.hear(&order).await;
    site.say("MSH|^~\\&|A|B|C|D|1||ACK|8|P|2.5.1\rMSA|CA|X1\r").await;
    site.after(29).await;
    assert!(site.clerk.settled().is_empty());
    site.say("MSH|^~\\&|A|B|C|D|1||ORL^O34|9|P|2.5.1\rMSA|AA|X1\r").await;
    site.until(|clerk| clerk.settled().len() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_cut_leaves_the_order_unanswered() {
    let mut site = site(mllp());
    site.clerk.says(found(vec![outgoing(1, &order("X1")), outgoing(2, &order("X2"))]));
    site.say(QUERY).await;
    site.hear(FOUND).await;
    site.hear(&order("X1")).await;
    let (_, clerk, _) = site.hang_up().await;
    assert_eq!(clerk.settled(), [(1, Settled::Disconnected), (2, Settled::Disconnected)]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_what_asks_be_answered_and_sends_nothing_new() {
    let mut site = site(mllp());
    site.clerk.says(Says::Hangs);
    site.say(QUERY).await;
    site.until(|clerk| clerk.asked().len() == 1).await;
    site.stop.cancel();
    site.clerk.has(outgoing(1, &order("X1")));
    site.after(3).await;
    assert!(site.block().await.contains("NF"));
    let (_, clerk, _) = site.hang_up().await;
    assert_eq!(clerk.settled(), []);
}

#[tokio::test(start_paused = true)]
async fn law_01_an_answer_that_cannot_be_kept_does_not_count_and_a_query_gets_no_answer() {
    let mut site = site(mllp());
    site.clerk.has(outgoing(1, &order("X1")));
    site.clerk.says(found(vec![]));
    site.hear(&order("X1")).await;
    site.ledger.clone().close();
    site.say(&answer("X1")).await;
    site.say(QUERY).await;
    let refused = site.block().await;
    assert!(refused.contains("MSA|AE|7"), "{refused}");
    assert!(site.clerk.settled().is_empty());
    assert!(site.clerk.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_nothing_can_answer_is_not_sent_and_what_needs_no_answer_is_done_when_written() {
    let mut site = site(mllp());
    site.clerk.has(outgoing(1, "MSH|^~\\&|C|D|A|B|1||DSR^Q03||P|2.3.1\r"));
    site.until(|clerk| clerk.settled().len() == 1).await;
    assert!(matches!(&site.clerk.settled()[0].1, Settled::Failed { why } if why.contains("MSH-10")));
    site.clerk.has(Outgoing { awaits: Awaits::Link, ..outgoing(2, &order("X2")) });
    site.hear(&order("X2")).await;
    site.until(|clerk| clerk.settled().len() == 2).await;
    assert_eq!(site.clerk.settled()[1], (2, Settled::Sent));
    assert_eq!(site.clerk.asked(), Vec::<(Seq, Vec<u8>)>::new());
}
