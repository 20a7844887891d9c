//! Why a gate is closed, typed, and said in the words of the laboratory.

mod donor;
mod remedy;
mod run;

pub(crate) use remedy::remedy;
pub(crate) use run::RunReason;

use crate::GateId;
use crate::donor::Bar;
use crate::group::Against;
use crate::say::Say;
use crate::test::Test;
use crate::verdict::{MarkerState, NatState, SeroState, Unit};
use jiff::civil::Date;
use vocabulary::Virus;

/// One reason against a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Something about a run that results rest on.
    Run(RunReason),
    CollectionUnknown,
    PackNotInForce {
        day: Date,
        pack: String,
    },
    PackNotInForceAtTest {
        day: Date,
        pack: String,
    },
    ReagentOpen {
        test: Test,
        state: SeroState,
    },
    ReagentMissing {
        marker: String,
        have: usize,
        need: usize,
    },
    NatOpen {
        target: Virus,
        state: NatState,
    },
    AltOpen,
    ScreenOpen,
    AboOpen,
    RhdOpen,
    Marker {
        name: String,
        verdict: MarkerState,
        unit: Unit,
    },
    Group(Against),
    CheckCharacter,
    ManualEntry,
    ManualEntrySelfChecked,
    NotReviewed,
    NotIssued,
    OnePerson {
        by: String,
    },
    NoDonor,
    DeferralUnknown,
    Deferred,
    Barred(String),
    Bar(Bar),
    PostDonation(String),
    ComponentOut {
        id: String,
    },
    ComponentDiffers {
        id: String,
    },
    BatchNotLocated {
        failing: u32,
        located: u32,
    },
    ReleaseUnsigned,
    SignerNotAuthorised {
        by: String,
    },
    ForbiddenOverride {
        gate: GateId,
        by: String,
    },
    UnknownGate {
        gate: String,
    },
    UnexplainedOverride {
        gate: GateId,
    },
    Finding {
        name: String,
        what: String,
    },
}

