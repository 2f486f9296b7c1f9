//! What the policies of a table, taken together, leave open to a role.

mod evaluate;
mod gap;

pub(crate) use evaluate::{Evaluations, evaluate};
pub(crate) use gap::{Gap, Opening, Standing};

use crate::{
    catalogue::{Catalogue, Command, Oid},
    subject::Subject,
};

/// The policies of a database and what they mean.
#[derive(Debug)]
pub(crate) struct Wall<'a> {
    catalogue: &'a Catalogue,
    #[expect(dead_code, reason = "the meaning of policies is not decided yet")]
    subject: &'a Subject,
    #[expect(dead_code, reason = "the meaning of policies is not decided yet")]
    evaluations: &'a Evaluations,
}

impl<'a> Wall<'a> {
    pub(crate) fn new(
        catalogue: &'a Catalogue,
        subject: &'a Subject,
        evaluations: &'a Evaluations,
    ) -> Self {
        Self {
            catalogue,
            subject,
            evaluations,
        }
    }

    /// How a table stands against a role that sends this command, whatever its grants say.
    pub(crate) fn standing(&self, role: Oid, relation: Oid, command: Command) -> Standing {
        let _ = command;
        match self.catalogue.relations.get(&relation) {
            Some(relation) if self.catalogue.is_exempt(role, relation) => Standing::Exempt,
            _ => Standing::Scoped,
        }
    }
}
