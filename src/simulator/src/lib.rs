//! Analysers and a LIS to talk to.