impl Say for Reason {
    fn en(&self) -> String {
        match self {
            Self::Run(reason) => reason.en(),
            Self::CollectionUnknown => {
                "the time of collection is not known, so the pack in force is not (R-PACK-01)".into()
            }
            Self::PackNotInForce { day, pack } => {
                format!("collected on {day}, when {pack} was not in force (R-PACK-01)")
            }
            Self::PackNotInForceAtTest { day, pack } => {
                format!("tested on {day}, when {pack} was not in force (R-PACK-01)")
            }
            Self::ReagentOpen { test, state } => format!("{} is {}", test.en(), state.name()),
            Self::ReagentMissing { marker, have, need } => format!("{marker} has {have} of {need} reagents"),
            Self::NatOpen { target, state } => format!("NAT {} is {}", target.en(), state.name()),
            Self::AltOpen => "ALT is not final".into(),
            Self::ScreenOpen => "the antibody screen is not final".into(),
            Self::AboOpen => "ABO is not determined".into(),
            Self::RhdOpen => "RhD is not determined".into(),
            Self::Marker { name, verdict, unit } => format!("{name} is {}: {}", verdict.name(), unit.name()),
            Self::Group(against) => against.en(),
            Self::CheckCharacter => "the check character of the sample's identifier does not fit".into(),
            Self::ManualEntry => "the identifier was typed in and no second person checked it".into(),
            Self::ManualEntrySelfChecked => "the identifier was typed in and its check names nobody".into(),
            Self::NotReviewed => "the technical review is not signed".into(),
            Self::NotIssued => "the issue of the report is not signed".into(),
            Self::OnePerson { by } => format!("{by} signed both the review and the release"),
            Self::NoDonor => "there is no donor record".into(),
            Self::DeferralUnknown => "whether the donor is deferred is not known".into(),
            Self::Deferred => "the donor is deferred".into(),
            Self::Barred(what) => format!("an earlier result bars issue: {what}"),
            Self::Bar(bar) => bar.en(),
            Self::PostDonation(what) => format!("post-donation information is open: {what}"),
            Self::ComponentOut { id } => format!("component {id} is out already: recall it"),
            Self::ComponentDiffers { id } => format!("component {id} is held or discarded"),
            Self::BatchNotLocated { failing, located } => {
                format!("{located} of the batch's {failing} failing units are located and removed")
            }
            Self::ReleaseUnsigned => "the release act is not signed".into(),
            Self::SignerNotAuthorised { by } => format!("{by} is not authorised to release"),
            Self::ForbiddenOverride { gate, by } => {
                format!("{by} tried to set {gate} aside: refused, it never can be")
            }
            Self::UnknownGate { gate } => format!("an override names the unknown gate {gate:?}"),
            Self::UnexplainedOverride { gate } => {
                format!("an override of {gate} gives no name or no reason")
            }
            Self::Finding { name, what } => format!("open finding {name}: {what}"),
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::Run(reason) => reason.zh(),
            Self::CollectionUnknown => "采血时间不明，无法确定适用的规则包（R-PACK-01）".into(),
            Self::PackNotInForce { day, pack } => {
                format!("采血日 {day} 不在规则包 {pack} 有效期内（R-PACK-01）")
            }
            Self::PackNotInForceAtTest { day, pack } => {
                format!("检测日 {day} 不在规则包 {pack} 有效期内（R-PACK-01）")
            }
            Self::ReagentOpen { test, state } => format!("{}为 {}", test.zh(), state.name()),
            Self::ReagentMissing { marker, have, need } => {
                format!("{marker} 需 {need} 种试剂，现有 {have} 种")
            }
            Self::NatOpen { target, state } => format!("{} 核酸为 {}", target.zh(), state.name()),
            Self::AltOpen => "ALT 未有最终结果".into(),
            Self::ScreenOpen => "抗体筛查未有最终结果".into(),
            Self::AboOpen => "ABO 血型未定".into(),
            Self::RhdOpen => "RhD 血型未定".into(),
            Self::Marker { name, verdict, unit } => format!("{name} 为 {}：{}", verdict.name(), unit.zh()),
            Self::Group(against) => against.zh(),
            Self::CheckCharacter => "标本编号校验位不符".into(),
            Self::ManualEntry => "编号为手工录入，无第二人核对".into(),
            Self::ManualEntrySelfChecked => "编号为手工录入，核对人未署名".into(),
            Self::NotReviewed => "技术审核未签名".into(),
            Self::NotIssued => "报告签发未签名".into(),
            Self::OnePerson { by } => format!("{by} 同时签了审核和放行"),
            Self::NoDonor => "没有献血者记录".into(),
            Self::DeferralUnknown => "献血者是否屏蔽不明".into(),
            Self::Deferred => "献血者已被屏蔽".into(),
            Self::Barred(what) => format!("既往结果禁止发放：{what}"),
            Self::Bar(bar) => bar.zh(),
            Self::PostDonation(what) => format!("献血后回告未处理：{what}"),
            Self::ComponentOut { id } => format!("成分 {id} 已发出：请召回"),
            Self::ComponentDiffers { id } => format!("成分 {id} 已扣留或报废"),
            Self::BatchNotLocated { failing, located } => {
                format!("本批不合格 {failing} 份，已找到并移出 {located} 份")
            }
            Self::ReleaseUnsigned => "放行未签名".into(),
            Self::SignerNotAuthorised { by } => format!("{by} 无放行权限"),
            Self::ForbiddenOverride { gate, by } => format!("{by} 试图越过 {gate}：已拒绝，该项不可越过"),
            Self::UnknownGate { gate } => format!("越过的关口 {gate:?} 不存在"),
            Self::UnexplainedOverride { gate } => format!("越过 {gate} 未署名或未写理由"),
            Self::Finding { name, what } => format!("未处理的发现 {name}：{what}"),
        }
    }
}

impl Say for Unit {
    fn en(&self) -> String {
        self.name().to_owned()
    }
    fn zh(&self) -> String {
        match self {
            Self::Pass => "合格",
            Self::Hold => "暂扣",
            Self::Discard => "报废",
        }
        .to_owned()
    }
}

