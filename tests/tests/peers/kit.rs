//! Other people's libraries, installed once into the build folder.

use std::{
    env,
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    thread,
};

/// node-hl7-client wants this Node.
const NODE_MIN: (u32, u32) = (20, 15);

/// An interpreter with libraries beside it.
pub(crate) struct Kit {
    pub(crate) interpreter: PathBuf,
    /// Set for every script.
    pub(crate) environment: (&'static str, PathBuf),
    version: (u32, u32),
}

/// The folder of the driver scripts.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// Python with python-astm, python-hl7 and hl7apy. Without it, says that the calling test is skipped, and why.
pub(crate) fn python() -> Option<&'static Kit> {
    static KIT: OnceLock<Result<Kit, String>> = OnceLock::new();
    offered("the Python peers", KIT.get_or_init(install_python))
}

/// Node with simple-hl7.
pub(crate) fn node() -> Option<&'static Kit> {
    static KIT: OnceLock<Result<Kit, String>> = OnceLock::new();
    offered("the Node peers", KIT.get_or_init(install_node))
}

/// Node that is new enough for node-hl7-client and node-hl7-server.
pub(crate) fn newer_node() -> Option<&'static Kit> {
    let kit = node()?;
    if kit.version < NODE_MIN {
        skipped("node-hl7-client", &format!("it needs Node {NODE_MIN:?}, this is {:?}", kit.version));
        return None;
    }
    Some(kit)
}

/// Says on stderr, past the test harness, what the calling test does not test.
pub(crate) fn skipped(what: &str, why: &str) {
    let thread = thread::current();
    let test = thread.name().unwrap_or_default();
    let line = format!("SKIPPED {test}: no {what}: {}\n", why.trim().replace('\n', "\n    "));
    // Written at once and not by eprintln!, which is shown only when a test fails.
    io::stderr().write_all(line.as_bytes()).unwrap_or_default();
}

fn offered(what: &str, kit: &'static Result<Kit, String>) -> Option<&'static Kit> {
    match kit {
        Ok(kit) => Some(kit),
        Err(why) => {
            skipped(what, why);
            None
        }
    }
}

fn install_python() -> Result<Kit, String> {
    let python = env::var_os("HEMOGATE_TEST_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let version = version_of(&python)?;
    let build = scripts().join("requirements-build.txt");
    let requirements = scripts().join("requirements.txt");
    let shim = scripts().join("shim");
    let folder = folder("python", version, &[&build, &requirements]);
    let interpreter = folder.join("bin/python");
    once(&folder, || {
        run(Command::new(&python).args(["-m", "venv"]).arg(&folder))
            .map_err(|why| format!("{why}\n(Debian package python3-venv)"))?;
        let install = |arguments: &[&str], requirements: &Path| {
            let mut pip = Command::new(&interpreter);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
            pip.args(["--retries", "1", "--timeout", "20", "--no-deps", "--require-hashes"]);
            pip.env("PYTHONPATH", &shim).env("PYTHONDONTWRITEBYTECODE", "1");
            run(pip.args(arguments).arg("--requirement").arg(requirements))
        };
        install(&[], &build)?;
        install(&["--no-build-isolation", "--use-pep517"], &requirements)
    })?;
    Ok(Kit { interpreter, environment: ("PYTHONPATH", shim), version })
}

fn install_node() -> Result<Kit, String> {
    let interpreter = env::var_os("HEMOGATE_TEST_NODE").map_or_else(|| PathBuf::from("node"), PathBuf::from);
    let version = version_of(&interpreter)?;
    let files = ["package.json", "package-lock.json"].map(|name| scripts().join(name));
    let folder = folder("node", version, &[&files[0], &files[1]]);
    once(&folder, || {
        fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
        for file in &files {
            fs::copy(file, folder.join(file.file_name().unwrap())).map_err(|e| e.to_string())?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]);
        run(npm.arg("--fetch-timeout=20000").current_dir(&folder))
    })?;
    Ok(Kit { interpreter, environment: ("PEERS_NODE", folder), version })
}

/// A folder for exactly these requirements, inside the build folder.
fn folder(name: &str, (major, minor): (u32, u32), requirements: &[&Path]) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    for file in requirements {
        fs::read(file).unwrap().hash(&mut hasher);
    }
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("peers")
        .join(format!("{name}-{major}.{minor}-{:016x}", hasher.finish()))
}

/// Installs unless that was done before; one at a time, whichever test binary asks.
fn once(folder: &Path, install: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let parent = folder.parent().unwrap();
    fs::create_dir_all(parent).map_err(|e| e.to_string())?;
    let lock = File::create(parent.join("lock")).map_err(|e| e.to_string())?;
    lock.lock().map_err(|e| e.to_string())?;
    let stamp = folder.join("installed");
    if stamp.exists() {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| e.to_string())?;
    }
    install()?;
    fs::write(stamp, "").map_err(|e| e.to_string())
}

/// `Python 3.11.7`, `v20.20.2` → major and minor.
fn version_of(interpreter: &Path) -> Result<(u32, u32), String> {
    let name = interpreter.display();
    let output = Command::new(interpreter).arg("--version").output();
    let output = output.map_err(|e| format!("{name} cannot be started: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.trim_start_matches(|c: char| !c.is_ascii_digit()).split('.').map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => Err(format!("{name} --version says {text:?}")),
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let last: Vec<&str> = said.lines().rev().take(5).collect();
    Err(format!("{command:?}: {}\n{}", output.status, last.into_iter().rev().collect::<Vec<_>>().join("\n")))
}
