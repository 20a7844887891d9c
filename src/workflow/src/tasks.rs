//! What people have still to do, by the last day for it: recalls, look-backs, re-entry, invalid runs to be confirmed or
//! without a repeat, kits that do not judge yet, faults of interfaces that runs wait for, what verdicts ask for donors.

mod donor;

pub use donor::{for_donor_of, for_donors};

use crate::components::{ToFind, to_find};
use crate::rules::Book;
use crate::{Settings, Stopped, donors, kits};
use jiff::{Timestamp, civil::Date};
use ledger::{DonorTask, LookbackStep, Page, ReadError, Reader, RunInvalidation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use vocabulary::{DonationId, RunId};

/// Tasks of each kind that are looked at.
const TASKS_MAX: usize = 1_000;

/// What kind of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// A released donation that may not go any more is to be found.
    Recall,
    /// An earlier donation of a donor who was found to be positive is to be looked up.
    Lookback,
    /// A donor may be examined for re-entry.
    Reentry,
    /// A run was declared invalid, and another person has to confirm that.
    RunInvalid,
    /// A run was declared invalid, and nobody has named the run in which its samples are tested again (rules.md §2.5).
    RunRepeat,
    /// A lot was found defective, and another person has to confirm that.
    LotDefective,
    /// Something broke off or is in quarantine that fell into runs: somebody has to look at it (R-GATE-15).
    InterfaceFault,
    /// A verdict asks for its donor to be deferred (rules.md §1.5).
    DonorDeferral,
    /// A verdict asks for a sample to go to the confirmatory laboratory (rules.md §1.5, §1.10).
    DonorConfirmation,
    /// A finding is to be reported, as the law asks (rules.md §1.9).
    DonorReport,
    /// Kits are proposed, and another person has to agree.
    KitsProposed,
    /// Kits are configured otherwise than two people put them in force: what is otherwise judges nothing.
    KitsConfigured,
}

impl TaskKind {
    /// Which of the tasks for donors it is, where it is one.
    #[must_use]
    pub fn for_donor(self) -> Option<DonorTask> {
        DonorTask::EVERY.into_iter().find(|task| donor::kind(*task) == self)
    }

    /// Its place among those without a last day: of what is asked for donors a report comes first and a deferral last, so
    /// that many of these hide none of those.
    fn place(self) -> usize {
        let of_donors = DonorTask::EVERY.into_iter().position(|task| donor::kind(task) == self);
        of_donors.map_or(0, |place| place + 1)
    }
}

/// A task that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// What kind.
    pub kind: TaskKind,
    /// Its number: of a recall its own, else the entry that raised it.
    pub id: ledger::Seq,
    /// The donation that something is to be done about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub donation: Option<DonationId>,
    /// What is to be found of that donation: its components, and to whom each was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ToFind>,
    /// The run that something is to be done about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The lot that something is to be done about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// Kits that would come in (`+`) and go (`−`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kits: Option<String>,
    /// The donation that raised it, where that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<DonationId>,
    /// What for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// The donor, of a re-entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub donor: Option<String>,
    /// When it was raised, milliseconds since 1970 UTC.
    pub raised_at_ms: i64,
    /// What is to be done next.
    pub next: &'static str,
    /// The same in Chinese.
    pub next_zh: &'static str,
    /// Last day for that, where the rule pack sets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
    /// Not before this day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Date>,
    /// That day has gone by.
    pub overdue: bool,
}

/// Tasks that are open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Open {
    /// Those with the nearest last day first, then those without one by age; last what is asked for donors, reports, then
    /// confirmations, then deferrals.
    pub items: Vec<Task>,
    /// Kinds of which more are open than stand here.
    pub more: BTreeSet<TaskKind>,
}

/// Tasks of one kind, and whether there are more of it.
type OfKind = (Vec<Task>, bool);

/// Every open task, of each kind the first [`TASKS_MAX`].
///
/// # Errors
/// [`Stopped`].
pub fn open(settings: &Settings, reader: &Reader, now: Timestamp) -> Result<Open, Stopped> {
    let today = now.to_zoned(settings.time_zone.clone()).date();
    let book = Book::read(settings, reader)?;
    let mut open = Open { items: kits_that_wait(settings, reader, now)?, more: BTreeSet::new() };
    for (kind, (tasks, more)) in [
        (TaskKind::Recall, recalls(reader, now)?),
        (TaskKind::Lookback, lookbacks(reader, (now, today))?),
        (TaskKind::Reentry, reentries(&book, reader)?),
        (TaskKind::RunInvalid, invalid_runs(reader)?),
        (TaskKind::RunRepeat, unrepeated_runs(reader)?),
        (TaskKind::LotDefective, defective_lots(reader)?),
        (TaskKind::InterfaceFault, faults(reader)?),
    ] {
        open.items.extend(tasks);
        open.more.extend(more.then_some(kind));
    }
    for task in DonorTask::EVERY {
        let listed = for_donors(reader, task, &Page::first(TASKS_MAX))?;
        open.items.extend(listed.items);
        open.more.extend(listed.next.map(|_| donor::kind(task)));
    }
    let place = |task: &Task| (task.due.is_none(), task.due, task.kind.place(), task.raised_at_ms, task.id);
    open.items.sort_by_key(place);
    Ok(open)
}

