use sea_orm::ColumnTrait as _;
use utoipa::openapi::{
    ObjectBuilder, Required, Type,
    path::{Parameter, ParameterBuilder, ParameterIn},
};

use super::{
    super::{Resource, typed::Typed},
    Op,
};

/// The query of a list, for the document that describes the routes.
pub(in crate::web::resource) fn query_parameters<R: Resource>() -> Vec<Parameter> {
    let list = R::list();
    let mut all = Vec::new();
    for filter in &list.filters {
        let typed = Typed::of(filter.column.def().get_column_type());
        let value = typed.as_ref().map(Typed::describe).unwrap_or_default();
        for op in &filter.ops {
            let about = match op {
                Op::In => format!("One of several, with commas between them. Each is {value}."),
                Op::IsNull => "Whether there is none: `true` or `false`.".to_owned(),
                Op::Eq
                | Op::Ne
                | Op::Lt
                | Op::Lte
                | Op::Gt
                | Op::Gte
                | Op::Contains
                | Op::StartsWith => format!("{value}."),
            };
            all.push(parameter(&op.parameter(filter.name), &about, Type::String));
        }
    }
    if !list.search.is_empty() {
        let about = "Words that each row has, whatever their case.";
        all.push(parameter("search", about, Type::String));
    }
    let names: Vec<&str> = list.sorts.iter().map(|sort| sort.name).collect();
    if !names.is_empty() {
        let about = format!(
            "Names with commas between them, each with `-` before it to turn it around: `{}`.",
            names.join("`, `")
        );
        all.push(parameter("sort", &about, Type::String));
    }
    let about = format!("Rows in a page, from 1 to {}.", list.max_limit);
    all.push(parameter("limit", &about, Type::Integer));
    let about = "`next` or `prev` of another page of the same query.";
    all.push(parameter("cursor", about, Type::String));
    let about = "Whether to tell how many rows the whole list has.";
    all.push(parameter("count", about, Type::Boolean));
    let about = "Fields to show, with commas between them.";
    all.push(parameter("fields", about, Type::String));
    let about = "`json` for a page, `csv` or `jsonl` for the whole list.";
    all.push(parameter("format", about, Type::String));
    all
}

fn parameter(name: &str, about: &str, kind: Type) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
        .build()
}
