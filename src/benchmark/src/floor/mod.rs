//! Floors: the least work that could be called the same job, written as plainly as it can be. What we build is held
//! against them in the same run, on the same machine, so that a figure does not depend on whose machine it was.

mod commit;
mod records;
mod servers;

pub(crate) use commit::{Appender, GroupCommit};
pub(crate) use records::{Boundaries, hl7_values, transfer_values};
pub(crate) use servers::{lis01 as lis01_server, mllp as mllp_server};
