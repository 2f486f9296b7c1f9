use std::collections::BTreeSet;

use serde::Serialize;
use tokio_postgres::Client;

use super::{
    Extras, Map, Note, Outline, Phase, Step, Violation, broken,
    outline::{Belongs, Table},
    shape::{Part, Shape},
    steps,
};
use crate::{
    AuditError, Inferred, Options, catalogue,
    check::Audit,
    sql::Name,
    subject::{Subject, must_be_a_setting},
    wall::{self, Wall},
};

/// What is to be done.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// What belongs to whom, for review.
    pub map: Map,
    /// In order; those whose effect is there already are left out.
    pub steps: Vec<Step>,
    /// What has to be mended by hand first.
    pub violations: Vec<Violation>,
    /// What is left to people, whether or not the plan is applied.
    pub notes: Vec<Note>,
    /// What was inferred, and why.
    pub inferred: Inferred,
    /// What the plan was made for.
    #[serde(skip)]
    pub(super) shape: Shape,
    /// What of it the steps change, those of later phases too.
    #[serde(skip)]
    pub(super) touched: BTreeSet<(Name, Part)>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.steps.is_empty()
    }

    /// The plan up to a phase: after `plan.up_to(Phase::Expand)` an application goes on without a change, if it
    /// needs no rights but those to read and write rows.
    #[must_use]
    pub fn up_to(mut self, phase: Phase) -> Self {
        self.steps.retain(|step| step.phase <= phase);
        self
    }
}

/// Plans: finds the tenant root, classifies every table and writes the steps. A map that was reviewed takes
/// the place of what would be inferred, and what it does not say is inferred.
///
/// Nothing is changed: all looks are in one read-only transaction. Rows are counted past all policies, so the
/// login must be one that reads them: otherwise this is an error, and not a wrong count.
///
/// # Errors
///
/// [`AuditError`]; [`AuditError::Map`] names the entry of the map that the database contradicts.
pub async fn plan(
    client: &mut Client,
    options: &Options,
    reviewed: Option<&Map>,
) -> Result<Plan, AuditError> {
    let begun = catalogue::begin(client).await?;
    begun
        .batch_execute("SET LOCAL row_security = off")
        .await
        .map_err(AuditError::doing("begin"))?;
    let plan = make(begun.client(), options, reviewed).await;
    begun
        .rollback()
        .await
        .map_err(AuditError::doing("roll back"))?;
    plan
}

async fn make(
    client: &Client,
    options: &Options,
    reviewed: Option<&Map>,
) -> Result<Plan, AuditError> {
    let catalogue = catalogue::load(client).await?;
    let extras = Extras::load(client).await?;
    let map = together(options, reviewed);
    for name in &map.tenant.contexts {
        must_be_a_setting(name)?;
    }
    let known = Options {
        schemas: options.schemas.clone(),
        // Those that are to be made are not there yet.
        app_roles: map
            .roles
            .app
            .iter()
            .filter(|name| catalogue.roles.named(name).is_some())
            .cloned()
            .collect(),
        // One that no policy reads yet, and a column that no table has, are no mistakes in a plan.
        contexts: Vec::new(),
        tenant_columns: map
            .tenant
            .columns
            .iter()
            .filter(|name| {
                catalogue
                    .relations
                    .values()
                    .any(|it| it.column_named(name).is_some())
            })
            .cloned()
            .collect(),
        globals: map.options().globals,
        ..options.clone()
    };
    let subject = Subject::of(&catalogue, &known)?;
    let evaluations = wall::evaluate(client, &catalogue, &subject).await?;
    let wall = Wall::new(&catalogue, &subject, &evaluations);
    let drafted = draft(&Audit::new(&catalogue, &subject, &wall), &extras, &map)?;
    // It looks things up once and cannot be shared, so it ends before what follows waits.
    drop(wall);
    let mut violations = drafted.violations;
    violations.extend(broken::count(client, drafted.queries).await?);
    let steps = left(client, drafted.steps).await?;
    let shape = Shape::read(client).await?;
    let touched = steps
        .iter()
        .flat_map(|step| step.touches.iter().cloned())
        .collect();
    Ok(Plan {
        map: drafted.map,
        steps,
        violations,
        notes: drafted.notes,
        inferred: subject.inferred.clone(),
        shape,
        touched,
    })
}

/// What the catalogues alone say.
struct Drafted {
    map: Map,
    /// Those whose effect is there already among them.
    steps: Vec<Step>,
    violations: Vec<Violation>,
    queries: Vec<broken::Query>,
    notes: Vec<Note>,
}

