//! Names that were perhaps meant.

/// A hint for a name that is not there: those that look like it or, if none does, a few of all.
pub(super) fn hint<'a>(wanted: &str, kind: &str, there: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> = there.collect();
    all.sort_unstable();
    all.dedup();
    let mut near: Vec<(usize, &str)> = all
        .iter()
        .map(|name| (distance(wanted, name), *name))
        .filter(|(distance, name)| {
            *distance <= wanted.chars().count() / 3 + 1
                || name.contains(wanted)
                || wanted.contains(name)
        })
        .collect();
    near.sort_unstable();
    if near.is_empty() {
        match all.as_slice() {
            [] => format!("it has no {kind} at all"),
            names => format!("there is {}", listed(names)),
        }
    } else {
        let names: Vec<&str> = near.into_iter().map(|(_, name)| name).collect();
        format!("did you mean {}?", listed(&names))
    }
}

/// `a`, `b` and 7 others.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        others => format!("{} and {others} others", shown.join(", ")),
    }
}

/// How many letters have to be put in, taken out or changed to make one of the other (Levenshtein), whatever
/// their case.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, c) in one.to_lowercase().chars().enumerate() {
        let mut last = at + 1;
        let mut next = vec![last];
        for (changed, (above, d)) in row.iter().zip(row.iter().skip(1).zip(&other)) {
            last = (changed + usize::from(c != *d))
                .min(above + 1)
                .min(last + 1);
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_it_is_named() {
        let there = ["web", "billing_app", "app_rw"];
        assert_eq!(
            hint("app-rw", "role", there.into_iter()),
            "did you mean `app_rw`?"
        );
        assert_eq!(
            hint("nothing", "role", there.into_iter()),
            "there is `app_rw`, `billing_app`, `web`"
        );
        assert_eq!(
            hint("x", "role", std::iter::empty()),
            "it has no role at all"
        );
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
