//! The daemon: opens the ledger, wires the rooms, serves until it is told to stop, and stops in order.

use crate::{
    clock,
    config::{ChainHash, Config, Connection, DestinationKind},
    desk,
    exit::{Exit, Failure},
    kit,
    lines::{Ready, bind, prepare},
    pinned::{Lined, lines},
    token, wiring,
};
use instrument_profiles::Profile;
use ledger::{Draft, HashAlgorithm, Ledger, What};
use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use vocabulary::ConnectionId;
use workflow::kits::Begun;

/// The longest an orderly stop may take: then the ledger is closed over whatever is still running.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// A running daemon.
pub(crate) struct Daemon {
    pub(crate) ledger: Ledger,
    pub(crate) board: intake::Board,
    pub(crate) couriers: delivery::Board,
    /// Where each listening connection really listens (port 0 is replaced).
    pub(crate) listening: BTreeMap<ConnectionId, SocketAddr>,
    /// Whose files are read anew when somebody asks.
    certificates: Vec<Arc<intake::TlsServer>>,
    pub(crate) console: SocketAddr,
    pub(crate) token: String,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Stops after everything else: whoever watches the stop wants to ask how it goes.
    console_stop: CancellationToken,
}

/// How the ledger of a configuration is opened.
pub(crate) fn ledger_settings(config: &Config) -> ledger::Settings {
    let mut settings = ledger::Settings::new(&config.store.path);
    settings.hash = match config.store.chain_hash {
        ChainHash::Sm3 => HashAlgorithm::Sm3,
        ChainHash::Sha256 => HashAlgorithm::Sha256,
    };
    settings.cache_bytes = config.store.cache_mib << 20;
    settings.free_bytes_min = config.store.minimum_free_mib << 20;
    settings
}

/// What the rooms of a configuration are given, with the profiles that it names.
pub(crate) fn workflow_settings(config: &Config) -> Result<workflow::Settings, Failure> {
    let configured = wiring::configured(config)?;
    let profiles = wiring::every_profile(&configured)?;
    let sound = wiring::sound(&configured);
    settings_with(config, profiles, sound.iter().map(|(connection, profile)| (connection, profile)))
}

/// What the rooms are given, with each connection and the profile that it reads with.
fn settings_with<'c>(
    config: &Config,
    profiles: workflow::Profiles,
    lines: impl IntoIterator<Item = (&'c Connection, &'c Arc<Profile>)>,
) -> Result<workflow::Settings, Failure> {
    Ok(workflow::Settings {
        profiles,
        pack: crate::decide::pack(&config.rules.pack)?,
        specimens: workflow::SpecimenRule::of(
            config.site.normaliser().map_err(|e| Failure::new(Exit::Configuration, e))?,
        ),
        time_zone: wiring::time_zone(&config.site.time_zone)?,
        kits: kit::configured(config)?,
        lots: workflow::LotRegister::new(config.lots.iter().cloned()),
        reagents_per_marker: usize::from(config.rules.serology_reagents.get()),
        neighbours_each_side: usize::from(config.rules.neighbours.get()),
        deliver_to: config.destinations.iter().map(|d| d.id.clone()).collect(),
        sign_off: config.rules.signatures,
        orders: wiring::orders(config, lines)?,
    })
}

/// Opens the ledger of a configuration, made where there is none.
pub(crate) fn open_ledger(config: &Config) -> Result<Ledger, Failure> {
    let settings = ledger_settings(config);
    let opened = Ledger::open(settings, &mut |progress| tracing::info!(?progress, "opening the ledger"));
    let (ledger, report) = opened.map_err(|e| {
        let what = format!("the ledger in {} cannot be opened: {e}", config.store.path.display());
        Failure::new(Exit::Unavailable, what)
    })?;
    tracing::info!(?report, "ledger open");
    Ok(ledger)
}

/// Writes an entry of hemogate's own; whether it is written.
pub(crate) async fn note(ledger: &Ledger, what: What) -> bool {
    let outcome = match ledger.append(vec![Draft::by_system(what)]) {
        Ok(pending) => pending.await.map(drop).map_err(|e| e.to_string()),
        Err(refused) => Err(refused.to_string()),
    };
    if let Err(why) = &outcome {
        tracing::error!(why, "the ledger does not take entries");
    }
    outcome.is_ok()
}

