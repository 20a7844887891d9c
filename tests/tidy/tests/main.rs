//! Keeps the house: arrows between crates, sizes, words, and a test for every law.
//!
//! Reads the tree as text. What it forbids is written in the tables at the top of each module.
#[cfg(test)]
mod arrows;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod words;
