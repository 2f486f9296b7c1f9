//! The attacks, one function each. What may be tried is decided here, and nowhere else.

mod beside;
mod calling;
mod contexts;
mod inserting;
mod interference;
mod keys;
mod reading;
mod rights;
mod sources;
mod through;
pub(super) mod tricks;
mod trusted;
mod views;
mod writing;

use super::{
    Attack, Outcome, fresh::Fresh, ground::Ground, round::Round, stage::Stage, verdict::Verdict,
};
use crate::{
    AuditError,
    catalogue::{Privilege, Relation, RelationKind},
};
use inserting::Control;

/// What the attacks of one round share.
#[derive(Default)]
pub(super) struct Shared {
    /// How an own row was inserted, once it was.
    inserted: Option<Control>,
    /// Whether a plain read reached others' rows.
    open: bool,
}

impl Shared {
    /// Says what a plain read came to, where it ran elsewhere.
    pub(super) const fn open(&mut self, open: bool) {
        self.open = open;
    }
}

impl Attack {
    const fn writes(self) -> bool {
        matches!(
            self,
            Self::Update
                | Self::Delete
                | Self::Insert
                | Self::Move
                | Self::Reference
                | Self::Collide
                | Self::Upsert
                | Self::SelfGrant
                | Self::Cascade
                | Self::SideEffect
        )
    }

    /// Whether it is for tables alone, and not for materialized views and foreign tables.
    const fn wants_table(self) -> bool {
        self.writes()
            || matches!(
                self,
                Self::Truncate | Self::Trigger | Self::Alter | Self::Sequence | Self::Partition
            )
    }

    /// Whether it makes something in the database, if only until it is rolled back.
    const fn makes(self) -> bool {
        self.writes() || matches!(self, Self::Shadow | Self::Peek)
    }

    /// Whether the administrator has to have its hand in the attacker's transaction.
    pub(super) const fn wants_hand(self) -> bool {
        matches!(self, Self::View | Self::Function)
    }

    /// Whether it reads rows, or adds some.
    const fn is_of_rows(self) -> bool {
        matches!(
            self,
            Self::Read
                | Self::Count
                | Self::Join
                | Self::Insert
                | Self::View
                | Self::Function
                | Self::Partition
                | Self::NoContext
                | Self::EmptyContext
                | Self::MalformedContext
        )
    }

    /// Whether it says nothing where a plain read reaches others' rows already.
    const fn is_beyond_reading(self) -> bool {
        matches!(
            self,
            Self::Pattern
                | Self::OtherCase
                | Self::StaleContext
                | Self::Flag
                | Self::Prepared
                | Self::Shadow
                | Self::SelfGrant
                | Self::Peek
        )
    }
}

/// Why an attack is not run: something of what it sets off would stay.
fn harmful(stage: &Stage<'_>, relation: &Relation, attack: Attack) -> Option<String> {
    let makes = matches!(attack, Attack::Shadow | Attack::Peek)
        || (stage.how.intrusive && matches!(attack, Attack::Trigger | Attack::Alter));
    if attack.writes() {
        stage.harm.changing(relation)
    } else if attack == Attack::Truncate && stage.how.intrusive {
        stage.harm.truncating(relation)
    } else if makes {
        stage.harm.making()
    } else {
        None
    }
}

/// Whether a table is the tenants' own, and open on purpose: nothing protects it, and the application changes
/// and deletes no row of it.
fn is_directory(stage: &Stage<'_>, relation: &Relation) -> bool {
    let writes = [Privilege::Update, Privilege::Delete];
    stage.subject.root == Some(relation.oid)
        && !relation.row_security
        && relation.policies.is_empty()
        && !stage.subject.app_roles.iter().any(|role| {
            writes
                .iter()
                .any(|privilege| stage.may(*role, relation, *privilege))
        })
}

