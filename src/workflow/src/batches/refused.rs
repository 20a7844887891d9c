//! Why an act on a batch is not carried out, in English and Chinese. Nothing was written.

use super::Change;
use crate::people;
use ledger::{HOLDS_MAX, Seq};
use std::fmt;
use vocabulary::{DonationId, RunId};

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Who asks may not.
    Person(people::Refused),
    /// There is no such batch.
    NoSuchBatch(Seq),
    /// There is no such recall that is open.
    NoSuchRecall(Seq),
    /// Something of the recalled donation is out, and nobody has said that its consignees were told.
    NotTold {
        /// Which recall.
        recall: Seq,
        /// Of which donation.
        donation: DonationId,
        /// What is out.
        out: Vec<String>,
    },
    /// Something of the recalled donation is in the house, and nobody has said that it is kept there.
    NotKept {
        /// Which recall.
        recall: Seq,
        /// Of which donation.
        donation: DonationId,
        /// What is here.
        here: Vec<String>,
    },
    /// Nothing is in it.
    Empty,
    /// Too much is in it.
    TooMany {
        /// The limit.
        max: usize,
    },
    /// It says more than one thing, or none, that a batch is made from.
    From,
    /// A number that is no donation's.
    Number {
        /// As given.
        given: String,
        /// What is wrong.
        why: String,
    },
    /// A donation is in another batch.
    InBatch {
        /// Which donation.
        donation: DonationId,
        /// Which batch.
        batch: Seq,
    },
    /// A donation is not in this batch.
    NotInBatch(DonationId),
    /// Something is not as it was when it was seen.
    Changed {
        /// The hash of what is.
        now: String,
        /// What came in between, as far as it can be told.
        what: Vec<Change>,
    },
    /// Nothing of it can be signed.
    NothingToSign,
    /// No gate lets anything go; the first reason.
    NothingToRelease {
        /// Why.
        why: String,
    },
    /// The person who reviewed it cannot release it.
    SamePerson {
        /// Who.
        by: String,
    },
    /// A gate that nobody sets aside.
    Gate {
        /// As given.
        gate: String,
    },
    /// Gate 15 is not set aside while two people have to say which version of a result of the donation stands, or while what
    /// was reactive fell by one person's word or is not answered yet.
    Disputed(DonationId),
    /// Gate 09 is not set aside while two people have to say which registration of the donation's number stands.
    RegisteredTwice(DonationId),
    /// Failing units are still in quarantine (R-GATE-13).
    NotLocated {
        /// As the system counts them.
        failing: u32,
        /// As they were found.
        located: u32,
    },
    /// The person counted another number of units than was scanned, or than is in quarantine of it.
    Count {
        /// Counted.
        counted: u32,
        /// Scanned.
        scanned: usize,
    },
    /// A donation that passes would be taken out for good, and nobody said that it is meant.
    Passes(DonationId),
    /// A reason or a name is missing, or too long.
    Text {
        /// Which.
        field: &'static str,
    },
    /// The donation is not held.
    NotHeld(DonationId),
    /// Nothing is known of the donation.
    NoSuchDonation(DonationId),
    /// As many holds stand on the donation as may.
    HeldOften(DonationId),
    /// The run in which an invalid run's samples are tested again was named already.
    RepeatNamed {
        /// The invalid run.
        run: RunId,
        /// The run in which its samples are tested again.
        repeated_in: RunId,
    },
    /// Nothing is known of the run.
    NoSuchRun(RunId),
    /// What kind of a cause made the run fall is not said.
    NoCause(RunId),
    /// A run cannot be repeated in itself.
    RepeatedInItself(RunId),
    /// The run was declared invalid already.
    InvalidAlready {
        /// Which run.
        run: RunId,
        /// The entry.
        entry: Seq,
        /// Who.
        by: String,
    },
    /// Nobody declared the run invalid.
    NotInvalid(RunId),
    /// The second of two people is the first.
    SecondPerson {
        /// Who.
        by: String,
    },
    /// What the first of two people proposed of a run lapsed, or was changed, before the ledger took the second one's word:
    /// that entry changes nothing.
    Lapsed(RunId),
    /// The ledger cannot be read or takes nothing.
    Broken(String),
}

