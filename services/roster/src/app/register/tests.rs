//! What the tables say is what the log says.

mod copy;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain_calendar::{Holiday, Timestamp, YearArrangement};
use domain_roster::{
    Absence, Account, Book, Collective, Division, DutyRoster, DutySwap, DutyTeam, Interval, Mandate,
    MandateKind, Official, Portfolio, Post, PostKind, Registration, RosterEvent, Scope, Share, StandInList,
    StandInPair, Stated, Unit, UnitKind, acting_ground,
};
use time::{Date, Month};
use xietong_events::{Bus, Digest, Event};
use xietong_mesh::drain::Drain;
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::token::{Issuer, Signer, SigningKey, generate_keypair};
use xietong_mesh::{Attempt, Call, Ground, Peers, Principal, Service, ServiceName, Transaction};
use xietong_proto::roster as proto;
use xietong_store::CrashPoints;
use xietong_testkit::servers;
use xietong_timers::{Clock, MachineClock, Progress, SimulatedClock, Worker};

use super::{Register, Registers};
use crate::app::{AbsenceAct, App, DutyAct, Heard, Revision, hear};
use crate::store::body::Told;
use crate::store::records::{Kind, Record};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A service whose clock is moved by hand, and a reader of its tables that follows every write.
struct Roster {
    app: App,
    service: Service,
    clock: Arc<SimulatedClock>,
    follower: Registers,
    call: Call,
    duty: Call,
}

impl Roster {
    async fn on(database_url: String) -> Self {
        let pair = generate_keypair().unwrap();
        let key = SigningKey::from_pem(&pair.private_pem).unwrap();
        let signer = Signer::new(Issuer::System(ServiceName::Roster), key, MachineClock::system());
        let start = at("2023-05-01T09:00+08:00");
        let clock = Arc::new(SimulatedClock::starting_at(start.saturating_sub(Duration::from_secs(600))));
        clock.hold();
        clock.set(start);
        let ground = Ground {
            name: ServiceName::Roster,
            database_url,
            connections: 8,
            crash: CrashPoints::default(),
            clock: Clock::Simulated(clock.clone()),
            bus: Bus::embedded(),
            peers: Peers::new(ServiceName::Roster, &BTreeMap::new(), signer).unwrap(),
            drain: Drain::new(),
        };
        let foundation = crate::lay(ground).await.unwrap();
        let app = App::new(&foundation);
        let follower = Registers::new(foundation.db.clone());
        let principal = Principal::account("admin", None, vec![Grant::of(Role::Administrator)]);
        let principal = Arc::new(principal);
        let call = Call::new(principal.clone(), "roster.absences.end", "");
        let duty = Call::new(principal, "roster.duty_rosters.change", "");
        Roster { app, service: crate::assemble(foundation), clock, follower, call, duty }
    }

    async fn act<T>(&self, act: impl AsyncFnOnce(&App, &Transaction) -> T) -> T {
        let request = proto::CreateUnitRequest::default();
        let Attempt::First(transaction) =
            self.app.begin::<_, proto::Unit>(&self.call, &request, "").await.unwrap()
        else {
            panic!("without a request id nothing is a repeat");
        };
        let done = act(&self.app, &transaction).await;
        transaction.commit(proto::Unit::default()).await.unwrap();
        self.follower.current().await.unwrap();
        let watch = self.service.workers.iter().find(|worker| worker.name() == "roster/coverage").unwrap();
        while watch.turn().await.unwrap() == Progress::Worked {}
        self.follower.current().await.unwrap();
        done
    }

    /// Sets the clock and fires what is due by then.
    async fn advance(&self, to: &str) {
        self.clock.set(at(to));
        let timers = self.service.timers.as_ref().unwrap();
        while timers.turn().await.unwrap() == Progress::Worked {}
        self.follower.current().await.unwrap();
    }

    async fn change(&self, absence: &str, act: AbsenceAct) {
        self.act(async |app, transaction| {
            app.change_absence(&self.call, transaction, absence, "", act).await.unwrap();
        })
        .await;
    }

