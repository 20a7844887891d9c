//! Who sends a request: the station's own machine door, or a person.

use crate::{Site, problem::Problem};
use axum::http::Method;
use ledger::By;
use workflow::people::{Act, Actor, Refused};

/// How entries name whoever holds the machine's token.
const MACHINE: &str = "user:token";

/// Who sends a request.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// Whoever holds the token of the first start: other systems, and scripts of the station. It reads, registers, orders
    /// and sends again; it never does what needs a person.
    Machine(By),
    /// A person who has signed in.
    Person(Actor),
}

/// What a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A person who may do this, or the machine.
    MachineOr(Act),
    /// A person who may do this.
    Person(Act),
    /// Any person, whatever state the password is in.
    Anybody,
}

/// Every command and what it needs. A command that is not here is nobody's.
pub(crate) const COMMANDS: &[(&str, &str, Need)] = &[
    ("POST", "/api/v1/donations", Need::MachineOr(Act::RegisterDonation)),
    ("POST", "/api/v1/donations/{id}/components", Need::MachineOr(Act::RecordComponent)),
    ("POST", "/api/v1/donations/{id}/components/move", Need::MachineOr(Act::RecordComponent)),
    ("POST", "/api/v1/deliveries/{id}/requeue", Need::MachineOr(Act::RequeueDelivery)),
    ("POST", "/api/v1/orders", Need::MachineOr(Act::PlaceOrder)),
    ("POST", "/api/v1/orders/{id}/cancel", Need::MachineOr(Act::PlaceOrder)),
    ("POST", "/api/v1/messages/{seq}/reprocess", Need::Person(Act::Reprocess)),
    ("POST", "/api/v1/reprocess", Need::Person(Act::Reprocess)),
    ("POST", "/api/v1/faults/{seq}/acknowledge", Need::Person(Act::ResolveFinding)),
    ("POST", "/api/v1/connections/{id}/services", Need::Person(Act::RecordFitness)),
    ("POST", "/api/v1/connections/{id}/unfit", Need::Person(Act::RecordFitness)),
    ("POST", "/api/v1/operators/authorise", Need::Person(Act::RecordFitness)),
    ("POST", "/api/v1/operators/withdraw", Need::Person(Act::RecordFitness)),
    ("POST", "/api/v1/fitness/{seq}/confirm", Need::Person(Act::RecordFitness)),
    ("POST", "/api/v1/fitness/{seq}/take-back", Need::Person(Act::RecordFitness)),
    ("POST", "/api/v1/profiles", Need::Person(Act::ActivateProfile)),
    ("POST", "/api/v1/connections/{id}/profile/activate", Need::Person(Act::ActivateProfile)),
    ("POST", "/api/v1/connections/{id}/profile/map", Need::Person(Act::MapCode)),
    ("POST", "/api/v1/batches", Need::Person(Act::OpenBatch)),
    ("POST", "/api/v1/batches/{seq}/review", Need::Person(Act::ReviewBatch)),
    ("POST", "/api/v1/batches/{seq}/release", Need::Person(Act::ReleaseBatch)),
    ("POST", "/api/v1/batches/{seq}/hold", Need::Person(Act::HoldDonation)),
    ("POST", "/api/v1/batches/{seq}/lift", Need::Person(Act::LiftHold)),
    ("POST", "/api/v1/batches/{seq}/discard", Need::Person(Act::DiscardDonation)),
    ("POST", "/api/v1/lots/{lot}/defective", Need::Person(Act::InvalidateRun)),
    ("POST", "/api/v1/lots/{lot}/confirm", Need::Person(Act::InvalidateRun)),
    ("POST", "/api/v1/lots/{lot}/reinstate", Need::Person(Act::InvalidateRun)),
    ("POST", "/api/v1/runs/{id}/invalidate", Need::Person(Act::InvalidateRun)),
    ("POST", "/api/v1/runs/{id}/confirm", Need::Person(Act::InvalidateRun)),
    ("POST", "/api/v1/runs/{id}/reinstate", Need::Person(Act::InvalidateRun)),
    ("POST", "/api/v1/runs/{id}/judge", Need::Person(Act::InvalidateRun)),
    ("POST", "/api/v1/runs/{id}/repeat", Need::Person(Act::InvalidateRun)),
    ("POST", "/api/v1/donations/{id}/hold", Need::Person(Act::HoldDonation)),
    ("POST", "/api/v1/donations/{id}/lift", Need::Person(Act::LiftHold)),
    ("POST", "/api/v1/donations/{id}/number/check", Need::Person(Act::CheckNumber)),
    ("POST", "/api/v1/donations/{id}/duplicate/accept", Need::Person(Act::AcceptDuplicate)),
    ("POST", "/api/v1/recalls/{seq}/close", Need::Person(Act::CloseRecall)),
    ("POST", "/api/v1/tasks/lookback", Need::Person(Act::DoLookback)),
    ("POST", "/api/v1/tasks/donor", Need::Person(Act::CloseDonorTask)),
    ("POST", "/api/v1/donors/{id}/defer", Need::Person(Act::DeferDonor)),
    ("POST", "/api/v1/donors/{id}/reinstate", Need::Person(Act::ReinstateDonor)),
    ("POST", "/api/v1/donors/{id}/earlier", Need::Person(Act::RecordEarlier)),
    ("POST", "/api/v1/donors/{id}/earlier/take-back", Need::Person(Act::TakeBackRecord)),
    ("POST", "/api/v1/donors/{id}/examine", Need::Person(Act::ExamineDonor)),
    ("POST", "/api/v1/donors/{id}/tests", Need::Person(Act::ExamineDonor)),
    ("POST", "/api/v1/donors/{id}/approve", Need::Person(Act::ReinstateDonor)),
    ("POST", "/api/v1/donations/{id}/confirmatory", Need::Person(Act::RecordConfirmatory)),
    ("POST", "/api/v1/donations/{id}/neighbours", Need::Person(Act::HoldDonation)),
    ("POST", "/api/v1/donations/{id}/neighbours/settle", Need::Person(Act::LiftHold)),
    ("POST", "/api/v1/donations/{id}/group/settle", Need::Person(Act::SettleGroup)),
    ("POST", "/api/v1/donations/{id}/result/settle", Need::Person(Act::SettleResult)),
    ("POST", "/api/v1/donations/{id}/registration/settle", Need::Person(Act::SettleRegistration)),
    ("POST", "/api/v1/rule-packs", Need::Person(Act::ActivateRules)),
    ("POST", "/api/v1/rule-packs/activate", Need::Person(Act::ActivateRules)),
    ("POST", "/api/v1/kits/propose", Need::Person(Act::ActivateKits)),
    ("POST", "/api/v1/kits/activate", Need::Person(Act::ActivateKits)),
    ("POST", "/api/v1/sign-out", Need::Anybody),
    ("POST", "/api/v1/me/password", Need::Anybody),
    ("POST", "/api/v1/users", Need::Person(Act::AddUser)),
    ("PUT", "/api/v1/users/{id}/roles", Need::Person(Act::GrantRoles)),
    ("POST", "/api/v1/users/{id}/disable", Need::Person(Act::DisableUser)),
    ("POST", "/api/v1/users/{id}/enable", Need::Person(Act::EnableUser)),
    ("POST", "/api/v1/users/{id}/password", Need::Person(Act::ResetPassword)),
];

