//! One verdict on its way to one receiver.

use crate::Seq;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use vocabulary::DestinationId;

/// One verdict on its way to one receiver. The pair is the identity: the same verdict is never delivered
/// under two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeliveryId {
    /// The [`crate::What::VerdictMade`] entry.
    pub verdict: Seq,
    /// The receiver.
    pub destination: DestinationId,
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.verdict, self.destination)
    }
}

/// A text that names no delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no delivery; one looks like 1234@bis, the verdict's sequence number and the destination")]
pub struct DeliveryIdError(String);

impl FromStr for DeliveryId {
    type Err = DeliveryIdError;
    fn from_str(text: &str) -> Result<Self, DeliveryIdError> {
        let wrong = || DeliveryIdError(text.to_owned());
        let (verdict, destination) = text.split_once('@').ok_or_else(wrong)?;
        Ok(Self {
            verdict: Seq::new(verdict.parse().map_err(|_| wrong())?),
            destination: DestinationId::new(destination).map_err(|_| wrong())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_reads_back_from_its_name() {
        for text in ["1@bis", "18446744073709551615@a@b"] {
            assert_eq!(text.parse::<DeliveryId>().unwrap().to_string(), text);
        }
        for text in ["", "1", "@bis", "x@bis", "1@", "-1@bis"] {
            assert_eq!(text.parse::<DeliveryId>(), Err(DeliveryIdError(text.into())));
        }
    }
}
