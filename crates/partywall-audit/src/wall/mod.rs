//! What the policies of a table, taken together, leave open to a role.
//!
//! A policy's condition is taken apart into *ways*: sets of things that must all hold for a row to pass
//! (`ways.rs`). A way is shut to others' rows if it ties the row to the tenant of the session (`ties.rs`), and
//! otherwise there is a gap with a reason (`explain.rs`). Permissive policies add their ways, restrictive ones
//! are joined to every way. What the trees do not tell is tried (`evaluate.rs`).

mod answer;
mod evaluate;
mod explain;
mod gap;
mod harmless;
mod sample;
#[cfg(test)]
mod soundness;
mod ties;
mod way;
mod ways;

pub(crate) use evaluate::{Evaluations, evaluate};
pub(crate) use gap::{Gap, Opening, Standing};
pub(crate) use ties::{Tie, Trust};

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use self::{
    ties::{Asker, tie},
    way::Way,
    ways::Ways,
};
use crate::{
    catalogue::{Catalogue, Command, Oid, Policy, Relation},
    expression::{Facts, Library, ROW, Term, expression},
    subject::Subject,
};

/// What was decided of a table, a role and a command.
#[derive(Clone, Debug)]
struct Judged {
    standing: Standing,
    tie: Tie,
}

/// One condition of a policy: its table, its place among the table's, and whether it is the check.
type Condition = (Oid, usize, bool);

/// The ways through a condition.
#[derive(Debug)]
struct Through {
    ways: Vec<Way>,
    /// Whether something had to be left out.
    too_many: bool,
}

/// The policies of a database and what they mean.
#[derive(Debug)]
pub(crate) struct Wall<'a> {
    catalogue: &'a Catalogue,
    subject: &'a Subject,
    evaluations: &'a Evaluations,
    library: Library,
    /// What each policy says.
    terms: BTreeMap<Condition, Term>,
    /// The ways through what was looked at so far. They are the same whoever asks.
    through: RefCell<BTreeMap<Condition, Arc<Through>>>,
    /// The next number for a row of a sub-select: no two conditions share one.
    next: Cell<u32>,
    judged: RefCell<BTreeMap<(Oid, Oid, Command), Judged>>,
}

impl<'a> Wall<'a> {
    pub(crate) fn new(
        catalogue: &'a Catalogue,
        subject: &'a Subject,
        evaluations: &'a Evaluations,
    ) -> Self {
        let mut terms = BTreeMap::new();
        for relation in catalogue.relations.values() {
            for (at, policy) in relation.policies.iter().enumerate() {
                for (check, of) in [(false, &policy.using), (true, &policy.check)] {
                    if let Some(of) = of {
                        let term = expression(catalogue, relation.oid, &of.tree);
                        terms.insert((relation.oid, at, check), term);
                    }
                }
            }
        }
        Self {
            catalogue,
            subject,
            evaluations,
            library: Library::of(catalogue),
            terms,
            through: RefCell::default(),
            next: Cell::new(ROW + 1),
            judged: RefCell::new(BTreeMap::new()),
        }
    }

    /// What the database's own functions answer and read.
    pub(crate) fn library(&self) -> &Library {
        &self.library
    }

    /// How a table stands against a role that sends this command, whatever its grants say. UPDATE and DELETE are
    /// blind ones, without WHERE and RETURNING, so that the policies of SELECT do not hold for them.
    pub(crate) fn standing(&self, role: Oid, relation: Oid, command: Command) -> Standing {
        self.judge(role, relation, command, &[]).standing
    }

    /// The tables in which the policies look up what the session's user may see or do: who can write them can let
    /// itself in.
    pub(crate) fn trusts(&self, role: Oid, relation: Oid, command: Command) -> BTreeSet<Trust> {
        self.judge(role, relation, command, &[]).tie.trusts
    }

    /// How a table would stand if this column of it said whose a row is.
    pub(crate) fn standing_by(
        &self,
        role: Oid,
        relation: Oid,
        command: Command,
        column: i16,
    ) -> Standing {
        self.decide(role, relation, command, Some(column), false, &[])
            .standing
    }

    /// Whether the policies keep this column of new rows to what the session says, whatever else says whose a row
    /// is. An empty one refers to nothing.
    pub(crate) fn pins(&self, role: Oid, relation: Oid, command: Command, column: i16) -> bool {
        let judged = self.decide(role, relation, command, Some(column), true, &[]);
        match judged.standing {
            Standing::Scoped | Standing::Closed => true,
            Standing::Open(openings) => openings
                .iter()
                .all(|it| !it.check || matches!(it.gap, Gap::NullTenant { .. })),
            Standing::Exempt => false,
        }
    }

