//! Batches that are opened at once: a donation is in one of them.

use crate::opening::{Lab, donation};
use ledger::{BatchOf, Draft, Seq, SignedAct, What};

fn opened(numbers: &[u64], whole: bool) -> Draft {
    let donations = numbers.iter().map(|number| donation(*number)).collect();
    let act = SignedAct::BatchOpened { name: "B".into(), of: BatchOf::List, donations, whole };
    Draft::by_system(What::Signed(act))
}

impl Lab {
    fn batch(&self, batch: Seq) -> Option<(u32, Vec<String>)> {
        let state = self.ledger.state();
        let members = state.donations_of_batch(batch).unwrap().iter().map(ToString::to_string).collect();
        state.batch(batch).unwrap().map(|found| (found.record.donations, members))
    }
}

#[test]
fn a_donation_stays_in_the_batch_that_it_came_into_first() {
    let lab = Lab::new();
    let first = lab.write(opened(&[1, 2], true));
    let second = lab.write(opened(&[2, 3], true));
    assert_eq!(lab.batch(second), None, "there is no batch of a part of what somebody wanted");
    assert_eq!(lab.ledger.state().donations_of_batch(second).unwrap(), []);
    // An entry of before, which said nothing of the others: what was signed of it goes on being signed.
    let of_before = lab.write(opened(&[2, 3], false));
    assert_eq!(lab.batch(of_before), Some((1, vec!["G000003".to_owned()])));
    assert_eq!(lab.batch(first).unwrap().0, 2);
    for (number, batch) in [(1, first), (2, first), (3, of_before)] {
        assert_eq!(lab.ledger.state().batch_of(&donation(number)).unwrap(), Some(batch), "{number}");
    }
    assert_eq!((lab.misfits(), lab.ledger.state().counters().unwrap().batches), (2, 2));
}

#[test]
fn an_entry_that_says_nothing_of_all_or_none_is_read_as_one_of_before() {
    let told = r#"{"batch_opened":{"name":"B","of":"list","donations":["G1"]}}"#;
    let act: SignedAct = serde_json::from_str(told).unwrap();
    assert!(matches!(&act, SignedAct::BatchOpened { whole: false, .. }), "{act:?}");
    assert_eq!(serde_json::to_string(&act).unwrap(), told);
}
