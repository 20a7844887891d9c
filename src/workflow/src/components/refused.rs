//! Why a word about a component is not taken, in English and Chinese.

use crate::donors::lookback_command;
use crate::people;
use jiff::Timestamp;
use ledger::{COMPONENTS_MAX, ComponentPlace, LookbackId, Seq};
use release::Moment;
use std::fmt;
use vocabulary::DonationId;

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Who asks may not.
    Person(people::Refused),
    /// It lets something go: a machine may not.
    NeedsPerson,
    /// A number that is no donation's, or a code that is no component's.
    Number {
        /// As given.
        given: String,
        /// What is wrong.
        why: String,
        /// The same in Chinese.
        why_zh: String,
    },
    /// Nothing is known of the donation.
    NoSuchDonation(DonationId),
    /// The donation has no such component.
    NoSuchComponent(String),
    /// No component is named.
    Empty,
    /// There are more than are kept of one donation.
    TooMany,
    /// A text is missing, or too long.
    Text {
        /// Which.
        field: &'static str,
    },
    /// Consignee, time and `happened` are said of an issue only.
    OnlyOfIssue,
    /// An expiry that cannot be read.
    Expiry {
        /// What is wrong.
        why: String,
        /// The same in Chinese.
        why_zh: String,
    },
    /// It may not be used any more.
    Expired {
        /// Since when, as its label says it.
        label: String,
    },
    /// A time that is still to come.
    ToCome,
    /// A time before the donation was collected: nothing of it can have been issued then.
    BeforeCollection {
        /// When it was.
        collected: Timestamp,
    },
    /// A time before anybody had told of the component.
    BeforeMade {
        /// When it was told.
        made: Timestamp,
    },
    /// A time at which the donation was not released.
    BeforeRelease {
        /// When it was, after that time.
        released: Option<Moment>,
    },
    /// It was given out already.
    OutAlready {
        /// To whom.
        consignee: String,
        /// The entry that says so.
        entry: Seq,
    },
    /// It is not there to be moved so.
    Gone(ComponentPlace),
    /// A look-back keeps what of the donation is here.
    LookedUp {
        /// Which.
        of: LookbackId,
        /// It is closed, what it was raised for stands, and two people have not said that what is here may go.
        is_closed: bool,
    },
    /// The donation is not released.
    NotReleased {
        /// Why.
        why: String,
        /// The same in Chinese.
        why_zh: String,
    },
    /// Another word about it came first: the entry changed nothing.
    Overtaken {
        /// The entry.
        entry: Seq,
    },
    /// The ledger cannot be read or takes nothing.
    Broken(String),
}

/// What to do where something is refused that has happened all the same.
const HAPPENED: &str =
    "if it has happened all the same, a person records that it did (--happened): it is called back then";
const HAPPENED_ZH: &str = "若事实上已发出，请由人员注明（--happened）登记，届时将召回";

