//! Room on the disk: noticed before it runs out, and a ballast to throw off.

use crate::Settings;
use crate::health::Health;
use std::path::PathBuf;

/// Free space must exceed the reserve by so many ballasts before a new one is taken in.
const BALLASTS_SPARE: u64 = 4;

fn ballast(settings: &Settings) -> PathBuf {
    settings.dir.join("ballast")
}

/// Looks how much is free. With little, nothing more is accepted; with plenty, a missing ballast is taken in.
pub(crate) fn look(settings: &Settings, health: &Health) {
    let path = ballast(settings);
    let free = match settings.storage.free_bytes(&settings.dir) {
        Ok(free) => Some(free),
        Err(error) => {
            tracing::warn!(%error, "cannot see how much space is free");
            None
        }
    };
    let was_low = health.is_low();
    health.space(free, settings.free_bytes_min);
    match (was_low, health.is_low()) {
        (false, true) => tracing::error!(free, "space is low: nothing more is accepted until there is room"),
        (true, false) => tracing::info!(free, "there is room again"),
        (false, false) | (true, true) => {}
    }
    let mut there = settings.storage.exists(&path);
    let plenty = settings.free_bytes_min + BALLASTS_SPARE * settings.ballast_bytes;
    if !there && settings.ballast_bytes > 0 && free.is_some_and(|free| free >= plenty) {
        match settings.storage.take_space(&path, settings.ballast_bytes) {
            Ok(()) => there = true,
            Err(error) => tracing::warn!(%error, "the ballast could not be taken in"),
        }
    }
    health.set_ballast(there);
}

/// Before the start on a nearly full disk: throws the ballast off, so that the state can be opened.
pub(crate) fn make_room(settings: &Settings) {
    let path = ballast(settings);
    let free = settings.storage.free_bytes(&settings.dir).unwrap_or(u64::MAX);
    if free < settings.ballast_bytes && settings.storage.exists(&path) {
        match settings.storage.remove(&path) {
            Ok(()) => {
                tracing::warn!("the disk is full: the ballast was thrown off to start at all; make room");
            }
            Err(error) => tracing::warn!(%error, "the ballast could not be thrown off"),
        }
    }
}
