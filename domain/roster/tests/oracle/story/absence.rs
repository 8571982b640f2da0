//! Absences and what is done to them.

use domain_roster::{
    Absence, AbsenceCancelled, AbsenceCorrected, AbsenceEnded, AbsenceExtended, AbsenceStarted, RosterEvent,
    Scope, Share,
};

use super::{Leave, STEPS, Teller, step};

impl Teller<'_> {
    /// Times that overlap no other absence of the official, as all is known.
    fn free_times(&mut self, official: &str, except: Option<&str>) -> Option<(i64, i64)> {
        let start = self.dice.between(10, STEPS - 20);
        let end = start + self.dice.between(1, 20);
        self.is_free(official, except, start, end).then_some((start, end))
    }

    fn is_free(&self, official: &str, except: Option<&str>, start: i64, end: i64) -> bool {
        self.absences.iter().all(|leave| {
            leave.absence.official != official
                || Some(leave.absence.name.as_str()) == except
                || leave.known.is_none_or(|(other_start, other_end)| end <= other_start || other_end <= start)
        })
    }

    pub(super) fn leave(&mut self) {
        let official = if self.dice.one_in(3) { self.anybody() } else { self.any_leader() };
        let Some((start, end)) = self.free_times(&official, None) else { return };
        let other = |teller: &mut Self| Some(teller.anybody()).filter(|other| *other != official);
        let stand_in = if self.dice.one_in(3) { other(self) } else { None };
        let mut shares = Vec::new();
        if self.dice.one_in(3) {
            for _ in 0..1 + self.dice.below(2) {
                let scope = self.scope();
                shares.extend(other(self).map(|stand_in| Share { stand_in, scope }));
            }
        }
        let excluded = if self.dice.one_in(6) { self.scope() } else { Scope::default() };
        let absence = Absence {
            name: format!("absences/a{}", self.absences.len()),
            official,
            start_time: step(start),
            end_time: step(end),
            stand_in,
            shares,
            excluded,
            reason: String::new(),
            approval: Some("市长批示".to_owned()),
            reassignment: None,
            recorded_at: step(self.now),
            changes: vec![],
        };
        self.absences.push(Leave { absence: absence.clone(), known: Some((start, end)), early: false });
        let (name, official) = (absence.name.clone(), absence.official.clone());
        self.record(RosterEvent::AbsenceCreated(absence));
        if self.dice.one_in(6) {
            self.record(RosterEvent::AbsenceStarted(AbsenceStarted {
                absence: name,
                official,
                acting: None,
                start_time: step(start),
                end_time: step(end),
                authorities: vec![],
            }));
        }
    }

    pub(super) fn change_leave(&mut self) {
        if self.absences.is_empty() {
            return;
        }
        let place = self.dice.below(self.absences.len());
        let Leave { absence, known: Some((start, end)), early } = &self.absences[place] else { return };
        let (name, official, start, end, early) =
            (absence.name.clone(), absence.official.clone(), *start, *end, *early);
        let (start_time, previous_end_time) = (step(start), step(end));
        let (known, ended_early, event) = match self.dice.below(5) {
            // At its end: changes nothing.
            0 => {
                let end_time = previous_end_time;
                let ended = AbsenceEnded {
                    acts: None,
                    absence: name,
                    official,
                    acting: None,
                    start_time,
                    end_time,
                    early: false,
                };
                (Some((start, end)), early, RosterEvent::AbsenceEnded(ended))
            }
            1 if start < end => {
                let back = self.dice.between(start, end - 1);
                let end_time = step(back);
                let ended = AbsenceEnded {
                    absence: name,
                    official,
                    acting: None,
                    start_time,
                    end_time,
                    early: true,
                    acts: None,
                };
                (Some((start, back)), true, RosterEvent::AbsenceEnded(ended))
            }
            2 if !early => {
                let later = end + self.dice.between(1, 6);
                if !self.is_free(&official, Some(&name), start, later) {
                    return;
                }
                let extended = AbsenceExtended {
                    absence: name,
                    official,
                    start_time,
                    end_time: step(later),
                    previous_end_time,
                    approval: None,
                    reassignment: None,
                };
                (Some((start, later)), false, RosterEvent::AbsenceExtended(extended))
            }
            3 => {
                let Some((start, end)) = self.free_times(&official, Some(&name)) else { return };
                let corrected = AbsenceCorrected {
                    approval: None,
                    reassignment: None,
                    absence: name,
                    official,
                    start_time: step(start),
                    end_time: step(end),
                    reason: "登记有误".to_owned(),
                };
                (Some((start, end)), false, RosterEvent::AbsenceCorrected(corrected))
            }
            _ => {
                let cancelled =
                    AbsenceCancelled { absence: name, official, start_time, end_time: previous_end_time };
                (None, early, RosterEvent::AbsenceCancelled(cancelled))
            }
        };
        self.absences[place].known = known;
        self.absences[place].early = ended_early;
        self.record(event);
    }
}
