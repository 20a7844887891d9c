//! Every entry: who, when, what. Bytes are left out and told by their length; `messages` has them.

use super::{Export, ExportError, json, set, time};
use crate::{Body, DonorData, Entry, KitsAct, Line, PersonAct, PersonEntry, RulesAct, Terms, What};
use serde_json::{Value, json as object};
use std::collections::BTreeSet;
use vocabulary::UserId;

impl Export {
    pub(super) fn audit(&mut self, line: &Line) -> Result<(), ExportError> {
        let entry = &line.entry;
        if let What::ClockCompared { clock, .. } = &entry.what {
            self.clock = Some(clock.name());
        } else if matches!(entry.what, What::Started { .. }) {
            // While the daemon stood still anything may have happened to the clock.
            self.clock = None;
        }
        let mut told = object!({
            "entry": entry.seq, "at": time(entry.at_ms), "by": entry.by, "what": entry.what.name(),
            "detail": detail(entry)?, "previous": line.previous,
        });
        if let Some(terminal) = &entry.terminal {
            set(&mut told, "terminal", terminal.as_str().into());
        }
        if let Some(clock) = self.clock {
            set(&mut told, "clock", clock.into());
        }
        self.ready.push_back(told);
        Ok(())
    }
}

fn detail(entry: &Entry) -> Result<Value, ExportError> {
    Ok(match &entry.what {
        What::Started { version } => object!({ "version": version }),
        What::Stopped => Value::Null,
        What::ClockCompared { server, clock } => object!({ "server": server, "clock": clock }),
        What::FrameReceived { connection, transfer, number, end, text, terms } => {
            let mut frame = object!({
                "connection": connection, "transfer": transfer, "number": number, "end": end, "bytes": text.len(),
            });
            if let (Some(frame), Some(Terms { mode, profile })) = (frame.as_object_mut(), terms) {
                frame.extend([("mode".to_owned(), object!(mode)), ("profile".to_owned(), object!(profile))]);
            }
            frame
        }
        What::TransferEnded { connection, transfer, how } => {
            object!({ "connection": connection, "transfer": transfer, "how": how })
        }
        What::MessageReceived { connection, mode, profile, protocol, body } => object!({
            "connection": connection, "mode": mode, "profile": profile, "protocol": protocol, "body": told(body),
        }),
        What::MessageInterpreted { .. } => interpreted(&entry.what),
        What::DonationRegistered(registration) => json(entry, registration)?,
        What::VerdictMade(made) => object!({
            "donation": made.donation(), "considered": made.considered(), "deliver_to": made.deliver_to(),
            "unit": made.unit(), "releasable": made.releasable(), "complete": made.complete(),
            "rule_pack": made.rule_pack(), "content_hash": made.content_hash(),
        }),
        What::VerdictUnchanged { donation, considered } => {
            object!({ "donation": donation, "considered": considered })
        }
        What::DeliveryAttempted { .. }
        | What::DeliveryDone { .. }
        | What::DeliveryDead { .. }
        | What::DeliveryRequeued { .. } => of_deliveries(&entry.what),
        What::FileTaken { connection, name, sha256, bytes } => {
            object!({ "connection": connection, "name": name, "sha256": sha256, "bytes": bytes })
        }
        What::LinkNoted { connection, what } => object!({ "connection": connection, "what": what }),
        What::OrderPlaced { .. }
        | What::OrderCancelled { .. }
        | What::OrderExpired { .. }
        | What::OrderSent { .. }
        | What::QueryAnswered { .. } => of_orders(&entry.what),
        What::DonorDataRead { of: DonorData::Trace { connection } } => {
            object!({ "read": "trace", "connection": connection })
        }
        What::DonorDataRead { of: DonorData::RawMessage { message } } => {
            object!({ "read": "raw_message", "message": message })
        }
        What::Person(PersonEntry { user, act }) => person(user, act),
        What::ProfileKept { .. }
        | What::ProfilePinned { .. }
        | What::ProfileProposed { .. }
        | What::ProfileActivated { .. }
        | What::ReprocessAsked { .. }
        | What::InterpretationStands { .. } => of_profiles(&entry.what),
        What::FaultAcknowledged { fault, why } => object!({ "fault": fault, "why": why }),
        What::Rules(_)
        | What::Kits(_)
        | What::Lots(_)
        | What::Fitness(_)
        | What::Donor(_)
        | What::Component(_)
        | What::Signed(_) => of_people(entry)?,
        What::WrongTubeSuspected { donation, neighbours, stands } => {
            object!({ "donation": donation, "neighbours": neighbours, "stands": stands })
        }
        What::CommandRefused { command, why } => object!({ "command": command, "why": why }),
        What::TailCut { file, offset, bytes } => object!({ "file": file, "offset": offset, "bytes": bytes }),
    })
}

/// What came of a message: results by their number, donations and orders by their names.
fn interpreted(what: &What) -> Value {
    let What::MessageInterpreted {
        message,
        profile,
        observations,
        findings,
        donations,
        holds,
        orders,
        measured,
        continues,
        pools,
        part,
        last,
    } = what
    else {
        return Value::Null;
    };
    let about: BTreeSet<_> = donations.iter().chain(holds).map(|(_, donation)| donation).collect();
    let mut told = object!({
        "message": message, "profile": profile, "observations": observations.len(),
        "findings": findings.len(), "donations": about, "part": part, "last": last,
    });
    if let Some(fields) = told.as_object_mut() {
        fields.extend((!pools.is_empty()).then(|| ("pools".to_owned(), object!(pools.named()))));
        if !orders.is_empty() {
            let orders: BTreeSet<_> = orders.iter().map(|(_, order)| order).collect();
            fields.insert("orders".to_owned(), object!(orders));
        }
        let earlier: Vec<_> = measured.iter().filter_map(|m| m.earlier).collect();
        if !earlier.is_empty() {
            fields.insert("earlier".to_owned(), object!(earlier));
        }
        if !continues.is_empty() {
            fields.insert("continues".to_owned(), object!(continues));
        }
    }
    told
}