/// What has to be held to read there; nothing: being signed in is enough.
fn to_read(path: &str) -> Option<Act> {
    match path {
        "/metrics"
        | "/api/v1/status"
        | "/api/v1/connections"
        | "/api/v1/connections/{id}"
        | "/api/v1/connections/{id}/probe" => None,
        "/api/v1/audit" => Some(Act::ReadAudit),
        "/api/v1/users" | "/api/v1/users/{id}" => Some(Act::ReadUsers),
        _ => Some(Act::ReadLaboratory),
    }
}

impl Caller {
    /// Whoever holds the machine's token, at a terminal.
    pub(crate) fn machine(terminal: Option<String>) -> Self {
        Self::Machine(By::from(MACHINE).at(terminal))
    }

    /// How entries name it.
    pub(crate) fn by(&self) -> By {
        match self {
            Self::Machine(by) => by.clone(),
            Self::Person(actor) => actor.by(),
        }
    }

    /// The person, where it is one.
    pub(crate) fn person(&self) -> Result<&Actor, Problem> {
        match self {
            Self::Person(actor) => Ok(actor),
            Self::Machine(_) => Err(Problem::forbidden(
                "this needs a person: sign in with POST /api/v1/sign-in and use the token it gives (需要个人登录)",
            )),
        }
    }

