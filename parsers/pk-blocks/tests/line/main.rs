//! Blocks and sessions seen from outside: through public methods, in virtual time.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod capture;
#[cfg(test)]
mod flips;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod receiving;
#[cfg(test)]
mod sessions;
