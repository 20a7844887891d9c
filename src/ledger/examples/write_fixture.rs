//! Writes the ledger that tests keep of this format: `cargo run -p ledger --example write_fixture FOLDER`.
//!
//! Run once a format, before its release; the result is committed under `tests/fixtures` and never written again.

use ledger::{
    Body, Clock, DeliveryId, Draft, ExportKind, HowEnded, Ledger, Seq, Settings, StateStore, VerdictMade,
    What,
};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use vocabulary::{
    ConnectionId, Consequence, DestinationId, DonationId, DonationRegistration, DonorRegistration, Finding,
    Marker, Mode, Observation, ProfileRef, Protocol, ResultStatus, RunId, Source, SpecimenId, SpecimenKind,
    Value,
};

struct Fixed;

impl Clock for Fixed {
    fn now_ms(&self) -> i64 {
        1_772_326_800_000
    }
}

type Failure = Box<dyn std::error::Error>;

fn observation(kind: SpecimenKind) -> Result<Observation, Failure> {
    Ok(Observation {
        specimen: Some(SpecimenId::new("G123498654321")?),
        instrument: Some("ARCHITECT 8.10".to_owned()),
        assay: "HBsAg".to_owned(),
        marker: Marker::HBsAg,
        kind,
        value: Value { raw: "0.21".to_owned(), unit: Some("S/CO".to_owned()), ..Value::default() },
        flags: vec!["EXP".to_owned()],
        status: ResultStatus::Final,
        run: Some(RunId::new("E1")?),
        lots: vec![],
        completed_at: Some("2026-03-01T15:00:00".to_owned()),
        replicate: None,
        operator: None,
        control: None,
        discriminates: false,
        source: Source { record: "R|1".to_owned(), message: None },
    })
}

/// Every kind of entry, in an order that could have been.
fn story() -> Result<Vec<Vec<What>>, Failure> {
    let connection = ConnectionId::new("arch-1")?;
    let donation = DonationId::new("G123498654321")?;
    let profile = ProfileRef { id: "abbott/architect-i2000sr".to_owned(), revision: "ab".repeat(32) };
    let destination = DestinationId::new("bis")?;
    let frame = |text: &str, number| What::FrameReceived {
        connection: connection.clone(),
        transfer: 7,
        number: Some(number),
        end: true,
        text: text.as_bytes().into(),
        terms: None,
    };
    let message = |body, protocol| What::MessageReceived {
        connection: connection.clone(),
        mode: Mode::Production,
        profile: profile.clone(),
        protocol,
        body,
    };
    let finding = Finding {
        finding: "unmapped_test".to_owned(),
        place: "R|2 field 3".to_owned(),
        what: "the code is not in the profile".to_owned(),
        consequence: Consequence::Hold,
        specimen: Some("G123498654321".to_owned()),
    };
    let donor = DonorRegistration {
        id: "D1".into(),
        first_time: true,
        deferred: false,
        barred: None,
        sensitised: None,
        history: None,
        field_abo: None,
    };
    let pack = release::RulePack::built_in("cn-2019")?;
    let verdict = release::explain(&release::Evidence::new(donation.clone()), &pack);
    let made = VerdictMade::new(&verdict, Seq::new(8), vec![destination.clone()])?;
    let delivery = DeliveryId { verdict: Seq::new(9), destination };
    Ok(vec![
        vec![What::Started { version: "0.1.0".to_owned() }],
        vec![frame("H|\\^&\rP|1\r", 1)],
        vec![
            frame("R|1|^^^HBsAg|0.21\rL|1|N\rH|", 2),
            message(Body::Frames { transfer: 7, from: 0, to: 34 }, Protocol::Lis02),
        ],
        vec![What::TransferEnded { connection: connection.clone(), transfer: 7, how: HowEnded::Timeout }],
        vec![message(Body::Whole(b"MSH|^~\\&|\xd6\xd0".as_slice().into()), Protocol::Hl7v2)],
        vec![What::DonationRegistered(DonationRegistration {
            donation: donation.clone(),
            collected_at: "2026-03-01T09:00:00+08:00".parse()?,
            centrifuged_at: None,
            session: None,
            donor,
        })],
        vec![What::MessageInterpreted {
            message: Seq::new(4),
            profile: profile.clone(),
            observations: vec![observation(SpecimenKind::Patient)?, observation(SpecimenKind::Control)?],
            findings: vec![finding],
            donations: vec![(0, donation.clone())],
            holds: vec![(0, donation.clone())],
            orders: vec![],
            measured: Vec::new(),
            continues: Vec::new(),
            pools: ledger::Pools::default(),
            part: 0,
            last: true,
        }],
        vec![What::VerdictMade(made)],
        vec![What::VerdictUnchanged { donation, considered: Seq::new(9) }],
        vec![What::DeliveryAttempted {
            delivery: delivery.clone(),
            outcome: "no answer".to_owned(),
            next_at_ms: 1_772_326_860_000,
        }],
        vec![What::DeliveryDead { delivery: delivery.clone(), reason: "answered AR".to_owned() }],
        vec![What::DeliveryRequeued { delivery: delivery.clone() }],
        vec![What::DeliveryDone { delivery, answer: b"MSA|AA|1".as_slice().into() }],
        vec![What::FileTaken {
            connection: connection.clone(),
            name: "plate.csv".to_owned(),
            sha256: "cd".repeat(32),
            bytes: 9,
        }],
        vec![What::LinkNoted { connection, what: "frame 3 had a wrong checksum".to_owned() }, What::Stopped],
    ])
}

fn main() -> Result<(), Failure> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: write_fixture FOLDER")?);
    let settings = Settings {
        clock: Arc::new(Fixed),
        state: StateStore::Memory,
        ballast_bytes: 0,
        file_bytes_max: 4000,
        ..Settings::new(&folder)
    };
    let (ledger, _) = Ledger::open(settings, &mut |_| {})?;
    for group in story()? {
        drop(ledger.append(group.into_iter().map(Draft::by_system).collect())?.wait()?);
    }
    let mut audit = std::fs::File::create(folder.join("audit.jsonl"))?;
    for line in ledger.export(ExportKind::Audit) {
        writeln!(audit, "{}", line?)?;
    }
    ledger.close();
    std::fs::remove_file(folder.join("lock"))?;
    Ok(())
}
