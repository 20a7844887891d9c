//! The PROXY protocol's second version: the address that a proxy says it speaks for.
//!
//! ```text
//!  0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A │ 21 │ 11 │ 00 0C │ source · destination · ports │ more, not read
//!  signature                           │ │└ 0 LOCAL, 1 PROXY
//!                                      │ └ version 2  │ └ 1 stream   └ bytes that follow
//!                                                     └ family: 1 IPv4, 2 IPv6, else unknown
//! ```
//! Only the header is read: the byte behind it is the analyser's first.

use crate::said::Said;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};
use tokio::io::{AsyncRead, AsyncReadExt};

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The command of a proxy that speaks for itself.
const LOCAL: u8 = 0;
const HEAD_BYTES: usize = 16;
/// The longest header taken; addresses and what proxies add are a few hundred bytes.
const REST_BYTES_MAX: usize = 4096;

/// Whom the proxy speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    /// Itself: a look whether we are there.
    Local,
    /// A peer at this address.
    For(IpAddr),
    /// A peer whose address it does not tell.
    Unknown,
}

/// Why there is no header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoHeader {
    #[error("closed without a byte")]
    Empty,
    #[error("the proxy sends version 1 of the PROXY header; set it to version 2")]
    FirstVersion,
    #[error("no PROXY header comes first; let the proxy send one (version 2), or take proxy_protocol away")]
    Absent,
    #[error("a PROXY header of version {0} is not known; only 2 is")]
    Version(u8),
    #[error("a PROXY header with the command {0} is not known")]
    Command(u8),
    #[error("a PROXY header of {0} bytes is longer than the {REST_BYTES_MAX} it may have")]
    TooLong(usize),
    #[error("a PROXY header of family {0} is too short for its addresses")]
    TooShort(u8),
    #[error("cut off inside the PROXY header: {0}")]
    Cut(io::ErrorKind),
}

impl NoHeader {
    /// The same in both languages.
    pub(crate) fn said(&self) -> Said {
        let zh = match self {
            Self::Empty => "未发任何字节即关闭".to_owned(),
            Self::FirstVersion => "代理发送的是第 1 版 PROXY 头:请改为第 2 版".to_owned(),
            Self::Absent => "连接开头没有 PROXY 头:请让代理发送(第 2 版),或去掉 proxy_protocol".to_owned(),
            Self::Version(version) => format!("不支持第 {version} 版 PROXY 头:请改为第 2 版"),
            Self::Command(command) => format!("不支持 PROXY 头中的命令 {command}:请检查代理的设置"),
            Self::TooLong(bytes) => {
                format!("PROXY 头有 {bytes} 字节,超过上限 {REST_BYTES_MAX}:请让代理少附加内容")
            }
            Self::TooShort(family) => format!("PROXY 头(地址族 {family})长度不足以容纳地址:请检查代理"),
            Self::Cut(kind) => format!("PROXY 头未收全即中断:请检查代理与网络({kind})"),
        };
        Said::new(self.to_string(), zh)
    }
}

/// How many bytes follow the first sixteen.
fn rest(head: &[u8; HEAD_BYTES]) -> Result<usize, NoHeader> {
    let [.., version_command, _, high, low] = *head;
    if !head.starts_with(SIGNATURE) {
        return Err(not_begun(head).unwrap_or(NoHeader::Absent));
    }
    match (version_command >> 4, version_command & 15) {
        (2, 0 | 1) => {}
        (2, command) => return Err(NoHeader::Command(command)),
        (version, _) => return Err(NoHeader::Version(version)),
    }
    match usize::from(u16::from_be_bytes([high, low])) {
        length if length > REST_BYTES_MAX => Err(NoHeader::TooLong(length)),
        length => Ok(length),
    }
}

/// Reads a header whose two parts are there.
fn parse(head: &[u8; HEAD_BYTES], rest: &[u8]) -> Result<Header, NoHeader> {
    let [.., version_command, family, _, _] = *head;
    if version_command & 15 == LOCAL {
        return Ok(Header::Local);
    }
    let short = Err(NoHeader::TooShort(family));
    match family >> 4 {
        1 if rest.len() < 12 => short,
        2 if rest.len() < 36 => short,
        1 => Ok(rest.first_chunk::<4>().map_or(Header::Unknown, |a| Header::For(Ipv4Addr::from(*a).into()))),
        2 => Ok(rest.first_chunk::<16>().map_or(Header::Unknown, |a| Header::For(Ipv6Addr::from(*a).into()))),
        _ => Ok(Header::Unknown),
    }
}

/// Why what came so far is not the beginning of a header, as soon as that is certain.
fn not_begun(so_far: &[u8]) -> Option<NoHeader> {
    let alike = so_far.iter().zip(SIGNATURE).all(|(came, wanted)| came == wanted);
    if alike {
        return None;
    }
    let first = b"PROXY ";
    let text = so_far.iter().zip(first).all(|(came, wanted)| came == wanted);
    match (text, so_far.len() < first.len()) {
        (true, true) => None,
        (true, false) => Some(NoHeader::FirstVersion),
        (false, _) => Some(NoHeader::Absent),
    }
}