impl Refused {
    /// What is wrong and what to do, in English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::Person(why) => why.english(),
            Self::NeedsPerson => "this lets something go: a person who may lift holds has to say it".into(),
            Self::Number { given, why, .. } => format!("{given:?}: {why}"),
            Self::NoSuchDonation(donation) => {
                format!("nothing is known of donation {donation}; register it first")
            }
            Self::NoSuchComponent(component) => {
                format!("no component {component} of this donation is registered; register it first")
            }
            Self::Empty => "name the components".into(),
            Self::TooMany => format!("a donation has at most {COMPONENTS_MAX} components here"),
            Self::Text { field } => format!("{field}: 1 to 500 characters, please, without line breaks"),
            Self::OnlyOfIssue => "consignee, time and happened are said of what is issued only".into(),
            Self::Expiry { why, .. } => why.clone(),
            Self::Expired { label } => format!(
                "it expired ({label}): take it out (written-off), or, where its expiry was told wrongly, have who may lift holds \
                 tell the right one (component made --expires). An issue from when it was in date is recorded by who may \
                 lift holds. {HAPPENED}"
            ),
            Self::ToCome => "that time is still to come; record it when it is so".into(),
            Self::BeforeCollection { collected } => {
                format!(
                    "the donation was collected at {collected}, after that time; say when it was issued (--at)"
                )
            }
            Self::BeforeMade { made } => format!(
                "the component was registered at {made}, after that time: nobody could ask then whether it may go. Say when it \
                 was issued (--at). {HAPPENED}"
            ),
            Self::BeforeRelease { released } => {
                let released = released.map_or_else(String::new, |at| format!(": it was released at {at}"));
                format!(
                    "the donation was not released at that time{released}. Say when it was issued (--at). {HAPPENED}"
                )
            }
            Self::OutAlready { consignee, entry } => {
                format!(
                    "it was issued to {consignee} already (entry {entry}); record first that it came back. {HAPPENED}"
                )
            }
            Self::Gone(place) => format!("it is {}; that cannot be. Of an issue: {HAPPENED}", place.name()),
            Self::LookedUp { of, is_closed } => looked_up(of, *is_closed),
            Self::NotReleased { why, .. } => format!("the donation is not released: {why}. {HAPPENED}"),
            Self::Overtaken { entry } => {
                format!("another word about it came first; entry {entry} changed nothing. Look again")
            }
            Self::Broken(why) => format!("the ledger takes nothing now: {why}"),
        }
    }

    /// What is wrong and what to do, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::Person(why) => why.chinese(),
            Self::NeedsPerson => "此操作会解除限制，须由有权解除暂扣的人员进行".into(),
            Self::Number { given, why_zh, .. } => format!("{given:?}：{why_zh}"),
            Self::NoSuchDonation(donation) => format!("没有献血{donation}的记录；请先登记"),
            Self::NoSuchComponent(component) => format!("该献血未登记成分{component}；请先登记"),
            Self::Empty => "请给出成分".into(),
            Self::TooMany => format!("每份献血至多登记{COMPONENTS_MAX}个成分"),
            Self::Text { field } => format!("{field}：请填写1至500个字符，不含换行"),
            Self::OnlyOfIssue => "用血机构、时间及 happened 仅用于发出".into(),
            Self::Expiry { why_zh, .. } => why_zh.clone(),
            Self::Expired { label } => format!(
                "该成分已过期（{label}）：请报废（written-off）；若失效日期有误，由有权解除暂扣的人员更正（component made --expires）。有效期内的发出由有权解除暂扣的人员补登。{HAPPENED_ZH}"
            ),
            Self::ToCome => "该时间尚未到；请届时再登记".into(),
            Self::BeforeCollection { collected } => {
                format!("该献血采集于{collected}，晚于所填时间；请填写实际发出时间（--at）")
            }
            Self::BeforeMade { made } => format!(
                "该成分登记于{made}，晚于所填时间，当时无从查询可否发出；请填写实际发出时间（--at）。{HAPPENED_ZH}"
            ),
            Self::BeforeRelease { released } => {
                let released = released.map_or_else(String::new, |at| format!("（放行于{at}）"));
                format!("该献血在所填时间尚未放行{released}；请填写实际发出时间（--at）。{HAPPENED_ZH}")
            }
            Self::OutAlready { consignee, entry } => {
                format!("已发往{consignee}（条目{entry}）；请先登记退回。{HAPPENED_ZH}")
            }
            Self::Gone(place) => {
                format!("该成分为{}，不能如此登记。若为发出：{HAPPENED_ZH}", place.chinese())
            }
            Self::LookedUp { of, is_closed } => looked_up_zh(of, *is_closed),
            Self::NotReleased { why_zh, .. } => format!("该献血未放行：{why_zh}。{HAPPENED_ZH}"),
            Self::Overtaken { entry } => format!("已有他人先行登记，条目{entry}未生效；请重新查看"),
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

fn looked_up(of: &LookbackId, is_closed: bool) -> String {
    let LookbackId { trigger, marker, .. } = of;
    if is_closed {
        let clear = lookback_command(of, "cleared");
        format!(
            "the look-back for {marker} that donation {trigger} raised is closed, and what was found in {trigger} stands: nothing of \
             this donation goes. Take it out (component discarded); or two people who do look-backs say, each by name, that what \
             is here may go ({clear}). {HAPPENED}"
        )
    } else {
        format!(
            "a look-back at this donation is open (for {marker}, raised by donation {trigger}): nothing of it goes. {HAPPENED}"
        )
    }
}

fn looked_up_zh(of: &LookbackId, is_closed: bool) -> String {
    let LookbackId { trigger, marker, .. } = of;
    if is_closed {
        let clear = lookback_command(of, "cleared");
        format!(
            "献血{trigger}引起的{marker}回溯已关闭，但其检出仍成立，本次献血不得发出。请报废（component discarded）；或由两名办理回溯的人员分别确认库存可发出（{clear}）。{HAPPENED_ZH}"
        )
    } else {
        format!("该献血正在回溯（{marker}，由献血{trigger}引起），不得发出。{HAPPENED_ZH}")
    }
}
