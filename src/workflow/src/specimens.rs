//! From the specimen id an analyser read to the donation it belongs to.

use identifiers::{Normaliser, Refusal, RulesFault, Shortened};
use vocabulary::{ConnectionId, DonationId, PoolId, SpecimenId};

/// The site's rules for its codes. Ids are never read as numbers, shortened or matched by their beginning.
#[derive(Debug, Clone)]
pub struct SpecimenRule(Normaliser);

/// Where a specimen belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The donation.
    pub donation: DonationId,
    /// Which of its tubes, where the id names one.
    pub tube: Option<String>,
    /// It is a segment of the donation's bag.
    pub segment: bool,
    /// All results of the donation have to come under this one scan.
    pub one_scan: bool,
}

/// Whose a scan is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A donation's.
    Donation(Located),
    /// A pool's: several donations'.
    Pool(PoolId),
}

/// Why a specimen belongs nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlocated {
    /// Its name in findings.
    pub name: &'static str,
    /// Why, and what to do.
    pub what: String,
    /// The same in Chinese.
    pub what_zh: String,
}

impl From<Refusal> for Unlocated {
    fn from(refusal: Refusal) -> Self {
        Self { name: refusal.name(), what: refusal.to_string(), what_zh: refusal.chinese() }
    }
}

impl SpecimenRule {
    /// The rule of one regular expression over the whole id, with the named group `donation`.
    ///
    /// # Errors
    /// [`RulesFault`] when the expression is none or names no donation.
    pub fn new(expression: &str) -> Result<Self, RulesFault> {
        Normaliser::of_pattern(expression).map(Self)
    }

    /// The rules of a site.
    #[must_use]
    pub fn of(normaliser: Normaliser) -> Self {
        Self(normaliser)
    }

    /// Where a specimen belongs that was read on a connection.
    ///
    /// # Errors
    /// [`Unlocated`]: then nothing is matched to it.
    pub fn locate(&self, specimen: &SpecimenId, connection: &ConnectionId) -> Result<Located, Unlocated> {
        match self.whose(specimen, connection)? {
            Whose::Donation(located) => Ok(located),
            Whose::Pool(pool) => Err(no_donation(pool.as_str())),
        }
    }

    /// Whose a specimen is that was read on a connection: a donation's or a pool's.
    ///
    /// # Errors
    /// [`Unlocated`]: then nothing is matched to it.
    pub(crate) fn whose(&self, specimen: &SpecimenId, connection: &ConnectionId) -> Result<Whose, Unlocated> {
        let found = self.0.read(specimen.as_str(), connection.as_str())?;
        match found.whose {
            identifiers::Whose::Pool => {
                PoolId::new(&found.number).map(Whose::Pool).map_err(|_| Refusal::Unknown.into())
            }
            identifiers::Whose::Donation => {
                let donation = DonationId::new(&found.number).map_err(|_| Refusal::Unknown)?;
                Ok(Whose::Donation(Located {
                    donation,
                    tube: found.tube,
                    segment: found.segment,
                    one_scan: found.one_scan,
                }))
            }
        }
    }

    /// The number of a pool that a person entered.
    ///
    /// # Errors
    /// [`Unlocated`]: the id is no pool's number here.
    pub fn entered_pool(&self, text: &str) -> Result<PoolId, Unlocated> {
        let found = self.0.read_entered(text)?;
        match found.whose {
            identifiers::Whose::Pool => PoolId::new(&found.number).map_err(|_| Refusal::Unknown.into()),
            identifiers::Whose::Donation => Err(Unlocated {
                name: "donation_specimen",
                what: format!("it is the donation {}, not a pool", found.number),
                what_zh: format!("这是献血码 {},不是混样", found.number),
            }),
        }
    }

    /// Whether two numbers of which one is the other's beginning hold each other.
    pub(crate) fn holds_shortened(&self) -> bool {
        match self.0.shortened() {
            Shortened::Hold => true,
            Shortened::Accept => false,
        }
    }

    /// The donation of an id that came from the blood information system or from a person.
    ///
    /// # Errors
    /// [`Unlocated`]: the id is no donation's number here.
    pub fn entered(&self, text: &str) -> Result<DonationId, Unlocated> {
        let found = self.0.read_entered(text)?;
        match found.whose {
            identifiers::Whose::Donation => {
                DonationId::new(&found.number).map_err(|_| Refusal::Unknown.into())
            }
            identifiers::Whose::Pool => Err(no_donation(&found.number)),
        }
    }

    /// The code of a component of a donation, as it was scanned or entered.
    ///
    /// # Errors
    /// [`Unlocated`]: it is no component's code, or the donation's own number.
    pub fn component(&self, text: &str, of: &DonationId) -> Result<String, Unlocated> {
        let name = "no_product_code";
        let code = identifiers::product_code(text).map_err(|why| Unlocated {
            name,
            what: why.what,
            what_zh: why.what_zh,
        })?;
        if self.entered(&code).is_ok_and(|donation| donation == *of) {
            let what = "it is the number of the donation; scan the product code".to_owned();
            return Err(Unlocated { name, what, what_zh: "这是献血码；请扫描产品码".to_owned() });
        }
        Ok(code)
    }

    /// The number that orders for a specimen are kept and looked up by: of its donation, whichever of its tubes it is,
    /// or of its pool. `connection` is the one whose reader read it; none where it was entered.
    ///
    /// # Errors
    /// [`Unlocated`]: then nothing is matched to it.
    pub fn number(
        &self,
        scan: &SpecimenId,
        connection: Option<&ConnectionId>,
    ) -> Result<SpecimenId, Unlocated> {
        let found = match connection {
            Some(connection) => self.0.read(scan.as_str(), connection.as_str())?,
            None => self.0.read_entered(scan.as_str())?,
        };
        SpecimenId::new(&found.number).map_err(|_| Refusal::Unknown.into())
    }
}

fn no_donation(pool: &str) -> Unlocated {
    Unlocated {
        name: "pool_specimen",
        what: format!("it is the pool {pool}, not a donation"),
        what_zh: format!("这是混样 {pool},不是献血码"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: &str, specimen: &str, expect: Result<&str, &str>) {
        let (specimen, line) = (SpecimenId::new(specimen).unwrap(), ConnectionId::new("line").unwrap());
        let found = SpecimenRule::new(rule).unwrap().locate(&specimen, &line);
        let found = found.as_ref().map(|l| l.donation.as_str()).map_err(|u| u.name);
        assert_eq!(found, expect, "{rule} {specimen}");
    }

    #[test]
    fn the_whole_id_has_to_fit_and_zeros_stay() {
        check(r"(?<donation>\S+)", "000123", Ok("000123"));
        check(r"(?<donation>\d{6})", "0001234", Err("unknown_specimen_id"));
        check(r"(?<donation>[A-Z]\d{12})(-\d)?", "G123498654321-2", Ok("G123498654321"));
        check(r"P(?<pool>\d+)", "P17", Err("pool_specimen"));
    }
}
