//! Answers, byte for byte.

#[cfg(test)]
mod tests {
    use hl7v2::{
        AckSettings, AckTemplate, Acknowledgement, Answer, ErrorCode, Fault, Index, Path, Template,
        acknowledge,
    };

    const NOW: &str = "20260301101500";

    fn check(message: &str, template: &Template, answer: Answer, fault: Option<Fault>, expect: &str) {
        let mut index = Index::new();
        let settings = AckSettings { template, now: NOW, control_id: "A1" };
        let text = if answer.is_accept() { "Message accepted" } else { "no | room" };
        let written = acknowledge(&index.read(message), &settings, answer, text, fault);
        assert_eq!(written.replace('\r', "\n"), expect.replace('\r', "\n"), "answer to {message}");
    }

    const LAW: &str = "MSH|^~\\&|X800DM|LAB|Host|BC|20260301101400+0800||OUL^R22^OUL_R22|4711|P|2.5.1|||NE|AL||UNICODE UTF-8\rSPM|1\r";
    const MINDRAY: &str =
        "MSH|^~\\&|Mindray|BS-800|||20260301101400||ORU^R01|77|P|2.3.1||||0||ASCII|||\rOBX|1\r";
    const SNIBE: &str = "MSH|^~\\&|MAGLUMI|LIS|20260301101400|OUL^R22|9|P|2.5||NE|NE|UTF-8\r";

    #[test]
    fn the_standard_answer_follows_the_version_of_the_message() {
        use Answer::{AcceptAA, AcceptCA, ErrorAE, RejectAR};
        let fault = |path: &str| {
            Some(Fault { code: ErrorCode::ApplicationInternal, location: Path::parse(path).ok() })
        };
        let table = [
            (
                LAW,
                AcceptAA,
                None,
                "MSH|^~\\&|Host|BC|X800DM|LAB|20260301101500||ACK^R22^ACK|A1|P|2.5.1||||||UNICODE UTF-8\rMSA|AA|4711|Message accepted\r",
            ),
            (
                LAW,
                AcceptCA,
                None,
                "MSH|^~\\&|Host|BC|X800DM|LAB|20260301101500||ACK^R22^ACK|A1|P|2.5.1||||||UNICODE UTF-8\rMSA|CA|4711|Message accepted\r",
            ),
            (
                LAW,
                ErrorAE,
                fault("OBX-5.1"),
                "MSH|^~\\&|Host|BC|X800DM|LAB|20260301101500||ACK^R22^ACK|A1|P|2.5.1||||||UNICODE UTF-8\rMSA|AE|4711|no \\F\\ room\rERR||OBX^^5|207^Application internal error^HL70357|E||||no \\F\\ room\r",
            ),
            (
                MINDRAY,
                AcceptAA,
                None,
                "MSH|^~\\&|||Mindray|BS-800|20260301101500||ACK^R01|A1|P|2.3.1||||0||ASCII\rMSA|AA|77|Message accepted\r",
            ),
            (
                MINDRAY,
                RejectAR,
                fault("OBX-5"),
                "MSH|^~\\&|||Mindray|BS-800|20260301101500||ACK^R01|A1|P|2.3.1||||0||ASCII\rMSA|AR|77|no \\F\\ room|||207^Application internal error^HL70357\rERR|OBX^^5^207&Application internal error&HL70357\r",
            ),
            (
                SNIBE,
                AcceptAA,
                None,
                "MSH|^~\\&|||MAGLUMI|LIS|20260301101500||ACK^R22^ACK|A1|P|2.5\rMSA|AA|9|Message accepted\r",
            ),
            (
                "no HL7 at all",
                RejectAR,
                None,
                "MSH|^~\\&|||||20260301101500||ACK|A1|P|2.5.1\rMSA|AR||no \\F\\ room\r",
            ),
            // The separator stands in the version that is assumed: it is escaped, as everywhere.
            (
                "MSH!^~\\&!A!!!!!!ACK!7\rPID!1\r",
                AcceptAA,
                None,
                "MSH!^~\\&!!!A!!20260301101500!!ACK!A1!P!2.5.1\rMSA!AA!7!Message accepted\r",
            ),
            (
                "MSH.^~\\&.A......ACK.7\r",
                AcceptAA,
                None,
                "MSH.^~\\&...A..20260301101500..ACK.A1.P.2\\F\\5\\F\\1\rMSA.AA.7.Message accepted\r",
            ),
            (
                "MSH@!%$#@APP@@@@@@ORU!R01@5@P@2.3.1\r",
                AcceptAA,
                None,
                "MSH@!%$#@@@APP@@20260301101500@@ACK!R01@A1@P@2.3.1\rMSA@AA@5@Message accepted\r",
            ),
        ];
        for (message, answer, fault, expect) in table {
            check(message, &Template::Standard, answer, fault, expect);
        }
    }

