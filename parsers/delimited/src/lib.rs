//! Delimited exports: rows and columns with their places in the bytes.
