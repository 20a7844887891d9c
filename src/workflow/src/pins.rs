//! Which profile revision each connection reads with: pinned at its first start, changed by two people only (law 10).

use crate::people::{Act, Actor, Refused};
use crate::{Profiles, Stopped};
use instrument_profiles::{Fault, Profile, ProfileErrors};
use ledger::{By, Draft, Ledger, Page, Pin, ProfileContent, ReadError, Reader, Seq, What};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use vocabulary::{ConnectionId, ProfileRef};

/// So much of a revision's hash names it.
pub const REVISION_DIGITS_MIN: usize = 8;
/// Faults of a profile that a refusal lists; `profile test` lists them all.
const FAULTS_SHOWN: usize = 5;
/// Revisions of the ledger that are looked through for one that somebody names.
const REVISIONS_LOOKED_AT: usize = 1_000;

/// What a connection is started with.
#[derive(Debug, Clone)]
pub enum Started {
    /// The revision that it is configured with.
    Configured(Arc<Profile>),
    /// The one that it is pinned to, which the ledger kept. The configured one waits for two people.
    Pinned(Arc<Profile>),
    /// Nothing: it would be read otherwise than two people have agreed.
    Refused(Refusal),
}

/// A profile that a connection is configured with and that this release's check refuses: nothing is pinned to it, and nothing
/// of it is kept.
#[derive(Debug, Clone)]
pub struct Unusable {
    /// Its id and revision, where it is one of an earlier release.
    pub reference: Option<ProfileRef>,
    /// What is wrong with it, with file and line.
    pub errors: ProfileErrors,
}

/// Why something about a revision cannot be done, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Why, and what to do.
    pub why: String,
    /// The same in Chinese.
    pub why_zh: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

impl Refusal {
    pub(crate) fn no_such(connection: &ConnectionId) -> Self {
        Self {
            why: format!("there is no connection {connection}, or it was never started"),
            why_zh: format!("没有连接 {connection},或从未启动过"),
        }
    }
}

/// Why a person's command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// The person may not.
    #[error("{0}")]
    Person(Refused),
    /// The ledger does not work now.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// What a person's word for a revision came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// It is proposed: another person has to agree.
    Proposed {
        /// The revision.
        profile: ProfileRef,
        /// The entry.
        entry: Seq,
    },
    /// It is in force: messages from this entry on are read with it.
    Activated {
        /// The revision.
        profile: ProfileRef,
        /// The entry.
        entry: Seq,
        /// The line itself (framing, answers, orders) follows at the next start.
        line_at_next_start: bool,
    },
    /// It was in force already: nothing is written.
    InForce {
        /// The revision.
        profile: ProfileRef,
    },
    /// The same person proposed it: nothing is written, another one has to agree.
    WaitsForAnother {
        /// The revision.
        profile: ProfileRef,
        /// The entry that proposed it.
        entry: Seq,
    },
    /// It cannot be.
    Refused(Refusal),
}

/// The entry that keeps a profile's content.
#[must_use]
pub fn kept(profile: &Profile) -> What {
    let content = profile.content();
    What::ProfileKept {
        profile: profile.reference().clone(),
        content: ProfileContent { text: content.text.clone(), templates: content.templates.clone() },
        mapping: None,
    }
}

/// What a connection is started with, given the profile that it is configured with. Its first start pins that one.
///
/// # Errors
/// [`Stopped`].
pub fn start(
    profiles: &Profiles,
    ledger: &Ledger,
    connection: &ConnectionId,
    configured: &Arc<Profile>,
) -> Result<Started, Stopped> {
    let reader = ledger.state();
    let wanted = configured.reference();
    let Some(pin) = reader.pin(connection)? else {
        let mut group = keep(&reader, configured)?;
        group.push(What::ProfilePinned { connection: connection.clone(), profile: wanted.clone() });
        write(ledger, group.into_iter().map(Draft::by_system).collect())?;
        return Ok(Started::Configured(Arc::clone(configured)));
    };
    if pin.profile == *wanted {
        return Ok(Started::Configured(Arc::clone(configured)));
    }
    // So that two people can activate it while hemogate runs.
    write(ledger, keep(&reader, configured)?.into_iter().map(Draft::by_system).collect())?;
    if pin.profile.id != wanted.id {
        return Ok(Started::Refused(another_model(connection, &pin, wanted)));
    }
    Ok(match profiles.find(&reader, &pin.profile)? {
        Some(profile) => Started::Pinned(profile),
        None => Started::Refused(gone(connection, &pin, wanted)),
    })
}

/// What a connection is started with when the profile that it is configured with is refused: the revision that it is pinned
/// to, where that is one of the same model and is kept. Two people have agreed on that one, and it reads as it did.
///
/// # Errors
/// [`Stopped`].
pub fn start_without(
    profiles: &Profiles,
    ledger: &Ledger,
    connection: &ConnectionId,
    configured: &Unusable,
) -> Result<Started, Stopped> {
    let reader = ledger.state();
    let pin = reader.pin(connection)?;
    let of_same_model =
        |pin: &Pin| configured.reference.as_ref().is_some_and(|reference| reference.id == pin.profile.id);
    let pinned = match pin.as_ref().filter(|pin| of_same_model(pin)) {
        Some(pin) => profiles.find(&reader, &pin.profile)?,
        None => None,
    };
    Ok(match pinned {
        Some(profile) => Started::Pinned(profile),
        None => Started::Refused(not_installed(connection, pin.as_ref(), &configured.errors)),
    })
}

