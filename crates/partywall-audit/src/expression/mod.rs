//! Expressions of the catalogues: the trees that PostgreSQL's own parser made of them, and what they mean.

mod constant;
mod facts;
mod library;
mod node;
mod plpgsql;
mod statement;
mod term;
mod tree;
mod words;

pub(crate) use constant::{Constant, is_nobody};
pub(crate) use facts::{Facts, SettingRead};
pub(crate) use library::{Library, expression};
pub(crate) use node::Node;
pub(crate) use term::{Arm, Column, Compare, Pick, Query, ROW, Source, Term};
pub(crate) use words::{bare, folds_case, is_many_to_one, is_pattern_function, takes_a_part};
