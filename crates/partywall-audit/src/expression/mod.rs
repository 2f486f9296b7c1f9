//! Expressions of the catalogues: the trees that PostgreSQL's own parser made of them, and what they mean.

mod node;

pub(crate) use node::Node;
