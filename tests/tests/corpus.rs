//! Every file of the fuzz corpora, played again: seeds, and what fuzzing once found.

#[cfg(test)]
mod corpus {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::Instant;

    type Play = fn(&[u8]);

    /// One line a target of `tests/fuzz`: what it calls is called here.
    const TARGETS: [(&str, &[Play]); 7] = [
        ("character-sets", &[character_sets::fuzz::fuzz_decode]),
        ("delimited", &[delimited::fuzz_table]),
        (
            "hl7v2",
            &[
                hl7v2::fuzz::fuzz_read,
                hl7v2::fuzz::fuzz_acknowledge,
                hl7v2::fuzz::fuzz_escape,
                hl7v2::fuzz::fuzz_path,
            ],
        ),
        ("lis01", &[lis01::fuzz_link]),
        (
            "lis02",
            &[lis02::fuzz_records, lis02::fuzz_splitter, |bytes| {
                lis02::fuzz_unframed(bytes, Instant::now());
            }],
        ),
        ("pk-blocks", &[|bytes| pk_blocks::fuzz_receiver(bytes, Instant::now())]),
        ("mllp", &[mllp::fuzz::fuzz_receiver, |bytes| mllp::fuzz::fuzz_sender(bytes, Instant::now())]),
    ];

    fn fuzz(below: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(below)
    }

    fn names(folder: &Path) -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|e| e.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn every_corpus_and_every_fuzz_target_is_played_here() {
        let played: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names(&fuzz("corpus")), played);
        assert_eq!(names(&fuzz("fuzz_targets")), played);
    }

    #[test]
    fn every_corpus_file_is_read_without_a_broken_promise() {
        for (name, plays) in TARGETS {
            let mut files: Vec<PathBuf> =
                fs::read_dir(fuzz("corpus").join(name)).unwrap().map(|e| e.unwrap().path()).collect();
            files.sort();
            assert!(files.len() >= 5, "{name} has seeds");
            for file in files {
                let bytes = fs::read(&file).unwrap();
                // The name of the file at fault is the last one printed.
                println!("{}", file.display());
                for play in plays {
                    play(&bytes);
                }
            }
        }
    }
}
