//! The link seen from outside: through its public methods, in virtual time.

#[cfg(test)]
mod bench_line;
#[cfg(test)]
mod drawing;
#[cfg(test)]
mod script;
#[cfg(test)]
mod states;
