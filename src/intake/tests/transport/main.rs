//! Every way a line can be carried, with real sockets, devices and folders against a real ledger.
#[cfg(test)]
mod authority;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod probes;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod reconnect;
#[cfg(test)]
mod resets;
#[cfg(test)]
mod second_connection;
#[cfg(test)]
mod serial;
#[cfg(test)]
mod silence;
#[cfg(test)]
mod site;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod tls_connect;
