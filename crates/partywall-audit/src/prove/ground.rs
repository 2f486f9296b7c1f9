use super::{
    make::{make, make_with},
    ownership::from,
    record::{Record, at_places, records},
    round::Round,
};
use crate::{
    AuditError,
    catalogue::{Column, Privilege, Relation},
    sql::tidy,
};

/// How many of others' rows are watched.
const WITNESSES: u32 = 200;

/// How many rows are counted, at most.
pub(super) const MOST: u64 = 100_000;

/// A table that is attacked, with rows of both tenants in it.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) relation: &'a Relation,
    /// The row `t` is the attacker's. For whoever sees all rows.
    pub(super) own: String,
    /// The row `t` is another tenant's.
    pub(super) foreign: String,
    /// The row `t` is the attacker's or nobody's.
    pub(super) visible: String,
    /// As [`Ground::own`], in columns that the role may read.
    pub(super) seen_own: String,
    /// As [`Ground::foreign`], in columns that the role may read.
    pub(super) seen_foreign: String,
    /// The row `t` is the victim's, in columns that the role may read.
    pub(super) seen_victim: String,
    /// The row `t` is any tenant's, in columns that the role may read.
    pub(super) seen_any: String,
    pub(super) own_row: Record,
    pub(super) victim_row: Record,
    /// Rows that are not the attacker's, which nothing of what it writes may touch.
    pub(super) bystanders: Vec<Record>,
    /// Whether rows had to be made up.
    pub(super) made_up: bool,
    /// The column that says whose a row is.
    pub(super) tenant: Option<&'a Column>,
}

impl<'a> Ground<'a> {
    /// Finds rows of both tenants, or makes some up.
    ///
    /// # Errors
    ///
    /// Why there are none, in the inner result.
    pub(super) async fn prepare(
        round: &Round<'a>,
        relation: &'a Relation,
    ) -> Result<Result<Self, String>, AuditError> {
        let stage = round.stage;
        let (Some(own), Some(foreign), Some(visible)) = (
            stage.own(relation),
            stage.foreign(relation),
            stage.visible(relation),
        ) else {
            return Ok(Err("it cannot be told whose its rows are".to_owned()));
        };
        let mut made_up = members(round).await?;
        // Of these no rows can be made up, and another server may show none to the administrator.
        let is_given = !relation.is_table();
        let own_row = match first(round, relation, &own).await? {
            Ok(Some(row)) => row,
            Ok(None) | Err(_) if is_given => Record::default(),
            Ok(None) => {
                made_up = true;
                match made(round, relation, stage.attacker.tenant(), &own).await? {
                    Ok(row) => row,
                    Err(why) => return Ok(Err(format!("the attacker has no row: {why}"))),
                }
            }
            Err(why) => return Ok(Err(why)),
        };
        let theirs = stage
            .owned_by(relation, stage.victim.tenant())
            .unwrap_or_else(|| foreign.clone());
        let mut theirs_row = match first(round, relation, &theirs).await? {
            Ok(None) | Err(_) if is_given => Some(Record::default()),
            Ok(row) => row,
            Err(why) => return Ok(Err(why)),
        };
        if theirs_row.is_none() && !round.can_make() {
            theirs_row = match first(round, relation, &foreign).await? {
                Ok(row) => row,
                Err(why) => return Ok(Err(why)),
            };
        }
        let victim_row = match theirs_row {
            Some(row) => row,
            None => {
                made_up = true;
                match made(round, relation, stage.victim.tenant(), &theirs).await? {
                    Ok(row) => row,
                    Err(why) => return Ok(Err(format!("the victim has no row: {why}"))),
                }
            }
        };
        let witnesses = match records(round, relation, &foreign, WITNESSES).await? {
            Ok(rows) => rows,
            Err(_) if is_given => Vec::new(),
            Err(refusal) => return Ok(Err(refusal.to_string())),
        };
        let tenant = super::ownership::owner_column(stage.subject, relation)
            .and_then(|it| relation.column(it));
        let nobodys = stage
            .nobodys(relation)
            .unwrap_or_else(|| "false".to_owned());
        let nobodys = format!("({nobodys}) AND ({own}) IS NOT TRUE");
        let mut bystanders = records(round, relation, &nobodys, WITNESSES)
            .await?
            .unwrap_or_default();
        // Whether rows of nobody's can be written is asked also where there are none yet.
        if bystanders.is_empty()
            && relation.is_table()
            && tenant.is_some_and(|column| !column.not_null)
            && round.can_make()
            && make(round, relation, None, 2, 0).await?.is_ok()
        {
            bystanders = records(round, relation, &nobodys, WITNESSES)
                .await?
                .unwrap_or_default();
        }
        bystanders.extend(witnesses.iter().cloned());
        let reads = |column: i16| stage.may_read(round.role, relation, column);
        let by = |rows: &[Record]| seen(relation, rows, &reads);
        let (seen_own, seen_foreign, seen_victim) = match tenant {
            Some(column) if reads(column.number) => (own.clone(), foreign.clone(), theirs),
            _ => (
                by(std::slice::from_ref(&own_row)),
                by(if witnesses.is_empty() {
                    std::slice::from_ref(&victim_row)
                } else {
                    &witnesses
                }),
                by(std::slice::from_ref(&victim_row)),
            ),
        };
        let seen_any = match tenant {
            Some(column) if reads(column.number) => stage.anybody(relation),
            _ => None,
        };
        let seen_any = seen_any.unwrap_or_else(|| format!("({seen_own} OR {seen_foreign})"));
        Ok(Ok(Self {
            relation,
            own,
            foreign,
            visible,
            seen_own,
            seen_foreign,
            seen_victim,
            seen_any,
            own_row,
            victim_row,
            bystanders,
            made_up,
            tenant,
        }))
    }

