//! The tests, as one binary.