fn not_installed(connection: &ConnectionId, pin: Option<&Pin>, errors: &ProfileErrors) -> Refusal {
    let faults = listed(&errors.faults);
    let (other, other_zh) = pin.map_or_else(Default::default, |pin| {
        (
            format!(", and the revision that it is pinned to ({}) cannot stand in for it", pin.profile),
            format!(",且无法以其已固定的版本({})代替", pin.profile),
        )
    });
    Refusal {
        why: format!(
            "connection {connection}: the profile that it is configured with is refused{other}: {faults}; mend the file, see \
             hemogate profile test FOLDER, and start hemogate again; nothing is taken over it until then"
        ),
        why_zh: format!(
            "连接 {connection}:所配置的仪器配置未通过检查{other_zh}:{faults};请修改该文件(可用 hemogate profile test 目录 \
             检查),然后重新启动 hemogate;在此之前该连接不接收数据"
        ),
    }
}

/// The first of these, and how many more there are.
fn listed(faults: &[Fault]) -> String {
    let mut lines: Vec<String> = faults.iter().take(FAULTS_SHOWN).map(ToString::to_string).collect();
    if let Some(more) = faults.len().checked_sub(FAULTS_SHOWN).filter(|more| *more > 0) {
        lines.push(format!("(+{more})"));
    }
    lines.join("; ")
}

/// What is activated now has to satisfy the check of now, whatever was read with it once.
fn of_another_time(profile: &Profile) -> Refusal {
    let (about, lacks) = (profile.reference(), listed(profile.unsaid()));
    Refusal {
        why: format!(
            "{about} is of an earlier release and lacks what a profile has to say by now, so that it cannot be activated: {lacks}; \
             write it, add the new revision (hemogate profile add FOLDER) and activate that one"
        ),
        why_zh: format!(
            "{about} 出自较早版本,缺少现在必须写明的内容,不能启用:{lacks};请补全后添加新版本(hemogate profile add 文件夹)再启用"
        ),
    }
}

fn short(revision: &str) -> &str {
    revision.get(..12).unwrap_or(revision)
}

fn another_model(connection: &ConnectionId, pin: &Pin, wanted: &ProfileRef) -> Refusal {
    let command = format!("hemogate profile activate {connection} {}", short(&wanted.revision));
    Refusal {
        why: format!(
            "connection {connection} is pinned to {} and is configured with {wanted}, which is another model: let two \
             people activate it ({command}), or configure the former again; nothing is taken over it until then",
            pin.profile
        ),
        why_zh: format!(
            "连接 {connection} 已固定使用 {},而配置文件中是另一型号 {wanted}:请由两人启用({command}),或改回原配置;\
             在此之前该连接不接收数据",
            pin.profile
        ),
    }
}

fn gone(connection: &ConnectionId, pin: &Pin, wanted: &ProfileRef) -> Refusal {
    let command = format!("hemogate profile activate {connection} {}", short(&wanted.revision));
    Refusal {
        why: format!(
            "connection {connection} is pinned to {}, which is not installed and cannot be read from the ledger: install \
             that revision, or let two people activate {wanted} ({command}); nothing is taken over it until then",
            pin.profile
        ),
        why_zh: format!(
            "连接 {connection} 已固定使用 {},但本机未安装,账本中也无法读取:请安装该版本,或由两人启用 {wanted}\
             ({command});在此之前该连接不接收数据",
            pin.profile
        ),
    }
}

/// The entry that keeps a profile's content, unless it is kept.
fn keep(reader: &Reader, profile: &Profile) -> Result<Vec<What>, ReadError> {
    Ok(match reader.kept_profile(profile.reference())? {
        Some(_) => Vec::new(),
        None => vec![kept(profile)],
    })
}

pub(crate) fn write(ledger: &Ledger, group: Vec<Draft>) -> Result<Option<Seq>, Stopped> {
    if group.is_empty() {
        return Ok(None);
    }
    let last = ledger.append(group)?.wait()?.last();
    ledger.wait_applied(last).wait()?;
    Ok(Some(last))
}

/// A person wants a connection to read with a revision: the first one proposes it, another one activates it.
///
/// # Errors
/// [`NotDone`].
pub fn activate(
    profiles: &Profiles,
    ledger: &Ledger,
    who: &Actor,
    (connection, revision): (&ConnectionId, &str),
    why: &str,
) -> Result<Step, NotDone> {
    who.check(&ledger.state(), Act::ActivateProfile).map_err(NotDone::Person)?;
    Ok(step(profiles, ledger, (connection, revision), (&who.by(), why))?)
}

