//! Peers that nobody here wrote talk to the binary and to our rooms, over real sockets and serial lines: python-astm,
//! python-hl7, hl7apy, node-hl7-client, node-hl7-server and simple-hl7.
//!
//! Their driver scripts lie in `tests/peers/`. What they need is installed into the build folder, by name, version
//! and hash; where that cannot be, a test says SKIPPED with the reason on stderr, and passes. Where a peer is wrong,
//! the test says how.

#[cfg(test)]
#[path = "../daemon/binary.rs"]
mod binary;
#[cfg(test)]
mod driver;
#[cfg(test)]
mod faults;
#[cfg(test)]
#[expect(dead_code, reason = "the tests of the daemon use the rest of it")]
#[path = "../daemon/house.rs"]
mod house;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod receivers;
#[cfg(test)]
mod records;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod segments;
#[cfg(test)]
mod serial;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod station;
