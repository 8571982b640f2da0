//! The light as somebody would work it out with the log and a wall calendar: day by day, from what
//! the events say happened, and from the numbers of the rule. It asks the crate for no due time.

use std::time::Duration;

use domain_calendar::{Calendar, Timestamp};
use domain_supervision::{
    AssignmentChange, AssignmentEvent, Circumstance, DayKind, DueTimes, Grade, Light, Milestone,
    MilestoneChange, Role, Rule, SideRoad, Span, StandingThen, TaskChange, TaskEvent, Terms,
};
use time::Date;

/// What the log says of the task as a whole.
struct Matter {
    grade: Grade,
    terms: Terms,
    due_date: Option<Date>,
    milestones: Vec<Milestone>,
    issued_at: Option<Timestamp>,
    /// The day of the event that was waited for, and when it was recorded first.
    happened: Option<(Date, Timestamp)>,
    rebased_at: Option<Timestamp>,
    led: bool,
}

/// What the log says of one unit's part.
struct Part {
    unit: String,
    former: Vec<String>,
    role: Role,
    stands: Stands,
    given_at: Option<Timestamp>,
    signed: bool,
    deployed: bool,
    reported_at: Option<Timestamp>,
    sent_back_at: Option<Timestamp>,
    counted_from: Option<Timestamp>,
    asked_at: Option<Timestamp>,
    waits_since: Option<Timestamp>,
    wait_holds: bool,
    /// From when, until when, by how much, and whether its steps stood still, too.
    pauses: Vec<(Timestamp, Timestamp, Duration, bool)>,
    /// The last day it was granted, when, and what it had waited by then.
    granted: Option<(Date, Timestamp, Duration)>,
    /// When it was granted more only after it had been due.
    granted_late: Option<Timestamp>,
    kept: Option<(DueTimes, Timestamp, Duration)>,
    shifts: Vec<(Timestamp, Duration)>,
    reached: Vec<(Date, String)>,
    milestones_done: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Stands {
    Nowhere,
    Working,
    Submitted(Timestamp),
    Returned(Timestamp),
    Suspended(Timestamp),
    StruckOff,
    Withdrawn,
}

/// The light of an assignment at an instant.
pub(crate) fn light(
    log: &[TaskEvent],
    name: &str,
    rule: &Rule,
    calendar: &Calendar,
    now: Timestamp,
) -> Light {
    let TaskEvent::Task(first) = &log[0] else { panic!("a log begins with its task") };
    let TaskChange::Created { draft, .. } = &first.change else { panic!("it was created") };
    let mut matter = Matter {
        grade: draft.grade,
        terms: draft.terms.clone(),
        due_date: draft.due_date,
        milestones: draft.milestones.clone(),
        issued_at: None,
        happened: None,
        rebased_at: None,
        led: draft.assignments.iter().any(|one| one.role == Role::Lead),
    };
    let named = draft.assignments.iter().find(|one| one.name == name);
    let mut part = named.map_or_else(|| Part::of("", Role::Cooperating), |one| Part::of(&one.unit, one.role));
    for event in log {
        match event {
            TaskEvent::Task(event) => whole(&mut matter, &mut part, name, &event.change, event.at),
            TaskEvent::Assignment(event) if event.assignment.name == name => part.lives(event),
            TaskEvent::Assignment(_) => {}
        }
    }
    match part.stands {
        Stands::StruckOff => Light::Blue,
        Stands::Nowhere | Stands::Withdrawn | Stands::Suspended(_) => Light::Grey,
        Stands::Working | Stands::Submitted(_) | Stands::Returned(_) => {
            Wall { rule, calendar }.light(&matter, &part, now)
        }
    }
}

fn whole(matter: &mut Matter, part: &mut Part, name: &str, change: &TaskChange, at: Timestamp) {
    match change {
        TaskChange::Issued { .. } => {
            matter.issued_at = Some(at);
            (part.stands, part.given_at) = (Stands::Working, Some(at));
        }
        TaskChange::Backfilled { issued_at, assignments, .. } => {
            matter.issued_at = Some(*issued_at);
            part.given_at = Some(*issued_at);
            part.counted_from = Some(at);
            // Whoever is added later is not in it.
            if let Some(mine) = assignments.iter().find(|one| one.facts.name == name) {
                (part.signed, part.deployed, part.stands) = match mine.standing {
                    StandingThen::Assigned => (false, false, Stands::Working),
                    StandingThen::Signed => (true, false, Stands::Working),
                    StandingThen::Deployed | StandingThen::InProgress => (true, true, Stands::Working),
                    StandingThen::StruckOff { .. } => (true, true, Stands::StruckOff),
                };
            }
        }
        TaskChange::Revised { after, .. } => {
            if (matter.due_date, &matter.milestones) != (after.due_date, &after.milestones) {
                part.kept = None;
            }
            matter.due_date = after.due_date;
            matter.milestones.clone_from(&after.milestones);
        }
        TaskChange::Rebased { .. } => {
            matter.rebased_at = Some(at);
            part.kept = None;
        }
        TaskChange::Withdrawn { assignments, .. } if assignments.iter().any(|one| one.name == name) => {
            part.stands = Stands::Withdrawn;
        }
        TaskChange::Circumstance { circumstance, .. } => match circumstance {
            Circumstance::EventRecorded { on, .. } => {
                matter.happened = Some((*on, matter.happened.map_or(at, |(_, first)| first)));
                part.kept = None;
            }
            Circumstance::OccurrenceCorrected { to, .. } => {
                matter.terms.occurred_at = Some(*to);
                part.kept = None;
            }
            Circumstance::Designated { .. } => {}
        },
        TaskChange::CooperatingAdded { assignments, .. } => {
            if let Some(mine) = assignments.iter().find(|one| one.name == name) {
                *part = Part::of(&mine.unit, mine.role);
                (part.stands, part.given_at) = (Stands::Working, Some(at));
            }
        }
        _ => {}
    }
}

impl Part {
    fn of(unit: &str, role: Role) -> Self {
        Part {
            unit: unit.to_owned(),
            former: vec![],
            role,
            stands: Stands::Nowhere,
            given_at: None,
            signed: false,
            deployed: false,
            reported_at: None,
            sent_back_at: None,
            counted_from: None,
            asked_at: None,
            waits_since: None,
            wait_holds: false,
            pauses: vec![],
            granted: None,
            granted_late: None,
            kept: None,
            shifts: vec![],
            reached: vec![],
            milestones_done: false,
        }
    }

