//! Whose reagents they are, by their kits.

use crate::house::House;
use crate::plates::{GOOD_PLATE, PLATE, plate_controls, plate_sample};
use crate::windows::{clia, levels};
use quality_control::kits::{KitFile, Kits, SHIPPED};

/// A plate's kit and one with windows each name a maker, and the evidence has it.
#[test]
fn a_kit_says_whose_its_reagents_are() {
    let named = |id: &str, maker: &str| {
        let (_, text) = SHIPPED.iter().find(|(known, _)| *known == id).unwrap();
        KitFile::read(id, &text.replacen("source =", &format!("{maker}source ="), 1)).unwrap()
    };
    for (maker, expect) in [("maker = \"Maker A\"\n", "maker a"), ("", "maker")] {
        let mut house = House::new("cn-2019");
        let kits = ["generic/elisa-direct", "generic/clia-window"].map(|id| named(id, maker));
        house.settings.kits = Kits::new(kits).unwrap();
        let mut plate = plate_controls("line/P1", GOOD_PLATE);
        plate.push(plate_sample("line/P1", "D1", "0.051", "0.105"));
        house.says(&plate);
        house.says(&levels("01T08:00", true));
        house.says(&clia("D1", "01T09:00", "0.20"));
        let evidence = workflow::evidence(&house.judged("D1").1, &house.settings);
        let makers: Vec<_> = evidence.serology.iter().filter(|s| !s.results.is_empty()).collect();
        assert!(makers.iter().any(|series| series.reagent == PLATE.0) && makers.len() == 2, "{makers:?}");
        assert!(makers.iter().all(|series| series.maker.as_deref() == Some(expect)), "{makers:?}");
    }
}
