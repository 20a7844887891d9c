//! The HTTP surface: health, metrics, and reading of everything the ledger holds; the pages will grow on it.
//!
//! Commands that people give (a registration, a dead letter sent again) go to the ledger as entries with a name.
//! It knows no rule and no parser; what a verdict means is in the verdict.

mod access;
mod again;
mod batches;
mod caller;
mod commands;
mod components;
mod connections;
mod consulted;
mod donors;
mod faults;
mod fitness;
mod health;
mod kits;
mod lots;
mod metrics;
mod openapi;
mod orders;
mod paging;
mod people;
mod pools;
mod problem;
mod quarantine;
mod reading;
mod revisions;
mod rules;
mod sessions;
mod site;
mod writing;

pub use sessions::{SessionLimits, Sessions};
pub use site::Site;

use axum::{
    Extension, Router, middleware,
    routing::{get, post, put},
};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The longest body of a request.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Serves the surface on `listener` until `stop`.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(site: Site, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
    let until = async move { stop.cancelled().await };
    let routes = routes(site).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, routes).with_graceful_shutdown(until).await
}

/// Lots that were found defective (rules.md §2.5).
fn of_lots() -> Router<Arc<Site>> {
    Router::new()
        .route("/api/v1/lots/defective", get(lots::list))
        .route("/api/v1/lots/{lot}/defective", post(lots::defective))
        .route("/api/v1/lots/{lot}/confirm", post(lots::confirm))
        .route("/api/v1/lots/{lot}/reinstate", post(lots::reinstate))
}

/// What goes wrong on lines, and what is written down of analysers and operators (R-GATE-07, R-GATE-08, R-GATE-15).
fn of_interfaces_and_fitness() -> Router<Arc<Site>> {
    Router::new()
        .route("/api/v1/faults", get(faults::list))
        .route("/api/v1/faults/{seq}/acknowledge", post(faults::acknowledge))
        .route("/api/v1/connections/{id}/services", get(fitness::services).post(fitness::serviced))
        .route("/api/v1/connections/{id}/unfit", post(fitness::unfit))
        .route("/api/v1/operators", get(fitness::operators))
        .route("/api/v1/operators/authorise", post(fitness::authorise))
        .route("/api/v1/operators/withdraw", post(fitness::withdraw))
        .route("/api/v1/fitness/{seq}", get(fitness::one))
        .route("/api/v1/fitness/{seq}/confirm", post(fitness::confirm))
        .route("/api/v1/fitness/{seq}/take-back", post(fitness::take_back))
}

