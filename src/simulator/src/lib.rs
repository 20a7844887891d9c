//! Analysers and a LIS to talk to.

pub mod model;
pub mod scenario;
