use std::collections::BTreeMap;

use super::{
    ownership::{from, held, typed},
    record::Record,
    refusal::Refusal,
    round::Round,
    words::quoted,
};
use crate::{
    AuditError,
    catalogue::{Column, Constraint, ConstraintKind, Identity, Reference, Relation, RelationKind},
    sql::tidy,
};

/// One value of a row that is to be inserted.
#[derive(Clone, Debug)]
pub(super) struct Filled {
    pub(super) value: Option<String>,
    /// Whether it was taken from a row that is there: not to be shown.
    copied: bool,
}

/// A row that is to be inserted.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) cells: BTreeMap<i16, Filled>,
}

/// How rows of a table are made up so that its constraints let them in. What a try teaches is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Recipe {
    base: Option<Record>,
    hints: BTreeMap<i16, String>,
    tried: Vec<String>,
    /// Whether it has to refer to rows that nothing refers to yet.
    fresh_parents: bool,
}

impl Recipe {
    /// The recipe to begin with: a row of a partitioned table has to fit one of its partitions.
    pub(super) async fn of(round: &Round<'_>, relation: &Relation) -> Result<Self, AuditError> {
        let mut recipe = Self::default();
        if relation.kind != RelationKind::Partitioned {
            return Ok(recipe);
        }
        let sql = format!(
            "SELECT (p.partattrs::int2[])[0]::text, pg_get_expr(c.relpartbound, c.oid) \
             FROM pg_partitioned_table p JOIN pg_inherits i ON i.inhparent = p.partrelid \
             JOIN pg_class c ON c.oid = i.inhrelid WHERE p.partrelid = {} ORDER BY c.relname LIMIT 1",
            relation.oid
        );
        let answer = round.look(&sql).await?.unwrap_or_default();
        if let Some([Some(column), Some(bound)]) = answer.rows.first().map(Vec::as_slice)
            && let (Ok(column), Some(value)) = (column.parse(), quoted(bound).into_iter().next())
            && !bound.contains("modulus")
        {
            recipe.hints.insert(column, value);
        }
        Ok(recipe)
    }

    /// Learns from a refusal. Whether there is something else to try.
    pub(super) fn learn(
        &mut self,
        relation: &Relation,
        refusal: &Refusal,
        rows: &[&Record],
    ) -> bool {
        // A key of nothing but references: it takes rows that are not linked yet.
        let linked = relation.indexes.iter().any(|index| {
            Some(&index.name) == refusal.constraint.as_ref()
                && index.columns.iter().all(|it| {
                    it.column.is_some_and(|column| {
                        relation
                            .foreign_keys()
                            .any(|(own, _)| own.columns.contains(&column))
                    })
                })
        });
        if linked && !self.fresh_parents {
            self.fresh_parents = true;
            return true;
        }
        let check = relation.constraints.iter().find(|constraint| {
            constraint.kind == ConstraintKind::Check
                && Some(&constraint.name) == refusal.constraint.as_ref()
                && !self.tried.contains(&constraint.name)
        });
        if let Some(check) = check {
            self.tried.push(check.name.clone());
            let texts = quoted(&check.definition);
            let mut found = false;
            for column in check.columns.iter().filter_map(|it| relation.column(*it)) {
                let hint = if column.type_category == 'N' {
                    Some("1")
                } else {
                    texts.iter().next().map(String::as_str)
                };
                if let Some(hint) = hint {
                    self.hints.insert(column.number, hint.to_owned());
                    found = true;
                }
            }
            if found {
                return true;
            }
        }
        if self.base.is_none()
            && let Some(base) = rows.first()
        {
            self.base = Some((*base).clone());
            return true;
        }
        false
    }
}

impl Draft {
    pub(super) fn set(&mut self, column: i16, value: Option<String>) {
        self.cells.insert(
            column,
            Filled {
                value,
                copied: false,
            },
        );
    }

    pub(super) fn value(&self, column: i16) -> Option<&str> {
        self.cells.get(&column)?.value.as_deref()
    }

