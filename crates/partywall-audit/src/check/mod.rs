//! The static audit: what the catalogues say, held against the list of faults. One file for each part of it.

mod app;
mod context;
pub(crate) mod keys;
mod objects;
mod policies;
mod privileges;
mod reach;
mod report;
mod roles;
mod row_security;
mod speed;

pub use report::Report;
pub(crate) use row_security::Style;

use std::cell::OnceCell;

use tokio_postgres::Client;

use crate::{
    AuditError, Finding, Options,
    catalogue::{self, Catalogue, Oid, PUBLIC, Privilege, Relation, RelationKind},
    drift,
    sql::tidy,
    subject::Subject,
    wall::{self, Evaluations, Wall},
};

/// What the rules look at.
#[derive(Debug)]
pub(crate) struct Audit<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) subject: &'a Subject,
    pub(crate) wall: &'a Wall<'a>,
    /// What [`Audit::askers`] found.
    askers: OnceCell<Vec<Oid>>,
}

impl<'a> Audit<'a> {
    pub(crate) const fn new(
        catalogue: &'a Catalogue,
        subject: &'a Subject,
        wall: &'a Wall<'a>,
    ) -> Self {
        Self {
            catalogue,
            subject,
            wall,
            askers: OnceCell::new(),
        }
    }

    /// All that the rules find.
    pub(crate) fn findings(&'a self) -> Vec<Finding> {
        let mut found = Vec::new();
        self.find(&mut found);
        found
    }

    fn find(&'a self, found: &mut Vec<Finding>) {
        row_security::find(self, found);
        roles::find(self, found);
        policies::find(self, found);
        context::find(self, found);
        objects::find(self, found);
        keys::find(self, found);
        privileges::find(self, found);
        speed::find(self, found);
    }

    /// The roles that requests act as and that policies hold for: the application's, and those that they can
    /// become. Of a role that no policy holds for it is said once, and everything else would only say it again.
    pub(crate) fn askers(&'a self) -> &'a [Oid] {
        self.askers.get_or_init(|| self.find_askers())
    }

    fn find_askers(&'a self) -> Vec<Oid> {
        let mut roles: Vec<Oid> = app::App::bound(self)
            .iter()
            .flat_map(|app| app.guises().iter().copied())
            .collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// Those of them that may do something with a relation, or with a column of it.
    pub(crate) fn askers_of(&'a self, relation: &Relation, privileges: &[Privilege]) -> Vec<Oid> {
        self.askers()
            .iter()
            .copied()
            .filter(|role| {
                self.catalogue.may_enter(*role, relation.namespace)
                    && privileges
                        .iter()
                        .any(|privilege| self.catalogue.may_any_column(*role, relation, *privilege))
            })
            .collect()
    }

    /// The condition that a row is the tenant's, as the database's own policies say it.
    pub(crate) fn predicate(&self, relation: &Relation) -> Option<String> {
        if self.subject.compared_form(self.catalogue).is_none()
            && let Some(copied) = row_security::Style::of(self).copy(self, relation)
        {
            return Some(copied);
        }
        self.subject.predicate(self.catalogue, relation)
    }

    /// The names of roles, as SQL.
    pub(crate) fn role_list(&self, roles: &[Oid]) -> String {
        let names: Vec<String> = roles
            .iter()
            .map(|role| match *role {
                PUBLIC => "PUBLIC".to_owned(),
                role => tidy(self.catalogue.roles.name(role)),
            })
            .collect();
        names.join(", ")
    }

    /// Takes rights on a relation from everybody by whom the application has them.
    pub(crate) fn revoke(&'a self, relation: &Relation, privileges: &[Privilege]) -> String {
        let askers = self.askers();
        let mut grantees: Vec<Oid> = relation
            .grants
            .iter()
            .filter(|grant| {
                privileges.contains(&grant.privilege)
                    && askers
                        .iter()
                        .any(|role| self.catalogue.roles.has_rights_of(*role, grant.grantee))
            })
            .map(|grant| grant.grantee)
            .collect();
        grantees.sort_unstable();
        grantees.dedup();
        let words: Vec<&str> = privileges
            .iter()
            .map(|privilege| privilege.keyword())
            .collect();
        let kind = match relation.kind {
            RelationKind::Sequence => "SEQUENCE",
            RelationKind::Table
            | RelationKind::Partitioned
            | RelationKind::View
            | RelationKind::MaterializedView
            | RelationKind::Foreign
            | RelationKind::Other => "TABLE",
        };
        format!(
            "REVOKE {} ON {kind} {} FROM {};",
            words.join(", "),
            relation.name,
            self.role_list(&grantees)
        )
    }
}

/// Audits a database, without changing anything: all looks are in one read-only transaction, which is
/// rolled back.
///
/// Any login can ask; one that is a superuser, or a member of the application's roles, sees more (what
/// policies do when they are tried).
///
/// # Errors
///
/// [`AuditError`]. That something was found is none.
pub async fn check(client: &mut Client, options: &Options) -> Result<Report, AuditError> {
    let begun = catalogue::begin(client).await?;
    let report = audit(begun.client(), options).await;
    begun
        .rollback()
        .await
        .map_err(AuditError::doing("roll back"))?;
    report
}

async fn audit(client: &Client, options: &Options) -> Result<Report, AuditError> {
    let catalogue = catalogue::load(client).await?;
    let subject = Subject::of(&catalogue, options)?;
    let evaluations = wall::evaluate(client, &catalogue, &subject).await?;
    let mut found: Vec<Finding> = Vec::new();
    drift::find(client, &catalogue, &mut found).await?;
    Ok(judge(&catalogue, &subject, &evaluations, options, found))
}

/// All rules, over what was read.
fn judge(
    catalogue: &Catalogue,
    subject: &Subject,
    evaluations: &Evaluations,
    options: &Options,
    mut found: Vec<Finding>,
) -> Report {
    let wall = Wall::new(catalogue, subject, evaluations);
    let audit = Audit::new(catalogue, subject, &wall);
    audit.find(&mut found);
    let mut report = Report::new(found, subject, options);
    report
        .inferred
        .undecided
        .extend(policies::undecided(&audit));
    report
}
