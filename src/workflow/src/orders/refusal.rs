//! Why an order is not taken, for people in English and Chinese.

use crate::Unlocated;
use vocabulary::{OrderId, OrderState, SpecimenId};

/// Why an order, a change or a cancellation is not taken. Nothing of it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The specimen id does not fit the site's rule.
    Specimen {
        /// As given.
        given: String,
        /// Why not.
        why: Unlocated,
    },
    /// A field cannot be read.
    Field {
        /// Which.
        field: &'static str,
        /// Why not, and what to write.
        why: String,
    },
    /// It asks for nothing.
    NoAssay,
    /// No profile knows the assay.
    UnknownAssay {
        /// As given.
        assay: String,
        /// Names like it.
        nearest: Vec<String>,
    },
    /// More assays than one order may have.
    TooManyAssays {
        /// The limit.
        max: usize,
    },
    /// It is bound to a connection that is not configured.
    UnknownConnection {
        /// As given.
        connection: String,
        /// Names like it.
        nearest: Vec<String>,
    },
    /// The number belongs to an order for another specimen.
    OtherSpecimen {
        /// The order.
        order: OrderId,
        /// Its specimen.
        specimen: SpecimenId,
    },
    /// Too many orders are open for the specimen.
    TooManyForSpecimen {
        /// The limit.
        max: usize,
    },
    /// Too many orders are open.
    TooManyOpen {
        /// The limit.
        max: u64,
    },
    /// The order was changed too often.
    TooManyVersions {
        /// The limit.
        max: u32,
    },
    /// There is no such order.
    NoSuchOrder {
        /// The number.
        order: OrderId,
    },
    /// Nothing of it is open any more.
    NothingOpen {
        /// The order.
        order: OrderId,
        /// How it ended.
        state: OrderState,
    },
    /// The assay is not one of the order.
    NotOrdered {
        /// As given.
        assay: String,
        /// The assays of the order.
        ordered: Vec<String>,
    },
}

impl Refusal {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Specimen { .. } => "specimen_unknown_form",
            Self::Field { .. } => "field_unreadable",
            Self::NoAssay => "no_assay",
            Self::UnknownAssay { .. } => "unknown_assay",
            Self::TooManyAssays { .. } => "too_many_assays",
            Self::UnknownConnection { .. } => "unknown_connection",
            Self::OtherSpecimen { .. } => "other_specimen",
            Self::TooManyForSpecimen { .. } => "too_many_for_specimen",
            Self::TooManyOpen { .. } => "too_many_open",
            Self::TooManyVersions { .. } => "too_many_versions",
            Self::NoSuchOrder { .. } => "no_such_order",
            Self::NothingOpen { .. } => "nothing_open",
            Self::NotOrdered { .. } => "not_ordered",
        }
    }

    /// What is wrong and what to do, in English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::Specimen { given, why } => format!("specimen {given:?}: {}", why.what),
            Self::Field { field, why } => format!("{field}: {why}"),
            Self::NoAssay => "it names no assay; name at least one".to_owned(),
            Self::UnknownAssay { assay, nearest } if nearest.is_empty() => {
                format!("no profile knows the assay {assay:?}; hemogate profile show ID lists their names")
            }
            Self::UnknownAssay { assay, nearest } => {
                format!("no profile knows the assay {assay:?}; did you mean {}?", nearest.join(" or "))
            }
            Self::TooManyAssays { max } => format!("an order has at most {max} assays; split it"),
            Self::UnknownConnection { connection, nearest } if nearest.is_empty() => {
                format!("there is no connection {connection:?}")
            }
            Self::UnknownConnection { connection, nearest } => {
                format!("there is no connection {connection:?}; did you mean {}?", nearest.join(" or "))
            }
            Self::OtherSpecimen { order, specimen } => format!(
                "order {order} is for specimen {specimen}; an order for another specimen needs another number"
            ),
            Self::TooManyForSpecimen { max } => {
                format!("{max} orders are open for this specimen; cancel what is not wanted")
            }
            Self::TooManyOpen { max } => {
                format!("{max} orders are open; cancel what is not wanted or let them age out sooner")
            }
            Self::TooManyVersions { max } => {
                format!("the order was changed {max} times; order under another number")
            }
            Self::NoSuchOrder { order } => format!("there is no order {order}"),
            Self::NothingOpen { order, state } => format!("nothing of order {order} is open: it is {state}"),
            Self::NotOrdered { assay, ordered } => {
                format!("{assay:?} is not in the order; it has {}", ordered.join(", "))
            }
        }
    }

    /// What is wrong and what to do, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::Specimen { given, why } => format!("标本号{given:?}：{}", why.what_zh),
            Self::Field { field, why } => format!("字段{field}无法识别：{why}"),
            Self::NoAssay => "没有检测项目，请至少填写一个".to_owned(),
            Self::UnknownAssay { assay, nearest } if nearest.is_empty() => {
                format!("没有仪器配置认识项目{assay:?}，可用 hemogate profile show 查看项目名称")
            }
            Self::UnknownAssay { assay, nearest } => {
                format!("没有仪器配置认识项目{assay:?}，是否为{}？", nearest.join("或"))
            }
            Self::TooManyAssays { max } => format!("一个申请最多{max}个项目，请拆分"),
            Self::UnknownConnection { connection, nearest } if nearest.is_empty() => {
                format!("没有名为{connection:?}的连接")
            }
            Self::UnknownConnection { connection, nearest } => {
                format!("没有名为{connection:?}的连接，是否为{}？", nearest.join("或"))
            }
            Self::OtherSpecimen { order, specimen } => {
                format!("申请{order}属于标本{specimen}，其他标本请使用新的申请号")
            }
            Self::TooManyForSpecimen { max } => {
                format!("该标本已有{max}个未完成的申请，请取消不需要的")
            }
            Self::TooManyOpen { max } => format!("未完成的申请已达{max}个，请取消不需要的或缩短有效期"),
            Self::TooManyVersions { max } => format!("该申请已更改{max}次，请使用新的申请号"),
            Self::NoSuchOrder { order } => format!("没有申请{order}"),
            Self::NothingOpen { order, state } => {
                format!("申请{order}没有未完成的项目：{}", state.chinese())
            }
            Self::NotOrdered { assay, ordered } => {
                format!("申请中没有项目{assay:?}，其项目为{}", ordered.join("、"))
            }
        }
    }
}
