//! Why an act on a donor is not carried out, in English and Chinese. Nothing was written.

use super::{ExaminationRefused, LookbackRefused, RecordRefused, RegistrationRefused};
use crate::people;
use jiff::civil::Date;
use ledger::DonorTask;
use release::ReentryState;
use std::fmt;
use vocabulary::{DonationId, DonorIdError, Marker, RunId};

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Who asks may not.
    Person(people::Refused),
    /// A number that is no donation's.
    Number {
        /// As given.
        given: String,
        /// What is wrong.
        why: String,
    },
    /// Nothing is known of the donation.
    NoSuchDonation(DonationId),
    /// A text is missing, or too long.
    Text {
        /// Which.
        field: &'static str,
    },
    /// It is no donor's number.
    Donor(DonorIdError),
    /// There is more of it than is kept.
    TooMany {
        /// The limit.
        max: usize,
    },
    /// The donor is deferred for good.
    ForGood,
    /// The donor is not deferred.
    NotDeferred,
    /// Several deferrals stand, and none of them is named; or one is named that does not stand.
    WhichDeferral {
        /// Those that stand: each its entry, and why.
        standing: Vec<String>,
    },
    /// The donor is being examined.
    Examined,
    /// The donor is not being examined.
    NotExamined,
    /// Somebody else wrote in the register meanwhile.
    Lapsed,
    /// Who began an examination, or entered a test of it, approves it.
    OwnExamination,
    /// The donor was more than reactive by serology alone.
    BeyondReentry {
        /// In which donation.
        donation: DonationId,
        /// For what.
        marker: String,
    },
    /// No entry is named that it rests on, or one that is not there.
    NoEvidence,
    /// A test has this number already.
    TestKnown {
        /// The number.
        id: String,
    },
    /// The examination is not such that the donor may give again.
    Reentry {
        /// How far it has come.
        state: ReentryState,
    },
    /// A donation is not its own neighbour.
    Itself,
    /// Nobody suspects that neighbour, or it is settled.
    NotSuspected(DonationId),
    /// The donation has no grouping of that run.
    NoSuchGrouping(RunId),
    /// The run has several determinations of it.
    SeveralGroupings {
        /// The run.
        run: RunId,
        /// The messages that they came with.
        messages: Vec<u64>,
    },
    /// Its columns are others than the person saw.
    OtherColumns {
        /// The hash that was given.
        seen: String,
        /// What they are now.
        now: String,
    },
    /// This person has said so already: the other name has to be another's.
    SaidAlready,
    /// Earlier groups are found to be wrong by a determination from the bag segment only.
    NotOfSegment,
    /// Nothing is known of the donor's earlier groups.
    NoHistory,
    /// No number of the donation was typed in.
    NothingTyped(DonationId),
    /// No duplicate of that assay waits for its lot or analyser.
    NoOtherLot {
        /// Of which donation.
        donation: DonationId,
        /// Of which assay.
        assay: String,
    },
    /// The results are others than the person saw.
    OtherResults {
        /// The hash that was given.
        seen: String,
        /// What they are now.
        now: String,
    },
    /// No result of the donation was sent with different values.
    NothingDisputed(DonationId),
    /// No such version was sent of a result that waits for people to say which stands.
    NoSuchVersion {
        /// By which assay.
        assay: String,
        /// What was tested for.
        marker: Marker,
        /// The message that was named.
        message: u64,
        /// The results of the donation that were sent with different values, each with its versions.
        there: Vec<String>,
    },
    /// The versions are others than the person saw.
    OtherVersions {
        /// The hash that was given.
        seen: String,
        /// The results of that assay that were sent with different values, each with its versions.
        there: Vec<String>,
    },
    /// Nobody says which registration of the donation stands.
    Registration(RegistrationRefused),
    /// A step of a look-back is not taken.
    Lookback(LookbackRefused),
    /// An examination for re-entry is not begun, or a test of it not taken.
    Examination(ExaminationRefused),
    /// A donation is not recorded by hand, or what was recorded not taken back.
    Record(RecordRefused),
    /// The donation is another donor's.
    OtherDonor(DonationId),
    /// The last day of a deferral is over.
    Over {
        /// That day.
        until: Date,
    },
    /// A deferral ends before the rule pack lets it.
    TooShort {
        /// Because of which marker.
        marker: String,
        /// The last day that it has at least.
        least: Date,
    },
    /// The first day of a deferral is more than a day ahead.
    ToCome {
        /// That day.
        since: Date,
    },
    /// A deferral does not speak of the donation that it is said to be for.
    NotOfDonation {
        /// Which.
        donation: DonationId,
        /// The day on which it was given.
        collected: Date,
        /// The first day of the deferral.
        since: Date,
    },
    /// No such task is open for the donation's donor.
    NoSuchTask {
        /// The donation.
        donation: DonationId,
        /// Which task.
        task: DonorTask,
    },
    /// What was done is recorded as such; that closes the task.
    DoneByRecord(DonorTask),
    /// The ledger cannot be read or takes nothing.
    Broken(String),
}

