//! A verdict as HL7 v2.5.1 ORU^R01.
//!
//! ```text
//! MSH  sender, receiver, ORU^R01^ORU_R01, control id = the delivery's own name, the same at every attempt
//! OBR  the donation, what was asked for (a verdict), when it was made, status F, or C when it replaces an earlier one
//! OBX  UNIT, RELEASABLE, each marker, ABO, RhD, each failing gate; OBX-11 as OBR-25
//! NTE  what to do next
//! ```
//!
//! Where people sign here, a verdict that passes and is not released says `hold` as UNIT: a receiver may read nothing else.
//!
//! No donor's name or number leaves: the donation's number is all that a receiver needs to find it.

use hl7v2::{BuildError, Delimiters, MessageBuilder};
use serde_json::Value;

/// Name of our code system in coded fields.
const SYSTEM: &str = "99HEMOGATE";
/// As verdicts name a unit that passes, and one that waits.
const PASS: &str = "pass";
const HOLD: &str = "hold";

/// What goes into the header.
#[derive(Debug, Clone)]
pub struct Addressing {
    /// MSH-4: the centre's code.
    pub facility: String,
    /// MSH-5: the receiver.
    pub receiver: String,
}

/// One verdict to write.
#[derive(Debug, Clone)]
pub struct Outgoing<'a> {
    /// MSH-10: names the verdict and its receiver, never the attempt.
    pub control_id: &'a str,
    /// When it was made, `YYYYMMDDHHMMSS±HHMM`.
    pub made_at: &'a str,
    /// The donation.
    pub donation: &'a str,
    /// It replaces a verdict that this receiver has.
    pub correction: bool,
    /// Who releases signs here: what passes is told to pass when it is released, and is held until then.
    pub signs_here: bool,
    /// The verdict as JSON.
    pub verdict: &'a Value,
}