fn draft(audit: &Audit<'_>, extras: &Extras, map: &Map) -> Result<Drafted, AuditError> {
    let (catalogue, subject) = (audit.catalogue, audit.subject);
    let outline = Outline::of(audit, extras, map)?;
    let (steps, mut notes) = steps::all(&outline);
    notes.extend(undecided(&outline));
    if outline.tenants().next().is_none() {
        notes.push(Note::new(
            "the database",
            "no table was found whose rows are tenants': say in the map which table the tenants are in (tenant.table, tenant.key)",
        ));
    }
    let is_told = !map.roles.app.is_empty();
    let admins = subject
        .app_roles
        .iter()
        .filter(|oid| !is_told && catalogue.roles.is_superuser(**oid));
    notes.extend(admins.map(|oid| {
        let name = crate::sql::tidy(catalogue.roles.name(*oid));
        Note::new(
            format!("role {name}"),
            "is a superuser, for whom no policy holds: the application has to connect as its own role from the second phase on",
        )
    }));
    notes.sort();
    Ok(Drafted {
        map: outline.map(map),
        steps,
        violations: broken::roles(&outline),
        queries: broken::queries(&outline),
        notes,
    })
}

/// What is asked for, in the form of a map: the reviewed one, and what options say beyond it.
fn together(options: &Options, reviewed: Option<&Map>) -> Map {
    let mut map = reviewed.cloned().unwrap_or_default();
    let fill = |into: &mut Vec<String>, from: &Vec<String>| {
        if into.is_empty() {
            into.clone_from(from);
        }
    };
    fill(&mut map.tenant.columns, &options.tenant_columns);
    fill(&mut map.tenant.contexts, &options.contexts);
    fill(&mut map.roles.app, &options.app_roles);
    for name in &options.globals {
        map.tables
            .entry(name.clone())
            .or_insert_with(|| super::TableMap::Global("said to be".to_owned()));
    }
    map
}

fn undecided(outline: &Outline<'_>) -> impl Iterator<Item = Note> {
    outline
        .tables()
        .filter(|table| match table.belongs {
            Belongs::Undecided => true,
            Belongs::Person => !table.relation.row_security || outline.faults.opens(table.name()),
            Belongs::Root | Belongs::Own | Belongs::Path(_) | Belongs::Global => false,
        })
        .map(|table| {
            Note::new(
                table.name().to_string(),
                format!("left alone: {}", table.reason),
            )
        })
}

/// The steps whose effect is not there yet.
async fn left(client: &Client, steps: Vec<Step>) -> Result<Vec<Step>, AuditError> {
    let mut left = Vec::with_capacity(steps.len());
    let mut steps = steps.into_iter().peekable();
    while steps.peek().is_some() {
        let some: Vec<Step> = steps.by_ref().take(100).collect();
        let conditions: Vec<String> = some
            .iter()
            .map(|step| format!("coalesce(({}), false)", step.done))
            .collect();
        let row = client
            .query_one(&format!("SELECT ARRAY[{}]", conditions.join(",\n")), &[])
            .await
            .map_err(AuditError::doing("find out which steps are done"))?;
        let done: Vec<bool> = row
            .try_get(0)
            .map_err(AuditError::doing("find out which steps are done"))?;
        left.extend(
            some.into_iter()
                .zip(done)
                .filter(|(_, done)| !done)
                .map(|(step, _)| step),
        );
    }
    Ok(left)
}

impl Outline<'_> {
    /// The map that the plan was made by, whole.
    fn map(&self, reviewed: &Map) -> Map {
        let mut map = Map::new();
        if let Some(root) = self.root.and_then(|root| self.table(root)) {
            map.tenant.table = Some(root.name().to_string());
            map.tenant.key = root.tenant.as_ref().map(|key| key.name.clone());
        }
        map.tenant.columns.clone_from(&reviewed.tenant.columns);
        if map.tenant.columns.is_empty() {
            map.tenant.columns.push(self.column.clone());
            let mut others: Vec<String> = self
                .tenants()
                .filter(|(table, _)| table.belongs != Belongs::Root)
                .map(|(_, tenant)| tenant.name.clone())
                .filter(|name| *name != self.column)
                .collect();
            others.sort();
            others.dedup();
            map.tenant.columns.extend(others);
        }
        map.tenant.contexts.clone_from(&reviewed.tenant.contexts);
        if map.tenant.contexts.is_empty() {
            map.tenant.contexts.push(self.context.clone());
        }
        map.roles.owner = Some(self.owner.name.clone());
        map.roles.app = self.apps.iter().map(|app| app.name.clone()).collect();
        let said = |table: &&Table<'_>| table.belongs != Belongs::Person;
        for table in self.tables().filter(said) {
            let remark = match table.belongs {
                Belongs::Root | Belongs::Own | Belongs::Path(_) => table.reason.clone(),
                Belongs::Global | Belongs::Person | Belongs::Undecided => String::new(),
            };
            map = map.table(table.name().to_string(), table.entry(), remark);
        }
        map
    }
}
