//! What names say: whether a column or a table is called as tenants are called.

/// How much a name says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Weight {
    /// A person: whose rows they are where there is nobody above them.
    Person,
    /// A party to business, which is a tenant in some systems and a tenant's own customer in most.
    Party,
    /// Nothing else is called so.
    Tenant,
}

/// A word for tenants. Different spellings of one word are the same noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Noun {
    pub(super) weight: Weight,
    /// The first spelling.
    pub(super) word: &'static str,
}

/// The words, those that say the most first.
const WORDS: &[(Weight, &[&str])] = &[
    (Weight::Tenant, &["tenant"]),
    (Weight::Tenant, &["organization", "organisation", "org"]),
    (Weight::Tenant, &["workspace"]),
    (Weight::Tenant, &["company"]),
    (Weight::Tenant, &["account"]),
    (Weight::Tenant, &["team"]),
    (Weight::Party, &["customer"]),
    (Weight::Party, &["client"]),
    (Weight::Party, &["merchant"]),
    (Weight::Party, &["shop"]),
    (Weight::Party, &["store"]),
    (Weight::Party, &["school"]),
    (Weight::Party, &["clinic"]),
    (Weight::Party, &["practice"]),
    (Weight::Party, &["agency"]),
    (Weight::Party, &["firm"]),
    (Weight::Party, &["business"]),
    (Weight::Party, &["site"]),
    (Weight::Party, &["club"]),
    (Weight::Party, &["community"]),
    (Weight::Party, &["household"]),
    (Weight::Party, &["subscriber"]),
    (Weight::Party, &["realm"]),
    (Weight::Person, &["user", "owner", "profile"]),
];

/// What follows the word in the name of a column.
const ENDINGS: &[&str] = &[
    "id", "ids", "uuid", "uuids", "guid", "key", "no", "nr", "number", "code", "slug", "ref", "fk",
    "pk",
];

impl Noun {
    /// Of a column: `tenant_id`, `tenantId`, `TENANT-UUID`, `org_ids`, `tenant`.
    pub(super) fn of_column(name: &str) -> Option<Self> {
        let mut words = words(name);
        let mut ended = false;
        while words.len() > 1
            && words
                .last()
                .is_some_and(|last| ENDINGS.contains(&last.as_str()))
        {
            words.pop();
            ended = true;
        }
        if matches!(words.first().map(String::as_str), Some("fk" | "current")) && words.len() > 1 {
            words.remove(0);
        }
        if let Some(noun) = Self::of_word(&words.concat()) {
            // `account` alone is a name, a number, anything.
            return (ended || noun.weight == Weight::Tenant && noun.word != "account")
                .then_some(noun);
        }
        // `tenantid`, without anything that parts the words.
        ENDINGS
            .iter()
            .find_map(|ending| Self::of_word(words.concat().strip_suffix(ending)?))
    }

    /// Of a table: `tenants`, `app_tenants`, `Organization`, `companies`.
    pub(super) fn of_table(name: &str) -> Option<Self> {
        let words = words(name);
        Self::of_word(&words.concat()).or_else(|| match words.as_slice() {
            // As frameworks prefix them: `accounts_tenant`, `app_organizations`.
            [_, last] => Self::of_word(last),
            _ => None,
        })
    }

    /// Its place among the words: the lower, the more it says.
    pub(super) fn rank(self) -> usize {
        WORDS
            .iter()
            .position(|(_, spellings)| spellings.first() == Some(&self.word))
            .unwrap_or(WORDS.len())
    }

    fn of_word(word: &str) -> Option<Self> {
        WORDS.iter().find_map(|(weight, spellings)| {
            let first = spellings.first()?;
            spellings
                .iter()
                .any(|spelling| is_number_of(word, spelling))
                .then_some(Self {
                    weight: *weight,
                    word: first,
                })
        })
    }
}

/// Whether a word is another, or its plural.
fn is_number_of(word: &str, singular: &str) -> bool {
    word == singular
        || word
            .strip_prefix(singular)
            .is_some_and(|rest| rest == "s" || rest == "es")
        || singular
            .strip_suffix('y')
            .is_some_and(|stem| word.strip_prefix(stem) == Some("ies"))
}

/// The words of a name, in lower case: parted by what is no letter or digit, and where a capital follows a
/// small letter.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (small && c.is_uppercase()) {
            words.push(String::new());
        }
        small = c.is_lowercase() || c.is_numeric();
        if c.is_alphanumeric()
            && let Some(last) = words.last_mut()
        {
            last.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_noun() {
        let tenant = Noun {
            weight: Weight::Tenant,
            word: "tenant",
        };
        for name in [
            "tenant_id",
            "tenantId",
            "TenantID",
            "tenantid",
            "tenant-uuid",
            "tenant",
            "tenant_ids",
        ] {
            assert_eq!(Noun::of_column(name), Some(tenant), "{name}");
        }
        for name in [
            "org_id",
            "organisation_id",
            "OrganizationId",
            "organization",
        ] {
            assert_eq!(
                Noun::of_column(name).unwrap().word,
                "organization",
                "{name}"
            );
        }
        assert_eq!(
            Noun::of_column("customer_id").unwrap().weight,
            Weight::Party
        );
        assert_eq!(Noun::of_column("owner_id").unwrap().weight, Weight::Person);
        for name in [
            "id",
            "parent_tenant_id",
            "account",
            "tenant_name",
            "customer",
            "paid",
            "",
            "número",
            "x",
        ] {
            assert_eq!(Noun::of_column(name), None, "{name}");
        }
    }

    #[test]
    fn tables_are_called_in_the_plural() {
        for (name, word) in [
            ("tenants", "tenant"),
            ("Tenant", "tenant"),
            ("companies", "company"),
            ("businesses", "business"),
            ("app_organizations", "organization"),
            ("AppOrgs", "organization"),
        ] {
            assert_eq!(
                Noun::of_table(name).map(|noun| noun.word),
                Some(word),
                "{name}"
            );
        }
        assert_eq!(Noun::of_table("tenant_settings"), None);
        assert_eq!(Noun::of_table("a_b_tenants"), None);
    }
}
