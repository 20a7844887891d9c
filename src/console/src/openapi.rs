//! The surface in `OpenAPI` 3.1, small and by hand; a test holds it against the routes.

use axum::Json;
use serde_json::{Map, Value, json};

/// Path, method, summary.
pub(crate) const OPERATIONS: &[(&str, &str, &str)] = &[
    ("/health/live", "get", "hemogate lives"),
    ("/health/ready", "get", "results are accepted; 503 with the reason when not"),
    ("/metrics", "get", "Prometheus text"),
    ("/api/v1/status", "get", "ledger, counters and receivers"),
    ("/api/v1/connections", "get", "every analyser's connection as it stands"),
    ("/api/v1/connections/{id}", "get", "one analyser's connection as it stands"),
    ("/api/v1/connections/{id}/probe", "get", "what would happen if it were used now; changes nothing"),
    (
        "/api/v1/connections/{id}/trace",
        "get",
        "what went over its line, both ways: a dialogue, or JSON; its reading is recorded",
    ),
    ("/api/v1/messages", "get", "messages, in pages"),
    ("/api/v1/messages/{seq}", "get", "a message and its meaning"),
    (
        "/api/v1/messages/{seq}/raw",
        "get",
        "a message's bytes exactly as they came; their reading is recorded",
    ),
    (
        "/api/v1/messages/{seq}/interpretations/{entry}",
        "get",
        "what a message was taken to mean before it was read again",
    ),
    (
        "/api/v1/messages/{seq}/reprocess",
        "post",
        "read a message again from its bytes with its connection's revision; nothing is written where nothing changes",
    ),
    (
        "/api/v1/reprocess",
        "post",
        "read several messages again: a connection's quarantine, all that a revision reads",
    ),
    ("/api/v1/profiles", "get", "profile revisions whose content the ledger keeps"),
    ("/api/v1/profiles", "post", "keep a profile in the ledger, so that it can be activated"),
    (
        "/api/v1/connections/{id}/profile",
        "get",
        "the revision it is pinned to, what is proposed, and the history",
    ),
    (
        "/api/v1/connections/{id}/profile/activate",
        "post",
        "propose a revision, or agree to the one that another person proposed",
    ),
    (
        "/api/v1/connections/{id}/profile/map",
        "post",
        "say what a code or a text means; another person activates the revision that this makes",
    ),
    (
        "/api/v1/quarantine",
        "get",
        "messages that hold something up: reasons, findings, and what waits for them; connection, reason",
    ),
    (
        "/api/v1/quarantine/{seq}",
        "get",
        "a held message: each reason with its place in the bytes and what to do; its reading is recorded",
    ),
    ("/api/v1/pools", "get", "pools of pipetting robots, in pages"),
    (
        "/api/v1/pools/{id}",
        "get",
        "a pool: members with their aspirations, results, what it says, and why it says nothing",
    ),
    (
        "/api/v1/faults",
        "get",
        "faults of interfaces that stand open (R-GATE-15), and the runs that they fell into; connection",
    ),
    ("/api/v1/faults/{seq}/acknowledge", "post", "look at a fault: what it fell into need not wait for it"),
    (
        "/api/v1/connections/{id}/services",
        "get",
        "what is written down of the analysers of a line (R-GATE-07)",
    ),
    ("/api/v1/connections/{id}/services", "post", "a service was done, and is good until a day"),
    ("/api/v1/connections/{id}/unfit", "post", "a service failed, or should have been done: at once"),
    ("/api/v1/operators", "get", "which operator may run which assay (R-GATE-08)"),
    ("/api/v1/operators/authorise", "post", "an operator may run assays"),
    ("/api/v1/operators/withdraw", "post", "an operator may not run assays any more: at once"),
    (
        "/api/v1/fitness/{seq}",
        "get",
        "one of these entries, how it stands, and how much it changes or would change",
    ),
    ("/api/v1/fitness/{seq}/confirm", "post", "confirm, as another person, an entry that reaches back"),
    (
        "/api/v1/fitness/{seq}/take-back",
        "post",
        "have an entry taken back, or agree to that as another person",
    ),
    ("/api/v1/transfers/half", "get", "half transmissions"),
    ("/api/v1/observations", "get", "observations, by message, donation or connection"),
    ("/api/v1/donations", "get", "donations, in pages"),
    (
        "/api/v1/donations",
        "post",
        "register donations; a number that is registered already may only become stricter: a row that says otherwise is refused, holds its donation, and keeps no other row out",
    ),
    ("/api/v1/donations/{id}", "get", "a donation with evidence, verdict, reasons, history and deliveries"),
    (
        "/api/v1/donations/{id}/components",
        "get",
        "what was made of a donation, where each component is, and the look-backs that keep what is in the house",
    ),
    (
        "/api/v1/donations/{id}/components",
        "post",
        "register components that were made of it, or say until when (`expires`); those known already stay where they are",
    ),
    (
        "/api/v1/donations/{id}/components/move",
        "post",
        "where one went: quarantine, held, missing, issued (consignee, at, happened), discarded, written_off",
    ),
    ("/api/v1/runs", "get", "runs, by name, in pages"),
    (
        "/api/v1/runs/{id}",
        "get",
        "a run as it is now: validity and quality control with reasons, what each criterion came to, what depends on it",
    ),
    ("/api/v1/verdicts", "get", "the verdict that stands for each donation"),
    ("/api/v1/deliveries", "get", "deliveries, in pages"),
    ("/api/v1/deliveries/{id}/requeue", "post", "send a dead letter again"),
    ("/api/v1/dead-letters", "get", "deliveries that were given up, with the reason"),
    (
        "/api/v1/orders",
        "get",
        "orders with the reason why they wait, in pages; state, open, specimen, connection, assay",
    ),
    (
        "/api/v1/orders",
        "post",
        "place orders, one or an array; the order's number is the key: the same again changes nothing",
    ),
    ("/api/v1/orders/{id}", "get", "an order with its assays, why it waits, and its history"),
    ("/api/v1/orders/{id}/cancel", "post", "cancel an order or some of its assays"),
    ("/api/v1/queries", "get", "what analysers asked for and how they were answered"),
    ("/api/v1/audit", "get", "entries of the journal: who, from where, when, what"),
    ("/api/v1/batches", "get", "batches, in pages"),
    ("/api/v1/batches", "post", "put a batch together from a session, runs or a list of donations"),
    (
        "/api/v1/batches/{seq}",
        "get",
        "a batch as it is now, with what keeps each donation; its ETag is what is signed",
    ),
    ("/api/v1/batches/{seq}/review", "post", "sign the review: password again, If-Match the ETag"),
    ("/api/v1/batches/{seq}/release", "post", "another person signs the release of what every gate lets go"),
    ("/api/v1/batches/{seq}/hold", "post", "hold donations"),
    ("/api/v1/batches/{seq}/lift", "post", "lift holds of people"),
    (
        "/api/v1/batches/{seq}/discard",
        "post",
        "take units out for good, counted by hand (R-GATE-13); one that passes only where that is meant (passing)",
    ),
    ("/api/v1/lots/defective", "get", "lots that stand as defective, since when, and who said so"),
    ("/api/v1/lots/{lot}/defective", "post", "a lot is defective since a day; its results fall at once"),
    ("/api/v1/lots/{lot}/confirm", "post", "stand for that as the second person"),
    (
        "/api/v1/lots/{lot}/reinstate",
        "post",
        "propose that its results count again, or agree as another person",
    ),
    ("/api/v1/runs/{id}/invalidate", "post", "declare a run invalid after the fact; it falls at once"),
    ("/api/v1/runs/{id}/confirm", "post", "stand for a run's invalidation as the second person"),
    (
        "/api/v1/runs/{id}/repeat",
        "post",
        "name the run in which an invalid run's samples are tested again, once",
    ),
    ("/api/v1/runs/{id}/reinstate", "post", "propose that a run be valid again, or agree as another person"),
    (
        "/api/v1/runs/{id}/judge",
        "post",
        "propose that a run be judged by the kits of now, or agree as another person",
    ),
    ("/api/v1/recalls", "get", "open recalls: released donations that may not go any more"),
    ("/api/v1/recalls/{seq}", "get", "one recall"),
    (
        "/api/v1/tasks",
        "get",
        "open recalls, look-backs, re-entries, what verdicts ask for donors, and what waits for a second person, those with the nearest last day first; `kind`: of one kind, and of donor_report, donor_confirmation, donor_deferral in pages (`after`, `limit`)",
    ),
    (
        "/api/v1/tasks/lookback",
        "post",
        "a step of a look-back was done; `cleared`, by two people: what is in the house may go",
    ),
    ("/api/v1/tasks/donor", "post", "close a task for a donor: DONE or NOT_DONE, with the reason"),
    (
        "/api/v1/donors/{id}",
        "get",
        "a donor: the deferral register with every deferral that stands, donations, re-entry, and who wrote what",
    ),
    (
        "/api/v1/donors/{id}/defer",
        "post",
        "defer a donor for a time, or for good; with `donation`, because its verdict asks for it; `note`, `note_zh` where no donation of the donor is known",
    ),
    (
        "/api/v1/donors/{id}/reinstate",
        "post",
        "let a donor who was deferred for a time give again; of several deferrals, those named in `on` are taken back",
    ),
    (
        "/api/v1/donors/{id}/earlier",
        "post",
        "record a donation that is known from elsewhere, with what it gave",
    ),
    (
        "/api/v1/donors/{id}/earlier/take-back",
        "post",
        "one of two names: a donation was recorded by hand by mistake, named by the entry that recorded it",
    ),
    ("/api/v1/donors/{id}/examine", "post", "begin a re-entry examination"),
    ("/api/v1/donors/{id}/tests", "post", "record a test of a re-entry examination"),
    (
        "/api/v1/donors/{id}/approve",
        "post",
        "let a donor give again after an examination that the rule pack finds whole; `deferrals`: others that it takes back; `note`, `note_zh` where the donor stays deferred",
    ),
    ("/api/v1/donations/{id}/hold", "post", "hold it, in a batch or not; one that is out is called back"),
    ("/api/v1/donations/{id}/lift", "post", "lift the holds that people made"),
    (
        "/api/v1/donations/{id}/number/check",
        "post",
        "one of the two names under numbers that were typed in, compared with the tubes (R-GATE-09)",
    ),
    (
        "/api/v1/donations/{id}/duplicate/accept",
        "post",
        "one of the two names under a duplicate on another lot or analyser, as it was seen (R-SER-02)",
    ),
    ("/api/v1/donations/{id}/confirmatory", "post", "record what a confirmatory laboratory said"),
    ("/api/v1/donations/{id}/neighbours", "post", "hold it: a donation beside it may be in its tube"),
    ("/api/v1/donations/{id}/neighbours/settle", "post", "grouped again from its bag segment, it agrees"),
    (
        "/api/v1/donations/{id}/group/settle",
        "post",
        "one of two names: which determination of its group stands",
    ),
    (
        "/api/v1/donations/{id}/result/settle",
        "post",
        "one of two names: which version of a result that was sent with different values stands, by its message, of the versions that were seen (R-GATE-15)",
    ),
    (
        "/api/v1/donations/{id}/registration/settle",
        "post",
        "one of two names: which registration of a number that was registered for two stands, by its entry, of the registrations that were seen (R-GATE-09)",
    ),
    (
        "/api/v1/recalls/{seq}/close",
        "post",
        "close a recall with what came of it: of which components that are out the consignees were told, and which are kept here",
    ),
    (
        "/api/v1/rule-packs",
        "get",
        "rule packs: which judges now, since when, by whom, which next, what is proposed, what each is weaker in than its jurisdiction's, or which orders of the one in force it drops",
    ),
    (
        "/api/v1/rule-packs",
        "post",
        "keep a rule pack whose proof holds in the ledger, so that it can be activated",
    ),
    ("/api/v1/rule-packs/{id}", "get", "rule packs by id, or by how a hash begins, with everything they say"),
    (
        "/api/v1/rule-packs/activate",
        "post",
        "propose a rule pack from a time on, or agree to the one that another person proposed",
    ),
    (
        "/api/v1/kits",
        "get",
        "kits: which judge now, since when, by whom, which next, what is proposed, what is configured and judges nothing",
    ),
    ("/api/v1/kits/{id}", "get", "contents of kits by id, or by how a hash begins, with their text"),
    (
        "/api/v1/kits/propose",
        "post",
        "propose kits: the configured ones, or files, kept ones and kits to leave out; from a time on",
    ),
    ("/api/v1/kits/activate", "post", "agree to the kits that another person proposed, by the entry"),
    ("/api/v1/sign-in", "post", "a name and its password for the token of a session"),
    ("/api/v1/sign-out", "post", "ends the session"),
    ("/api/v1/me", "get", "who is signed in, with roles and acts"),
    ("/api/v1/me/password", "post", "change the own password; ends every session of the person"),
    ("/api/v1/users", "get", "accounts"),
    ("/api/v1/users", "post", "make an account; it has no role yet (system administrator)"),
    ("/api/v1/users/{id}", "get", "one account; its ETag is its version"),
    ("/api/v1/users/{id}/roles", "put", "its roles (security administrator)"),
    ("/api/v1/users/{id}/disable", "post", "close it (system administrator)"),
    ("/api/v1/users/{id}/enable", "post", "open it again; a lock-out ends (system administrator)"),
    ("/api/v1/users/{id}/password", "post", "set a password that has to be changed (security administrator)"),
];

pub(crate) async fn document() -> Json<Value> {
    let mut paths: Map<String, Value> = Map::new();
    for (path, method, summary) in OPERATIONS {
        let parameters: Vec<Value> = path
            .split('{')
            .skip(1)
            .filter_map(|part| part.split('}').next())
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .collect();
        let operation = json!({
            "summary": summary,
            "parameters": parameters,
            "responses": {
                "2XX": { "description": "as asked" },
                "default": {
                    "description": "a problem (RFC 9457)",
                    "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
                },
            },
        });
        if let Some(item) = paths.entry(*path).or_insert_with(|| json!({})).as_object_mut() {
            item.insert((*method).to_owned(), operation);
        }
    }
    Json(json!({
        "openapi": "3.1.0",
        "info": { "title": "hemogate", "version": env!("CARGO_PKG_VERSION") },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": { "Problem": { "type": "object", "properties": {
                "type": { "type": "string" }, "title": { "type": "string" },
                "status": { "type": "integer" }, "detail": { "type": "string" },
            } } },
        },
    }))
}
