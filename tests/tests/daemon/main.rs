//! The daemon from outside: the binary itself, real sockets, its folder on disk, SIGKILL.
//!
//! One test binary for all of it, since linking is slow; a module for each question.
#[cfg(test)]
mod analyser;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod authority;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod components;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod day;
#[cfg(test)]
mod display_orders;
#[cfg(test)]
mod donor_tasks;
#[cfg(test)]
mod durable_before_ack;
#[cfg(test)]
mod fitness;
#[cfg(test)]
mod flood;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod held;
#[cfg(test)]
mod host_query;
#[cfg(test)]
mod house;
#[cfg(test)]
mod incoming_orders;
#[cfg(test)]
mod interfaces;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod kits;
#[cfg(test)]
mod kits_by_two;
#[cfg(test)]
mod law_orders;
#[cfg(test)]
mod lots;
#[cfg(test)]
mod many_analysers;
#[cfg(test)]
mod pinned;
#[cfg(test)]
mod pools;
#[cfg(test)]
mod reckoning;
#[cfg(test)]
mod registrations;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod settled;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod simulated_lines;
#[cfg(test)]
mod split_and_merge;
#[cfg(test)]
mod staff;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod two_people;
#[cfg(test)]
mod worklist;