    /// The row `t` is one of those that are not the attacker's.
    pub(super) fn watched(&self) -> Option<String> {
        at_places(self.bystanders.iter().chain([&self.victim_row]))
    }

    /// Counts rows, and not more than enough.
    pub(super) fn count(&self, condition: &str) -> String {
        count(&from(self.relation), condition)
    }

    /// Whether the table is too big to be read or written as a whole.
    pub(super) fn is_big(&self) -> bool {
        self.relation.rows > super::record::MANY
    }

    /// How many rows the attacker owns, as the administrator counts them.
    pub(super) async fn count_as_admin(
        &self,
        round: &Round<'_>,
        condition: &str,
    ) -> Result<Option<u64>, AuditError> {
        let answer = round.look(&self.count(condition)).await?;
        Ok(answer.ok().map(|answer| answer.count()))
    }

    /// Whether the role lacks a privilege on the whole table and on each column.
    pub(super) fn lacks(&self, round: &Round<'_>, privilege: Privilege) -> bool {
        !round.stage.may(round.role, self.relation, privilege)
    }
}

/// Counts rows of something that is called `t`, and not more than enough.
pub(super) fn count(from: &str, condition: &str) -> String {
    format!(
        "SELECT count(*) FROM (SELECT 1 FROM {from} WHERE {condition} LIMIT {}) AS found",
        MOST + 1
    )
}

/// Makes sure of the rows that the parties' contexts hang on. Whether some had to be made up.
async fn members(round: &Round<'_>) -> Result<bool, AuditError> {
    let stage = round.stage;
    let mut made_up = false;
    for member in stage.members.iter().filter(|_| round.can_make()) {
        let Some(table) = stage.catalogue.relations.get(&member.table) else {
            continue;
        };
        for (tenant, values) in &member.rows {
            let is: Vec<String> = values
                .iter()
                .filter_map(|(column, value)| {
                    let column = table.column(*column)?;
                    let value = super::ownership::typed(column, value);
                    Some(format!("t.{} = {value}", tidy(&column.name)))
                })
                .collect();
            let known = round.look(&count(&from(table), &is.join(" AND "))).await?;
            if matches!(known, Ok(answer) if answer.count() == 0) {
                let number = round.next_number();
                made_up |= make_with(round, table, Some(tenant), number, 0, values)
                    .await?
                    .is_ok();
            }
        }
    }
    Ok(made_up)
}

async fn first(
    round: &Round<'_>,
    relation: &Relation,
    condition: &str,
) -> Result<Result<Option<Record>, String>, AuditError> {
    Ok(match records(round, relation, condition, 1).await? {
        Ok(rows) => Ok(rows.into_iter().next()),
        Err(refusal) => Err(format!("its rows cannot be sampled: {refusal}")),
    })
}

async fn made(
    round: &Round<'_>,
    relation: &Relation,
    tenant: &str,
    condition: &str,
) -> Result<Result<Record, String>, AuditError> {
    if let Err(why) = make(round, relation, Some(tenant), 1, 0).await? {
        return Ok(Err(why));
    }
    Ok(match first(round, relation, condition).await? {
        Ok(Some(row)) => Ok(row),
        Ok(None) => Err("a row that was made up is not there".to_owned()),
        Err(why) => Err(why),
    })
}

/// The row `t` is one of these, in columns that the role may read: the primary key, or the place.
fn seen(relation: &Relation, rows: &[Record], reads: &dyn Fn(i16) -> bool) -> String {
    let key = relation
        .primary_key()
        .filter(|key| key.iter().all(|column| reads(*column)));
    let by_key = key.and_then(|key| {
        let names: Option<Vec<String>> = key
            .iter()
            .map(|it| Some(format!("t.{}", tidy(&relation.column(*it)?.name))))
            .collect();
        let keys: Option<Vec<String>> = rows
            .iter()
            .map(|row| {
                let values: Option<Vec<String>> = key
                    .iter()
                    .map(|it| {
                        Some(super::ownership::typed(
                            relation.column(*it)?,
                            row.value(*it)?,
                        ))
                    })
                    .collect();
                Some(format!("({})", values?.join(", ")))
            })
            .collect();
        Some(format!("({}) IN ({})", names?.join(", "), keys?.join(", ")))
    });
    by_key
        .or_else(|| at_places(rows))
        .unwrap_or_else(|| "false".to_owned())
}
