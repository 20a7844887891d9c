//! `[link.lis01]`: the standard's link and its dialects.

use super::{FRAME_TEXT_BYTES, SEND_TEXT_BYTES, TRIES};
use crate::{
    link::{
        Checksum, FrameNumbers, Framing, Interrupts, LinkRole, Lis01Settings, MessageEnd, TcpRole, TimersMs,
    },
    profile::builder::Builder,
    schema,
};
use toml::Spanned;

impl Builder<'_, '_> {
    pub(super) fn lis01(&mut self, link: &schema::Lis01) -> Lis01Settings {
        let framing = link.framing.unwrap_or(Framing::Numbered);
        let usual = Usual::of(framing);
        let frame_numbers = self.frame_numbers(framing, link.frame_numbers.as_ref());
        let mut timers = timers(&link.timers_ms, usual.patience_ms);
        timers.reply = self.reply_ms(link.timers_ms.reply.as_ref(), timers.t2, timers.reply);
        Lis01Settings {
            we_are: link.we_are.unwrap_or(LinkRole::Computer),
            analyser_tcp: link.analyser_tcp.unwrap_or(TcpRole::Client),
            framing,
            checksum: link.checksum.unwrap_or(usual.checksum),
            frame_numbers,
            interrupts: link.interrupts.unwrap_or(Interrupts::Ignore),
            frame_text_bytes_max: self.within(
                link.frame_text_bytes_max.as_ref(),
                &FRAME_TEXT_BYTES,
                usual.frame_text_bytes_max,
            ),
            send_text_bytes_max: self.within(link.send_text_bytes_max.as_ref(), &SEND_TEXT_BYTES, 240),
            tries_max: self.within(link.tries_max.as_ref(), &TRIES, usual.tries_max),
            message_end: link.message_end.unwrap_or(MessageEnd::Terminator),
            timers,
        }
    }

    fn frame_numbers(&mut self, framing: Framing, written: Option<&Spanned<FrameNumbers>>) -> FrameNumbers {
        match (framing, written.map(|written| (*written.get_ref(), written.span()))) {
            (Framing::Numbered, written) => written.map_or(FrameNumbers::Strict, |(numbers, _)| numbers),
            (Framing::ControlBytes, None | Some((FrameNumbers::Absent, _))) => FrameNumbers::Absent,
            (Framing::ControlBytes, Some((FrameNumbers::Strict | FrameNumbers::Lenient, span))) => {
                self.fault(&span, "there are no frame numbers where each control byte is answered");
                FrameNumbers::Absent
            }
        }
    }

    /// An answer has to leave before the analyser's patience (T2) is over.
    fn reply_ms(&mut self, written: Option<&Spanned<u64>>, t2: u64, usual: u64) -> u64 {
        let Some(written) = written else { return usual.min(t2.saturating_sub(t2 / 5)) };
        if *written.get_ref() >= t2 {
            let what = format!("an answer after {} ms comes after t2, {t2} ms", written.get_ref());
            self.fault(&written.span(), what);
        }
        *written.get_ref()
    }
}

/// What a framing has where the profile says nothing.
struct Usual {
    checksum: Checksum,
    frame_text_bytes_max: usize,
    tries_max: u8,
    /// T1 and T2.
    patience_ms: u64,
}

impl Usual {
    fn of(framing: Framing) -> Self {
        match framing {
            Framing::Numbered => Self {
                checksum: Checksum::Require,
                frame_text_bytes_max: 64_000,
                tries_max: 6,
                patience_ms: 15_000,
            },
            // One block is a whole message, and whether it has a checksum is a switch on the analyser.
            Framing::ControlBytes => Self {
                checksum: Checksum::Warn,
                frame_text_bytes_max: 1_000_000,
                tries_max: 3,
                patience_ms: 3_000,
            },
        }
    }
}

/// Defaults of LIS01-A2 §6 (T4 and T5 are the least that is allowed).
fn timers(written: &schema::Timers, patience_ms: u64) -> TimersMs {
    TimersMs {
        t1: written.t1.unwrap_or(patience_ms),
        t2: written.t2.unwrap_or(patience_ms),
        t3: written.t3.unwrap_or(30_000),
        t4: written.t4.unwrap_or(10_000),
        t5: written.t5.unwrap_or(1_000),
        t6: written.t6.unwrap_or(20_000),
        t7: written.t7.unwrap_or(15_000),
        reply: 12_000,
    }
}
