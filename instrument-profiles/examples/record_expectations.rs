//! Writes the expectations of one model's captures: `cargo run -p instrument-profiles --example record_expectations
//! FOLDER`. Read what it wrote before it is committed: it is what the profile says, right or wrong.

use std::{env, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let Some(folder) = env::args().nth(1) else {
        eprintln!("usage: record_expectations FOLDER (a model's folder in the catalogue)");
        return ExitCode::from(2);
    };
    match instrument_profiles::record_expectations(Path::new(&folder)) {
        Ok(written) => {
            println!("{}", written.join("\n"));
            ExitCode::SUCCESS
        }
        Err(errors) => {
            eprintln!("{errors}");
            ExitCode::FAILURE
        }
    }
}