impl Daemon {
    /// Starts every room. What cannot start is an error; nothing is left running then but the caller's process.
    pub(crate) async fn start(config: &Config) -> Result<Self, Failure> {
        let ledger = {
            let config = config.clone();
            tokio::task::spawn_blocking(move || open_ledger(&config))
                .await
                .map_err(|e| Failure::new(Exit::Internal, e))??
        };
        let token = token::of_store(&config.store.path)?;
        let mut listening = BTreeMap::new();
        let lines = {
            let (config, ledger) = (config.clone(), ledger.clone());
            tokio::task::spawn_blocking(move || lines(&config, &ledger))
                .await
                .map_err(|e| Failure::new(Exit::Internal, e))??
        };
        let (mut ready, mut certificates) = (Vec::new(), Vec::new());
        for line in &lines.served {
            let one = prepare(line)?;
            if let Some(address) = one.listening() {
                listening.insert(line.connection.id.clone(), address);
            }
            certificates.extend(one.certificates());
            ready.push(one);
        }
        let console_listener = bind("the console", config.console.listen)?;
        let daemon = Self {
            ledger: ledger.clone(),
            board: intake::Board::default(),
            couriers: delivery::Board::default(),
            listening,
            certificates,
            console: console_listener.local_addr()?,
            token,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            console_stop: CancellationToken::new(),
        };
        note(&ledger, What::Started { version: env!("CARGO_PKG_VERSION").to_owned() }).await;
        for (connection, why) in lines.refused {
            daemon.board.refuse(&connection.id, connection.mode, why);
        }
        if let Some(server) = config.site.time_server.clone() {
            let stop = daemon.stop.clone();
            daemon.tasks.spawn(clock::watch(server, config.site.clock_off_ms, ledger, stop));
        } else {
            clock::unchecked(&ledger).await;
        }
        let workflow = daemon.rooms(config, lines.profiles, &lines.served).await?;
        daemon.links(daemon.with_desks(config, (ready, &lines.served), &workflow));
        daemon.surface(console_listener, config, workflow)?;
        Ok(daemon)
    }

    /// Begins with the configured rule pack. One that was not in force before waits for two people, and says so.
    async fn rules(&self, configured: release::RulePack) -> Result<(), Failure> {
        let ledger = self.ledger.clone();
        for one in configured.weaker() {
            tracing::warn!(
                key = one.key,
                value = one.value,
                than = one.than,
                due = one.due,
                "the configured rule pack asks for less 配置的规则包要求偏弱"
            );
        }
        let begun = tokio::task::spawn_blocking(move || workflow::rules::start(&ledger, &configured)).await;
        let begun = begun.map_err(|e| Failure::new(Exit::Internal, e))?;
        match begun.map_err(|e| Failure::new(Exit::Unavailable, e))? {
            workflow::rules::Begun::InForce => {}
            workflow::rules::Begun::Refused(why) => {
                return Err(Failure::new(Exit::Configuration, format!("{} ({})", why.why, why.why_zh)));
            }
            workflow::rules::Begun::Waits { in_force, configured } => tracing::warn!(
                in_force = %format_args!("{} {}", in_force.id, in_force.hash),
                configured = %format_args!("{} {}", configured.id, configured.hash),
                "the configured rule pack is not the one in force; donations are judged by the one in force until two \
                 people activate the other (hemogate rules activate) 配置的规则包尚未启用:须由两人启用"
            ),
        }
        Ok(())
    }

    /// Begins with the configured kits. Of what is otherwise than two people put in force nothing judges, and it says so.
    async fn kits(&self, configured: workflow::Kits) -> Result<(), Failure> {
        let ledger = self.ledger.clone();
        let begun = tokio::task::spawn_blocking(move || workflow::kits::start(&ledger, &configured)).await;
        let begun = begun.map_err(|e| Failure::new(Exit::Internal, e))?;
        let waits = match begun.map_err(|e| Failure::new(Exit::Unavailable, e))? {
            Begun::InForce => return Ok(()),
            Begun::Adopted { kits, waits } => {
                tracing::info!(
                    kits,
                    "these kits are in force from here on; two people change them 已采用当前试剂盒规则"
                );
                waits
            }
            Begun::Waits(waits) => waits,
        };
        if !waits.is_empty() {
            tracing::warn!(
                changes = waits.in_words(),
                "the configured kits are not those in force; runs are judged by those in force until two people put the \
                 others in force (hemogate kit propose, hemogate kit activate) 配置的试剂盒规则尚未启用：须由两人启用"
            );
        }
        Ok(())
    }

