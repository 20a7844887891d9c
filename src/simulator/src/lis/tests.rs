use super::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Site {
    lis: Lis,
    address: std::net::SocketAddr,
    stop: CancellationToken,
}

/// A LIS on a port of its own.
async fn site(script: &[&str]) -> Site {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let lis = Lis::new(Script::new(script.iter().map(|t| t.parse().unwrap()).collect(), 1));
    let stop = CancellationToken::new();
    let (serving, stopping) = (lis.clone(), stop.clone());
    tokio::spawn(async move { serving.serve(listener, stopping).await });
    Site { lis, address, stop }
}

fn verdict(control_id: &str, donation: &str, unit: &str) -> String {
    format!(
        "MSH|^~\\&|HG||BIS||20260302||ORU^R01^ORU_R01|{control_id}|P|2.5.1\r\
         OBR|1||{donation}|VERDICT\rOBX|1|CWE|UNIT^x^y||{unit}^^y||||||F\r"
    )
}

impl Site {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends one message on a line of its own and reads until a whole answer came or the line closed.
    async fn ask(&self, message: &str) -> String {
        let mut line = self.connect().await;
        match line.write_all(&mllp::frame(message.as_bytes())).await {
            Ok(()) => answer(&mut line).await,
            Err(_) => String::new(),
        }
    }
}

async fn answer(line: &mut TcpStream) -> String {
    let mut had = Vec::new();
    while !had.ends_with(&[0x1c, 0x0d]) {
        let mut byte = [0];
        match line.read(&mut byte).await {
            Ok(1) => had.push(byte[0]),
            _ => break,
        }
    }
    String::from_utf8(had).unwrap()
}

#[tokio::test]
async fn a_verdict_is_acknowledged_and_held() {
    let site = site(&[]).await;
    let said = site.ask(&verdict("7@bis", "A999926000007", "pass")).await;
    assert!(said.contains("ACK^R01") && said.contains("MSA|AA|7@bis"), "{said:?}");
    let held = site.lis.received_for("A999926000007");
    assert_eq!((held.len(), held[0].result("UNIT").as_deref()), (1, Some("pass")));
    assert_eq!(held[0].result("ABO"), None);
    assert_eq!(site.lis.tally(), Tally { arrived: 1, held: 1, ..Tally::default() });
    site.stop.cancel();
}

#[tokio::test]
async fn equal_content_is_held_once_and_every_arrival_is_counted() {
    let site = site(&[]).await;
    for (id, unit) in [("1", "hold"), ("1", "hold"), ("2", "hold"), ("3", "pass")] {
        site.ask(&verdict(id, "D1", unit)).await;
    }
    let held = site.lis.received();
    assert_eq!(
        held.iter().map(|h| h.control_ids.clone()).collect::<Vec<_>>(),
        [vec!["1", "1", "2"], vec!["3"]]
    );
    assert_eq!((held[0].first_arrival, held[1].first_arrival), (1, 4));
    let tally = Tally { arrived: 4, held: 2, repeated: 1, duplicates: 1, ..Tally::default() };
    assert_eq!(site.lis.tally(), tally);
}

#[tokio::test]
async fn what_is_no_result_of_a_donation_is_answered_ae_and_not_held() {
    let site = site(&[]).await;
    for message in [
        verdict("1", "", "pass"),
        verdict("", "D1", "pass"),
        verdict("1", "D1", "pass").replace("ORU^R01", "ADT^A01"),
        "PID|1\r".to_owned(),
    ] {
        let said = site.ask(&message).await;
        assert!(said.contains("MSA|AE|"), "{said:?}");
    }
    assert_eq!(site.lis.tally(), Tally { arrived: 4, unreadable: 4, ..Tally::default() });
}

#[tokio::test]
async fn two_messages_in_one_write_get_two_answers_in_order() {
    let site = site(&[]).await;
    let mut line = site.connect().await;
    let both =
        [verdict("1", "D1", "pass"), verdict("2", "D2", "hold")].map(|m| mllp::frame(m.as_bytes())).concat();
    line.write_all(&both).await.unwrap();
    assert!(answer(&mut line).await.contains("MSA|AA|1"));
    assert!(answer(&mut line).await.contains("MSA|AA|2"));
}

#[tokio::test]
async fn refusals_are_answered_as_the_script_says_and_not_held() {
    let site = site(&["ae@1", "ar@2"]).await;
    let message = verdict("1", "D1", "pass");
    for code in ["AE", "AR", "AA"] {
        let said = site.ask(&message).await;
        assert!(said.contains(&format!("MSA|{code}|1")), "{code}: {said:?}");
        assert_eq!(site.lis.received().len(), usize::from(code == "AA"));
    }
    assert_eq!(site.lis.tally(), Tally { arrived: 3, held: 1, refused: 2, ..Tally::default() });
}

#[tokio::test]
async fn it_answers_twice_with_the_wrong_id_half_or_not_at_all_and_holds_the_message_all_the_same() {
    let site = site(&["twice@1", "wrong-id@2", "close@3", "silent@4"]).await;
    let mut line = site.connect().await;
    line.write_all(&mllp::frame(verdict("1", "D1", "pass").as_bytes())).await.unwrap();
    assert_eq!(answer(&mut line).await, answer(&mut line).await);
    let said = site.ask(&verdict("2", "D2", "pass")).await;
    assert!(said.contains("MSA|AA|2-OTHER"), "{said:?}");
    let said = site.ask(&verdict("3", "D3", "pass")).await;
    assert!(said.starts_with("\u{b}MSH") && !said.ends_with("\u{1c}\r"), "{said:?}");
    let mut line = site.connect().await;
    let mut tally = site.lis.watch();
    line.write_all(&mllp::frame(verdict("4", "D4", "pass").as_bytes())).await.unwrap();
    tally.wait_for(|t| t.held == 4).await.unwrap();
    line.write_all(&mllp::frame(verdict("5", "D5", "pass").as_bytes())).await.unwrap();
    assert!(answer(&mut line).await.contains("MSA|AA|5"));
}

#[tokio::test]
async fn when_it_is_down_it_closes_every_line_and_comes_back() {
    let site = site(&["down=200ms@2"]).await;
    let mut idle = site.connect().await;
    idle.write_all(&mllp::frame(verdict("1", "D1", "pass").as_bytes())).await.unwrap();
    assert!(answer(&mut idle).await.contains("MSA|AA|1"));
    let begun = std::time::Instant::now();
    assert_eq!(site.ask(&verdict("2", "D2", "pass")).await, "");
    assert_eq!(answer(&mut idle).await, "");
    assert_eq!(site.lis.received().len(), 1);
    while site.ask(&verdict("2", "D2", "pass")).await.is_empty() {}
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(site.lis.received().len(), 2);
}

#[tokio::test]
async fn a_slow_answer_comes_late_and_holds_nothing_up_on_other_lines() {
    let site = site(&["slow=300ms@1"]).await;
    let begun = std::time::Instant::now();
    let (slow, quick) = (verdict("1", "D1", "pass"), verdict("2", "D2", "pass"));
    let mut line = site.connect().await;
    let mut tally = site.lis.watch();
    line.write_all(&mllp::frame(slow.as_bytes())).await.unwrap();
    tally.wait_for(|t| t.arrived == 1).await.unwrap();
    assert!(site.ask(&quick).await.contains("MSA|AA|2"));
    let quick_after = begun.elapsed();
    assert!(answer(&mut line).await.contains("MSA|AA|1"));
    assert!(begun.elapsed() >= Duration::from_millis(300) && quick_after < begun.elapsed());
}
