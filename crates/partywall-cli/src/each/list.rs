use std::{
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use tokio_postgres::SimpleQueryMessage;

use crate::{
    failure::Failure,
    tenant::{Door, refused},
};

/// All tenants, of their table.
pub(super) async fn all(door: &Door) -> Result<Vec<String>, Failure> {
    door.entrance
        .tenants(&door.admin.client)
        .await
        .map_err(refused)
}

/// What a query says, as the login that sees the catalogues. It may not write.
pub(super) async fn by_query(door: &Door, query: &str) -> Result<Vec<String>, Failure> {
    let client = &door.admin.client;
    let doing = "list the tenants";
    client
        .batch_execute("BEGIN READ ONLY")
        .await
        .map_err(Failure::sql(doing))?;
    let answer = client.simple_query(query).await;
    client
        .batch_execute("ROLLBACK")
        .await
        .map_err(Failure::sql(doing))?;
    Ok(answer
        .map_err(Failure::sql(doing))?
        .iter()
        .filter_map(|message| {
            let SimpleQueryMessage::Row(row) = message else {
                return None;
            };
            (!row.is_empty()).then(|| row.get(0).map(str::to_owned))?
        })
        .collect())
}

/// The lines of a file, without empty ones.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A file, or standard input.
pub(super) fn text(path: &Path) -> Result<String, Failure> {
    let failed = |source| Failure::File {
        doing: "read",
        path: PathBuf::from(path),
        source,
    };
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(|source| {
        if source.kind() == ErrorKind::NotFound {
            Failure::invalid(
                format!("there is no file `{}`", path.display()),
                "give its path, or - for standard input",
            )
        } else if source.kind() == ErrorKind::InvalidData {
            Failure::invalid(format!("`{}` is not UTF-8", path.display()), "")
        } else {
            failed(source)
        }
    })
}
