use std::{fs, path::PathBuf};

/// Finds the password in `PGPASSFILE` or `~/.pgpass`, as libpq does: the first line that fits, of a file that nobody else
/// may read.
pub(super) fn password(host: &str, port: u16, database: &str, user: &str) -> Option<String> {
    let path = std::env::var_os("PGPASSFILE")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pgpass")))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(&path).ok()?.permissions().mode() & 0o077 != 0 {
            return None;
        }
    }
    let text = fs::read_to_string(path).ok()?;
    find(&text, host, port, database, user)
}

fn find(text: &str, host: &str, port: u16, database: &str, user: &str) -> Option<String> {
    let wanted = [host, &port.to_string(), database, user].map(str::to_owned);
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let mut fields = fields(line).into_iter();
            let fits = wanted.iter().all(|wanted| {
                fields
                    .next()
                    .is_some_and(|field| field == "*" || field == *wanted)
            });
            fits.then(|| fields.next()).flatten()
        })
}

/// Fields are parted by colons; a backslash takes the meaning from the next character.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let last = fields.last_mut();
        match (character, last) {
            (':', _) => fields.push(String::new()),
            ('\\', Some(last)) => last.extend(characters.next()),
            (character, Some(last)) => last.push(character),
            (_, None) => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let text = "# mine\nother:5432:shop:app:no\n*:*:shop:app:a\\:b\\\\c\n*:*:*:*:last\n";
        assert_eq!(
            find(text, "h", 5432, "shop", "app").as_deref(),
            Some("a:b\\c")
        );
        assert_eq!(
            find(text, "h", 5432, "shop", "ann").as_deref(),
            Some("last")
        );
        assert_eq!(find("h:1:d:u\n", "h", 1, "d", "u"), None);
    }
}