fn recalls(reader: &Reader, now: Timestamp) -> Result<OfKind, ReadError> {
    let open = reader.recalls(true, &Page::first(TASKS_MAX))?;
    let tasks = open
        .items
        .into_iter()
        .map(|recall| {
            Ok(Task {
                kind: TaskKind::Recall,
                id: recall.recall,
                components: to_find(reader, &recall.about.donation, now)?,
                donation: Some(recall.about.donation),
                run: None,
                lot: None,
                kits: None,
                trigger: None,
                marker: None,
                donor: None,
                raised_at_ms: recall.about.raised_at_ms,
                next: "find every component, keep it back, and close the recall with what came of it",
                next_zh: "追回并隔离全部成分，填写结果后关闭召回",
                due: None,
                not_before: None,
                overdue: false,
            })
        })
        .collect::<Result<_, ReadError>>()?;
    Ok((tasks, open.next.is_some()))
}

fn lookbacks(reader: &Reader, (now, today): (Timestamp, Date)) -> Result<OfKind, ReadError> {
    let open = reader.lookbacks(true, &Page::first(TASKS_MAX))?;
    let tasks = open
        .items
        .into_iter()
        .map(|lookback| {
            let asked = &lookback.asked;
            let steps = [
                (
                    LookbackStep::Quarantined,
                    asked.quarantine_by,
                    asked.in_date,
                    "put what is in date into quarantine",
                    "将在效期内的制品隔离",
                ),
                (
                    LookbackStep::ConsigneesTold,
                    asked.notify_by,
                    true,
                    "test further and tell the consignees",
                    "进一步检测并通知用血机构",
                ),
                (
                    LookbackStep::RecipientsTold,
                    asked.recipients_by,
                    true,
                    "have recipients told",
                    "通知受血者",
                ),
            ];
            let next = steps.into_iter().find(|(step, _, applies, ..)| *applies && !lookback.has(*step));
            let (due, next, next_zh) = next.map_or(
                (None, "close it with what came of it", "填写结果后关闭"),
                |(_, due, _, next, next_zh)| (due, next, next_zh),
            );
            Ok(Task {
                kind: TaskKind::Lookback,
                id: lookback.raised,
                components: to_find(reader, &lookback.id.earlier, now)?,
                donation: Some(lookback.id.earlier.clone()),
                run: None,
                lot: None,
                kits: None,
                trigger: Some(lookback.id.trigger.clone()),
                marker: Some(lookback.id.marker.clone()),
                donor: None,
                raised_at_ms: lookback.raised_at_ms,
                next,
                next_zh,
                due,
                not_before: None,
                overdue: due.is_some_and(|due| due < today),
            })
        })
        .collect::<Result<_, ReadError>>()?;
    Ok((tasks, open.next.is_some()))
}

/// Faults that no run waits for are told of where they are listed.
fn faults(reader: &Reader) -> Result<OfKind, ReadError> {
    let open = reader.faults_in_runs(None, TASKS_MAX)?;
    let kept = open.items.into_iter().filter_map(|fault| Some((fault.runs.first().cloned()?, fault)));
    let tasks = kept
        .map(|(run, fault)| Task {
            kind: TaskKind::InterfaceFault,
            components: Vec::new(),
            id: fault.fault,
            donation: None,
            run: Some(run),
            lot: None,
            kits: None,
            trigger: None,
            marker: None,
            donor: None,
            raised_at_ms: fault.at_ms,
            next: "compare the run at the analyser, and acknowledge the fault (hemogate faults list, acknowledge)",
            next_zh: "在仪器上核对该批次，并确认该故障（hemogate faults list、acknowledge）",
            due: None,
            not_before: None,
            overdue: false,
        })
        .collect();
    Ok((tasks, open.next.is_some()))
}

fn invalid_runs(reader: &Reader) -> Result<OfKind, ReadError> {
    let next = (
        "have another person confirm that the run is invalid (hemogate runs confirm)",
        "由另一人确认该批次无效（hemogate runs confirm）",
    );
    Ok(of_invalid(TaskKind::RunInvalid, reader.unconfirmed_invalidations(TASKS_MAX + 1)?, next))
}

fn unrepeated_runs(reader: &Reader) -> Result<OfKind, ReadError> {
    let next = (
        "test its samples again, and name the run in which that was done (hemogate runs repeat)",
        "重新检测其标本，并填写重做的批次（hemogate runs repeat）",
    );
    Ok(of_invalid(TaskKind::RunRepeat, reader.unrepeated_invalidations(TASKS_MAX + 1)?, next))
}