    async fn rooms(
        &self,
        config: &Config,
        profiles: workflow::Profiles,
        served: &[Lined],
    ) -> Result<Arc<workflow::Settings>, Failure> {
        let lines = served.iter().map(|line| (&line.connection, &line.profile));
        let settings = Arc::new(settings_with(config, profiles, lines)?);
        self.rules(settings.pack.clone()).await?;
        self.kits(settings.kits.clone()).await?;
        let (ledger, stop) = (self.ledger.clone(), self.stop.clone());
        self.tasks.spawn(workflow::run(Arc::clone(&settings), ledger, stop));
        for destination in &config.destinations {
            let DestinationKind::Hl7Mllp = destination.kind;
            let courier = delivery::Destination {
                id: destination.id.clone(),
                address: destination.address.clone(),
                addressing: delivery::Addressing {
                    facility: config.site.code.clone(),
                    receiver: destination.id.to_string(),
                },
                signs_here: settings.sign_off == workflow::SignOff::Here,
                time_zone: wiring::time_zone(&config.site.time_zone)?,
                answer_timeout: Duration::from_secs(destination.answer_timeout_s),
                attempts_max: destination.attempts_max,
                ..delivery::Destination::new(destination.id.clone(), &destination.address)
            };
            let (ledger, board, stop) = (self.ledger.clone(), self.couriers.clone(), self.stop.clone());
            self.tasks.spawn(delivery::run(courier, ledger, board, stop));
        }
        Ok(settings)
    }

    /// Gives every analyser that asks, or is sent orders, its desk.
    fn with_desks(
        &self,
        config: &Config,
        (ready, served): (Vec<Ready>, &[Lined]),
        settings: &Arc<workflow::Settings>,
    ) -> Vec<Ready> {
        let claims = desk::Claims::default();
        let facility = config.site.code.as_str();
        let mut with = Vec::with_capacity(ready.len());
        for (mut one, Lined { connection, profile }) in ready.into_iter().zip(served) {
            let desk = desk::OrderDesk::of(connection, profile, settings, (&self.ledger, facility, &claims));
            one.connection.desk = desk.map(|desk| desk as Arc<dyn intake::Desk>);
            with.push(one);
        }
        with
    }

    fn links(&self, ready: Vec<Ready>) {
        for Ready { connection, source } in ready {
            let (ledger, board, stop) = (self.ledger.clone(), self.board.clone(), self.stop.clone());
            let id = connection.id.clone();
            let serving = intake::serve(connection, source, ledger, board, stop);
            self.tasks.spawn(async move {
                if let Err(e) = serving.await {
                    tracing::error!(connection = %id, error = %e, "the connection cannot be served");
                }
            });
        }
    }

    fn surface(
        &self,
        listener: TcpListener,
        config: &Config,
        workflow: Arc<workflow::Settings>,
    ) -> Result<(), Failure> {
        let (rules, session_limits) =
            config.people.rules().map_err(|what| Failure::new(Exit::Configuration, what))?;
        let site = console::Site {
            name: config.site.name.clone(),
            ledger: self.ledger.clone(),
            connections: self.board.clone(),
            couriers: self.couriers.clone(),
            workflow,
            registrations: workflow::registrations::Registrations::default(),
            token: self.token.clone(),
            people: workflow::people::People::new(self.ledger.clone(), rules),
            session_limits,
            sessions: console::Sessions::default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let stop = self.console_stop.clone();
        tokio::spawn(async move {
            if let Err(e) = console::serve(site, listener, stop).await {
                tracing::error!(error = %e, "the HTTP surface has stopped");
            }
        });
        Ok(())
    }

    /// Reads certificate files anew; whoever is connected stays connected.
    pub(crate) fn reload(&self) {
        tracing::info!("certificate files are read anew; other settings are taken at the next start");
        for certificate in &self.certificates {
            certificate.reload();
        }
    }

    /// Stops in order: links answer what is in flight, rooms finish their group, the ledger is sealed.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(STOP_WITHIN, self.tasks.wait()).await.is_err() {
            tracing::error!(within = ?STOP_WITHIN, "some rooms did not stop in time; the ledger is closed over them");
        }
        note(&self.ledger, What::Stopped).await;
        self.console_stop.cancel();
        let closed = tokio::task::spawn_blocking(move || self.ledger.close()).await;
        if let Err(e) = closed {
            tracing::error!(error = %e, "the ledger was not closed in order");
        }
    }
}
