//! What stands against a run that results rest on (gates 04 to 08 and 15).

use crate::say::{Said, Say, listed, said};
use crate::test::Test;
use jiff::civil::Date;
use vocabulary::RunId;

/// Why a run is as it is, where that is said; what was said in English alone stays English.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Because<'e> {
    pub(crate) en: Option<&'e str>,
    pub(crate) zh: Option<&'e str>,
}

impl<'e> Because<'e> {
    pub(crate) fn new(en: Option<&'e String>, zh: Option<&'e String>) -> Self {
        Self { en: en.map(String::as_str), zh: zh.map(String::as_str) }
    }
}

/// One reason against a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunReason<'e> {
    NoRun { tests: Vec<Test<'e>> },
    RunUnknown { run: &'e RunId, tests: Vec<Test<'e>> },
    RunWithoutValidity { run: &'e RunId, tests: Vec<Test<'e>> },
    RunOpen { run: &'e RunId, tests: Vec<Test<'e>>, why: Because<'e> },
    RunInvalid { run: &'e RunId, tests: Vec<Test<'e>>, why: Because<'e> },
    QcUnknown { run: &'e RunId },
    QcOpen { run: &'e RunId, why: Because<'e> },
    QcOut { run: &'e RunId, why: Because<'e> },
    QcReleaseUnsigned { run: &'e RunId },
    LotsUnknown { run: &'e RunId },
    LotsOfAssayUnknown { run: &'e RunId, assay: &'e str },
    TestTimeUnknown { run: &'e RunId },
    LotUnnamed { run: &'e RunId },
    LotExpiryUnknown { run: &'e RunId, lot: &'e str },
    LotExpired { run: &'e RunId, lot: &'e str, expired: Date, tested: Date },
    LotNotAccepted { run: &'e RunId, lot: &'e str },
    LotOfOtherAssay { run: &'e RunId, lot: &'e str, assay: &'e str },
    LotOfOtherAnalyser { run: &'e RunId, lot: &'e str, line: &'e str },
    LotAcceptanceUnknown { run: &'e RunId, lot: &'e str },
    LotOnBoard { run: &'e RunId, lot: &'e str },
    AnalyserOverdue { run: &'e RunId, what: &'e str, what_zh: &'e str },
    OperatorNotAuthorised { run: &'e RunId, operator: Option<&'e str> },
    SequenceGap { run: &'e RunId, what: &'e str },
    InterfaceError { run: &'e RunId, what: &'e str, what_zh: &'e str },
}

fn after(colon: &str, why: Option<&str>) -> String {
    why.map_or_else(String::new, |why| format!("{colon}{why}"))
}

impl Say for RunReason<'_> {
    fn en(&self) -> Said {
        let because = |why: Because<'_>| after(": ", why.en);
        match self {
            Self::NoRun { tests } => said!("no run is named for {}", listed(tests).0),
            Self::RunUnknown { run, tests } => said!("run {run} of {} is not known", listed(tests).0),
            Self::RunWithoutValidity { run, tests } => {
                said!("nothing says that run {run} of {} is valid", listed(tests).0)
            }
            Self::RunOpen { run, tests, why } => {
                said!("run {run} of {} waits for its controls{}", listed(tests).0, because(*why))
            }
            Self::RunInvalid { run, tests, why } => {
                said!("run {run} is invalid and {} is not repeated yet{}", listed(tests).0, because(*why))
            }
            Self::QcUnknown { run } => said!("quality control of run {run} is not known"),
            Self::QcOpen { run, why } => said!("quality control of run {run} is open{}", because(*why)),
            Self::QcOut { run, why } => said!("run {run} is out of control{}", because(*why)),
            Self::QcReleaseUnsigned { run } => {
                said!("run {run} was released after corrective action without a name and a reason")
            }
            Self::LotsUnknown { run } => said!("the lots of run {run} are not known"),
            Self::LotsOfAssayUnknown { run, assay } => {
                said!("the lots of {assay} in run {run} are not known")
            }
            Self::TestTimeUnknown { run } => {
                said!("when run {run} was tested is not known, so expiry cannot be judged")
            }
            Self::LotUnnamed { run } => said!("a lot of run {run} has no number"),
            Self::LotExpiryUnknown { run, lot } => {
                said!("the expiry of lot {lot} of run {run} is not known")
            }
            Self::LotExpired { run, lot, expired, tested } => {
                said!("lot {lot} of run {run} expired on {expired}, tested on {tested}")
            }
            Self::LotNotAccepted { run, lot } => said!("lot {lot} of run {run} is not accepted"),
            Self::LotOfOtherAssay { run, lot, assay } => {
                said!(
                    "lot {lot} of run {run} is not registered for {assay}; lots of that number are for other assays"
                )
            }
            Self::LotOfOtherAnalyser { run, lot, line } => {
                said!(
                    "lot {lot} of run {run} is not registered for the analyser on {line}; lots of that number are for other analysers"
                )
            }
            Self::LotAcceptanceUnknown { run, lot } => {
                said!("nothing says that lot {lot} of run {run} is accepted")
            }
            Self::LotOnBoard { run, lot } => said!("lot {lot} of run {run} was on board too long"),
            Self::AnalyserOverdue { run, what, .. } => {
                said!("the analyser of run {run} is overdue: {what}")
            }
            Self::OperatorNotAuthorised { run, operator: Some("?") } => {
                said!("run {run} names no operator, and the site asks for one")
            }
            Self::OperatorNotAuthorised { run, operator } => {
                let who = operator.unwrap_or("the operator");
                said!("{who} was not authorised for the assay of run {run}")
            }
            Self::SequenceGap { run, what } => said!("run {run} has a gap in its messages: {what}"),
            Self::InterfaceError { run, what, .. } => said!("run {run} has an open interface error: {what}"),
        }
    }

    fn zh(&self) -> Said {
        let because = |why: Because<'_>| after("：", why.zh.or(why.en));
        match self {
            Self::NoRun { tests } => said!("{}未注明批次", listed(tests).1),
            Self::RunUnknown { run, tests } => said!("{}的批次 {run} 无记录", listed(tests).1),
            Self::RunWithoutValidity { run, tests } => {
                said!("{}的批次 {run} 无有效性结论", listed(tests).1)
            }
            Self::RunOpen { run, tests, why } => {
                said!("{}的批次 {run} 等待对照结果{}", listed(tests).1, because(*why))
            }
            Self::RunInvalid { run, tests, why } => {
                said!("批次 {run} 无效，{}尚未重做{}", listed(tests).1, because(*why))
            }
            Self::QcUnknown { run } => said!("批次 {run} 的室内质控不明"),
            Self::QcOpen { run, why } => said!("批次 {run} 的室内质控未关闭{}", because(*why)),
            Self::QcOut { run, why } => said!("批次 {run} 失控{}", because(*why)),
            Self::QcReleaseUnsigned { run } => said!("批次 {run} 纠正后放行但无签名或理由"),
            Self::LotsUnknown { run } => said!("批次 {run} 的试剂批号不明"),
            Self::LotsOfAssayUnknown { run, assay } => said!("批次 {run} 中 {assay} 的试剂批号不明"),
            Self::TestTimeUnknown { run } => said!("批次 {run} 的检测时间不明，无法判断效期"),
            Self::LotUnnamed { run } => said!("批次 {run} 有批号缺失"),
            Self::LotExpiryUnknown { run, lot } => said!("批次 {run} 批号 {lot} 的效期不明"),
            Self::LotExpired { run, lot, expired, tested } => {
                said!("批次 {run} 批号 {lot} 于 {expired} 过期，检测日 {tested}")
            }
            Self::LotNotAccepted { run, lot } => said!("批次 {run} 批号 {lot} 未通过验收"),
            Self::LotOfOtherAssay { run, lot, assay } => {
                said!("批次 {run} 批号 {lot} 未登记用于 {assay}；该批号仅登记用于其他项目")
            }
            Self::LotOfOtherAnalyser { run, lot, line } => {
                said!("批次 {run} 批号 {lot} 未登记用于 {line} 的仪器；该批号仅登记用于其他仪器")
            }
            Self::LotAcceptanceUnknown { run, lot } => said!("批次 {run} 批号 {lot} 无验收记录"),
            Self::LotOnBoard { run, lot } => said!("批次 {run} 批号 {lot} 超过机上有效期"),
            Self::AnalyserOverdue { run, what_zh, .. } => said!("批次 {run} 的仪器逾期：{what_zh}"),
            Self::OperatorNotAuthorised { run, operator: Some("?") } => {
                said!("批次 {run} 未注明操作者，而本站要求注明")
            }
            Self::OperatorNotAuthorised { run, operator } => {
                let who = operator.unwrap_or("操作者");
                said!("{who} 无批次 {run} 检测项目的授权")
            }
            Self::SequenceGap { run, what } => said!("批次 {run} 的消息序列有缺口：{what}"),
            Self::InterfaceError { run, what_zh, .. } => said!("批次 {run} 有未处理的接口错误：{what_zh}"),
        }
    }
}