impl Refused {
    /// What is wrong and what to do, in English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::Person(why) => why.english(),
            Self::Number { given, why } => format!("{given:?}: {why}"),
            Self::NoSuchDonation(donation) => format!("nothing is known of donation {donation}"),
            Self::Text { field } => format!("{field}: 1 to 500 characters, please"),
            Self::Donor(why) => why.to_string(),
            Self::TooMany { max } => format!("more than {max} of these are not kept of one; ask for help"),
            Self::ForGood => "the donor is deferred for good, and nothing takes that back".into(),
            Self::Lapsed => {
                "the register changed while you wrote; nothing was changed. Look at the donor again".into()
            }
            Self::OwnExamination => {
                "you began this examination or entered a test of it; another person has to approve it".into()
            }
            Self::BeyondReentry { donation, marker } => format!(
                "donation {donation} was more than reactive by serology alone for {marker} (nucleic acid found or open, or \
                 confirmed); no examination for re-entry is made for that (rules.md §1.9)"
            ),
            Self::NotDeferred => "the donor is not deferred".into(),
            Self::WhichDeferral { standing } => format!(
                "name the deferrals that it takes back by their entries (the others go on); these stand: {}",
                standing.join("; ")
            ),
            Self::Examined => "the donor is being examined for re-entry; approve that examination".into(),
            Self::NotExamined => "the donor is not being examined for re-entry; begin an examination".into(),
            Self::NoEvidence => "name the entries that it rests on; each has to be in the ledger".into(),
            Self::TestKnown { id } => format!("a test of this examination has the number {id:?} already"),
            Self::Reentry { state } => {
                format!("the examination is {state:?}; the donor may not give again by it (rules.md §1.9)")
            }
            Self::Itself => "a donation is not its own neighbour".into(),
            Self::NotSuspected(donation) => format!("no such neighbour of donation {donation} is open"),
            Self::SeveralGroupings { run, messages } => format!(
                "the donation has several blood groupings of run {run}, of messages {}; say which by its message, or by its sample \
                 (tube, segment)",
                listed(messages)
            ),
            Self::NoSuchGrouping(run) => format!(
                "the donation has no blood grouping of run {run}; name the run of the determination that stands"
            ),
            Self::OtherColumns { seen, now } => format!(
                "its columns are not those of {seen:?} (they are {now}); look at the donation again, and say so of what you see"
            ),
            Self::SaidAlready => "you have said so; a second person has to say so too".into(),
            Self::NothingTyped(donation) => format!("no number of donation {donation} was typed in"),
            Self::NoOtherLot { donation, assay } => {
                format!("no duplicate of {assay} of donation {donation} waits because of its lot or analyser")
            }
            Self::OtherResults { seen, now } => {
                format!("its results are others than were seen ({seen}): they are {now}; look again")
            }
            Self::NothingDisputed(donation) => {
                format!("no result of donation {donation} waits for people to say which version of it stands")
            }
            Self::NoSuchVersion { assay, marker, message, there } => format!(
                "message {message} has no version of {assay} ({marker}) that waits for people to say which stands; these do \
                 (assay, marker, hash: message and value): {}",
                there.join("; ")
            ),
            Self::OtherVersions { seen, there } => format!(
                "its versions are not those of {seen:?}; these are there (assay, marker, hash: message and value): {}; look at \
                 them, and say so of what you see",
                there.join("; ")
            ),
            Self::Registration(why) => why.english(),
            Self::Examination(why) => why.english(),
            Self::Record(why) => why.english(),
            Self::NotOfSegment => {
                "an earlier group is found to be wrong by a determination from the bag segment; name that one"
                    .into()
            }
            Self::NoHistory => "nothing is known of the donor's earlier groups".into(),
            Self::Lookback(why) => why.english(),
            Self::OtherDonor(donation) => format!(
                "donation {donation} is registered as another donor's; name the donor who gave it"
            ),
            Self::Over { until } => {
                format!("until {until}: that day is over; give the last day of the deferral, today or later")
            }
            Self::TooShort { marker, least } => format!(
                "the rule pack defers a donor because of {marker} until {least} at least; give that day or a later one, or none"
            ),
            Self::ToCome { since } => to_come(*since),
            Self::NotOfDonation { donation, collected, since } => not_of_donation(donation, *collected, *since),
            Self::NoSuchTask { donation, task } => format!(
                "no task {} is open for the donor of donation {donation} (hemogate tasks lists those that are)",
                task.name()
            ),
            Self::DoneByRecord(DonorTask::Confirmation) => {
                "record what the laboratory said (hemogate donor confirm): that closes it; or say NOT_DONE and why"
                    .into()
            }
            Self::DoneByRecord(DonorTask::Deferral | DonorTask::Report) => {
                "defer the donor (hemogate donor defer --donation): that closes it; or say NOT_DONE and why".into()
            }
            Self::Broken(why) => format!("the ledger takes nothing now: {why}"),
        }
    }

    /// What is wrong and what to do, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::Person(why) => why.chinese(),
            Self::Number { given, why } => format!("{given:?}：{why}"),
            Self::NoSuchDonation(donation) => format!("没有献血{donation}的记录"),
            Self::Text { field } => format!("{field}：请填写1至500个字符"),
            Self::Donor(why) => why.zh(),
            Self::TooMany { max } => format!("同类记录至多{max}条"),
            Self::ForGood => "该献血者永久屏蔽，不可变更".into(),
            Self::Lapsed => "登记在您操作期间已变更，未作任何改动；请重新查看该献血者".into(),
            Self::OwnExamination => "归队检查由您开始或录入过检测；须由另一人审批".into(),
            Self::BeyondReentry { donation, marker } => {
                format!(
                    "献血{donation}的{marker}不只是血清学反应性（核酸检出、未定或已确证），不适用归队检查"
                )
            }
            Self::NotDeferred => "该献血者未被屏蔽".into(),
            Self::WhichDeferral { standing } => {
                format!("请按条目编号指明所解除的屏蔽（其余仍有效）；现有：{}", standing.join("；"))
            }
            Self::Examined => "该献血者正在归队检查；请审批该检查".into(),
            Self::NotExamined => "该献血者没有进行中的归队检查；请先开始检查".into(),
            Self::NoEvidence => "请给出依据的条目编号，且各条目须在账本中".into(),
            Self::TestKnown { id } => format!("该检查已有编号为{id:?}的检测"),
            Self::Reentry { state } => format!("归队检查为{state:?}，不得据此恢复献血"),
            Self::Itself => "献血不能是自身的相邻献血".into(),
            Self::NotSuspected(donation) => format!("献血{donation}没有该项未解决的相邻疑问"),
            Self::SeveralGroupings { run, messages } => {
                let messages = listed(messages);
                format!(
                    "批次{run}中该献血有多次血型鉴定（消息 {messages}）；请给出消息编号，或标本（tube、segment）"
                )
            }
            Self::NoSuchGrouping(run) => {
                format!("该献血没有批次{run}的血型鉴定；请给出作为定论的鉴定所在批次")
            }
            Self::OtherColumns { seen, now } => {
                format!("其各列结果已不是{seen:?}（现为{now}）；请重新查看后再作定论")
            }
            Self::SaidAlready => "您已确认；还须由另一人确认".into(),
            Self::NothingTyped(donation) => format!("献血{donation}没有手工录入的编号"),
            Self::NoOtherLot { donation, assay } => {
                format!("献血{donation}没有因更换批号或仪器而待接受的{assay}双孔复检")
            }
            Self::OtherResults { seen, now } => {
                format!("该项目的结果与所见（{seen}）不同，现为{now}；请重新查看")
            }
            Self::NothingDisputed(donation) => format!("献血{donation}没有须确认以哪个版本为准的结果"),
            Self::NoSuchVersion { assay, marker, message, there } => format!(
                "消息 {message} 中没有{assay}（{marker}）须确认的版本；现有（项目、标志物、哈希：消息及结果）：{}",
                there.join("；")
            ),
            Self::OtherVersions { seen, there } => format!(
                "结果的各版本已不是{seen:?}；现有（项目、标志物、哈希：消息及结果）：{}；请重新查看后再确认",
                there.join("；")
            ),
            Self::Registration(why) => why.chinese(),
            Self::Examination(why) => why.chinese(),
            Self::Record(why) => why.chinese(),
            Self::NotOfSegment => "判定既往血型有误须依据血袋辫子的鉴定；请指明该次鉴定".into(),
            Self::NoHistory => "没有该献血者既往血型的记录".into(),
            Self::Lookback(why) => why.chinese(),
            Self::OtherDonor(donation) => {
                format!("献血{donation}登记在另一献血者名下；请核对献血者编号")
            }
            Self::Over { until } => {
                format!("屏蔽截止日{until}已过；请填写今天或以后的日期")
            }
            Self::TooShort { marker, least } => {
                format!("按规则包，因{marker}屏蔽至少至{least}；请填写该日或更晚的日期，或不填")
            }
            Self::ToCome { since } => {
                format!("起始日{since}晚于明天，在此之前该献血者仍可献血；请填写屏蔽所涉的首日，或不填")
            }
            Self::NotOfDonation { donation, collected, since } => {
                format!(
                    "献血{donation}采集于{collected}，自{since}起的屏蔽不涉及该次献血；请填写该日或更早的日期，或不填"
                )
            }
            Self::NoSuchTask { donation, task } => {
                format!("献血{donation}没有未办的献血者任务{}（见 hemogate tasks）", task.name())
            }
            Self::DoneByRecord(DonorTask::Confirmation) => {
                "请录入确证结果（hemogate donor confirm），录入后即关闭；否则注明 NOT_DONE 及原因".into()
            }
            Self::DoneByRecord(DonorTask::Deferral | DonorTask::Report) => {
                "请屏蔽献血者（hemogate donor defer --donation），屏蔽后即关闭；否则注明 NOT_DONE 及原因"
                    .into()
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

fn listed(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

fn not_of_donation(donation: &DonationId, collected: Date, since: Date) -> String {
    format!(
        "donation {donation} was given on {collected}, and a deferral since {since} does not speak of it; give that day or an \
         earlier one, or leave it out"
    )
}

fn to_come(since: Date) -> String {
    format!(
        "since {since}: that is more than a day ahead, and the donor would be free to give until then; give the first day \
                 whose donations it speaks of, or leave it out"
    )
}