    fn waited(&self) -> Duration {
        self.pauses.iter().map(|(_, _, moved, _)| *moved).sum()
    }

    /// When a pause ended in which it would have been due but for it and those after; it was known
    /// what had been waited before.
    fn held_beyond(&self, due: Timestamp, known: Duration) -> Option<Timestamp> {
        let mut sum = Duration::ZERO;
        let with_sums = self.pauses.iter().map(|(_, until, moved, _)| {
            sum += *moved;
            (*until, sum - *moved, sum)
        });
        let with_sums: Vec<_> = with_sums.collect();
        let after = with_sums.into_iter().filter(|(_, _, with)| *with > known);
        let beyond = after.filter(|(until, without, _)| due.saturating_sub(sum - *without) <= *until);
        beyond.map(|(until, ..)| until).max()
    }

    fn pause(&mut self, from: Timestamp, until: Timestamp, moved: Duration, steps: bool) {
        if !moved.is_zero() {
            self.pauses.push((from, until, moved, steps));
        }
    }

    fn end_wait(&mut self, at: Timestamp) {
        if let Some(since) = self.waits_since.take().filter(|_| self.wait_holds) {
            self.pause(since, at, at.since(since), false);
        }
        self.wait_holds = false;
    }

    fn lives(&mut self, event: &AssignmentEvent) {
        let at = event.at;
        match &event.change {
            AssignmentChange::Signed => self.signed = true,
            AssignmentChange::Deployed { .. } => self.deployed = true,
            AssignmentChange::Reported { .. } => self.reported_at = Some(at),
            AssignmentChange::Milestone(MilestoneChange::Reached { milestone, .. }) => {
                self.reported_at = Some(at);
                self.reached.push((milestone.last_day, milestone.text.clone()));
            }
            AssignmentChange::Milestone(MilestoneChange::SentBack { milestone, .. }) => {
                let named = (milestone.last_day, milestone.text.clone());
                self.reached.retain(|one| *one != named);
            }
            AssignmentChange::Submitted { request_waited, .. } => {
                if let (Some(since), Some(waited)) = (self.asked_at.take(), request_waited) {
                    self.pause(since, at, *waited, false);
                }
                self.end_wait(at);
                (self.stands, self.reported_at) = (Stands::Submitted(at), Some(at));
            }
            AssignmentChange::SentBack { .. } => {
                let Stands::Submitted(since) = self.stands else {
                    panic!("sent back before it was submitted")
                };
                self.pause(since, at, at.since(since), false);
                (self.stands, self.sent_back_at) = (Stands::Working, Some(at));
            }
            AssignmentChange::StruckOff { .. } => {
                self.stands = Stands::StruckOff;
                (self.asked_at, self.waits_since, self.wait_holds) = (None, None, false);
            }
            AssignmentChange::ExtensionRequested { .. } => self.asked_at = Some(at),
            AssignmentChange::ExtensionGranted { last_day, charged, moved, .. } => {
                let since = self.asked_at.take().unwrap();
                self.shifts.push((since, *moved));
                self.granted = Some((*last_day, at, self.waited()));
                if end(*last_day).saturating_sub(*moved) <= at {
                    self.granted_late = Some(at);
                }
                self.pause(since, at, *charged, false);
            }
            AssignmentChange::ExtensionRefused { .. } => {
                let since = self.asked_at.take().unwrap();
                self.pause(since, at, at.since(since), false);
            }
            AssignmentChange::DeadlineRecomputed { kept, .. } if *kept != DueTimes::default() => {
                self.kept = Some((*kept, at, self.waited()));
            }
            AssignmentChange::SideRoad(change) => self.leaves(change, at),
            _ => {}
        }
    }

