//! `hemogate.toml`: what a site writes down, read strictly.
//!
//! An unknown key is an error with file, line and the nearest known key; nothing is guessed. Relative paths are
//! taken from the folder of the file. `HEMOGATE__SECTION__KEY` in the environment wins over the file.

use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fmt, fs, io,
    net::SocketAddr,
    num::NonZeroU8,
    path::{Path, PathBuf},
};
use vocabulary::{ConnectionId, DestinationId, Mode};

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default)]
    pub(crate) site: Site,
    #[serde(default)]
    pub(crate) store: Store,
    #[serde(default)]
    pub(crate) console: Console,
    #[serde(default)]
    pub(crate) rules: Rules,
    #[serde(default, rename = "connection")]
    pub(crate) connections: Vec<Connection>,
    #[serde(default, rename = "destination")]
    pub(crate) destinations: Vec<Destination>,
    /// `[[lot]]`: lots the laboratory has accepted; results of any other lot are held (R-GATE-06).
    #[serde(default, rename = "lot")]
    pub(crate) lots: Vec<workflow::AcceptedLot>,
}

/// `[site]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Site {
    /// Name for pages and messages.
    pub(crate) name: String,
    /// Code of the centre, sent as HL7 facility.
    pub(crate) code: String,
    /// IANA name; clocks of analysers without a zone are read in it.
    pub(crate) time_zone: String,
    /// Regular expression with the named group `donation`; what does not match is held.
    pub(crate) specimen_pattern: String,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: "hemogate".into(),
            code: "HEMOGATE".into(),
            time_zone: "Asia/Shanghai".into(),
            specimen_pattern: r"^(?<donation>\S+)$".into(),
        }
    }
}

/// `[store]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Store {
    /// Folder of the ledger.
    pub(crate) path: PathBuf,
    /// Cache of the state store in MiB; the process takes up to three times as much.
    pub(crate) cache_mib: u64,
    /// Below this much free space nothing is accepted any more.
    pub(crate) minimum_free_mib: u64,
    /// Hash of the chain.
    pub(crate) chain_hash: ChainHash,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: "hemogate-data".into(),
            cache_mib: 128,
            minimum_free_mib: 512,
            chain_hash: ChainHash::Sm3,
        }
    }
}

/// Hash of the ledger's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChainHash {
    Sm3,
    Sha256,
}

/// `[console]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Console {
    /// Address of the HTTP surface; loopback only until users and TLS come.
    pub(crate) listen: SocketAddr,
}

impl Default for Console {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)) }
    }
}

/// `[rules]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rules {
    /// Id of a built-in pack, or the path of a pack file.
    pub(crate) pack: String,
    /// Serology reagents that each of HBsAg, anti-HCV, HIV and syphilis is tested with; a verdict waits for all of them.
    pub(crate) serology_reagents: NonZeroU8,
}

/// Two: a laboratory with one has to say so.
const SEROLOGY_REAGENTS: NonZeroU8 = NonZeroU8::new(2).unwrap();

impl Default for Rules {
    fn default() -> Self {
        Self { pack: "cn-2019".into(), serology_reagents: SEROLOGY_REAGENTS }
    }
}

/// `[[connection]]`: one analyser.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    /// `maker/model` of the catalogue.
    pub(crate) profile: String,
    #[serde(default = "qualification")]
    pub(crate) mode: Mode,
    pub(crate) transport: Transport,
}

/// Fail closed: until the site says production, results are not evidence.
fn qualification() -> Mode {
    Mode::Qualification
}

/// How the analyser is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Transport {
    /// The analyser connects to us.
    TcpListen { address: SocketAddr },
    /// We connect to the analyser.
    TcpConnect { address: String },
    /// The analyser writes files into a folder.
    Directory {
        path: PathBuf,
        #[serde(default = "any_file")]
        pattern: String,
    },
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TcpListen { address } => write!(f, "{address}"),
            Self::TcpConnect { address } => f.write_str(address),
            Self::Directory { path, .. } => write!(f, "{}", path.display()),
        }
    }
}

fn any_file() -> String {
    "*".into()
}

