//! Why somebody did not get in, in words.

use super::{
    entrance::{INTRODUCED_WITHIN, WAITING_MAX},
    proxy::NoHeader,
};
use crate::{irregular::Irregularity, said::Said};
use std::{io, net::IpAddr};

/// Why somebody did not get in.
#[derive(Debug)]
pub(crate) enum Turned {
    /// It opened and closed without a byte: somebody looked whether we are there.
    Empty,
    /// The process has hardly a descriptor left, and the ledger's files come first.
    NoDescriptors,
    /// It waited longest when there was no room, or hemogate stops.
    MadeRoom,
    /// Its address is not among those that may connect.
    Foreign(IpAddr),
    /// It is not one of the proxies that may speak for others.
    NoProxy(IpAddr),
    Proxy(NoHeader),
    Tls(Said),
    /// It did not introduce itself in time.
    Slow(Step),
    /// The line belongs to another one who is talking.
    Busy(Option<IpAddr>),
    Lost(io::Error),
}

/// What an introduction consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Proxy,
    Handshake,
}

impl Turned {
    /// As what it is counted.
    pub(crate) fn kind(&self) -> Irregularity {
        match self {
            Self::Tls(_) | Self::Slow(Step::Handshake) => Irregularity::Tls,
            Self::Empty
            | Self::MadeRoom
            | Self::NoDescriptors
            | Self::Foreign(_)
            | Self::NoProxy(_)
            | Self::Proxy(_)
            | Self::Slow(Step::Proxy)
            | Self::Busy(_)
            | Self::Lost(_) => Irregularity::TurnedAway,
        }
    }

    /// What happened, and what to do.
    pub(crate) fn said(&self) -> Said {
        let (en, zh) = match self {
            Self::Empty => ("closed without a byte".to_owned(), "未发任何字节即关闭".to_owned()),
            Self::MadeRoom => (
                format!(
                    "it waited longest of more than {WAITING_MAX} connections that have said nothing, and was \
                     closed; find out who opens so many"
                ),
                format!(
                    "无数据的等待连接超过 {WAITING_MAX} 个,关闭其中等待最久者:请查明由谁发起如此多的连接"
                ),
            ),
            Self::NoDescriptors => (
                "hemogate may open hardly any more files and sockets; raise the limit (ulimit -n, LimitNOFILE), or \
                 find out who opens so many"
                    .to_owned(),
                "hemogate 可打开的文件和连接数即将用尽:请调高上限(ulimit -n、LimitNOFILE),或查明由谁发起如此多的连接"
                    .to_owned(),
            ),
            Self::Foreign(ip) => (
                format!(
                    "{ip} is not among the peers that may connect here; if it is the analyser, add it to peers"
                ),
                format!("{ip} 不在允许接入的地址之内:如确为该仪器,请加入 peers"),
            ),
            Self::NoProxy(ip) => (
                format!(
                    "{ip} is not among the proxies; everyone comes through one here; if it is one, add it to proxies"
                ),
                format!("{ip} 不是已登记的代理,而此处的连接均须经代理:如确为代理,请加入 proxies"),
            ),
            Self::Proxy(why) => return why.said(),
            Self::Tls(why) => return why.clone(),
            Self::Slow(step) => return slow(*step),
            Self::Busy(Some(holder)) => (
                format!(
                    "{holder} is talking on this line, and one analyser has a line to itself; give this one its own \
                     connection, or raise sockets_max"
                ),
                format!(
                    "{holder} 正在此线路上通信,一台仪器独占一条线路:请为该仪器另设连接,或调大 sockets_max"
                ),
            ),
            Self::Busy(None) => (
                "the line is taken; raise sockets_max if it needs more sockets".to_owned(),
                "线路已被占用:如需同时使用多个连接,请调大 sockets_max".to_owned(),
            ),
            Self::Lost(error) => {
                return Said::of_system(error)
                    .behind("lost before it said who it is: ", "对方尚未表明身份,连接已丢失:");
            }
        };
        Said { en, zh }
    }
}

fn slow(step: Step) -> Said {
    let seconds = INTRODUCED_WITHIN.as_secs();
    match step {
        Step::Proxy => Said::new(
            format!("no PROXY header within {seconds}s; let the proxy send one (version 2)"),
            format!("{seconds} 秒内未收到 PROXY 头:请让代理发送(第 2 版)"),
        ),
        Step::Handshake => Said::new(
            format!("no TLS handshake within {seconds}s; is TLS switched on at the analyser?"),
            format!("{seconds} 秒内未完成 TLS 握手:仪器是否启用了 TLS?"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::said::is_chinese;

    #[test]
    fn whoever_is_turned_away_is_told_about_in_both_languages_with_what_to_do() {
        let ip = IpAddr::from([10, 0, 0, 7]);
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        for (why, kind, en, zh) in [
            (Turned::Empty, Irregularity::TurnedAway, "without a byte", "即关闭"),
            (Turned::MadeRoom, Irregularity::TurnedAway, "find out who", "请查明"),
            (Turned::NoDescriptors, Irregularity::TurnedAway, "raise the limit", "请调高上限"),
            (Turned::Foreign(ip), Irregularity::TurnedAway, "add it to peers", "请加入 peers"),
            (Turned::NoProxy(ip), Irregularity::TurnedAway, "add it to proxies", "请加入 proxies"),
            (Turned::Proxy(NoHeader::Absent), Irregularity::TurnedAway, "no PROXY header", "PROXY 头"),
            (Turned::Tls(Said::new("TLS: x", "TLS:甲")), Irregularity::Tls, "TLS: x", "TLS:甲"),
            (
                Turned::Slow(Step::Proxy),
                Irregularity::TurnedAway,
                "no PROXY header within 10s",
                "请让代理发送",
            ),
            (
                Turned::Slow(Step::Handshake),
                Irregularity::Tls,
                "no TLS handshake within 10s",
                "是否启用了 TLS",
            ),
            (Turned::Busy(Some(ip)), Irregularity::TurnedAway, "10.0.0.7 is talking", "请为该仪器另设连接"),
            (Turned::Busy(None), Irregularity::TurnedAway, "raise sockets_max", "请调大 sockets_max"),
            (Turned::Lost(reset), Irregularity::TurnedAway, "broke the connection", "对方中断了连接"),
        ] {
            let said = why.said();
            assert_eq!(why.kind(), kind, "{why:?}");
            assert!(said.en.contains(en) && said.zh.contains(zh) && is_chinese(&said.zh), "{said:?}");
        }
    }
}
