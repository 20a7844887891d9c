//! Idle is not dead, and slow is not harmful: hours of each, by a clock that the test holds.

use crate::site::{ACK, ENQ, Site};
use intake::Limits;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::advance,
};

const HOUR_S: u64 = 60 * 60;
const DAY_S: u64 = 24 * HOUR_S;

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_silent_for_a_day_is_still_served() {
    let site = Site::listening(Limits::default(), |_| {});
    let mut line = site.connect().await;
    for _ in 0..DAY_S / 60 {
        advance(Duration::from_mins(1)).await;
    }
    line.write_all(&[ENQ]).await.unwrap();
    assert_eq!(line.read_u8().await.unwrap(), ACK);
    assert_eq!(site.standing().anomalies_total, 0);
}

#[tokio::test(start_paused = true)]
async fn a_byte_a_second_for_hours_holds_nothing_up() {
    let site = Site::listening(Limits::default(), |_| {});
    let mut line = site.connect().await;
    line.write_all(&[ENQ]).await.unwrap();
    assert_eq!(line.read_u8().await.unwrap(), ACK);
    // The beginning of a frame that never ends.
    line.write_all(b"\x021H|").await.unwrap();
    for _ in 0..4 * HOUR_S {
        line.write_all(b"x").await.unwrap();
        advance(Duration::from_secs(1)).await;
    }
    line.write_all(&[ENQ]).await.unwrap();
    // Before the ACK stand the few answers that the noise was given.
    let mut answers = 0;
    while line.read_u8().await.unwrap() != ACK {
        answers += 1;
    }
    assert!(answers < 10, "{answers} answers to noise");
}
