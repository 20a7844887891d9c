//! Destinations and the outbox.
