//! Single statements in a loop inside the server.

use partywall::{Scope, Sql, TENANT};

use crate::{
    arguments::Arguments,
    outcome::Outcome,
    statistics::Spread,
    table,
    world::{Data, NOTES_PER_TENANT, World, note, tenant},
};

/// The loops, and what they stand for.
const LOOPS: [(&str, &str); 15] = [
    ("nothing", "the empty loop, subtracted below"),
    ("enter", "`partywall.enter`, whole"),
    ("unlock", "– `pg_advisory_unlock_all()`"),
    ("reset", "– `RESET ALL`"),
    ("discard", "– `DISCARD SEQUENCES`"),
    ("set_context", "– `SET LOCAL partywall.context`"),
    ("set_timeout", "– `SET LOCAL statement_timeout`"),
    ("setting", "`set_config`, which the others call"),
    ("tenant", "`partywall.tenant()`, which policies call"),
    ("point", "point read"),
    ("point_by_hand", "point read, filtered by hand as well"),
    ("list", "list of 50"),
    ("list_by_hand", "list of 50, filtered by hand as well"),
    ("count", "count of a tenant's 100"),
    ("count_by_hand", "count, filtered by hand as well"),
];

pub(super) async fn measure(world: &World, arguments: &Arguments) -> Outcome {
    table::heading("In the server: µs for each statement, in a loop there");
    println!(
        "The lowest of {} rounds, since neighbours only ever add. *No policy* is the superuser, filtered by hand. The context is entered once, so a \
         read here pays for reading it, not for setting it.\n",
        arguments.rounds
    );
    let times = if arguments.quick { 200 } else { 500 };
    let sealed = world.db(Data::Sealed, None, 1).await?;
    let unsealed = world.db(Data::Unsealed, None, 1).await?;
    let superuser = world.superuser(Data::Sealed.name()).await?;
    let mut figures = vec![[Vec::new(), Vec::new(), Vec::new()]; LOOPS.len()];
    for round in 0..=arguments.rounds {
        let owner = fastrand::u64(..crate::world::TENANTS);
        let scope = Scope::trusted([TENANT.is(tenant(owner))]);
        let keys: Vec<_> = (0..NOTES_PER_TENANT)
            .map(|number| note(owner, number))
            .collect();
        for ((name, _), figures) in LOOPS.iter().zip(&mut figures) {
            let [without, off, on] = figures;
            let by_superuser = *name == "setting" || name.ends_with("_by_hand");
            if by_superuser {
                let sql = format!("SELECT bench.{name}($1, $2, $3, '')");
                let row = superuser
                    .query_one(&sql, &[&times, &keys, &tenant(owner)])
                    .await?;
                without.push(row.try_get(0)?);
            }
            // The logins may not call `set_config`.
            if *name == "setting" {
                continue;
            }
            let sql =
                format!("SELECT bench.{name}($1, $2, $3, current_setting('partywall.context'))");
            for (db, figures) in [(&unsealed, off), (&sealed, on)] {
                let parameters = [times.into(), keys.clone().into(), tenant(owner).into()];
                let took: f64 = db.scoped(&scope).scalar(&sql, parameters).await?;
                figures.push(took);
            }
        }
        if round == 0 {
            figures.iter_mut().flatten().for_each(Vec::clear);
        }
    }
    let lowest: Vec<[f64; 3]> = figures
        .into_iter()
        .map(|each| each.map(|figures| Spread::of(figures).low))
        .collect();
    let empty = lowest.first().copied().unwrap_or_default()[2];
    let shown = |figure: f64| {
        if figure.is_finite() {
            format!("{:.2}", figure - empty)
        } else {
            "–".to_owned()
        }
    };
    let rows: Vec<Vec<String>> = LOOPS
        .iter()
        .zip(&lowest)
        .skip(1)
        .map(|((_, title), [without, off, on])| {
            vec![
                (*title).to_owned(),
                shown(*without),
                shown(*off),
                shown(*on),
            ]
        })
        .collect();
    table::print(&["statement", "no policy", "seal off", "seal on"], &rows);
    Ok(())
}