/// `[[destination]]`: one receiver of verdicts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destination {
    pub(crate) id: DestinationId,
    #[serde(rename = "type")]
    pub(crate) kind: DestinationKind,
    pub(crate) address: String,
    /// How long an answer may take before the attempt counts as failed.
    #[serde(default = "thirty")]
    pub(crate) answer_timeout_s: u64,
    /// Attempts before a delivery becomes a dead letter that a person sees.
    #[serde(default = "attempts")]
    pub(crate) attempts_max: u32,
}

fn thirty() -> u64 {
    30
}

fn attempts() -> u32 {
    50
}

/// What a destination speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DestinationKind {
    Hl7Mllp,
}

/// One fault of a configuration: where, what, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) file: PathBuf,
    pub(crate) line: Option<usize>,
    pub(crate) what: String,
    pub(crate) remedy: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, " — {remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

/// A configuration and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    /// Absent when hemogate runs on its defaults.
    pub(crate) file: Option<PathBuf>,
}

/// Reads `asked`, else `./hemogate.toml`, else `/etc/hemogate/hemogate.toml`, else the defaults.
pub(crate) fn load(asked: Option<&Path>, environment: &[(String, String)]) -> Result<Loaded, Fault> {
    let found = match asked {
        Some(path) => Some(path.to_path_buf()),
        None => ["hemogate.toml", "/etc/hemogate/hemogate.toml"]
            .map(PathBuf::from)
            .into_iter()
            .find(|p| p.is_file()),
    };
    let (text, file) = match &found {
        Some(path) => (fs::read_to_string(path).map_err(|e| unreadable(path, &e))?, path.clone()),
        None => (String::new(), PathBuf::from("(defaults)")),
    };
    let mut config = read(&text, &file, environment)?;
    if let Some(folder) = found.as_deref().and_then(Path::parent) {
        config.store.path = folder.join(&config.store.path);
        for connection in &mut config.connections {
            if let Transport::Directory { path, .. } = &mut connection.transport {
                *path = folder.join(&*path);
            }
        }
    }
    Ok(Loaded { config, file: found })
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault {
        file: path.to_path_buf(),
        line: None,
        what: format!("the configuration cannot be read: {error}"),
        remedy: Some("check the path after --config and its permissions".into()),
    }
}

/// Reads the text of a configuration, with what the environment sets laid over it.
pub(crate) fn read(text: &str, file: &Path, environment: &[(String, String)]) -> Result<Config, Fault> {
    // The text alone first: its faults have lines.
    let config: Config = toml::from_str(text).map_err(|e| explain(&e, text, file))?;
    let config = if environment.iter().any(|(name, _)| name.starts_with(PREFIX)) {
        let mut table: toml::Table = toml::from_str(text).map_err(|e| explain(&e, text, file))?;
        for (name, value) in environment {
            overlay(&mut table, name, value);
        }
        let text = table.to_string();
        toml::from_str(&text).map_err(|e| {
            let mut fault = explain(&e, &text, Path::new("(environment over configuration)"));
            fault.line = None;
            fault
        })?
    } else {
        config
    };
    match repeated(&config) {
        Some(what) => Err(Fault {
            file: file.to_path_buf(),
            line: None,
            what,
            remedy: Some("give each connection and each destination its own id and address".into()),
        }),
        None => Ok(config),
    }
}

const PREFIX: &str = "HEMOGATE__";

