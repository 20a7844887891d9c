//! What can be wrong with certificates and keys: which file, what, and what to do.

use crate::said::Said;
use std::{io, path::PathBuf};

/// See the module. Each reads as one sentence with its remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each text says what the fields are")]
pub enum TlsFault {
    #[error("{} cannot be read ({why}); check the path and its permissions", path.display())]
    Unreadable { path: PathBuf, why: io::ErrorKind },
    #[error("{} is larger than any certificate file may be ({bytes_max} bytes)", path.display())]
    TooLarge { path: PathBuf, bytes_max: u64 },
    #[error("{} holds no certificate; it must be PEM text with BEGIN CERTIFICATE", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{} holds something that is no certificate ({why})", path.display())]
    BadCertificate { path: PathBuf, why: String },
    #[error("{} holds no private key; it must be PEM text with BEGIN PRIVATE KEY", path.display())]
    NoKey { path: PathBuf },
    #[error(
        "the key in {} is encrypted; write it without a passphrase (openssl pkey -in … -out …) and let only \
         hemogate read it",
        path.display()
    )]
    EncryptedKey { path: PathBuf },
    #[error("the key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    KeyDoesNotMatch { certificate: PathBuf, key: PathBuf },
    #[error("the key in {} cannot be used: {why}", key.display())]
    BadKey { key: PathBuf, why: String },
    #[error(
        "in {} the certificate of {issued} is not followed by that of its issuer ({issuer}); put the own one \
         first, then each issuer in turn",
        path.display()
    )]
    BrokenChain { path: PathBuf, issued: String, issuer: String },
    #[error("the certificate of {subject} in {} expired on {at}; renew it", path.display())]
    Expired { path: PathBuf, subject: String, at: String },
    #[error("the certificate of {subject} in {} is valid only from {at} on; check the clock", path.display())]
    NotYetValid { path: PathBuf, subject: String, at: String },
    #[error("{} holds no certificate that can vouch for others: {why}", path.display())]
    BadAuthority { path: PathBuf, why: String },
    #[error("{name:?} is no name that a certificate can be checked against; set server_name")]
    BadName { name: String },
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

impl TlsFault {
    /// The same in both languages.
    #[must_use]
    pub fn said(&self) -> Said {
        let zh = match self {
            Self::Unreadable { path, why } => {
                format!("无法读取 {}:请检查路径和权限({why})", path.display())
            }
            Self::TooLarge { path, bytes_max } => {
                format!("{} 超过证书文件的上限({bytes_max} 字节):请检查路径", path.display())
            }
            Self::NoCertificate { path } => {
                format!("{} 中没有证书:须为含 BEGIN CERTIFICATE 的 PEM 文本", path.display())
            }
            Self::BadCertificate { path, why } => {
                format!("{} 中有不是证书的内容:请重新签发({why})", path.display())
            }
            Self::NoKey { path } => {
                format!("{} 中没有私钥:须为含 BEGIN PRIVATE KEY 的 PEM 文本", path.display())
            }
            Self::EncryptedKey { path } => format!(
                "{} 中的私钥已加密:请去除口令后保存(openssl pkey -in … -out …),并只允许 hemogate 读取",
                path.display()
            ),
            Self::KeyDoesNotMatch { certificate, key } => {
                format!("{} 中的私钥与 {} 中的证书不匹配:请检查路径", key.display(), certificate.display())
            }
            Self::BadKey { key, why } => format!("{} 中的私钥无法使用:请重新生成({why})", key.display()),
            Self::BrokenChain { path, issued, issuer } => format!(
                "{} 中 {issued} 的证书之后不是其签发者({issuer})的证书:请先放本方证书,再依次放各级签发者",
                path.display()
            ),
            Self::Expired { path, subject, at } => {
                format!("{} 中 {subject} 的证书已于 {at} 过期:请更换", path.display())
            }
            Self::NotYetValid { path, subject, at } => {
                format!("{} 中 {subject} 的证书自 {at} 起才有效:请核对时钟", path.display())
            }
            Self::BadAuthority { path, why } => {
                format!("{} 中没有可作为签发机构的证书:请检查文件({why})", path.display())
            }
            Self::BadName { name } => format!("{name:?} 不能作为证书核对的名称:请设置 server_name"),
            Self::Setup(why) => format!("无法建立 TLS({why})"),
        };
        Said::new(self.to_string(), zh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_names_its_file_and_says_in_chinese_too_what_to_do() {
        let path = || PathBuf::from("/etc/x.pem");
        let text = || "why".to_owned();
        for (fault, zh) in [
            (TlsFault::Unreadable { path: path(), why: io::ErrorKind::NotFound }, "请检查路径和权限"),
            (TlsFault::TooLarge { path: path(), bytes_max: 9 }, "9 字节"),
            (TlsFault::NoCertificate { path: path() }, "BEGIN CERTIFICATE"),
            (TlsFault::BadCertificate { path: path(), why: text() }, "请重新签发"),
            (TlsFault::NoKey { path: path() }, "BEGIN PRIVATE KEY"),
            (TlsFault::EncryptedKey { path: path() }, "请去除口令"),
            (TlsFault::KeyDoesNotMatch { certificate: path(), key: path() }, "不匹配"),
            (TlsFault::BadKey { key: path(), why: text() }, "请重新生成"),
            (TlsFault::BrokenChain { path: path(), issued: text(), issuer: text() }, "各级签发者"),
            (TlsFault::Expired { path: path(), subject: text(), at: text() }, "过期:请更换"),
            (TlsFault::NotYetValid { path: path(), subject: text(), at: text() }, "请核对时钟"),
            (TlsFault::BadAuthority { path: path(), why: text() }, "请检查文件"),
            (TlsFault::BadName { name: "/etc/x.pem".into() }, "请设置 server_name"),
        ] {
            let said = fault.said();
            assert!(said.zh.contains(zh) && said.zh.contains("/etc/x.pem"), "{said:?}");
            assert_eq!(said.en, fault.to_string());
        }
    }
}
