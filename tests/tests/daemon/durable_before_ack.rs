//! Law 1 seen from outside: the system calls of a running daemon, in the order the kernel saw them.

use crate::{
    analyser::{ACK, Block, Line, Transfer, control_id},
    house::{Daemon, House},
};
use std::{collections::BTreeMap, fs, net::SocketAddr, path::Path, process::Command, thread};

/// One call: where in the trace it began and ended, and its text put together.
#[derive(Debug)]
struct Call {
    name: String,
    /// What follows the opening bracket.
    rest: String,
    began: usize,
    ended: usize,
}

impl Call {
    /// What strace says of the file, `7</path>` or `9<TCP:[here->there]>`, some of it as `\x41\x42`.
    fn file(&self) -> String {
        let Some((_, named)) = self.rest.split_once('<') else { return String::new() };
        let end = [">,", ">)", "> )"].iter().filter_map(|end| named.find(end)).min();
        let name = named.get(..end.unwrap_or_default()).unwrap();
        if name.starts_with("\\x") { String::from_utf8(unescaped(name)).unwrap() } else { name.to_owned() }
    }

    fn is_journal(&self) -> bool {
        self.file().contains("/journal/")
    }

    /// Every byte of its strings, which strace writes as `\x41\x42`.
    fn bytes(&self) -> Vec<u8> {
        let text = self.rest.split('"').skip(1).step_by(2).collect::<String>();
        unescaped(&text)
    }

    fn succeeded(&self) -> bool {
        self.rest
            .rsplit_once("= ")
            .is_some_and(|(_, result)| result.starts_with(|c: char| c.is_ascii_digit()))
    }
}

fn unescaped(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|hex| u8::from_str_radix(hex.get(..2).unwrap(), 16).unwrap()).collect()
}

/// The calls of a trace. A call that was interrupted by another thread's stands in two lines.
fn calls(trace: &str) -> Vec<Call> {
    let mut open: BTreeMap<&str, Call> = BTreeMap::new();
    let mut calls = Vec::new();
    for (place, line) in trace.lines().enumerate() {
        let Some((thread, text)) = line.split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some(resumed) = text.strip_prefix("<... ") {
            let Some(mut call) = open.remove(thread) else { continue };
            call.rest += resumed.split_once("resumed>").unwrap().1;
            call.ended = place;
            calls.push(call);
        } else if let Some((name, rest)) = text.split_once('(') {
            let call = Call { name: name.to_owned(), rest: rest.to_owned(), began: place, ended: place };
            if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
                open.insert(thread, Call { rest: begun.to_owned(), ..call });
            } else {
                calls.push(call);
            }
        }
    }
    calls.sort_by_key(|call| call.began);
    calls
}

/// What the socket from `peer` was sent, and where in the trace each byte left.
fn sent_to(calls: &[Call], peer: SocketAddr) -> Vec<(u8, usize)> {
    let end = format!("->{peer}]");
    let writes = calls.iter().filter(|c| {
        ["write", "writev", "sendto", "sendmsg"].contains(&c.name.as_str()) && c.file().ends_with(&end)
    });
    writes.flat_map(|call| call.bytes().into_iter().map(|byte| (byte, call.began))).collect()
}

/// Whether a sync of a journal file began after `what` had been written to it and ended before `before`.
fn durable(calls: &[Call], what: &[u8], before: usize) -> bool {
    let journal: Vec<&Call> =
        calls.iter().filter(|c| c.is_journal() && c.succeeded() && c.ended < before).collect();
    journal.iter().filter(|c| c.name.contains("write")).any(|write| {
        write.bytes().windows(what.len()).any(|window| window == what)
            && journal.iter().any(|sync| {
                ["fdatasync", "fsync"].contains(&sync.name.as_str())
                    && sync.file() == write.file()
                    && sync.began > write.ended
            })
    })
}

fn traced(house: &House, trace: &Path) -> Daemon {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-yy", "-xx", "-s", "16777216", "-o"])
        .arg(trace)
        .args([
            "-e",
            "trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,fsync,fdatasync,sync_file_range",
        ])
        .args(["-e", "signal=none"]);
    let run = house.command();
    command.arg(run.get_program()).args(run.get_args());
    let mut daemon = house.launch(&mut command);
    daemon.ready();
    daemon
}

