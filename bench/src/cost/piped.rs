//! Whole calls over one connection, many in flight, so that the server never waits for the client:
//! what a call costs its backend, by the scheduler's count.

use futures_util::future::try_join_all;
use partywall::{Scope, Sql, TENANT};

use super::form::{Begin, DEPTH, Form};
use crate::{
    arguments::Arguments,
    outcome::Outcome,
    statistics::Spread,
    table,
    world::{Data, PEER, TENANTS, World, tenant},
};

/// As Partywall sends it.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE NOT DEFERRABLE";

pub(super) async fn measure(world: &World, arguments: &Arguments) -> Outcome {
    table::heading("In the server: whole calls");
    println!(
        "{} rounds, {DEPTH} calls in flight on one connection. µs of the backend's processor time for \
         each call, the lowest of the rounds, and the ratio to the first line: median (lowest–highest).\n",
        arguments.rounds
    );
    let calls = if arguments.quick { 320 } else { 6_400 };
    let superuser = world.superuser_url(Data::Sealed, None)?;
    let app = |data| world.url(world.schema(data).roles().app(), data, None);
    let enter = Some("SELECT partywall.enter($1::text, $2::integer)");
    let set_config = Some("SELECT set_config('peer.tenant', $1, true)");
    let (app_off, app_on) = (app(Data::Unsealed)?, app(Data::Sealed)?);
    let peer = world.url(PEER, Data::Peer, None)?;
    let (not, short) = (Begin::Not, Begin::Text("BEGIN"));
    let (long, prepared) = (Begin::Text(BEGIN), Begin::Prepared(BEGIN));
    let (on, off) = (Data::Sealed, Data::Unsealed);
    let forms = try_join_all([
        Form::open("by hand, no policy", &superuser, None, not, on),
        Form::open("BEGIN, by hand, COMMIT", &superuser, None, short, on),
        Form::open(
            "BEGIN, set_config, COMMIT",
            &peer,
            set_config,
            short,
            Data::Peer,
        ),
        Form::open(
            "Partywall, seal off, BEGIN as text",
            &app_off,
            enter,
            long,
            off,
        ),
        Form::open("Partywall, seal off", &app_off, enter, prepared, off),
        Form::open("Partywall, seal on", &app_on, enter, prepared, on),
    ])
    .await?;
    let sealed = world.db(Data::Sealed, None, 1).await?;
    let unsealed = world.db(Data::Unsealed, None, 1).await?;
    let mut figures = vec![[Vec::new(), Vec::new()]; forms.len()];
    for round in 0..=arguments.rounds {
        for (form, figures) in forms.iter().zip(&mut figures) {
            let owner = fastrand::u64(..TENANTS);
            let scope = Scope::trusted([TENANT.is(tenant(owner))]);
            let read = "SELECT current_setting('partywall.context')";
            let context: String = match form.data {
                Data::Peer => tenant(owner).to_string(),
                Data::Sealed => sealed.scoped(&scope).scalar(read, []).await?,
                Data::Unsealed => unsealed.scoped(&scope).scalar(read, []).await?,
            };
            for (list, figures) in [false, true].into_iter().zip(figures) {
                let took = form.run(list, calls, owner, &context).await?;
                if round > 0 {
                    figures.push(took);
                }
            }
        }
    }
    let base = figures.first().cloned().unwrap_or_default();
    let rows: Vec<Vec<String>> = forms
        .iter()
        .zip(&figures)
        .map(|(form, figures)| {
            let mut cells = vec![form.title.to_owned()];
            for (figures, base) in figures.iter().zip(&base) {
                cells.push(format!("{:.1}", Spread::of(figures.iter().copied()).low));
                let ratios = figures.iter().zip(base).map(|(figure, base)| figure / base);
                cells.push(Spread::of(ratios).to_string());
            }
            cells
        })
        .collect();
    table::print(
        &["call", "point µs", "ratio", "list of 50 µs", "ratio"],
        &rows,
    );
    Ok(())
}
