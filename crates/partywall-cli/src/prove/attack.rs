use partywall_audit::Attack;

/// All attacks, in the order of the matrix's columns.
pub(super) const ALL: [Attack; 19] = [
    Attack::Read,
    Attack::Count,
    Attack::Join,
    Attack::Update,
    Attack::Delete,
    Attack::Insert,
    Attack::Move,
    Attack::Reference,
    Attack::Collide,
    Attack::Upsert,
    Attack::View,
    Attack::Function,
    Attack::Partition,
    Attack::Sequence,
    Attack::Truncate,
    Attack::SetRole,
    Attack::NoContext,
    Attack::EmptyContext,
    Attack::MalformedContext,
];

/// Two letters for a narrow column, a name, and what is tried.
pub(super) fn names(attack: Attack) -> (&'static str, &'static str, &'static str) {
    match attack {
        Attack::Read => ("rd", "read", "reads the victim's rows"),
        Attack::Count => ("ct", "count", "counts them"),
        Attack::Join => ("jn", "join", "reaches them by a join"),
        Attack::Update => ("up", "update", "changes them, without WHERE and RETURNING"),
        Attack::Delete => ("de", "delete", "deletes them, without WHERE and RETURNING"),
        Attack::Insert => ("in", "insert", "inserts a row in the victim's name"),
        Attack::Move => ("mv", "move", "moves an own row to the victim"),
        Attack::Reference => ("rf", "reference", "refers to a row of the victim's"),
        Attack::Collide => (
            "co",
            "collide",
            "collides with a unique value of the victim's",
        ),
        Attack::Upsert => (
            "us",
            "upsert",
            "takes a row over by INSERT … ON CONFLICT DO UPDATE",
        ),
        Attack::View => ("vw", "view", "reads through views"),
        Attack::Function => ("fn", "function", "calls functions"),
        Attack::Partition => ("pt", "partition", "reads partitions past their parent"),
        Attack::Sequence => ("sq", "sequence", "sets or reads sequences"),
        Attack::Truncate => ("tr", "truncate", "empties the table"),
        Attack::SetRole => ("sr", "set role", "becomes another role"),
        Attack::NoContext => ("nc", "no context", "reads without a context"),
        Attack::EmptyContext => ("ec", "empty context", "reads with an empty context"),
        Attack::MalformedContext => ("mc", "malformed context", "reads with a malformed context"),
        _ => ("??", "other", "another attack"),
    }
}
