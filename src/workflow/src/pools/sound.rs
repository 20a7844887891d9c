//! Whether a pool's membership is sound: every member known, once, well pipetted, young enough, and all of them (R-NAT-06,
//! R-NAT-07). Pure.

use super::facts::{Drawn, Making, PoolFacts};
use crate::Settings;
use crate::moments::local;
use jiff::Timestamp;
use release::{Moment, RulePack};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::DonationId;

const MS_PER_HOUR: i64 = 3_600_000;

/// Why a pool says nothing of its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolFault {
    /// Its name.
    pub fault: &'static str,
    /// What is wrong.
    pub what: String,
    /// The same in Chinese.
    pub what_zh: String,
    /// Where in which file; nothing where it is no single row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl PoolFault {
    fn new(fault: &'static str, what: String, what_zh: String) -> Self {
        Self { fault, what, what_zh, place: None }
    }

    fn of(drawn: &Drawn, fault: &'static str, what: &str, what_zh: &str) -> Self {
        Self {
            fault,
            what: format!("member {} {what}", drawn.name()),
            what_zh: format!("成员 {} {what_zh}", drawn.name()),
            place: Some(drawn.place.clone()),
        }
    }

    /// What is wrong, and where.
    pub(crate) fn with_place(&self) -> String {
        self.place.as_ref().map_or_else(|| self.what.clone(), |place| format!("{} ({place})", self.what))
    }
}

/// The making that a result is of: the last one that was in place when it was tested.
pub(super) fn tested_making(pool: &PoolFacts, tested_at: Option<Moment>) -> Result<&Making, PoolFault> {
    let Some(tested) = tested_at.map(Moment::at) else {
        let what = "its result does not say when it was tested, so that nobody knows of which pool it is";
        return Err(PoolFault::new("pool_time_unknown", what.to_owned(), "混样结果没有检测时间".to_owned()));
    };
    let mut last: Option<(Timestamp, &Making)> = None;
    for making in &pool.makings {
        let Some((from, to)) = making.made() else {
            let what = format!("run {} does not say when its members were drawn", making.run);
            let zh = format!("加样批次 {} 缺少加样时间", making.run);
            return Err(PoolFault::new("pool_time_unknown", what, zh));
        };
        if from <= tested && tested < to {
            let what =
                format!("it was tested while run {} still drew members; compare the clocks", making.run);
            let zh = format!("检测时加样批次 {} 尚未完成;请核对时钟", making.run);
            return Err(PoolFault::new("pool_tested_early", what, zh));
        }
        if to <= tested && last.is_none_or(|(before, _)| before < to) {
            last = Some((to, making));
        }
    }
    last.map(|(_, making)| making).ok_or_else(|| {
        let what = "it was tested before any log says that it was made; is a log missing, or a clock wrong?";
        let zh = "检测时间早于所有加样记录;是否缺少加样记录,或时钟有误?";
        PoolFault::new("pool_tested_early", what.to_owned(), zh.to_owned())
    })
}

/// The making that stands where nothing was tested yet: the last one.
pub(super) fn last_making(pool: &PoolFacts) -> Option<&Making> {
    pool.makings.iter().max_by_key(|making| making.made().map(|(_, to)| to))
}

/// Everything that is wrong with a making.
pub(super) fn faults(making: &Making, pool: &PoolFacts, settings: &Settings) -> Vec<PoolFault> {
    let mut faults = Vec::new();
    faults.extend(wrong_size(making, &settings.pack));
    let mut donations: BTreeSet<&DonationId> = BTreeSet::new();
    let mut positions: BTreeSet<&str> = BTreeSet::new();
    for drawn in &making.drawn {
        let mut say = |fault, what: &str, zh: &str| faults.push(PoolFault::of(drawn, fault, what, zh));
        for wrong in &drawn.aspiration.wrong {
            say("aspiration_failed", wrong.words(), wrong.words_zh());
        }
        if drawn.aspiration.position.as_deref().is_some_and(|position| !positions.insert(position)) {
            say("position_twice", "stands at a position of another member", "与另一成员位置相同");
        }
        let Some(donation) = &drawn.donation else {
            say("member_unknown", "is no donation here", "不是本站的献血码");
            continue;
        };
        if !donations.insert(donation) {
            say("member_twice", "is in the pool twice", "在同一混样中出现两次");
        }
        let known = pool.members.get(donation);
        if !known.is_some_and(|known| known.registered) {
            say("member_not_registered", "is not registered", "尚未登记");
        }
        if let (Some(at), Some(taken)) = (drawn.at, known.and_then(|known| known.collected_at))
            && let Some((fault, what, zh)) = too_old(taken, at, settings)
        {
            say(fault, &what, &zh);
        }
    }
    faults
}

