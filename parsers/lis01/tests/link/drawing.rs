//! The drawing and the table of steps in the crate's documentation are true: every row is tried.

use crate::bench_line::{Bench, Caller, frame};
use lis01::{Config, Interrupts, Phase, Role, Timer};

const DOCUMENTATION: &str = include_str!("../../src/lib.rs");
const FRAME_1: &str = "<STX>1A<CR><ETX>82<CR><LF>";
const FRAME_2: &str = "<STX>2B<CR><ETX>84<CR><LF>";

struct Row {
    state: String,
    event: String,
    sends: String,
    next: String,
}

fn rows() -> Vec<Row> {
    let lines = DOCUMENTATION.lines().filter_map(|line| line.strip_prefix("//! "));
    let cells = lines.map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>());
    let rows = cells.filter_map(|cells| <[String; 4]>::try_from(cells).ok());
    rows.skip(1).map(|[state, event, sends, next]| Row { state, event, sends, next }).collect()
}

#[test]
fn every_step_of_the_table_is_what_the_link_does() {
    let rows = rows();
    assert_eq!(rows.len(), 30, "the table is read whole");
    for row in rows {
        let mut bench = before(&row);
        bench.take_sent();
        let (event, detail) = row.event.split_once(" (").unwrap_or((&row.event, ""));
        happen(&mut bench, &row.state, event);
        let name = format!("{} | {event} ({detail}", row.state);
        let sends = match row.sends.as_str() {
            "-" => String::new(),
            "frame 1" | "same frame" => FRAME_1.to_owned(),
            "next frame" => FRAME_2.to_owned(),
            control => format!("<{control}>"),
        };
        assert_eq!(bench.take_sent(), sends, "{name}");
        assert_eq!(after(&mut bench), row.next, "{name}");
    }
}

#[test]
fn every_step_between_two_states_is_drawn() {
    let drawing: String = DOCUMENTATION.lines().skip_while(|line| !line.contains("```")).take(7).collect();
    for row in rows().iter().filter(|row| !row.next.starts_with(&row.state)) {
        let label = row.event.split(" (").next().unwrap();
        assert!(
            drawing.contains(label),
            "{label} from {} to {} is not drawn in\n{drawing}",
            row.state,
            row.next
        );
    }
}

fn before(row: &Row) -> Bench {
    let config = Config {
        role: if row.event.contains("instrument") { Role::Instrument } else { Role::Computer },
        interrupts: if row.event.contains("honour") { Interrupts::Honour } else { Interrupts::Ignore },
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    bench.link.set_ready(!row.event.contains("not ready"));
    match row.state.as_str() {
        "neutral" => {}
        "establishing" => drop(bench.queue(&[b"A\r", b"B\r"])),
        "sending" => {
            let records: &[&[u8]] =
                if row.event.contains("last frame") { &[b"A\r"] } else { &[b"A\r", b"B\r"] };
            bench.queue(records);
            bench.feed(b"\x06");
        }
        "receiving" => drop(bench.feed(b"\x05")),
        other => panic!("{other} is no state"),
    }
    bench
}

fn happen(bench: &mut Bench, state: &str, event: &str) {
    match (state, event) {
        (_, "ENQ") => bench.feed(b"\x05"),
        (_, "ACK" | "ACK of the last frame") => bench.feed(b"\x06"),
        (_, "NAK") => bench.feed(b"\x15"),
        (_, "EOT") => bench.feed(b"\x04"),
        ("sending", "CR or LF") => bench.feed(b"\r\n"),
        (_, "any other byte") => bench.feed(b"x"),
        (_, "something to send") => {
            bench.queue(&[b"A\r"]);
            bench
        }
        ("establishing", "T1") | ("sending", "T2") => bench.wait_ms(15_000),
        ("sending", "last NAK") => {
            for _ in 0..5 {
                bench.feed(b"\x15").take_sent();
            }
            bench.feed(b"\x15")
        }
        ("receiving", "T3") => bench.wait_ms(30_000),
        ("receiving", "new frame, accepted") => bench.feed(&frame(1, "A")),
        ("receiving", "new frame, accepted, to send") => {
            bench.link.request_interrupt();
            bench.feed(&frame(1, "A"))
        }
        ("receiving", "new frame, refused") => {
            bench.caller = Caller::Refuses;
            bench.feed(&frame(1, "A"))
        }
        ("receiving", "new frame, with the caller") => {
            bench.caller = Caller::Holds;
            bench.feed(&frame(1, "A"))
        }
        ("receiving", "reply duty") => {
            bench.caller = Caller::Holds;
            bench.feed(&frame(1, "A")).wait_ms(12_000)
        }
        ("receiving", "last frame again") => {
            bench.feed(&frame(1, "A")).take_sent();
            bench.feed(&frame(1, "A"))
        }
        ("receiving", "bad frame") => bench.feed(b"\x021A\x0300\r\n"),
        (state, event) => panic!("nothing is known of {event} in {state}"),
    };
}

/// The state, and the timer that runs, found by waiting for it.
fn after(bench: &mut Bench) -> String {
    let phase = match bench.link.phase() {
        Phase::Neutral => "neutral",
        Phase::Establishing => "establishing",
        Phase::Sending => "sending",
        Phase::Receiving => "receiving",
        Phase::HungUp => "hung up",
    };
    if bench.link.phase() == Phase::Neutral {
        // A pause is a deadline only while something waits to be sent.
        bench.queue(&[b"C\r"]);
    }
    if !bench.take_sent().is_empty() {
        return phase.to_owned();
    }
    let remaining = bench.link.poll_timeout().map(|at| at - bench.now);
    let timers = lis01::Timers::default();
    // T1, T2 and T7 are equally long; the state tells them apart.
    let of_phase: &[Timer] = match bench.link.phase() {
        Phase::Neutral => {
            &[Timer::BusyPause, Timer::InstrumentPause, Timer::ComputerYield, Timer::InterruptPause]
        }
        Phase::Establishing => &[Timer::EnquiryReply],
        Phase::Sending => &[Timer::FrameReply],
        Phase::Receiving => &[Timer::NextFrame, Timer::ReplyDuty],
        Phase::HungUp => &[],
    };
    let running = of_phase.iter().find(|timer| Some(timer.duration(&timers)) == remaining);
    let name = match running {
        None => "no timer",
        Some(Timer::EnquiryReply) => "T1",
        Some(Timer::FrameReply) => "T2",
        Some(Timer::NextFrame) => "T3",
        Some(Timer::BusyPause) => "T4",
        Some(Timer::InstrumentPause) => "T5",
        Some(Timer::ComputerYield) => "T6",
        Some(Timer::InterruptPause) => "T7",
        Some(Timer::ReplyDuty) => "reply duty",
    };
    format!("{phase}, {name}")
}
