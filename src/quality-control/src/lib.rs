//! Run validity and control rules.
