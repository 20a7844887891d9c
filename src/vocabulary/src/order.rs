//! Orders: what is to be tested, on which specimen, and what has become of it.

use crate::{ConnectionId, OrderId, SpecimenId};
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How soon a test is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// At once.
    Stat,
    /// In its turn.
    #[default]
    Routine,
}

/// Administrative sex, as far as a dialect of orders asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Male.
    Male,
    /// Female.
    Female,
    /// Neither is recorded.
    Other,
}

/// What an analyser may want to know of a donor. All of it may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OrderDonor {
    /// The centre's donor number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name, as one text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Birth date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<Date>,
    /// Sex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
}

/// An order: tests on one specimen. Never evidence of anything, and never a registration of the donation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The number that whoever placed it gave it.
    pub id: OrderId,
    /// The specimen, normalised by the site's identifier rule: what scans are compared with.
    pub specimen: SpecimenId,
    /// The specimen id as the order gave it, where that differs: what is printed on the tube.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_given: Option<SpecimenId>,
    /// The assays, as profiles name them; each once, sorted.
    pub assays: Vec<String>,
    /// How soon.
    #[serde(default)]
    pub priority: Priority,
    /// What the specimen is (serum, plasma, …), as the order said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specimen_type: Option<String>,
    /// When it was taken, by the laboratory's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<DateTime>,
    /// The only connection that may do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_on: Option<ConnectionId>,
    /// The donor, as far as analysers ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub donor: Option<OrderDonor>,
}

impl Order {
    /// The same order with its assays each once and sorted, so that equal orders are equal.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.assays.sort_unstable();
        self.assays.dedup();
        self
    }

    /// The specimen id as the order gave it.
    #[must_use]
    pub fn given_specimen(&self) -> &SpecimenId {
        self.as_given.as_ref().unwrap_or(&self.specimen)
    }
}

/// What an order message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderAction {
    /// A new order, or the same one again.
    #[default]
    Place,
    /// Not to be done any more.
    Cancel,
}

/// What has become of an order, or of one assay of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Placed; no analyser has it.
    Placed,
    /// An analyser has it; no result yet.
    Sent,
    /// Every analyser that was given it refused it; still to be done.
    Refused,
    /// A result of the assay came for the specimen.
    Resulted,
    /// Cancelled.
    Cancelled,
    /// Too old: ended without a result.
    Expired,
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Placed, Self::Sent, Self::Refused, Self::Resulted, Self::Cancelled, Self::Expired];

    /// Whether something is still to be done.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Placed | Self::Sent | Self::Refused => true,
            Self::Resulted | Self::Cancelled | Self::Expired => false,
        }
    }

    /// Its name, as JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Resulted => "resulted",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Its name in Chinese.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Placed => "待检",
            Self::Sent => "已发送",
            Self::Refused => "仪器拒绝",
            Self::Resulted => "已出结果",
            Self::Cancelled => "已取消",
            Self::Expired => "已过期",
        }
    }

    /// The state of an order whose assays are in `states`: what still needs a person first, then what waits, then
    /// what has ended, without a result before with one.
    #[must_use]
    pub fn of_all(states: impl IntoIterator<Item = Self>) -> Self {
        let rank = |state: &Self| match state {
            Self::Refused => 0,
            Self::Placed => 1,
            Self::Sent => 2,
            Self::Expired => 3,
            Self::Resulted => 4,
            Self::Cancelled => 5,
        };
        states.into_iter().min_by_key(rank).unwrap_or(Self::Cancelled)
    }
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How an analyser's question was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryOutcome {
    /// With orders.
    Found {
        /// Which.
        orders: Vec<OrderId>,
        /// The other specimens asked for, on which there is nothing to do.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        nothing: Vec<NotFound>,
    },
    /// With "nothing to do", and why.
    NothingFound {
        /// Why, for each specimen asked for.
        why: Vec<NotFound>,
    },
    /// It was not answered, or with an error.
    Refused {
        /// Why.
        why: String,
    },
    /// The analyser withdrew it.
    Cancelled,
}

