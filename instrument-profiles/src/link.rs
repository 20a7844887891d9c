//! Link settings as plain values: what `intake` turns into a driver's configuration.

use serde::Deserialize;
use std::time::Duration;

/// How a model is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkSettings {
    /// CLSI LIS01 / ASTM E1381.
    Lis01(Lis01Settings),
    /// HL7 over MLLP.
    Mllp(MllpSettings),
    /// LIS02 records without a link.
    Unframed(UnframedSettings),
    /// The PK block protocol.
    PkBlocks(PkBlocksSettings),
    /// Files in a folder.
    Directory(DirectorySettings),
}

/// Who wins when both sides want to send (LIS01 §6.2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkRole {
    /// We are the instrument.
    Instrument,
    /// We are the computer.
    Computer,
}

/// Which end of the socket the analyser is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TcpRole {
    /// It connects to us.
    Client,
    /// It listens.
    Server,
}

/// What a transfer looks like on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// Numbered frames with a checksum (LIS01 §6.3).
    Numbered,
    /// `ENQ STX text ETX EOT`, an ACK for each control byte and no NAK.
    ControlBytes,
}

/// Where a message ends (protocols of the field; LIS02 §6.1 has it end with its L record).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageEnd {
    /// With its terminator record L; a transfer that ends without one leaves a half transmission.
    Terminator,
    /// With L, or with the EOT of its transfer: the analyser may leave L out.
    Session,
    /// With L, and EOT never comes.
    TerminatorWithoutEot,
}

/// What a wrong or missing frame checksum means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checksum {
    /// The frame is refused.
    Require,
    /// The frame is taken and the fault noted.
    Warn,
    /// Nothing.
    Ignore,
}

/// How frame numbers are held against the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameNumbers {
    /// Wrong ones are refused.
    Strict,
    /// Wrong ones are taken and noted.
    Lenient,
    /// The peer sends none.
    Absent,
}

/// What we do as sender when the receiver asks to interrupt (LIS01 §6.3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interrupts {
    /// Go on.
    Ignore,
    /// Stop and let the peer send.
    Honour,
}

/// T1 to T7 (LIS01 §6), in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimersMs {
    /// Sender waits for the answer to ENQ.
    pub t1: u64,
    /// Sender waits for the answer to a frame.
    pub t2: u64,
    /// Receiver waits for the next frame or EOT.
    pub t3: u64,
    /// Pause after NAK to ENQ.
    pub t4: u64,
    /// Instrument's pause after contention.
    pub t5: u64,
    /// Computer's pause after contention.
    pub t6: u64,
    /// Pause after an honoured interrupt.
    pub t7: u64,
    /// We answer a frame within; shorter than the analyser's patience.
    pub reply: u64,
}

/// Settings of a LIS01 link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lis01Settings {
    /// Which side we play.
    pub we_are: LinkRole,
    /// Which end of the socket the analyser usually is.
    pub analyser_tcp: TcpRole,
    /// What a transfer looks like.
    pub framing: Framing,
    /// Checksums.
    pub checksum: Checksum,
    /// Frame numbers.
    pub frame_numbers: FrameNumbers,
    /// Interrupt requests.
    pub interrupts: Interrupts,
    /// The longest frame text taken.
    pub frame_text_bytes_max: usize,
    /// The longest frame text sent.
    pub send_text_bytes_max: usize,
    /// Tries for one frame.
    pub tries_max: u8,
    /// Where a message ends.
    pub message_end: MessageEnd,
    /// Timers.
    pub timers: TimersMs,
}

/// Which acknowledgement a message gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AckMode {
    /// As MSH-15 and MSH-16 of the message ask (HL7 v2 §2.9.2); both empty: original mode.
    AsAsked,
    /// One answer AA, AE or AR to everything. MSH-15 and MSH-16 are not read: some dialects carry other things there.
    Always,
}

/// What a message gets that is framed and stored but cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnusable {
    /// AA: it is kept in quarantine. For analysers that repeat a refused message for ever.
    AcceptAndQuarantine,
    /// AE.
    AnswerError,
}

/// How we close a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Close {
    /// With FIN.
    End,
    /// With RST behind it: the analyser does not notice a FIN. It may do the same, and that is no fault.
    Reset,
}

/// What ends a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentEnds {
    /// CR, LF, CRLF and NUL, in any mixture.
    Any,
    /// CR; a line feed may stand inside a field.
    Cr,
}

/// Settings of an MLLP link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MllpSettings {
    /// Which end of the socket the analyser usually is.
    pub analyser_tcp: TcpRole,
    /// The port it expects, where it has one.
    pub default_port: Option<u16>,
    /// The longest block taken.
    pub block_bytes_max: usize,
    /// Messages it may send before it has an answer.
    pub outstanding_max: usize,
    /// How long we wait for its answers.
    pub answer_timeout_ms: u64,
    /// Which acknowledgement it gets.
    pub acknowledge: AckMode,
    /// What an unusable message gets.
    pub on_unusable: OnUnusable,
    /// The answer's form.
    pub template: hl7v2::Template,
    /// Bytes that mean nothing between blocks, and are only counted.
    pub ignored_between_blocks: Vec<u8>,
    /// MLLP release 2: a commit block before every answer.
    pub commit_blocks: bool,
    /// How we close.
    pub close: Close,
    /// How its messages are laid out, as far as answering them goes.
    pub dialect: hl7v2::Dialect,
}

