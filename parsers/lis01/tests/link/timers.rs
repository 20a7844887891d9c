//! Every timer runs out exactly at its limit and not a millisecond before; the settings move the limit.

use crate::bench_line::{Bench, Caller, frame};
use lis01::{Config, Interrupts, Role, Timer, Timers};
use std::time::Duration;

/// A link in which `timer` has just been started, what must leave when it runs out, and what must be said.
fn running(timer: Timer, config: Config) -> (Bench, &'static str, &'static str) {
    let role = if timer == Timer::InstrumentPause { Role::Instrument } else { Role::Computer };
    let interrupts = if timer == Timer::InterruptPause { Interrupts::Honour } else { Interrupts::Ignore };
    let config = Config { role, interrupts, ..config };
    let mut bench = Bench::new(config);
    bench.caller = Caller::Holds;
    let (sends, says) = match timer {
        Timer::EnquiryReply => {
            bench.queue(&[b"A"]);
            ("<EOT>", "SendFailed { id: SendId(0), why: EnquiryUnanswered, records_accepted: 0 }")
        }
        Timer::FrameReply => {
            bench.queue(&[b"A"]);
            bench.feed(b"\x06");
            ("<EOT>", "SendFailed { id: SendId(0), why: FrameUnanswered, records_accepted: 0 }")
        }
        Timer::NextFrame => {
            bench.feed(b"\x05");
            ("", "TransferEnded(Timeout)")
        }
        Timer::BusyPause => {
            bench.queue(&[b"A"]);
            bench.feed(b"\x15");
            ("<ENQ>", "")
        }
        Timer::InstrumentPause | Timer::ComputerYield => {
            bench.queue(&[b"A"]);
            bench.feed(b"\x05");
            ("<ENQ>", "")
        }
        Timer::InterruptPause => {
            bench.queue(&[b"A", b"B"]);
            bench.feed(b"\x06").feed(b"\x04");
            bench.queue(&[b"C"]);
            ("<ENQ>", "")
        }
        Timer::ReplyDuty => {
            bench.feed(b"\x05").feed(&frame(1, "A"));
            ("<NAK>", "Anomaly(Anomaly { kind: AnswerOverdue, at: 9, bytes_skipped: 0 })")
        }
    };
    bench.take_sent();
    bench.take_said();
    (bench, sends, says)
}

fn check(timer: Timer, config: &Config, limit: Duration) {
    let (mut bench, sends, says) = running(timer, config.clone());
    assert_eq!(bench.link.poll_timeout(), Some(bench.now + limit), "{timer:?} announces its limit");
    bench.wait(limit.saturating_sub(Duration::from_millis(1)));
    assert_eq!((bench.take_sent().as_str(), bench.said.len()), ("", 0), "{timer:?} a millisecond before");
    bench.wait_ms(1);
    assert_eq!(bench.take_sent(), sends, "{timer:?} at its limit");
    assert_eq!(bench.take_said().join("; "), says, "{timer:?} at its limit");
    let (mut late, sends, _) = running(timer, config.clone());
    late.wait(limit * 3);
    assert_eq!(late.take_sent(), sends, "{timer:?} noticed late");
}

#[test]
fn every_timer_runs_out_at_the_limit_of_the_standard() {
    let limits = [15_000, 15_000, 30_000, 10_000, 1_000, 20_000, 15_000, 12_000];
    for (timer, ms) in Timer::ALL.into_iter().zip(limits) {
        let limit = Duration::from_millis(ms);
        assert_eq!(timer.duration(&Timers::default()), limit);
        check(timer, &Config::default(), limit);
    }
}

#[test]
fn every_timer_runs_out_at_the_limit_that_is_set() {
    for (place, timer) in Timer::ALL.into_iter().enumerate() {
        let own = Duration::from_millis(700 + place as u64);
        let mut timers = Timers::default();
        match timer {
            Timer::EnquiryReply => timers.t1 = own,
            Timer::FrameReply => timers.t2 = own,
            Timer::NextFrame => timers.t3 = own,
            Timer::BusyPause => timers.t4 = own,
            Timer::InstrumentPause => timers.t5 = own,
            Timer::ComputerYield => timers.t6 = own,
            Timer::InterruptPause => timers.t7 = own,
            Timer::ReplyDuty => timers.reply = own,
        }
        check(timer, &Config { timers, ..Config::default() }, own);
    }
}

#[test]
fn a_time_beyond_the_clock_means_never() {
    let timers = Timers { t3: Duration::MAX, ..Timers::default() };
    let mut bench = Bench::new(Config { timers, ..Config::default() });
    bench.feed(b"\x05");
    assert_eq!(bench.link.poll_timeout(), None);
    bench.wait(Duration::from_secs(1_000_000));
    assert_eq!(bench.take_said(), ["TransferStarted"]);
}

#[test]
fn answers_restart_the_wait_for_the_next_frame_and_noise_does_not() {
    let mut bench = Bench::new(Config::default());
    bench.feed(b"\x05").wait_ms(29_999).feed(&frame(1, "A")).wait_ms(29_999).feed(&frame(1, "A"));
    bench.wait_ms(29_999).feed(&frame(5, "A")).wait_ms(29_999).feed(b"noise");
    assert_eq!(bench.take_sent(), "<ACK><ACK><ACK><NAK>");
    assert!(!bench.take_said().contains(&"TransferEnded(Timeout)".to_owned()));
    bench.wait_ms(1);
    assert_eq!(bench.take_said().last().unwrap(), "TransferEnded(Timeout)");
}

