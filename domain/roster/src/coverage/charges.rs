//! [`Charges`]: what each leader is in charge of while one division is in force.

use std::collections::{BTreeMap, BTreeSet};

use domain_calendar::Timestamp;

use super::GapCause;
use super::cuts::{pieces, unit_cuts};
use super::gather::{Gather, Subject};
use crate::book::{Book, Filed};
use crate::charge::{self, FieldMatch};
use crate::division::{Division, Relation};
use crate::interval::Interval;

/// Something a leader is in charge of, and when.
pub(super) struct Charge<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) interval: Interval,
}

/// By leader, what each is in charge of.
pub(super) struct Charges<'a>(pub(super) BTreeMap<&'a str, Vec<Charge<'a>>>);

impl<'a> Charges<'a> {
    /// What nobody is in charge of goes to `gather` at once.
    pub(super) fn of(
        book: &'a Book,
        filed: Option<&'a Filed>,
        period: Interval,
        known_at: Timestamp,
        gather: &mut Gather<'a>,
    ) -> Self {
        let mut charges = Charges(BTreeMap::new());
        for unit in book.units() {
            charges.add_unit(book, filed, &unit.name, period, known_at, gather);
        }
        for (filed, field) in filed.into_iter().flat_map(|filed| {
            let fields = fields_in_charge(filed.division());
            fields.into_iter().map(move |field| (filed, field))
        }) {
            let leader = match charge::of_field(filed, &charge::field_key(field)).as_slice() {
                [] => filed.presider(),
                [FieldMatch { official, .. }] => Some(*official),
                [_, _, ..] => None,
            };
            charges.add(
                Some(filed),
                leader,
                Charge { subject: Subject::Field(field), interval: period },
                gather,
            );
        }
        charges
    }

    fn add_unit(
        &mut self,
        book: &'a Book,
        filed: Option<&'a Filed>,
        name: &'a str,
        period: Interval,
        known_at: Timestamp,
        gather: &mut Gather<'a>,
    ) {
        for interval in pieces(&unit_cuts(book, name, period, known_at)) {
            let view = book.view(interval.start, known_at);
            let Some(unit) = view.unit(name).filter(|unit| unit.exists_at(interval.start)) else { continue };
            let leader = filed.and_then(|filed| charge::of_unit(view, filed, unit));
            let leader = leader.map(|charge| charge.official);
            self.add(filed, leader, Charge { subject: Subject::Unit(name), interval }, gather);
        }
    }

    fn add(
        &mut self,
        filed: Option<&'a Filed>,
        leader: Option<&'a str>,
        charge: Charge<'a>,
        gather: &mut Gather<'a>,
    ) {
        match (filed, leader) {
            (Some(_), Some(leader)) => self.0.entry(leader).or_default().push(charge),
            (Some(filed), None) => {
                let division = filed.division().name.clone();
                gather.add(GapCause::NobodyInCharge { division }, charge.subject, charge.interval);
            }
            (None, _) => gather.add(GapCause::NoDivision, charge.subject, charge.interval),
        }
    }
}

/// The fields of work and classes of units that a division puts somebody in charge of. What one
/// merely assists with is part of another's.
pub(super) fn fields_in_charge(division: &Division) -> BTreeSet<&str> {
    let texts = division.portfolios.iter().flat_map(|portfolio| portfolio.texts());
    let in_charge = texts.filter(|(_, relation)| Relation::IN_CHARGE.contains(relation));
    in_charge.map(|(text, _)| text).collect()
}
