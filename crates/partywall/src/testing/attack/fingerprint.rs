use tokio_postgres::NoTls;

use super::super::TestError;

/// A text that differs if any row of any table differs. `url` is a superuser's. Left out are the
/// columns of `ignored`, as `schema.table.column`: when a session was last seen, say; a table that is
/// named as `schema.table` is left out whole.
///
/// # Errors
///
/// [`TestError::Sql`].
pub async fn fingerprint(url: &str, ignored: &[&str]) -> Result<String, TestError> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let driver = tokio::spawn(connection);
    // Names are quoted by the server, which made them.
    let tables = client
        .query(
            "SELECT format('%s.%s', n.nspname, c.relname), \
               format('SELECT coalesce(md5(string_agg(md5(r::text), '''' ORDER BY md5(r::text))), '''') FROM (SELECT %s FROM %I.%I) r', \
                 string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), n.nspname, c.relname) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition \
               AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%' \
               AND format('%s.%s', n.nspname, c.relname) <> ALL ($1) \
               AND format('%s.%s.%s', n.nspname, c.relname, a.attname) <> ALL ($1) \
             GROUP BY n.nspname, c.relname ORDER BY 1",
            &[&ignored],
        )
        .await?;
    let mut text = String::new();
    for table in &tables {
        let (name, sql): (String, String) = (table.get(0), table.get(1));
        let sum: String = client.query_one(&sql, &[]).await?.get(0);
        text += &format!("{name} {sum}\n");
    }
    drop(client);
    driver
        .await
        .map_err(|error| TestError::Task(error.to_string()))??;
    Ok(text)
}