fn overlay(table: &mut toml::Table, name: &str, value: &str) {
    let Some(path) = name.strip_prefix(PREFIX) else { return };
    let parts: Vec<String> = path.split("__").map(str::to_lowercase).collect();
    let [section, key] = parts.as_slice() else { return };
    let value =
        value.parse::<i64>().map_or_else(|_| toml::Value::String(value.to_owned()), toml::Value::Integer);
    let section = table.entry(section.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let toml::Value::Table(section) = section {
        section.insert(key.clone(), value);
    }
}

fn repeated(config: &Config) -> Option<String> {
    let mut seen = BTreeSet::new();
    let connections = config.connections.iter().map(|c| format!("connection id {:?}", c.id.as_str()));
    let destinations = config.destinations.iter().map(|d| format!("destination id {:?}", d.id.as_str()));
    let listening = config.connections.iter().filter_map(|c| match &c.transport {
        Transport::TcpListen { address } if address.port() != 0 => {
            Some(format!("listening address {address}"))
        }
        Transport::TcpListen { .. } | Transport::TcpConnect { .. } | Transport::Directory { .. } => None,
    });
    connections
        .chain(destinations)
        .chain(listening)
        .find(|name| !seen.insert(name.clone()))
        .map(|name| format!("{name} is used twice"))
}

/// Turns the reader's words into file, line and the nearest known key.
pub(crate) fn explain(error: &toml::de::Error, text: &str, file: &Path) -> Fault {
    let line =
        error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let what = error.message().to_owned();
    let mut names = what.split('`').skip(1).step_by(2);
    let remedy = if what.starts_with("unknown field") || what.starts_with("unknown variant") {
        let wrong = names.next().unwrap_or_default().to_owned();
        names
            .map(|known| (strsim::osa_distance(&wrong, known), known))
            .min()
            .map(|(_, known)| format!("did you mean {known:?}?"))
    } else {
        None
    };
    Fault { file: file.to_path_buf(), line, what, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        read(text, Path::new("hemogate.toml"), &[]).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_is_the_defaults_and_no_connection_is_in_production_unasked() {
        let config = read("", Path::new("x"), &[]).unwrap();
        assert_eq!(config.rules.pack, "cn-2019");
        assert!(config.console.listen.ip().is_loopback());
        let text = "[[connection]]\nid = 'a'\nprofile = 'm/m'\ntransport = { type = 'tcp-listen', address = '127.0.0.1:1' }";
        assert_eq!(read(text, Path::new("x"), &[]).unwrap().connections[0].mode, Mode::Qualification);
    }

    #[test]
    fn an_unknown_key_names_file_line_and_the_nearest_key() {
        let text = fault("[store]\npath = 'x'\ncash_mib = 3\n");
        assert!(text.starts_with("hemogate.toml:3: unknown field `cash_mib`"), "{text}");
        assert!(text.ends_with("did you mean \"cache_mib\"?"), "{text}");
    }

    #[test]
    fn an_unknown_transport_names_the_nearest_one() {
        let text =
            fault("[[connection]]\nid='a'\nprofile='m/m'\ntransport = { type = 'tcp-lisen', address = 'x' }");
        assert!(text.contains("did you mean \"tcp-listen\"?"), "{text}");
    }

    #[test]
    fn two_connections_cannot_share_an_id_or_an_address() {
        let one = |id: &str, port: u16| {
            format!(
                "[[connection]]\nid='{id}'\nprofile='m/m'\ntransport={{type='tcp-listen',address='127.0.0.1:{port}'}}\n"
            )
        };
        assert!(fault(&(one("a", 1) + &one("a", 2))).contains("connection id \"a\" is used twice"));
        assert!(fault(&(one("a", 1) + &one("b", 1))).contains("127.0.0.1:1 is used twice"));
        assert!(read(&(one("a", 0) + &one("b", 0)), Path::new("x"), &[]).is_ok());
    }

    #[test]
    fn the_environment_wins_over_the_file_and_is_checked_as_strictly() {
        let set = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let config =
            read("[store]\ncache_mib = 1", Path::new("x"), &set("HEMOGATE__STORE__CACHE_MIB", "7")).unwrap();
        assert_eq!(config.store.cache_mib, 7);
        let wrong = read("", Path::new("x"), &set("HEMOGATE__STORE__CASH_MIB", "7")).unwrap_err().to_string();
        assert!(wrong.contains("cache_mib"), "{wrong}");
    }

    #[test]
    fn relative_paths_are_taken_from_the_folder_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("site.toml");
        fs::write(&file, "[store]\npath = 'ledger'").unwrap();
        assert_eq!(load(Some(&file), &[]).unwrap().config.store.path, folder.path().join("ledger"));
        assert!(load(Some(&folder.path().join("none.toml")), &[]).is_err());
    }
}