/// Keeps a profile's content, so that it can be activated.
///
/// # Errors
/// [`NotDone`].
pub fn add(
    ledger: &Ledger,
    who: &Actor,
    text: &str,
    templates: &BTreeMap<String, String>,
) -> Result<Result<ProfileRef, Refusal>, NotDone> {
    let reader = ledger.state();
    who.check(&reader, Act::ActivateProfile).map_err(NotDone::Person)?;
    let profile = match Profile::read_with("profile.toml", text, templates) {
        Ok(profile) => profile,
        Err(faults) => {
            let (why, why_zh) = (faults.to_string(), format!("该配置有误:{faults}"));
            return Ok(Err(Refusal { why, why_zh }));
        }
    };
    let whats = keep(&reader, &profile).map_err(Stopped::Read)?;
    write(ledger, of(&who.by(), whats))?;
    Ok(Ok(profile.reference().clone()))
}

fn step(
    profiles: &Profiles,
    ledger: &Ledger,
    (connection, revision): (&ConnectionId, &str),
    (by, why): (&By, &str),
) -> Result<Step, Stopped> {
    let reader = ledger.state();
    let Some(pin) = reader.pin(connection)? else {
        let why = format!("there is no connection {connection}, or it was never started");
        return Ok(Step::Refused(Refusal {
            why, why_zh: format!("没有连接 {connection},或从未启动过")
        }));
    };
    let profile = match named(profiles, &reader, revision)? {
        Ok(profile) => profile,
        Err(refusal) => return Ok(Step::Refused(refusal)),
    };
    let wanted = profile.reference().clone();
    if wanted == pin.profile {
        return Ok(Step::InForce { profile: wanted });
    }
    if !profile.unsaid().is_empty() {
        return Ok(Step::Refused(of_another_time(&profile)));
    }
    let proposal = pin.proposed.as_ref().filter(|proposal| proposal.profile == wanted);
    let Some(proposal) = proposal else {
        let mut group = keep(&reader, &profile)?;
        group.push(What::ProfileProposed {
            connection: connection.clone(),
            profile: wanted.clone(),
            why: why.to_owned(),
        });
        let entry = write(ledger, of(by, group))?.unwrap_or(Seq::NONE);
        return Ok(Step::Proposed { profile: wanted, entry });
    };
    if proposal.by == by.name() {
        return Ok(Step::WaitsForAnother { profile: wanted, entry: proposal.entry });
    }
    let before = profiles.find(&reader, &pin.profile)?;
    let line_at_next_start = before.is_none_or(|before| !before.is_run_like(&profile));
    let what = What::ProfileActivated {
        connection: connection.clone(),
        profile: wanted.clone(),
        proposed: proposal.entry,
    };
    let entry = write(ledger, of(by, vec![what]))?.unwrap_or(Seq::NONE);
    // Two commands at once: the ledger takes the first, and the other changes nothing.
    if ledger.state().pin(connection)?.is_none_or(|pin| pin.entry != entry) {
        let why = "somebody else changed it meanwhile; look again".to_owned();
        return Ok(Step::Refused(Refusal {
            why, why_zh: "其间已被他人更改,请重新查看".to_owned()
        }));
    }
    Ok(Step::Activated { profile: wanted, entry, line_at_next_start })
}

fn of(by: &By, group: Vec<What>) -> Vec<Draft> {
    group.into_iter().map(|what| Draft { by: by.clone(), what }).collect()
}

/// The one profile, installed or kept, whose revision begins so.
fn named(
    profiles: &Profiles,
    reader: &Reader,
    revision: &str,
) -> Result<Result<Arc<Profile>, Refusal>, ReadError> {
    let refused = |why: String, why_zh: String| Ok(Err(Refusal { why, why_zh }));
    if revision.len() < REVISION_DIGITS_MIN {
        return refused(
            format!("{revision:?} is too short: at least {REVISION_DIGITS_MIN} digits of the revision"),
            format!("{revision:?} 太短:请至少给出版本号的 {REVISION_DIGITS_MIN} 位"),
        );
    }
    let mut found: BTreeMap<ProfileRef, Arc<Profile>> = BTreeMap::new();
    for profile in profiles.installed().filter(|p| p.reference().revision.starts_with(revision)) {
        found.insert(profile.reference().clone(), Arc::clone(profile));
    }
    for kept in reader.kept_profiles(&Page::first(REVISIONS_LOOKED_AT))?.items {
        if kept.profile.revision.starts_with(revision)
            && let Some(profile) = profiles.find(reader, &kept.profile)?
        {
            found.insert(kept.profile, profile);
        }
    }
    match (found.len(), found.into_values().next()) {
        (1, Some(profile)) => Ok(Ok(profile)),
        (0, _) => refused(
            format!(
                "no profile revision begins with {revision}; add the profile first (hemogate profile add FOLDER), or see \
                 hemogate profile list"
            ),
            format!(
                "没有以 {revision} 开头的配置版本;请先添加(hemogate profile add 文件夹),或查看 hemogate profile list"
            ),
        ),
        _ => refused(
            format!("several profile revisions begin with {revision}; give more of its digits"),
            format!("有多个配置版本以 {revision} 开头;请给出更多位数"),
        ),
    }
}