    fn leaves(&mut self, change: &SideRoad, at: Timestamp) {
        match change {
            SideRoad::Returned { .. } => (self.stands, self.signed) = (Stands::Returned(at), true),
            SideRoad::ReturnRefused { .. } => {
                if let Stands::Returned(since) = self.stands {
                    self.pause(since, at, at.since(since), true);
                }
                self.stands = Stands::Working;
            }
            SideRoad::Reassigned { from, to, dated, .. } => {
                let given_at = self.given_at.unwrap();
                let mut former = std::mem::take(&mut self.former);
                former.push(from.clone());
                *self = Part { former, ..Part::of(to, self.role) };
                (self.stands, self.given_at) = (Stands::Working, Some(at));
                if *dated {
                    self.pause(given_at, at, at.since(given_at), false);
                }
            }
            SideRoad::Suspended { .. } => self.stands = Stands::Suspended(at),
            SideRoad::Resumed { .. } => {
                if let Stands::Suspended(since) = self.stands {
                    self.pause(since, at, at.since(since), true);
                }
                self.stands = Stands::Working;
            }
            SideRoad::WaitRequested { .. } => self.waits_since = Some(at),
            SideRoad::WaitHeld { .. } => self.wait_holds = true,
            SideRoad::WaitRefused { .. } => self.waits_since = None,
            SideRoad::WaitEnded { .. } => self.end_wait(at),
            SideRoad::Rechecked { .. } => {}
            SideRoad::Reopened { last_day, .. } => {
                (self.stands, self.signed, self.deployed) = (Stands::Working, true, true);
                (self.counted_from, self.milestones_done) = (Some(at), true);
                (self.granted, self.granted_late) = (Some((*last_day, at, self.waited())), Some(at));
            }
        }
    }
}

/// A wall calendar and the numbers of a rule.
struct Wall<'a> {
    rule: &'a Rule,
    calendar: &'a Calendar,
}

/// When an instant that is due has come, and when little time is left before it.
struct Limit {
    due: Timestamp,
    yellow: Option<Timestamp>,
}

