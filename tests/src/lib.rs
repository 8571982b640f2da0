//! End-to-end, failure and load tests over the whole mesh.