/// Reads the header, and nothing behind it.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Header, NoHeader> {
    let mut head = [0; HEAD_BYTES];
    let mut filled = 0;
    while let Some(room) = head.get_mut(filled..).filter(|room| !room.is_empty()) {
        match stream.read(room).await.map_err(|e| e.kind()) {
            Ok(0) | Err(_) if filled == 0 => return Err(NoHeader::Empty),
            Ok(0) => return Err(NoHeader::Cut(io::ErrorKind::UnexpectedEof)),
            Ok(count) => filled += count,
            Err(kind) => return Err(NoHeader::Cut(kind)),
        }
        if let Some(why) = not_begun(head.get(..filled).unwrap_or_default()) {
            return Err(why);
        }
    }
    let mut behind = vec![0; rest(&head)?];
    stream.read_exact(&mut behind).await.map_err(|e| NoHeader::Cut(e.kind()))?;
    parse(&head, &behind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(version_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[version_command, family], &length, rest].concat()
    }

    fn v4(address: [u8; 4], more: &[u8]) -> Vec<u8> {
        header(0x21, 0x11, &[&address[..], &[10, 0, 0, 9], &[0xC0, 1], &[0x23, 0x8D], more].concat())
    }

    /// What is read, and how many bytes are left for the analyser's driver.
    async fn read_from(bytes: &[u8]) -> (Result<Header, NoHeader>, usize) {
        let mut stream = bytes;
        let outcome = read(&mut stream).await;
        (outcome, stream.len())
    }

    fn check(bytes: &[u8], expect: &Result<Header, NoHeader>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(read_from(bytes)).0, *expect, "{}", bytes.escape_ascii());
    }

    #[test]
    fn headers_and_what_is_none() {
        let six = header(0x21, 0x21, &[&[0x20; 16][..], &[0; 20]].concat());
        check(&v4([10, 1, 2, 3], b""), &Ok(Header::For([10, 1, 2, 3].into())));
        check(&v4([10, 1, 2, 3], b"\x03\x00\x04abcd"), &Ok(Header::For([10, 1, 2, 3].into())));
        check(&six, &Ok(Header::For(Ipv6Addr::from([0x20; 16]).into())));
        check(&header(0x20, 0, b""), &Ok(Header::Local));
        check(&header(0x21, 0, b""), &Ok(Header::Unknown));
        check(&header(0x21, 0x31, &[0; 216]), &Ok(Header::Unknown));
        check(b"", &Err(NoHeader::Empty));
        check(b"\x05", &Err(NoHeader::Absent));
        check(b"\r\n\r\n\0\r\nQUIX", &Err(NoHeader::Absent));
        check(b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", &Err(NoHeader::FirstVersion));
        check(&header(0x31, 0x11, &[0; 12]), &Err(NoHeader::Version(3)));
        check(&header(0x22, 0x11, &[0; 12]), &Err(NoHeader::Command(2)));
        check(&header(0x21, 0x11, &[0; 11]), &Err(NoHeader::TooShort(0x11)));
        check(&header(0x21, 0x21, &[0; 35]), &Err(NoHeader::TooShort(0x21)));
        check(&header(0x21, 0x11, &[0; 5000]), &Err(NoHeader::TooLong(5000)));
        check(&v4([1; 4], b"")[..20], &Err(NoHeader::Cut(io::ErrorKind::UnexpectedEof)));
        check(&SIGNATURE[..9], &Err(NoHeader::Cut(io::ErrorKind::UnexpectedEof)));
    }

    #[test]
    fn what_is_no_header_is_told_in_both_languages() {
        let cut = NoHeader::Cut(io::ErrorKind::UnexpectedEof);
        for (why, zh) in [
            (NoHeader::Empty, "即关闭"),
            (NoHeader::FirstVersion, "请改为第 2 版"),
            (NoHeader::Absent, "请让代理发送"),
            (NoHeader::Version(3), "第 3 版"),
            (NoHeader::Command(2), "命令 2"),
            (NoHeader::TooLong(5000), "5000 字节"),
            (NoHeader::TooShort(0x11), "地址族 17"),
            (cut, "请检查代理与网络"),
        ] {
            let said = why.said();
            assert!(said.zh.contains(zh) && said.en == why.to_string(), "{said:?}");
        }
    }

    proptest! {
        #[test]
        fn only_the_header_is_taken(address: [u8; 4], more: Vec<u8>, behind: Vec<u8>) {
            let mut bytes = v4(address, &more);
            bytes.extend(&behind);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (outcome, left) = runtime.block_on(read_from(&bytes));
            prop_assert_eq!(outcome, Ok(Header::For(address.into())));
            prop_assert_eq!(left, behind.len());
        }

        #[test]
        fn any_bytes_are_a_header_or_a_reason(mut bytes: Vec<u8>, signed: bool) {
            if signed {
                bytes.splice(0..0, *SIGNATURE);
            }
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (outcome, left) = runtime.block_on(read_from(&bytes));
            prop_assert!(signed || outcome.is_err());
            prop_assert!(left <= bytes.len());
        }
    }
}
