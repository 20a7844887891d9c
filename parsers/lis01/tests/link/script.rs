//! Tables of steps: what happens, what must leave, what must be said.

use crate::bench_line::{Bench, Caller, bytes, frame, part};
use lis01::Config;

/// What happens, the bytes that must leave (as `show` shows them), and the events, joined by `; `.
///
/// What can happen: `[1 text]` an end frame, `[1 text+]` an intermediate one, `+1500` ms pass, `accept`, `refuse` (the
/// held frame), `cut`, `send A,B` (records), `ready`, `not ready`, `interrupt`; anything else is bytes.
pub(crate) type Step = (&'static str, &'static str, &'static str);

pub(crate) fn check(name: &str, config: &Config, caller: Caller, steps: &[Step]) {
    let mut bench = Bench::new(config.clone());
    bench.caller = caller;
    for (row, (event, sends, says)) in steps.iter().enumerate() {
        happen(&mut bench, event);
        assert_eq!(bench.take_sent(), *sends, "{name}: sent at step {row}, {event}");
        assert_eq!(bench.take_said().join("; "), *says, "{name}: said at step {row}, {event}");
    }
}

fn happen(bench: &mut Bench, event: &str) {
    if let Some(inside) = event.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let (number, text) = inside.split_once(' ').unwrap();
        let number = number.parse().unwrap();
        bench.feed(&match text.strip_suffix('+') {
            Some(text) => part(number, text),
            None => frame(number, text),
        });
    } else if let Some(ms) = event.strip_prefix('+') {
        bench.wait_ms(ms.parse().unwrap());
    } else if let Some(records) = event.strip_prefix("send ") {
        let records: Vec<Vec<u8>> = records.split(',').map(bytes).collect();
        bench.queue(&records.iter().map(Vec::as_slice).collect::<Vec<_>>());
    } else {
        match event {
            "accept" => drop(bench.accept_held()),
            "refuse" => drop(bench.refuse_held()),
            "cut" => drop(bench.disconnect()),
            "ready" => bench.link.set_ready(true),
            "not ready" => bench.link.set_ready(false),
            "interrupt" => bench.link.request_interrupt(),
            raw => drop(bench.feed(&bytes(raw))),
        }
    }
}
