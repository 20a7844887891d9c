//! From the specimen id an analyser read to the donation it belongs to.

use identifiers::{Normaliser, Refusal, RulesFault, Shortened, Whose};
use vocabulary::{ConnectionId, DonationId, SpecimenId};

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
    /// All results of the donation have to come under this one scan.
    pub one_scan: bool,
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
        let found = self.0.read(specimen.as_str(), connection.as_str())?;
        if found.whose == Whose::Pool {
            return Err(Unlocated {
                name: "pool_specimen",
                what: format!(
                    "it is the pool {}; results of pools are not resolved here: test its members singly",
                    found.number
                ),
                what_zh: format!("这是混样 {};本系统暂不拆分混样结果,请对各成员单独检测", found.number),
            });
        }
        let donation = DonationId::new(&found.number).map_err(|_| Refusal::Unknown)?;
        Ok(Located { donation, tube: found.tube, one_scan: found.one_scan })
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
            Whose::Donation => DonationId::new(&found.number).map_err(|_| Refusal::Unknown.into()),
            Whose::Pool => Err(Unlocated {
                name: "pool_specimen",
                what: format!("it is the pool {}, not a donation", found.number),
                what_zh: format!("这是混样 {},不是献血码", found.number),
            }),
        }
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
