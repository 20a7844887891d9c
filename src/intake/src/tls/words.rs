//! What went wrong between two ends, in words a person can act on.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerMisbehaved};
use std::io;

/// What a TLS error says, when `error` is one.
pub(crate) fn in_words(error: &io::Error) -> Option<String> {
    let inner = error.get_ref()?.downcast_ref::<Error>()?;
    Some(words(inner))
}

/// A TLS error in words. "Peer" is the other end, whichever of the two that is.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not told apart here keeps the library's words")]
pub(super) fn words(error: &Error) -> String {
    let said = match error {
        Error::NoCertificatesPresented => {
            "the peer shows no certificate; give it one of our authority".into()
        }
        Error::InvalidCertificate(why) => certificate(why),
        Error::AlertReceived(alert) => alerted(*alert),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => "the peer does not speak TLS; switch TLS on there, or use a plain TCP port".into(),
        Error::PeerIncompatible(why) => {
            format!("the peer and hemogate have no way of TLS in common ({why:?}); TLS 1.2 or 1.3 is needed")
        }
        Error::PeerMisbehaved(PeerMisbehaved::TooManyKeyUpdateRequests) => {
            "the peer asked for new keys again and again".into()
        }
        Error::PeerMisbehaved(PeerMisbehaved::TooManyRenegotiationRequests) => {
            "the peer asked to renegotiate again and again, which is refused".into()
        }
        Error::PeerMisbehaved(why) => format!("the peer breaks the rules of TLS ({why:?})"),
        Error::DecryptError => "what came cannot be decrypted: it was changed on its way".into(),
        other => other.to_string(),
    };
    format!("TLS: {said}")
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what is not told apart here keeps the library's words")]
fn certificate(why: &CertificateError) -> String {
    use CertificateError as E;
    let said = match why {
        E::Expired | E::ExpiredContext { .. } => "has expired; renew it".to_owned(),
        E::NotValidYet | E::NotValidYetContext { .. } => "is not valid yet; check both clocks".to_owned(),
        E::UnknownIssuer => "comes from an authority that the configured ca does not hold".to_owned(),
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            format!("is made for another name ({why}); set server_name, or let it be made for this one")
        }
        E::Revoked => "has been revoked".to_owned(),
        E::BadSignature => "is not signed by the authority it names".to_owned(),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            "is not made for this purpose (client or server authentication)".to_owned()
        }
        E::BadEncoding => "cannot be read".to_owned(),
        other => format!("cannot be accepted: {other}"),
    };
    format!("the peer's certificate {said}")
}

/// Why the peer hung up.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not told apart here keeps the library's words")]
fn alerted(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let why = match alert {
        A::UnknownCA => "it does not know the authority of our certificate; install that authority there",
        A::BadCertificate | A::CertificateUnknown | A::UnsupportedCertificate => {
            "it does not accept our certificate; look at its name, its purpose and its authority"
        }
        A::CertificateExpired => "our certificate has expired, or its clock is wrong",
        A::CertificateRevoked => "our certificate has been revoked",
        A::CertificateRequired | A::NoCertificate => {
            "it wants a certificate from us; configure certificate and key"
        }
        A::AccessDenied => "our certificate is good, but has no right there",
        A::HandshakeFailure | A::InsufficientSecurity => "it has no way of TLS in common with us",
        A::ProtocolVersion => "it does not speak our versions of TLS (1.2 and 1.3)",
        A::UnrecognisedName => "it does not know the name it was called by; check server_name",
        A::DecryptError | A::BadRecordMac => "it could not verify what it was sent",
        A::UserCanceled => "it gave up",
        other => return format!("the peer refuses: alert {other:?}"),
    };
    format!("the peer refuses: {why}")
}
