use partywall_audit::Attack;

/// Two letters for a narrow column, one above the other.
pub(super) fn code(attack: Attack) -> [char; 2] {
    let code = match attack {
        Attack::Read => "rd",
        Attack::Count => "ct",
        Attack::Join => "jn",
        Attack::Update => "up",
        Attack::Delete => "de",
        Attack::Insert => "in",
        Attack::Move => "mv",
        Attack::Reference => "rf",
        Attack::Collide => "co",
        Attack::Upsert => "us",
        Attack::View => "vw",
        Attack::Function => "fn",
        Attack::Partition => "pt",
        Attack::Sequence => "sq",
        Attack::Truncate => "tc",
        Attack::SetRole => "sr",
        Attack::NoContext => "nc",
        Attack::EmptyContext => "ec",
        Attack::MalformedContext => "mc",
        Attack::Pattern => "pa",
        Attack::OtherCase => "oc",
        Attack::StaleContext => "sc",
        Attack::Flag => "fl",
        Attack::Prepared => "pr",
        Attack::Shadow => "sh",
        Attack::SelfGrant => "sg",
        Attack::Cascade => "ca",
        Attack::SideEffect => "se",
        Attack::Peek => "pk",
        Attack::LargeObject => "lo",
        Attack::Trigger => "tg",
        Attack::Alter => "al",
        _ => attack.id(),
    };
    let mut letters = code.chars();
    [letters.next().unwrap_or('?'), letters.next().unwrap_or(' ')]
}

/// Its name, for people.
pub(super) fn name(attack: Attack) -> String {
    attack.id().replace('-', " ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_attack_has_letters_of_its_own() {
        let codes: BTreeSet<_> = Attack::ALL.iter().map(|attack| code(*attack)).collect();
        assert_eq!(codes.len(), Attack::ALL.len());
    }
}
