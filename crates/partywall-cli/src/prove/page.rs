use askama::Template;
use partywall_audit::{Attack, Inferred, Outcome, Proof, Taken};

use super::{
    attack::name,
    matrix::{context, count, reasons, version},
    standing::{Standing, roles},
};
use crate::{failure::Failure, terminal::shown};

/// One self-contained page. Everything that comes from the database is escaped by the template, and what could turn the
/// direction of writing or hide is made visible before.
#[derive(Template)]
#[template(path = "proof.html")]
struct Page<'a> {
    tool: &'a str,
    database: String,
    server: String,
    at: String,
    place: String,
    app_place: String,
    read_only: bool,
    attacker: String,
    victim: String,
    breaches: Vec<Breach>,
    accepted: Vec<AcceptedBreach>,
    not_run: Vec<Reason>,
    columns: Vec<Head>,
    left_out: String,
    attacks: Vec<Head>,
    rows: Vec<Row>,
    taken: Vec<Assumed>,
    undecided: Vec<(String, String)>,
    details: Vec<Detail>,
    tables: usize,
    breach_count: usize,
    accepted_count: usize,
    not_run_count: usize,
    held_count: usize,
}

struct Head {
    name: String,
    what: &'static str,
}

struct Row {
    table: String,
    role: String,
    cells: Vec<Sign>,
}

struct Sign {
    class: &'static str,
    symbol: &'static str,
    words: &'static str,
    attack: String,
}

struct Breach {
    number: usize,
    attack: String,
    table: String,
    role: String,
    what: String,
    statement: String,
    control: String,
}

struct AcceptedBreach {
    attack: String,
    table: String,
    role: String,
    what: String,
    reason: String,
}

struct Reason {
    why: String,
    places: String,
}

struct Assumed {
    kind: &'static str,
    value: String,
    because: String,
}

struct Detail {
    table: String,
    cells: Vec<DetailCell>,
}

struct DetailCell {
    attack: String,
    role: String,
    class: &'static str,
    words: &'static str,
    control: String,
}

/// Makes the page.
pub(super) fn of(
    proof: &Proof,
    place: &str,
    app_place: Option<String>,
    read_only: bool,
) -> Result<String, Failure> {
    let columns = columns(proof);
    let page = Page {
        tool: env!("CARGO_PKG_VERSION"),
        database: shown(&proof.database),
        server: shown(version(&proof.server)),
        at: proof.at.clone(),
        place: shown(place).replace('`', ""),
        app_place: shown(&app_place.unwrap_or_default()).replace('`', ""),
        read_only,
        attacker: shown(&context(&proof.attacker)),
        victim: shown(&context(&proof.victim)),
        breaches: breaches(proof),
        accepted: accepted(proof),
        not_run: reasons(proof)
            .into_iter()
            .map(|(why, places)| Reason {
                why: shown(&why),
                places: shown(
                    &places
                        .iter()
                        .map(|(table, attack)| format!("{table} ({attack})"))
                        .collect::<Vec<_>>()
                        .join(", "),
                ),
            })
            .collect(),
        columns: columns.iter().map(head).collect(),
        left_out: Attack::ALL
            .iter()
            .filter(|attack| !columns.contains(attack))
            .map(|attack| name(*attack))
            .collect::<Vec<_>>()
            .join(", "),
        attacks: Attack::ALL.iter().map(head).collect(),
        rows: rows(proof, &columns),
        taken: taken(&proof.inferred),
        undecided: proof
            .inferred
            .undecided
            .iter()
            .map(|(table, why)| (shown(table), shown(why)))
            .collect(),
        details: details(proof),
        tables: proof.tables.len(),
        breach_count: count(proof, Standing::Breach),
        accepted_count: count(proof, Standing::Accepted),
        not_run_count: count(proof, Standing::NotRun),
        held_count: count(proof, Standing::Held),
    };
    Ok(page.render()?)
}

/// The attacks that some table has something for: empty columns only make the others narrow.
fn columns(proof: &Proof) -> Vec<Attack> {
    let cells = || proof.tables.iter().flat_map(|table| &table.cells);
    Attack::ALL
        .iter()
        .copied()
        .filter(|attack| {
            cells().any(|cell| cell.attack == *attack && Standing::of(cell) != Standing::Absent)
        })
        .collect()
}

fn head(attack: &Attack) -> Head {
    Head {
        name: name(*attack),
        what: attack.title(),
    }
}

fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Absent => "absent",
        Standing::Held => "held",
        Standing::Accepted => "accepted",
        Standing::NotRun => "unknown",
        Standing::Breach => "breach",
    }
}

fn breaches(proof: &Proof) -> Vec<Breach> {
    proof
        .breaches()
        .enumerate()
        .filter_map(|(at, (table, cell))| {
            let Outcome::Breach { statement, what } = &cell.outcome else {
                return None;
            };
            Some(Breach {
                number: at + 1,
                attack: name(cell.attack),
                table: shown(table),
                role: shown(&cell.role),
                what: shown(what),
                statement: shown(statement),
                control: shown(&cell.control),
            })
        })
        .collect()
}

fn accepted(proof: &Proof) -> Vec<AcceptedBreach> {
    let cells = proof
        .tables
        .iter()
        .flat_map(|table| table.cells.iter().map(move |cell| (&table.table, cell)));
    cells
        .filter_map(|(table, cell)| {
            let (Outcome::Breach { what, .. }, Some(reason)) = (&cell.outcome, &cell.accepted)
            else {
                return None;
            };
            Some(AcceptedBreach {
                attack: name(cell.attack),
                table: shown(table),
                role: shown(&cell.role),
                what: shown(what),
                reason: shown(reason),
            })
        })
        .collect()
}

fn rows(proof: &Proof, columns: &[Attack]) -> Vec<Row> {
    proof
        .tables
        .iter()
        .flat_map(|table| roles(table).into_iter().map(move |role| (table, role)))
        .map(|(table, role)| Row {
            table: shown(&table.table),
            role: shown(role),
            cells: columns
                .iter()
                .map(|attack| {
                    let standing = Standing::among(table, role, *attack);
                    Sign {
                        class: class(standing),
                        symbol: standing.symbol(),
                        words: standing.words(),
                        attack: name(*attack),
                    }
                })
                .collect(),
        })
        .collect()
}

fn taken(inferred: &Inferred) -> Vec<Assumed> {
    let root: Vec<Taken> = inferred.root.iter().cloned().collect();
    let groups: [(&'static str, &[Taken]); 5] = [
        ("table of the tenants", &root),
        ("tenant column", &inferred.tenant_columns),
        ("application role", &inferred.app_roles),
        ("context setting", &inferred.contexts),
        ("global table", &inferred.globals),
    ];
    groups
        .into_iter()
        .flat_map(|(kind, taken)| taken.iter().map(move |it| (kind, it)))
        .map(|(kind, it)| Assumed {
            kind,
            value: shown(&it.value),
            because: shown(&it.because),
        })
        .collect()
}

fn details(proof: &Proof) -> Vec<Detail> {
    proof
        .tables
        .iter()
        .map(|table| Detail {
            table: shown(&table.table),
            cells: table
                .cells
                .iter()
                .filter(|cell| Standing::of(cell) != Standing::Absent)
                .map(|cell| DetailCell {
                    attack: name(cell.attack),
                    role: shown(&cell.role),
                    class: class(Standing::of(cell)),
                    words: Standing::of(cell).words(),
                    control: shown(&cell.control),
                })
                .collect(),
        })
        .collect()
}