    /// Whether a request of this kind may go on. What carries a command out asks again, of the ledger.
    pub(crate) fn check(&self, method: &Method, path: &str) -> Result<(), Problem> {
        let act = if *method == Method::GET {
            if path == "/api/v1/me" {
                return self.person().map(drop);
            }
            match self {
                Self::Machine(_) => return Ok(()),
                Self::Person(_) => to_read(path),
            }
        } else {
            let found = COMMANDS.iter().find(|(m, p, _)| *m == method.as_str() && *p == path);
            match found.map(|(_, _, need)| *need) {
                None => return Err(Problem::forbidden(format!("{method} {path} is given to nobody"))),
                Some(Need::Anybody) => return self.person().map(drop),
                Some(Need::MachineOr(_)) if matches!(self, Self::Machine(_)) => return Ok(()),
                Some(Need::MachineOr(act) | Need::Person(act)) => Some(act),
            }
        };
        let actor = self.person()?;
        if actor.must_change_password() {
            return Err(refused(&Refused::MustChange));
        }
        match act {
            Some(act) if !actor.may(act) => Err(refused(&Refused::NotPermitted { act })),
            Some(_) | None => Ok(()),
        }
    }
}

/// A refusal as a problem. Who is not let in is not told why.
pub(crate) fn refused(refused: &Refused) -> Problem {
    let detail = format!("{} ({})", refused.english(), refused.chinese());
    match refused {
        Refused::Wrong | Refused::Locked { .. } | Refused::Disabled => {
            Problem::not_let_in(format!("{} ({})", Refused::Wrong.english(), Refused::Wrong.chinese()))
        }
        Refused::Stale => Problem::not_let_in(detail),
        Refused::Busy | Refused::Broken(_) => Problem::unavailable(detail),
        Refused::MustChange
        | Refused::NotPermitted { .. }
        | Refused::OtherPerson
        | Refused::Own
        | Refused::LocalOnlyAdministrators => Problem::forbidden(detail),
        Refused::Exists(_) | Refused::Last(_) => Problem::conflict(detail),
        Refused::NoSuchUser(_) => Problem::not_found(detail),
        Refused::Changed => Problem::precondition(detail),
        Refused::Password { .. } | Refused::Name { .. } | Refused::Text { .. } | Refused::Roles(_) => {
            Problem::unprocessable(detail)
        }
    }
}

impl Site {
    /// Does something that waits for the disk or for a password, away from the runtime's threads.
    pub(crate) async fn of_people<T: Send + 'static>(
        &self,
        work: impl FnOnce(&workflow::people::People) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Problem> {
        let people = self.people.clone();
        let outcome = tokio::task::spawn_blocking(move || work(&people)).await;
        outcome.map_err(|e| Problem::internal(&e))?.map_err(|why| refused(&why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi::OPERATIONS;

    #[test]
    fn every_command_of_the_document_says_who_may_give_it_and_none_is_given_that_is_not_there() {
        let commands =
            || OPERATIONS.iter().filter(|(path, method, _)| *method != "get" && !path.ends_with("/sign-in"));
        for (path, method, _) in commands() {
            let known = COMMANDS.iter().any(|(m, p, _)| p == path && m.eq_ignore_ascii_case(method));
            assert!(known, "{method} {path} stands in no line of COMMANDS");
        }
        assert_eq!(commands().count(), COMMANDS.len());
    }

    #[test]
    fn the_machine_reads_and_does_nothing_that_needs_a_person() {
        for (method, path, need) in COMMANDS {
            let method: Method = method.parse().unwrap();
            let may = Caller::machine(None).check(&method, path).is_ok();
            assert_eq!(may, matches!(need, Need::MachineOr(_)), "{method} {path}");
        }
        assert!(Caller::machine(None).check(&Method::GET, "/api/v1/donations").is_ok());
        assert!(Caller::machine(None).check(&Method::POST, "/api/v1/nowhere").is_err());
        assert!(Caller::machine(None).check(&Method::DELETE, "/api/v1/donations").is_err());
    }
}
