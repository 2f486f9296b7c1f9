//! Whose a row is, as SQL.

use crate::{
    catalogue::{Catalogue, Column, Relation},
    sql::{ident, literal, tidy},
    subject::{Belonging, Subject},
};

/// How many parents a row may have above it until one says whose it is.
const HIGHEST: usize = 8;

/// Asks a tenant's column something.
pub(super) type Test<'a> = &'a dyn Fn(&Column, &str) -> String;

/// What makes a row of `alias` some tenant's, by the table's own column or by its parents'.
pub(super) fn condition(
    catalogue: &Catalogue,
    subject: &Subject,
    relation: &Relation,
    alias: &str,
    test: Test<'_>,
) -> Option<String> {
    above(catalogue, subject, relation, alias, test, 0)
}

/// The column that says whose a row is. In a table of members a policy may compare the user's column, and the
/// tenant is the one that another column refers to.
pub(super) fn owner_column(subject: &Subject, relation: &Relation) -> Option<i16> {
    if subject.is_persons(relation.oid) {
        return None;
    }
    let said = subject.tenant_column(relation.oid)?;
    let name = &relation.column(said)?.name;
    let is_tenants_name = subject
        .inferred
        .tenant_columns
        .iter()
        .any(|taken| taken.value == *name);
    let (Some(root), false) = (
        subject.root,
        is_tenants_name || subject.root == Some(relation.oid),
    ) else {
        return Some(said);
    };
    let refers = |column: i16| {
        relation
            .foreign_keys()
            .find(|(own, _)| own.columns == [column])
            .map(|(_, there)| there.relation)
    };
    if refers(said) == Some(root) {
        return Some(said);
    }
    let to_root = relation
        .columns
        .iter()
        .map(|column| column.number)
        .find(|column| refers(*column) == Some(root));
    Some(to_root.unwrap_or(said))
}

fn above(
    catalogue: &Catalogue,
    subject: &Subject,
    relation: &Relation,
    alias: &str,
    test: Test<'_>,
    height: usize,
) -> Option<String> {
    match subject.belonging(relation.oid)? {
        Belonging::Root(_) | Belonging::Column(_) => {
            let column = relation.column(owner_column(subject, relation)?)?;
            Some(test(column, &format!("{alias}.{}", tidy(&column.name))))
        }
        Belonging::Parent { constraint, parent } if height < HIGHEST => {
            let parent = catalogue.relations.get(parent)?;
            let (own, there) = relation
                .foreign_keys()
                .find(|(own, _)| own.oid == *constraint)?;
            let up = format!("up{height}");
            let pairs: Option<Vec<String>> = own
                .columns
                .iter()
                .zip(&there.columns)
                .map(|(own, there)| {
                    let (own, there) = (relation.column(*own)?, parent.column(*there)?);
                    Some(format!(
                        "{up}.{} = {alias}.{}",
                        tidy(&there.name),
                        tidy(&own.name)
                    ))
                })
                .collect();
            let inner = above(catalogue, subject, parent, &up, test, height + 1)?;
            Some(format!(
                "EXISTS (SELECT 1 FROM {} AS {up} WHERE {} AND {inner})",
                parent.name,
                pairs?.join(" AND ")
            ))
        }
        Belonging::Parent { .. }
        | Belonging::Person(_)
        | Belonging::Global
        | Belonging::Undecided(_) => None,
    }
}

/// A list of values as a column's type.
fn list(column: &Column, values: &[String]) -> String {
    let values: Vec<String> = values
        .iter()
        .map(|value| {
            if is_array(column) {
                literal(value)
            } else {
                typed(column, value)
            }
        })
        .collect();
    values.join(", ")
}

pub(super) fn is_array(column: &Column) -> bool {
    column.type_category == 'A'
}

/// A value as a column's type.
pub(super) fn typed(column: &Column, value: &str) -> String {
    format!("{}::{}", literal(value), column.type_name)
}

/// The schema of a type that is not PostgreSQL's own, such as `ltree`: its operators are found there alone.
fn schema_of(column: &Column) -> Option<&str> {
    let qualified = (column.type_kind == 'b').then(|| column.type_name.rsplit_once('.'));
    Some(qualified.flatten()?.0)
}

/// The operator that a column's values are compared by.
pub(super) fn equals(column: &Column) -> String {
    schema_of(column).map_or_else(|| "=".to_owned(), |schema| format!("OPERATOR({schema}.=)"))
}

/// The row is one of these tenants'.
pub(super) fn of(column: &Column, at: &str, tenants: &[String]) -> String {
    let list = list(column, tenants);
    if is_array(column) {
        format!("{at} && ARRAY[{list}]::{}", column.type_name)
    } else if tenants.len() == 1 {
        format!("{at} {} {list}", equals(column))
    } else if let Some(schema) = schema_of(column) {
        format!("{at} OPERATOR({schema}.=) ANY (ARRAY[{list}])")
    } else {
        format!("{at} IN ({list})")
    }
}

/// The row is somebody's, and none of these tenants'.
pub(super) fn of_others(column: &Column, at: &str, tenants: &[String]) -> String {
    let list = list(column, tenants);
    if is_array(column) {
        format!(
            "(cardinality({at}) > 0 AND NOT {at} && ARRAY[{list}]::{})",
            column.type_name
        )
    } else if let Some(schema) = schema_of(column) {
        format!("NOT ({at} OPERATOR({schema}.=) ANY (ARRAY[{list}]))")
    } else if tenants.len() == 1 {
        format!("{at} <> {list}")
    } else {
        format!("{at} NOT IN ({list})")
    }
}

/// The row is nobody's.
pub(super) fn of_nobody(column: &Column, at: &str) -> String {
    if is_array(column) {
        format!("coalesce(cardinality({at}), 0) = 0")
    } else {
        format!("{at} IS NULL")
    }
}

/// What a tenant's column holds for one tenant.
pub(super) fn held(column: &Column, tenant: &str) -> String {
    if is_array(column) {
        let inner = tenant.replace('\\', "\\\\").replace('"', "\\\"");
        format!("{{\"{inner}\"}}")
    } else {
        tenant.to_owned()
    }
}

/// A table under the name that conditions know it by.
pub(super) fn from(relation: &Relation) -> String {
    format!("{} AS t", relation.name)
}

/// Names of columns, with an alias.
pub(super) fn at(alias: &str, column: &Column) -> String {
    format!("{alias}.{}", ident(&column.name))
}
