//! `check`: configuration, profiles, rule pack, store and ports; every fault with its remedy, starting nothing.

use crate::{
    cli::{Cli, Lang},
    config::{Config, Connection, Transport},
    examine,
    exit::{Exit, Outcome},
    lines, wiring,
};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    net::{SocketAddr, TcpListener},
};

pub(crate) fn check(cli: &Cli, lang: Lang) -> Outcome {
    let mut out = io::stdout().lock();
    let loaded = match crate::configuration(cli) {
        Ok(loaded) => loaded,
        Err(failure) => {
            writeln!(out, "✗ {}", failure.what)?;
            return Ok(Exit::Configuration);
        }
    };
    let file = loaded
        .file
        .map_or_else(|| lang.pick("(defaults)", "(默认值)").to_owned(), |f| f.display().to_string());
    writeln!(out, "✓ {} {file}", lang.pick("configuration", "配置"))?;
    let mut faults = 0;
    for (what, outcome) in findings(&loaded.config, lang) {
        match outcome {
            Ok(said) => writeln!(out, "✓ {what} {said}")?,
            Err(why) => {
                faults += 1;
                writeln!(out, "✗ {what} {why}")?;
            }
        }
    }
    Ok(if faults == 0 { Exit::Done } else { Exit::No })
}

type Finding = (String, Result<String, String>);

fn findings(config: &Config, lang: Lang) -> Vec<Finding> {
    let mut found = vec![
        (lang.pick("rule pack", "规则包").to_owned(), rule_pack(config, lang)),
        (lang.pick("kits", "试剂盒规则").to_owned(), kits(config, lang)),
        (lang.pick("time zone", "时区").to_owned(), zone(config)),
        (lang.pick("identifiers", "标识码规则").to_owned(), codes(config)),
        (lang.pick("store", "账本").to_owned(), store(config)),
        (lang.pick("console", "控制台").to_owned(), port(config.console.listen)),
    ];
    if config.lots.iter().any(|lot| !lot.assays.is_empty()) {
        found.push((lang.pick("lots", "批号").to_owned(), assays_of_lots(config, lang)));
    }
    for connection in &config.connections {
        let what = format!("{} {}", lang.pick("connection", "连接"), connection.id);
        found.push((
            what.clone(),
            wiring::profile(&connection.profile)
                .map_err(|f| f.what)
                .and_then(|profile| complete(&profile, lang)),
        ));
        found.push((what, transport(connection)));
    }
    for destination in &config.destinations {
        let what = format!("{} {}", lang.pick("destination", "接收方"), destination.id);
        found.push((what, address(&destination.address)));
    }
    if !config.console.listen.ip().is_loopback() {
        let why = "the console speaks plain HTTP: listen on loopback and put a TLS proxy in front".to_owned();
        found.push((lang.pick("console", "控制台").to_owned(), Err(why)));
    }
    found
}

/// A profile that leaves nothing open and counts its guards; else what a person has still to say.
fn complete(profile: &instrument_profiles::Profile, lang: Lang) -> Result<String, String> {
    let about = profile.reference();
    let open: Vec<String> = profile.open_points().iter().map(ToString::to_string).collect();
    if !open.is_empty() {
        return Err(format!("{about}: results are held for what is open\n  {}", open.join("\n  ")));
    }
    if let Some(guards) = profile.uncounted_guards() {
        let what = lang.pick(
            "its guards are not counted, so that a condition that is lost would not be noticed; write in [evidence]:",
            "未登记条件数目，丢失条件时无法发现；请在 [evidence] 中写入：",
        );
        return Err(format!("{about}: {what} guards = {guards}"));
    }
    Ok(about.to_string())
}

/// The pack, proven, with what it asks less for than its jurisdiction's.
fn rule_pack(config: &Config, lang: Lang) -> Result<String, String> {
    let pack = crate::decide::pack(&config.rules.pack).map_err(|f| f.what)?;
    let name = format!("{} {}", pack.id(), pack.hash());
    if let Some(refusal) = workflow::rules::unfit(&pack) {
        return Err(format!("{name}: {}", lang.pick(refusal.why, refusal.why_zh)));
    }
    let weaker = pack.weaker();
    let lines = weaker.iter().map(|one| format!("\n  ! {}", lang.pick(one.english(), one.chinese())));
    Ok(name + &lines.collect::<String>())
}

