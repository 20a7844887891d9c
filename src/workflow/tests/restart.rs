//! A sender whose link failed starts again from what it does not know to be stored (LIS02-A2 §4.2): every result is
//! read once, wherever the link failed, and two transmissions are never mixed that may not belong together.

#[cfg(test)]
mod restart {
    use instrument_profiles::{Catalogue, Profile};
    use ledger::{Body, Draft, HowEnded, Ledger, Page, Reader, Seq, StateStore, Terms, What};
    use lis02::{Index, resend_set};
    use std::sync::Arc;
    use vocabulary::{ConnectionId, Consequence, DonationId, Mode, ProfileRef};
    use workflow::{LotRegister, Settings, SpecimenRule};

    const HEADER: &str = "H|\\^&|1||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302142000\r";

    struct House {
        settings: Settings,
        profile: Arc<Profile>,
        ledger: Ledger,
        _folder: tempfile::TempDir,
    }

    impl House {
        fn new() -> Self {
            let catalogue = Catalogue::built_in().unwrap();
            let folder = tempfile::tempdir().unwrap();
            let mut settings = ledger::Settings::new(folder.path());
            settings.state = StateStore::Memory;
            settings.free_bytes_min = 0;
            settings.ballast_bytes = 0;
            Self {
                profile: Arc::clone(catalogue.get("abbott/architect-i2000sr").unwrap()),
                settings: Settings {
                    profiles: catalogue.list().cloned().collect(),
                    pack: release::RulePack::built_in("cn-2019").unwrap(),
                    specimens: SpecimenRule::of(identifiers::Normaliser::default()),
                    time_zone: jiff::tz::TimeZone::UTC,
                    lots: LotRegister::default(),
                    orders: workflow::orders::OrderRules::default(),
                    kits: workflow::Kits::default(),
                    reagents_per_marker: 2,
                    neighbours_each_side: 1,
                    deliver_to: vec![],
                    sign_off: workflow::SignOff::Elsewhere,
                },
                ledger: Ledger::open(settings, &mut |_| {}).unwrap().0,
                _folder: folder,
            }
        }

        fn line(&self, number: usize) -> Line<'_> {
            Line {
                house: self,
                id: ConnectionId::new(&format!("line-{number}")).unwrap(),
                number,
                mode: Mode::Production,
                profile: self.profile.reference().clone(),
                wrote_no_terms: false,
                transfers: 0,
            }
        }

        fn works(&self) {
            self.ledger.wait_applied(self.ledger.status().durable).wait().unwrap();
            while workflow::work_once(&self.settings, &self.ledger).unwrap() > 0 {}
        }