/// A specimen that was asked for, and why there is nothing to do on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotFound {
    /// As the analyser read it.
    pub specimen: String,
    /// Why.
    pub why: WhyNothing,
}

/// Why an analyser that asks for a specimen gets no order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNothing {
    /// The id does not fit the site's identifier rules.
    NoIdentifier {
        /// Why not, in English.
        why: String,
        /// The same in Chinese.
        why_zh: String,
    },
    /// There is no order for it.
    NoOrder,
    /// Its orders have ended.
    Ended {
        /// How the last one did.
        state: OrderState,
    },
    /// Nothing that is open can be done here.
    NotHere {
        /// The assays that are open.
        assays: Vec<String>,
    },
    /// What is open may be done on other connections only.
    OnlyOn {
        /// Which.
        connections: Vec<ConnectionId>,
    },
}

impl WhyNothing {
    /// In English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::NoIdentifier { why, .. } => format!("the specimen id cannot be matched: {why}"),
            Self::NoOrder => "there is no order for this specimen".to_owned(),
            Self::Ended { state } => format!("its orders have ended: {state}"),
            Self::NotHere { assays } => {
                format!("open are {}, which this analyser cannot do", assays.join(", "))
            }
            Self::OnlyOn { connections } => format!("to be done only on {}", joined(connections, ", ")),
        }
    }

    /// In Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::NoIdentifier { why_zh, .. } => format!("标本号无法匹配：{why_zh}"),
            Self::NoOrder => "该标本没有申请".to_owned(),
            Self::Ended { state } => format!("该标本的申请已结束：{}", state.chinese()),
            Self::NotHere { assays } => format!("待检项目为{}，本仪器不能做", assays.join("、")),
            Self::OnlyOn { connections } => format!("限定在{}上检测", joined(connections, "、")),
        }
    }
}

fn joined(connections: &[ConnectionId], by: &str) -> String {
    connections.iter().map(ConnectionId::as_str).collect::<Vec<_>>().join(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_all(states: &[OrderState], expect: OrderState) {
        assert_eq!(OrderState::of_all(states.iter().copied()), expect, "{states:?}");
        assert_eq!(OrderState::of_all(states.iter().rev().copied()), expect, "{states:?} reversed");
    }

    #[test]
    fn an_order_is_as_far_as_its_assay_that_needs_most() {
        use OrderState::{Cancelled, Expired, Placed, Refused, Resulted, Sent};
        check_all(&[], Cancelled);
        check_all(&[Placed, Sent], Placed);
        check_all(&[Refused, Placed, Resulted], Refused);
        check_all(&[Sent, Resulted], Sent);
        check_all(&[Resulted, Cancelled], Resulted);
        check_all(&[Resulted, Cancelled, Expired], Expired);
        check_all(&[Cancelled, Expired], Expired);
    }

    #[test]
    fn an_order_is_open_exactly_while_one_of_its_assays_is() {
        for a in OrderState::ALL {
            for b in OrderState::ALL {
                assert_eq!(OrderState::of_all([a, b]).is_open(), a.is_open() || b.is_open(), "{a} {b}");
            }
        }
    }

    #[test]
    fn what_an_order_leaves_out_is_read_as_absent() {
        let order: Order =
            serde_json::from_str(r#"{"id":"L1","specimen":"G1","assays":["HCV","HBsAg","HCV"]}"#).unwrap();
        assert_eq!((order.priority, order.donor.clone()), (Priority::Routine, None));
        let order = order.in_order();
        assert_eq!(order.assays, ["HBsAg", "HCV"]);
        let text = serde_json::to_string(&order).unwrap();
        assert_eq!(text, r#"{"id":"L1","specimen":"G1","assays":["HBsAg","HCV"],"priority":"routine"}"#);
        assert_eq!(serde_json::from_str::<Order>(&text).unwrap(), order);
    }

    #[test]
    fn stat_comes_before_routine() {
        assert!(Priority::Stat < Priority::Routine);
    }
}
