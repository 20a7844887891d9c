//! One LIS01 line: bytes from the socket into the link machine, its frames into the ledger, and only then the ACK.

use crate::{
    alarm::{Alarm, now},
    desk::{Outgoing, Reply, Settled},
    irregular::{Irregularity, LinkFound},
    said::Said,
    sending::{Questions, Sending},
    settings::Limits,
    transfer::{End, Kept, MessageEnd, Transfer},
    transport::{Line, say},
};
use ledger::{Durable, HowEnded, Pending, Seq};
use lis01::{Ending, Event, FrameEnd, FrameTicket, Link, Phase, SendFailure, SendId};
use std::{
    future::pending,
    io,
    time::{Duration, Instant},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// The longest transfer, in bytes of text. Past it frames are refused until the sender ends the transfer.
pub(crate) const TRANSFER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A frame on its way to the disk, and the analyser waiting for its answer.
struct Waiting {
    ticket: FrameTicket,
    frame: Kept,
    pending: Pending,
    until: Instant,
}

/// A frame that was refused because the disk was slow: it may still become durable.
struct Late {
    frame: Kept,
    pending: Pending,
}

/// The end of a transfer on its way to the disk. No peer waits for it: what comes next is queued behind it.
struct LastWord {
    end: End,
    pending: Pending,
}

struct Driver<'a> {
    line: &'a Line,
    link: Link<Durable>,
    end: MessageEnd,
    transfer: Option<Transfer>,
    /// Something was told of the transfer that is open.
    told: bool,
    waiting: Option<Waiting>,
    late: Option<Late>,
    ending: Option<LastWord>,
    questions: Questions<'a>,
    sending: Sending<'a>,
    /// The link's name for the message in hand.
    sent: Option<SendId>,
}

/// Drives one socket until it closes or `stop`. Returns why it ended.
pub(crate) async fn serve(
    line: &Line,
    config: lis01::Config,
    end: MessageEnd,
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    stop: &CancellationToken,
) -> String {
    let mut driver = Driver {
        line,
        link: Link::new(config),
        end,
        transfer: None,
        told: false,
        waiting: None,
        late: None,
        ending: None,
        questions: Questions::new(line),
        sending: Sending::new(line),
        sent: None,
    };
    let why = match driver.run(&mut socket, stop).await {
        Ok(()) => "stopped".to_owned(),
        Err(e) => e.to_string(),
    };
    driver.link.handle_disconnect(now());
    driver.events().await;
    driver.ended(HowEnded::Disconnected).await;
    driver.settle().await;
    driver.sending.close();
    why
}

/// What woke the driver.
enum Woken {
    Bytes(usize),
    Ended(Result<Durable, ledger::AppendFailed>),
    Kept(Result<Durable, ledger::AppendFailed>),
    TooSlow,
    Deadline,
    Answered(Option<Reply>),
    Unasked(Outgoing),
    Stop,
}

