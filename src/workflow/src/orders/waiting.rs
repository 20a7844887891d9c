//! Why an order has not gone out, or has no result yet: in words for whoever waits for it.

use super::{Analyser, Exchange, OrderRules};
use ledger::{OrderView, OrderedAssay};
use serde::Serialize;
use vocabulary::{ConnectionId, Mode, OrderState};

/// Why one assay of an order waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waits {
    /// The assay.
    pub assay: String,
    /// How far it is.
    pub state: OrderState,
    /// Why, in English.
    pub why: String,
    /// Why, in Chinese.
    pub why_zh: String,
}

/// Why an assay waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// No connection can do it.
    NoAnalyser,
    /// It is bound to a connection that is not configured.
    BoundToNone(ConnectionId),
    /// It is bound to a connection that cannot do it.
    BoundToUnable(ConnectionId),
    /// Who can do it is not connected.
    NotConnected(Vec<ConnectionId>),
    /// Who can do it gets no orders from here.
    ByHand(Vec<ConnectionId>),
    /// Who can do it has not asked for the specimen.
    NotAsked(Vec<ConnectionId>),
    /// It waits for its turn to be sent.
    InTurn(Vec<ConnectionId>),
    /// Everybody who can do it refused it.
    RefusedBy(Vec<ConnectionId>),
    /// An analyser has it.
    With(Vec<ConnectionId>),
}

/// Why each open assay of an order waits. `connected` tells whether an analyser is connected now.
#[must_use]
pub fn waits(rules: &OrderRules, order: &OrderView, connected: &dyn Fn(&ConnectionId) -> bool) -> Vec<Waits> {
    let open = order.assays.iter().filter(|a| a.state.is_open());
    open.map(|assay| {
        let why = why(rules, order.order.only_on.as_ref(), assay, connected);
        Waits { assay: assay.assay.clone(), state: assay.state, why: why.english(), why_zh: why.chinese() }
    })
    .collect()
}

fn why(
    rules: &OrderRules,
    only_on: Option<&ConnectionId>,
    assay: &OrderedAssay,
    connected: &dyn Fn(&ConnectionId) -> bool,
) -> Why {
    if assay.state == OrderState::Sent {
        let with = assay.sent.iter().filter(|s| s.accepted).map(|s| s.connection.clone());
        return Why::With(with.collect());
    }
    if let Some(only) = only_on {
        let Some(bound) = rules.analyser(only) else { return Why::BoundToNone(only.clone()) };
        if !bound.assays.contains(&assay.assay) {
            return Why::BoundToUnable(only.clone());
        }
    }
    let able: Vec<&Analyser> = rules
        .analysers
        .iter()
        .filter(|a| a.assays.contains(&assay.assay) && only_on.is_none_or(|only| *only == a.connection))
        .filter(|a| only_on.is_some() || a.mode == Mode::Production)
        .collect();
    if able.is_empty() {
        return Why::NoAnalyser;
    }
    let refused = |a: &Analyser| assay.sent.iter().any(|s| s.connection == a.connection && !s.accepted);
    let (refusing, willing): (Vec<&Analyser>, Vec<&Analyser>) = able.into_iter().partition(|a| refused(a));
    if willing.is_empty() {
        return Why::RefusedBy(ids(&refusing));
    }
    let (here, away): (Vec<&Analyser>, Vec<&Analyser>) =
        willing.into_iter().partition(|a| connected(&a.connection));
    if here.is_empty() {
        return Why::NotConnected(ids(&away));
    }
    for (exchange, why) in [
        (Exchange::Takes, Why::InTurn as fn(Vec<ConnectionId>) -> Why),
        (Exchange::Asks, Why::NotAsked),
        (Exchange::None, Why::ByHand),
    ] {
        let these: Vec<&Analyser> = here.iter().copied().filter(|a| a.exchange() == exchange).collect();
        if !these.is_empty() {
            return why(ids(&these));
        }
    }
    Why::NoAnalyser
}

impl Analyser {
    /// Nothing is ever sent to a line that is only listened to.
    fn exchange(&self) -> Exchange {
        if self.mode == Mode::ListenOnly { Exchange::None } else { self.exchange }
    }
}

fn ids(analysers: &[&Analyser]) -> Vec<ConnectionId> {
    analysers.iter().map(|a| a.connection.clone()).collect()
}

fn list(connections: &[ConnectionId], by: &str) -> String {
    connections.iter().map(ConnectionId::as_str).collect::<Vec<_>>().join(by)
}

impl Why {
    /// In English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::NoAnalyser => "no connection can do this assay".to_owned(),
            Self::BoundToNone(only) => format!("only on {only}, which is not configured"),
            Self::BoundToUnable(only) => format!("only on {only}, which cannot do this assay"),
            Self::NotConnected(able) => format!("only {} can do it, not connected now", list(able, ", ")),
            Self::ByHand(able) => {
                format!("{} can do it but gets no orders from here; enter it there", list(able, ", "))
            }
            Self::NotAsked(able) => format!("{} has not asked for this specimen yet", list(able, ", ")),
            Self::InTurn(able) => format!("waits for its turn to be sent to {}", list(able, ", ")),
            Self::RefusedBy(all) => format!("refused by {}; see its answer", list(all, ", ")),
            Self::With(with) => format!("{} has it; no result yet", list(with, ", ")),
        }
    }

    /// In Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::NoAnalyser => "没有连接能做此项目".to_owned(),
            Self::BoundToNone(only) => format!("限定在{only}，但该连接未配置"),
            Self::BoundToUnable(only) => format!("限定在{only}，但该仪器不能做此项目"),
            Self::NotConnected(able) => format!("只有{}能做，目前未连接", list(able, "、")),
            Self::ByHand(able) => format!("{}能做，但不从本系统接收申请，请在仪器上录入", list(able, "、")),
            Self::NotAsked(able) => format!("{}尚未查询该标本", list(able, "、")),
            Self::InTurn(able) => format!("等待发送到{}", list(able, "、")),
            Self::RefusedBy(all) => format!("{}已拒绝，请查看其应答", list(all, "、")),
            Self::With(with) => format!("已发送到{}，尚无结果", list(with, "、")),
        }
    }
}
