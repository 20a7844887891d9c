//! What the daemon holds of what a peer sent.

use crate::house::{Daemon, until};
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};

const HELD_WITHIN: Duration = Duration::from_mins(1);

impl Daemon {
    /// Where a connection listens.
    pub(crate) fn at(&self, connection: &str) -> SocketAddr {
        self.listening[connection]
    }

    /// The bytes of every message, in order, once nothing waits any more and there are `count` of them.
    pub(crate) fn held(&self, count: usize) -> Vec<String> {
        let mut messages = Vec::new();
        until(&format!("{count} messages are held"), HELD_WITHIN, || {
            messages = self.list("messages");
            messages.len() >= count
        });
        self.idle();
        messages = self.list("messages");
        messages.sort_by_key(|m| m["seq"].as_u64());
        let raw = |m: &Value| self.ask(&format!("/api/v1/messages/{}/raw", m["seq"])).1;
        messages.iter().map(raw).map(|bytes| String::from_utf8(bytes).unwrap()).collect()
    }

    /// How a connection stands.
    pub(crate) fn standing(&self, connection: &str) -> Value {
        let all = self.get("connections");
        let items = all["items"].as_array().unwrap_or_else(|| panic!("no items in {all}"));
        let one = items.iter().find(|c| c["id"] == connection);
        one.unwrap_or_else(|| panic!("no {connection} in {all}")).clone()
    }

    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.get("status")["counters"][name].as_u64().unwrap()
    }
}