impl Driver<'_> {
    async fn run(
        &mut self,
        socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
        stop: &CancellationToken,
    ) -> io::Result<()> {
        let limits: Limits = self.line.connection.limits.clone();
        let mut buffer = vec![0; limits.read_bytes];
        let mut unread = 0..0_usize;
        let (mut slow_alarm, mut link_alarm) = (Alarm::new(), Alarm::new());
        loop {
            // Hand over what was read before asking for more: a full machine slows the sender.
            if let Some(bytes) = buffer.get(unread.clone()) {
                unread.start += self.link.handle_input(bytes, now());
            }
            self.events().await;
            self.send();
            while let Some(bytes) = self.link.poll_transmit() {
                say(socket, &bytes).await?;
            }
            if self.link.phase() == Phase::HungUp {
                return Err(self.hung_up().await);
            }
            if self.waiting.is_none() && !unread.is_empty() {
                continue;
            }
            let woken = {
                let room = unread.is_empty();
                let deadline = self.link.poll_timeout().map(Into::into);
                let too_slow = self.waiting.as_ref().map(|w| w.until.into());
                let kept = async {
                    match &mut self.waiting {
                        Some(waiting) => (&mut waiting.pending).await,
                        None => pending().await,
                    }
                };
                let ended = async {
                    match &mut self.ending {
                        Some(ending) => (&mut ending.pending).await,
                        None => pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    ended = ended => Woken::Ended(ended),
                    kept = kept => Woken::Kept(kept),
                    () = stop.cancelled() => Woken::Stop,
                    reply = self.questions.answer() => Woken::Answered(reply),
                    read = socket.read(&mut buffer), if room => Woken::Bytes(read?),
                    () = slow_alarm.rings(too_slow) => Woken::TooSlow,
                    () = link_alarm.rings(deadline) => Woken::Deadline,
                    outgoing = self.sending.unasked() => Woken::Unasked(outgoing),
                }
            };
            match woken {
                Woken::Stop => return Ok(()),
                Woken::Bytes(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Woken::Bytes(count) => {
                    unread = 0..count;
                    self.line.heard(count);
                }
                Woken::Ended(outcome) => self.end_kept(outcome).await,
                Woken::Kept(outcome) => self.kept(outcome),
                Woken::TooSlow => self.too_slow(limits.durable_within),
                Woken::Deadline => self.link.handle_timeout(now()),
                Woken::Answered(reply) => self.answered(reply),
                Woken::Unasked(outgoing) => self.sending.push(outgoing),
            }
        }
    }

    /// Takes the machine's events until it waits for an answer or has none.
    async fn events(&mut self) {
        while self.waiting.is_none()
            && let Some(event) = self.link.poll_event()
        {
            match event {
                Event::TransferStarted => {
                    // A transfer that was open ends here; the machine has said so before, unless it was empty.
                    self.ended(HowEnded::Restarted).await;
                    (self.transfer, self.told) = (Some(Transfer::new()), false);
                }
                Event::Frame(frame) => {
                    let kept =
                        Kept { number: frame.number, end: frame.end == FrameEnd::End, text: frame.text };
                    self.frame(kept, frame.ticket);
                }
                Event::Repeated { number } => {
                    let what = match number {
                        Some(number) => format!("frame {number} was sent again"),
                        None => "a frame was sent again".to_owned(),
                    };
                    self.irregular(Irregularity::Repeated, what);
                }
                Event::TransferEnded(ending) => self.ended(how(ending)).await,
                Event::Anomaly(anomaly) => {
                    let found = LinkFound::from(&anomaly);
                    if found.refused {
                        self.line.board.note(&self.line.connection.id, |s| s.refused_total += 1);
                    }
                    self.irregular(found.kind, found.what);
                }
                Event::Contention => {
                    self.irregular(Irregularity::Contention, "both sides wanted the line".into());
                }
                Event::HangUp(why) => {
                    let what = format!("hung up, so that the analyser sends again: {why}");
                    self.irregular(Irregularity::Damaged, what);
                }
                Event::InterruptRequested { honoured } => {
                    let what = format!("the analyser asked to interrupt us (honoured: {honoured})");
                    self.irregular(Irregularity::Contention, what);
                }
                Event::Sent(id) => {
                    if self.sent.take_if(|sent| *sent == id).is_some() {
                        self.sending.done(Settled::Sent);
                    }
                }
                Event::SendFailed { id, why, .. } => self.send_failed(id, why),
            }
        }
    }

    fn frame(&mut self, frame: Kept, ticket: FrameTicket) {
        let until = now() + self.line.connection.limits.durable_within;
        if let Some(late) = self.late.take() {
            if late.frame == frame {
                self.waiting = Some(Waiting { ticket, frame, pending: late.pending, until });
            } else {
                self.late = Some(late);
                self.refuse(ticket, "an earlier frame is still on its way to the disk");
            }
            return;
        }
        let connection = &self.line.connection;
        let transfer = self.transfer.get_or_insert_with(Transfer::new);
        if transfer.bytes() > TRANSFER_BYTES_MAX {
            return self.refuse(ticket, "the transfer is longer than any transfer may be");
        }
        let group = transfer.frame(connection, &frame);
        match self.line.store.append(group) {
            Ok(pending) => self.waiting = Some(Waiting { ticket, frame, pending, until }),
            Err(refused) => {
                transfer.undo();
                self.refuse(ticket, &refused.to_string());
            }
        }
    }

    fn kept(&mut self, outcome: Result<Durable, ledger::AppendFailed>) {
        let Some(waiting) = self.waiting.take() else { return };
        match outcome {
            Ok(durable) => {
                // The frame is one entry; what follows it in its group are messages.
                let messages = durable.last().get().saturating_sub(durable.first().get());
                let first = durable.first().next();
                self.link.accept(waiting.ticket, durable, now());
                if let Some(mut transfer) = self.transfer.take() {
                    self.asked(first, transfer.messages());
                    transfer.settled();
                    self.transfer = Some(transfer);
                }
                self.line.board.kept(&self.line.connection.id, 1, messages);
            }
            Err(failed) => {
                if let Some(transfer) = &mut self.transfer {
                    transfer.undo();
                }
                self.refuse(waiting.ticket, &failed.to_string());
            }
        }
    }

    fn too_slow(&mut self, within: Duration) {
        if let Some(Waiting { ticket, frame, pending, .. }) = self.waiting.take() {
            self.late = Some(Late { frame, pending });
            self.refuse(ticket, &format!("not durable after {within:?}"));
        }
    }

    fn refuse(&mut self, ticket: FrameTicket, why: &str) {
        tracing::warn!(connection = %self.line.connection.id, why, "frame refused; the analyser will send it again");
        self.link.refuse(ticket, now());
        if let Some(transfer) = &mut self.transfer {
            transfer.unsettled();
        }
        self.line.board.refused(&self.line.connection.id, format!("frame refused: {why}"));
    }

    fn irregular(&mut self, kind: Irregularity, what: String) {
        self.told = true;
        self.line.irregular(kind, what);
    }

    /// The link wants the connection closed. A frame that is on its way to the disk may still arrive there.
    async fn hung_up(&mut self) -> io::Error {
        if self.waiting.take().is_some()
            && let Some(transfer) = &mut self.transfer
        {
            transfer.unsettled();
        }
        self.events().await;
        io::Error::other("hung up, so that the analyser sends again")
    }

    async fn ended(&mut self, how: HowEnded) {
        let Some(mut transfer) = self.transfer.take() else { return };
        if self.late.take().is_some() {
            // Whether that frame is kept is not known here; nothing may be read out of this transfer's tail.
            transfer.unsettled();
        }
        if transfer.is_empty() {
            // Nothing of it is in the ledger, so nothing there waits for an end.
            return;
        }
        let connection = &self.line.connection;
        let end = transfer.end(connection, how, self.end);
        self.line.board.kept(&connection.id, 0, end.messages.len() as u64);
        let missing = matches!(how, HowEnded::Timeout | HowEnded::Restarted) && !end.half;
        if missing && self.end != MessageEnd::TerminatorAlone {
            let what = format!("a transfer of whole messages ended without EOT ({how:?})");
            self.irregular(Irregularity::BrokenOff, what);
        }
        if end.half {
            self.line.cut(how);
        }
        // What was told already says more of why.
        if end.half && !self.told {
            self.line.told(
                Irregularity::BrokenOff,
                Said::new(
                    "a transfer broke off: its frames are kept as a half transmission and not read by themselves",
                    "传输中断:已收到的帧作为不完整传输保存,不会单独解读",
                ),
            );
        }
        self.settle().await;
        match self.line.store.append(end.group.clone()) {
            Ok(pending) => self.ending = Some(LastWord { end, pending }),
            Err(_busy) => self.insist(end).await,
        }
    }

    /// Waits until the end of a transfer that is on its way to the disk is there.
    async fn settle(&mut self) {
        if let Some(ending) = &mut self.ending {
            let outcome = (&mut ending.pending).await;
            self.end_kept(outcome).await;
        }
    }

    async fn end_kept(&mut self, outcome: Result<Durable, ledger::AppendFailed>) {
        let Some(LastWord { end, .. }) = self.ending.take() else { return };
        match outcome {
            Ok(durable) => self.asked(durable.first(), end.messages.iter().map(Vec::as_slice)),
            Err(_failed) => self.insist(end).await,
        }
    }

    /// Tries until the end of a transfer is on the disk, and takes nothing from the line meanwhile.
    async fn insist(&mut self, end: End) {
        if let Some(first) = self.line.store.settle(end.group, &self.line.stop).await {
            self.asked(first, end.messages.iter().map(Vec::as_slice));
        }
    }

    /// Messages that are durable from `first` on: those that ask are put to the desk, one after the other.
    fn asked<'m>(&mut self, first: Seq, messages: impl Iterator<Item = &'m [u8]>) {
        let mut message = first;
        for raw in messages {
            if self.sending.asked(raw).is_some_and(|desk| desk.takes_back(raw)) {
                // The link may go ahead with the EOT behind this message.
                self.withdraw();
            }
            let overdue = self.questions.put(message, raw);
            self.reply(overdue);
            message = message.next();
        }
        self.questions.next();
    }

    fn answered(&mut self, reply: Option<Reply>) {
        self.reply(reply);
        self.questions.next();
    }

    /// Answers go out in transfers of their own; the link waits until the peer has sent EOT (LIS01 §6.2).
    fn reply(&mut self, reply: Option<Reply>) {
        let Some(reply) = reply else { return };
        if reply.withdraw {
            self.withdraw();
        }
        self.sending.take(reply);
    }

    /// Takes back what has not reached the peer yet.
    fn withdraw(&mut self) {
        self.sending.withdraw();
        if let Some(sent) = self.sent.take_if(|sent| self.link.withdraw(*sent)) {
            tracing::debug!(connection = %self.line.connection.id, ?sent, "an answer was withdrawn");
            self.sending.done(Settled::Withdrawn);
        }
    }

    /// Hands the next message to the link, which has one at a time: only one request may be outstanding (LIS02 §2.4).
    fn send(&mut self) {
        while let Some(job) = self.sending.begin() {
            match self.link.send(records(&job.outgoing.bytes), now()) {
                Ok(id) => return self.sent = Some(id),
                Err(refused) => self.sending.refused(refused.to_string()),
            }
        }
    }

    fn send_failed(&mut self, id: SendId, why: SendFailure) {
        if self.sent.take_if(|sent| *sent == id).is_none() {
            return;
        }
        match why {
            SendFailure::Disconnected => self.sending.done(Settled::Disconnected),
            SendFailure::EnquiryUnanswered
            | SendFailure::PeerBusy
            | SendFailure::Contention
            | SendFailure::FrameUnanswered
            | SendFailure::FrameRefused
            | SendFailure::Interrupted => self.sending.failed(&why.to_string()),
        }
    }
}

/// A message's records, each with its CR: a frame holds one (LIS01 §6.3.1).
fn records(message: &[u8]) -> Vec<Vec<u8>> {
    message.split_inclusive(|byte| *byte == b'\r').map(<[u8]>::to_vec).collect()
}

fn how(ending: Ending) -> HowEnded {
    match ending {
        Ending::Eot => HowEnded::Eot,
        Ending::Abandoned => HowEnded::Abandoned,
        Ending::Timeout => HowEnded::Timeout,
        Ending::Disconnected => HowEnded::Disconnected,
        Ending::Restarted => HowEnded::Restarted,
    }
}