/// The kits in force, and the assays of the connections that have none.
fn kits(config: &Config, lang: Lang) -> Result<String, String> {
    let kits = crate::kit::configured(config).map_err(|f| f.what)?;
    let with: BTreeSet<&str> = kits.iter().flat_map(|kit| kit.assays.iter().map(String::as_str)).collect();
    let mut without = BTreeSet::new();
    for connection in &config.connections {
        // A connection whose profile cannot be read is told of in its own line.
        let Ok(profile) = wiring::profile(&connection.profile) else { continue };
        let assays = profile.assays().map(|(_, assay)| assay);
        without.extend(assays.filter(|assay| !with.contains(assay)).map(str::to_owned));
    }
    let count = kits.iter().count();
    if without.is_empty() {
        return Ok(count.to_string());
    }
    let note = lang.pick(
        "without a kit, judged by the profile's controls until the run ends",
        "未配置试剂盒规则，按仪器配置的质控判定整批",
    );
    Ok(format!("{count}; {note}: {}", without.into_iter().collect::<Vec<_>>().join(", ")))
}

/// What the lots that name assays are for: a name that no connection knows accepts nothing.
fn assays_of_lots(config: &Config, lang: Lang) -> Result<String, String> {
    // A connection whose profile cannot be read is told of in its own line.
    let profiles: Vec<_> =
        config.connections.iter().filter_map(|line| wiring::profile(&line.profile).ok()).collect();
    let known: BTreeSet<&str> = profiles.iter().flat_map(|p| p.assays().map(|(_, assay)| assay)).collect();
    let named = config.lots.iter().flat_map(|lot| lot.assays.iter().map(move |assay| (lot, assay)));
    let unknown = named.filter(|(_, assay)| !known.contains(assay.as_str())).map(|(lot, assay)| {
        let near = known.iter().min_by_key(|known| strsim::osa_distance(known, assay));
        let near = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        let what = lang.pick("no connection has the assay", "没有连接使用该项目");
        format!("{}: {what} {assay:?}{near}", lot.lot)
    });
    let unknown: Vec<String> = unknown.collect();
    if unknown.is_empty() { Ok(config.lots.len().to_string()) } else { Err(unknown.join("\n  ")) }
}

fn zone(config: &Config) -> Result<String, String> {
    wiring::time_zone(&config.site.time_zone).map(|_| config.site.time_zone.clone()).map_err(|f| f.what)
}

fn codes(config: &Config) -> Result<String, String> {
    let forms = config.site.normaliser().map_err(|e| e.to_string())?;
    Ok(forms.names().collect::<Vec<_>>().join(", "))
}

fn store(config: &Config) -> Result<String, String> {
    let path = &config.store.path;
    let shown = path.display();
    if !path.exists() {
        return Ok(format!("{shown} (will be made)"));
    }
    let about = fs::metadata(path).map_err(|e| format!("{shown}: {e}"))?;
    if about.permissions().readonly() || !about.is_dir() {
        return Err(format!("{shown} is no folder that can be written to"));
    }
    Ok(shown.to_string())
}

fn port(address: SocketAddr) -> Result<String, String> {
    let free = TcpListener::bind(address).map(|_| address.to_string());
    free.map_err(|e| format!("{address}: {e}; stop what listens there, or choose another port"))
}

fn transport(connection: &Connection) -> Result<String, String> {
    match &connection.transport {
        Transport::TcpListen(t) => port(t.address),
        Transport::TlsListen(t) => {
            let certificate = examine::server(&lines::server_files(t))?;
            port(t.address).map(|address| format!("{address} {certificate}"))
        }
        Transport::TcpConnect(t) => address(&t.address),
        Transport::TlsConnect(t) => {
            let certificate = examine::client(&lines::client_files(t), t.name())?;
            address(&t.address).map(|address| format!("{address} {certificate}"))
        }
        Transport::Serial(t) => examine::device(&t.device),
        Transport::Directory(t) => examine::folder(&t.path, connection.mode),
    }
}

/// `host:port`, without asking the network.
fn address(text: &str) -> Result<String, String> {
    let port =
        text.rsplit_once(':').and_then(|(host, port)| port.parse::<u16>().ok().filter(|_| !host.is_empty()));
    match port {
        Some(_) => Ok(text.to_owned()),
        None => Err(format!("{text:?} is no host:port")),
    }
}