    async fn away(&self, id: &str, start: &str, end: &str) -> String {
        let name = format!("absences/{id}");
        let share = Share {
            stand_in: "officials/second".into(),
            scope: Scope { units: vec!["units/water".into()], fields: vec![] },
        };
        let registration = Registration {
            name: name.clone(),
            official: "officials/first".into(),
            start_time: at(start),
            end_time: at(end),
            stand_in: None,
            shares: vec![share],
            excluded: Scope { units: vec![], fields: vec!["公安".into()] },
            reason: "赴省城开会".into(),
            approval: None,
            reassignment: None,
        };
        self.act(async |app, transaction| app.create_absence(transaction, registration).await.unwrap()).await;
        name
    }

    /// The book that a copy makes of the whole log.
    async fn log(&self) -> (Book, Vec<String>) {
        let workers = &self.service.workers;
        let sequencer = workers.iter().find(|worker| worker.name() == "roster/sequencer").unwrap();
        while sequencer.turn().await.unwrap() == Progress::Worked {}
        let (mut book, mut types) = (Book::new(), Vec::new());
        for event in self.service.log.read(0, 1_000).await.unwrap().events {
            let decoded = RosterEvent::from_payload(&event.event_type, &event.payload).unwrap().unwrap();
            book.apply(&decoded, event.occurred_at).unwrap();
            types.push(event.event_type);
        }
        types.sort();
        types.dedup();
        (book, types)
    }
}

fn unit(slug: &str, display_name: &str) -> Unit {
    Unit {
        name: format!("units/{slug}"),
        display_name: display_name.into(),
        aliases: vec![],
        signboards: vec![],
        kind: UnitKind::Department,
        parent: None,
        division_code: None,
        successor: None,
        start_time: None,
        end_time: None,
    }
}

fn official(id: &str, display_name: &str, kind: PostKind) -> Official {
    let post = Post {
        kind,
        unit: Some("units/water".into()),
        title: String::new(),
        start_time: None,
        end_time: None,
    };
    Official { name: format!("officials/{id}"), display_name: display_name.into(), posts: vec![post] }
}

fn pair() -> StandInPair {
    StandInPair { official: "officials/first".into(), stand_in: "officials/second".into(), mutual: true }
}

fn division(id: &str, effective: &str) -> Division {
    let portfolio = Portfolio {
        official: "officials/first".into(),
        presides: true,
        fields: vec![],
        units: vec![],
        classes: vec![],
    };
    Division {
        name: format!("divisions/{id}"),
        document_number: String::new(),
        title: "分工".into(),
        effective_time: at(effective),
        partial: false,
        portfolios: vec![portfolio],
        pairs: vec![pair()],
        third_stand_ins: vec![],
        fallback: None,
        exclusions: vec![],
        absence_limit_days: Some(30),
        corrects: None,
        record_time: at(effective),
    }
}

/// One of each, and what they become.
async fn keep_the_directory(roster: &Roster) {
    for unit in [unit("water", "市水利局"), unit("archive", "市档案局")] {
        roster.act(async |app, transaction| app.create_unit(transaction, &unit).await.unwrap()).await;
    }
    for one in [official("first", "甲", PostKind::UnitHead), official("second", "乙", PostKind::UnitDeputy)]
    {
        roster.act(async |app, transaction| app.create_official(transaction, &one).await.unwrap()).await;
    }
    let collective = Collective {
        name: "collectives/all".into(),
        display_name: "各部门".into(),
        aliases: vec![],
        units: vec!["units/water".into()],
    };
    roster.act(async |app, transaction| app.create_collective(transaction, &collective).await.unwrap()).await;
    let account = Account {
        name: "accounts/one".into(),
        subject: "one".into(),
        official: None,
        roles: vec![],
        disabled: false,
    };
    roster.act(async |app, transaction| app.create_account(transaction, &account).await.unwrap()).await;
    let list = StandInList {
        name: "standInLists/one".into(),
        unit: "units/water".into(),
        effective_time: at("2023-05-10T00:00+08:00"),
        document_number: String::new(),
        pairs: vec![pair()],
        recorded_at: at("2023-05-10T00:00+08:00"),
    };
    roster.act(async |app, transaction| app.create_stand_in_list(transaction, list).await.unwrap()).await;

    let revision = |name: &str, effective: Option<&str>| Revision {
        name: name.into(),
        etag: String::new(),
        effective_time: effective.map(at),
    };
    for (day, effective, name) in [
        ("2023-05-02T09:00+08:00", Some("2023-07-01T00:00+08:00"), "市水务局"),
        ("2023-05-03T09:00+08:00", None, "市水利和水务局"),
        ("2023-05-04T09:00+08:00", Some("2023-04-01T00:00+08:00"), "市水利水电局"),
    ] {
        roster.advance(day).await;
        let revision = revision("units/water", effective);
        roster
            .act(async |app, transaction| {
                let rename = |unit: &Unit| Ok(Unit { display_name: name.into(), ..unit.clone() });
                app.update_unit(&roster.call, transaction, &revision, rename).await.unwrap()
            })
            .await;
    }
    let revised = revision("collectives/all", Some("2023-06-01T00:00+08:00"));
    roster
        .act(async |app, transaction| {
            let units = vec!["units/water".to_owned(), "units/archive".to_owned()];
            let enlarge = |one: &Collective| Ok(Collective { units, ..one.clone() });
            app.update_collective(&roster.call, transaction, &revised, enlarge).await.unwrap()
        })
        .await;
    let revised = revision("officials/second", None);
    roster
        .act(async |app, transaction| {
            let rename = |one: &Official| Ok(Official { display_name: "丙".into(), ..one.clone() });
            app.update_official(&roster.call, transaction, &revised, rename).await.unwrap()
        })
        .await;
}

