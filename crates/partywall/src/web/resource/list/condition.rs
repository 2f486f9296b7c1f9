use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait as _, Value,
    sea_query::{Expr, extension::postgres::PgExpr as _},
};

use super::{
    Op,
    asked::{Asked, Filtered, Term},
};

impl<E: EntityTrait> Asked<E> {
    /// The filters and the search as a condition.
    pub(in crate::web::resource) fn condition(&self) -> Condition {
        let mut all = Condition::all();
        for filtered in &self.filters {
            all = all.add(filtered.condition());
        }
        for word in &self.words {
            let pattern = format!("%{}%", escaped(word));
            let any = self.searched.iter().fold(Condition::any(), |any, column| {
                any.add(Expr::col(column.as_column_ref()).ilike(pattern.as_str()))
            });
            all = all.add(any);
        }
        all
    }
}

impl<C: ColumnTrait> Filtered<C> {
    fn condition(&self) -> Condition {
        let column = &self.column;
        let one = || self.values.first().cloned().unwrap_or(Value::Bool(None));
        let all = Condition::all();
        match self.op {
            Op::Eq => all.add(column.eq(one())),
            Op::Ne => Condition::any().add(column.ne(one())).add(column.is_null()),
            Op::Lt => all.add(column.lt(one())),
            Op::Lte => all.add(column.lte(one())),
            Op::Gt => all.add(column.gt(one())),
            Op::Gte => all.add(column.gte(one())),
            Op::In => all.add(column.is_in(self.values.iter().cloned())),
            Op::Contains => all.add(self.like(|text| format!("%{text}%"))),
            Op::StartsWith => all.add(self.like(|text| format!("{text}%"))),
            Op::IsNull => match self.values.first() {
                Some(Value::Bool(Some(true))) => all.add(column.is_null()),
                _ => all.add(column.is_not_null()),
            },
        }
    }

    fn like(&self, pattern: impl Fn(&str) -> String) -> Expr {
        let text = match self.values.first() {
            Some(Value::String(Some(text))) => text.as_str(),
            _ => "",
        };
        Expr::col(self.column.as_column_ref()).ilike(pattern(&escaped(text)))
    }
}

/// A text that matches itself as a pattern.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

/// What comes after a row in an order, the row given by its values there; `before` turns the order
/// around.
///
/// A comparison of rows where PostgreSQL has one that means the same, since it can use an index over
/// all of the columns; spelt out otherwise.
pub(in crate::web::resource) fn beyond<C: ColumnTrait>(
    order: &[Term<C>],
    position: &[Option<Value>],
    before: bool,
) -> Condition {
    let first = order.first().is_some_and(|term| term.is_descending);
    let is_plain = order
        .iter()
        .all(|term| term.is_descending == first && !term.is_nullable && !term.typed.is_enum());
    let values: Option<Vec<Value>> = position.iter().cloned().collect();
    if let (true, Some(values)) = (is_plain, values) {
        let columns = Expr::tuple(
            order
                .iter()
                .map(|term| Expr::col(term.column.as_column_ref())),
        );
        let values = Expr::tuple(values.into_iter().map(Expr::val));
        let compared = if first == before {
            columns.gt(values)
        } else {
            columns.lt(values)
        };
        return Condition::all().add(compared);
    }
    let mut any = Condition::any();
    let mut equal = Condition::all();
    for (term, value) in order.iter().zip(position) {
        let step = match (term.is_descending == before, value) {
            // NULL is the greatest: nothing is above it, and everything else is above a value.
            (true, None) => None,
            (true, Some(value)) if term.is_nullable => Some(
                Condition::any()
                    .add(term.column.gt(value.clone()))
                    .add(term.column.is_null()),
            ),
            (true, Some(value)) => Some(Condition::all().add(term.column.gt(value.clone()))),
            (false, None) => Some(Condition::all().add(term.column.is_not_null())),
            (false, Some(value)) => Some(Condition::all().add(term.column.lt(value.clone()))),
        };
        if let Some(step) = step {
            any = any.add(equal.clone().add(step));
        }
        equal = equal.add(match value {
            None => term.column.is_null(),
            Some(value) => term.column.eq(value.clone()),
        });
    }
    if any.is_empty() {
        // Which would be no condition at all.
        any = any.add(Expr::cust("FALSE"));
    }
    any
}
