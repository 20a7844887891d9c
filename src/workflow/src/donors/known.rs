//! Whether a donor is known here.

use ledger::{ReadError, Reader};
use vocabulary::DonorId;

/// What is said of a donor whom no registration names, in English and Chinese: what is written of the number counts for whoever
/// is registered under it.
///
/// # Errors
/// [`ReadError`].
pub fn unknown(reader: &Reader, donor: &str) -> Result<Option<[String; 2]>, ReadError> {
    let donor = DonorId::from(donor);
    let is_known = !reader.given_by(&donor)?.is_empty() || !reader.donor(&donor)?.earlier.is_empty();
    Ok((!is_known).then(|| {
        [
            format!("no donation of donor {donor} is known here: it is written, and counts when one is registered; compare the number"),
            format!("本系统尚无献血者{donor}的献血记录：已登记，自其登记献血起生效；请核对编号"),
        ]
    }))
}
