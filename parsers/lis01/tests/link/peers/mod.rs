//! Two real peers on a simulated line: what one believes sent is what the other holds.

mod line;
mod side;
mod world;

use crate::bench_line::{Bench, Caller};
use line::Fault;
use lis01::Config;
use side::Store;
use world::{Plan, World};

fn plan(seed: u64, faults: &[Fault]) -> Plan {
    Plan {
        seed,
        faults: faults.to_vec(),
        fault_every: 12,
        faults_until_ms: 200_000,
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
    for seed in 0..50 {
        let world = play(plan(seed, &[]));
        assert_eq!(world.sides[0].given.len() + world.sides[1].given.len(), 5);
        assert_eq!(world.sides[0].repeats + world.sides[1].repeats, 0);
    }
}

#[test]
fn under_each_fault_alone_beliefs_are_true() {
    for fault in Fault::ALL {
        let faults: u32 = (0..150).map(|seed| play(plan(seed, &[fault])).faults).sum();
        assert!(faults > 150, "{fault:?} happened {faults} times");
    }
}

#[test]
fn under_all_faults_and_a_moody_store_beliefs_are_true() {
    let (mut contentions, mut interrupts, mut repeats, mut faults) = (0, 0, 0, 0);
    for seed in 0..5_000 {
        let world = play(Plan { store: Store::Moody, ..plan(seed, &Fault::ALL) });
        contentions += world.sides[0].contentions;
        interrupts += world.sides[0].interrupts + world.sides[1].interrupts;
        repeats += world.sides[0].repeats + world.sides[1].repeats;
        faults += world.faults;
    }
    // The worlds are rich enough to mean something.
    assert!(contentions > 2_000, "{contentions} contentions");
    assert!(interrupts > 2_000, "{interrupts} interrupts");
    assert!(repeats > 2_000, "{repeats} repeats");
    assert!(faults > 40_000, "{faults} faults");
}

#[test]
fn under_dense_faults_beliefs_are_true() {
    for seed in 0..300 {
        play(Plan { fault_every: 4, store: Store::Moody, ..plan(seed, &Fault::ALL) });
    }
}

#[test]
fn a_nak_at_every_frame_position_in_turn_costs_one_repeat() {
    const FRAMES: usize = 20;
    let records: Vec<Vec<u8>> = (0..FRAMES).map(|n| format!("R|{n}|\r").into_bytes()).collect();
    for position in 0..FRAMES {
        for naks in 1..=6 {
            let mut sender = Bench::new(Config::default());
            let mut receiver = Bench::new(Config::default());
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
