use std::sync::Arc;

use partywall::policy::{self, Actions, Decide, Policy, PolicyError, Principal, Rule};

use crate::models::{comment, note};

/// Who may do what, where one permission does not say it.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    pub(crate) note: Arc<dyn Decide>,
    pub(crate) comment: Arc<dyn Decide>,
    /// Whoever has an account in the tenant, or is let into it.
    pub(crate) inside: Arc<dyn Decide>,
    /// The members themselves, no program and nobody of the staff.
    pub(crate) member: Arc<dyn Decide>,
    /// One's own keys, and all of them with a permission.
    pub(crate) keys: Arc<dyn Decide>,
}

impl Policies {
    pub(crate) fn new() -> Result<Self, PolicyError> {
        Ok(Self {
            note: Arc::new(note()?),
            comment: Arc::new(comment()?),
            inside: Arc::new(policy::authenticated()),
            member: Arc::new(member()?),
            keys: Arc::new(keys()?),
        })
    }
}

/// Of each action that the JSON interface has, and of the form that a page asks for it with.
fn note() -> Result<Policy<note::Model>, PolicyError> {
    let may = |permission| Principal::permission(permission);
    Policy::new("note")
        .allow(
            "readers",
            may("note.read"),
            Actions::named(["list", "retrieve"]),
        )
        .allow(
            "writers",
            may("note.create"),
            Actions::named(["create", "new"]),
        )
        .allow(
            "editors",
            may("note.update"),
            Actions::named(["update", "edit"]),
        )
        .allow(
            "removers",
            may("note.delete"),
            Actions::named(["delete", "ask"]),
        )
        .hide_unless("remark", may("note.update"))
        .fields(["title", "body", "tags", "remark"])
        .actions([
            "list", "retrieve", "create", "new", "update", "edit", "delete", "ask",
        ])
        .build()
}

/// What somebody said is theirs to change, and theirs or a moderator's to take away. Names are for all
/// readers; which account it was is for moderators.
fn comment() -> Result<Policy<comment::Model>, PolicyError> {
    let own = Rule::own(
        "author",
        comment::Column::AuthorId,
        |comment: &comment::Model| comment.author_id,
    );
    Policy::new("comment")
        .allow(
            "readers",
            Principal::permission("comment.read"),
            Actions::named(["list", "retrieve"]),
        )
        .allow(
            "writers",
            Principal::permission("comment.create"),
            Actions::named(["create"]),
        )
        .allow_if(
            "authors",
            Principal::permission("comment.create"),
            Actions::named(["update", "delete"]),
            own,
        )
        .allow(
            "moderators",
            Principal::permission("comment.delete"),
            Actions::named(["delete"]),
        )
        .hide_unless("author_id", Principal::permission("comment.delete"))
        .fields(["author", "author_id", "body", "created_at"])
        .actions(["list", "retrieve", "create", "update", "delete"])
        .build()
}

fn member() -> Result<Policy, PolicyError> {
    Policy::new("member")
        .allow("members", Principal::member(), Actions::any())
        .build()
}

fn keys() -> Result<Policy, PolicyError> {
    let seeing = Principal::any_of([
        Principal::member(),
        Principal::key(),
        Principal::permission("key.read"),
    ]);
    Policy::new("key")
        .allow("list", seeing, Actions::named(["list"]))
        .allow("delete", Principal::member(), Actions::named(["delete"]))
        .actions(["list", "delete"])
        .build()
}
