//! What stands against a run that results rest on (gates 04 to 08 and 15).

use crate::say::{Say, listed};
use crate::test::Test;
use jiff::civil::Date;
use vocabulary::RunId;

/// One reason against a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunReason {
    NoRun { tests: Vec<Test> },
    RunUnknown { run: RunId, tests: Vec<Test> },
    RunWithoutValidity { run: RunId, tests: Vec<Test> },
    RunOpen { run: RunId, tests: Vec<Test>, why: Option<String> },
    RunInvalid { run: RunId, tests: Vec<Test>, why: Option<String> },
    QcUnknown { run: RunId },
    QcOpen { run: RunId, why: Option<String> },
    QcOut { run: RunId, why: Option<String> },
    QcReleaseUnsigned { run: RunId },
    LotsUnknown { run: RunId },
    TestTimeUnknown { run: RunId },
    LotUnnamed { run: RunId },
    LotExpiryUnknown { run: RunId, lot: String },
    LotExpired { run: RunId, lot: String, expired: Date, tested: Date },
    LotNotAccepted { run: RunId, lot: String },
    LotAcceptanceUnknown { run: RunId, lot: String },
    LotOnBoard { run: RunId, lot: String },
    AnalyserOverdue { run: RunId, what: String },
    OperatorNotAuthorised { run: RunId, operator: Option<String> },
    SequenceGap { run: RunId, what: String },
    InterfaceError { run: RunId, what: String },
}

fn after(colon: &str, why: Option<&String>) -> String {
    why.map_or_else(String::new, |why| format!("{colon}{why}"))
}

impl Say for RunReason {
    fn en(&self) -> String {
        let because = |why: &Option<String>| after(": ", why.as_ref());
        match self {
            Self::NoRun { tests } => format!("no run is named for {}", listed(tests).0),
            Self::RunUnknown { run, tests } => format!("run {run} of {} is not known", listed(tests).0),
            Self::RunWithoutValidity { run, tests } => {
                format!("nothing says that run {run} of {} is valid", listed(tests).0)
            }
            Self::RunOpen { run, tests, why } => {
                format!("run {run} of {} waits for its controls{}", listed(tests).0, because(why))
            }
            Self::RunInvalid { run, tests, why } => {
                format!("run {run} is invalid and {} is not repeated yet{}", listed(tests).0, because(why))
            }
            Self::QcUnknown { run } => format!("quality control of run {run} is not known"),
            Self::QcOpen { run, why } => format!("quality control of run {run} is open{}", because(why)),
            Self::QcOut { run, why } => format!("run {run} is out of control{}", because(why)),
            Self::QcReleaseUnsigned { run } => {
                format!("run {run} was released after corrective action without a name and a reason")
            }
            Self::LotsUnknown { run } => format!("the lots of run {run} are not known"),
            Self::TestTimeUnknown { run } => {
                format!("when run {run} was tested is not known, so expiry cannot be judged")
            }
            Self::LotUnnamed { run } => format!("a lot of run {run} has no number"),
            Self::LotExpiryUnknown { run, lot } => {
                format!("the expiry of lot {lot} of run {run} is not known")
            }
            Self::LotExpired { run, lot, expired, tested } => {
                format!("lot {lot} of run {run} expired on {expired}, tested on {tested}")
            }
            Self::LotNotAccepted { run, lot } => format!("lot {lot} of run {run} is not accepted"),
            Self::LotAcceptanceUnknown { run, lot } => {
                format!("nothing says that lot {lot} of run {run} is accepted")
            }
            Self::LotOnBoard { run, lot } => format!("lot {lot} of run {run} was on board too long"),
            Self::AnalyserOverdue { run, what } => format!("the analyser of run {run} is overdue: {what}"),
            Self::OperatorNotAuthorised { run, operator } => {
                let who = operator.as_deref().unwrap_or("the operator");
                format!("{who} was not authorised for the assay of run {run}")
            }
            Self::SequenceGap { run, what } => format!("run {run} has a gap in its messages: {what}"),
            Self::InterfaceError { run, what } => format!("run {run} has an open interface error: {what}"),
        }
    }

    fn zh(&self) -> String {
        let because = |why: &Option<String>| after("：", why.as_ref());
        match self {
            Self::NoRun { tests } => format!("{}未注明批次", listed(tests).1),
            Self::RunUnknown { run, tests } => format!("{}的批次 {run} 无记录", listed(tests).1),
            Self::RunWithoutValidity { run, tests } => {
                format!("{}的批次 {run} 无有效性结论", listed(tests).1)
            }
            Self::RunOpen { run, tests, why } => {
                format!("{}的批次 {run} 等待对照结果{}", listed(tests).1, because(why))
            }
            Self::RunInvalid { run, tests, why } => {
                format!("批次 {run} 无效，{}尚未重做{}", listed(tests).1, because(why))
            }
            Self::QcUnknown { run } => format!("批次 {run} 的室内质控不明"),
            Self::QcOpen { run, why } => format!("批次 {run} 的室内质控未关闭{}", because(why)),
            Self::QcOut { run, why } => format!("批次 {run} 失控{}", because(why)),
            Self::QcReleaseUnsigned { run } => format!("批次 {run} 纠正后放行但无签名或理由"),
            Self::LotsUnknown { run } => format!("批次 {run} 的试剂批号不明"),
            Self::TestTimeUnknown { run } => format!("批次 {run} 的检测时间不明，无法判断效期"),
            Self::LotUnnamed { run } => format!("批次 {run} 有批号缺失"),
            Self::LotExpiryUnknown { run, lot } => format!("批次 {run} 批号 {lot} 的效期不明"),
            Self::LotExpired { run, lot, expired, tested } => {
                format!("批次 {run} 批号 {lot} 于 {expired} 过期，检测日 {tested}")
            }
            Self::LotNotAccepted { run, lot } => format!("批次 {run} 批号 {lot} 未通过验收"),
            Self::LotAcceptanceUnknown { run, lot } => format!("批次 {run} 批号 {lot} 无验收记录"),
            Self::LotOnBoard { run, lot } => format!("批次 {run} 批号 {lot} 超过机上有效期"),
            Self::AnalyserOverdue { run, what } => format!("批次 {run} 的仪器逾期：{what}"),
            Self::OperatorNotAuthorised { run, operator } => {
                let who = operator.as_deref().unwrap_or("操作者");
                format!("{who} 无批次 {run} 检测项目的授权")
            }
            Self::SequenceGap { run, what } => format!("批次 {run} 的消息序列有缺口：{what}"),
            Self::InterfaceError { run, what } => format!("批次 {run} 有未处理的接口错误：{what}"),
        }
    }
}
