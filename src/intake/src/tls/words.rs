//! What went wrong between two ends, in words a person can act on.

use crate::said::Said;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerMisbehaved};
use std::io;

/// What a TLS error says, when `error` is one.
pub(crate) fn in_words(error: &io::Error) -> Option<Said> {
    let inner = error.get_ref()?.downcast_ref::<Error>()?;
    Some(words(inner))
}

/// A TLS error in words. "Peer" is the other end, whichever of the two that is.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not told apart here keeps the library's words")]
pub(super) fn words(error: &Error) -> Said {
    let said = match error {
        Error::NoCertificatesPresented => Said::new(
            "the peer shows no certificate; give it one of our authority",
            "对方未出示证书:请为其签发本方 CA 的证书",
        ),
        Error::InvalidCertificate(why) => certificate(why),
        Error::AlertReceived(alert) => alerted(*alert),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => Said::new(
            "the peer does not speak TLS; switch TLS on there, or use a plain TCP port",
            "对方未使用 TLS:请在对方启用 TLS,或改用普通 TCP 端口",
        ),
        Error::PeerIncompatible(why) => Said::new(
            format!("the peer and hemogate have no way of TLS in common ({why:?}); TLS 1.2 or 1.3 is needed"),
            format!("双方没有共同的 TLS 版本或算法:对方须支持 TLS 1.2 或 1.3({why:?})"),
        ),
        Error::PeerMisbehaved(PeerMisbehaved::TooManyKeyUpdateRequests) => {
            Said::new("the peer asked for new keys again and again", "对方反复要求更换密钥:请检查其 TLS 软件")
        }
        Error::PeerMisbehaved(PeerMisbehaved::TooManyRenegotiationRequests) => Said::new(
            "the peer asked to renegotiate again and again, which is refused",
            "对方反复要求重新协商,已拒绝:请在其 TLS 设置中关闭重新协商",
        ),
        Error::PeerMisbehaved(why) => Said::new(
            format!("the peer breaks the rules of TLS ({why:?})"),
            format!("对方违反 TLS 规则({why:?})"),
        ),
        Error::DecryptError => Said::new(
            "what came cannot be decrypted: it was changed on its way",
            "收到的内容无法解密:传输途中被改动",
        ),
        other => Said::new(other.to_string(), format!("出错({other})")),
    };
    said.behind("TLS: ", "TLS:")
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what is not told apart here keeps the library's words")]
fn certificate(why: &CertificateError) -> Said {
    use CertificateError as E;
    let said = match why {
        E::Expired | E::ExpiredContext { .. } => Said::new("has expired; renew it", "已过期:请更换"),
        E::NotValidYet | E::NotValidYetContext { .. } => {
            Said::new("is not valid yet; check both clocks", "尚未生效:请核对双方时钟")
        }
        E::UnknownIssuer => Said::new(
            "comes from an authority that the configured ca does not hold; add that authority to ca",
            "由 ca 中没有的机构签发:请将该机构加入 ca",
        ),
        E::NotValidForName | E::NotValidForNameContext { .. } => Said::new(
            format!("is made for another name ({why}); set server_name, or let it be made for this one"),
            format!("的名称不符:请设置 server_name,或按此名称重新签发({why})"),
        ),
        E::Revoked => Said::new("has been revoked; renew it", "已被吊销:请更换"),
        E::BadSignature => Said::new(
            "is not signed by the authority it names; let it be made anew",
            "并非由其所称机构签名:请重新签发",
        ),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => Said::new(
            "is not made for this purpose (client or server authentication); let it be made anew",
            "的用途不符(客户端或服务器认证):请按用途重新签发",
        ),
        E::BadEncoding => Said::new("cannot be read; let it be made anew", "无法读取:请重新签发"),
        other => Said::new(format!("cannot be accepted: {other}"), format!("不能接受({other})")),
    };
    said.behind("the peer's certificate ", "对方证书")
}

/// Why the peer hung up.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not told apart here keeps the library's words")]
fn alerted(alert: AlertDescription) -> Said {
    use AlertDescription as A;
    let (en, zh) = match alert {
        A::UnknownCA => (
            "it does not know the authority of our certificate; install that authority there",
            "对方不认识签发本方证书的机构:请在对方安装该机构的证书",
        ),
        A::BadCertificate | A::CertificateUnknown | A::UnsupportedCertificate => (
            "it does not accept our certificate; look at its name, its purpose and its authority",
            "对方不接受本方证书:请检查证书的名称、用途和签发机构",
        ),
        A::CertificateExpired => (
            "our certificate has expired, or its clock is wrong",
            "本方证书已过期,或对方时钟有误:请更换证书或校正时钟",
        ),
        A::CertificateRevoked => ("our certificate has been revoked; renew it", "本方证书已被吊销:请更换"),
        A::CertificateRequired | A::NoCertificate => (
            "it wants a certificate from us; configure certificate and key",
            "对方要求本方出示证书:请配置 certificate 和 key",
        ),
        A::AccessDenied => (
            "our certificate is good, but has no right there; let it be allowed there",
            "本方证书有效,但在对方没有权限:请在对方授权",
        ),
        A::HandshakeFailure | A::InsufficientSecurity => {
            ("it has no way of TLS in common with us", "双方没有共同的 TLS 算法:请检查对方的 TLS 设置")
        }
        A::ProtocolVersion => (
            "it does not speak our versions of TLS (1.2 and 1.3)",
            "对方不支持 TLS 1.2 或 1.3:请升级对方软件",
        ),
        A::UnrecognisedName => (
            "it does not know the name it was called by; check server_name",
            "对方不认识所用的名称:请检查 server_name",
        ),
        A::DecryptError | A::BadRecordMac => {
            ("it could not verify what it was sent", "对方无法校验收到的内容:传输途中可能被改动")
        }
        A::UserCanceled => ("it gave up", "对方取消了握手"),
        other => {
            return Said::new(
                format!("the peer refuses: alert {other:?}"),
                format!("对方拒绝:警报 {other:?}"),
            );
        }
    };
    Said::new(en, zh).behind("the peer refuses: ", "对方拒绝:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::said::is_chinese;
    use rustls::PeerIncompatible;

    #[test]
    fn what_goes_wrong_in_tls_is_told_in_both_languages_with_what_to_do() {
        use {AlertDescription as A, CertificateError as C, Error as E};
        for (error, en, zh) in [
            (E::NoCertificatesPresented, "shows no certificate", "未出示证书"),
            (E::InvalidCertificate(C::Expired), "has expired; renew", "已过期:请更换"),
            (E::InvalidCertificate(C::NotValidYet), "check both clocks", "请核对双方时钟"),
            (E::InvalidCertificate(C::UnknownIssuer), "the configured ca does not hold", "请将该机构加入 ca"),
            (E::InvalidCertificate(C::NotValidForName), "set server_name", "请设置 server_name"),
            (E::InvalidCertificate(C::Revoked), "has been revoked", "已被吊销"),
            (E::InvalidCertificate(C::BadSignature), "is not signed by", "请重新签发"),
            (E::InvalidCertificate(C::InvalidPurpose), "not made for this purpose", "用途不符"),
            (E::InvalidCertificate(C::BadEncoding), "cannot be read", "无法读取"),
            (E::InvalidCertificate(C::UnhandledCriticalExtension), "cannot be accepted", "不能接受"),
            (E::AlertReceived(A::UnknownCA), "install that authority there", "请在对方安装"),
            (E::AlertReceived(A::BadCertificate), "its name, its purpose", "名称、用途"),
            (E::AlertReceived(A::CertificateExpired), "our certificate has expired", "本方证书已过期"),
            (E::AlertReceived(A::CertificateRevoked), "has been revoked", "已被吊销"),
            (E::AlertReceived(A::CertificateRequired), "configure certificate and key", "请配置 certificate"),
            (E::AlertReceived(A::AccessDenied), "no right there", "没有权限"),
            (E::AlertReceived(A::HandshakeFailure), "no way of TLS", "请检查对方的 TLS 设置"),
            (E::AlertReceived(A::ProtocolVersion), "our versions of TLS", "请升级对方软件"),
            (E::AlertReceived(A::UnrecognisedName), "check server_name", "请检查 server_name"),
            (E::AlertReceived(A::DecryptError), "could not verify", "无法校验"),
            (E::AlertReceived(A::UserCanceled), "gave up", "取消了握手"),
            (E::AlertReceived(A::InternalError), "alert InternalError", "警报 InternalError"),
            (E::InvalidMessage(InvalidMessage::InvalidContentType), "does not speak TLS", "未使用 TLS"),
            (
                E::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
                "TLS 1.2 or 1.3 is needed",
                "对方须支持 TLS 1.2",
            ),
            (E::PeerMisbehaved(PeerMisbehaved::TooManyKeyUpdateRequests), "again and again", "反复要求"),
            (E::PeerMisbehaved(PeerMisbehaved::TooManyRenegotiationRequests), "renegotiate", "重新协商"),
            (E::PeerMisbehaved(PeerMisbehaved::IncorrectBinder), "breaks the rules", "违反 TLS 规则"),
            (E::DecryptError, "changed on its way", "被改动"),
            (E::General("odd".into()), "odd", "出错"),
        ] {
            let said = words(&error);
            assert!(said.en.contains(en) && said.zh.contains(zh) && is_chinese(&said.zh), "{said:?}");
        }
    }
}
