//! A million mutated messages: no panic, no hang, every byte accounted for.

#[cfg(test)]
mod mutations {
    use lis02::{fuzz_records, fuzz_splitter};

    const SEEDS: &[&str] = &[
        "H|\\^&|||ARCHITECT^9.45^X1\rP|1\rO|1|D1^C1^3||^^^133^HBs^U^P||||||||||||||||||||F\rR|1|^^^133^HBs^U^P^L1^^^F|0.31|S/CO||||F\rL|1\r",
        "H|@^\\|7||GeneXpert\rP|1\rO|1|D2||^^^HIV\rR|1|^HIV^^1^HIV^1^^|NEG^|\rC|1|I|a\\F\\b\rL|1|N\r",
        "H|\\^|||Immulite\nP|1|x\nO|1|a\nR|1|^^^T|173.|u|4.5\\.4^12.5\\24\nL|1\n",
        "H|\\^&\r\nQ|1|^D3||ALL\r\nL|1|N\r\nH@^\\&@\r\nM@1@w&X0D&\r\nZ@\r\n",
    ];

    fn mutate(random: &mut fastrand::Rng, bytes: &mut Vec<u8>) {
        const MARKS: &[u8] = b"|\\^&@\r\nHPORCMQSLX019\"\x02\x03\x00\xff\xc3";
        for _ in 0..random.usize(1..5) {
            let at = random.usize(0..=bytes.len());
            let mark = MARKS[random.usize(0..MARKS.len())];
            match random.u8(0..6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << random.u8(0..8),
                1 if at < bytes.len() => bytes[at] = mark,
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => bytes.truncate(at),
                4 if at < bytes.len() => {
                    let end = random.usize(at..bytes.len().min(at + 30));
                    let piece = bytes[at..end].to_vec();
                    let to = random.usize(0..=bytes.len());
                    bytes.splice(to..to, piece);
                }
                _ => bytes.insert(at, mark),
            }
        }
    }

    fn run(seed: u64, rounds: usize, target: fn(&[u8])) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = Vec::new();
        for round in 0..rounds {
            bytes.clear();
            bytes.extend_from_slice(SEEDS[round % SEEDS.len()].as_bytes());
            mutate(&mut random, &mut bytes);
            target(&bytes);
        }
    }

    #[test]
    fn the_reader_survives_mutations() {
        run(1, 500_000, fuzz_records);
    }

    #[test]
    fn the_splitter_survives_mutations() {
        run(2, 500_000, fuzz_splitter);
    }
}
