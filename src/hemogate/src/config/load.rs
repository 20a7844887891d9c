//! From file and environment to a [`Config`].

use super::{Config, Fault, fault::explain, identifiers};
use instrument_profiles::Catalogue;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};
use workflow::AcceptedLot;

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
            connection.transport.rebase(folder);
        }
        config.site.profiles = config.site.profiles.map(|own| folder.join(own));
        config.site.kits = config.site.kits.map(|own| folder.join(own));
        let pack = folder.join(&config.rules.pack);
        let built_in = release::RulePack::built_in_ids().contains(&config.rules.pack.as_str());
        if !built_in && pack.is_file() {
            config.rules.pack = pack.display().to_string();
        }
    }
    own_profiles(&mut config, &file)?;
    Ok(Loaded { config, file: found })
}

/// Connections that name one of the site's own profiles get its folder. An id that the catalogue has too is refused:
/// which of the two was meant must not depend on a folder that somebody moves.
fn own_profiles(config: &mut Config, file: &Path) -> Result<(), Fault> {
    let Some(own) = &config.site.profiles else { return Ok(()) };
    for connection in &mut config.connections {
        let folder = own.join(&connection.profile);
        if !folder.join("profile.toml").is_file() {
            continue;
        }
        if Catalogue::is_built_in(&connection.profile) {
            return Err(Fault {
                file: file.to_path_buf(),
                line: None,
                what: format!(
                    "connection {}: the profile {} is in {} and in the catalogue of this release",
                    connection.id,
                    connection.profile,
                    own.display()
                ),
                remedy: Some("give the site's own profile an id and a folder of its own".into()),
            });
        }
        connection.profile = folder.display().to_string();
    }
    Ok(())
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
    if let Some(fault) = identifiers::fault(&config, text, file) {
        return Err(fault);
    }
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
    if let Some(fault) = identifiers::fault(&config, "", file) {
        return Err(fault);
    }
    if let Some(fault) = contradiction(&config, file) {
        return Err(fault);
    }
    if let Some((lot, assay)) = AcceptedLot::overlap(&config.lots) {
        return Err(Fault {
            file: file.to_path_buf(),
            line: None,
            what: format!("lot {lot:?} is registered twice for {assay:?}: nobody could say which of the two it is"),
            remedy: Some(
                "let each [[lot]] of that number name other assays; one lot on several analysers has a line for each \
                 (in_use_on)"
                    .into(),
            ),
        });
    }
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

fn contradiction(config: &Config, file: &Path) -> Option<Fault> {
    config.connections.iter().find_map(|connection| {
        let (what, remedy) = connection.contradiction()?;
        Some(Fault {
            file: file.to_path_buf(),
            line: None,
            what: format!("connection {}: {what}", connection.id),
            remedy: Some(remedy.into()),
        })
    })
}

fn repeated(config: &Config) -> Option<String> {
    let mut seen = BTreeSet::new();
    let connections = config.connections.iter().map(|c| format!("connection id {:?}", c.id.as_str()));
    let destinations = config.destinations.iter().map(|d| format!("destination id {:?}", d.id.as_str()));
    let occupied = config.connections.iter().filter_map(|c| c.transport.occupies());
    connections
        .chain(destinations)
        .chain(occupied)
        .find(|name| !seen.insert(name.clone()))
        .map(|name| format!("{name} is used twice"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::Mode;

    fn fault(text: &str) -> String {
        read(text, Path::new("hemogate.toml"), &[]).unwrap_err().to_string()
    }

    #[test]
    fn a_listen_only_serial_line_may_not_be_paced_by_bytes_of_ours() {
        let line = |mode: &str, flow: &str| {
            format!(
                "[[connection]]\nid='a'\nprofile='m/m'\nmode='{mode}'\n\
                 transport={{type='serial',device='/dev/ttyS0',flow_control='{flow}'}}\n"
            )
        };
        let refused = fault(&line("listen-only", "software"));
        assert!(refused.contains("XON and XOFF") && refused.contains("flow_control = \"none\""), "{refused}");
        for (mode, flow) in [("listen-only", "none"), ("listen-only", "hardware"), ("production", "software")]
        {
            assert!(read(&line(mode, flow), Path::new("hemogate.toml"), &[]).is_ok(), "{mode} {flow}");
        }
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
    fn what_is_asked_of_analysers_is_no_matter_of_one_persons_file_and_it_says_where_it_is() {
        let text = fault("[site]\nname = 'x'\n[site.fitness]\nanalysers = 'warn'\n");
        assert!(text.starts_with("hemogate.toml:") && text.contains("is said by the rule pack"), "{text}");
        assert!(text.contains("rules activate") && text.contains("规则包"), "{text}");
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

    /// Two makers may number alike: the lines of one number are for different assays, roles or analysers.
    #[test]
    fn two_lots_of_one_number_are_for_different_assays() {
        let lot = |more: &str| format!("[[lot]]\nlot = '77'\napproval = 'A'\naccepted_by = 'qc'\n{more}\n");
        let read = |lots: &[&str]| {
            let text: String = lots.iter().map(|more| lot(more)).collect();
            read(&text, Path::new("hemogate.toml"), &[]).map(|_| ()).map_err(|fault| fault.to_string())
        };
        for lots in [
            ["assays = ['A']", "assays = ['B', 'C']"],
            ["assays = ['A']\nrole = 'reagent'", "assays = ['A']\nrole = 'control'"],
            ["assays = ['A']\nin_use_on = 'x'", "assays = ['A']\nin_use_on = 'y'"],
            // Of before assays could be named.
            ["", ""],
            ["in_use_on = 'x'", "role = 'reagent'"],
        ] {
            assert_eq!(read(&lots), Ok(()), "{lots:?}");
        }
        for lots in [
            ["assays = ['A', 'B']", "assays = ['C', 'B']"],
            ["assays = ['B']", ""],
            ["assays = ['B']\nrole = 'reagent'", "assays = ['B']"],
            ["assays = ['B']\nin_use_on = 'x'", "assays = ['B']"],
        ] {
            let fault = read(&lots).unwrap_err();
            assert!(fault.contains("lot \"77\" is registered twice for \"B\""), "{fault}");
            assert!(fault.contains("name other assays"), "{fault}");
        }
        let empty = read(&["assays = []", "assays = ['A']"]).unwrap_err();
        assert!(empty.contains("name its assays, or leave the key out"), "{empty}");
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
    fn a_connection_finds_the_sites_own_profile_and_never_one_of_two() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("site.toml");
        let with = |id: &str| {
            let own = folder.path().join("profiles").join(id);
            fs::create_dir_all(&own).unwrap();
            fs::write(own.join("profile.toml"), "").unwrap();
            let text = format!(
                "[site]\nprofiles = 'profiles'\n[[connection]]\nid = 'a'\nprofile = '{id}'\n\
                 transport = {{ type = 'tcp-listen', address = '127.0.0.1:1' }}"
            );
            fs::write(&file, text).unwrap();
            load(Some(&file), &[])
        };
        let found = with("our/own").unwrap().config.connections.remove(0).profile;
        assert_eq!(Path::new(&found), folder.path().join("profiles/our/own"));
        let refused = with("generic/ihe-law").unwrap_err().to_string();
        assert!(refused.contains("an id and a folder of its own"), "{refused}");
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