/// Why a verdict cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    /// The stored verdict lacks something.
    #[error("the stored verdict has no {0}")]
    Missing(&'static str),
    /// A text cannot be carried.
    #[error("the message cannot be written: {0}")]
    Build(#[from] BuildError),
}

/// Writes the message.
///
/// # Errors
/// [`Unwritable`] when the stored verdict is not one.
pub fn write(out: &Outgoing<'_>, to: &Addressing) -> Result<String, Unwritable> {
    let status = if out.correction { "C" } else { "F" };
    let mut builder = MessageBuilder::new(Delimiters::default());
    {
        let mut msh = builder.header();
        msh.field("HEMOGATE").field(&to.facility).field(&to.receiver).field("").field(out.made_at);
        msh.at(9).field("ORU").component("R01").component("ORU_R01");
        msh.field(out.control_id).field("P").field("2.5.1");
        msh.at(15).field("NE").field("AL").at(18).field("UNICODE UTF-8");
    }
    {
        let mut obr = builder.segment("OBR");
        obr.field("1").field("").field(out.donation);
        obr.field("VERDICT").component("Donation verdict").component(SYSTEM);
        obr.at(7).field(out.made_at).at(22).field(out.made_at).at(25).field(status);
    }
    let mut lines = Lines { builder, count: 0, status, signs_here: out.signs_here };
    lines.results(out.verdict)?;
    let mut builder = lines.builder;
    for (at, next) in texts(out.verdict, "next").enumerate() {
        builder.segment("NTE").field(&(at + 1).to_string()).field("L").field(next);
    }
    Ok(builder.finish()?)
}

fn text<'v>(value: &'v Value, name: &'static str) -> Result<&'v str, Unwritable> {
    value.get(name).and_then(Value::as_str).ok_or(Unwritable::Missing(name))
}

fn texts<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v str> {
    value.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

struct Lines {
    builder: MessageBuilder,
    count: usize,
    status: &'static str,
    signs_here: bool,
}

impl Lines {
    fn results(&mut self, verdict: &Value) -> Result<(), Unwritable> {
        let releasable =
            verdict.get("releasable").and_then(Value::as_bool).ok_or(Unwritable::Missing("releasable"))?;
        let (unit, why) = match text(verdict, "unit")? {
            PASS if self.signs_here && !releasable => (HOLD, "passes, and is not released"),
            unit => (unit, ""),
        };
        self.coded("UNIT", "Verdict for the unit", unit, why);
        self.coded(
            "RELEASABLE",
            "All gates hold, signatures included",
            if releasable { "Y" } else { "N" },
            "",
        );
        let markers =
            verdict.get("markers").and_then(Value::as_object).ok_or(Unwritable::Missing("markers"))?;
        for (marker, about) in markers {
            self.coded(marker, marker, text(about, "verdict")?, text(about, "unit")?);
        }
        let group = verdict.get("group").ok_or(Unwritable::Missing("group"))?;
        for (code, name, key) in [("ABO", "ABO group", "abo"), ("RHD", "RhD type", "rhd")] {
            let found = group.get(key).and_then(Value::as_str).unwrap_or("");
            self.coded(code, name, found, text(group, "status")?);
        }
        for gate in verdict.get("gates").and_then(Value::as_array).ok_or(Unwritable::Missing("gates"))? {
            if gate.get("pass").and_then(Value::as_bool) != Some(true) {
                self.coded(text(gate, "id")?, "Gate that does not hold", "fail", text(gate, "why")?);
            }
        }
        let pack = verdict.get("rule_pack").ok_or(Unwritable::Missing("rule_pack"))?;
        self.coded("RULES", "Rule pack and its hash", text(pack, "id")?, text(pack, "hash")?);
        Ok(())
    }

    fn coded(&mut self, code: &str, name: &str, value: &str, more: &str) {
        self.count += 1;
        let mut obx = self.builder.segment("OBX");
        obx.field(&self.count.to_string()).field("CWE");
        obx.field(code).component(name).component(SYSTEM).field("");
        obx.field(value).component(more).component(SYSTEM);
        obx.at(11).field(self.status);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hl7v2::Index;
    use serde_json::json;

    fn verdict() -> Value {
        json!({
            "donation": "G123498654321", "unit": "pass", "releasable": false,
            "rule_pack": {"id": "cn-2019", "hash": "abc"},
            "markers": {"HBV": {"verdict": "NEGATIVE", "unit": "pass"}},
            "group": {"status": "final", "abo": "A", "rhd": "positive"},
            "gates": [{"id": "R-GATE-01", "pass": true, "why": "x"}, {"id": "R-GATE-10", "pass": false, "why": "signatures | are missing"}],
            "next": ["review the batch"],
        })
    }

    fn written(verdict: &Value, correction: bool) -> String {
        written_for(verdict, (correction, false))
    }

    fn written_for(verdict: &Value, (correction, signs_here): (bool, bool)) -> String {
        let out = Outgoing {
            control_id: "17@bis",
            made_at: "20260301150000+0800",
            donation: "G123498654321",
            correction,
            signs_here,
            verdict,
        };
        write(&out, &Addressing { facility: "KM".into(), receiver: "BIS".into() }).unwrap()
    }

    #[test]
    fn what_passes_and_is_not_released_where_people_sign_here_is_told_to_be_held() {
        let check = |(unit, releasable): (&str, bool), signs_here: bool, expect: &str| {
            let mut verdict = verdict();
            (verdict["unit"], verdict["releasable"]) = (unit.into(), releasable.into());
            let text = written_for(&verdict, (true, signs_here));
            let told = text.split('\r').find(|line| line.contains("|UNIT^")).unwrap();
            let value = told.split('|').nth(5).unwrap().split('^').next().unwrap();
            assert_eq!(value, expect, "{unit}, releasable {releasable}, signed here {signs_here}");
        };
        check(("pass", false), true, "hold");
        check(("pass", true), true, "pass");
        check(("pass", false), false, "pass");
        check(("hold", false), true, "hold");
        check(("discard", false), true, "discard");
    }

    #[test]
    fn a_verdict_reads_back_from_its_message() {
        let text = written(&verdict(), false);
        let mut index = Index::new();
        let message = index.read(&text);
        assert!(message.defects().is_empty(), "{:?} in {text:?}", message.defects());
        let get = |path: &str| {
            message.get(&path.parse().unwrap()).map(|part| part.text().into_owned()).unwrap_or_default()
        };
        assert_eq!(get("MSH-10"), "17@bis");
        assert_eq!(get("OBR-3"), "G123498654321");
        let values: Vec<String> = message
            .named("OBX")
            .map(|s| {
                format!(
                    "{}={}",
                    s.field(3).unwrap().raw().split('^').next().unwrap(),
                    s.field(5).unwrap().raw()
                )
            })
            .collect();
        assert_eq!(values[0], "UNIT=pass^^99HEMOGATE");
        assert!(
            values.contains(&r"R-GATE-10=fail^signatures \F\ are missing^99HEMOGATE".to_owned()),
            "{values:?}"
        );
        assert!(!values.iter().any(|v| v.starts_with("R-GATE-01")));
    }

    #[test]
    fn a_replaced_verdict_says_corrected_in_every_result() {
        let text = written(&verdict(), true);
        assert!(text.split('\r').filter(|s| s.starts_with("OBX")).all(|s| s.ends_with("|C")), "{text}");
    }

    #[test]
    fn what_is_no_verdict_is_not_sent() {
        for key in ["unit", "releasable", "markers", "group", "gates", "rule_pack"] {
            let mut broken = verdict();
            broken.as_object_mut().unwrap().remove(key);
            let out = Outgoing {
                control_id: "1",
                made_at: "",
                donation: "D",
                correction: false,
                signs_here: true,
                verdict: &broken,
            };
            let to = Addressing { facility: String::new(), receiver: String::new() };
            assert!(matches!(write(&out, &to), Err(Unwritable::Missing(missing)) if missing == key));
        }
    }
}
