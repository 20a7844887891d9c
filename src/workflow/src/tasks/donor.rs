//! What verdicts ask to be done for donors (rules.md §1.5, §1.9), one task a donation and kind; of confirmations and reports,
//! one a marker.

use super::{TASKS_MAX, Task, TaskKind};
use ledger::{AskedDeferral, DonorTask, DonorTaskStands, DonorTasks, Page, ReadError, Reader};

/// The open ones of the first donations, and the kinds of which there may be more.
pub(super) fn tasks(reader: &Reader) -> Result<(Vec<Task>, Vec<TaskKind>), ReadError> {
    let open = reader.donor_tasks(&Page::first(TASKS_MAX))?;
    let every = [TaskKind::DonorDeferral, TaskKind::DonorConfirmation, TaskKind::DonorReport];
    let more = if open.next.is_some() { every.to_vec() } else { Vec::new() };
    Ok((open.items.iter().flat_map(of_donation).collect(), more))
}

fn of_donation(all: &DonorTasks) -> Vec<Task> {
    let of = |wanted: DonorTask| all.open().filter(move |one| one.task == wanted);
    let deferrals: Vec<&DonorTaskStands> = of(DonorTask::Deferral).collect();
    let most = deferrals.iter().filter_map(|one| one.deferral).max();
    let mut tasks = Vec::new();
    if let (Some(first), Some(most)) = (deferrals.iter().min_by_key(|one| one.raised), most) {
        let markers: Vec<&str> = deferrals.iter().map(|one| one.marker.as_str()).collect();
        tasks.push(task(all, (TaskKind::DonorDeferral, deferral(most)), (first, markers.join(", "))));
    }
    let each = |kind, next| move |one: &DonorTaskStands| task(all, (kind, next), (one, one.marker.clone()));
    tasks.extend(of(DonorTask::Confirmation).map(each(TaskKind::DonorConfirmation, CONFIRMATION)));
    tasks.extend(of(DonorTask::Report).map(each(TaskKind::DonorReport, REPORT)));
    tasks
}

const CONFIRMATION: (&str, &str) = (
    "send a sample to the confirmatory laboratory, and record what it said (hemogate donor confirm)",
    "将标本送确证实验室，并录入结果（hemogate donor confirm）",
);

const REPORT: (&str, &str) = (
    "report it to the authority as the law asks, and say so (hemogate donor close --task report)",
    "依法报告（传染病报告），并予以登记（hemogate donor close --task report）",
);

fn deferral(asked: AskedDeferral) -> (&'static str, &'static str) {
    match asked {
        AskedDeferral::Temporary => (
            "defer the donor for a time (hemogate donor defer DONOR --until DAY --donation DONATION), or say why not (hemogate donor close --task deferral)",
            "暂时屏蔽献血者（hemogate donor defer 献血者 --until 日期 --donation 献血码），或说明未办原因（hemogate donor close --task deferral）",
        ),
        AskedDeferral::UntilSettled => (
            "defer the donor until it is confirmed or settled (hemogate donor defer DONOR --donation DONATION), or say why not (hemogate donor close --task deferral)",
            "屏蔽献血者，待确证或查清（hemogate donor defer 献血者 --donation 献血码），或说明未办原因（hemogate donor close --task deferral）",
        ),
        AskedDeferral::Permanent => (
            "defer the donor for good (hemogate donor defer DONOR --permanent --donation DONATION), or say why not (hemogate donor close --task deferral)",
            "永久屏蔽献血者（hemogate donor defer 献血者 --permanent --donation 献血码），或说明未办原因（hemogate donor close --task deferral）",
        ),
    }
}

fn task(
    all: &DonorTasks,
    (kind, (next, next_zh)): (TaskKind, (&'static str, &'static str)),
    (raised, marker): (&DonorTaskStands, String),
) -> Task {
    Task {
        kind,
        id: raised.raised,
        donation: Some(all.donation.clone()),
        components: Vec::new(),
        run: None,
        lot: None,
        kits: None,
        trigger: None,
        marker: Some(marker),
        donor: all.donor.clone(),
        raised_at_ms: raised.raised_at_ms,
        next,
        next_zh,
        due: None,
        not_before: None,
        overdue: false,
    }
}