    /// What one policy by itself leaves open to a role; none if it ties the row to the tenant.
    pub(crate) fn gaps(
        &self,
        role: Oid,
        relation: &Relation,
        policy: &Policy,
        check: bool,
    ) -> Vec<Gap> {
        let Some(through) = self.through(relation, policy, check) else {
            return Vec::new();
        };
        let asker = Asker {
            role,
            relation: relation.oid,
            tenant: self.subject.tenant_column(relation.oid),
            check,
            alone: false,
            within: &[],
        };
        let mut gaps: Vec<Gap> = through
            .ways
            .iter()
            .filter_map(|way| match tie(self, asker, way, false) {
                Some(_) => None,
                None => self.gap(asker, policy, way, through.too_many),
            })
            .collect();
        gaps.sort();
        gaps.dedup();
        gaps
    }

    /// What a policy's USING, or its check of new rows, says. Without a check of its own that is USING.
    pub(crate) fn term(&self, relation: &Relation, policy: &Policy, check: bool) -> Option<&Term> {
        self.said(relation, policy, check).map(|(_, term)| term)
    }

    fn said(
        &self,
        relation: &Relation,
        policy: &Policy,
        check: bool,
    ) -> Option<(Condition, &Term)> {
        let at = relation
            .policies
            .iter()
            .position(|own| std::ptr::eq(own, policy))?;
        let find = |condition| Some((condition, self.terms.get(&condition)?));
        let using = (relation.oid, at, false);
        let own = find((relation.oid, at, check));
        own.or_else(|| find(using).filter(|_| check))
    }

    /// The ways through what a policy says.
    fn through(&self, relation: &Relation, policy: &Policy, check: bool) -> Option<Arc<Through>> {
        let (condition, term) = self.said(relation, policy, check)?;
        if let Some(known) = self.through.borrow().get(&condition) {
            return Some(Arc::clone(known));
        }
        let ways = self.ways();
        let found = Arc::new(Through {
            ways: ways.through(term),
            too_many: ways.too_many.get(),
        });
        self.through
            .borrow_mut()
            .insert(condition, Arc::clone(&found));
        Some(found)
    }

    /// What a policy reads, in USING and check together.
    pub(crate) fn facts(&self, relation: &Relation, policy: &Policy) -> Facts {
        let mut facts = Facts::default();
        for check in [false, true] {
            if let Some(term) = self.term(relation, policy, check) {
                facts.add_all(&self.library.facts(term));
            }
        }
        facts
    }

