//! A person says what a code or a text of an analyser means: that makes a revision of its profile, which another person
//! has to activate before it means anything. Every meaning can let a donation pass, be it that of a control, or of a test
//! that is set aside: none is given by one person alone.

use crate::people::{Act, Actor};
use crate::pins::{NotDone, Refusal, Step, write};
use crate::{Profiles, Stopped};
use instrument_profiles::{NotMapped, Profile};
use ledger::{Draft, Ledger, Mapped, Mapping, ProfileContent, ReadError, Seq, What};
use std::sync::Arc;
use vocabulary::ConnectionId;

/// What somebody says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// For which link.
    pub connection: ConnectionId,
    /// What is mapped, and to what.
    pub mapped: Mapped,
    /// The message that asked for it.
    pub message: Option<Seq>,
    /// Why.
    pub why: String,
}

/// Makes the revision that a mapping gives, and proposes it for the connection. It is made of the revision that is
/// proposed already, where one is, so that several mappings are activated together.
///
/// # Errors
/// [`NotDone`].
pub fn map(profiles: &Profiles, ledger: &Ledger, who: &Actor, said: &Said) -> Result<Step, NotDone> {
    let reader = ledger.state();
    who.check(&reader, Act::MapCode).map_err(NotDone::Person)?;
    let read = |e: ReadError| NotDone::Stopped(Stopped::Read(e));
    let Some(pin) = reader.pin(&said.connection).map_err(read)? else {
        return Ok(Step::Refused(Refusal::no_such(&said.connection)));
    };
    let proposed = pin.proposed.map(|proposal| proposal.profile).filter(|p| p.id == pin.profile.id);
    let base = proposed.unwrap_or(pin.profile);
    let Some(profile) = profiles.find(&reader, &base).map_err(read)? else {
        return Ok(Step::Refused(Refusal {
            why: format!("the profile {base} is not here; install it, and start hemogate again"),
            why_zh: format!("本机没有配置 {base};请安装后重新启动 hemogate"),
        }));
    };
    let made = match made(&profile, said) {
        Ok(made) => made,
        Err(why) => {
            let why_zh = format!("无法映射:{why};请手工修改配置");
            return Ok(Step::Refused(Refusal { why: why.to_string(), why_zh }));
        }
    };
    let mapping = Mapping { base, mapped: said.mapped.clone(), why: said.why.clone(), message: said.message };
    let (reference, content) = (made.reference().clone(), made.content());
    let whats = [
        What::ProfileKept {
            profile: reference.clone(),
            content: ProfileContent { text: content.text.clone(), templates: content.templates.clone() },
            mapping: Some(mapping),
        },
        What::ProfileProposed {
            connection: said.connection.clone(),
            profile: reference.clone(),
            why: said.why.clone(),
        },
    ];
    let group = whats.into_iter().map(|what| Draft { by: who.by(), what }).collect();
    let entry = write(ledger, group)?.unwrap_or(Seq::NONE);
    Ok(Step::Proposed { profile: reference, entry })
}

/// The profile as the mapping makes it.
fn made(profile: &Arc<Profile>, said: &Said) -> Result<Profile, NotMapped> {
    match &said.mapped {
        Mapped::Value { map, text, meaning } => profile.with_value(map, text, meaning),
        Mapped::Test { code, like } => profile.with_test(code, like, &said.why),
        Mapped::Aside { code } => profile.without_test(code, &said.why),
    }
}
