//! What stands for the results of a run, from messages through the ledger to verdicts: plates, windows, batches, known
//! cells; what falls with a run, and that the order in which messages came changes nothing.

#[cfg(test)]
mod again;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod cells;
#[cfg(test)]
mod compared;
#[cfg(test)]
mod falls;
#[cfg(test)]
mod fitness;
#[cfg(test)]
mod history;
#[cfg(test)]
mod house;
#[cfg(test)]
mod in_force;
#[cfg(test)]
mod interfaces;
#[cfg(test)]
mod makers;
#[cfg(test)]
mod plates;
#[cfg(test)]
mod unconfirmed;
#[cfg(test)]
mod windows;