fn wrong_size(making: &Making, pack: &RulePack) -> Option<PoolFault> {
    let have = making.drawn.len();
    let run = &making.run;
    let sizes: Vec<u16> = making.sizes.iter().copied().collect();
    let [size] = sizes.as_slice() else {
        let what = format!("run {run} says different sizes of it: {sizes:?}");
        return Some(PoolFault::new(
            "pool_sizes_differ",
            what,
            format!("批次 {run} 的混样大小前后不一: {sizes:?}"),
        ));
    };
    let most = pack.settings().nat.mode.value.members_max;
    if usize::from(*size) > most {
        let what = format!("it has {size} members, and the rule pack allows {most}");
        return Some(PoolFault::new(
            "pool_too_large",
            what,
            format!("混样 {size} 人份,规则包最多允许 {most}"),
        ));
    }
    (have != usize::from(*size)).then(|| {
        let what = format!("run {run} drew {have} of {size} members; is a part of the log missing?");
        let zh = format!("批次 {run} 应有 {size} 个成员,记录 {have} 个;加样记录是否不全?");
        PoolFault::new("pool_not_whole", what, zh)
    })
}

fn too_old(
    taken: Timestamp,
    drawn: Timestamp,
    settings: &Settings,
) -> Option<(&'static str, String, String)> {
    let at = local(drawn, &settings.time_zone);
    if drawn < taken {
        let what = format!("was drawn at {at}, before it was taken");
        return Some(("member_before_collection", what, format!("加样时间 {at} 早于采血时间")));
    }
    let limit = settings.pack.settings().nat.store_within_hours.as_ref()?.value.number();
    let hours = hours_between(taken, drawn);
    (hours > limit).then(|| {
        let what =
            format!("was drawn {} hours after it was taken; the kit allows {limit}", hours.round_dp(1));
        ("member_too_old", what, format!("采血后 {} 小时才加样,试剂盒允许 {limit}", hours.round_dp(1)))
    })
}

pub(crate) fn hours_between(from: Timestamp, to: Timestamp) -> Decimal {
    Decimal::from(to.as_millisecond() - from.as_millisecond()) / Decimal::from(MS_PER_HOUR)
}

/// Two makings under one number that do not have the same members. One whose barcodes were not all read may be the other.
pub(super) fn conflict(pool: &PoolFacts) -> Option<PoolFault> {
    let sets: BTreeMap<&str, (BTreeSet<&DonationId>, usize)> = pool
        .makings
        .iter()
        .map(|making| {
            let known: BTreeSet<&DonationId> = making.donations().into_iter().collect();
            let unread = making.drawn.iter().filter(|drawn| drawn.donation.is_none()).count();
            (making.run.as_str(), (known, unread))
        })
        .collect();
    let fits = |(a, a_unread): &(BTreeSet<&DonationId>, usize),
                (b, b_unread): &(BTreeSet<&DonationId>, usize)| {
        a.difference(b).count() <= *b_unread && b.difference(a).count() <= *a_unread
    };
    // Every two: what fits one whose barcodes were not all read need not fit the others.
    let mut pairs =
        sets.iter().enumerate().flat_map(|(at, one)| sets.iter().skip(at + 1).map(move |other| (one, other)));
    let ((first, _), (other, _)) = pairs.find(|((_, a), (_, b))| !fits(a, b))?;
    let what = format!(
        "the runs {first} and {other} of the robot made it of different members, so that nobody knows which tubes went into \
         it; test every donation that either of them names singly: that answers for it (R-NAT-06)"
    );
    let zh = format!(
        "加样批次 {first} 与 {other} 的成员不同,无法确知加入了哪些样本管;请对两批次所列各份献血做单样检测,以其结果为准 (R-NAT-06)"
    );
    Some(PoolFault::new("pool_conflict", what, zh))
}
