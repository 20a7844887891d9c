//! The ledger as the other rooms see it.

#[cfg(test)]
mod batches;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod donor_tasks;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod measured;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod registrations;
#[cfg(test)]
mod reprocess;
#[cfg(test)]
mod settled;
#[cfg(test)]
mod state;
#[cfg(test)]
mod street;
#[cfg(test)]
mod withdrawn;
#[cfg(test)]
mod work;