    /// The INSERT, as it is sent and as it is shown, with the columns that somebody may write.
    pub(super) fn insert(
        &self,
        relation: &Relation,
        may: &dyn Fn(&Column) -> bool,
    ) -> (String, String) {
        let columns: Vec<(&Column, &Filled)> = relation
            .columns
            .iter()
            .filter(|column| !column.generated && may(column))
            .filter_map(|column| Some((column, self.cells.get(&column.number)?)))
            .collect();
        let text = |shown: bool| {
            if columns.is_empty() {
                return format!("INSERT INTO {} DEFAULT VALUES", relation.name);
            }
            let names: Vec<String> = columns.iter().map(|(it, _)| tidy(&it.name)).collect();
            let values: Vec<String> = columns
                .iter()
                .map(|(column, filled)| match &filled.value {
                    None => "NULL".to_owned(),
                    Some(_) if shown && filled.copied => "/* as in an own row */".to_owned(),
                    Some(value) => typed(column, value),
                })
                .collect();
            let overriding = if columns
                .iter()
                .any(|(column, _)| column.identity == Identity::Always)
            {
                "OVERRIDING SYSTEM VALUE "
            } else {
                ""
            };
            format!(
                "INSERT INTO {} ({}) {overriding}VALUES ({})",
                relation.name,
                names.join(", "),
                values.join(", ")
            )
        };
        (text(false), text(true))
    }
}

/// Which columns of a table must not have the same values twice, but for the tenant's.
pub(super) fn unique_columns(relation: &Relation, tenant: Option<i16>) -> Vec<Vec<i16>> {
    relation
        .indexes
        .iter()
        .filter(|index| index.unique || index.exclusion)
        .map(|index| {
            index
                .columns
                .iter()
                .filter_map(|it| it.column)
                .filter(|column| Some(*column) != tenant)
                .collect()
        })
        .collect()
}

/// Writes a row of a tenant's, or of nobody's, that refers to rows of its own.
///
/// # Errors
///
/// Why it cannot be written, in the inner result.
pub(super) async fn draft(
    round: &Round<'_>,
    relation: &Relation,
    tenant: Option<&str>,
    recipe: &Recipe,
    number: u32,
    depth: u32,
) -> Result<Result<Draft, String>, AuditError> {
    draft_with(
        round,
        relation,
        tenant,
        recipe,
        number,
        depth,
        &BTreeMap::new(),
    )
    .await
}

/// As [`draft`], with some of its values.
pub(super) async fn draft_with(
    round: &Round<'_>,
    relation: &Relation,
    tenant: Option<&str>,
    recipe: &Recipe,
    number: u32,
    depth: u32,
    preset: &BTreeMap<i16, String>,
) -> Result<Result<Draft, String>, AuditError> {
    let stage = round.stage;
    let tenant_column = super::ownership::owner_column(stage.subject, relation);
    let mut draft = Draft::default();
    if let Some(column) = tenant_column.and_then(|it| relation.column(it)) {
        draft.set(column.number, tenant.map(|tenant| held(column, tenant)));
    }
    for (column, value) in preset {
        draft.set(*column, Some(value.clone()));
    }
    for (own, there) in relation.foreign_keys() {
        let fresh = (depth, recipe.fresh_parents);
        let parent = parent(round, relation, tenant, (own, there), &draft, fresh).await?;
        match parent {
            Ok(values) => {
                for (column, value) in own.columns.iter().zip(values) {
                    draft.cells.entry(*column).or_insert(Filled {
                        value,
                        copied: false,
                    });
                }
            }
            Err(why) => return Ok(Err(why)),
        }
    }
    let unique = unique_columns(relation, tenant_column);
    let referring: Vec<i16> = relation
        .foreign_keys()
        .flat_map(|(own, _)| own.columns.iter().copied())
        .collect();
    let seed = format!("{}.{}", relation.name, tenant.unwrap_or_default());
    for column in &relation.columns {
        if column.generated || draft.cells.contains_key(&column.number) {
            continue;
        }
        let fresh = !referring.contains(&column.number)
            && unique.iter().any(|index| index.contains(&column.number));
        let made = stage.types.make(column, &seed, number);
        // A new row has what the table gives it, and nothing where it may: a time in `deleted_at` would hide it.
        let is_plain = column
            .default
            .as_ref()
            .is_some_and(|default| !default.contains('('));
        let is_bare = !fresh && !recipe.hints.contains_key(&column.number) && recipe.base.is_none();
        if is_bare && is_plain {
            continue;
        }
        if is_bare && !column.not_null && column.default.is_none() {
            draft.set(column.number, None);
            continue;
        }
        let base = recipe
            .base
            .as_ref()
            .and_then(|it| it.values.get(&column.number));
        let filled = match (base, recipe.hints.get(&column.number)) {
            (_, Some(hint)) => Filled {
                value: Some(hint.clone()),
                copied: false,
            },
            (Some(Some(base)), None) if fresh && column.type_category == 'S' => Filled {
                // What a check asks of a text is often its end.
                value: Some(format!("pw{number}{base}")),
                copied: true,
            },
            (Some(base), None) if !fresh || made.is_none() => Filled {
                value: base.clone(),
                copied: true,
            },
            _ if made.is_some() || !column.not_null => Filled {
                value: made,
                copied: false,
            },
            _ if column
                .default
                .as_ref()
                .is_some_and(|it| !it.contains("nextval")) =>
            {
                continue;
            }
            _ => {
                return Ok(Err(format!(
                    "no value of type {} can be made up for `{}`",
                    column.type_name, column.name
                )));
            }
        };
        draft.cells.insert(column.number, filled);
    }
    Ok(Ok(draft))
}

