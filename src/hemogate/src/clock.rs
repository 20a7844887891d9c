//! The station's clock against its time source (rules.md R-AUD-01): compared when the daemon starts and every ten minutes,
//! and written down whenever it stands otherwise than before, and once a day, so that every entry can be read with how far
//! its time is to be trusted. Nothing waits for it: the clock orders nothing (law 6).

use crate::daemon::note;
use ledger::{ClockState, Ledger, What};
use rsntp::{AsyncSntpClient, Config, SynchronizationResult};
use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{net::lookup_host, time::Instant};
use tokio_util::sync::CancellationToken;

/// Between two comparisons.
const EVERY: Duration = Duration::from_mins(10);
/// Between two of them while the time server gives no time.
const WHILE_SILENT: Duration = Duration::from_mins(1);
/// What stands is written down again after this time.
const AGAIN_AFTER: Duration = Duration::from_hours(24);
/// An answer that is lost on the way is asked for again.
const TRIES: u8 = 3;
const NTP_PORT: u16 = 123;

/// A station without a time server says so at every start.
pub(crate) async fn unchecked(ledger: &Ledger) {
    tracing::info!(
        "the station's clock is compared with nothing; name a time server ([site] time_server) 未配置时间服务器"
    );
    note(ledger, What::ClockCompared { server: None, clock: ClockState::Unchecked }).await;
}

/// Compares until `stop`.
pub(crate) async fn watch(server: String, off_ms: u32, ledger: Ledger, stop: CancellationToken) {
    let mut written: Option<(ClockState, Instant)> = None;
    loop {
        let clock = tokio::select! {
            () = stop.cancelled() => return,
            answer = ask(&server) => state(answer, off_ms),
        };
        let is_silent = matches!(clock, ClockState::Silent { .. });
        let stands = written.as_ref().filter(|(_, at)| at.elapsed() < AGAIN_AFTER);
        if stands.is_none_or(|(before, _)| is_otherwise(before, &clock, off_ms)) {
            say(&clock, &server);
            let what = What::ClockCompared { server: Some(server.clone()), clock: clock.clone() };
            let done = note(&ledger, what).await;
            written = done.then(|| (clock, Instant::now()));
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(if is_silent { WHILE_SILENT } else { EVERY }) => {}
        }
    }
}

/// Another state, or the same by so much more or less that what was written says too little.
fn is_otherwise(before: &ClockState, now: &ClockState, off_ms: u32) -> bool {
    let offset = |clock: &ClockState| match clock {
        ClockState::InStep { offset_ms } | ClockState::Off { offset_ms } => Some(*offset_ms),
        ClockState::Unchecked | ClockState::Silent { .. } => None,
    };
    let further = offset(before).zip(offset(now)).is_some_and(|(a, b)| a.abs_diff(b) >= u64::from(off_ms));
    before.name() != now.name() || further
}

async fn ask(server: &str) -> Result<SynchronizationResult, String> {
    let mut why = String::new();
    for _ in 0..TRIES {
        match ask_once(server).await {
            Ok(answer) => return Ok(answer),
            Err(error) => why = error,
        }
    }
    Err(why)
}

async fn ask_once(server: &str) -> Result<SynchronizationResult, String> {
    let address = address(server).await?;
    // rsntp listens where it is told to, and by itself for IPv4 only.
    let any = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let client = AsyncSntpClient::with_config(Config::default().bind_address(SocketAddr::new(any, 0)));
    client.synchronize(address).await.map_err(|error| error.to_string())
}

/// `host` or `host:port`.
async fn address(server: &str) -> Result<SocketAddr, String> {
    let found = match lookup_host(server).await {
        Ok(mut found) => found.next(),
        Err(_) => lookup_host((server, NTP_PORT)).await.map_err(|error| error.to_string())?.next(),
    };
    found.ok_or_else(|| format!("{server} has no address"))
}

fn state(answer: Result<SynchronizationResult, String>, off_ms: u32) -> ClockState {
    match answer {
        Ok(answer) => {
            let ahead = jiff::SignedDuration::try_from_secs_f64(answer.clock_offset().as_secs_f64());
            let offset_ms =
                ahead.map_or(i64::MAX, |ahead| i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX));
            if offset_ms.unsigned_abs() >= u64::from(off_ms) {
                ClockState::Off { offset_ms }
            } else {
                ClockState::InStep { offset_ms }
            }
        }
        Err(why) => ClockState::Silent { why },
    }
}

fn say(clock: &ClockState, server: &str) {
    match clock {
        ClockState::Unchecked => {}
        ClockState::InStep { offset_ms } => {
            tracing::info!(server, offset_ms, "the clock is in step 时钟已同步");
        }
        ClockState::Off { offset_ms } => tracing::warn!(
            server,
            server_ahead_ms = offset_ms,
            "the station's clock is off: set it, times of entries are wrong by so much 本机时钟偏差过大，请校时"
        ),
        ClockState::Silent { why } => {
            tracing::warn!(server, why, "the time server gives no time 时间服务器无法提供时间");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_drifts_on_is_written_down_again() {
        let (step, off) =
            (|offset_ms| ClockState::InStep { offset_ms }, |offset_ms| ClockState::Off { offset_ms });
        let silent = || ClockState::Silent { why: "timed out".to_owned() };
        for (before, now, otherwise) in [
            (step(3), step(900), false),
            (step(-1_500), step(1_500), true),
            (step(1_999), off(2_001), true),
            (off(2_100), off(10_800_000), true),
            (off(2_100), off(2_900), false),
            (off(2_100), silent(), true),
            (silent(), silent(), false),
        ] {
            assert_eq!(is_otherwise(&before, &now, 2_000), otherwise, "{before:?} {now:?}");
        }
    }
}
