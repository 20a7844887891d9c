//! Keeps the house: arrows between crates, sizes, words, a test for every law, and a row for every worked case.
//!
//! Reads the tree as text. What it forbids is written in the tables at the top of each module.
#[cfg(test)]
mod arrows;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod words;
