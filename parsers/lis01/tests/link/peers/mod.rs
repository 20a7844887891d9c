//! Two real peers on a simulated line: what one believes sent is what the other holds.

mod dialect;
mod line;
mod side;
mod world;

use crate::bench_line::{Bench, Caller};
use dialect::Dialect;
use line::Fault;
use lis01::{Config, FrameNumbers, Timer};
use side::{Seen, Store};
use world::{Plan, World};

/// Worlds of all dialects together. Each has five messages, and so many sessions more.
const WORLDS: u64 = 100_000;

fn plan(dialect: Dialect, seed: u64, faults: Vec<Fault>) -> Plan {
    Plan {
        seed,
        dialect,
        faults,
        fault_every: 12,
        faults_until_ms: 200_000,
        lost: None,
        store: Store::Prompt,
        instrument_messages: 3,
        computer_messages: 2,
    }
}

fn play(plan: Plan) -> World {
    let mut world = World::new(plan);
    world.play();
    world
}

#[test]
fn on_a_good_line_everything_arrives_at_the_first_try() {
    for dialect in Dialect::ALL {
        for seed in 0..50 {
            let world = play(plan(dialect, seed, vec![]));
            assert_eq!(world.sides[0].given.len() + world.sides[1].given.len(), 5);
            let seen = world.seen();
            assert_eq!((seen.repeats, seen.hang_ups), (0, 0), "{dialect:?}");
        }
    }
}

#[test]
fn under_each_fault_alone_beliefs_are_true() {
    for dialect in Dialect::ALL {
        for fault in dialect.faults() {
            let faults: u32 = (0..50).map(|seed| play(plan(dialect, seed, vec![fault])).faults).sum();
            assert!(faults > 50, "{fault:?} happened {faults} times to {dialect:?}");
        }
    }
}

/// Half of them speak as the standard has it; the other dialects share the other half.
fn hundred_thousand(dialect: Dialect) {
    let others = Dialect::ALL.len() as u64 - 1;
    let worlds = if dialect == Dialect::Standard { WORLDS / 2 } else { (WORLDS / 2).div_ceil(others) };
    let (mut seen, mut faults) = (Seen::default(), 0);
    for seed in 0..worlds {
        let world = play(Plan { store: dialect.store(), ..plan(dialect, seed, dialect.faults()) });
        seen.add(&world.seen());
        faults += u64::from(world.faults);
    }
    // The worlds are rich enough to mean something.
    assert_eq!(u64::from(seen.sent), worlds * 5);
    assert!(faults > worlds * 3, "{faults} faults");
    assert!(u64::from(seen.contentions) > worlds / 4, "{seen:?}");
    if dialect.timers().contains(&Timer::InterruptPause) {
        assert!(u64::from(seen.interrupts) > worlds / 4, "{seen:?}");
    } else {
        assert!(u64::from(seen.hang_ups) > worlds / 4, "{seen:?}");
    }
    if dialect.faults().contains(&Fault::Duplicate) {
        assert!(u64::from(seen.repeats) > worlds / 4, "{seen:?}");
    }
    for timer in dialect.timers() {
        let times = seen.expired.get(&timer).copied().unwrap_or_default();
        assert!(u64::from(times) > worlds / 200, "{timer:?} ran out {times} times in {dialect:?}: {seen:?}");
    }
}

#[test]
fn in_50_000_worlds_of_the_standard_beliefs_are_true_under_all_faults_and_a_moody_store() {
    hundred_thousand(Dialect::Standard);
}

#[test]
fn in_50_000_worlds_of_the_other_dialects_beliefs_are_true_under_all_they_can_bear() {
    for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::Standard) {
        hundred_thousand(dialect);
    }
}

#[test]
fn under_dense_faults_beliefs_are_true() {
    for dialect in Dialect::ALL {
        for seed in 0..100 {
            let store = dialect.store();
            play(Plan { fault_every: 4, store, ..plan(dialect, seed, dialect.faults()) });
        }
    }
}

#[test]
fn every_block_lost_in_turn_runs_a_timer_out_and_everything_arrives() {
    for dialect in Dialect::ALL {
        for seed in 0..4 {
            let whole = play(plan(dialect, seed, vec![]));
            let (mut expired, mut later) = (0, 0);
            for lost in 0..whole.blocks {
                let world = play(Plan { lost: Some(lost), ..plan(dialect, seed, vec![]) });
                let seen = world.seen();
                let waits: u32 = [Timer::EnquiryReply, Timer::FrameReply, Timer::NextFrame]
                    .iter()
                    .filter_map(|timer| seen.expired.get(timer))
                    .sum();
                expired += u32::from(waits > 0);
                later += u32::from(world.sides.iter().map(|side| side.given.len()).sum::<usize>() > 5);
            }
            // For a few nobody has to wait: the other side's enquiry shows that the line is free.
            assert!(expired * 5 > whole.blocks * 4, "{dialect:?}: {expired} of {}", whole.blocks);
            assert!(later > 0, "{dialect:?}");
        }
    }
}

#[test]
fn a_nak_at_every_frame_position_in_turn_costs_one_repeat() {
    const FRAMES: usize = 20;
    let records: Vec<Vec<u8>> = (0..FRAMES).map(|n| format!("R|{n}|\r").into_bytes()).collect();
    let numbers = [FrameNumbers::Strict, FrameNumbers::Lenient, FrameNumbers::Absent];
    for (frame_numbers, position) in numbers.into_iter().flat_map(|n| (0..FRAMES).map(move |at| (n, at))) {
        for naks in 1..=6 {
            let config = Config { frame_numbers, ..Config::default() };
            let mut sender = Bench::new(config.clone());
            let mut receiver = Bench::new(config);
            receiver.caller = Caller::Holds;
            sender.queue(&records.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let mut refused = 0;
            let mut accepted = Vec::new();
            while !sender.sent.is_empty() {
                let bytes: Vec<u8> = sender.sent.drain(..).flatten().collect();
                receiver.feed(&bytes);
                if !receiver.held.is_empty() {
                    if accepted.len() == position && refused < naks {
                        refused += 1;
                        receiver.refuse_held();
                    } else {
                        accepted.push(receiver.frames.last().unwrap().text.clone());
                        receiver.accept_held();
                    }
                }
                let answer: Vec<u8> = receiver.sent.drain(..).flatten().collect();
                sender.feed(&answer);
            }
            let said = sender.said.join("; ");
            if naks < 6 {
                assert_eq!(said, "Sent(SendId(0))", "{naks} NAKs at {position}");
                assert_eq!(accepted, records);
            } else {
                let why = format!("FrameRefused, records_accepted: {position} ");
                assert!(said.contains(&why), "{said}: {naks} NAKs at {position}");
                assert_eq!(accepted, records[..position]);
                assert!(receiver.said.last().unwrap().contains("Abandoned"));
            }
        }
    }
}