/// Runs one attack.
pub(super) async fn attack(
    round: &Round<'_>,
    ground: &Ground<'_>,
    attack: Attack,
    fresh: Option<&Fresh>,
    shared: &mut Shared,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    if stage.read_only && attack.makes() {
        return Ok(Verdict::not_run(if stage.catalogue.server.in_recovery {
            "on a replica nothing is written"
        } else {
            "read-only: nothing is written"
        }));
    }
    if attack.wants_table() && !ground.relation.is_table() {
        let is_foreign = ground.relation.kind == RelationKind::Foreign;
        return Ok(if is_foreign && attack.writes() {
            Verdict::not_run("writing to a foreign table reaches another server")
        } else {
            Verdict::absent("it is no table")
        });
    }
    if stage.is_by_role() && matches!(attack, Attack::NoContext | Attack::EmptyContext) {
        return Ok(Verdict::absent("whoever is connected is the tenant"));
    }
    if (attack.is_of_rows() || attack.is_beyond_reading()) && is_directory(stage, ground.relation) {
        return Ok(Verdict::absent(
            "it is the table of the tenants, which is read before it is known who asks",
        ));
    }
    if shared.open && attack.is_beyond_reading() {
        return Ok(Verdict::not_run(
            "a plain read reaches others' rows already",
        ));
    }
    if let Some(why) = harmful(stage, ground.relation, attack) {
        return Ok(Verdict::not_run(why));
    }
    if matches!(
        attack,
        Attack::Insert | Attack::Reference | Attack::Collide | Attack::Upsert | Attack::SideEffect
    ) && shared.inserted.is_none()
    {
        shared.inserted = Some(inserting::control(round, ground).await?);
    }
    let unknown = Control::Unknown("no row of its own was inserted".to_owned());
    let inserted = shared.inserted.as_ref().unwrap_or(&unknown);
    let verdict = match attack {
        Attack::Read => reading::read(round, ground).await?,
        Attack::Count => reading::count_all(round, ground).await?,
        Attack::Join => reading::join(round, ground).await?,
        Attack::Update => writing::update(round, ground).await?,
        Attack::Delete => writing::delete(round, ground).await?,
        Attack::Insert => inserting::insert(round, ground, inserted).await?,
        Attack::Move => inserting::give_away(round, ground).await?,
        Attack::Reference => keys::reference(round, ground, inserted).await?,
        Attack::Collide => keys::collide(round, ground, inserted).await?,
        Attack::Upsert => keys::upsert(round, ground, inserted).await?,
        Attack::View => views::views(round, ground).await?,
        Attack::Function => calling::functions(round, ground).await?,
        Attack::Partition => reading::partitions(round, ground).await?,
        Attack::Sequence => rights::sequence(round, ground).await?,
        Attack::Truncate => rights::truncate(round, ground).await?,
        Attack::SetRole => rights::set_role(round, ground).await?,
        Attack::NoContext => contexts::none(round, ground, fresh).await?,
        Attack::EmptyContext => contexts::empty(round, ground).await?,
        Attack::MalformedContext => contexts::malformed(round, ground).await?,
        Attack::Pattern => contexts::pattern(round, ground).await?,
        Attack::OtherCase => contexts::other_case(round, ground).await?,
        Attack::StaleContext => contexts::stale(round, ground).await?,
        Attack::Flag => tricks::flag(round, ground).await?,
        Attack::Prepared => tricks::prepared(round, ground).await?,
        Attack::Shadow => trusted::shadow(round, ground).await?,
        Attack::SelfGrant => trusted::self_grant(round, ground).await?,
        Attack::Cascade => keys::cascade(round, ground).await?,
        Attack::SideEffect => sources::side_effect(round, ground, inserted).await?,
        Attack::Peek => beside::peek(round, ground).await?,
        Attack::LargeObject => rights::large_object(round, ground).await?,
        Attack::Trigger => rights::trigger(round, ground).await?,
        Attack::Alter => rights::alter(round, ground).await?,
    };
    if attack == Attack::Read {
        shared.open = matches!(verdict.outcome, Outcome::Breach { .. });
    }
    Ok(verdict)
}