#[test]
fn a_slow_frame_has_time_as_long_as_its_bytes_come() {
    let mut bench = Bench::new(Config::default());
    bench.feed(b"\x05");
    for byte in frame(1, "slow<CR>") {
        bench.wait_ms(11_999).feed(&[byte]);
    }
    assert_eq!(bench.take_sent(), "<ACK><ACK>");
    bench.feed(&frame(2, "stalled<CR>")[..5]).wait_ms(11_999);
    assert_eq!(bench.take_sent(), "");
    bench.wait_ms(1);
    assert_eq!(bench.take_sent(), "<NAK>", "the rest did not come");
    assert!(bench.take_said().last().unwrap().contains("BadFrame(Unfinished)"));
    bench.feed(&frame(2, "stalled<CR>")[5..]).feed(&frame(2, "stalled<CR>")).feed(b"\x04");
    assert_eq!(bench.take_sent(), "<ACK>", "the late rest is noise, the repeat is good");
    assert_eq!(bench.take_said().last().unwrap(), "TransferEnded(Eot)");
}

#[test]
fn an_endless_frame_is_refused_at_the_reply_limit_though_bytes_keep_coming() {
    let mut bench = Bench::new(Config { frame_text_bytes_max: 100, ..Config::default() });
    bench.feed(b"\x05\x021").feed(&[b'x'; 101]);
    for _ in 0..11 {
        bench.wait_ms(1_000).feed(&[b'x'; 1_000]);
        assert_eq!(bench.link.held_bytes(), 0);
    }
    assert_eq!(bench.take_sent(), "<ACK>");
    bench.wait_ms(1_000);
    assert_eq!(bench.take_sent(), "<NAK>");
    assert!(bench.take_said().last().unwrap().contains("BadFrame(TooLong)"));
}

#[test]
fn a_frame_broken_off_by_eot_ends_the_transfer_when_nothing_follows() {
    let mut bench = Bench::new(Config::default());
    bench.feed(b"\x05").feed(b"\x021half\x04").wait_ms(11_999);
    assert_eq!(bench.said.len(), 1, "a flipped bit makes EOT of D: wait");
    bench.wait_ms(1);
    assert_eq!(bench.take_sent(), "<ACK>");
    assert_eq!(bench.take_said().last().unwrap(), "TransferEnded(Abandoned)");
    bench.feed(b"\x05\x021half\x04\x05");
    assert_eq!(bench.take_sent(), "<ACK><ACK>", "EOT ENQ is no damage: the peer starts anew");
    let said = bench.take_said();
    assert_eq!(&said[2..], ["TransferEnded(Abandoned)", "TransferStarted"]);
}

#[test]
fn a_late_acceptance_answers_the_repeat_and_delivers_nothing_twice() {
    let mut bench = Bench::new(Config::default());
    bench.caller = Caller::Holds;
    bench.feed(b"\x05").feed(&frame(1, "A<CR>")).wait_ms(12_000);
    assert_eq!(bench.take_sent(), "<ACK><NAK>");
    bench.accept_held();
    assert_eq!(bench.take_sent(), "", "NAK was the answer");
    bench.feed(&frame(1, "A<CR>")).feed(b"\x04");
    assert_eq!(bench.take_sent(), "<ACK>");
    assert_eq!(bench.frames.len(), 1);
    assert_eq!(bench.said[3..], ["Repeated { number: Some(1) }", "TransferEnded(Eot)"]);
}

#[test]
fn a_repeat_waits_for_the_ticket_that_is_still_out() {
    let mut bench = Bench::new(Config::default());
    bench.caller = Caller::Holds;
    bench.feed(b"\x05").feed(&frame(1, "A<CR>")).wait_ms(12_000);
    bench.feed(&frame(1, "A<CR>")).wait_ms(11_999);
    assert_eq!(bench.take_sent(), "<ACK><NAK>");
    bench.wait_ms(1);
    assert_eq!(bench.take_sent(), "<NAK>", "to keep the peer from giving up");
    bench.feed(&frame(1, "A<CR>"));
    bench.accept_held();
    assert_eq!(bench.take_sent(), "<ACK>");
    assert_eq!(bench.frames.len(), 1, "delivered once");
    bench.feed(&frame(2, "B<CR>")).wait_ms(12_000).feed(&frame(2, "other"));
    assert_eq!(bench.take_sent(), "<NAK><NAK>", "another frame has to wait");
    bench.refuse_held();
    assert_eq!(bench.take_sent(), "", "NAK was the answer");
    bench.feed(&frame(2, "B<CR>")).accept_held();
    assert_eq!(bench.take_sent(), "<ACK>");
}

#[test]
fn an_answer_given_after_the_peer_asked_anew_does_not_leave() {
    let mut bench = Bench::new(Config::default());
    bench.caller = Caller::Holds;
    bench.feed(b"\x05").feed(&frame(1, "A<CR>")).feed(b"\x04").feed(b"\x05");
    bench.accept_held();
    assert_eq!(bench.take_sent(), "<ACK><ACK>", "for the two enquiries");
    assert_eq!(bench.said[2..], ["TransferEnded(Eot)", "TransferStarted"]);
}

#[test]
fn copies_that_came_before_the_answer_get_one_answer() {
    for (answer, expect) in [(true, "<ACK>"), (false, "<NAK>")] {
        let mut bench = Bench::new(Config::default());
        bench.caller = Caller::Holds;
        bench.feed(b"\x05").take_sent();
        bench.feed(&frame(1, "A<CR>")).feed(&frame(1, "A<CR>"));
        if answer {
            bench.accept_held();
            assert_eq!(bench.said[2..], ["Repeated { number: Some(1) }"]);
        } else {
            bench.refuse_held().refuse_held();
        }
        assert_eq!(bench.take_sent(), expect);
    }
}
