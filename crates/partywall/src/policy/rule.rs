use std::{fmt, net::IpAddr};

use chrono::{DateTime, NaiveTime, Utc};
use ipnetwork::IpNetwork;
use sea_orm::{
    ColumnTrait, Condition, ExprTrait as _, Value,
    sea_query::{Expr, IntoCondition},
};
use uuid::Uuid;

use super::{Actions, PolicyError, Question, RequestFacts, Rows, Subject, truth::Truth};

/// A condition of a statement: on the request, on who asks, on the action, on the object.
///
/// Where it cannot be told whether it holds, because there is no object or no address, an allow does
/// not match and a deny does.
pub struct Rule<M = ()>(Kind<M>);

type Holds<T> = Box<dyn Fn(&T) -> bool + Send + Sync>;
type HoldsFor<M> = Box<dyn Fn(&Subject, &M) -> bool + Send + Sync>;
/// The rows for which a rule surely holds, or surely does not.
type RowsOf = Box<dyn Fn(&Subject, bool) -> Rows + Send + Sync>;

enum Kind<M> {
    Action(Actions),
    Request(String, Holds<RequestFacts>),
    Network(Vec<Result<IpNetwork, String>>),
    Hours(NaiveTime, NaiveTime),
    Subject(String, Holds<Subject>),
    Object(String, HoldsFor<M>, Option<RowsOf>),
    AllOf(Vec<Rule<M>>),
    AnyOf(Vec<Rule<M>>),
    Not(Box<Rule<M>>),
}

/// What a rule is asked.
pub(super) struct Case<'a, M> {
    pub(super) question: &'a Question<'a>,
    pub(super) object: Object<'a, M>,
}

pub(super) enum Object<'a, M> {
    Absent,
    Present(&'a M),
    /// It is of another type than the policy's.
    Foreign,
}

impl<'a, M: 'static> Case<'a, M> {
    pub(super) fn of(question: &'a Question<'a>) -> Self {
        let object = match question.object {
            None => Object::Absent,
            Some(object) => match object.downcast_ref() {
                Some(object) => Object::Present(object),
                None => Object::Foreign,
            },
        };
        Self { question, object }
    }
}

impl<M> Rule<M> {
    /// The action is one of these: for fields, which a policy can freeze for some actions.
    #[must_use]
    pub fn action(actions: Actions) -> Self {
        Self(Kind::Action(actions))
    }

    /// Something holds of the request.
    pub fn request(
        name: impl Into<String>,
        holds: impl Fn(&RequestFacts) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self(Kind::Request(name.into(), Box::new(holds)))
    }

