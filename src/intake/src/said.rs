//! A sentence for people, in English and Chinese.

use serde::Serialize;
use std::io;

/// The same thing said twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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

    /// The same with something behind it.
    #[must_use]
    pub fn and(self, en: impl AsRef<str>, zh: impl AsRef<str>) -> Self {
        Self { en: self.en + en.as_ref(), zh: self.zh + zh.as_ref() }
    }

    /// The same with something before it.
    #[must_use]
    pub fn behind(self, en: impl AsRef<str>, zh: impl AsRef<str>) -> Self {
        Self { en: en.as_ref().to_owned() + &self.en, zh: zh.as_ref().to_owned() + &self.zh }
    }

    /// What the system says about a socket, a device or a file, and what a technician can do about it.
    #[must_use]
    pub fn of_system(error: &io::Error) -> Self {
        match Self::remedy(error.kind()) {
            Some(remedy) => Self::new(format!("{error}: {}", remedy.en), format!("{}({error})", remedy.zh)),
            None => Self::new(error.to_string(), format!("系统报告:{error}")),
        }
    }

    /// What a technician can do about something that the system refuses.
    #[must_use]
    pub fn remedy(kind: io::ErrorKind) -> Option<Self> {
        REMEDIES.iter().find(|(listed, ..)| *listed == kind).map(|(_, en, zh)| Self::new(*en, *zh))
    }

    /// A host name that has no address.
    #[must_use]
    pub fn unknown_name(address: &str, error: &io::Error) -> Self {
        Self::new(
            format!(
                "the name in {address:?} is not known ({error}); look for a slip, ask the name server, or write the \
                 address in numbers"
            ),
            format!("无法解析 {address:?} 中的主机名:请核对拼写、检查 DNS,或直接填写 IP 地址({error})"),
        )
    }
}

/// Whether there is Chinese in it: tests ask.
#[cfg(test)]
pub(crate) fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
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
    (
        io::ErrorKind::AddrNotAvailable,
        "this machine does not have that address; mend it, or listen on 0.0.0.0",
        "本机没有该地址:请更正,或改为监听 0.0.0.0",
    ),
    (
        io::ErrorKind::NetworkDown,
        "this machine's network is down; check cable and adapter",
        "本机网络未连通:请检查网线和网卡",
    ),
    (io::ErrorKind::NotADirectory, "it is no folder; mend the path", "不是文件夹:请更正路径"),
    (
        io::ErrorKind::ReadOnlyFilesystem,
        "nothing can be written there; mount it for writing",
        "文件系统只读:请以可写方式挂载",
    ),
    (io::ErrorKind::StorageFull, "there is no space left; make some", "磁盘已满:请清理空间"),
    (
        io::ErrorKind::StaleNetworkFileHandle,
        "the share has gone and come back; mount it again",
        "共享已失效:请重新挂载",
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
            (io::ErrorKind::AddrInUse, "another daemon", "地址被占用"),
            (io::ErrorKind::HostUnreachable, "check address, cable and firewall", "防火墙"),
            (io::ErrorKind::Other, "other error", "系统报告"),
        ] {
            let said = Said::of_system(&kind.into());
            assert!(said.en.contains(en) && said.zh.contains(zh), "{said:?}");
        }
    }

    #[test]
    fn every_remedy_is_there_once_and_in_both_languages() {
        for (kind, en, zh) in REMEDIES {
            assert_eq!(REMEDIES.iter().filter(|(other, ..)| other == kind).count(), 1, "{kind}");
            assert!(!en.is_empty() && !is_chinese(en) && is_chinese(zh), "{kind}: {en} {zh}");
            let said = Said::of_system(&(*kind).into());
            assert!(said.en.contains(en) && said.zh.contains(zh), "{said:?}");
        }
        let said = Said::unknown_name("arch:9101", &io::Error::other("no such name"));
        assert!(said.en.contains("arch:9101") && is_chinese(&said.zh), "{said:?}");
    }
}