/// Sends two transfers and remembers from where.
fn frames(address: SocketAddr, connection: &str, tag: &str) -> (SocketAddr, Vec<Vec<u8>>) {
    let mut line = Line::open(address).unwrap();
    let mut frames = Vec::new();
    for number in 0..2 {
        let mut transfer = Transfer::new(connection, &format!("{tag}N{number}"), 2, 2);
        line.transfer(&mut transfer, || ()).unwrap();
        // ENQ was acknowledged too, and answers nothing.
        frames.push(Vec::new());
        frames.extend(transfer.frames.into_iter().map(|(_, text)| text));
    }
    (line.socket.local_addr().unwrap(), frames)
}

fn blocks(address: SocketAddr, connection: &str, tag: &str) -> (SocketAddr, Vec<Vec<u8>>) {
    let mut line = Line::open(address).unwrap();
    let mut all = Vec::new();
    for burst in 0..4 {
        let mut blocks: Vec<Block> =
            (0..4).map(|n| Block::new(connection, &format!("{tag}N{burst}B{n}"))).collect();
        line.blocks(&mut blocks, || ()).unwrap();
        assert!(blocks.iter().all(|b| b.acknowledged));
        all.extend(blocks.into_iter().map(|b| b.bytes));
    }
    (line.socket.local_addr().unwrap(), all)
}

#[test]
fn law_01_every_ack_leaves_after_the_sync_of_what_it_answers() {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("SKIP: strace is not installed; that an ACK waits for the disk was not seen from outside");
        return;
    }
    let house = House::new();
    let trace = house.path.join("trace");
    let daemon = traced(&house, &trace);
    let of = |name: &str| daemon.listening[name];
    let (serology, grouping, nat, chemistry) = (of("serology"), of("grouping"), of("nat"), of("chemistry"));
    // Several at once, so that groups are shared and calls interleave.
    let (framed, blocked) = thread::scope(|scope| {
        let lines = [("serology", serology, "A"), ("serology", serology, "B"), ("grouping", grouping, "C")];
        let framed = lines.map(|(name, at, tag)| scope.spawn(move || frames(at, name, tag)));
        let lines = [("nat", nat, "D"), ("chemistry", chemistry, "E"), ("chemistry", chemistry, "F")];
        let blocked = lines.map(|(name, at, tag)| scope.spawn(move || blocks(at, name, tag)));
        (framed.map(|h| h.join().unwrap()), blocked.map(|h| h.join().unwrap()))
    });
    assert!(daemon.stop().0.success());
    let trace = fs::read_to_string(&trace).unwrap();
    let calls = calls(&trace);
    let mut proven = 0;
    for (peer, frames) in framed {
        let answers = sent_to(&calls, peer);
        assert_eq!(answers.len(), frames.len(), "one answer each on {peer}");
        for ((answer, left), text) in answers.into_iter().zip(frames) {
            assert_eq!(answer, ACK);
            if !text.is_empty() {
                assert!(durable(&calls, &text, left), "ACK at line {left} before {text:?} was synced");
                proven += 1;
            }
        }
    }
    for (peer, messages) in blocked {
        let (bytes, places): (Vec<u8>, Vec<usize>) = sent_to(&calls, peer).into_iter().unzip();
        let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == 0x0B).map(|(at, _)| at);
        let starts: Vec<usize> = starts.collect();
        assert_eq!(starts.len(), messages.len(), "one answer each on {peer}");
        for (start, message) in starts.into_iter().zip(messages) {
            let end = start + bytes[start..].iter().position(|byte| *byte == 0x1C).unwrap();
            let answer = String::from_utf8_lossy(&bytes[start..end]).into_owned();
            assert!(answer.contains(&format!("MSA|AA|{}", control_id(&message))), "{answer}");
            assert!(durable(&calls, &message, places[start]), "AA before {message:?} was synced");
            proven += 1;
        }
    }
    println!("{proven} acknowledgements, each after a sync of what it answers");
    assert!(proven > 100, "only {proven} acknowledgements were seen");
}
