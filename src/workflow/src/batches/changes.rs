//! What has happened to a batch's donations since somebody looked at it, for the person whose signature is refused.

use super::{BatchNow, MemberNow};
use ledger::{DonationView, Entry, ReadError, Reader, Registered, Seq, SignedAct, What};
use serde::Serialize;
use vocabulary::DonationId;

/// So many changes are named; a person looks at the batch again anyway.
const CHANGES_MAX: usize = 20;

/// Something that is not as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Of which donation.
    pub donation: DonationId,
    /// What came, and the entry, in English.
    pub what: String,
    /// The same in Chinese.
    pub what_zh: String,
}

/// What changed since entry `since`; where nobody says when they looked, what no longer fits the review.
pub(super) fn changes(reader: &Reader, now: &BatchNow, since: Option<Seq>) -> Result<Vec<Change>, ReadError> {
    let history = reader.batch_history(now.batch.batch)?;
    let mut found = Vec::new();
    for member in &now.members {
        if found.len() >= CHANGES_MAX {
            break;
        }
        let of = |(what, what_zh)| Change { donation: member.donation.clone(), what, what_zh };
        let stale = is_reviewed_otherwise(member);
        let Some(since) = since else {
            found.extend(stale.map(of));
            continue;
        };
        let acts = history.iter().filter(|entry| entry.seq > since);
        let before = found.len();
        found.extend(acts.filter_map(|entry| act(entry, &member.donation)).map(of));
        if let Some(view) = reader.donation(&member.donation)? {
            found.extend(of_view(&view, since).into_iter().map(of));
        }
        for run in member.runs() {
            let fell = reader.run_invalidated(run)?.map(|said| said.done.entry);
            found.extend(fell.filter(|entry| *entry > since).map(|entry| {
                let what = format!("run {run} was declared invalid (entry {entry})");
                of((what, format!("检测批{run}被判定无效（条目{entry}）")))
            }));
        }
        if before == found.len() {
            found.extend(stale.map(of));
        }
    }
    found.truncate(CHANGES_MAX);
    Ok(found)
}

/// Something is known now that was not when the review was signed.
fn is_reviewed_otherwise(member: &MemberNow) -> Option<(String, String)> {
    let reviewed = member.people.reviewed.as_ref().filter(|signed| signed.basis != member.basis)?;
    let entry = reviewed.done.entry;
    Some((
        format!("is not as it was when its review was signed (entry {entry})"),
        format!("与审核签名时（条目{entry}）不同"),
    ))
}

fn act(entry: &Entry, donation: &DonationId) -> Option<(String, String)> {
    let What::Signed(act) = &entry.what else { return None };
    let (who, at) = (&entry.by, entry.seq);
    let (what, zh, reason) = if let SignedAct::DonationsHeld { donations, reason, .. } = act
        && donations.contains(donation)
    {
        ("was held", "被暂扣", reason)
    } else if let SignedAct::HoldsLifted { donations, reason, .. } = act
        && donations.contains(donation)
    {
        ("is held no longer", "已解除暂扣", reason)
    } else if let SignedAct::DonationsDiscarded { donations, reason, .. } = act
        && donations.contains(donation)
    {
        ("was taken out", "已报废", reason)
    } else if let SignedAct::BatchReviewed { donations, comment, .. } = act
        && donations.iter().any(|signed| signed.donation == *donation)
    {
        ("was reviewed", "已签审核", comment)
    } else if let SignedAct::BatchReleased { donations, comment, .. } = act
        && donations.iter().any(|signed| signed.donation == *donation)
    {
        ("was released", "已放行", comment)
    } else {
        return None;
    };
    let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    Some((format!("{what} by {who} (entry {at}){because}"), format!("{zh}（{who}，条目{at}）{because}")))
}

/// Results, registrations and verdicts that came.
fn of_view(view: &DonationView, since: Seq) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let results = view.observations.iter().map(|o| (o.message, o.entry));
    let findings = view.findings.iter().map(|f| (f.message, f.entry));
    let mut messages: Vec<Seq> =
        results.chain(findings).filter(|(_, entry)| *entry > since).map(|(message, _)| message).collect();
    messages.dedup();
    found.extend(messages.into_iter().map(|message| {
        (format!("has results that came in message {message}"), format!("消息{message}带来新结果"))
    }));
    if let Some(registered) = view.registration.as_ref().filter(|registered| registered.seq > since) {
        let entry = registered.seq;
        found.push((
            format!("was registered otherwise (entry {entry})"),
            format!("登记内容已变更（条目{entry}）"),
        ));
    }
    found.extend(view.registration.iter().flat_map(|registered| of_registrations(registered, since)));
    let verdicts = view.verdicts.iter().filter(|verdict| verdict.seq > since);
    found.extend(verdicts.map(|verdict| {
        let (unit, entry) = (&verdict.unit, verdict.seq);
        (format!("has another verdict: {unit} (entry {entry})"), format!("结论已变更：{unit}（条目{entry}）"))
    }));
    found
}

/// Registrations that were not taken, and what people said of which one stands.
fn of_registrations(registered: &Registered, since: Seq) -> impl Iterator<Item = (String, String)> {
    let untaken = registered.untaken.iter().map(|one| one.entry).filter(move |entry| *entry > since);
    let untaken = untaken.map(|entry| {
        let en = format!("was registered again, with another thing (entry {entry})");
        (en, format!("编号被再次登记且内容不同（条目{entry}）"))
    });
    let words = registered.words.iter().filter(move |word| word.done.entry > since);
    untaken.chain(words.map(|word| {
        let (by, entry, stands) = (&word.done.by, word.done.entry, word.stands);
        let en = format!("is the one of the registration of entry {stands}, says {by} (entry {entry})");
        (en, format!("{by}确认以条目{stands}的登记为准（条目{entry}）"))
    }))
}
