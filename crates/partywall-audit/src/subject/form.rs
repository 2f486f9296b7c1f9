//! How a value of the context is written in a policy.

use super::reading::{is_current_setting, text_constant, uncast};
use crate::{catalogue::Oid, expression::Node};

/// How a value of the context is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// A setting as it is or, where it holds JSON, what these keys lead to.
    Setting { name: String, path: Vec<String> },
    /// A function without arguments.
    Function(Oid),
    /// Anything else.
    Other,
}

impl Form {
    /// Reads it through casts, `NULLIF`, and `(SELECT …)`.
    pub(crate) fn of(node: &Node) -> Self {
        Self::below(node, Vec::new())
    }

    fn below(node: &Node, mut path: Vec<String>) -> Self {
        let node = uncast(node);
        let arguments = node.list("args");
        match (node.tag(), arguments) {
            ("FUNCEXPR", [name, ..]) if is_current_setting(node) => match text_constant(name) {
                Some(name) => {
                    path.reverse();
                    Self::Setting {
                        name: name.to_lowercase(),
                        path,
                    }
                }
                None => Self::Other,
            },
            ("FUNCEXPR", []) if path.is_empty() => {
                node.number("funcid").map_or(Self::Other, Self::Function)
            }
            ("NULLIFEXPR", [value, _]) => Self::below(value, path),
            ("OPEXPR", [value, key]) => match text_constant(key) {
                Some(key) => {
                    path.push(key);
                    Self::below(value, path)
                }
                None => Self::Other,
            },
            ("SUBLINK", _) => {
                let value =
                    node.get("subselect")
                        .and_then(|query| match query.list("targetList") {
                            [entry] if query.list("rtable").is_empty() => entry.get("expr"),
                            _ => None,
                        });
                value.map_or(Self::Other, |value| Self::below(value, path))
            }
            _ => Self::Other,
        }
    }
}
