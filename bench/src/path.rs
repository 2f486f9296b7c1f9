//! A child table through its parent: EXISTS in the policy, or the tenant copied into the child.

use partywall::{Db, Scope, Sql, TENANT};
use uuid::Uuid;

use crate::{
    arguments::Arguments,
    outcome::Outcome,
    statistics::Spread,
    table,
    world::{
        COMMENTS, COMMENTS_PER_TOPIC, Data, TENANTS, TOPICS_PER_TENANT, World, comment, tenant,
        topic,
    },
};

const FORMS: [(&str, &str); 5] = [
    ("point", "point read by id"),
    ("below", "the 10 of one topic"),
    ("list", "the tenant's first 50"),
    ("count", "count of the tenant's 100"),
    ("insert", "insert one"),
];

const KINDS: [&str; 3] = ["own", "copy", "exists"];

/// What one loop may take: microseconds.
const BUDGET: f64 = 100_000.0;

pub(crate) async fn measure(world: &World, arguments: &Arguments) -> Outcome {
    table::heading("A child through its parent");
    println!(
        "{COMMENTS} comments of {TENANTS} tenants, {TOPICS_PER_TENANT} topics each with \
         {COMMENTS_PER_TOPIC}; µs for each statement in a loop in the server, as the application login, \
         seal on, {} rounds; ratio to the table with a tenant column of its own: median \
         (lowest–highest).\n",
        arguments.rounds
    );
    let db = world.db(Data::Sealed, None, 1).await?;
    let budget = if arguments.quick {
        BUDGET / 10.0
    } else {
        BUDGET
    };
    let mut rows = Vec::new();
    for (form, title) in FORMS {
        let mut figures = KINDS.map(|_| Vec::new());
        for round in 0..=arguments.rounds {
            let owner = fastrand::u64(..TENANTS);
            for (kind, figures) in KINDS.iter().zip(&mut figures) {
                let took = run(&db, form, kind, owner, budget).await?;
                if round > 0 {
                    figures.push(took);
                }
            }
        }
        let mut cells = vec![title.to_owned()];
        for each in &figures {
            cells.push(format!("{:.1}", Spread::of(each.iter().copied()).median));
        }
        let [own, copy, exists] = &figures;
        for each in [copy, exists] {
            cells.push(Spread::of(each.iter().zip(own).map(|(one, own)| one / own)).to_string());
        }
        rows.push(cells);
    }
    let head = [
        "statement",
        "own µs",
        "copy µs",
        "EXISTS µs",
        "copy ÷ own",
        "EXISTS ÷ own",
    ];
    table::print(&head, &rows);
    world
        .superuser(Data::Sealed.name())
        .await?
        .batch_execute("VACUUM comment_own, comment_copy, comment_exists")
        .await?;
    Ok(())
}

/// Runs a loop as often as fits the budget, in a transaction that is then undone.
async fn run(db: &Db, form: &str, kind: &str, owner: u64, budget: f64) -> Outcome<f64> {
    let scope = Scope::trusted([TENANT.is(tenant(owner))]);
    let topics = (0..TOPICS_PER_TENANT).map(|number| topic(owner, number));
    let keys: Vec<Uuid> = match form {
        "point" => (0..COMMENTS_PER_TOPIC)
            .flat_map(|number| {
                (0..TOPICS_PER_TENANT).map(move |topic| comment(owner, topic, number))
            })
            .collect(),
        _ => topics.collect(),
    };
    let sql = format!("SELECT bench.{form}_{kind}($1, $2)");
    let tx = db.begin(&scope).await?;
    let first: f64 = tx.scalar(&sql, [2.into(), keys.clone().into()]).await?;
    let times = (budget / first.max(1.0)).clamp(1.0, 5_000.0) as i32;
    let took = tx.scalar(&sql, [times.into(), keys.into()]).await?;
    tx.rollback().await?;
    Ok(took)
}
