//! What people wrote down of analysers and operators.

use super::{ReadError, Reader};
use crate::state::{FitnessNote, Key, Span, collect, decode};
use std::ops::ControlFlow;
use vocabulary::ConnectionId;

impl Reader {
    /// Whether anything of that is written down at all.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn has_fitness_notes(&self) -> Result<bool, ReadError> {
        for span in [Key::every_service().under(), Key::operators().under()] {
            let mut found = false;
            self.store().walk(&span, &mut |_, _| {
                found = true;
                ControlFlow::Break(())
            })?;
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What was done to the analysers of a line, in the order in which it was written down.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn services(&self, connection: &ConnectionId) -> Result<Vec<FitnessNote>, ReadError> {
        self.fitness_notes(&Key::services(connection).under())
    }

    /// What operators may do, in the order in which it was written down.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn operators(&self) -> Result<Vec<FitnessNote>, ReadError> {
        self.fitness_notes(&Key::operators().under())
    }

    fn fitness_notes(&self, span: &Span) -> Result<Vec<FitnessNote>, ReadError> {
        let all = collect(self.store().as_ref(), span)?;
        Ok(all.iter().map(|(_, value)| decode(value)).collect::<Result<_, _>>()?)
    }
}
