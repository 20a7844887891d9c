//! End-to-end tests of the whole house, and the tests that keep it in order.
//!
//! The tests are in `tests/tests`. This library holds nothing but what several of them share.
