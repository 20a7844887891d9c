//! The CLSI LIS01 / ASTM E1381 link, both roles, without IO.