    /// The request comes from one of these networks: `["10.0.0.0/8", "2001:db8::/32"]`.
    pub fn network<'n>(networks: impl IntoIterator<Item = &'n str>) -> Self {
        let read = |text: &str| text.parse().map_err(|_| text.to_owned());
        Self(Kind::Network(networks.into_iter().map(read).collect()))
    }

    /// The request comes at a time of the day in UTC, from the first moment on and before the second.
    /// Over midnight where the second is the earlier one.
    #[must_use]
    pub fn hours(from: NaiveTime, until: NaiveTime) -> Self {
        Self(Kind::Hours(from, until))
    }

    /// Something holds of who asks.
    pub fn subject(
        name: impl Into<String>,
        holds: impl Fn(&Subject) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self(Kind::Subject(name.into(), Box::new(holds)))
    }

    /// Something holds of the object that cannot be told in SQL. A list shows no row by an allow of
    /// this kind, and none at all under a deny of this kind: see [`row`](Self::row).
    pub fn object(
        name: impl Into<String>,
        holds: impl Fn(&Subject, &M) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self(Kind::Object(name.into(), Box::new(holds), None))
    }

    /// Something holds of the row, told in Rust and told again in SQL for lists. A row for which the
    /// condition is NULL is shown by neither an allow nor past a deny.
    ///
    /// The two should say the same. [`own`](Self::own) and [`column`](Self::column) say both at once.
    pub fn row<C: IntoCondition>(
        name: impl Into<String>,
        holds: impl Fn(&Subject, &M) -> bool + Send + Sync + 'static,
        condition: impl Fn(&Subject) -> C + Send + Sync + 'static,
    ) -> Self {
        let rows = move |subject: &Subject, wanted: bool| {
            // In parentheses, whatever it is made of: a piece of SQL by hand has none of its own.
            let condition = Expr::tuple([condition(subject).into_condition().into()]);
            Rows::Where(if wanted {
                condition.into_condition()
            } else {
                condition.not().into_condition()
            })
        };
        Self(Kind::Object(
            name.into(),
            Box::new(holds),
            Some(Box::new(rows)),
        ))
    }

    /// The row is the acting account's: a column holds its id. Nobody's rows are never one's own.
    pub fn own<I: Into<Option<Uuid>>>(
        name: impl Into<String>,
        column: impl ColumnTrait,
        owner: impl Fn(&M) -> I + Send + Sync + 'static,
    ) -> Self {
        let rows = move |subject: &Subject, wanted: bool| match (subject.account(), wanted) {
            (None, wanted) => Rows::from(!wanted),
            (Some(account), wanted) => Rows::Where(equal(column, account.into(), wanted)),
        };
        Self(Kind::Object(
            name.into(),
            Box::new(move |subject, row| subject.is_account(owner(row))),
            Some(Box::new(rows)),
        ))
    }

    /// A column of the row has a value. NULL has none.
    pub fn column<V, I>(
        name: impl Into<String>,
        column: impl ColumnTrait,
        value: V,
        of: impl Fn(&M) -> I + Send + Sync + 'static,
    ) -> Self
    where
        V: Into<Value> + Clone + PartialEq + Send + Sync + 'static,
        I: Into<Option<V>>,
    {
        let wanted_value = value.clone();
        let rows = move |_: &Subject, wanted: bool| {
            Rows::Where(equal(column, wanted_value.clone().into(), wanted))
        };
        Self(Kind::Object(
            name.into(),
            Box::new(move |_, row| of(row).into().as_ref() == Some(&value)),
            Some(Box::new(rows)),
        ))
    }

    /// All of these hold.
    pub fn all_of(rules: impl IntoIterator<Item = Self>) -> Self {
        Self(Kind::AllOf(rules.into_iter().collect()))
    }

    /// At least one of these holds.
    pub fn any_of(rules: impl IntoIterator<Item = Self>) -> Self {
        Self(Kind::AnyOf(rules.into_iter().collect()))
    }

    pub(super) fn holds(&self, case: &Case<'_, M>) -> Truth {
        let Question {
            subject,
            action,
            request,
            ..
        } = case.question;
        match &self.0 {
            Kind::Action(actions) => actions.includes(action).into(),
            Kind::Request(_, holds) => holds(request).into(),
            Kind::Network(networks) => match request.address() {
                Some(address) => contains(networks, address).into(),
                None => Truth::Unclear,
            },
            Kind::Hours(from, until) => is_between(*from, *until, request.at()).into(),
            Kind::Subject(_, holds) => holds(subject).into(),
            Kind::Object(_, holds, _) => match &case.object {
                Object::Present(object) => holds(subject, object).into(),
                Object::Absent => Truth::Open,
                Object::Foreign => Truth::Unclear,
            },
            Kind::AllOf(rules) => Truth::all(rules.iter().map(|rule| rule.holds(case))),
            Kind::AnyOf(rules) => Truth::any(rules.iter().map(|rule| rule.holds(case))),
            Kind::Not(rule) => rule.holds(case).not(),
        }
    }

    /// The rows for which it surely holds, or surely does not: what is in doubt is in neither.
    pub(super) fn rows(&self, case: &Case<'_, M>, wanted: bool) -> Rows {
        match &self.0 {
            Kind::Object(_, _, Some(rows)) => rows(case.question.subject, wanted),
            Kind::Object(_, _, None) => Rows::None,
            Kind::Not(rule) => rule.rows(case, !wanted),
            Kind::AllOf(rules) | Kind::AnyOf(rules) => {
                let each = rules.iter().map(|rule| rule.rows(case, wanted));
                // Not all hold where one does not, and none where each does not.
                if matches!(&self.0, Kind::AllOf(_)) == wanted {
                    Rows::all(each)
                } else {
                    Rows::any(each)
                }
            }
            Kind::Action(_)
            | Kind::Request(..)
            | Kind::Network(_)
            | Kind::Hours(..)
            | Kind::Subject(..) => (self.holds(case) == Truth::from(wanted)).into(),
        }
    }

    /// Whether it looks at the object.
    pub(super) fn asks_object(&self) -> bool {
        match &self.0 {
            Kind::Object(..) => true,
            Kind::AllOf(rules) | Kind::AnyOf(rules) => rules.iter().any(Self::asks_object),
            Kind::Not(rule) => rule.asks_object(),
            Kind::Action(_)
            | Kind::Request(..)
            | Kind::Network(_)
            | Kind::Hours(..)
            | Kind::Subject(..) => false,
        }
    }

    pub(super) fn check(&self, actions: Option<&[String]>) -> Result<(), PolicyError> {
        match &self.0 {
            Kind::Action(list) => list.check(actions),
            Kind::Network(networks) if networks.is_empty() => Err(PolicyError::Empty("networks")),
            Kind::Network(networks) => match networks.iter().find_map(|one| one.as_ref().err()) {
                Some(text) => Err(PolicyError::Network(text.clone())),
                None => Ok(()),
            },
            Kind::AllOf(rules) | Kind::AnyOf(rules) if rules.is_empty() => {
                Err(PolicyError::Empty("rules"))
            }
            Kind::AllOf(rules) | Kind::AnyOf(rules) => {
                rules.iter().try_for_each(|rule| rule.check(actions))
            }
            Kind::Not(rule) => rule.check(actions),
            Kind::Request(name, _) | Kind::Subject(name, _) | Kind::Object(name, ..)
                if name.is_empty() =>
            {
                Err(PolicyError::Nameless)
            }
            Kind::Request(..) | Kind::Subject(..) | Kind::Object(..) | Kind::Hours(..) => Ok(()),
        }
    }
}

