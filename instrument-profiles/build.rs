//! Writes the table of the catalogue's files that are built into the binary. A dozen lines here spare a dependency
//! and a procedural macro; the files themselves are included by `include_bytes!`.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let variable =
        |name: &str| env::var_os(name).map(PathBuf::from).ok_or_else(|| io::Error::other(name.to_owned()));
    let root = variable("CARGO_MANIFEST_DIR")?.join("catalogue");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut rows = String::new();
    for maker in sorted(&root)?.iter().filter(|path| path.is_dir()) {
        for model in sorted(maker)?.iter().filter(|path| path.join("profile.toml").is_file()) {
            println!("cargo::rerun-if-changed={}", model.display());
            let id = format!("{}/{}", name(maker), name(model));
            for file in files(model)? {
                let inside = file.strip_prefix(model).map_err(io::Error::other)?;
                let inside = inside.to_string_lossy().replace('\\', "/");
                let path = file.to_string_lossy();
                rows.extend(["    (", &literal(&id), ", ", &literal(&inside)]);
                rows.extend([", include_bytes!(", &literal(&path), ")),\n"]);
            }
        }
    }
    let table = format!(
        "/// Model, file within its folder, content.\nconst BUILT_IN: &[(&str, &str, &[u8])] = &[\n{rows}];\n"
    );
    fs::write(variable("OUT_DIR")?.join("built_in.rs"), table)
}

fn literal(text: &str) -> String {
    format!("{text:?}")
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in sorted(folder)? {
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            found.extend(sorted(&path)?.into_iter().filter(|path| path.is_file()));
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
