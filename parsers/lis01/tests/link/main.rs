//! The link seen from outside: through its public methods, in virtual time.

#[cfg(test)]
mod bench_line;
#[cfg(test)]
mod control_bytes;
#[cfg(test)]
mod drawing;
#[cfg(test)]
mod flips;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod script;
#[cfg(test)]
mod states;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod timers;