/// Components as they are named at the command line.
fn named(option: &str, components: &[String]) -> String {
    components.iter().map(|one| format!("{option} {one}")).collect::<Vec<_>>().join(" ")
}

impl Refused {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Person(why) => why.name(),
            Self::NoSuchBatch(_) => "no_such_batch",
            Self::NoSuchRecall(_) => "no_such_recall",
            Self::NotTold { .. } => "not_told",
            Self::NotKept { .. } => "not_kept",
            Self::Empty => "empty",
            Self::TooMany { .. } => "too_many",
            Self::From => "from",
            Self::Number { .. } => "number",
            Self::InBatch { .. } => "in_another_batch",
            Self::NotInBatch(_) => "not_in_batch",
            Self::Changed { .. } => "changed",
            Self::NothingToSign => "nothing_to_sign",
            Self::NothingToRelease { .. } => "nothing_to_release",
            Self::SamePerson { .. } => "same_person",
            Self::Gate { .. } => "gate",
            Self::Disputed(_) => "disputed",
            Self::RegisteredTwice(_) => "registered_twice",
            Self::NotLocated { .. } => "not_located",
            Self::Count { .. } => "count",
            Self::Passes(_) => "passes",
            Self::Text { .. } => "text",
            Self::NotHeld(_) => "not_held",
            Self::NoSuchDonation(_) => "no_such_donation",
            Self::HeldOften(_) => "held_often",
            Self::RepeatNamed { .. } => "repeat_named",
            Self::NoSuchRun(_) => "no_such_run",
            Self::NoCause(_) => "no_cause",
            Self::RepeatedInItself(_) => "repeated_in_itself",
            Self::InvalidAlready { .. } => "invalid_already",
            Self::NotInvalid(_) => "not_invalid",
            Self::SecondPerson { .. } => "second_person",
            Self::Lapsed(_) => "lapsed",
            Self::Broken(_) => "unavailable",
        }
    }

    /// What is wrong and what to do, in English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::Person(why) => why.english(),
            Self::NoSuchBatch(batch) => format!("there is no batch {batch}"),
            Self::NoSuchRecall(recall) => format!("there is no open recall {recall}"),
            Self::NotTold { recall, donation, out } => format!(
                "of donation {donation} {} is out, and nobody has said that its consignees were told. Tell them, and name it when \
                 closing: hemogate recall close {recall} {}",
                out.join(", "),
                named("--told", out)
            ),
            Self::NotKept { recall, donation, here } => format!(
                "of donation {donation} {} is in the house, and nobody has said that it is kept there. Put it into quarantine or \
                 take it out, and name what stays when closing: hemogate recall close {recall} {}",
                here.join(", "),
                named("--kept", here)
            ),
            Self::Empty => "no donation is in it".into(),
            Self::TooMany { max } => format!("a batch has at most {max} donations; make two of it"),
            Self::From => "a batch is made from one of session, runs and donations; name one of them".into(),
            Self::Number { given, why } => format!("{given:?}: {why}"),
            Self::InBatch { donation, batch } => {
                format!("donation {donation} is in batch {batch}; a donation is in one batch only")
            }
            Self::NotInBatch(donation) => format!("donation {donation} is not in this batch"),
            Self::Changed { now, what } => {
                let told: Vec<String> = what
                    .iter()
                    .map(|change| format!("donation {} {}", change.donation, change.what))
                    .collect();
                let told = if told.is_empty() { "something has changed".into() } else { told.join("; ") };
                format!("it is not as it was seen: {told} (it is {now} now); look again, then sign")
            }
            Self::NothingToSign => "no donation of it is complete; there is nothing to sign yet".into(),
            Self::NothingToRelease { why } => format!("no gate lets a donation go: {why}"),
            Self::SamePerson { by } => {
                format!("{by} has signed the review; the release is signed by another person (R-GATE-10)")
            }
            Self::Gate { gate } => {
                format!("{gate} can be set aside by nobody under this rule pack (R-GATE-14)")
            }
            Self::Disputed(donation) => format!(
                "a result of donation {donation} was sent with different values, or was reactive in what a person declared invalid; \
                 R-GATE-15 is not set aside for that: two people say which version stands (hemogate donation show {donation}, \
                 then hemogate donation settle-result), or another confirms what fell (hemogate runs confirm, hemogate lots \
                 confirm), and the sample is tested again"
            ),
            Self::RegisteredTwice(donation) => format!(
                "the number of donation {donation} was registered for two; R-GATE-09 is not set aside for that: two people say \
                 which registration stands (hemogate donation show {donation}, then hemogate donation settle-registration)"
            ),
            Self::NotLocated { failing, located } => format!(
                "{failing} failing units, {located} found and removed; find and discard the others first (R-GATE-13)"
            ),
            Self::Count { counted, scanned } => {
                format!(
                    "{counted} units were counted and {scanned} scanned (components in quarantine, where they are known); count again"
                )
            }
            Self::Passes(donation) => format!(
                "donation {donation} passes: nothing says that it has to be taken out, and nobody can take that back; nothing was \
                 discarded. Look at its number; where it is meant (the bag leaks), say so (--passing)"
            ),
            Self::Text { field } => format!("{field}: 1 to 500 characters, please"),
            Self::NotHeld(donation) => format!("donation {donation} is not held by a person"),
            Self::NoSuchDonation(donation) => format!(
                "nothing is known of a donation {donation}, and nothing was held; look at its number, or register it first"
            ),
            Self::HeldOften(donation) => {
                format!("donation {donation} is held {HOLDS_MAX} times over; it stays so, no more is written")
            }
            Self::RepeatNamed { run, repeated_in } => {
                format!("run {repeated_in} is named already as the repeat of run {run}")
            }
            Self::NoSuchRun(run) => {
                format!("nothing is known of a run {run}; look at its name (hemogate runs list)")
            }
            Self::NoCause(run) => format!(
                "say what kind of a cause made run {run} fall (cause): kit_control, external_control, lot_defective, \
                 equipment or other"
            ),
            Self::RepeatedInItself(run) => {
                format!(
                    "run {run} cannot be repeated in itself; name the run in which its samples are tested again"
                )
            }
            Self::InvalidAlready { run, entry, by } => {
                format!(
                    "{by} has declared run {run} invalid already (entry {entry}); another person confirms it"
                )
            }
            Self::NotInvalid(run) => format!("nobody has declared run {run} invalid"),
            Self::SecondPerson { by } => format!("{by} has declared it invalid; another person confirms it"),
            Self::Lapsed(run) => format!(
                "what was proposed of run {run} no longer stands: a control came, its three days went by, or somebody changed it \
                 meanwhile; nothing was agreed; look again, and propose it anew"
            ),
            Self::Broken(why) => format!("the ledger takes nothing now: {why}"),
        }
    }

    /// What is wrong and what to do, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::Person(why) => why.chinese(),
            Self::NoSuchBatch(batch) => format!("没有批次{batch}"),
            Self::NoSuchRecall(recall) => format!("没有未关闭的召回{recall}"),
            Self::NotTold { recall, donation, out } => format!(
                "献血{donation}的{}已发出，且未注明已通知用血机构。请通知，并在关闭时列明：hemogate recall close {recall} {}",
                out.join("、"),
                named("--told", out)
            ),
            Self::NotKept { recall, donation, here } => format!(
                "献血{donation}的{}仍在库，且未注明已留置。请隔离或报废，并在关闭时列明留置者：hemogate recall close {recall} {}",
                here.join("、"),
                named("--kept", here)
            ),
            Self::Empty => "批次中没有献血".into(),
            Self::TooMany { max } => format!("一个批次最多{max}份，请拆分"),
            Self::From => "批次由采血时段、检测批或献血码清单之一建立，请选择其一".into(),
            Self::Number { given, why } => format!("{given:?}：{why}"),
            Self::InBatch { donation, batch } => format!("献血{donation}已在批次{batch}中"),
            Self::NotInBatch(donation) => format!("献血{donation}不在该批次中"),
            Self::Changed { now, what } => {
                let told: Vec<String> =
                    what.iter().map(|change| format!("献血{}{}", change.donation, change.what_zh)).collect();
                format!("内容在查看后已变更：{}（现为{now}），请重新查看后再签名", told.join("；"))
            }
            Self::NothingToSign => "批次中尚无检测完成的献血，无可签名".into(),
            Self::NothingToRelease { why } => format!("没有可放行的献血：{why}"),
            Self::SamePerson { by } => format!("{by}已签审核；放行须由另一人签名（R-GATE-10）"),
            Self::Gate { gate } => format!("按本规则包，{gate}不得豁免（R-GATE-14）"),
            Self::Disputed(donation) => format!(
                "献血{donation}的某项结果先后不一致，或其反应性结果所在批次（批号）被判无效，R-GATE-15 不得因此豁免：须由两人确认以哪个版本为准\
                 （hemogate donation show {donation}，再用 hemogate donation settle-result），或由另一人确认该判定（hemogate runs \
                 confirm、hemogate lots confirm）并重测标本"
            ),
            Self::RegisteredTwice(donation) => format!(
                "献血{donation}的编号有两份不一致的登记，R-GATE-09 不得因此豁免：须由两人先后确认以哪份登记为准\
                 （hemogate donation show {donation}，再用 hemogate donation settle-registration）"
            ),
            Self::NotLocated { failing, located } => {
                format!("不合格{failing}袋，已找到并移出{located}袋；请先找齐并报废（R-GATE-13）")
            }
            Self::Count { counted, scanned } => format!("清点{counted}袋，扫描{scanned}袋，请重新清点"),
            Self::Passes(donation) => format!(
                "献血{donation}的结论为合格，无须报废，且报废后不可撤回；本次未报废任何血液。请核对编号；确需报废（如血袋破损）的，请注明（--passing）"
            ),
            Self::Text { field } => format!("{field}：请填写1至500个字符"),
            Self::NotHeld(donation) => format!("献血{donation}没有人工暂扣"),
            Self::NoSuchDonation(donation) => {
                format!("没有献血{donation}的任何记录，未暂扣；请核对编号，或先登记该献血")
            }
            Self::HeldOften(donation) => {
                format!("献血{donation}已有{HOLDS_MAX}项暂扣，继续暂扣，不再增加记录")
            }
            Self::RepeatNamed { run, repeated_in } => format!("检测批{run}的重做批次已填写：{repeated_in}"),
            Self::NoSuchRun(run) => format!("没有检测批{run}的任何记录；请核对名称（hemogate runs list）"),
            Self::NoCause(run) => format!(
                "请填写检测批{run}失效的原因类别（cause）：kit_control（试剂盒对照）、external_control（室内质控）、\
                 lot_defective（批号缺陷）、equipment（设备）或 other（其他）"
            ),
            Self::RepeatedInItself(run) => format!("检测批{run}不能在原批次内重做；请填写重做的批次"),
            Self::InvalidAlready { run, entry, by } => {
                format!("{by}已判定检测批{run}无效（条目{entry}）；由另一人确认")
            }
            Self::NotInvalid(run) => format!("检测批{run}未被判定无效"),
            Self::SecondPerson { by } => format!("{by}已判定其无效；须由另一人确认"),
            Self::Lapsed(run) => {
                format!(
                    "检测批{run}的提议已失效：其间有新的质控结果、已超过三天或已被他人更改；本次同意未生效，请重新查看并重新提议"
                )
            }
            Self::Broken(why) => format!("账本暂不可写：{why}"),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english())
    }
}

impl std::error::Error for Refused {}

impl From<people::Refused> for Refused {
    fn from(why: people::Refused) -> Self {
        Self::Person(why)
    }
}

impl From<ledger::ReadError> for Refused {
    fn from(error: ledger::ReadError) -> Self {
        Self::Broken(error.to_string())
    }
}
