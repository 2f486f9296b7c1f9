use std::{fmt, net::IpAddr};

use chrono::{DateTime, NaiveTime, Utc};
use ipnetwork::IpNetwork;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait as _, Value,
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

    /// Something holds of who asks. A permission belongs into the principal: what is asked for in here
    /// is not among the [permissions](super::Decide::permissions) that a route checks.
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
    /// The two should say the same: `testing::assert_rows_agree` sees to that, and [`own`](Self::own)
    /// and [`column`](Self::column) say both at once.
    ///
    /// ```
    /// # mod note {
    /// #     use sea_orm::entity::prelude::*;
    /// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    /// #     #[sea_orm(table_name = "note")]
    /// #     pub struct Model {
    /// #         #[sea_orm(primary_key, auto_increment = false)]
    /// #         pub id: Uuid,
    /// #         pub level: i32,
    /// #     }
    /// #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    /// #     pub enum Relation {}
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # }
    /// use partywall::policy::Rule;
    /// use sea_orm::ColumnTrait;
    ///
    /// let low = Rule::row(
    ///     "low",
    ///     |_, note: &note::Model| note.level < 3,
    ///     |_| note::Column::Level.lt(3),
    /// );
    /// # assert_eq!(low.to_string(), "low");
    /// ```
    pub fn row<C: IntoCondition>(
        name: impl Into<String>,
        holds: impl Fn(&Subject, &M) -> bool + Send + Sync + 'static,
        condition: impl Fn(&Subject) -> C + Send + Sync + 'static,
    ) -> Self {
        let rows = move |subject: &Subject, wanted: bool| {
            let condition = condition(subject).into_condition();
            Rows::Where(if wanted {
                condition
            } else {
                Condition::all().add(Expr::from(condition).not())
            })
        };
        Self(Kind::Object(
            name.into(),
            Box::new(holds),
            Some(Box::new(rows)),
        ))
    }

    /// The row is the acting account's: a column holds its id. Nobody's rows are never one's own.
    pub fn own<C, I>(
        name: impl Into<String>,
        column: C,
        owner: impl Fn(&M) -> I + Send + Sync + 'static,
    ) -> Self
    where
        C: ColumnTrait<EntityName: EntityTrait<Model = M>>,
        I: Into<Option<Uuid>>,
    {
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
    pub fn column<C, V, I>(
        name: impl Into<String>,
        column: C,
        value: V,
        of: impl Fn(&M) -> I + Send + Sync + 'static,
    ) -> Self
    where
        C: ColumnTrait<EntityName: EntityTrait<Model = M>>,
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
        match self {
            Self(Kind::Not(rule)) => *rule,
            plain => Self(Kind::Not(Box::new(plain))),
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
        let enclosed = |rule: &Self| {
            if matches!(rule.0, Kind::AllOf(_) | Kind::AnyOf(_)) {
                format!("({rule})")
            } else {
                rule.to_string()
            }
        };
        let joined = |rules: &[Self], word: &str| {
            let each: Vec<_> = rules.iter().map(enclosed).collect();
            each.join(word)
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
            Kind::Not(rule) => write!(f, "not {}", enclosed(rule)),
        }
    }
}

impl<M> fmt::Debug for Rule<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_end_before_their_end_and_go_over_midnight() {
        let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let at = |text: &str| format!("2026-11-26T{text}Z").parse().unwrap();
        for (from, until, moment, is_inside) in [
            (8, 18, "08:00:00", true),
            (8, 18, "17:59:59", true),
            (8, 18, "18:00:00", false),
            (8, 18, "07:59:59", false),
            (22, 6, "23:00:00", true),
            (22, 6, "05:59:59", true),
            (22, 6, "06:00:00", false),
            (22, 6, "12:00:00", false),
            (8, 8, "08:00:00", false),
        ] {
            let found = is_between(time(from), time(until), at(moment));
            assert_eq!(found, is_inside, "{from}–{until} {moment}");
        }
    }
}
