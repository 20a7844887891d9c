//! A sentence for people, in English and Chinese.

use std::io;

/// The same thing said twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl Said {
    /// Both.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }

    /// What the system says about a socket, a device or a file, and what a technician can do about it.
    #[must_use]
    pub fn of_system(error: &io::Error) -> Self {
        match REMEDIES.iter().find(|(kind, ..)| *kind == error.kind()) {
            Some((_, en, zh)) => Self::new(format!("{error}: {en}"), format!("{zh}({error})")),
            None => Self::new(error.to_string(), format!("系统报告:{error}")),
        }
    }
}

const REMEDIES: &[(io::ErrorKind, &str, &str)] = &[
    (
        io::ErrorKind::ConnectionRefused,
        "nothing listens there; is the analyser's program running, and the port right?",
        "对方未监听:请检查仪器程序是否运行、端口是否正确",
    ),
    (
        io::ErrorKind::TimedOut,
        "no answer; is the analyser on, and the cable in?",
        "无应答:请检查仪器是否开机、网线是否连接",
    ),
    (
        io::ErrorKind::HostUnreachable,
        "there is no way to it; check address, cable and firewall",
        "网络不可达:请检查地址、网线和防火墙",
    ),
    (
        io::ErrorKind::NetworkUnreachable,
        "there is no way to it; check address, cable and firewall",
        "网络不可达:请检查地址、网线和防火墙",
    ),
    (io::ErrorKind::ConnectionReset, "the other side broke the connection", "对方中断了连接"),
    (io::ErrorKind::ConnectionAborted, "the connection was broken", "连接被中断"),
    (io::ErrorKind::BrokenPipe, "the other side is gone", "对方已离开"),
    (io::ErrorKind::UnexpectedEof, "the other side has closed the connection", "对方已关闭连接"),
    (
        io::ErrorKind::NotFound,
        "it is not there; check path, name and cable",
        "不存在:请检查路径、名称和连接线",
    ),
    (
        io::ErrorKind::PermissionDenied,
        "hemogate may not use it; check owner, group and mode",
        "权限不足:请检查属主、属组和访问权限",
    ),
    (
        io::ErrorKind::AddrInUse,
        "the address is taken; is another daemon running?",
        "地址被占用:是否有另一个守护进程在运行?",
    ),
    (io::ErrorKind::ResourceBusy, "another program has it; end that program", "被其他程序占用:请结束该程序"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_comes_with_what_to_do() {
        for (kind, en, zh) in [
            (io::ErrorKind::ConnectionRefused, "nothing listens there", "对方未监听"),
            (io::ErrorKind::PermissionDenied, "may not use it", "权限不足"),
            (io::ErrorKind::Other, "other error", "系统报告"),
        ] {
            let said = Said::of_system(&kind.into());
            assert!(said.en.contains(en) && said.zh.contains(zh), "{said:?}");
        }
    }
}
