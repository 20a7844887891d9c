//! Why a gate is closed, typed, and said in the words of the laboratory.

mod donor;
mod remedy;
mod run;

pub(crate) use remedy::remedy;
pub(crate) use run::{Because, RunReason};

use crate::GateId;
use crate::donor::Bar;
use crate::group::{Against, group_name};
use crate::pack::What;
use crate::say::{Said, Say, said};
use crate::test::Test;
use crate::verdict::{MarkerState, NatState, SeroState, Unit};
use jiff::civil::Date;
use vocabulary::{Marker, Virus};

/// One reason against a gate. A small value, which borrows what it names; it becomes words where a gate says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason<'e> {
    /// Something about a run that results rest on.
    Run(RunReason<'e>),
    CollectionUnknown,
    PackNotInForce {
        day: Date,
        pack: &'e str,
    },
    PackNotInForceAtTest {
        day: Date,
        pack: &'e str,
    },
    ReagentOpen {
        test: Test<'e>,
        state: SeroState,
    },
    ReagentMissing {
        marker: Marker,
        have: usize,
        need: usize,
    },
    NatOpen {
        target: Virus,
        state: NatState,
    },
    /// An authority asks for it.
    Ordered {
        what: What,
        order: &'e str,
    },
    AltOpen,
    ScreenOpen,
    AboOpen,
    RhdOpen,
    Marker {
        name: &'static str,
        verdict: MarkerState,
        unit: Unit,
    },
    Group(Against<'e>),
    CheckCharacter,
    ManualEntry,
    ManualEntrySelfChecked,
    NotReviewed,
    NotIssued,
    OnePerson {
        by: &'e str,
    },
    NoDonor,
    DeferralUnknown,
    Deferred,
    Barred(&'e str),
    Bar(Bar<'e>),
    PostDonation(&'e str),
    ComponentOut {
        id: &'e str,
    },
    ComponentDiffers {
        id: &'e str,
    },
    ComponentMissing {
        id: &'e str,
    },
    BatchNotLocated {
        failing: u32,
        located: u32,
    },
    ReleaseUnsigned,
    SignerNotAuthorised {
        by: &'e str,
    },
    ForbiddenOverride {
        gate: GateId,
        by: &'e str,
    },
    UnknownGate {
        gate: &'e str,
    },
    UnexplainedOverride {
        gate: GateId,
    },
    Finding {
        name: &'e str,
        what: &'e str,
    },
}

impl Say for Reason<'_> {
    fn en(&self) -> Said {
        match self {
            Self::Run(reason) => reason.en(),
            Self::CollectionUnknown => {
                "the time of collection is not known, so the pack in force is not (R-PACK-01)".into()
            }
            Self::PackNotInForce { day, pack } => {
                said!("collected on {day}, when {pack} was not in force (R-PACK-01)")
            }
            Self::PackNotInForceAtTest { day, pack } => {
                said!("tested on {day}, when {pack} was not in force (R-PACK-01)")
            }
            Self::ReagentOpen { test, state } => said!("{} is {}", test.en(), state.name()),
            Self::ReagentMissing { marker, have, need } => said!("{marker} has {have} of {need} reagents"),
            Self::NatOpen { target, state } => said!("NAT {} is {}", target.en(), state.name()),
            Self::Ordered { what: What::Reagent(marker), order } => {
                said!("{order} asks for {marker}, which is not final")
            }
            Self::Ordered { what: What::Target(virus), order } => {
                said!("{order} asks for NAT {}, which is not final", virus.en())
            }
            Self::AltOpen => "ALT is not final".into(),
            Self::ScreenOpen => "the antibody screen is not final".into(),
            Self::AboOpen => "ABO is not determined".into(),
            Self::RhdOpen => "RhD is not determined".into(),
            Self::Marker { name, verdict, unit } => said!("{name} is {}: {}", verdict.name(), unit.name()),
            Self::Group(against) => against.en(),
            Self::CheckCharacter => "the check character of the sample's identifier does not fit".into(),
            Self::ManualEntry => "the identifier was typed in and no second person checked it".into(),
            Self::ManualEntrySelfChecked => "the identifier was typed in and its check names nobody".into(),
            Self::NotReviewed => "the technical review is not signed".into(),
            Self::NotIssued => "the issue of the report is not signed".into(),
            Self::OnePerson { by } => said!("{by} signed both the review and the release"),
            Self::NoDonor => "there is no donor record".into(),
            Self::DeferralUnknown => "whether the donor is deferred is not known".into(),
            Self::Deferred => "the donor is deferred".into(),
            Self::Barred(what) => said!("an earlier result bars issue: {what}"),
            Self::Bar(bar) => bar.en(),
            Self::PostDonation(what) => said!("post-donation information is open: {what}"),
            Self::ComponentOut { id } => said!("component {id} is out already: recall it"),
            Self::ComponentDiffers { id } => said!("component {id} is held or discarded"),
            Self::ComponentMissing { id } => said!("nobody knows where component {id} is: find it"),
            Self::BatchNotLocated { failing, located } => {
                said!("{located} of the batch's {failing} failing units are located and removed")
            }
            Self::ReleaseUnsigned => "the release act is not signed".into(),
            Self::SignerNotAuthorised { by } => said!("{by} is not authorised to release"),
            Self::ForbiddenOverride { gate, by } => {
                said!("{by} tried to set {gate} aside: refused, it never can be")
            }
            Self::UnknownGate { gate } => said!("an override names the unknown gate {gate:?}"),
            Self::UnexplainedOverride { gate } => {
                said!("an override of {gate} gives no name or no reason")
            }
            Self::Finding { name, what } => said!("open finding {name}: {what}"),
        }
    }

    fn zh(&self) -> Said {
        match self {
            Self::Run(reason) => reason.zh(),
            Self::CollectionUnknown => "采血时间不明，无法确定适用的规则包（R-PACK-01）".into(),
            Self::PackNotInForce { day, pack } => {
                said!("采血日 {day} 不在规则包 {pack} 有效期内（R-PACK-01）")
            }
            Self::PackNotInForceAtTest { day, pack } => {
                said!("检测日 {day} 不在规则包 {pack} 有效期内（R-PACK-01）")
            }
            Self::ReagentOpen { test, state } => said!("{}为 {}", test.zh(), state.name()),
            Self::ReagentMissing { marker, have, need } => {
                said!("{marker} 需 {need} 种试剂，现有 {have} 种")
            }
            Self::NatOpen { target, state } => said!("{} 核酸为 {}", target.zh(), state.name()),
            Self::Ordered { what: What::Reagent(marker), order } => {
                said!("{order}要求检测 {marker}，未有最终结果")
            }
            Self::Ordered { what: What::Target(virus), order } => {
                said!("{order}要求检测 {} 核酸，未有最终结果", virus.zh())
            }
            Self::AltOpen => "ALT 未有最终结果".into(),
            Self::ScreenOpen => "抗体筛查未有最终结果".into(),
            Self::AboOpen => "ABO 血型未定".into(),
            Self::RhdOpen => "RhD 血型未定".into(),
            Self::Marker { name, verdict, unit } => said!("{name} 为 {}：{}", verdict.name(), unit.zh()),
            Self::Group(against) => against.zh(),
            Self::CheckCharacter => "标本编号校验位不符".into(),
            Self::ManualEntry => "编号为手工录入，无第二人核对".into(),
            Self::ManualEntrySelfChecked => "编号为手工录入，核对人未署名".into(),
            Self::NotReviewed => "技术审核未签名".into(),
            Self::NotIssued => "报告签发未签名".into(),
            Self::OnePerson { by } => said!("{by} 同时签了审核和放行"),
            Self::NoDonor => "没有献血者记录".into(),
            Self::DeferralUnknown => "献血者是否屏蔽不明".into(),
            Self::Deferred => "献血者已被屏蔽".into(),
            Self::Barred(what) => said!("既往结果禁止发放：{what}"),
            Self::Bar(bar) => bar.zh(),
            Self::PostDonation(what) => said!("献血后回告未处理：{what}"),
            Self::ComponentOut { id } => said!("成分 {id} 已发出：请召回"),
            Self::ComponentDiffers { id } => said!("成分 {id} 已扣留或报废"),
            Self::ComponentMissing { id } => said!("成分 {id} 去向不明：请查找"),
            Self::BatchNotLocated { failing, located } => {
                said!("本批不合格 {failing} 份，已找到并移出 {located} 份")
            }
            Self::ReleaseUnsigned => "放行未签名".into(),
            Self::SignerNotAuthorised { by } => said!("{by} 无放行权限"),
            Self::ForbiddenOverride { gate, by } => said!("{by} 试图越过 {gate}：已拒绝，该项不可越过"),
            Self::UnknownGate { gate } => said!("越过的关口 {gate:?} 不存在"),
            Self::UnexplainedOverride { gate } => said!("越过 {gate} 未署名或未写理由"),
            Self::Finding { name, what } => said!("未处理的发现 {name}：{what}"),
        }
    }
}

impl Say for Unit {
    fn en(&self) -> Said {
        self.name().into()
    }
    fn zh(&self) -> Said {
        match self {
            Self::Pass => "合格",
            Self::Hold => "暂扣",
            Self::Discard => "报废",
        }
        .into()
    }
}

impl Say for Against<'_> {
    fn en(&self) -> Said {
        match self {
            Self::NoGrouping => "there is no blood grouping".into(),
            Self::Invalid => {
                "the blood grouping is invalid: its control reacted, or its run or test is not valid".into()
            }
            Self::Waiting => "a blood grouping is not in yet, or waits for its run".into(),
            Self::Incomplete(columns) => said!("the blood grouping misses {}", columns.join(", ")),
            Self::StrengthNotTold(columns) => said!(
                "{} reacts, and nobody told how strongly; the rule pack does not take + alone for positive",
                columns.join(", ")
            ),
            Self::Discrepant => "the columns of the blood grouping disagree, or are weak or mixed".into(),
            Self::DeterminationsDisagree => "two determinations of the blood group disagree".into(),
            Self::Contradicted { by, says, group } => said!(
                "{} says {}, and the others {}: one of them may be of another blood",
                by.en(),
                says.en(),
                group_name(*group)
            ),
            Self::DAntiglobulinOpen => "D is negative or weak and its antiglobulin test is not done".into(),
            Self::DAntiglobulinDisagrees { positive, negative } => said!(
                "anti-D reacts in the antiglobulin test of {}, and not in that of {}",
                positive.en(),
                negative.en()
            ),
            Self::DUnreadable { by } => {
                said!("D cannot be read: the direct antiglobulin test is positive in {}", by.en())
            }
            Self::NoDonorRecord => "there is no donor record to hold the group against".into(),
            Self::SecondDetermination { have, need } => {
                said!("{have} of {need} independent determinations of the blood group")
            }
            Self::History { now, before, of: None } => {
                said!("{} now, {} in earlier donations", group_name(*now), group_name(*before))
            }
            Self::History { now, before, of: Some(donation) } => {
                said!("{} now, {} in donation {donation}", group_name(*now), group_name(*before))
            }
            Self::Neighbour { donation } => said!(
                "neighbouring donation {donation} may be in a wrong tube; neither is grouped again from the bag segment yet"
            ),
            Self::WrongTube { tube, bag } => said!(
                "the tube holds {} and the bag {}: the tube is of another donation, and so is every result of it",
                group_name(*tube),
                group_name(*bag)
            ),
            Self::TubeUnclear { bag } => said!(
                "the columns of the sample tube disagree with each other or with the bag, so that nobody can say whether it holds the bag's blood, {}",
                group_name(*bag)
            ),
            Self::Field { laboratory, field } => {
                said!(
                    "the laboratory finds {laboratory}, the field pre-test {field}; not repeated from the bag segment yet"
                )
            }
        }
    }

    fn zh(&self) -> Said {
        match self {
            Self::NoGrouping => "没有血型鉴定".into(),
            Self::Invalid => "血型鉴定无效：对照有反应，或批次、检测无效".into(),
            Self::Waiting => "血型鉴定未到或等待批次对照".into(),
            Self::Incomplete(columns) => said!("血型鉴定缺 {}", columns.join("、")),
            Self::StrengthNotTold(columns) => {
                said!("{} 有反应但未给出强度；规则包不接受仅有 + 为阳性", columns.join("、"))
            }
            Self::Discrepant => "血型正反定型不符、弱凝集或混合视野".into(),
            Self::DeterminationsDisagree => "两次血型鉴定不一致".into(),
            Self::Contradicted { by, says, group } => said!(
                "{}的 {} 与其余鉴定的 {} 不符，其中之一可能不是本份血液",
                by.zh(),
                says.zh(),
                group_name(*group)
            ),
            Self::DAntiglobulinOpen => "D 阴性或弱反应，未做间接抗人球蛋白试验".into(),
            Self::DAntiglobulinDisagrees { positive, negative } => {
                said!("抗-D 间接抗人球蛋白试验在{}中阳性，在{}中阴性", positive.zh(), negative.zh())
            }
            Self::DUnreadable { by } => said!("{}的直接抗人球蛋白试验阳性，D 无法判读", by.zh()),
            Self::NoDonorRecord => "没有献血者记录，无法核对血型".into(),
            Self::SecondDetermination { have, need } => said!("独立血型鉴定需 {need} 次，现有 {have} 次"),
            Self::History { now, before, of: None } => {
                said!("本次 {}，既往 {}", group_name(*now), group_name(*before))
            }
            Self::History { now, before, of: Some(donation) } => {
                said!("本次 {}，既往献血 {donation} 为 {}", group_name(*now), group_name(*before))
            }
            Self::Neighbour { donation } => {
                said!("相邻献血 {donation} 可能采错管；两者均须用血袋辫子复核血型")
            }
            Self::WrongTube { tube, bag } => said!(
                "标本管为 {}，血袋为 {}：该管是他人标本，其全部结果均不属于本份",
                group_name(*tube),
                group_name(*bag)
            ),
            Self::TubeUnclear { bag } => {
                said!("标本管各列结果不符，无法判定其是否与血袋（{}）为同一人血液", group_name(*bag))
            }
            Self::Field { laboratory, field } => {
                said!("实验室为 {laboratory}，初筛为 {field}，尚未用血袋辫子复核")
            }
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
