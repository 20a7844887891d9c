//! Pools: from a robot's log and an analyser's result on the pool's number to the evidence of every member.
//!
//! ```text
//!  log ──told──► members of a pool ──┐                        one pool, one run of the robot: a making
//!                                    ├─ facts ── sound? ──► NatResult of each member, or why there is none
//!  result on the pool's number ──────┘     │
//!  results of members alone ───────────────┘                  asked for where the pool was not non-reactive
//! ```
//! In which order these come does not count, nor into how many files a log was parted: every time one of them changes,
//! all members are decided anew from all of it. A result is of the making that was in place when it was tested; it says
//! nothing of any member unless that making is sound (R-NAT-06).

mod evidence;
mod facts;
mod show;
mod sound;
mod told;

pub use facts::{Drawn, Making, MemberFacts, PoolFacts};
pub use show::{MakingShown, MemberShown, PoolSays, PoolShown, show};
pub use sound::PoolFault;

pub(crate) use evidence::pooled;
pub(crate) use facts::{Memory, pools_of};
pub(crate) use sound::hours_between;
pub(crate) use told::{parted, told};
