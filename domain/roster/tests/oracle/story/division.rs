//! Divisions of work, corrections of them, and units' own AB lists.

use domain_roster::{
    ClassDuty, Division, DivisionTookEffect, Exclusion, Fallback, FieldDuty, Portfolio, Relation,
    RosterEvent, Scope, StandInList, StandInPair, UnitDuty,
};

use super::{FIELDS, LEADERS, STAFF, STEP_MICROS, STEPS, Teller, official_name, step, unit_name, written};

impl Teller<'_> {
    pub(super) fn scope(&mut self) -> Scope {
        let (units, fields) = (self.dice.below(2), self.dice.below(2));
        let units = (0..units.max(1 - fields)).map(|_| self.any_unit()).collect();
        let fields = (0..fields).map(|_| self.dice.choose(&FIELDS).to_string()).collect();
        Scope { units, fields }
    }

    /// Pairs among people in which nobody has two stand-ins.
    fn pairs(&mut self, people: &[String], most: usize) -> Vec<StandInPair> {
        let mut free = people.to_vec();
        let mut pairs = Vec::new();
        for _ in 0..self.dice.below(most + 1) {
            let Some(official) = free.pop() else { break };
            let others: Vec<&String> = people.iter().filter(|other| **other != official).collect();
            if others.is_empty() {
                break;
            }
            let stand_in = (*self.dice.choose(&others)).clone();
            let mutual = self.dice.one_in(2) && free.contains(&stand_in);
            if mutual {
                free.retain(|other| *other != stand_in);
            }
            pairs.push(StandInPair { official, stand_in, mutual });
        }
        pairs
    }

    /// A new division of work, or a correction of one on its day.
    pub(super) fn divide(&mut self) {
        let corrected = if self.divisions.is_empty() || !self.dice.one_in(4) {
            None
        } else {
            Some(self.dice.choose(&self.divisions).clone())
        };
        let effective_time = match &corrected {
            None => step(self.dice.between(-4, STEPS - 10)),
            Some(corrected) if self.dice.one_in(2) => corrected.effective_time,
            Some(corrected) => {
                let midnight = corrected.effective_time.as_micros() - step(0).as_micros();
                let day = midnight.div_euclid(6 * STEP_MICROS);
                step(day * 6 + self.dice.between(0, 5))
            }
        };
        let leaders: Vec<String> = (0..LEADERS).map(official_name).collect();
        let count = 3 + self.dice.below(LEADERS - 2);
        let mut portfolios: Vec<Portfolio> = self
            .dice
            .some(&leaders, count)
            .into_iter()
            .map(|official| Portfolio {
                official,
                presides: false,
                fields: vec![],
                units: vec![],
                classes: vec![],
            })
            .collect();
        if !self.dice.one_in(6) {
            portfolios[0].presides = true;
        }
        use Relation::{AssistsDirecting, AssistsLiaising, Directs, Liaises, Presides};
        let relations = [Directs, Directs, Directs, Presides, Liaises, AssistsDirecting, AssistsLiaising];
        let mut given: Vec<(Relation, String)> = Vec::new();
        for _ in 0..self.dice.between(4, 10) {
            let (relation, unit) = (*self.dice.choose(&relations), self.any_unit());
            if !relation.assists() && given.contains(&(relation, unit.clone())) {
                continue;
            }
            given.push((relation, unit.clone()));
            let place = self.dice.below(portfolios.len());
            portfolios[place].units.push(UnitDuty { unit, relation });
        }
        for _ in 0..self.dice.between(2, 8) {
            let relation = *self.dice.choose(&relations);
            let field = *self.dice.choose(&FIELDS);
            let text = written(self.dice, field);
            // However it is written, a field is one.
            if !relation.assists() && given.contains(&(relation, field.to_owned())) {
                continue;
            }
            given.push((relation, field.to_owned()));
            let place = self.dice.below(portfolios.len());
            if self.dice.one_in(4) {
                portfolios[place].classes.push(ClassDuty { text, relation });
            } else {
                portfolios[place].fields.push(FieldDuty { field: text, relation });
            }
        }
        let shuffled = self.dice.some(&leaders, LEADERS);
        let pairs = self.pairs(&shuffled, 4);
        let shuffled = self.dice.some(&leaders, LEADERS);
        let third_stand_ins = self.pairs(&shuffled, 2);
        let fallback = self.dice.one_in(2).then(|| {
            let count = 1 + self.dice.below(2);
            Fallback { officials: self.dice.some(&leaders, count), basis: "兜底规则".to_owned() }
        });
        let exclusions = (0..self.dice.below(3))
            .map(|_| Exclusion {
                official: self.any_leader(),
                scope: self.scope(),
                basis: "不授权".to_owned(),
            })
            .collect();
        let division = Division {
            name: format!("divisions/d{}", self.divisions.len()),
            document_number: String::new(),
            title: String::new(),
            effective_time,
            partial: self.dice.one_in(4),
            portfolios,
            pairs,
            third_stand_ins,
            fallback,
            exclusions,
            absence_limit_days: None,
            corrects: corrected.map(|corrected| corrected.name),
            record_time: step(self.now),
        };
        division.check().unwrap();
        self.divisions.push(division.clone());
        let name = division.name.clone();
        self.record(RosterEvent::DivisionCreated(division));
        if self.dice.one_in(5) {
            let told = DivisionTookEffect {
                division: name,
                effective_time,
                handovers: vec![],
                document: String::new(),
                superseded_time: None,
                field_handovers: vec![],
            };
            self.record(RosterEvent::DivisionTookEffect(told));
        }
    }

    pub(super) fn list(&mut self) {
        let people: Vec<String> = (LEADERS - 1..LEADERS + STAFF).map(official_name).collect();
        let shuffled = self.dice.some(&people, people.len());
        let list = StandInList {
            name: format!("standInLists/l{}", self.lists),
            unit: unit_name(self.dice.below(3)),
            effective_time: self.instant(),
            document_number: String::new(),
            pairs: self.pairs(&shuffled, 3),
            recorded_at: step(self.now),
        };
        self.lists += 1;
        self.record(RosterEvent::StandInListCreated(list));
    }
}