    /// The policies of a table that hold for a role and a command.
    pub(crate) fn applying<'r>(
        &'r self,
        role: Oid,
        relation: &'r Relation,
        command: Command,
    ) -> impl Iterator<Item = &'r Policy> {
        relation.policies.iter().filter(move |policy| {
            policy.covers(command)
                && policy
                    .roles
                    .iter()
                    .any(|to| self.catalogue.roles.has_rights_of(role, *to))
        })
    }

    fn ways(&self) -> Ways<'_> {
        Ways::new(self.catalogue, &self.library, &self.next)
    }

    /// Whether a value depends on who asks and on no row at hand.
    fn is_session(&self, term: &Term) -> bool {
        if matches!(term, Term::Constant(_) | Term::Column(_)) {
            return false;
        }
        let facts = self.library.facts(term);
        if !facts.columns.is_empty() {
            return false;
        }
        // A function without arguments of which nothing can be read: what would it be for, if it did not tell
        // sessions apart.
        let opaque = matches!(term, Term::Call(oid, arguments)
            if arguments.is_empty() && facts.unread.contains(oid));
        facts.depends_on_session() || opaque
    }

    /// How the rows that a role sees of a table are tied, if all are.
    fn seen(&self, role: Oid, relation: Oid, within: &[Oid]) -> Option<Tie> {
        let judged = self.judge(role, relation, Command::Select, within);
        match judged.standing {
            Standing::Scoped => Some(judged.tie),
            Standing::Open(openings) if openings.iter().all(|opening| opening.gap.is_meant()) => {
                Some(judged.tie)
            }
            Standing::Exempt | Standing::Closed | Standing::Open(_) => None,
        }
    }

    fn judge(&self, role: Oid, relation: Oid, command: Command, within: &[Oid]) -> Judged {
        let key = (role, relation, command);
        if let Some(judged) = self.judged.borrow().get(&key) {
            return judged.clone();
        }
        let judged = self.decide(
            role,
            relation,
            command,
            self.subject.tenant_column(relation),
            false,
            within,
        );
        // Inside another's policies it may have been cut short.
        if within.is_empty() {
            self.judged.borrow_mut().insert(key, judged.clone());
        }
        judged
    }

    fn decide(
        &self,
        role: Oid,
        oid: Oid,
        command: Command,
        tenant: Option<i16>,
        alone: bool,
        within: &[Oid],
    ) -> Judged {
        let mut judged = Judged {
            standing: Standing::Closed,
            tie: Tie::default(),
        };
        let Some(relation) = self.catalogue.relations.get(&oid) else {
            return judged;
        };
        if self.catalogue.is_exempt(role, relation) {
            judged.standing = Standing::Exempt;
            return judged;
        }
        let mut around = within.to_vec();
        around.push(oid);
        let parts: &[bool] = match command {
            Command::Select | Command::Delete => &[false],
            Command::Insert => &[true],
            Command::Update => &[false, true],
        };
        let mut openings = Vec::new();
        for check in parts {
            let asker = Asker {
                role,
                relation: oid,
                tenant,
                check: *check,
                alone,
                within: &around,
            };
            match self.part(asker, relation, command, &mut judged.tie) {
                Some(found) => openings.extend(found),
                // What nothing passes, nothing passes whatever the other part says.
                None => return judged,
            }
        }
        openings.sort();
        openings.dedup();
        judged.standing = if openings.is_empty() {
            Standing::Scoped
        } else {
            Standing::Open(openings)
        };
        judged
    }

    /// What is open of USING, or of the check of new rows. `None` if nothing passes at all.
    fn part(
        &self,
        asker: Asker<'_>,
        relation: &Relation,
        command: Command,
        tied: &mut Tie,
    ) -> Option<Vec<Opening>> {
        let ways = self.ways();
        let mut too_many = false;
        let mut note = |found: Tie| {
            tied.trusts.extend(found.trusts);
            tied.owned |= found.owned;
        };
        // The ways through all restrictive policies; those that tie the row shut whatever they are joined to.
        let mut restricted = vec![Way::default()];
        let applying = || self.applying(asker.role, relation, command);
        let mut restrictive: Vec<(&Policy, Arc<Through>)> = applying()
            .filter(|policy| !policy.permissive)
            .filter_map(|policy| Some((policy, self.through(relation, policy, asker.check)?)))
            .collect();
        // What ties every row by itself first: then nothing hangs on what the others look up.
        restrictive.sort_by_key(|(_, through)| {
            let mut ties = through.ways.iter().map(|way| tie(self, asker, way, false));
            !ties.all(|it| it.is_some_and(|it| it == Tie::default()))
        });
        for (policy, through) in restrictive {
            too_many |= through.too_many;
            let refuses = self.tried(policy, asker).is_some_and(|tried| tried.refuses);
            let own: &[Way] = if refuses { &[] } else { &through.ways };
            restricted = ways.both(&restricted, own);
            restricted.retain(|way| match tie(self, asker, way, false) {
                Some(found) => {
                    note(found);
                    false
                }
                None => true,
            });
        }
        let mut passes = false;
        let mut openings = Vec::new();
        for policy in applying().filter(|policy| policy.permissive) {
            let Some(through) = self.through(relation, policy, asker.check) else {
                continue;
            };
            too_many |= through.too_many;
            passes |= !through.ways.is_empty();
            let open: Vec<Way> = through
                .ways
                .iter()
                .filter(|way| match tie(self, asker, way, false) {
                    Some(found) => {
                        if !restricted.is_empty() {
                            note(found);
                        }
                        false
                    }
                    None => true,
                })
                .cloned()
                .collect();
            for way in ways.both(&open, &restricted) {
                if let Some(found) = tie(self, asker, &way, false) {
                    note(found);
                    continue;
                }
                if let Some(gap) = self.gap(asker, policy, &way, too_many || ways.too_many.get()) {
                    openings.push(Opening {
                        policy: policy.name.clone(),
                        check: asker.check,
                        gap,
                    });
                }
            }
        }
        passes.then_some(openings)
    }

    /// Why a way of a policy is open, if it is.
    fn gap(&self, asker: Asker<'_>, policy: &Policy, way: &Way, too_many: bool) -> Option<Gap> {
        if tie(self, asker, way, true).is_some() {
            let column = asker.tenant.unwrap_or(0);
            return Some(Gap::Fold { column });
        }
        let mut gap = explain::explain(self, asker, way)?;
        if too_many {
            gap = Gap::Opaque {
                why: "it has too many alternatives".to_owned(),
            };
        }
        if let Gap::Opaque { .. } = gap
            && let Some(tried) = self.tried(policy, asker)
        {
            return if tried.refuses {
                None
            } else {
                tried.gap.clone().or(Some(gap))
            };
        }
        Some(gap)
    }

    fn tried(&self, policy: &Policy, asker: Asker<'_>) -> Option<&evaluate::Tried> {
        let check = asker.check && policy.check.is_some();
        self.evaluations
            .of(asker.role, asker.relation, &policy.name, check)
    }
}
