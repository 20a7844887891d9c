//! The writer, the paths, and what they refuse.

#[cfg(test)]
mod tests {
    use hl7v2::{BuildError, Delimiters, MessageBuilder, Path};

    fn build(write: impl FnOnce(&mut MessageBuilder)) -> Result<String, BuildError> {
        let mut message = MessageBuilder::new(Delimiters::standard());
        write(&mut message);
        message.finish()
    }

    #[test]
    fn a_result_message_is_written_as_the_standard_shows_it() {
        let written = build(|message| {
            message.header().field("hemogate").at(9).field("ORU").component("R01").component("ORU_R01");
            message.segment("SPM").field("1").field("D1").subcomponent("BC").at(4).null();
            message.segment("OBX").at(5).field("a").component("b").repetition("c").field("张|");
            message.segment("NTE");
        });
        let expect =
            "MSH|^~\\&|hemogate||||||ORU^R01^ORU_R01\rSPM|1|D1&BC||\"\"\rOBX|||||a^b~c|张\\F\\\rNTE\r";
        assert_eq!(written.as_deref(), Ok(expect));
    }

    #[test]
    fn what_would_not_be_read_again_is_refused() {
        let name = |name: &str| Err(BuildError::SegmentName { name: name.to_owned() });
        for wrong in ["", "OB", "OBXX", "obx", "1BX", "O|X", "张三"] {
            assert_eq!(build(|message| drop(message.segment(wrong))), name(wrong));
        }
        let order = BuildError::FieldOrder { segment: "OBX".into(), number: 2, reached: 2 };
        let written = build(|message| {
            message.segment("OBX").field("1").field("2").at(2);
        });
        assert_eq!(written, Err(order));
        for raw in ["a|b", "a\rb", "a\nb", "a\0b"] {
            let error = BuildError::RawText { segment: "OBX".into(), number: 1 };
            let written = build(|message| {
                message.segment("OBX").raw(raw);
            });
            assert_eq!(written, Err(error));
        }
    }

    #[test]
    fn delimiters_are_visible_signs_and_different() {
        for (characters, usable) in [
            ("|^~\\&", true),
            ("|^~\\&#", true),
            ("@!%$#", true),
            ("", false),
            ("|^~\\", false),
            ("|^~\\&#;", false),
            ("|^~^&", false),
            ("|^A\\&", false),
            ("| ~\\&", false),
            ("|^1\\&", false),
            ("|^~\\张", false),
        ] {
            assert_eq!(Delimiters::from_header(characters).is_some(), usable, "{characters}");
        }
    }

    #[test]
    fn a_path_is_written_as_it_was_read_and_nothing_else_is_a_path() {
        for path in ["OBX-5", "MSH-9.2", "SPM-2.1.1", "OBX-8[2]", "OBX-8[2].1.3", "ZE1-65535"] {
            assert_eq!(Path::parse(path).unwrap().to_string(), path);
        }
        for wrong in [
            "",
            "OBX",
            "OBX-",
            "OBX-0",
            "OBX-5.",
            "OBX-5.0",
            "OBX-5.1.0",
            "OBX-5.1.1.1",
            "OBX-5[0]",
            "OBX-5[]",
            "obx-5",
            "OBX5",
            "OBX-5 ",
            " OBX-5",
            "OBX-65536",
            "OBXX-5",
            "1BX-5",
            "OBX-5[1",
            "OBX--5",
        ] {
            let error = Path::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("OBX-5.1"), "{error}");
        }
    }
}
