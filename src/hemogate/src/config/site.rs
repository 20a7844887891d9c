//! `[site]`, `[store]`, `[console]` and `[rules]`: what is true of the whole house.

use super::Identifiers;
use serde::{Deserialize, Deserializer, de::Error};
use std::{net::SocketAddr, num::NonZeroU8, path::PathBuf};
use toml::Spanned;

/// `[site]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Site {
    /// Name for pages and messages.
    pub(crate) name: String,
    /// Code of the centre, sent as HL7 facility.
    pub(crate) code: String,
    /// Folder of the site's own profiles, `maker/model` below it; a connection names them as it names the catalogue's.
    pub(crate) profiles: Option<PathBuf>,
    /// Folder of the site's kits, one file a kit (`*.toml`). The first start adopts what is in it; what changes in it later
    /// judges when two people have put it in force (`hemogate kit propose`, `activate`).
    pub(crate) kits: Option<PathBuf>,
    /// IANA name; clocks of analysers without a zone are read in it.
    pub(crate) time_zone: String,
    /// Time server (SNTP) that the station's clock is compared with, `host` or `host:port`; nothing: not compared.
    pub(crate) time_server: Option<String>,
    /// From so many milliseconds on the clocks do not agree.
    pub(crate) clock_off_ms: u32,
    /// Regular expression with the named group `donation`; what does not match is held.
    pub(crate) specimen_pattern: Option<Spanned<String>>,
    /// `[site.identifiers]`: forms of the site's codes, in the place of one pattern.
    pub(crate) identifiers: Option<Identifiers>,
    /// What is asked of analysers and operators is said by the rule pack, which two people put in force.
    #[serde(rename = "fitness", deserialize_with = "of_the_pack")]
    pub(crate) of_the_pack: (),
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: "hemogate".into(),
            code: "HEMOGATE".into(),
            profiles: None,
            kits: None,
            time_zone: "Asia/Shanghai".into(),
            time_server: None,
            clock_off_ms: 2_000,
            specimen_pattern: None,
            identifiers: None,
            of_the_pack: (),
        }
    }
}

/// One person's file cannot say it.
fn of_the_pack<'de, D: Deserializer<'de>>(_: D) -> Result<(), D::Error> {
    Err(D::Error::custom(
        "[site.fitness] is said by the rule pack: write [fitness] with these keys into a pack of the site (based_on), and two \
         people put that in force (hemogate rules add, rules activate); 此项由规则包规定：请写入本站规则包的 [fitness]，由两人启用",
    ))
}

/// `[store]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Store {
    /// Folder of the ledger.
    pub(crate) path: PathBuf,
    /// Cache of the state store in MiB; the process takes up to three times as much.
    pub(crate) cache_mib: u64,
    /// Below this much free space nothing is accepted any more.
    pub(crate) minimum_free_mib: u64,
    /// Hash of the chain.
    pub(crate) chain_hash: ChainHash,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: "hemogate-data".into(),
            cache_mib: 128,
            minimum_free_mib: 512,
            chain_hash: ChainHash::Sm3,
        }
    }
}

/// Hash of the ledger's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChainHash {
    Sm3,
    Sha256,
}

/// `[console]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Console {
    /// Address of the HTTP surface; loopback only until users and TLS come.
    pub(crate) listen: SocketAddr,
}

impl Default for Console {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)) }
    }
}

/// `[rules]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rules {
    /// Id of a built-in pack, or the path of a pack file, as seen from the configuration's folder.
    pub(crate) pack: String,
    /// Serology reagents that each of HBsAg, anti-HCV, HIV and syphilis is tested with; a verdict waits for all of them.
    pub(crate) serology_reagents: NonZeroU8,
    /// So many donations taken before one whose tube may be wrong, and so many after it in its session, wait with it.
    pub(crate) neighbours: NonZeroU8,
    /// `here`: a donation that passes is delivered once two people have released it here; `elsewhere`: as soon as its tests are
    /// complete, for a blood information system that has it signed itself.
    pub(crate) signatures: workflow::SignOff,
}

/// Two: a laboratory with one has to say so.
const SEROLOGY_REAGENTS: NonZeroU8 = NonZeroU8::new(2).unwrap();

impl Default for Rules {
    fn default() -> Self {
        Self {
            pack: "cn-2019".into(),
            serology_reagents: SEROLOGY_REAGENTS,
            neighbours: NonZeroU8::MIN,
            signatures: workflow::SignOff::Here,
        }
    }
}