    #[test]
    fn the_dialect_of_2_3_1_has_nineteen_separators_and_an_msa_6() {
        let template = Template::Exact(AckTemplate::dialect_231());
        let accepted = "MSH|^~\\&|||Mindray|BS-800|20260301101500||ACK^R01|77|P|2.3.1||||0||ASCII|||\rMSA|AA|77|Message accepted|||0|\r";
        check(MINDRAY, &template, Answer::AcceptAA, None, accepted);
        let msh = accepted.split('\r').next().unwrap();
        assert!(msh.split_once("^~\\&").unwrap().1.matches('|').count() >= 19);
        let refused = "MSH|^~\\&|||Mindray|BS-800|20260301101500||ACK^R01|77|P|2.3.1||||0||ASCII|||\rMSA|AR|77|no \\F\\ room|||207|\r";
        check(MINDRAY, &template, Answer::RejectAR, None, refused);
    }

    #[test]
    fn a_profile_may_lay_down_every_byte() {
        let autobio = "MSH|^~\\&|LIS|||{MSH-3}|{now}||ACK^{MSH-9.2}|{MSH-10}|P|2.3.1\r\nMSA|{code}|{MSH-10}|{text}|{OBX-1}||{condition}|{control_id}{PV1-2}\n";
        let template = Template::Exact(AckTemplate::parse(autobio).unwrap());
        let message = "MSH|^~\\&|AutoLumo||||20260301||ORU^R01|5|P|2.3.1\rOBX|12|\r";
        let expect = "MSH|^~\\&|LIS|||AutoLumo|20260301101500||ACK^R01|5|P|2.3.1\rMSA|AA|5|Message accepted|12||0|A1\r";
        check(message, &template, Answer::AcceptAA, None, expect);
    }

    #[test]
    fn a_place_may_depend_on_what_stands_at_another() {
        let text = "MSH|^~\\&|LIS\nMSA|{code}|{MSH-10}||{OBX-1 if MSH-10=5 else OBR-3}";
        let template = AckTemplate::parse(text).unwrap();
        assert_eq!(template.segments_asked().collect::<Vec<_>>(), ["OBX", "OBR"]);
        let template = Template::Exact(template);
        for (id, quoted) in [("5", "12"), ("7", "31"), ("55", "31"), ("", "31")] {
            let message =
                format!("MSH|^~\\&|AutoLumo||||20260301||ORU^R01|{id}|P|2.3.1\rOBR|1|S|31\rOBX|12|\r");
            let expect = format!("MSH|^~\\&|LIS\rMSA|AA|{id}||{quoted}\r");
            check(&message, &template, Answer::AcceptAA, None, &expect);
        }
    }

    #[test]
    fn a_template_that_cannot_be_used_is_named_with_its_line() {
        for (text, expect) in [
            ("", "begins with MSH"),
            ("MSA|{code}", "begins with MSH"),
            ("MSH|^~\\&|A", "has an MSA line"),
            ("MSH|^~|A\nMSA|{code}", "five different delimiters"),
            ("MSH|^~\\&|A\nMSA|{code", "line 2 of the acknowledgement has a brace"),
            ("MSH|^~\\&|A}\nMSA|{code}", "line 1 of the acknowledgement has a brace"),
            ("MSH|^~\\&|A\nMSA|{cod}", "line 2 of the acknowledgement asks for `{cod}`"),
            ("MSH|^~\\&|A\nMSA|{MSH-0}", "asks for `{MSH-0}`"),
            ("MSH|^~\\&|A\nMSA|{OBX-1 if MSH-10=5}", "choices such as OBX-1 if MSH-10=5 else OBR-3"),
            ("MSH|^~\\&|A\nMSA|{OBX-1 if MSH-10 else OBR-3}", "choices such as"),
        ] {
            let error = AckTemplate::parse(text).unwrap_err().to_string();
            assert!(error.contains(expect), "{text:?}: {error}");
        }
    }

    #[test]
    fn an_answer_is_read_back() {
        let mut index = Index::new();
        let read = |text: &str, index: &mut Index| {
            Acknowledgement::read(&index.read(text)).map(|ack| (ack.answer, ack.control_id.into_owned()))
        };
        let answer = "MSH|^~\\&|A\rMSA|AE|4\\F\\7|bad";
        assert_eq!(read(answer, &mut index), Ok((Answer::ErrorAE, "4|7".to_owned())), "without its CR");
        assert!(read("MSH|^~\\&|A\r", &mut index).is_err());
        assert!(read("MSH|^~\\&|A\rMSA|OK|1\r", &mut index).is_err());
    }
}
