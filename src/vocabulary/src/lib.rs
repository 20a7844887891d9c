//! The words every room shares: identifiers, specimens, markers, grades, observations, runs and lots.
//!
//! Ground floor: this crate knows no other. It holds plain data with one meaning each; it decides nothing
//! and reads no clock. The JSON names here are promises to users (see the reference of `interpret`).

mod donation;
mod donor;
mod finding;
mod grade;
mod identifier;
mod marker;
pub mod notation;
mod observation;
mod order;
mod person;
mod pool;
mod registration;
mod run;
mod value;

pub use donation::{AboGroup, BloodGroup, DonationRegistration, DonorRegistration, RhD};
pub use donor::{DONOR_CHARS_MAX, DonorId, DonorIdError};
pub use finding::{Consequence, Finding};
pub use grade::{Grade, Strength, UnknownGrade};
pub use identifier::{
    ConnectionId, DestinationId, DonationId, IdentifierError, OrderId, PoolId, ProfileRef, RunId, SpecimenId,
    UserId,
};
pub use marker::{Marker, MarkerKind, UnknownMarker, Virus};
pub use observation::{ControlReading, Expected, Observation, ResultStatus, Source, SpecimenKind};
pub use order::{
    NotFound, Order, OrderAction, OrderDonor, OrderState, Priority, QueryOutcome, Sex, WhyNothing,
};
pub use person::{Role, UnknownRole};
pub use pool::{Aspiration, AspirationFault, Pooling};
pub use registration::RegistrationPart;
pub use run::{LotRole, LotUse, Mode, Protocol};
pub use value::{Comparator, Interpretation, Value};
