//! The `hemogate` binary that these tests run, built once and of the same profile as they are.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Its path. Cargo builds it on the first call, or finds that it is there already.
pub(crate) fn hemogate() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build)
}

fn build() -> PathBuf {
    let this = env::current_exe().unwrap();
    // target/<profile's folder>/deps/daemon-…
    let folder = this.parent().and_then(Path::parent).and_then(Path::file_name).unwrap();
    let profile = if folder == "debug" { "dev" } else { folder.to_str().unwrap() };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--package", "hemogate", "--bin", "hemogate", "--message-format", "json"])
        .args(["--profile", profile])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
        .output()
        .unwrap();
    assert!(built.status.success(), "hemogate does not build: {}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8(built.stdout).unwrap();
    let executable = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let ours = message["target"]["name"] == "hemogate" && message["target"]["kind"][0] == "bin";
        message["executable"].as_str().filter(|_| ours).map(PathBuf::from)
    });
    executable.expect("cargo names no executable")
}