/// Absences that went every way.
async fn be_away(roster: &Roster) {
    let first = roster.away("one", "2023-06-01T00:00+08:00", "2023-06-03T00:00+08:00").await;
    let second = roster.away("two", "2023-06-10T00:00+08:00", "2023-06-12T00:00+08:00").await;
    let third = roster.away("three", "2023-06-20T00:00+08:00", "2023-06-22T00:00+08:00").await;
    let extended = AbsenceAct::Extend {
        end_time: at("2023-06-05T00:00+08:00"),
        stated: Stated {
            approval: Some("市长批示".into()), reassignment: Some("市政府文件".into())
        },
    };
    roster.change(&first, extended).await;
    // B leaves too, and comes back, while A is away.
    roster.advance("2023-06-01T09:00+08:00").await;
    let b = Registration {
        name: "absences/b".into(),
        official: "officials/second".into(),
        start_time: at("2023-06-02T00:00+08:00"),
        end_time: at("2023-06-03T00:00+08:00"),
        stand_in: None,
        shares: vec![],
        excluded: Scope::default(),
        reason: String::new(),
        approval: Some("市长批示".into()),
        reassignment: None,
    };
    roster.act(async |app, transaction| app.create_absence(transaction, b).await.unwrap()).await;
    roster.advance("2023-06-02T09:00+08:00").await;
    roster.advance("2023-06-04T09:00+08:00").await;
    roster.change(&first, AbsenceAct::End).await;
    let times = Interval { start: at("2023-06-01T00:00+08:00"), end: at("2023-06-07T00:00+08:00") };
    roster
        .change(&first, AbsenceAct::Correct { times, stated: Stated::default(), reason: "误销".into() })
        .await;
    roster.change(&third, AbsenceAct::Cancel).await;
    let times = Interval { start: at("2023-06-09T00:00+08:00"), end: at("2023-06-11T00:00+08:00") };
    roster
        .change(&second, AbsenceAct::Correct { times, stated: Stated::default(), reason: "改期".into() })
        .await;
    roster.advance("2023-06-09T09:00+08:00").await;
    have_been_stood_in_for(roster, &first).await;
}