impl Say for Against {
    fn en(&self) -> String {
        match self {
            Self::NoGrouping => "there is no blood grouping".into(),
            Self::Invalid => {
                "the blood grouping is invalid: its control reacted, or its run or test is not valid".into()
            }
            Self::Waiting => "a blood grouping is not in yet, or waits for its run".into(),
            Self::Incomplete(columns) => format!("the blood grouping misses {}", columns.join(", ")),
            Self::Discrepant => "the columns of the blood grouping disagree, or are weak or mixed".into(),
            Self::DeterminationsDisagree => "two determinations of the blood group disagree".into(),
            Self::DAntiglobulinOpen => "D is negative or weak and its antiglobulin test is not done".into(),
            Self::DUnreadable => "D cannot be read: the direct antiglobulin test is positive".into(),
            Self::NoDonorRecord => "there is no donor record to hold the group against".into(),
            Self::SecondDetermination { have, need } => {
                format!("{have} of {need} independent determinations of the blood group")
            }
            Self::History { now, before } => format!("{now} now, {before} in earlier donations"),
            Self::Neighbour { donation } => format!(
                "neighbouring donation {donation} may be in a wrong tube; neither is grouped again from the bag segment yet"
            ),
            Self::Field { laboratory, field } => {
                format!("the laboratory finds {laboratory}, the field pre-test {field}; not repeated yet")
            }
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::NoGrouping => "没有血型鉴定".into(),
            Self::Invalid => "血型鉴定无效：对照有反应，或批次、检测无效".into(),
            Self::Waiting => "血型鉴定未到或等待批次对照".into(),
            Self::Incomplete(columns) => format!("血型鉴定缺 {}", columns.join("、")),
            Self::Discrepant => "血型正反定型不符、弱凝集或混合视野".into(),
            Self::DeterminationsDisagree => "两次血型鉴定不一致".into(),
            Self::DAntiglobulinOpen => "D 阴性或弱反应，未做间接抗人球蛋白试验".into(),
            Self::DUnreadable => "直接抗人球蛋白试验阳性，D 无法判读".into(),
            Self::NoDonorRecord => "没有献血者记录，无法核对血型".into(),
            Self::SecondDetermination { have, need } => format!("独立血型鉴定需 {need} 次，现有 {have} 次"),
            Self::History { now, before } => format!("本次 {now}，既往 {before}"),
            Self::Neighbour { donation } => {
                format!("相邻献血 {donation} 可能采错管；两者均须用血袋辫子复核血型")
            }
            Self::Field { laboratory, field } => format!("实验室为 {laboratory}，初筛为 {field}，尚未复核"),
        }
    }
}

/// What an open gate says.
pub(crate) fn met(gate: GateId) -> (&'static str, &'static str) {
    match gate {
        GateId::TestsFinal => ("every mandatory test is final", "全部必检项目已有最终结果"),
        GateId::MarkersPass => ("every marker passes", "全部标志物合格"),
        GateId::Group => ("ABO and RhD are final and agree with history", "ABO 与 RhD 已确定并与既往一致"),
        GateId::RunsValid => ("every result used comes from a valid run", "所用结果均来自有效批次"),
        GateId::QualityControl => ("quality control of every run used is in control", "所用批次室内质控在控"),
        GateId::Lots => ("all lots were accepted and in date", "所用批号均已验收且在效期内"),
        GateId::Analyser => ("nothing is reported overdue on the analysers", "仪器无逾期报告"),
        GateId::Operator => ("no operator is reported as not authorised", "无未授权操作报告"),
        GateId::Identity => ("nothing is reported against the sample's identity", "标本身份无异常报告"),
        GateId::TwoPersons => ("reviewed and issued by two different persons", "审核与签发为不同人员"),
        GateId::Donor => ("the donor is not deferred and nothing bars issue", "献血者未屏蔽，无禁止发放情形"),
        GateId::Components => ("the components share this verdict", "各成分结论一致"),
        GateId::Batch => ("no failing unit of the batch is reported missing", "本批无未找到的不合格血液"),
        GateId::ReleaseAct => ("the release act is signed", "放行已签名"),
        GateId::Interfaces => ("no interface error and no gap is open", "无未处理的接口错误或缺口"),
    }
}
