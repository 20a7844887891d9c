//! Checks the part about pools.

use super::{builder::Builder, rules::Condition};
use crate::{
    path::Path,
    schema::{self, Aspirated},
};
use rust_decimal::Decimal;
use std::collections::HashMap;
use toml::Spanned;
use vocabulary::Protocol;

/// Members of one pool. No kit comes near.
const POOL_SIZE_MAX: u16 = 512;

/// Where a pool's membership stands, checked.
#[derive(Debug, Clone)]
pub(crate) struct PoolingRules {
    pub(crate) pool: Path,
    pub(crate) member: Path,
    pub(crate) position: Option<Path>,
    pub(crate) run: Path,
    pub(crate) time: Path,
    pub(crate) size: PoolSize,
    pub(crate) volume: Option<(Path, Option<Decimal>)>,
    pub(crate) checks: Vec<AspirationCheck>,
    pub(crate) aside: Vec<(String, Vec<Condition>)>,
}

/// How many members a pool has.
#[derive(Debug, Clone)]
pub(crate) enum PoolSize {
    Always(u16),
    At(Path),
}

/// A place with words about an aspiration.
#[derive(Debug, Clone)]
pub(crate) struct AspirationCheck {
    pub(crate) at: Path,
    pub(crate) words: HashMap<String, Aspirated>,
    pub(crate) other: Option<Aspirated>,
}

impl PoolSize {
    pub(crate) fn read(text: &str) -> Option<u16> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|size| digits && (1..=POOL_SIZE_MAX).contains(size))
    }
}

impl Builder<'_, '_> {
    pub(super) fn pooling(&mut self, written: &Spanned<schema::Pooling>) -> Option<PoolingRules> {
        let (span, pooling) = (written.span(), written.get_ref());
        if self.protocol != Protocol::Delimited {
            self.fault(&span, "`[pooling]` reads a robot's log, which is a delimited file");
            return None;
        }
        if pooling.check.is_empty() {
            self.missing(&span, "`[[pooling.check]]`: what the log says of each aspiration");
        }
        let mut place = |text: &Option<schema::Text>, what: &str| {
            self.required(text.as_ref(), &span, what).and_then(|text| self.path(text))
        };
        let pool = place(&pooling.pool, "`pool`: where the pool's number stands");
        let member = place(&pooling.member, "`member`: where the member's barcode stands");
        let run =
            place(&pooling.run, "`run`: the robot's run or plate, which a repeated pool has another of");
        let time = place(&pooling.time, "`time`: when it was aspirated");
        let size = self.pool_size(written);
        let checks = pooling.check.iter().filter_map(|check| self.aspiration_check(check)).collect();
        let aside = pooling.aside.iter().filter_map(|aside| self.pooling_aside(aside)).collect();
        Some(PoolingRules {
            pool: pool?,
            member: member?,
            position: self.path_if(pooling.position.as_ref()),
            run: run?,
            time: time?,
            size: size?,
            volume: self.pooled_volume(pooling),
            checks,
            aside,
        })
    }

    fn pool_size(&mut self, written: &Spanned<schema::Pooling>) -> Option<PoolSize> {
        let (span, pooling) = (written.span(), written.get_ref());
        match (&pooling.size, &pooling.size_at) {
            (Some(size), None) if (1..=POOL_SIZE_MAX).contains(size.get_ref()) => {
                Some(PoolSize::Always(*size.get_ref()))
            }
            (Some(size), None) => {
                self.fault(&size.span(), format!("a pool has 1 to {POOL_SIZE_MAX} members"));
                None
            }
            (None, Some(at)) => self.path(at).map(PoolSize::At),
            (Some(size), Some(_)) => {
                self.fault(&size.span(), "either `size` or `size_at`");
                None
            }
            (None, None) => {
                let what =
                    "`size`, or `size_at`: how many members a pool has; a lost row would not be missed";
                self.missing(&span, what);
                None
            }
        }
    }

    fn pooled_volume(&mut self, pooling: &schema::Pooling) -> Option<(Path, Option<Decimal>)> {
        let least = pooling.volume_least.as_ref().and_then(|text| {
            let least: Option<Decimal> = text.get_ref().parse().ok();
            if least.is_none() || pooling.volume.is_none() {
                self.fault(
                    &text.span(),
                    "`volume_least` is a number as a text, beside the place of `volume`",
                );
            }
            least
        });
        Some((self.path_if(pooling.volume.as_ref())?, least))
    }

    fn aspiration_check(&mut self, written: &Spanned<schema::PoolingCheck>) -> Option<AspirationCheck> {
        let (span, check) = (written.span(), written.get_ref());
        let at = self.required(check.at.as_ref(), &span, "`at`, the place that is looked at")?;
        let at = self.path(at);
        if !check.words.values().any(|word| *word == Aspirated::Good) {
            self.missing(&span, "`words`: the one that says `good`");
        }
        for (word, _) in check.words.iter().filter(|(_, means)| **means == Aspirated::Open) {
            self.open(&word.span(), format!("what {:?} says of an aspiration is open", word.get_ref()));
        }
        if let Some(other) = check.other.as_ref().filter(|other| *other.get_ref() == Aspirated::Good) {
            self.fault(&other.span(), "a text that nobody knows cannot be good");
        }
        let words = check.words.iter().map(|(word, means)| (word.get_ref().clone(), *means)).collect();
        Some(AspirationCheck { at: at?, words, other: check.other.as_ref().map(|other| *other.get_ref()) })
    }

    fn pooling_aside(&mut self, written: &Spanned<schema::PoolingAside>) -> Option<(String, Vec<Condition>)> {
        let (span, aside) = (written.span(), written.get_ref());
        let name = self.required(aside.name.as_ref(), &span, "`name`: what these rows are")?;
        let name = name.get_ref().clone();
        Some((name, self.conditions_of(&aside.when, &span)))
    }
}
