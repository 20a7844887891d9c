//! Why donations are not registered, in English and Chinese.

use jiff::Timestamp;
use ledger::{ReadError, Seq, Untaken};
use std::fmt;
use vocabulary::{DonationId, DonorIdError, RegistrationPart};

/// Rows that a refusal names; of more it says how many.
const ROWS_TOLD_MAX: usize = 20;

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Rows that may not stand; the others do.
    Rows {
        /// Which.
        rows: Vec<RowRefused>,
        /// How many others were registered.
        registered: usize,
    },
    /// It was written, and the state kept what stood: somebody else registered the number meanwhile.
    Untaken {
        /// Which donation.
        donation: DonationId,
        /// What of it was not taken.
        untaken: Untaken,
    },
    /// The ledger does not answer, or takes nothing.
    Broken(String),
}

/// A row that may not stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRefused {
    /// Its place in the list, from 0.
    pub row: usize,
    /// Its donation.
    pub donation: DonationId,
    /// Why not.
    pub fault: RowFault,
    /// What of it holds all the same.
    pub holds: Holds,
}

/// What of a refused row holds the donation all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Nothing: it says nothing that would.
    Nothing,
    /// It is to be written.
    New,
    /// It is written, in this entry.
    Since(Seq),
    /// It was written in this entry, and two people have named another registration since: that one stands.
    Settled(Seq),
}

impl Holds {
    fn words(self) -> [String; 2] {
        match self {
            Self::Nothing | Self::New => [String::new(), String::new()],
            Self::Since(entry) => [
                format!(
                    "; it is kept (entry {entry}): whatever it holds more holds, and while it says another thing the donation waits \
                     until it is found out in the blood information system which of the two it is"
                ),
                format!(
                    "；本行已留存（记录 {entry}）：其中从严的内容有效，内容不一致时该献血暂扣，须在血液信息系统中核实以哪一次为准"
                ),
            ],
            Self::Settled(entry) => [
                format!(
                    "; the same was registered in entry {entry}, and two people have named the other registration since, which \
                     stands: correct it in the blood information system, or have two people name this one (hemogate donation \
                     settle-registration)"
                ),
                format!(
                    "；相同内容已登记（记录 {entry}），此后两人已确认以另一份登记为准：请在血液信息系统中更正，或由两人改以本份为准（hemogate donation settle-registration）"
                ),
            ],
        }
    }
}

/// Why a row may not stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFault {
    /// The number is registered already.
    Registered {
        /// By which entry.
        entry: Seq,
        /// What differs.
        parts: Vec<RegistrationPart>,
    },
    /// The donor's number is none.
    Donor(DonorIdError),
    /// It was taken in the future.
    ToCome {
        /// When, as it says.
        collected_at: Timestamp,
        /// What time it is here.
        now: Timestamp,
    },
    /// A row before it has the number.
    Row {
        /// Which, from 0.
        row: usize,
        /// What differs.
        parts: Vec<RegistrationPart>,
    },
}

impl RowFault {
    /// In what it differs.
    pub(super) fn parts(&self) -> &[RegistrationPart] {
        match self {
            Self::Registered { parts, .. } | Self::Row { parts, .. } => parts,
            Self::Donor(_) | Self::ToCome { .. } => &[],
        }
    }

    /// It is wrong by itself, whatever was registered before.
    fn is_of_the_row_alone(&self) -> bool {
        match self {
            Self::Donor(_) | Self::ToCome { .. } => true,
            Self::Registered { .. } | Self::Row { .. } => false,
        }
    }

    fn words(&self, donation: &DonationId) -> [String; 2] {
        match self {
            Self::Registered { entry, parts } => {
                let [en, zh] = RegistrationPart::listed(parts);
                [
                    format!(
                        "donation {donation} is registered already (entry {entry}), and this row differs ({en}); a registration \
                         may only become stricter here"
                    ),
                    format!("献血{donation}已登记（记录 {entry}），本行内容不同（{zh}）；重新登记只能从严"),
                ]
            }
            Self::Donor(why) => {
                [format!("donation {donation}: donor.id: {why}"), format!("献血{donation}：{}", why.zh())]
            }
            Self::ToCome { collected_at, now } => [
                format!(
                    "donation {donation}: collected_at {collected_at} is in the future (it is {now} here): correct it, or the \
                     clock that it was taken from"
                ),
                format!(
                    "献血{donation}：采集时间 {collected_at} 晚于当前时间（{now}），请更正该时间或其来源时钟"
                ),
            ],
            Self::Row { row, parts } => {
                let [en, zh] = RegistrationPart::listed(parts);
                [
                    format!(
                        "donation {donation} stands in row {row} of this list already, and this row differs ({en}); one number \
                         is one donation: find out which of the two it is"
                    ),
                    format!(
                        "献血{donation}已在本清单第 {row} 行，本行内容不同（{zh}）；一号只能对应一次献血，请核实"
                    ),
                ]
            }
        }
    }
}

impl Refused {
    /// Some row is wrong by itself, and would be refused at any other time too.
    #[must_use]
    pub fn is_of_a_row_alone(&self) -> bool {
        match self {
            Self::Rows { rows, .. } => rows.iter().any(|row| row.fault.is_of_the_row_alone()),
            Self::Untaken { .. } | Self::Broken(_) => false,
        }
    }

    /// Why, in English and Chinese.
    #[must_use]
    pub fn words(&self) -> [String; 2] {
        match self {
            Self::Rows { rows, registered } => {
                let (mut en, mut zh) = (Vec::new(), Vec::new());
                for one in rows.iter().take(ROWS_TOLD_MAX) {
                    let ([of_en, of_zh], [kept_en, kept_zh]) =
                        (one.fault.words(&one.donation), one.holds.words());
                    en.push(format!("row {}: {of_en}{kept_en}", one.row));
                    zh.push(format!("第 {} 行：{of_zh}{kept_zh}", one.row));
                }
                if let Some(more) = rows.len().checked_sub(ROWS_TOLD_MAX).filter(|more| *more > 0) {
                    en.push(format!("and {more} more rows"));
                    zh.push(format!("另有 {more} 行"));
                }
                if *registered > 0 {
                    en.push(format!("the other rows are registered ({registered})"));
                    zh.push(format!("其余 {registered} 行已登记"));
                }
                [en.join("; "), zh.join("；")]
            }
            Self::Untaken { donation, untaken } => {
                let [en, zh] = RegistrationPart::listed(&untaken.parts);
                let entry = untaken.entry;
                [
                    format!(
                        "donation {donation} was registered by somebody else meanwhile; what stood stays, and of entry {entry} \
                         nothing was eased ({en}): look at the donation"
                    ),
                    format!(
                        "献血{donation}同时已由他人登记；原登记保留，记录 {entry} 中从宽的内容未采用（{zh}），请查看该献血"
                    ),
                ]
            }
            Self::Broken(why) => [why.clone(), why.clone()],
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(why) => f.write_str(why),
            Self::Rows { .. } | Self::Untaken { .. } => {
                let [en, zh] = self.words();
                write!(f, "{en}（{zh}）")
            }
        }
    }
}

impl std::error::Error for Refused {}

impl From<ReadError> for Refused {
    fn from(why: ReadError) -> Self {
        Self::Broken(why.to_string())
    }
}