/// An act that is heard of after the end was told, and acknowledged.
async fn have_been_stood_in_for(roster: &Roster, absence: &str) {
    let authority = format!("{absence}/authorities/0-0");
    let event = Event {
        id: "one".into(),
        position: 1,
        aggregate: "tasks/one".into(),
        version: 1,
        event_type: "supervision.assignment.verified".into(),
        actor: "one".into(),
        acting_for: Some("officials/first".into()),
        ground: Some(acting_ground(1, "甲", Some(&authority))),
        occurred_at: at("2023-06-02T09:00+08:00"),
        recorded_at: MachineClock::system().now(),
        traceparent: None,
        causation_id: None,
        payload: "{}".into(),
        prev_hash: Digest::default(),
        hash: Digest::default(),
    };
    roster
        .act(async |app, transaction| {
            let mut edit = app.edit(transaction).await.unwrap();
            let heard = Heard { producer: "supervision", event: &event, description: "核验通过".into() };
            let appends = hear(&mut edit, transaction.tx(), &[heard]).await.unwrap();
            transaction.append_all(&appends).await.unwrap();
        })
        .await;
    let principal =
        Principal::account("one", Some("officials/first".into()), vec![Grant::of(Role::UnitApprover)]);
    let call = Call::new(Arc::new(principal), "roster.absences.acknowledge", "");
    roster
        .act(async |app, transaction| {
            app.change_absence(&call, transaction, absence, "", AbsenceAct::Acknowledge).await.unwrap();
        })
        .await;
}

/// A mandate that is revoked.
async fn mandate(roster: &Roster) {
    let mandate = Mandate {
        name: "mandates/one".into(),
        kind: MandateKind::Secretary,
        leader: "officials/first".into(),
        holder: "officials/second".into(),
        acts: vec!["supervision.assignments.verify".into()],
        units: vec!["units/water".into()],
        start_time: at("2023-06-01T00:00+08:00"),
        end_time: None,
        ground: "市政府办公室通知".into(),
        recorded_at: at("2023-06-01T00:00+08:00"),
        revoked_at: None,
    };
    roster.act(async |app, transaction| app.create_mandate(transaction, mandate).await.unwrap()).await;
    roster.advance("2023-06-09T10:00+08:00").await;
    roster
        .act(async |app, transaction| {
            app.revoke_mandate(&roster.call, transaction, "mandates/one", "").await.unwrap()
        })
        .await;
}

/// Somebody for whom nobody stands in leaves, stays longer, and is back early.
async fn leave_gaps(roster: &Roster) {
    let third = official("third", "丁", PostKind::UnitHead);
    roster.act(async |app, transaction| app.create_official(transaction, &third).await.unwrap()).await;
    let leader = Division {
        portfolios: vec![Portfolio {
            official: third.name.clone(),
            presides: true,
            fields: vec![],
            units: vec![],
            classes: vec![],
        }],
        ..division("three", "2023-07-02T00:00+08:00")
    };
    roster.act(async |app, transaction| app.create_division(transaction, leader).await.unwrap()).await;
    let registration = Registration {
        name: "absences/four".into(),
        official: third.name.clone(),
        start_time: at("2023-07-10T00:00+08:00"),
        end_time: at("2023-07-12T00:00+08:00"),
        stand_in: None,
        shares: vec![],
        excluded: Scope::default(),
        reason: String::new(),
        approval: None,
        reassignment: None,
    };
    roster.act(async |app, transaction| app.create_absence(transaction, registration).await.unwrap()).await;
    let end_time = at("2023-07-14T00:00+08:00");
    let extended = AbsenceAct::Extend { end_time, stated: Stated::default() };
    roster.change("absences/four", extended).await;
    roster.advance("2023-07-13T00:00+08:00").await;
    roster.change("absences/four", AbsenceAct::End).await;
}

/// A duty roster, another from a day on, with a swap of a shift.
async fn keep_watch(roster: &Roster) {
    let team = |leader: &str| DutyTeam { leader: Some(format!("officials/{leader}")), members: vec![] };
    let duty = DutyRoster {
        name: "dutyRosters/flood".into(),
        display_name: "防汛值班表".into(),
        unit: "units/water".into(),
        start_time: at("2023-07-20T08:00+08:00"),
        end_time: at("2023-09-20T08:00+08:00"),
        handovers: vec![480, 1_200],
        teams: vec![team("first"), team("second")],
        first_team: 0,
    };
    roster
        .act(async |app, transaction| app.create_duty_roster(transaction, duty.clone()).await.unwrap())
        .await;
    let later = DutyRoster { first_team: 1, ..duty.clone() };
    let change = DutyAct::Change {
        roster: later,
        effective_time: Some(at("2023-08-01T08:00+08:00")),
        drops_swaps: false,
    };
    let swap = DutySwap {
        duty_roster: duty.name.clone(),
        shift_start_time: at("2023-07-21T08:00+08:00"),
        team: team("third"),
        ground: "换班".into(),
        recorded_at: at("2023-07-21T08:00+08:00"),
    };
    for act in [change, DutyAct::Swap(swap)] {
        roster
            .act(async |app, transaction| {
                app.change_duty_roster(&roster.duty, transaction, &duty.name, "", act).await.unwrap()
            })
            .await;
    }
}

