//! What `[link]` may say: dialects are settings here, and what makes no sense is named.

use crate::link::{
    Checksum, Close, FrameNumbers, Framing, Interrupts, LinkRole, LinkSettings, Lis01Settings, MessageEnd,
    MllpSettings,
};
use crate::profile::Profile;
use crate::profile::tests::{SMALL, check};
use hl7v2::{Dialect, HeaderPlaces, SegmentEnds};
use std::time::Duration;

const WRITTEN: &str = "[link.lis01]\nchecksum = \"warn\"\n";

fn read(link: &str) -> Profile {
    Profile::read("profile.toml", &SMALL.replacen(WRITTEN, link, 1)).unwrap()
}

fn lis01(keys: &str) -> Lis01Settings {
    let LinkSettings::Lis01(link) = read(&format!("[link.lis01]\n{keys}\n")).link().clone() else {
        panic!("another link")
    };
    link
}

#[test]
fn what_is_not_written_is_as_the_standard_has_it() {
    let config = lis01("").config();
    let standard = lis01::Config::default();
    assert_eq!(config, standard);
    assert_eq!(lis01("").message_end, MessageEnd::Terminator);
}

#[test]
fn every_habit_of_the_link_is_a_key() {
    let link = lis01(
        r#"
        we_are = "instrument"
        checksum = "ignore"
        frame_numbers = "lenient"
        interrupts = "honour"
        frame_text_bytes_max = 1000
        send_text_bytes_max = 100
        tries_max = 4
        message_end = "terminator_without_eot"
        [link.lis01.timers_ms]
        t1 = 1
        t2 = 20
        t3 = 3
        t4 = 4
        t5 = 5
        t6 = 6
        t7 = 7
        reply = 8
        "#,
    );
    let ms = Duration::from_millis;
    let timers = lis01::Timers {
        t1: ms(1),
        t2: ms(20),
        t3: ms(3),
        t4: ms(4),
        t5: ms(5),
        t6: ms(6),
        t7: ms(7),
        reply: ms(8),
    };
    let expect = lis01::Config {
        role: lis01::Role::Instrument,
        checksum: lis01::Checksum::Ignore,
        frame_numbers: lis01::FrameNumbers::Lenient,
        interrupts: lis01::Interrupts::Honour,
        frame_text_bytes_max: 1000,
        send_text_bytes_max: 100,
        tries_max: 4,
        timers,
        ..lis01::Config::default()
    };
    assert_eq!(link.config(), expect);
    assert_eq!(link.message_end, MessageEnd::TerminatorWithoutEot);
    assert_eq!((link.we_are, link.interrupts), (LinkRole::Instrument, Interrupts::Honour));
    assert_eq!(lis01("message_end = \"session\"").message_end, MessageEnd::Session);
    assert_eq!(lis01("frame_numbers = \"absent\"").config().frame_numbers, lis01::FrameNumbers::Absent);
}

#[test]
fn a_link_that_answers_each_control_byte_has_the_habits_of_its_kind() {
    let link = lis01("framing = \"control_bytes\"");
    assert_eq!((link.framing, link.checksum), (Framing::ControlBytes, Checksum::Warn));
    assert_eq!((link.frame_numbers, link.tries_max), (FrameNumbers::Absent, 3));
    assert_eq!((link.timers.t1, link.timers.t2, link.timers.reply), (3_000, 3_000, 2_400));
    let check = |keys: &str, on: &str, words: &[&str]| {
        check(WRITTEN, &format!("[link.lis01]\nframing = \"control_bytes\"\n{keys}\n"), on, words);
    };
    check("frame_numbers = \"strict\"", "frame_numbers", &["no frame numbers"]);
    check("timers_ms = { reply = 3000 }", "timers_ms", &["after 3000 ms", "t2, 3000 ms"]);
}

#[test]
fn records_without_a_link_and_blocks_have_their_keys() {
    let LinkSettings::Unframed(link) =
        read("[link.unframed]\nterminator = \"optional\"\nsilence_ms = 500\n").link().clone()
    else {
        panic!("another link")
    };
    let expect = lis02::UnframedConfig {
        silence: Duration::from_millis(500),
        terminator: lis02::Terminator::Optional,
        ..lis02::UnframedConfig::default()
    };
    assert_eq!(link.config(), expect);
    let plain = read("[link.unframed]\n").link().clone();
    assert!(
        matches!(plain, LinkSettings::Unframed(link) if link.config() == lis02::UnframedConfig::default())
    );
    check(WRITTEN, "[link.pk_blocks]\nanswers = \"ack_nak\"\n", "[link.pk_blocks]", &["does not carry"]);
    check(WRITTEN, "[link.lis01]\n[link.unframed]\n", "[link.lis01]", &["one link", "lis01", "unframed"]);
}

/// A model that speaks HL7, with another link.
fn hl7(keys: &str) -> Result<MllpSettings, String> {
    let catalogue = crate::Catalogue::built_in().unwrap();
    let model = catalogue.entry("mindray/bs").unwrap();
    let text = model.text("profile.toml").unwrap();
    let (before, rest) = text.split_once("[link.mllp]").unwrap();
    let (_, behind) = rest.split_once("\n[").unwrap();
    let text = format!("{before}[link.mllp]\n{keys}\n\n[{behind}");
    let read = Profile::read_with("profile.toml", &text, &model.templates());
    let LinkSettings::Mllp(settings) = read.map_err(|errors| errors.to_string())?.link().clone() else {
        panic!("another link")
    };
    Ok(settings)
}

#[test]
fn every_habit_of_mllp_is_a_key() {
    let plain = hl7("").unwrap();
    assert_eq!(plain.config().ignored_between_blocks, mllp::Config::default().ignored_between_blocks);
    assert_eq!((plain.close, plain.commit_blocks, plain.dialect), (Close::End, false, Dialect::default()));
    let keys = r#"
        ignored_between_blocks = [0x02, 22]
        commit_blocks = true
        close = "reset"
        segment_ends = "cr"
        header = { "9" = 6, "10" = 7 }
    "#;
    let all = hl7(keys).unwrap();
    let config = all.config();
    assert_eq!((config.ignored_between_blocks, config.commit_blocks), (vec![2, 22], true));
    let header = HeaderPlaces::new(vec![(9, 6), (10, 7)]).unwrap();
    let dialect = Dialect { segment_ends: SegmentEnds::CarriageReturn, header };
    assert_eq!((all.close, all.dialect), (Close::Reset, dialect));
    for (keys, words) in [
        ("ignored_between_blocks = [0x1C]", "0x1C ends one"),
        ("ignored_between_blocks = [256]", "256"),
        ("header = { \"2\" = 6 }", "each from 3 to 25"),
        ("header = { \"9\" = 6, \"10\" = 6 }", "once on either side"),
        ("header = { type = 6 }", "what HL7 calls it = where it stands"),
        ("close = \"rst\"", "reset"),
        ("commit_block = true", "commit_blocks"),
    ] {
        let said = hl7(keys).unwrap_err();
        assert!(said.contains(words), "{keys}: {said}");
    }
}