        fn reader(&self) -> Reader {
            self.ledger.state()
        }
    }

    /// One analyser's line.
    struct Line<'h> {
        house: &'h House,
        id: ConnectionId,
        number: usize,
        mode: Mode,
        profile: ProfileRef,
        /// Its ledger is older than terms.
        wrote_no_terms: bool,
        transfers: u64,
    }

    impl Line<'_> {
        /// Frames arrive, as intake keeps them; the last of them completes a message, or the link fails behind it.
        fn takes(&mut self, frames: &[&str], whole: bool) -> Option<Seq> {
            self.transfers += 1;
            let transfer = self.number as u64 * 1_000 + self.transfers;
            let bytes: usize = frames.iter().map(|frame| frame.len()).sum();
            let mut last = None;
            for (at, text) in frames.iter().enumerate() {
                let mut group = vec![What::FrameReceived {
                    connection: self.id.clone(),
                    transfer,
                    number: None,
                    end: text.ends_with('\r'),
                    text: text.as_bytes().into(),
                    terms: (at == 0 && !self.wrote_no_terms).then(|| self.terms()),
                }];
                if whole && at + 1 == frames.len() {
                    let to = u32::try_from(bytes).unwrap();
                    group.push(self.message(Body::Frames { transfer, from: 0, to }));
                }
                let count = group.len();
                let pending = self.append(group);
                last = (count == 2).then_some(pending);
            }
            if !frames.is_empty() {
                let how = if whole { HowEnded::Eot } else { HowEnded::Disconnected };
                drop(self.append(vec![What::TransferEnded { connection: self.id.clone(), transfer, how }]));
            }
            last.map(|pending| pending.wait().unwrap().last())
        }

        /// As [`Line::takes`], from a sender that leaves out the CR before ETX: intake puts it into the message.
        fn takes_without_ends(&mut self, frames: &[&str], whole: bool) {
            self.transfers += 1;
            let transfer = self.number as u64 * 1_000 + self.transfers;
            let mut group: Vec<What> = (0..)
                .zip(frames)
                .map(|(at, text)| What::FrameReceived {
                    connection: self.id.clone(),
                    transfer,
                    number: None,
                    end: text.ends_with('\r'),
                    text: text.trim_end_matches('\r').as_bytes().into(),
                    terms: (at == 0).then(|| self.terms()),
                })
                .collect();
            let how = if whole { HowEnded::Eot } else { HowEnded::Disconnected };
            if whole {
                let bytes: usize = frames.iter().map(|text| text.trim_end_matches('\r').len()).sum();
                let (text, to) = (frames.concat().into_bytes().into(), u32::try_from(bytes).unwrap());
                group.push(self.message(Body::Made { text, transfer, to }));
            }
            group.push(What::TransferEnded { connection: self.id.clone(), transfer, how });
            drop(self.append(group).wait().unwrap());
        }

        fn terms(&self) -> Terms {
            Terms { mode: self.mode, profile: self.profile.clone() }
        }

        fn message(&self, body: Body) -> What {
            What::MessageReceived {
                connection: self.id.clone(),
                mode: self.mode,
                profile: self.house.profile.reference().clone(),
                protocol: self.house.profile.protocol(),
                body,
            }
        }

        /// A message before all others: the line has been in use.
        fn was_in_use(&self) {
            drop(self.append(vec![self.message(Body::Whole(format!("{HEADER}L|1\r").into_bytes().into()))]));
        }

        fn append(&self, group: Vec<What>) -> ledger::Pending {
            self.house.ledger.append(group.into_iter().map(Draft::by_system).collect()).unwrap()
        }

        /// A message of three patients with four specimens; the second result of the second one has a comment.
        fn text(&self) -> String {
            let assay = "^^^161^Anti-HCV^UNDILUTED^P";
            let tail = "F||LAB^LAB||20260302141822|iSR03600\r";
            let mut records = vec![HEADER.to_owned()];
            for (patient, orders) in [(1, &[1, 2][..]), (2, &[3]), (3, &[4])] {
                records.push(format!("P|{patient}\r"));
                for (order, tube) in (1..).zip(orders) {
                    let donation = self.donation(*tube);
                    let order = format!("O|{order}|{donation}|{donation}^U265^1|{assay}");
                    records.push(format!("{order}|R||||||||||||||||||||F\r"));
                    records.push(format!("R|1|{assay}^48229LI00^04462^^F|0.1{tube}|S/CO||||{tail}"));
                    records.push(format!("R|2|{assay}^48229LI00^04462^^I|Nonreactive|||||{tail}"));
                    if *tube == 2 {
                        records.push("C|1|I|a comment^on it|I\r".to_owned());
                    }
                }
            }
            records.push("L|1\r".to_owned());
            records.concat()
        }

        fn donation(&self, tube: usize) -> DonationId {
            DonationId::new(&format!("G1234264{:05}", self.number * 10 + tube)).unwrap()
        }

        /// What was read of each tube: the results that count, and how often one came again.
        fn read(&self) -> Vec<(Vec<String>, usize)> {
            (1..=4)
                .map(|tube| {
                    let view = self.house.reader().donation(&self.donation(tube)).unwrap();
                    let seen = view.map(|view| view.observations).unwrap_or_default();
                    let (first, again): (Vec<_>, Vec<_>) = seen.iter().partition(|o| o.earlier.is_none());
                    let values = first.iter().map(|o| {
                        let reader = self.house.reader();
                        let whole = reader.observations_of(o.message).unwrap().unwrap();
                        let value = &whole.observations[usize::try_from(o.place).unwrap()].value;
                        value.number.map_or_else(String::new, |number| number.to_string())
                    });
                    (values.collect(), again.len())
                })
                .collect()
        }

        fn is_read_once(&self, case: &str) {
            for (tube, (values, _)) in (1..).zip(self.read()) {
                assert_eq!(values, [format!("0.1{tube}")], "{case}: tube {tube}");
            }
            let held =
                self.findings().into_iter().filter(|(_, _, consequence)| *consequence != Consequence::Note);
            assert_eq!(held.collect::<Vec<_>>(), [], "{case}");
        }

        /// Findings of this line's messages.
        fn findings(&self) -> Vec<(Seq, String, Consequence)> {
            let reader = self.house.reader();
            let filter = ledger::MessageFilter { connection: Some(self.id.clone()), ..Default::default() };
            let messages = reader.messages(&filter, &Page::first(99)).unwrap().items;
            messages
                .iter()
                .flat_map(|m| {
                    let findings = reader.observations_of(m.seq).unwrap().unwrap().findings;
                    findings.into_iter().map(|f| (m.seq, f.finding, f.consequence))
                })
                .collect()
        }

        /// Half transmissions of this line that no message is the rest of.
        fn left_over(&self) -> usize {
            let halves = self.house.reader().half_transfers(&Page::first(1_000)).unwrap().items;
            halves.iter().filter(|h| h.connection == self.id && h.continued_by.is_none()).count()
        }
    }

    /// A record a frame; where they are short, a record is cut into several.
    fn frames(text: &str, bytes_max: usize) -> Vec<&str> {
        let mut frames = Vec::new();
        for mut record in text.split_inclusive('\r') {
            while record.len() > bytes_max {
                let (frame, rest) = record.split_at(bytes_max);
                frames.push(frame);
                record = rest;
            }
            frames.push(record);
        }
        frames
    }

    /// What the sender sends when its link failed at a frame of `text`: the resend set, and the rest.
    fn again(text: &str, failed: usize, bytes_max: usize) -> String {
        let before: usize = frames(text, bytes_max).iter().take(failed).map(|frame| frame.len()).sum();
        let record = text.split_at(before).0.matches('\r').count();
        let mut index = Index::new();
        let records: Vec<lis02::Record<'_>> = index.read(text).records().collect();
        let again = resend_set(&records, record).into_iter().chain(record + 1..records.len());
        again.flat_map(|at| [records[at].raw(), "\r"]).collect()
    }

    #[test]
    fn wherever_the_link_fails_every_result_is_read_once() {
        let house = House::new();
        let mut lines = Vec::new();
        for bytes_max in [usize::MAX, 40] {
            let count = frames(&house.line(0).text(), bytes_max).len();
            for failed in 0..count {
                // The frame did not arrive; or it did, and its acknowledgement was lost.
                for kept in [failed, failed + 1].into_iter().filter(|kept| *kept < count) {
                    let mut line = house.line(lines.len() + 1);
                    line.was_in_use();
                    let (text, case) = (line.text(), format!("frame {failed} of {count}, {kept} kept"));
                    line.takes(&frames(&text, bytes_max)[..kept], false);
                    let rest = again(&text, failed, bytes_max);
                    line.takes(&frames(&rest, bytes_max), true);
                    let says_nothing = lis02::says_nothing(&frames(&text, bytes_max)[..kept].concat());
                    lines.push((line, case, says_nothing));
                }
            }
        }
        house.works();
        for (line, case, says_nothing) in &lines {
            line.is_read_once(case);
            let repeated: usize = line.read().into_iter().map(|(_, again)| again).sum();
            assert_eq!(repeated, 0, "{case}: nothing is read twice");
            assert!(line.left_over() == 0 || *says_nothing, "{case}: {}", line.left_over());
        }
        assert!(lines.len() > 100, "{}", lines.len());
    }

    #[test]
    fn a_link_that_fails_twice_or_at_the_very_end_loses_nothing_and_counts_nothing_twice() {
        let house = House::new();
        let count = frames(&house.line(0).text(), usize::MAX).len();
        let mut lines = Vec::new();
        for first in 1..count {
            let rest = again(&house.line(0).text(), first, usize::MAX);
            for second in (1 + first % 3..frames(&rest, usize::MAX).len()).step_by(3) {
                let mut line = house.line(lines.len() + 1);
                line.was_in_use();
                let text = line.text();
                line.takes(&frames(&text, usize::MAX)[..first], false);
                let rest = again(&text, first, usize::MAX);
                let sent = frames(&rest, usize::MAX);
                line.takes(&sent[..second], false);
                // The place of the record where it failed now, in the whole message.
                let failed = text.split_inclusive('\r').position(|record| record == sent[second]).unwrap();
                line.takes(&frames(&again(&text, failed, usize::MAX), usize::MAX), true);
                lines.push((line, format!("{first} and {second}")));
            }
        }
        // All of it arrived, and the last acknowledgement was lost: its end comes again as a message.
        let mut line = house.line(lines.len() + 1);
        line.was_in_use();
        let text = line.text();
        line.takes(&frames(&text, usize::MAX), true);
        line.takes(&frames(&again(&text, count - 1, usize::MAX), usize::MAX), true);
        house.works();
        let values: Vec<_> = line.read().into_iter().map(|(values, _)| values).collect();
        assert_eq!(values, [["0.11"], ["0.12"], ["0.13"], ["0.14"]]);
        let held = line.findings();
        assert_eq!(held.len(), 1, "an end alone is no message, and a person looks: {held:?}");
        for (line, case) in &lines {
            line.is_read_once(case);
        }
    }

    #[test]
    fn a_link_that_fails_under_a_sender_without_line_ends_loses_nothing() {
        let house = House::new();
        let mut lines = Vec::new();
        for bytes_max in [usize::MAX, 40] {
            let count = frames(&house.line(0).text(), bytes_max).len();
            for failed in 1..count {
                let mut line = house.line(lines.len() + 1);
                let (text, case) = (line.text(), format!("frame {failed} of {count}"));
                line.takes_without_ends(&frames(&text, bytes_max)[..failed], false);
                line.takes_without_ends(&frames(&again(&text, failed, bytes_max), bytes_max), true);
                lines.push((line, case));
            }
        }
        house.works();
        for (line, case) in &lines {
            line.is_read_once(case);
        }
    }

    /// It fails in the third tube; gives the rest, without the records of the first two.
    fn half(line: &mut Line<'_>, text: &str) -> String {
        let all = frames(text, usize::MAX);
        line.takes(&all[..12], false);
        again(text, 12, usize::MAX)
    }

    fn checks(
        house: &House,
        number: usize,
        change: fn(&mut Line<'_>, String),
        expect: &[&str],
        left_over: usize,
    ) {
        let mut line = house.line(number);
        let text = line.text();
        change(&mut line, text);
        house.works();
        let found: Vec<String> = line.findings().into_iter().map(|(_, finding, _)| finding).collect();
        let found: Vec<&str> = found.iter().map(String::as_str).filter(|f| f.starts_with("resum")).collect();
        assert_eq!((found, line.left_over()), (expect.to_vec(), left_over), "{number}");
    }

    #[test]
    fn what_may_be_something_else_is_not_read_together_and_holds() {
        let house = House::new();
        let check = |number, change, expect: &[&str], left_over| {
            checks(&house, number, change, expect, left_over);
        };
        let proper: fn(&mut Line<'_>, String) = |line, text| {
            line.was_in_use();
            let rest = half(line, &text);
            line.takes(&[&rest], true);
        };
        check(1, proper, &["resumed_transmission"], 0);
        // The rest has another value for what had come.
        check(
            2,
            |line, text| {
                line.was_in_use();
                let rest = half(line, &text).replace("|0.13|", "|0.19|");
                line.takes(&[&rest], true);
            },
            &["resumption_uncertain"],
            1,
        );
        // Another message came in between.
        check(
            3,
            |line, text| {
                line.was_in_use();
                let rest = half(line, &text);
                line.was_in_use();
                line.takes(&[&rest], true);
            },
            &[],
            1,
        );
        // The half came over another line.
        check(
            4,
            |line, text| {
                line.was_in_use();
                let mut other = line.house.line(40);
                let rest = half(&mut other, &text);
                line.takes(&[&rest], true);
            },
            &[],
            0,
        );
        // All of it comes again: there is nothing to join, and nothing is left over.
        check(
            7,
            |line, text| {
                half(line, &text);
                line.takes(&[&text], true);
            },
            &[],
            0,
        );
        // All of it comes again and says so: with the values that had come, or with another one.
        check(
            12,
            |line, text| {
                half(line, &text);
                line.takes(&[&text.replace("||F||LAB", "||R||LAB")], true);
            },
            &[],
            0,
        );
        house.line(12).is_read_once("marked as sent again");
        check(
            13,
            |line, text| {
                half(line, &text);
                line.takes(&[&text.replace("||F||LAB", "||R||LAB").replace("|0.12|", "|0.19|")], true);
            },
            &["resumption_uncertain"],
            1,
        );
        // Held is what the message names.
        let line = house.line(2);
        let holds = line.findings().into_iter().find(|(_, finding, _)| finding == "resumption_uncertain");
        assert_eq!(holds.unwrap().2, Consequence::Hold);
    }

    #[test]
    fn what_came_while_the_line_was_run_otherwise_is_not_read_together_and_holds() {
        let house = House::new();
        let check = |number, change, expect: &[&str], left_over| {
            checks(&house, number, change, expect, left_over);
        };
        // The half came while the line was tried out, or nobody knows how it was run then.
        let tried_out: fn(&mut Line<'_>, String) = |line, text| {
            line.mode = Mode::Qualification;
            line.was_in_use();
            let rest = half(line, &text);
            line.mode = Mode::Production;
            line.takes(&[&rest], true);
        };
        check(5, tried_out, &["resumption_uncertain"], 1);
        check(
            6,
            |line, text| {
                line.wrote_no_terms = true;
                let rest = half(line, &text);
                line.takes(&[&rest], true);
            },
            &["resumption_uncertain"],
            1,
        );
        // It was in production, and in production again when the rest came; the half between came while it was tried out.
        let between: fn(&mut Line<'_>, String) = |line, text| {
            line.was_in_use();
            line.mode = Mode::Qualification;
            let rest = half(line, &text);
            line.mode = Mode::Production;
            line.takes(&[&rest], true);
        };
        check(8, between, &["resumption_uncertain"], 1);
        let line = house.line(8);
        assert_eq!(line.read()[..2], [(vec![], 0), (vec![], 0)], "nothing of the trial is evidence");
        // Half of a half: only its beginning came while the line was tried out.
        check(
            9,
            |line, text| {
                line.was_in_use();
                line.mode = Mode::Qualification;
                let rest = half(line, &text);
                line.mode = Mode::Production;
                line.takes(&frames(&rest, usize::MAX)[..4], false);
                line.takes(&[&rest], true);
            },
            &["resumption_uncertain"],
            2,
        );
        // Another revision of the profile had been set when the half came.
        check(
            10,
            |line, text| {
                line.was_in_use();
                let now = line.profile.clone();
                line.profile.revision = "0".repeat(64);
                let rest = half(line, &text);
                line.profile = now;
                line.takes(&[&rest], true);
            },
            &["resumption_uncertain"],
            1,
        );
        // A line that is in use for the first time is in production from its first frame.
        check(
            11,
            |line, text| {
                let rest = half(line, &text);
                line.takes(&[&rest], true);
            },
            &["resumed_transmission"],
            0,
        );
    }
}