impl<M> std::ops::Not for Rule<M> {
    type Output = Self;

    /// It does not hold. What cannot be told stays untold.
    fn not(self) -> Self {
        match self.0 {
            Kind::Not(rule) => *rule,
            kind => Self(Kind::Not(Box::new(Self(kind)))),
        }
    }
}

/// Equality that is never NULL: two-valued, as Rust's.
fn equal(column: impl ColumnTrait, value: Value, wanted: bool) -> Condition {
    if wanted {
        column.eq(value).into_condition()
    } else {
        let differs = Condition::any().add(column.is_null());
        differs.add(column.ne(value))
    }
}

fn contains(networks: &[Result<IpNetwork, String>], address: IpAddr) -> bool {
    let mut known = networks.iter().filter_map(|one| one.as_ref().ok());
    known.any(|network| network.contains(address))
}

fn is_between(from: NaiveTime, until: NaiveTime, at: DateTime<Utc>) -> bool {
    let at = at.time();
    if from <= until {
        from <= at && at < until
    } else {
        from <= at || at < until
    }
}

impl<M> fmt::Display for Rule<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |rules: &[Self], word: &str| {
            let each = rules.iter().map(|rule| match &rule.0 {
                Kind::AllOf(_) | Kind::AnyOf(_) => format!("({rule})"),
                _ => rule.to_string(),
            });
            each.collect::<Vec<_>>().join(word)
        };
        match &self.0 {
            Kind::Action(actions) => write!(f, "action {actions}"),
            Kind::Request(name, _) | Kind::Subject(name, _) | Kind::Object(name, _, Some(_)) => {
                f.write_str(name)
            }
            Kind::Object(name, _, None) => write!(f, "{name} (not in lists)"),
            Kind::Network(networks) => {
                let each = networks.iter().map(|one| match one {
                    Ok(network) => network.to_string(),
                    Err(text) => text.clone(),
                });
                write!(f, "from {}", each.collect::<Vec<_>>().join(", "))
            }
            Kind::Hours(from, until) => {
                write!(f, "{}–{} UTC", from.format("%H:%M"), until.format("%H:%M"))
            }
            Kind::AllOf(rules) => f.write_str(&joined(rules, " and ")),
            Kind::AnyOf(rules) => f.write_str(&joined(rules, " or ")),
            Kind::Not(rule) => match &rule.0 {
                Kind::AllOf(_) | Kind::AnyOf(_) => write!(f, "not ({rule})"),
                _ => write!(f, "not {rule}"),
            },
        }
    }
}

impl<M> fmt::Debug for Rule<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({self})")
    }
}