fn of_deliveries(what: &What) -> Value {
    if let What::DeliveryAttempted { delivery, outcome, next_at_ms } = what {
        object!({ "delivery": delivery.to_string(), "outcome": outcome, "next_at": time(*next_at_ms) })
    } else if let What::DeliveryDone { delivery, answer } = what {
        object!({ "delivery": delivery.to_string(), "answer_bytes": answer.len() })
    } else if let What::DeliveryDead { delivery, reason } = what {
        object!({ "delivery": delivery.to_string(), "reason": reason })
    } else if let What::DeliveryRequeued { delivery } = what {
        object!({ "delivery": delivery.to_string() })
    } else {
        Value::Null
    }
}

/// What people decided. A rule pack's or kit's content is told by its length, since its hash is taken of it.
fn of_people(entry: &Entry) -> Result<Value, ExportError> {
    if let What::Rules(RulesAct::Kept { pack, content }) = &entry.what {
        let base = content.base.as_ref().map(String::len);
        Ok(object!({ "pack": pack, "bytes": content.text.len(), "based_on_bytes": base }))
    } else if let What::Rules(act) = &entry.what {
        json(entry, act)
    } else if let What::Kits(KitsAct::Kept { kit, text }) = &entry.what {
        Ok(object!({ "kit": kit, "bytes": text.len() }))
    } else if let What::Kits(act) = &entry.what {
        json(entry, act)
    } else if let What::Lots(act) = &entry.what {
        json(entry, act)
    } else if let What::Fitness(act) = &entry.what {
        json(entry, act)
    } else if let What::Donor(act) = &entry.what {
        json(entry, act)
    } else if let What::Component(act) = &entry.what {
        json(entry, act)
    } else if let What::Signed(act) = &entry.what {
        json(entry, act)
    } else {
        Ok(Value::Null)
    }
}

/// What happened to an account. A password is told by its having been set, never by its hash.
fn person(user: &UserId, act: &PersonAct) -> Value {
    let detail = match act {
        PersonAct::Added { name, roles, must_change, .. } => {
            object!({ "name": name, "roles": roles, "must_change": must_change })
        }
        PersonAct::RolesSet { roles, reason } => object!({ "roles": roles, "reason": reason }),
        PersonAct::PasswordSet { must_change, .. } => object!({ "must_change": must_change }),
        PersonAct::Disabled { reason } | PersonAct::Enabled { reason } => object!({ "reason": reason }),
        PersonAct::SignedIn | PersonAct::Confirmed | PersonAct::SignedOut => object!({}),
        PersonAct::SignInFailed { failures, locked_until_ms } => {
            object!({ "failures": failures, "locked_until": locked_until_ms.map(time) })
        }
    };
    let mut told = object!({ "user": user });
    if let (Value::Object(told), Value::Object(detail)) = (&mut told, detail) {
        told.extend(detail);
    }
    told
}

fn of_orders(what: &What) -> Value {
    if let What::OrderPlaced { order, from } = what {
        object!({ "order": order, "from": from })
    } else if let What::OrderCancelled { order, assays, reason, from } = what {
        object!({ "order": order, "assays": assays, "reason": reason, "from": from })
    } else if let What::OrderExpired { order, reason } = what {
        object!({ "order": order, "reason": reason })
    } else if let What::OrderSent { order, connection, assays, message, action, accepted, answer } = what {
        object!({
            "order": order, "connection": connection, "assays": assays, "message": message,
            "action": action, "accepted": accepted, "answer": answer,
        })
    } else if let What::QueryAnswered { message, connection, asked, outcome } = what {
        object!({ "message": message, "connection": connection, "asked": asked, "outcome": outcome })
    } else {
        Value::Null
    }
}

/// What is told of profile revisions: a content by its length, since the revision is its hash.
fn of_profiles(what: &What) -> Value {
    if let What::ProfileKept { profile, content, mapping } = what {
        object!({ "profile": profile, "bytes": content.text.len(), "templates": content.templates.len(), "mapping": mapping })
    } else if let What::ProfilePinned { connection, profile } = what {
        object!({ "connection": connection, "profile": profile })
    } else if let What::ProfileProposed { connection, profile, why } = what {
        object!({ "connection": connection, "profile": profile, "why": why })
    } else if let What::ProfileActivated { connection, profile, proposed } = what {
        object!({ "connection": connection, "profile": profile, "proposed": proposed })
    } else if let What::ReprocessAsked { message, profile, why } = what {
        object!({ "message": message, "profile": profile, "why": why })
    } else if let What::InterpretationStands { message, profile } = what {
        object!({ "message": message, "profile": profile })
    } else {
        Value::Null
    }
}

fn told(body: &Body) -> Value {
    match body {
        Body::Whole(bytes) => object!({ "bytes": bytes.len() }),
        Body::Made { text, transfer, to } => {
            object!({ "bytes": text.len(), "transfer": transfer, "to": to })
        }
        Body::Frames { transfer, from, to } => object!({ "transfer": transfer, "from": from, "to": to }),
    }
}
