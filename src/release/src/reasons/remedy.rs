//! What opens a closed gate.

use crate::GateId;
use crate::evidence::OpenFinding;

/// The finding that is seen to first: it has a way out of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// A result was sent with different values, and nobody has said which stands.
    Versions,
    /// What was reactive fell by a person's word.
    Fall,
    /// A pool says nothing of its members.
    Pool,
    Other,
}

fn first(findings: &[OpenFinding]) -> First {
    let any = |is: fn(&OpenFinding) -> bool| findings.iter().any(is);
    if any(OpenFinding::is_of_versions) {
        First::Versions
    } else if any(OpenFinding::is_of_a_fall) {
        First::Fall
    } else if any(OpenFinding::is_of_a_pool) {
        First::Pool
    } else {
        First::Other
    }
}

/// In English and Chinese.
pub(crate) fn remedy(gate: GateId, findings: &[OpenFinding]) -> (&'static str, &'static str) {
    match gate {
        GateId::TestsFinal => ("finish the tests that are named", "完成所列检测"),
        GateId::MarkersPass => (
            "nothing opens it for a reactive marker: remove the unit; finish what is open",
            "有反应性者不可放行：移除血液；未完成者继续检测",
        ),
        GateId::Group => (
            "resolve the group: repeat, from the bag segment where history or field differ",
            "解决血型问题：重做，与既往或初筛不符时用血袋辫子",
        ),
        GateId::RunsValid => ("repeat the tests of that run in a valid one", "在有效批次中重做该批次检测"),
        GateId::QualityControl => (
            "repeat the control first; when it is in control, test the samples again in a run with good controls; controls that have not come yet have to be sent",
            "先重做质控；在控后在质控合格的批次中重测标本；尚未传来的质控结果须补传",
        ),
        GateId::Lots => (
            "enter expiry and acceptance of the lot; repeat with a lot in date where it was not",
            "登记批号效期和验收；过期者用合格批号重做",
        ),
        GateId::Analyser => (
            "have qualification, calibration or maintenance done and written down (hemogate analyser serviced), and repeat what was tested meanwhile; an entry by mistake is taken back by two people",
            "完成仪器确认、校准或维护并登记（hemogate analyser serviced），期间的检测重做；误登记由两人撤回",
        ),
        GateId::Operator => (
            "have an authorised person repeat the test, or write down since when the operator may run it (hemogate operator authorise --from, confirmed by another person)",
            "由授权人员重做该检测，或登记该操作者的授权起始时间（hemogate operator authorise --from，须另一人确认）",
        ),
        GateId::Identity if findings.iter().any(OpenFinding::is_of_registrations) => (
            "find out whose donation it is, and have two people say which registration stands (hemogate donation show, hemogate donation settle-registration); for anything else compare tube and label by a second person (an id that was typed in: two say so, hemogate donation check-number)",
            "查明是谁的献血，由两人先后确认以哪份登记为准（hemogate donation show、hemogate donation settle-registration）；其他原因由第二人核对标本与标签（手工录入的编号须两人登记核对：hemogate donation check-number）",
        ),
        GateId::Identity => (
            "compare tube and label by a second person (an id that was typed in: two say so, hemogate donation check-number), or take a new sample from the bag segment",
            "由第二人核对标本与标签（手工录入的编号须两人登记核对：hemogate donation check-number），或用血袋辫子重新留样",
        ),
        GateId::TwoPersons => {
            ("have one person sign the review and another the issue", "由一人审核签名，另一人签发")
        }
        GateId::Donor => (
            "settle the donor's deferral or post-donation information; earlier barring results need an approved re-entry",
            "处理屏蔽或献血后回告；既往不合格结果须经批准归队",
        ),
        GateId::Components => (
            "bring every component to this verdict; recall what is out; what was discarded is out for good, and nothing else of its donation goes: it stays held",
            "使各成分结论一致；已发出者召回；已报废者不可撤回，该献血其余部分不再发放，保持暂扣",
        ),
        GateId::Batch => (
            "find and remove every failing unit of the batch, and enter the count",
            "找到并移出本批全部不合格血液，登记数量",
        ),
        GateId::ReleaseAct => (
            "have an authorised releaser sign; take back overrides that are refused",
            "由授权放行人签名；撤回被拒绝的越过申请",
        ),
        GateId::Interfaces => of_interfaces(first(findings)),
    }
}

fn of_interfaces(first: First) -> (&'static str, &'static str) {
    match first {
        First::Versions => (
            "have two people say which version of the result stands (hemogate donation show, hemogate donation settle-result); look at any other finding or gap, ask the analyser to send again, and acknowledge it",
            "由两人先后确认以哪个版本的结果为准（hemogate donation show、hemogate donation settle-result）；其他发现或缺口：查看后请仪器重传，并予以确认",
        ),
        First::Fall => (
            "have another person confirm what was declared invalid (hemogate runs confirm, hemogate lots confirm), and test the sample again; look at any other finding or gap, ask the analyser to send again, and acknowledge it",
            "由另一人确认该无效判定（hemogate runs confirm、hemogate lots confirm），并重测标本；其他发现或缺口：查看后请仪器重传，并予以确认",
        ),
        First::Pool => (
            "test the donation singly, after every making of that pool: its own result answers for it; look at any other finding or gap, ask the analyser to send again, and acknowledge it",
            "在该混样各次加样之后对本份做单样检测，以其自身结果为准；其他发现或缺口：查看后请仪器重传，并予以确认",
        ),
        First::Other => (
            "look at the finding or the gap, ask the analyser to send again, and acknowledge it",
            "查看发现或缺口，请仪器重传，并予以确认",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::remedy;
    use crate::GateId;

    /// F11, and no more than people can do: nothing releases a run whose control was out.
    #[test]
    fn a_control_that_is_out_is_repeated_first_and_then_the_samples() {
        let (en, zh) = remedy(GateId::QualityControl, &[]);
        assert!(en.starts_with("repeat the control first") && en.contains("test the samples again"), "{en}");
        assert!(zh.starts_with("先重做质控") && zh.contains("重测标本"), "{zh}");
        assert!(!en.contains("release") && !zh.contains("放行"), "{en} {zh}");
    }
}
