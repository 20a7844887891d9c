//! Lots that were found defective.

use super::{ReadError, Reader};
use crate::fold::lines_of;
use crate::state::{Key, LotDefect, collect, decode, record};
use vocabulary::ConnectionId;

impl Reader {
    /// How a lot stands that was found defective.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn lot_defect(&self, lot: &str) -> Result<Option<LotDefect>, ReadError> {
        Ok(record(self.store().as_ref(), &Key::lot_defect(lot).done())?)
    }

    /// Every lot that stands as defective, by number.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn lot_defects(&self) -> Result<Vec<LotDefect>, ReadError> {
        let rows = collect(self.store().as_ref(), &Key::lot_defects().under())?;
        rows.iter().map(|(_, value)| Ok(decode(value)?)).collect()
    }

    /// Lines that results or controls of a lot came over.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn lines_of_lot(&self, lot: &str) -> Result<Vec<ConnectionId>, ReadError> {
        Ok(lines_of(self.store().as_ref(), lot)?.into_iter().collect())
    }
}