fn of_invalid(
    kind: TaskKind,
    mut all: Vec<RunInvalidation>,
    (next, next_zh): (&'static str, &'static str),
) -> OfKind {
    let more = all.len() > TASKS_MAX;
    all.truncate(TASKS_MAX);
    let tasks = all
        .into_iter()
        .map(|said| Task {
            kind,
            components: Vec::new(),
            id: said.done.entry,
            donation: None,
            run: Some(said.run),
            lot: None,
            kits: None,
            trigger: None,
            marker: None,
            donor: None,
            raised_at_ms: said.done.at_ms,
            next,
            next_zh,
            due: None,
            not_before: None,
            overdue: false,
        })
        .collect();
    (tasks, more)
}

fn defective_lots(reader: &Reader) -> Result<OfKind, ReadError> {
    let unconfirmed = reader.lot_defects()?.into_iter().filter(|defect| defect.confirmed.is_none());
    let tasks = unconfirmed.map(|defect| Task {
        kind: TaskKind::LotDefective,
        components: Vec::new(),
        id: defect.done.entry,
        donation: None,
        run: None,
        lot: Some(defect.lot),
        kits: None,
        trigger: None,
        marker: None,
        donor: None,
        raised_at_ms: defect.done.at_ms,
        next: "have another person confirm that the lot is defective (hemogate lots confirm)",
        next_zh: "由另一人确认该批号有缺陷（hemogate lots confirm）",
        due: None,
        not_before: None,
        overdue: false,
    });
    Ok((tasks.collect(), false))
}

/// What is proposed, with its last day; and what is configured, where nobody has proposed just that.
fn kits_that_wait(settings: &Settings, reader: &Reader, now: Timestamp) -> Result<Vec<Task>, ReadError> {
    let now = kits::stands(settings, reader, now)?;
    let task = |kind, (id, raised): (ledger::Seq, Option<Timestamp>), changes: &kits::Changes| Task {
        kind,
        components: Vec::new(),
        id,
        donation: None,
        run: None,
        lot: None,
        kits: Some(changes.in_words()),
        trigger: None,
        marker: None,
        donor: None,
        raised_at_ms: raised.map_or(0, Timestamp::as_millisecond),
        next: "",
        next_zh: "",
        due: None,
        not_before: None,
        overdue: false,
    };
    let mut tasks = Vec::new();
    let proposed = now.proposed.as_ref().zip(now.proposed_changes.as_ref());
    if let Some((proposed, changes)) = proposed {
        let lapses = proposed.lapses.map(|at| at.to_zoned(settings.time_zone.clone()).date());
        tasks.push(Task {
            next: "have another person agree to the kits (hemogate kit activate), or let it lapse",
            next_zh: "由另一人启用试剂盒规则（hemogate kit activate），逾期失效",
            due: lapses,
            ..task(TaskKind::KitsProposed, (proposed.entry, proposed.at), changes)
        });
    }
    let is_proposed = proposed.is_some_and(|(_, changes)| *changes == now.waits);
    if let (false, false, Some(set)) = (now.waits.is_empty(), is_proposed, &now.in_force) {
        tasks.push(Task {
            next: "propose the configured kits (hemogate kit propose) and have another person agree, or configure those in force",
            next_zh: "提议启用配置中的试剂盒规则（hemogate kit propose）并由另一人启用，或改回生效中的规则",
            ..task(TaskKind::KitsConfigured, (set.entry, set.at), &now.waits)
        });
    }
    Ok(tasks)
}

fn reentries(book: &Book<'_>, reader: &Reader) -> Result<OfKind, ReadError> {
    let mut tasks = Vec::new();
    let open = reader.candidates(&Page::first(TASKS_MAX))?;
    for candidate in open.items {
        let case = reader.donor(&candidate.donor)?.reentry;
        if case.as_ref().is_some_and(|case| case.approved.is_some()) {
            continue;
        }
        // By the pack that judged the donation, and not by the one that is configured now.
        let settings = book.taken_at(candidate.collected_at_ms);
        let taken = Timestamp::from_millisecond(candidate.collected_at_ms).ok();
        let taken = taken.map(|at| at.to_zoned(settings.time_zone.clone()).date());
        let since = case.as_ref().map(|case| case.deferred_on).or(taken);
        let markers = match &case {
            Some(case) => vec![case.marker.clone()],
            None => donors::deferred_for(reader, &candidate.donation)?,
        };
        let (next, next_zh) = match case {
            Some(_) => ("finish the re-entry examination and have it approved", "完成归队检查并审批"),
            None => ("examine the donor for re-entry", "安排归队检查"),
        };
        tasks.push(Task {
            kind: TaskKind::Reentry,
            components: Vec::new(),
            id: candidate.raised,
            donation: Some(candidate.donation),
            run: None,
            lot: None,
            kits: None,
            trigger: None,
            marker: None,
            donor: Some(candidate.donor.into()),
            raised_at_ms: candidate.raised_at_ms,
            next,
            next_zh,
            due: None,
            not_before: since.and_then(|day| donors::reentry_from(settings, (&markers, day))),
            overdue: false,
        });
    }
    Ok((tasks, open.next.is_some()))
}