/// Whether a message has to end with its terminator record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Terminator {
    /// Without L it is half a message.
    Required,
    /// Silence behind a whole record ends a message too.
    Optional,
}

/// Settings of records without a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnframedSettings {
    /// Which end of the socket the analyser usually is.
    pub analyser_tcp: TcpRole,
    /// Whether every message has its L.
    pub terminator: Terminator,
    /// The longest message taken.
    pub message_bytes_max: usize,
    /// How long nothing may come inside a message.
    pub silence_ms: u64,
}

/// How blocks are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockAnswers {
    /// Not at all.
    Silent,
    /// ACK or NAK for each.
    AckNak,
}

/// Settings of the PK block protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PkBlocksSettings {
    /// Which end of the socket the analyser usually is.
    pub analyser_tcp: TcpRole,
    /// Whether blocks are answered.
    pub answers: BlockAnswers,
    /// The longest text of a block taken.
    pub block_text_bytes_max: usize,
    /// The longest message a session may make.
    pub session_bytes_max: usize,
    /// How long nothing follows a block that is whole.
    pub quiet_ms: u64,
    /// How long nothing may come inside a block.
    pub block_silence_ms: u64,
    /// How long nothing may come inside a session.
    pub session_silence_ms: u64,
    /// Within how long we answer.
    pub reply_ms: u64,
}

/// Settings of a folder of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectorySettings {
    /// Which files, with `*` and `?`.
    pub pattern: String,
    /// The longest file taken.
    pub file_bytes_max: usize,
    /// A file is taken when it has not grown for so long.
    pub settle_ms: u64,
}

impl Lis01Settings {
    /// The link machine's configuration.
    #[must_use]
    pub fn config(&self) -> lis01::Config {
        let ms = Duration::from_millis;
        let timers = self.timers;
        lis01::Config {
            role: match self.we_are {
                LinkRole::Instrument => lis01::Role::Instrument,
                LinkRole::Computer => lis01::Role::Computer,
            },
            framing: match self.framing {
                Framing::Numbered => lis01::Framing::Numbered,
                Framing::ControlBytes => lis01::Framing::ControlBytes,
            },
            checksum: match self.checksum {
                Checksum::Require => lis01::Checksum::Require,
                Checksum::Warn => lis01::Checksum::Warn,
                Checksum::Ignore => lis01::Checksum::Ignore,
            },
            frame_numbers: match self.frame_numbers {
                FrameNumbers::Strict => lis01::FrameNumbers::Strict,
                FrameNumbers::Lenient => lis01::FrameNumbers::Lenient,
                FrameNumbers::Absent => lis01::FrameNumbers::Absent,
            },
            interrupts: match self.interrupts {
                Interrupts::Ignore => lis01::Interrupts::Ignore,
                Interrupts::Honour => lis01::Interrupts::Honour,
            },
            frame_text_bytes_max: self.frame_text_bytes_max,
            send_text_bytes_max: self.send_text_bytes_max,
            tries_max: self.tries_max,
            timers: lis01::Timers {
                t1: ms(timers.t1),
                t2: ms(timers.t2),
                t3: ms(timers.t3),
                t4: ms(timers.t4),
                t5: ms(timers.t5),
                t6: ms(timers.t6),
                t7: ms(timers.t7),
                reply: ms(timers.reply),
            },
            ..lis01::Config::default()
        }
    }
}

impl MllpSettings {
    /// The receiver's configuration.
    #[must_use]
    pub fn config(&self) -> mllp::Config {
        mllp::Config {
            block_bytes_max: self.block_bytes_max,
            outstanding_max: self.outstanding_max,
            ignored_between_blocks: self.ignored_between_blocks.clone(),
            commit_blocks: self.commit_blocks,
            answer_timeout: Duration::from_millis(self.answer_timeout_ms),
            ..mllp::Config::default()
        }
    }
}

impl UnframedSettings {
    /// The stream's configuration.
    #[must_use]
    pub fn config(&self) -> lis02::UnframedConfig {
        lis02::UnframedConfig {
            silence: Duration::from_millis(self.silence_ms),
            terminator: match self.terminator {
                Terminator::Required => lis02::Terminator::Required,
                Terminator::Optional => lis02::Terminator::Optional,
            },
            message_bytes_max: self.message_bytes_max,
        }
    }
}

impl PkBlocksSettings {
    /// The receiver's configuration.
    #[must_use]
    pub fn config(&self) -> pk_blocks::Config {
        let ms = Duration::from_millis;
        pk_blocks::Config {
            answers: match self.answers {
                BlockAnswers::Silent => pk_blocks::Answers::Silent,
                BlockAnswers::AckNak => pk_blocks::Answers::ACK_NAK,
            },
            block_text_bytes_max: self.block_text_bytes_max,
            session_bytes_max: self.session_bytes_max,
            quiet: ms(self.quiet_ms),
            block_silence: ms(self.block_silence_ms),
            session_silence: ms(self.session_silence_ms),
            reply: ms(self.reply_ms),
            ..pk_blocks::Config::default()
        }
    }
}
