use partywall::{
    identity::{BuiltIn, Error, Permissions},
    jobs,
};

/// Everything that can be permitted, and the least of the built-in roles that holds it. A tenant's own
/// roles, its groups and its keys are made of the same.
///
/// # Errors
///
/// [`Error`] for a permission that is declared wrongly.
pub fn permissions() -> Result<Permissions, Error> {
    jobs::permissions(Permissions::new())?
        .declare("note.read", BuiltIn::Viewer)?
        .declare("note.create", BuiltIn::Member)?
        .declare("note.update", BuiltIn::Member)?
        .declare("note.delete", BuiltIn::Member)?
        // All of them at once, as a file.
        .declare("note.export", BuiltIn::Member)?
        .declare("comment.read", BuiltIn::Viewer)?
        .declare("comment.create", BuiltIn::Member)?
        // Also somebody else's.
        .declare("comment.delete", BuiltIn::Admin)?
        // The playground, which is off unless it is asked for.
        .declare("sql.run", BuiltIn::Member)
}