impl Wall<'_> {
    fn light(&self, matter: &Matter, part: &Part, now: Timestamp) -> Light {
        let Some(given_at) = part.given_at else { return Light::Grey };
        let start = match (matter.terms.occurred_at, &matter.terms.awaits, matter.happened) {
            (Some(occurred), ..) if matter.issued_at == Some(given_at) => occurred,
            (None, Some(_), None) => return Light::Grey,
            (None, Some(_), Some((_, first))) => given_at.max(first),
            (Some(_), ..) | (None, None, _) => given_at,
        };
        let held = match part.stands {
            Stands::Submitted(since) | Stands::Returned(since) => Some(since),
            _ => part.asked_at.or(part.waits_since.filter(|_| part.wait_holds)),
        };
        let until = held.unwrap_or(now);
        let (settle, long) = self.settle(matter, part, start);
        let next = self.next_milestone(matter, part, start, settle.due);
        let come = |at: Timestamp| at <= until;
        if come(settle.due) || next.as_ref().is_some_and(|one| come(one.due)) {
            return Light::Red;
        }
        let short = |limit: &Limit| limit.yellow.is_some_and(come);
        if short(&settle) || next.as_ref().is_some_and(short) {
            return Light::Yellow;
        }
        // Steps stand still for what the unit has given away, and not for what it only asked for.
        let steps_until = match part.stands {
            Stands::Submitted(_) => return Light::Green,
            Stands::Returned(since) => since,
            _ => now,
        };
        let counts = |due: &Timestamp| part.counted_from.is_none_or(|from| *due > from);
        let steps = self.steps(matter, part, start, (settle.due, long));
        let late = steps.into_iter().filter(counts).any(|due| due <= steps_until);
        if late { Light::Yellow } else { Light::Green }
    }

    /// When the matter is to be settled, and whether it is one of cycles.
    fn settle(&self, matter: &Matter, part: &Part, start: Timestamp) -> (Limit, Option<Option<Timestamp>>) {
        let named = match (&matter.terms.awaits, matter.happened) {
            (Some(awaited), Some((on, _))) => matter.due_date.or(Some(self.on_the_wall(on, awaited.latest))),
            (Some(_), None) => matter.due_date,
            (None, _) => matter.due_date.or(matter.milestones.iter().map(|one| one.last_day).max()),
        };
        let urgent = matter.terms.occurred_at.is_some();
        let long_by = |named: Option<Date>| {
            let far = self.last_day(start.day(), self.rule.long_term_beyond);
            matter.terms.awaits.is_none()
                && (named.is_some_and(|day| day > far) || (matter.grade == Grade::LongTerm && !urgent))
        };
        let end_by = |named: Option<Date>| match (named, matter.grade) {
            (Some(day), _) => end(day),
            (None, _) if urgent => start.saturating_add(Duration::from_secs(3_600)),
            (None, Grade::Ordinary) => end(self.last_day(start.day(), self.rule.ordinary_settled_within)),
            (None, Grade::Major) => end(self.last_day(start.day(), self.rule.major_settled_within)),
            (None, Grade::LongTerm) => {
                let mut day = start.day();
                while (u8::from(day.month()), day.day()) != (12, 31) {
                    day = day.next_day().unwrap();
                }
                end(day)
            }
        };
        let asked = end_by(named);
        let mut promised = (asked, asked.saturating_add(part.waited()), long_by(named).then_some(None));
        let mut known = Duration::ZERO;
        if let Some((day, at, before)) = part.granted {
            let due = end(day).saturating_add(part.waited() - before);
            if due > promised.1 {
                // What becomes a matter of cycles by it owes nothing for those before.
                let short = !long_by(named) && matter.terms.awaits.is_none();
                let from = if short { Some(at) } else { part.granted_late };
                promised = (end(day), due, long_by(Some(day)).then_some(from));
                known = before;
            }
        }
        if let Some((kept, _, before)) = &part.kept
            && let Some(day) = kept.settle
        {
            let due = day.saturating_add(part.waited() - *before);
            if due > promised.1 {
                promised = (day, due, promised.2);
                known = *before;
            }
        }
        let (end, due, long) = promised;
        let long = long.map(|from: Option<Timestamp>| from.max(part.held_beyond(due, known)));
        (Limit { due, yellow: self.yellow(start, end, due) }, long)
    }

    fn next_milestone(
        &self,
        matter: &Matter,
        part: &Part,
        start: Timestamp,
        settle: Timestamp,
    ) -> Option<Limit> {
        let settling = if matter.led { Role::Lead } else { Role::Responsible };
        let mut open = Vec::new();
        for one in matter.milestones.iter().filter(|_| !part.milestones_done) {
            let mine = one.units.iter().any(|unit| *unit == part.unit || part.former.contains(unit));
            let named = if one.units.is_empty() { part.role == settling } else { mine };
            let mut moves: Vec<_> = part.pauses.iter().map(|(from, _, moved, _)| (*from, *moved)).collect();
            moves.extend(&part.shifts);
            moves.sort();
            let mut due = end(one.last_day);
            for (since, by) in moves {
                if since < due {
                    due = due.saturating_add(by);
                }
            }
            let began = end(one.last_day) > start && part.counted_from.is_none_or(|from| due > from);
            let reached = part.reached.contains(&(one.last_day, one.text.clone()));
            if named && began && !reached && due < settle {
                open.push((due, self.yellow(start, end(one.last_day), due)));
            }
        }
        open.into_iter().min_by_key(|(due, _)| *due).map(|(due, yellow)| Limit { due, yellow })
    }

    /// The steps that are not done, each with when it is due.
    fn steps(
        &self,
        matter: &Matter,
        part: &Part,
        start: Timestamp,
        (settle, long): (Timestamp, Option<Option<Timestamp>>),
    ) -> Vec<Timestamp> {
        let call = matter.terms.occurred_at.map(|_| start.saturating_add(Duration::from_secs(1_800)));
        let by_rule = |within: Span| call.unwrap_or_else(|| end(self.last_day(start.day(), within)));
        let stood_still = |due: Timestamp| {
            let still = part.pauses.iter().filter(|(_, _, _, steps)| *steps);
            still.fold(
                due,
                |due, (from, _, moved, _)| if *from < due { due.saturating_add(*moved) } else { due },
            )
        };
        let kept = part.kept.map(|(due, at, _)| (due, at));
        let at_least = |due: Timestamp, kept: Option<Timestamp>| kept.map_or(due, |kept| kept.max(due));
        let mut steps = Vec::new();
        if !part.signed {
            steps.push(at_least(by_rule(self.rule.sign_within), kept.and_then(|(due, _)| due.sign)));
        }
        if matter.terms.awaits.is_some() {
            return steps;
        }
        match long {
            None => {
                if !part.deployed {
                    let due = stood_still(by_rule(self.rule.deploy_within));
                    steps.push(at_least(due, kept.and_then(|(due, _)| due.deploy)));
                }
                let due = stood_still(by_rule(self.rule.report_within));
                let due = at_least(due, kept.and_then(|(due, _)| due.report));
                if part.reported_at.is_none() && due < settle {
                    steps.push(due);
                }
            }
            Some(cycles_from) => {
                let resumed =
                    part.pauses.iter().filter(|(_, _, _, steps)| *steps).map(|(_, until, ..)| *until);
                let not_before = [
                    cycles_from,
                    part.sent_back_at,
                    part.counted_from,
                    matter.rebased_at,
                    resumed.max(),
                    kept.map(|(_, at)| at),
                ];
                let not_before = not_before.into_iter().flatten().max();
                // The cycle that a report falls into is answered by it.
                let mut answered = part.reported_at.is_none();
                for months in 1.. {
                    let cycle = end(self.on_the_wall(start.day(), Span::Months(months)));
                    if cycle >= settle {
                        break;
                    }
                    if part.reported_at.is_some_and(|report| cycle <= report) {
                        continue;
                    }
                    if !answered {
                        answered = true;
                        continue;
                    }
                    if not_before.is_none_or(|from| cycle > from) {
                        steps.push(cycle);
                        break;
                    }
                }
            }
        }
        steps
    }

    /// A day of the rule, counted on the wall.
    fn last_day(&self, start: Date, within: Span) -> Date {
        let working = self.rule.day_kind == DayKind::Working;
        let mut day = start;
        match within {
            Span::Minutes(_) => return start,
            // What is to be done the same day is done on the next worked one.
            Span::Days(0) => {
                while working && !self.calendar.is_working_day(day) {
                    day = day.next_day().unwrap();
                }
            }
            Span::Days(days) => {
                let mut counted = 0;
                while counted < days {
                    day = day.next_day().unwrap();
                    if !working || self.calendar.is_working_day(day) {
                        counted += 1;
                    }
                }
            }
            Span::Months(_) => {
                day = self.on_the_wall(start, within);
                while working && !self.calendar.is_working_day(day) {
                    day = day.next_day().unwrap();
                }
            }
        }
        day
    }

    /// So many days or months on, whatever day that is: the same day of the month, or its last.
    fn on_the_wall(&self, start: Date, span: Span) -> Date {
        let mut day = start;
        match span {
            Span::Minutes(_) => {}
            Span::Days(days) => (0..days).for_each(|_| day = day.next_day().unwrap()),
            Span::Months(months) => {
                for _ in 0..months {
                    while day.next_day().unwrap().month() == day.month() {
                        day = day.next_day().unwrap();
                    }
                    day = day.next_day().unwrap();
                }
                while day.day() < start.day() && day.next_day().unwrap().month() == day.month() {
                    day = day.next_day().unwrap();
                }
            }
        }
        day
    }

    /// A fifth of the time and a day at the least; nothing below three days.
    fn yellow(&self, start: Timestamp, end: Timestamp, due: Timestamp) -> Option<Timestamp> {
        let total = end.since(start);
        let hour = Duration::from_secs(3_600);
        (total >= hour * 72).then(|| due.saturating_sub((total / 5).max(hour * 24)))
    }
}

/// The instant at which a day is over.
fn end(day: Date) -> Timestamp {
    Timestamp::start_of_day(day.next_day().unwrap())
}
