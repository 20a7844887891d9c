//! Analysers and a LIS to talk to.

pub mod scenario;
