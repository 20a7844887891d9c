//! A large catalogue from its folders to checked profiles, on one thread, counted in CPU time.

use super::repeat;
use crate::contest::{Engine, FLOOR, Measurement, OURS, contest, number};
use crate::{BenchError, Options};
use instrument_profiles::{Catalogue, Entry};
use std::{fs, hint::black_box, path::Path};

/// Profiles in the folder.
const PROFILES: u64 = 1_000;

/// Every profile of the catalogue under other ids, again and again. The floor reads the same files and looks at no byte.
pub(crate) fn loaded(options: &Options, folder: &Path) -> Result<Measurement, BenchError> {
    let root = folder.join("profiles");
    write(&root, PROFILES).map_err(BenchError::io(format!("write profiles to {}", root.display())))?;
    let amount = number(PROFILES);
    let engines = vec![
        Engine::new(FLOOR, || {
            repeat(options.slice, amount, || {
                black_box(read(&root).map_err(BenchError::io(format!("read {}", root.display())))?);
                Ok(None)
            })
        }),
        Engine::new(OURS, || {
            let turn = repeat(options.slice, amount, || {
                black_box(Catalogue::load(&root).map_err(BenchError::part("load the profiles"))?);
                Ok(None)
            });
            turn.map(|mut turn| {
                turn.further.push(("s_for_1000", number(PROFILES) * turn.seconds / turn.amount));
                turn
            })
        }),
    ];
    let measured = contest("1,000 profiles loaded", "profiles/CPU-s", None, engines, options.rounds);
    super::clear(folder)?;
    measured
}

/// Copies of the built-in catalogue: `copy-N/model`.
fn write(root: &Path, profiles: u64) -> std::io::Result<()> {
    let catalogue = Catalogue::built_in().map_err(std::io::Error::other)?;
    let models: Vec<&Entry> =
        catalogue.list().filter_map(|profile| catalogue.entry(&profile.reference().id)).collect();
    for (copy, entry) in (0..profiles).zip(models.into_iter().cycle()) {
        let id = &entry.profile().reference().id;
        let model = id.split_once('/').map_or(id.as_str(), |(_, model)| model);
        let folder = root.join(format!("copy-{copy}")).join(model);
        fs::create_dir_all(folder.join("orders"))?;
        let text = entry.text("profile.toml").unwrap_or_default();
        let own = format!("id = \"copy-{copy}/{model}\"");
        fs::write(folder.join("profile.toml"), text.replacen(&format!("id = {id:?}"), &own, 1))?;
        for template in entry.names_in("orders") {
            let text = entry.text(&format!("orders/{template}")).unwrap_or_default();
            fs::write(folder.join("orders").join(template), text)?;
        }
    }
    Ok(())
}

/// Bytes of every file below a folder.
fn read(folder: &Path) -> std::io::Result<usize> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        bytes += if path.is_dir() { read(&path)? } else { fs::read(&path)?.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn copies_are_written_under_ids_of_their_own_and_load() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 60).unwrap();
        let loaded = Catalogue::load(folder.path()).unwrap_or_else(|e| panic!("{e}"));
        let ids: BTreeSet<&str> = loaded.list().map(|profile| profile.reference().id.as_str()).collect();
        assert_eq!(ids.len(), 60);
        assert!(read(folder.path()).unwrap() > 100_000);
    }
}
