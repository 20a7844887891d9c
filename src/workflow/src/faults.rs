//! Faults of interfaces that fell into a run (R-GATE-15): which, and what to do; and the word of whoever has looked at one.

use crate::Stopped;
use crate::facts::Told;
use crate::moments::local;
use crate::people::{Act, Actor};
use crate::pins::NotDone;
use jiff::{Timestamp, tz::TimeZone};
use ledger::{Draft, FaultKind, FaultSettled, InterfaceFault, Ledger, ReadError, Reader, Seq, What};
use vocabulary::RunId;

/// Faults of a run that are named; the rest is counted as more.
const NAMED_MAX: usize = 3;

/// What stands open of a run's interface, in words; nothing where nothing does.
pub(crate) fn of_run(reader: &Reader, run: &RunId, zone: &TimeZone) -> Result<Option<Told>, ReadError> {
    let faults = reader.faults_of_run(run, NAMED_MAX + 1)?;
    let mut told: Option<Told> = None;
    for fault in faults.iter().take(NAMED_MAX) {
        told = Told::joined(told, Some(said(reader, fault, zone)?));
    }
    if faults.len() > NAMED_MAX {
        let line = faults.first().map(|fault| fault.connection.to_string()).unwrap_or_default();
        let more = Told::new(
            format!("and more (hemogate faults list --connection {line})"),
            format!("另有更多（hemogate faults list --connection {line}）"),
        );
        told = Told::joined(told, Some(more));
    }
    Ok(told)
}

/// What people have looked at of a run's interface, in words; nothing where nothing was.
pub(crate) fn acknowledged_of(reader: &Reader, run: &RunId) -> Result<Option<Told>, ReadError> {
    let settled = reader.faults_acknowledged_of(run)?;
    let mut told: Option<Told> = None;
    for FaultSettled { fault, done, why } in settled.iter().rev().take(NAMED_MAX) {
        let (by, entry) = (&done.by, done.entry);
        let one = Told::new(
            format!("fault {fault} was acknowledged by {by} (entry {entry}: {why})"),
            format!("故障 {fault} 已由 {by} 确认（记录 {entry}：{why}）"),
        );
        told = Told::joined(told, Some(one));
    }
    if settled.len() > NAMED_MAX {
        let before = settled.len() - NAMED_MAX;
        let more = Told::new(format!("and {before} before"), format!("此前另有 {before} 项"));
        told = Told::joined(told, Some(more));
    }
    Ok(told)
}

fn said(reader: &Reader, fault: &InterfaceFault, zone: &TimeZone) -> Result<Told, ReadError> {
    let InterfaceFault { fault: number, connection, kind, at_ms, .. } = fault;
    let at = Timestamp::from_millisecond(*at_ms).map(|at| local(at, zone)).unwrap_or_default();
    Ok(match kind {
        FaultKind::Quarantined => {
            let reasons: Vec<String> = reader.held_for(*number)?.into_keys().collect();
            let reasons = reasons.join(", ");
            Told::new(
                format!(
                    "message {number} of {connection} ({at}) is in quarantine ({reasons}): mend what it names and read it \
                     again (hemogate quarantine show {number}), or acknowledge it (hemogate faults acknowledge {number})"
                ),
                format!(
                    "{connection} 的报文 {number}（{at}）在隔离中（{reasons}）：请排除原因后重新解释（hemogate quarantine \
                     show {number}），或予以确认（hemogate faults acknowledge {number}）"
                ),
            )
        }
        FaultKind::BrokenOff { transfer } => Told::new(
            format!(
                "a transmission of {connection} broke off ({at}; half transmission {transfer}): compare the run at the \
                 analyser, have it send again what is missing, and acknowledge it (hemogate faults acknowledge {number})"
            ),
            format!(
                "{connection} 的一次传输中断（{at}；残缺传输 {transfer}）：请核对仪器上的该批次，重传缺失结果，并予以确认\
                 （hemogate faults acknowledge {number}）"
            ),
        ),
    })
}

/// What came of a word about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// It is settled: the entry that says so.
    Done(Seq),
    /// No such fault stands open.
    NoSuchFault,
}

/// A person has looked at a fault, and what it fell into need not wait for it. What a message in quarantine holds by itself
/// stays held until it is read again.
///
/// # Errors
/// [`NotDone`].
pub fn acknowledge(ledger: &Ledger, who: &Actor, (fault, why): (Seq, &str)) -> Result<Acknowledged, NotDone> {
    let reader = ledger.state();
    who.check(&reader, Act::ResolveFinding).map_err(NotDone::Person)?;
    if reader.fault(fault).map_err(Stopped::from)?.is_none() {
        return Ok(Acknowledged::NoSuchFault);
    }
    let draft = Draft { by: who.by(), what: What::FaultAcknowledged { fault, why: why.to_owned() } };
    let pending = ledger.append(vec![draft]).map_err(Stopped::from)?;
    let entry = pending.wait().map_err(Stopped::from)?.last();
    ledger.wait_applied(entry).wait().map_err(Stopped::from)?;
    Ok(Acknowledged::Done(entry))
}
