//! The steps of a plan, one file for each part of it, in the order of the files here.

mod build;
mod columns;
mod contract;
mod grants;
mod indexes;
mod keys;
mod ownership;
mod policies;
mod references;
mod rights;
mod roles;
mod routine;
mod spanning;
mod spare;
mod views;

pub(super) use columns::is_to_be_set;
pub(super) use references::is_left;

use super::{Note, Outline, Step};
use keys::Keys;
use spare::Spare;

/// All steps, done or not, and what is left to people.
pub(super) fn all(outline: &Outline<'_>) -> (Vec<Step>, Vec<Note>) {
    let mut spare = Spare::of(outline.catalogue);
    let mut notes = Vec::new();
    let composites = references::composites(outline, &mut spare, &mut notes);
    let keys = Keys::of(outline, &composites, &mut spare, &mut notes);
    let mut steps = Vec::new();
    if outline.tenants().next().is_none() {
        return (steps, notes);
    }
    grants::add(outline, &mut steps);
    columns::add(outline, &mut spare, &mut steps);
    keys.add(outline, &mut steps);
    references::add(outline, &composites, &mut steps);
    indexes::add(outline, &keys, &mut spare, &mut steps);
    ownership::add(outline, &mut steps);
    grants::take(outline, &mut steps);
    views::add(outline, &mut steps, &mut notes);
    views::definers(outline, &mut notes);
    views::folded(outline, &mut notes);
    policies::add(outline, &mut spare, &mut steps);
    contract::add(outline, &composites, &keys, &mut steps);
    let mut all = Vec::new();
    roles::add(outline, &steps, &mut all);
    all.extend(steps);
    (all, notes)
}
