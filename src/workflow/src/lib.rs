//! Moves work from room to room.
