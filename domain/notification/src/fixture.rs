//! A small roster for tests, with the public names of the division of 12号 (14 May 2023).

use domain_calendar::Timestamp;
use domain_roster::{
    Absence, Account, Book, Division, Fallback, Official, Portfolio, Post, PostKind, Relation, Role,
    RoleBinding, RosterEvent, StandInPair, Unit, UnitDuty, UnitKind,
};

/// A book that can be added to.
pub(crate) struct Roster {
    pub(crate) book: Book,
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn recorded() -> Timestamp {
    at("2023-05-12T09:00+08:00")
}

fn unit(slug: &str, display_name: &str, kind: UnitKind) -> RosterEvent {
    RosterEvent::UnitCreated(Unit {
        name: format!("units/{slug}"),
        display_name: display_name.into(),
        aliases: vec![],
        signboards: vec![],
        kind,
        parent: None,
        division_code: None,
        successor: None,
        start_time: None,
        end_time: None,
    })
}

fn official(slug: &str, display_name: &str, kind: PostKind, unit: &str) -> RosterEvent {
    let post = Post {
        kind,
        unit: Some(format!("units/{unit}")),
        title: String::new(),
        start_time: None,
        end_time: None,
    };
    RosterEvent::OfficialCreated(Official {
        name: format!("officials/{slug}"),
        display_name: display_name.into(),
        posts: vec![post],
    })
}

fn account(subject: &str, official: Option<&str>) -> RosterEvent {
    RosterEvent::AccountCreated(Account {
        name: format!("accounts/{subject}"),
        subject: subject.into(),
        official: official.map(|slug| format!("officials/{slug}")),
        roles: vec![],
        disabled: false,
    })
}

fn portfolio(official: &str, units: &[&str], presides: bool) -> Portfolio {
    Portfolio {
        official: format!("officials/{official}"),
        presides,
        fields: vec![],
        units: units
            .iter()
            .map(|unit| UnitDuty { unit: format!("units/{unit}"), relation: Relation::Directs })
            .collect(),
        classes: vec![],
    }
}

fn pair(official: &str, stand_in: &str) -> StandInPair {
    StandInPair {
        official: format!("officials/{official}"),
        stand_in: format!("officials/{stand_in}"),
        mutual: true,
    }
}

fn division() -> RosterEvent {
    RosterEvent::DivisionCreated(Division {
        name: "divisions/no-12".into(),
        document_number: "临政办发〔2023〕12号".into(),
        title: String::new(),
        effective_time: at("2023-05-14T00:00+08:00"),
        partial: false,
        portfolios: vec![
            portfolio("wang-yanfeng", &[], true),
            portfolio("wang-yuan", &["finance"], false),
            portfolio("cui-yuanbin", &["industry"], false),
            portfolio("zhang-xiliang", &["police"], false),
            portfolio("hu-xiaogang", &[], false),
            portfolio("qiao-feihong", &["water"], false),
            portfolio("li-yanping", &["health"], false),
        ],
        pairs: vec![pair("wang-yuan", "qiao-feihong"), pair("cui-yuanbin", "hu-xiaogang")],
        third_stand_ins: vec![],
        fallback: Some(Fallback {
            officials: vec!["officials/wang-yuan".into(), "officials/wang-yanfeng".into()],
            basis: "本市配置的兜底规则".into(),
        }),
        exclusions: vec![],
        absence_limit_days: None,
        corrects: None,
        record_time: recorded(),
    })
}

impl Roster {
    /// Gives an official an account that approves what a unit says.
    pub(crate) fn approver(&mut self, official: &str, unit: &str) {
        let roles = vec![RoleBinding {
            role: Role::UnitApprover,
            units: vec![format!("units/{unit}")],
            groups: vec![],
            start_time: None,
            end_time: None,
        }];
        let account = Account {
            name: format!("accounts/{official}"),
            subject: official.into(),
            official: Some(format!("officials/{official}")),
            roles,
            disabled: false,
        };
        self.book.apply(&RosterEvent::AccountCreated(account), recorded()).unwrap();
    }

    pub(crate) fn new() -> Self {
        let leader = |slug, name, kind| official(slug, name, kind, "government");
        let events = [
            unit("government", "临汾市人民政府", UnitKind::Government),
            unit("water", "市水利局", UnitKind::Department),
            unit("finance", "市财政局", UnitKind::Department),
            unit("industry", "市工业和信息化局", UnitKind::Department),
            unit("health", "市卫生健康委员会", UnitKind::Department),
            unit("police", "市公安局", UnitKind::Department),
            unit("archive", "市档案馆", UnitKind::Institution),
            unit("yaodu", "尧都区人民政府", UnitKind::County),
            leader("wang-yanfeng", "王延峰", PostKind::Mayor),
            leader("wang-yuan", "王渊", PostKind::ExecutiveDeputyMayor),
            leader("cui-yuanbin", "崔元斌", PostKind::DeputyMayor),
            leader("zhang-xiliang", "张希亮", PostKind::DeputyMayor),
            leader("hu-xiaogang", "胡晓刚", PostKind::DeputyMayor),
            leader("qiao-feihong", "乔飞鸿", PostKind::DeputyMayor),
            leader("li-yanping", "李艳萍", PostKind::DeputyMayor),
            leader("inspector", "督查专员", PostKind::Inspector),
            official("water-head", "水利局负责人", PostKind::UnitHead, "water"),
            official("water-liaison", "水利局联络员", PostKind::Liaison, "water"),
            official("water-substitute", "水利局替补", PostKind::LiaisonSubstitute, "water"),
            official("finance-liaison", "财政局联络员", PostKind::Liaison, "finance"),
            official("health-substitute", "卫健委替补", PostKind::LiaisonSubstitute, "health"),
            official("industry-head", "工信局负责人", PostKind::UnitHead, "industry"),
            account("supervisor", Some("inspector")),
            account("machine", None),
            division(),
        ];
        let mut roster = Roster { book: Book::new() };
        events.iter().for_each(|event| roster.record(event));
        roster
    }

    pub(crate) fn record(&mut self, event: &RosterEvent) {
        self.book.apply(event, recorded()).unwrap();
    }

    /// Sends an official away for June 2023.
    pub(crate) fn away(&mut self, official: &str, stand_in: Option<&str>) {
        self.record(&RosterEvent::AbsenceCreated(Absence {
            name: format!("absences/{official}"),
            official: format!("officials/{official}"),
            start_time: at("2023-06-01T00:00+08:00"),
            end_time: at("2023-07-01T00:00+08:00"),
            stand_in: stand_in.map(|slug| format!("officials/{slug}")),
            shares: vec![],
            excluded: domain_roster::Scope::default(),
            reason: "赴省城开会".into(),
            approval: None,
            reassignment: None,
            recorded_at: recorded(),
            changes: vec![],
        }));
    }
}