/// The key of a row that a new one can refer to, of the same tenant where the parent is tenants'.
async fn parent(
    round: &Round<'_>,
    relation: &Relation,
    tenant: Option<&str>,
    (own, there): (&Constraint, &Reference),
    draft: &Draft,
    (depth, fresh): (u32, bool),
) -> Result<Result<Vec<Option<String>>, String>, AuditError> {
    let stage = round.stage;
    let columns: Vec<&Column> = own
        .columns
        .iter()
        .filter_map(|it| relation.column(*it))
        .collect();
    let tenant_column = super::ownership::owner_column(stage.subject, relation);
    let optional = columns
        .iter()
        .any(|column| !column.not_null && Some(column.number) != tenant_column);
    let nothing = || vec![None; own.columns.len()];
    let Some(above) = stage.catalogue.relations.get(&there.relation) else {
        return Ok(Err(
            "a foreign key refers to a table that is not known".to_owned()
        ));
    };
    if (above.oid == relation.oid || tenant.is_none()) && optional {
        return Ok(Ok(nothing()));
    }
    let mut conditions = Vec::new();
    if let (Some(tenant), true) = (tenant, stage.subject.is_tenants(above.oid)) {
        conditions.extend(stage.owned_by(above, tenant));
    }
    for (column, key) in own.columns.iter().zip(&there.columns) {
        if let (Some(value), Some(key)) = (draft.value(*column), above.column(*key)) {
            conditions.push(format!("t.{} = {}", tidy(&key.name), typed(key, value)));
        }
    }
    // A row that nobody refers to yet, where only one may.
    let single = unique_columns(relation, tenant_column)
        .iter()
        .any(|index| !index.is_empty() && index.iter().all(|column| own.columns.contains(column)));
    if single {
        let pairs: Vec<String> = columns
            .iter()
            .zip(there.columns.iter().filter_map(|it| above.column(*it)))
            .map(|(own, key)| format!("child.{} = t.{}", tidy(&own.name), tidy(&key.name)))
            .collect();
        conditions.push(format!(
            "NOT EXISTS (SELECT 1 FROM {} AS child WHERE {})",
            relation.name,
            pairs.join(" AND ")
        ));
    }
    let keys: Vec<String> = there
        .columns
        .iter()
        .filter_map(|it| above.column(*it))
        .map(|column| format!("t.{}::text", tidy(&column.name)))
        .collect();
    let condition = match conditions.is_empty() {
        true => "true".to_owned(),
        false => conditions.join(" AND "),
    };
    let order = if above.rows < super::record::MANY {
        format!("ORDER BY {}", keys.join(", "))
    } else {
        String::new()
    };
    let sql = format!(
        "SELECT {} FROM {} WHERE {condition} {order} LIMIT 1",
        keys.join(", "),
        from(above)
    );
    let mut found = round.look(&sql).await?;
    let preset: BTreeMap<i16, String> = own
        .columns
        .iter()
        .zip(&there.columns)
        .filter_map(|(column, key)| Some((*key, draft.value(*column)?.to_owned())))
        .collect();
    let fresh =
        fresh && preset.len() < there.columns.len() && round.stage.subject.root != Some(above.oid);
    let missing = matches!(&found, Ok(answer) if answer.rows.is_empty());
    if (missing || fresh) && round.can_make() && depth < 6 {
        let number = round.next_number();
        let made = Box::pin(super::make::make_with(
            round,
            above,
            tenant,
            number,
            depth + 1,
            &preset,
        ))
        .await?;
        match made {
            Ok(made) if fresh => {
                return Ok(Ok(there
                    .columns
                    .iter()
                    .map(|key| made.value(*key).map(str::to_owned))
                    .collect()));
            }
            Ok(_) => found = round.look(&sql).await?,
            Err(_) if optional => return Ok(Ok(nothing())),
            Err(why) => return Ok(Err(format!("{}: {why}", above.name))),
        }
    }
    Ok(match found {
        Ok(answer) => match answer.rows.into_iter().next() {
            Some(row) => Ok(row),
            None if optional => Ok(nothing()),
            None => Err(format!("{} has no row to refer to", above.name)),
        },
        Err(refusal) => Err(format!("{}: {refusal}", above.name)),
    })
}
