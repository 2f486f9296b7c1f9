use super::{Grant, Oid};
use crate::{expression::Node, sql::Name};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

/// A function or procedure.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) oid: Oid,
    pub(crate) namespace: Oid,
    pub(crate) name: Name,
    /// The types of its arguments, as `pg_get_function_identity_arguments` writes them.
    pub(crate) arguments: String,
    /// The types of its arguments alone.
    pub(crate) argument_types: Vec<Oid>,
    /// Whether the last one takes any number of values, as an array.
    pub(crate) variadic: bool,
    /// The names of its arguments, empty where they have none; none at all if no argument has one.
    pub(crate) argument_names: Vec<String>,
    pub(crate) returns: Oid,
    /// Whether it is for triggers.
    pub(crate) is_trigger: bool,
    /// One letter of `prokind`: `f`unction, `p`rocedure, `a`ggregate, `w`indow.
    pub(crate) kind: char,
    pub(crate) owner: Oid,
    pub(crate) language: String,
    pub(crate) volatility: Volatility,
    pub(crate) security_definer: bool,
    pub(crate) leakproof: bool,
    /// `name=value` of its SET clauses.
    pub(crate) config: Vec<String>,
    pub(crate) source: String,
    /// As `pg_get_functiondef` writes it, for functions in SQL and PL/pgSQL that no extension owns.
    pub(crate) definition: Option<String>,
    /// Of a body that was parsed when the function was made (`BEGIN ATOMIC`, `RETURN`).
    pub(crate) body: Option<Node>,
    /// Which extension it is part of.
    pub(crate) extension: Option<String>,
    pub(crate) grants: Vec<Grant>,
}

impl Function {
    /// As `ALTER FUNCTION` wants it: `public.f(uuid, text)`.
    pub(crate) fn signature(&self) -> String {
        format!("{}({})", self.name, self.arguments)
    }

    /// `FUNCTION` or `PROCEDURE`.
    pub(crate) fn keyword(&self) -> &'static str {
        if self.kind == 'p' {
            "PROCEDURE"
        } else {
            "FUNCTION"
        }
    }

    /// The value that one of its SET clauses gives to a setting.
    pub(crate) fn sets(&self, setting: &str) -> Option<&str> {
        self.config.iter().find_map(|entry| {
            let (name, value) = entry.split_once('=')?;
            name.eq_ignore_ascii_case(setting).then_some(value)
        })
    }
}
