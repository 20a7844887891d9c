//! The ledger by itself: groups made durable from one thread, a number of them always under way.

use super::clear;
use super::links::OURS_SHA256;
use crate::contest::{Engine, FLOOR, Measurement, OURS, Turn, Wanted, contest, number};
use crate::corpus::{self, Corpus};
use crate::floor::GroupCommit;
use crate::station::{Station, draft};
use crate::{BenchError, Options, gauge};
use ledger::HashAlgorithm;
use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

const WANTED: Wanted = Wanted::AtLeast(0.7);

/// Messages of an HL7 corpus, `under_way` of them always waiting for the disk.
pub(crate) fn messages(
    options: &Options,
    folder: &Path,
    under_way: usize,
) -> Result<Measurement, BenchError> {
    let corpus = corpus::hl7(options.seed, options.corpus_bytes);
    let engines = vec![
        Engine::new(FLOOR, || floor(options, folder, &corpus, under_way)),
        Engine::new(OURS, || ours(options, folder, HashAlgorithm::Sm3, &corpus, under_way)),
        Engine::new(OURS_SHA256, || ours(options, folder, HashAlgorithm::Sha256, &corpus, under_way)),
    ];
    contest(format!("ledger, {under_way} waiting"), "messages/s", Some(WANTED), engines, options.rounds)
}

fn floor(options: &Options, folder: &Path, corpus: &Corpus, under_way: usize) -> Result<Turn, BenchError> {
    let commit =
        GroupCommit::start(&folder.join("floor.log")).map_err(BenchError::io("start the floor's log"))?;
    let appender = commit.appender();
    let turn = keep_under_way(
        options,
        corpus,
        under_way,
        |message| appender.push(message.to_vec()),
        |waiting| waiting.is_some_and(|waiting| waiting.blocking_recv().is_ok()),
    );
    drop(appender);
    commit.finish().map_err(BenchError::io("write the floor's log"))?;
    clear(folder)?;
    turn
}

fn ours(
    options: &Options,
    folder: &Path,
    hash: HashAlgorithm,
    corpus: &Corpus,
    under_way: usize,
) -> Result<Turn, BenchError> {
    let station = Station::open(&folder.join("ledger"), hash)?;
    let connection = crate::station::mllp()?;
    let turn = keep_under_way(
        options,
        corpus,
        under_way,
        |message| station.ledger.append(vec![draft(&connection, message)]),
        |pending| pending.is_ok_and(|pending| pending.wait().is_ok()),
    );
    station.close();
    clear(folder)?;
    turn
}

fn keep_under_way<Pending>(
    options: &Options,
    corpus: &Corpus,
    under_way: usize,
    append: impl Fn(&[u8]) -> Pending,
    is_durable: impl Fn(Pending) -> bool,
) -> Result<Turn, BenchError> {
    let (start, cpu) = (Instant::now(), gauge::process_cpu());
    let (mut waiting, mut durable) = (VecDeque::new(), 0);
    for message in corpus.messages().cycle() {
        waiting.push_back(append(message));
        if waiting.len() < under_way {
            continue;
        }
        if !waiting.pop_front().is_some_and(&is_durable) {
            return Err(BenchError::Part {
                what: "append".to_owned(),
                why: "a group was refused".to_owned(),
            });
        }
        durable += 1;
        if start.elapsed() >= options.slice {
            break;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu = gauge::process_cpu().saturating_sub(cpu).as_secs_f64();
    let further = vec![("cpu_us", cpu * 1e6 / number(durable).max(1.0))];
    Ok(Turn { amount: number(durable), seconds, values: None, further })
}