/// Two years' calendars, and the first of them changed.
async fn publish_calendars(roster: &Roster) {
    for (year, last) in [(2027, 11), (2028, 6), (2027, 12)] {
        let day = |day| Date::from_calendar_date(year, Month::February, day).unwrap();
        let holiday = Holiday { name: "春节".into(), first_day: day(5), last_day: day(last) };
        let arrangement = YearArrangement {
            year,
            source: "放假通知".into(),
            holidays: vec![holiday],
            make_up_days: BTreeSet::new(),
        };
        roster
            .act(async |app, transaction| {
                app.publish_calendar(transaction, arrangement, "").await.unwrap();
            })
            .await;
    }
}

async fn the_register_is_the_book_of_the_log(database_url: String) {
    let roster = Roster::on(database_url).await;
    keep_the_directory(&roster).await;
    for division in [division("one", "2023-05-14T00:00+08:00"), division("two", "2023-08-01T00:00+08:00")] {
        roster.act(async |app, transaction| app.create_division(transaction, division).await.unwrap()).await;
    }
    be_away(&roster).await;
    mandate(&roster).await;
    roster.advance("2023-07-01T09:00+08:00").await;
    leave_gaps(&roster).await;
    keep_watch(&roster).await;
    publish_calendars(&roster).await;

    let (book, types) = roster.log().await;
    assert_eq!(types.len(), 28, "every type of event was written: {types:?}");
    copy::copies_hold(&roster.service, &book).await;
    let own = roster.app.current().await.unwrap();
    assert_eq!(own.book, book, "the writer's");
    assert_eq!(roster.follower.current().await.unwrap(), own, "that of one who followed each write");
    let fresh = Registers::new(roster.service.db.clone()).current().await.unwrap();
    assert_eq!(fresh, own, "that of one who starts from the tables");
    let absence: Vec<&Absence> = book.absences_of("officials/first").collect();
    assert_eq!(absence.len(), 3);
    assert_eq!(fresh.etag("units/water"), "v4");
}

/// Rows as they were written before records could change.
#[test]
fn the_rows_of_before_are_read() {
    let recorded_at = at("2023-06-01T00:00+08:00");
    let mut register = Register::default();
    let mut take_in = |kind, name: &str, version, body: &str| {
        let record = Record { name: name.into(), version, recorded_at, body: body.into() };
        register.take_in(kind, &record).unwrap();
        (register.told(name), register.book.clone())
    };
    let unit = r#"{"name":"units/water","displayName":"市水利局","kind":"UNIT_KIND_DEPARTMENT"}"#;
    let (_, book) = take_in(Kind::Unit, "units/water", 1, unit);
    assert_eq!(book.unit_versions("units/water").count(), 1);
    for (id, version, told) in [("a", 1, Told::Registered), ("b", 2, Told::Begun), ("c", 3, Told::Ended)] {
        let absence = format!(
            r#"{{"name":"absences/{id}","official":"officials/{id}","startTime":"2023-06-10T00:00:00+08:00",
                "endTime":"2023-06-12T00:00:00+08:00","recordedAt":"2023-06-01T00:00:00+08:00",
                "changes":[{{"endedEarly":{{"endTime":"2023-06-11T00:00:00+08:00",
                "recordedAt":"2023-06-11T00:00:00+08:00"}}}}]}}"#
        );
        let name = format!("absences/{id}");
        let (read, book) = take_in(Kind::Absence, &name, version, &absence);
        assert_eq!(read, told);
        let known = book.absence(&name).and_then(|absence| absence.interval(Timestamp::MAX)).unwrap();
        assert_eq!(known.end, at("2023-06-11T00:00+08:00"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_register_is_the_book_of_the_log_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("roster.db").display());
    the_register_is_the_book_of_the_log(url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_register_is_the_book_of_the_log_on_postgres() {
    the_register_is_the_book_of_the_log(servers::postgres_database("roster").await.unwrap()).await;
}
