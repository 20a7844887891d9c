//! What verdicts ask to be done for donors (rules.md §1.5, §1.9), one task a donation and kind; of confirmations and reports,
//! one a marker.

use super::{Task, TaskKind};
use ledger::{AskedDeferral, DonorTask, DonorTaskStands, DonorTasks, Listing, Page, ReadError, Reader};
use vocabulary::DonationId;

/// Open tasks of one kind for donors, in pages of donations. A donation has one report and one confirmation a marker.
///
/// # Errors
/// [`ReadError`].
pub fn for_donors(
    reader: &Reader,
    task: DonorTask,
    page: &Page<DonationId>,
) -> Result<Listing<Task, DonationId>, ReadError> {
    let open = reader.donor_tasks(task, page)?;
    Ok(Listing { items: open.items.iter().flat_map(|all| of_kind(all, task)).collect(), next: open.next })
}

/// Open tasks for the donor of one donation, the most pressing first.
///
/// # Errors
/// [`ReadError`].
pub fn for_donor_of(reader: &Reader, donation: &DonationId) -> Result<Vec<Task>, ReadError> {
    let known = reader.donor_tasks_of(donation)?;
    let every = |all: &DonorTasks| DonorTask::EVERY.iter().flat_map(|task| of_kind(all, *task)).collect();
    Ok(known.as_ref().map(every).unwrap_or_default())
}

/// What kind of a task it is.
pub(super) fn kind(task: DonorTask) -> TaskKind {
    match task {
        DonorTask::Report => TaskKind::DonorReport,
        DonorTask::Confirmation => TaskKind::DonorConfirmation,
        DonorTask::Deferral => TaskKind::DonorDeferral,
    }
}

fn of_kind(all: &DonorTasks, wanted: DonorTask) -> Vec<Task> {
    let open: Vec<&DonorTaskStands> = all.open().filter(|one| one.task == wanted).collect();
    let each =
        |next| open.iter().map(|one| task(all, (kind(wanted), next), (one, one.marker.clone()))).collect();
    match wanted {
        DonorTask::Report => each(REPORT),
        DonorTask::Confirmation => each(CONFIRMATION),
        // One, by the heaviest.
        DonorTask::Deferral => {
            let most = open.iter().filter_map(|one| one.deferral).max();
            let markers: Vec<&str> = open.iter().map(|one| one.marker.as_str()).collect();
            let first = open.iter().min_by_key(|one| one.raised);
            let heaviest = first
                .zip(most)
                .map(|(first, most)| task(all, (kind(wanted), deferral(most)), (first, markers.join(", "))));
            heaviest.into_iter().collect()
        }
    }
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
        donor: all.donor.clone().map(String::from),
        raised_at_ms: raised.raised_at_ms,
        next,
        next_zh,
        due: None,
        not_before: None,
        overdue: false,
    }
}
