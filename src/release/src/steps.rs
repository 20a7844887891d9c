//! The next thing to do, in a technician's words.

use crate::GateId;
use crate::group::{Named, group_name};
use crate::say::{Said, Say, listed, said};
use crate::test::Test;
use vocabulary::{AboGroup, BloodGroup, DonationId, Marker, Virus};

/// One thing to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step<'e> {
    TestMissing(Test<'e>),
    MarkerMissing(Marker),
    WaitForResult(Test<'e>),
    WaitForControls(Test<'e>),
    RepeatInvalid(Test<'e>),
    RepeatInDuplicate(Test<'e>),
    RepeatMissingWell(Test<'e>),
    RepeatDuplicateOnLot(Test<'e>),
    ReviewContradiction(Test<'e>),
    ReviewAlt,
    ReviewAfterRound(Test<'e>),
    ConfirmVanished(Test<'e>),
    SecondReagent(Marker),
    Discriminate(Vec<Virus>),
    RepeatNatOnce,
    NewNatSample,
    NatGivenUp,
    RepeatNdr { done: usize, of: usize },
    NdrAgain,
    NdrRepeated,
    RepeatPool(&'e str),
    ResolvePool(&'e str),
    WaitForPoolMembers { pool: &'e str, open: usize },
    PoolLogNotWhole(&'e str),
    PoolUnresolved,
    PoolTargetDiffers,
    RepeatAlt,
    GroupColumns(Vec<&'static str>),
    GroupStrength(Vec<&'static str>),
    GroupAgain,
    GroupIat,
    GroupDiscrepant,
    GroupContradicted(Named<'e>),
    GroupIatAgain,
    GroupSecond,
    GroupSegment { laboratory: AboGroup, field: AboGroup },
    GroupHistory { laboratory: BloodGroup, history: BloodGroup },
    GroupReference,
    GroupNeighbour(&'e DonationId),
    GroupWrongTube,
    GroupTubeAgain,
    ReviewUnruled(Marker),
    ReferScreen,
    RemoveUnit,
    SeeToGate { gate: GateId, why: &'e str, why_zh: &'e str },
    Review,
    Release,
}

impl Say for Virus {
    fn en(&self) -> Said {
        self.name().into()
    }
    fn zh(&self) -> Said {
        match self {
            Self::Syphilis => "梅毒".into(),
            Self::Malaria => "疟疾".into(),
            Self::TCruzi => "克氏锥虫".into(),
            Self::Babesia => "巴贝虫".into(),
            Self::Hbv | Self::Hcv | Self::Hiv | Self::Htlv | Self::Hev | Self::Wnv => self.name().into(),
        }
    }
}

const IAT_AGAIN: (&str, &str) = (
    "Group again, with the antiglobulin test of D; two people settle it by that determination (hemogate donor group).",
    "重做血型及 D 间接抗人球蛋白试验，由两人以该次鉴定结案（hemogate donor group）。",
);

/// Whose blood a determination was made of, in English and Chinese.
fn find_out(by: &Named<'_>) -> (Said, Said) {
    let en = said!(
        "Find out whose blood {} was made of: group both tube and bag segment again, with the same tests. Where they agree, nothing is open; else two people settle it by a later determination (hemogate donor group).",
        by.en()
    );
    let zh = said!(
        "查明{}所测为谁的血液：标本管与血袋辫子均以相同项目重做。两者一致则解除；否则由两人以其后的鉴定结案（hemogate donor group）。",
        by.zh()
    );
    (en, zh)
}

/// Two runs that contradict each other, and no repeat was ordered.
fn contradiction(test: &Test<'_>) -> (Said, Said) {
    let en = said!(
        "Have {} reviewed: two runs contradict each other and no repeat was ordered. Where neither run is found to be invalid (hemogate runs invalidate), it is not released: nothing tested later settles it, and gate 01 is never set aside (R-GATE-14); discard it (hemogate batch discard).",
        test.en()
    );
    let zh = said!(
        "请复核{}：两个批次结果矛盾，且没有重做医嘱。若两个批次均未判为无效（hemogate runs invalidate），则不得放行：此后的检测不能作为定论，R-GATE-01 不得豁免（R-GATE-14），请报废（hemogate batch discard）。",
        test.zh()
    );
    (en, zh)
}

/// A reactive test after the duplicate round.
fn after_round(test: &Test<'_>) -> (Said, Said) {
    let en = said!(
        "Have {} reviewed: a test made after the duplicate round is reactive, and the round does not settle that.",
        test.en()
    );
    let zh = said!("请复核{}：双孔复检之后的检测有反应性，复检结果不能解除。", test.zh());
    (en, zh)
}

/// ALT above its limit after a result within it.
const REVIEW_ALT: (&str, &str) = (
    "Find out why ALT is above the limit after a result within it that had settled it: one of the two may be of another sample. No result within the limit settles that; the run of a result that is wrong is declared invalid with its cause (hemogate runs invalidate, another person confirms it), and once more above the limit is above it.",
    "查明 ALT 已有合格结果后为何又超过限值：其中之一可能是他人标本。再有合格结果也不能解除；有误结果所在批次须注明原因判定无效（hemogate runs invalidate，由另一人确认）；再次超过限值即为不合格。",
);

impl Say for Step<'_> {
    fn en(&self) -> Said {
        match self {
            Self::MarkerMissing(marker) => said!("Test {marker}: there is no result."),
            Self::TestMissing(t) => said!("Test {}: there is no result.", t.en()),
            Self::WaitForResult(t) => said!("Wait for {}: it is ordered and not in yet.", t.en()),
            Self::WaitForControls(t) => said!("Wait for the controls of the run of {}.", t.en()),
            Self::RepeatInvalid(t) => said!("Repeat {}: there is no valid result.", t.en()),
            Self::RepeatInDuplicate(t) => said!(
                "Repeat {} in two wells, on the same lot and analyser, from the original tube or the bag segment.",
                t.en()
            ),
            Self::RepeatMissingWell(t) => said!("Repeat the missing well of {}: two valid wells are needed.", t.en()),
            Self::RepeatDuplicateOnLot(t) => said!(
                "Repeat the duplicate wells of {} on the lot and analyser of the first test, or have two people accept these with the reason (hemogate donation accept-duplicate).",
                t.en()
            ),
            Self::ReviewContradiction(t) => contradiction(t).0,
            Self::ReviewAfterRound(t) => after_round(t).0,
            Self::ReviewAlt => REVIEW_ALT.0.into(),
            Self::ConfirmVanished(t) => {
                said!("Make a second {}: a reactive result fell with its run.", t.en())
            }
            Self::SecondReagent(marker) => said!("Test {marker} with a second reagent, of another maker where asked for."),
            Self::Discriminate(targets) => {
                said!("Run the discriminatory NAT for {} on this donation.", listed(targets).0)
            }
            Self::RepeatNatOnce => "Repeat the individual NAT once: the result is invalid.".into(),
            Self::NewNatSample => {
                "Take a new sample for NAT, from the bag segment if the kit allows: this one was too old.".into()
            }
            Self::NatGivenUp => {
                "Do not test NAT again: it was invalid twice. The unit cannot be released; decide what becomes of it.".into()
            }
            Self::RepeatNdr { done, of } => said!(
                "Repeat the individual NAT ({done} of {of} repeats are in): it was reactive, and no discriminatory test found for what."
            ),
            Self::NdrAgain => {
                "Have an authorised person decide on this donation: its NAT is reactive again, and no discriminatory test found for what. It is not released: discard it, and follow the donor up.".into()
            }
            Self::NdrRepeated => {
                "Have an authorised person decide on this donation: its NAT was reactive, no discriminatory test found for what, and the repeats are non-reactive. It is not released: discard it, and follow the donor up.".into()
            }
            Self::RepeatPool(pool) => {
                said!("Repeat pool {pool}, or test this donation alone: the pool's result cannot be used.")
            }
            Self::ResolvePool(pool) => said!("Test this donation alone: pool {pool} is reactive."),
            Self::WaitForPoolMembers { pool, open } => {
                said!("Wait for the single tests of {open} other member(s) of pool {pool}.")
            }
            Self::PoolLogNotWhole(pool) => said!(
                "Put the pooling log of pool {pool} right, or decide what becomes of this donation: the pool is reactive, and its log does not show who was in it, so that no other member explains it."
            ),
            Self::PoolUnresolved => "Decide on the unresolved reactive pool: no member was reactive alone.".into(),
            Self::PoolTargetDiffers => {
                "Have the pool reviewed: it and the single tests are reactive for different targets. Hold all members.".into()
            }
            Self::RepeatAlt => "Repeat ALT once: it is above the limit.".into(),
            Self::GroupColumns(columns) => said!("Complete the blood grouping: {} missing.", columns.join(", ")),
            Self::GroupStrength(columns) => said!(
                "Group again with a method that tells strengths ({}), or state group.bare_plus_positive in the rule pack.",
                columns.join(", ")
            ),
            Self::GroupAgain => "Repeat the blood grouping: its control reacted or it is not valid.".into(),
            Self::GroupIat => {
                "Test D by the indirect antiglobulin test with at least two anti-D of different clones (one detecting DVI).".into()
            }
            Self::GroupDiscrepant => "Resolve the blood group discrepancy; see the candidates.".into(),
            Self::GroupIatAgain => IAT_AGAIN.0.into(),
            Self::GroupContradicted(by) => find_out(by).0,
            Self::GroupSecond => "Make a second, independent determination of the blood group.".into(),
            Self::GroupSegment { laboratory, field } => said!(
                "Repeat the blood grouping from the bag segment: the laboratory finds {laboratory}, the field pre-test {field}."
            ),
            Self::GroupHistory { laboratory, history } => said!(
                "Possible wrong blood in tube: {} now, {} before. Repeat from the bag segment and hold the neighbouring donations; where tube and segment agree, two people may find the earlier group wrong (hemogate donor group --history-wrong).",
                group_name(*laboratory),
                group_name(*history)
            ),
            Self::GroupReference => {
                "Send the sample to the reference laboratory: the direct antiglobulin test is positive, D cannot be read.".into()
            }
            Self::GroupNeighbour(donation) => said!(
                "Repeat the blood grouping from the bag segment: neighbouring donation {donation} may be in a wrong tube."
            ),
            Self::GroupWrongTube => {
                "Find whose tube it is and hold that donation too; do not release this one on results of a tube that is not its own.".into()
            }
            Self::GroupTubeAgain => {
                "Group the sample tube again: its columns disagree. If it agrees with the bag then, nothing is open; else have two people close the inquiry, or find whose tube it is.".into()
            }
            Self::ReviewUnruled(what) => said!("Have {what} reviewed: the rule pack has no rule for it."),
            Self::ReferScreen => {
                "Refer the sample for antibody identification: the antibody screen is positive.".into()
            }
            Self::RemoveUnit => "Remove every component of this donation: the verdict is discard.".into(),
            Self::SeeToGate { gate, why, .. } => said!("See to {gate}: {why}."),
            Self::Review => "Have the results reviewed and signed.".into(),
            Self::Release => "Have the release signed by a second, authorised person.".into(),
        }
    }

    fn zh(&self) -> Said {
        match self {
            Self::MarkerMissing(marker) => said!("检测 {marker}：尚无结果。"),
            Self::TestMissing(t) => said!("检测{}：尚无结果。", t.zh()),
            Self::WaitForResult(t) => said!("等待{}：已下单，结果未到。", t.zh()),
            Self::WaitForControls(t) => said!("等待{}所在批次的对照结果。", t.zh()),
            Self::RepeatInvalid(t) => said!("重做{}：没有有效结果。", t.zh()),
            Self::RepeatInDuplicate(t) => {
                said!("{}做双孔复检：同批号、同仪器，用原管或血袋辫子。", t.zh())
            }
            Self::RepeatMissingWell(t) => said!("补做{}缺少的一孔：需要两个有效孔。", t.zh()),
            Self::RepeatDuplicateOnLot(t) => {
                said!("{}的双孔复检应使用初检的批号和仪器重做，或由两人注明理由予以接受（hemogate donation accept-duplicate）。", t.zh())
            }
            Self::ReviewContradiction(t) => contradiction(t).1,
            Self::ReviewAfterRound(t) => after_round(t).1,
            Self::ReviewAlt => REVIEW_ALT.1.into(),
            Self::ConfirmVanished(t) => said!("再做一次{}：原反应性结果随批次作废。", t.zh()),
            Self::SecondReagent(marker) => said!("用第二种试剂检测{marker}（要求时须为不同厂家）。"),
            Self::Discriminate(targets) => said!("对本份献血做核酸鉴别试验：{}。", listed(targets).1),
            Self::RepeatNatOnce => "单样核酸重做一次：结果无效。".into(),
            Self::NewNatSample => "重新留取核酸标本（试剂允许时可用血袋辫子）：原标本超过时限。".into(),
            Self::NatGivenUp => "核酸两次无效，不再检测。血液不得放行，请决定处置。".into(),
            Self::RepeatNdr { done, of } => {
                said!("重做单样核酸检测（{of} 次中已完成 {done} 次）：有反应性，而鉴别试验均无反应性。")
            }
            Self::NdrAgain => {
                "请由授权人员决定本份处置：核酸重做仍有反应性，而鉴别试验均无反应性。不得放行：请报废，并随访献血者。".into()
            }
            Self::NdrRepeated => {
                "请由授权人员决定本份处置：核酸曾有反应性，鉴别试验均无反应性，重做均无反应性。不得放行：请报废，并随访献血者。".into()
            }
            Self::RepeatPool(pool) => said!("重做混样 {pool} 或对本份单样检测：该混样结果不可用。"),
            Self::ResolvePool(pool) => said!("对本份做单样核酸检测：混样 {pool} 有反应性。"),
            Self::WaitForPoolMembers { pool, open } => said!("等待混样 {pool} 其他 {open} 份的单样结果。"),
            Self::PoolLogNotWhole(pool) => said!(
                "混样 {pool} 有反应性，但其加样记录不能说明全部成员，不能由其他成员解释：请补正加样记录，或决定本份处置。"
            ),
            Self::PoolUnresolved => "混样有反应性而拆分均无反应性，请决定处置。".into(),
            Self::PoolTargetDiffers => "请复核该混样：混样与单样的反应性项目不同。全部成员暂扣。".into(),
            Self::RepeatAlt => "ALT 重做一次：超过限值。".into(),
            Self::GroupColumns(columns) => said!("补全血型鉴定：缺 {}。", columns.join("、")),
            Self::GroupStrength(columns) => said!(
                "用可给出反应强度的方法重做血型（{}），或在规则包中声明 group.bare_plus_positive。",
                columns.join("、")
            ),
            Self::GroupAgain => "重做血型鉴定：对照有反应或结果无效。".into(),
            Self::GroupIat => "用至少两种不同克隆的抗-D（其中一种可检出 DVI）做间接抗人球蛋白试验。".into(),
            Self::GroupDiscrepant => "解决血型不符，参见候选解释。".into(),
            Self::GroupIatAgain => IAT_AGAIN.1.into(),
            Self::GroupContradicted(by) => find_out(by).1,
            Self::GroupSecond => "做第二次独立的血型鉴定。".into(),
            Self::GroupSegment { laboratory, field } => {
                said!("用血袋辫子重做血型：实验室为 {laboratory}，初筛为 {field}。")
            }
            Self::GroupHistory { laboratory, history } => {
                said!(
                    "可能采错管：本次 {}，既往 {}。用血袋辫子重做，并暂扣相邻献血；若标本管与辫子一致，可由两人判定既往血型有误（hemogate donor group --history-wrong）。",
                    group_name(*laboratory),
                    group_name(*history)
                )
            }
            Self::GroupReference => "送参比实验室：直接抗人球蛋白试验阳性，D 抗原无法判读。".into(),
            Self::GroupNeighbour(donation) => {
                said!("用血袋辫子重做血型：相邻献血 {donation} 可能采错管。")
            }
            Self::GroupWrongTube => {
                "查明该标本管属于哪一份献血并一并暂扣；本份不得凭他人标本的结果放行。".into()
            }
            Self::GroupTubeAgain => {
                "标本管自身结果不符，请重做该管血型：若与血袋一致则解除；否则由两人结论复核，或查明该管属于谁。".into()
            }
            Self::ReviewUnruled(what) => said!("请复核{what}：规则包中没有相应规则。"),
            Self::ReferScreen => "送抗体鉴定：抗体筛查阳性。".into(),
            Self::RemoveUnit => "移除本次献血的全部成分：结论为报废。".into(),
            Self::SeeToGate { gate, why_zh, .. } => said!("处理 {gate}：{why_zh}。"),
            Self::Review => "请审核检测结果并签名。".into(),
            Self::Release => "请由另一名授权人员签发放行。".into(),
        }
    }
}
