//! What an expression reads.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not followed, and says nothing"
)]

use std::collections::BTreeSet;

use super::{Column, Constant, Pick, Term, words::bare};
use crate::catalogue::Oid;

/// A setting that is read, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SettingRead {
    /// In lower case.
    pub(crate) name: String,
    pub(crate) missing_ok: bool,
    /// The keys by which a value is taken out of it, where it is JSON: `sub`.
    pub(crate) path: Vec<String>,
    /// Whether an empty value is taken for none: `NULLIF(current_setting(…), '')`.
    pub(crate) guarded: bool,
    /// Whether it is cast to something else, of which an empty text is no value perhaps.
    pub(crate) cast: bool,
}

/// What an expression reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Columns of the row that it is about, and of rows of queries around it.
    pub(crate) columns: BTreeSet<Column>,
    pub(crate) settings: BTreeSet<SettingRead>,
    /// Whether it reads a setting whose name it makes up.
    pub(crate) any_setting: bool,
    /// `current_user` and the like.
    pub(crate) session: BTreeSet<&'static str>,
    /// Tables and views that its sub-selects and functions read.
    pub(crate) relations: BTreeSet<Oid>,
    /// The database's own functions that it calls.
    pub(crate) functions: BTreeSet<Oid>,
    /// PostgreSQL's functions that it calls, by name.
    pub(crate) builtins: BTreeSet<String>,
    /// Functions of which what they answer is not known.
    pub(crate) unread: BTreeSet<Oid>,
    /// Whether part of it is not understood.
    pub(crate) odd: bool,
    /// Columns that it casts to something else.
    pub(crate) casts: BTreeSet<Column>,
    /// Whether it has a sub-select that stands for one value and reads no rows: `(SELECT current_tenant())`.
    pub(crate) init_plans: bool,
    /// Whether it has a sub-select that reads rows.
    pub(crate) selects: bool,
    own: BTreeSet<u32>,
}

impl Facts {
    /// Takes in what another reads, but its rows: those are its own.
    pub(super) fn add(&mut self, other: &Self) {
        self.settings.extend(other.settings.iter().cloned());
        self.any_setting |= other.any_setting;
        self.session.extend(&other.session);
        self.relations.extend(&other.relations);
        self.functions.extend(&other.functions);
        self.builtins.extend(other.builtins.iter().cloned());
        self.unread.extend(&other.unread);
    }

    /// Takes in all of another, its rows among it.
    pub(crate) fn add_all(&mut self, other: &Self) {
        self.add(other);
        self.columns.extend(&other.columns);
        self.casts.extend(&other.casts);
        self.odd |= other.odd;
        self.selects |= other.selects;
        self.init_plans |= other.init_plans;
    }

    /// Takes in what a term reads, but not what the functions that it calls read.
    pub(super) fn see(&mut self, term: &Term) {
        term.walk(&mut |term| {
            if let Term::Select(_, query) = term {
                for source in query.arms.iter().flat_map(|arm| &arm.sources) {
                    self.own.insert(source.number);
                    self.relations.insert(source.relation);
                }
            }
        });
        self.look(term, &Around::default());
    }

    fn look(&mut self, term: &Term, around: &Around) {
        match term {
            Term::Column(column) => {
                if !self.own.contains(&column.source) {
                    self.columns.insert(*column);
                }
                return;
            }
            Term::Setting { name, missing_ok } => {
                match name {
                    Some(name) => {
                        self.settings.insert(SettingRead {
                            name: name.clone(),
                            missing_ok: *missing_ok,
                            path: around.path.clone(),
                            guarded: around.guarded,
                            cast: around.cast,
                        });
                    }
                    None => self.any_setting = true,
                }
                return;
            }
            Term::Session(name) => {
                self.session.insert(name);
            }
            Term::Call(function, _) => {
                self.functions.insert(*function);
            }
            Term::Builtin(name, _) => {
                self.builtins.insert(name.clone());
            }
            Term::Other(_) => self.odd = true,
            Term::Cast { term, .. } => {
                if let Term::Column(column) = bare(term)
                    && !self.own.contains(&column.source)
                {
                    self.casts.insert(*column);
                }
                let around = Around {
                    cast: true,
                    ..around.clone()
                };
                self.look(term, &around);
                return;
            }
            Term::NullIf(value, nothing) => {
                let empty = matches!(bare(nothing), Term::Constant(Constant::Text(text)) if text.is_empty());
                let around = Around {
                    guarded: around.guarded || empty,
                    ..around.clone()
                };
                self.look(value, &around);
                self.look(nothing, &Around::default());
                return;
            }
            Term::Operator(compare, members)
                if matches!(compare.name.as_str(), "->" | "->>" | "#>" | "#>>") =>
            {
                if let [document, Term::Constant(key)] = members.as_slice() {
                    let mut path = match key {
                        Constant::Text(key) => vec![key.clone()],
                        Constant::Number(at) => vec![at.to_string()],
                        Constant::Null | Constant::Bool(_) | Constant::Bytes(..) => {
                            vec!["?".to_owned()]
                        }
                    };
                    path.extend(around.path.iter().cloned());
                    let around = Around {
                        path,
                        ..around.clone()
                    };
                    self.look(document, &around);
                    return;
                }
            }
            Term::Select(pick, query) => {
                let reads = query
                    .arms
                    .iter()
                    .any(|arm| !arm.sources.is_empty() || !arm.besides.is_empty());
                self.selects |= reads;
                self.init_plans |= !reads && matches!(pick, Pick::Scalar);
            }
            _ => {}
        }
        let around = match term {
            // A value goes through these as it is.
            Term::Coalesce(_) | Term::Case(..) | Term::Select(Pick::Scalar, _) => around.clone(),
            _ => Around::default(),
        };
        let mut members = Vec::new();
        term.each(&mut |member| members.push(member));
        for member in members {
            self.look(member, &around);
        }
    }

    /// Whether it depends on who asks: on a setting, or on the session.
    pub(crate) fn depends_on_session(&self) -> bool {
        !self.settings.is_empty() || self.any_setting || !self.session.is_empty()
    }

    /// The names of the settings that it reads.
    pub(crate) fn setting_names(&self) -> BTreeSet<&str> {
        self.settings.iter().map(|it| it.name.as_str()).collect()
    }
}

/// What is around a term on the way up.
#[derive(Clone, Debug, Default)]
struct Around {
    path: Vec<String>,
    guarded: bool,
    cast: bool,
}
