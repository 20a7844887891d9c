//! The catalogue: a folder a model, `<maker>/<model>/`, read from disk or built into the binary.

use crate::{
    capture::{CaptureReport, test_files},
    fault::{Fault, ProfileErrors},
    profile::{PROFILE_FILE, Profile, templates_in},
};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// Files of one folder, by their path within it, with `/`.
pub(crate) type Files = BTreeMap<String, Cow<'static, [u8]>>;

/// A single file of a catalogue is never longer; what is longer was not meant to be there.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Every model that is known.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    entries: Arc<BTreeMap<String, Entry>>,
}

/// A model: its profile and the files beside it.
#[derive(Debug, Clone)]
pub struct Entry {
    profile: Arc<Profile>,
    files: Files,
}

impl Entry {
    /// Reads the folder of one model.
    ///
    /// # Errors
    /// Every fault of the profile, with file, line and the nearest known name.
    pub fn load(folder: &Path) -> Result<Self, ProfileErrors> {
        Self::with(Profile::load(folder)?, folder)
    }

    /// Reads the folder of one model by the rules of its time ([`Profile::read_kept`]), to be shown or compared.
    ///
    /// # Errors
    /// Every fault that was one from the beginning.
    pub fn load_kept(folder: &Path) -> Result<Self, ProfileErrors> {
        Self::with(Profile::load_kept(folder)?, folder)
    }

    fn with(profile: Profile, folder: &Path) -> Result<Self, ProfileErrors> {
        let files = read_files(folder).map_err(|error| ProfileErrors {
            faults: vec![fault(&folder.display().to_string(), &error.to_string())],
        })?;
        Ok(Self { profile: Arc::new(profile), files })
    }

    /// Its profile.
    #[must_use]
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// The templates of its answers and orders, by file name.
    #[cfg(test)]
    pub(crate) fn templates(&self) -> BTreeMap<String, String> {
        templates_in(&self.files)
    }

    /// A file beside the profile as text: `simulation.toml`, `captures/results.capture`.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.files.get(name)?).ok()
    }

    /// Names of the files below a folder of it, without that folder: `simulation` gives `results.jinja`.
    pub fn names_in<'e>(&'e self, folder: &'e str) -> impl Iterator<Item = &'e str> {
        self.files.keys().filter_map(move |name| name.strip_prefix(folder)?.strip_prefix('/'))
    }

    /// Runs its captures.
    #[must_use]
    pub fn test(&self) -> CaptureReport {
        test_files(&self.profile, &self.files)
    }
}

impl Catalogue {
    /// Reads a folder of models.
    ///
    /// # Errors
    /// Every fault of every profile; none is left out because another is broken.
    pub fn load(root: &Path) -> Result<Self, ProfileErrors> {
        let mut folders: BTreeMap<String, Files> = BTreeMap::new();
        let mut faults = Vec::new();
        match folders_of(root) {
            Ok(found) => {
                for (id, folder) in found {
                    match read_files(&folder) {
                        Ok(files) => drop(folders.insert(id, files)),
                        Err(error) => faults.push(fault(&folder.display().to_string(), &error.to_string())),
                    }
                }
            }
            Err(error) => faults.push(fault(&root.display().to_string(), &error.to_string())),
        }
        Self::read(folders, faults)
    }

    /// The models built into this binary. They are read once a process.
    ///
    /// # Errors
    /// Never in a released binary: a test reads them all.
    pub fn built_in() -> Result<Self, ProfileErrors> {
        static KEPT: OnceLock<Result<Catalogue, ProfileErrors>> = OnceLock::new();
        KEPT.get_or_init(Self::read_built_in).clone()
    }

    fn read_built_in() -> Result<Self, ProfileErrors> {
        let mut folders: BTreeMap<String, Files> = BTreeMap::new();
        for (id, name, bytes) in BUILT_IN {
            let files = folders.entry((*id).to_owned()).or_default();
            files.insert((*name).to_owned(), Cow::Borrowed(*bytes));
        }
        Self::read(folders, Vec::new())
    }

    /// Whether a model of this id comes with this binary.
    #[must_use]
    pub fn is_built_in(id: &str) -> bool {
        BUILT_IN.iter().any(|(known, ..)| *known == id)
    }

    /// The profile with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<Profile>> {
        self.entries.get(id).map(Entry::profile)
    }

    /// The model with this id, with its files.
    #[must_use]
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// Every profile, in order of its id.
    pub fn list(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.entries.values().map(Entry::profile)
    }

    /// The id that looks most like an unknown one.
    #[must_use]
    pub fn nearest(&self, id: &str) -> Option<String> {
        crate::fault::nearest(id, self.entries.keys().map(String::as_str))
    }

    fn read(folders: BTreeMap<String, Files>, mut faults: Vec<Fault>) -> Result<Self, ProfileErrors> {
        let mut entries = BTreeMap::new();
        for (id, files) in folders {
            let file = format!("{id}/{PROFILE_FILE}");
            let text = files.get(PROFILE_FILE).map(|bytes| std::str::from_utf8(bytes));
            let Some(Ok(text)) = text else {
                faults.push(fault(&file, "the file is not there, or is not UTF-8"));
                continue;
            };
            match Profile::read_with(&file, text, &templates_in(&files)) {
                Ok(profile) if profile.reference().id == id => {
                    entries.insert(id, Entry { profile: Arc::new(profile), files });
                }
                Ok(profile) => {
                    let what = format!(
                        "its id is {:?}, its folder {id:?}: they must be the same",
                        profile.reference().id
                    );
                    faults.push(fault(&file, &what));
                }
                Err(errors) => faults.extend(errors.faults),
            }
        }
        if faults.is_empty() {
            Ok(Self { entries: Arc::new(entries) })
        } else {
            Err(ProfileErrors { faults })
        }
    }
}

/// `maker/model` → folder, for every folder two levels down that holds a profile.
fn folders_of(root: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for maker in sub_folders(root)? {
        for model in sub_folders(&maker)? {
            if model.join(PROFILE_FILE).is_file() {
                let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
                let id = format!("{}/{}", name(&maker).unwrap_or_default(), name(&model).unwrap_or_default());
                found.insert(id, model);
            }
        }
    }
    Ok(found)
}

fn sub_folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    Ok(entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect())
}

/// The profile and everything beside it, one level deep (`captures/`, `simulation/`).
pub(crate) fn read_files(folder: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                if prefix.is_empty() {
                    open.push((entry.path(), format!("{name}/")));
                }
            } else if entry.metadata()?.len() <= FILE_BYTES_MAX {
                files.insert(name, Cow::Owned(std::fs::read(entry.path())?));
            } else {
                let what = format!("{name} is longer than {FILE_BYTES_MAX} bytes");
                return Err(io::Error::other(what));
            }
        }
    }
    Ok(files)
}

fn fault(file: &str, what: &str) -> Fault {
    Fault { file: file.to_owned(), line: 1, column: 1, what: what.to_owned(), nearest: None }
}