/// Every route. All but health and signing in ask for a token.
pub fn routes(site: Site) -> Router {
    let site = Arc::new(site);
    let guarded = Router::new()
        .route("/metrics", get(metrics::metrics))
        .route("/api/v1/status", get(health::status))
        .route("/api/v1/connections", get(connections::connections))
        .route("/api/v1/connections/{id}", get(connections::connection))
        .route("/api/v1/connections/{id}/probe", get(connections::probe))
        .route("/api/v1/connections/{id}/trace", get(connections::trace))
        .route("/api/v1/messages", get(reading::messages))
        .route("/api/v1/messages/{seq}", get(reading::message))
        .route("/api/v1/messages/{seq}/raw", get(reading::raw))
        .route("/api/v1/messages/{seq}/interpretations/{entry}", get(reading::past_interpretation))
        .route("/api/v1/messages/{seq}/reprocess", post(again::one))
        .route("/api/v1/reprocess", post(again::several))
        .route("/api/v1/profiles", get(revisions::kept).post(revisions::add))
        .route("/api/v1/connections/{id}/profile", get(revisions::pinned))
        .route("/api/v1/connections/{id}/profile/activate", post(revisions::activate))
        .route("/api/v1/connections/{id}/profile/map", post(revisions::map))
        .route("/api/v1/pools", get(pools::list))
        .route("/api/v1/pools/{id}", get(pools::show))
        .route("/api/v1/quarantine", get(quarantine::list))
        .route("/api/v1/quarantine/{seq}", get(quarantine::show))
        .merge(of_interfaces_and_fitness())
        .merge(of_lots())
        .route("/api/v1/donations/{id}/components", get(components::list).post(components::register))
        .route("/api/v1/donations/{id}/components/move", post(components::moved))
        .route("/api/v1/transfers/half", get(reading::half_transfers))
        .route("/api/v1/observations", get(reading::observations))
        .route("/api/v1/donations", get(reading::donations).post(writing::register))
        .route("/api/v1/donations/{id}", get(reading::donation))
        .route("/api/v1/runs", get(reading::runs))
        .route("/api/v1/runs/{id}", get(reading::run))
        .route("/api/v1/verdicts", get(reading::verdicts))
        .route("/api/v1/deliveries", get(reading::deliveries))
        .route("/api/v1/deliveries/{id}/requeue", post(writing::requeue))
        .route("/api/v1/dead-letters", get(reading::dead_letters))
        .route("/api/v1/orders", get(orders::list).post(orders::place))
        .route("/api/v1/orders/{id}", get(orders::one))
        .route("/api/v1/orders/{id}/cancel", post(orders::cancel))
        .route("/api/v1/queries", get(orders::queries))
        .route("/api/v1/audit", get(reading::audit))
        .route("/api/v1/batches", get(batches::list).post(batches::open))
        .route("/api/v1/batches/{seq}", get(batches::one))
        .route("/api/v1/batches/{seq}/review", post(batches::review))
        .route("/api/v1/batches/{seq}/release", post(batches::release))
        .route("/api/v1/batches/{seq}/hold", post(batches::hold))
        .route("/api/v1/batches/{seq}/lift", post(batches::lift))
        .route("/api/v1/batches/{seq}/discard", post(batches::discard))
        .route("/api/v1/runs/{id}/invalidate", post(batches::invalidate_run))
        .route("/api/v1/runs/{id}/confirm", post(batches::confirm_run))
        .route("/api/v1/runs/{id}/repeat", post(batches::name_repeat))
        .route("/api/v1/runs/{id}/reinstate", post(batches::reinstate_run))
        .route("/api/v1/runs/{id}/judge", post(batches::judge_run_anew))
        .route("/api/v1/recalls", get(batches::recalls))
        .route("/api/v1/recalls/{seq}", get(batches::recall))
        .route("/api/v1/tasks", get(donors::tasks))
        .route("/api/v1/tasks/lookback", post(donors::look_back))
        .route("/api/v1/tasks/donor", post(donors::close_task))
        .merge(of_one())
        .route("/api/v1/recalls/{seq}/close", post(batches::close_recall))
        .route("/api/v1/rule-packs", get(rules::list).post(rules::add))
        .route("/api/v1/rule-packs/activate", post(rules::activate))
        .route("/api/v1/rule-packs/{id}", get(rules::one))
        .route("/api/v1/kits", get(kits::list))
        .route("/api/v1/kits/propose", post(kits::propose))
        .route("/api/v1/kits/activate", post(kits::activate))
        .route("/api/v1/kits/{id}", get(kits::one))
        .route("/api/v1/sign-out", post(people::sign_out))
        .route("/api/v1/me", get(people::me))
        .route("/api/v1/me/password", post(people::own_password))
        .route("/api/v1/users", get(people::users).post(people::add))
        .route("/api/v1/users/{id}", get(people::user))
        .route("/api/v1/users/{id}/roles", put(people::roles))
        .route("/api/v1/users/{id}/disable", post(people::disable))
        .route("/api/v1/users/{id}/enable", post(people::enable))
        .route("/api/v1/users/{id}/password", post(people::password))
        .layer(Extension(Arc::new(consulted::Consulted::default())))
        .layer(middleware::from_fn_with_state(
            (Arc::clone(&site), Arc::new(access::Refusals::default())),
            access::bearer,
        ));
    Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/api/v1/sign-in", post(people::sign_in))
        .route("/api/v1/openapi.json", get(openapi::document))
        .merge(guarded)
        .fallback(problem::no_such_resource)
        .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(site)
}

/// What is said of one donor, and what people say of one donation.
fn of_one() -> Router<Arc<Site>> {
    Router::new()
        .route("/api/v1/donors/{id}", get(donors::one))
        .route("/api/v1/donors/{id}/defer", post(donors::defer))
        .route("/api/v1/donors/{id}/reinstate", post(donors::reinstate))
        .route("/api/v1/donors/{id}/earlier", post(donors::earlier))
        .route("/api/v1/donors/{id}/earlier/take-back", post(donors::take_back))
        .route("/api/v1/donors/{id}/examine", post(donors::examine))
        .route("/api/v1/donors/{id}/tests", post(donors::test))
        .route("/api/v1/donors/{id}/approve", post(donors::approve))
        .route("/api/v1/donations/{id}/hold", post(batches::hold_one))
        .route("/api/v1/donations/{id}/lift", post(batches::lift_one))
        .route("/api/v1/donations/{id}/number/check", post(donors::check_number))
        .route("/api/v1/donations/{id}/duplicate/accept", post(donors::accept_duplicate))
        .route("/api/v1/donations/{id}/confirmatory", post(donors::confirm))
        .route("/api/v1/donations/{id}/neighbours", post(donors::suspect))
        .route("/api/v1/donations/{id}/neighbours/settle", post(donors::settle))
        .route("/api/v1/donations/{id}/group/settle", post(donors::settle_group))
        .route("/api/v1/donations/{id}/result/settle", post(donors::settle_result))
        .route("/api/v1/donations/{id}/registration/settle", post(donors::settle_registration))
}
