//! The station's clock against its time source (rules.md R-AUD-01): compared when the daemon starts and every ten minutes,
//! and written down whenever it stands otherwise than before, so that every entry can be read with how far its time is to be
//! trusted. Nothing waits for it: the clock orders nothing (law 6).

use ledger::{ClockState, Draft, Ledger, What};
use rsntp::{AsyncSntpClient, SynchronizationError, SynchronizationResult};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two comparisons.
const EVERY: Duration = Duration::from_mins(10);

/// A station without a time server says so: once, not at every start.
pub(crate) async fn unchecked(ledger: &Ledger) {
    let reader = ledger.state();
    let known = tokio::task::spawn_blocking(move || reader.clock()).await;
    let known = known.ok().and_then(Result::ok).flatten();
    if known.is_none_or(|stands| stands.clock != ClockState::Unchecked) {
        tracing::info!(
            "the station's clock is compared with nothing; name a time server ([site] time_server) 未配置时间服务器"
        );
        write(ledger, None, ClockState::Unchecked).await;
    }
}

/// Compares until `stop`.
pub(crate) async fn watch(server: String, off_ms: u32, ledger: Ledger, stop: CancellationToken) {
    let client = AsyncSntpClient::new();
    let mut stood = None;
    loop {
        let clock = tokio::select! {
            () = stop.cancelled() => return,
            answer = client.synchronize(server.as_str()) => state(answer, off_ms),
        };
        let name = clock.name();
        if stood != Some(name) {
            say(&clock, &server);
            write(&ledger, Some(server.clone()), clock).await;
        }
        stood = Some(name);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn write(ledger: &Ledger, server: Option<String>, clock: ClockState) {
    let outcome = match ledger.append(vec![Draft::by_system(What::ClockCompared { server, clock })]) {
        Ok(pending) => pending.await.map(drop).map_err(|failed| failed.to_string()),
        Err(refused) => Err(refused.to_string()),
    };
    if let Err(why) = outcome {
        tracing::error!(why, "how the clock stands cannot be written down");
    }
}

fn state(answer: Result<SynchronizationResult, SynchronizationError>, off_ms: u32) -> ClockState {
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
        Err(error) => ClockState::Silent { why: error.to_string() },
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
            offset_ms,
            "the station's clock is off: set it, times of entries are wrong by so much 本机时钟偏差过大，请校时"
        ),
        ClockState::Silent { why } => {
            tracing::warn!(server, why, "the time server gives no time 时间服务器无法提供时间");
        }
    }
}
