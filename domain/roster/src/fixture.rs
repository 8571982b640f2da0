//! The sample city for tests: an excerpt of the division of 12号 (14 May 2023) and of the partial
//! one visible in 8号 (20 April 2023), with the public names of the notices.

use domain_calendar::Timestamp;

use crate::absence::{Absence, Registration};
use crate::account::Account;
use crate::book::Book;
use crate::collective::Collective;
use crate::division::{Division, Fallback, FieldDuty, Portfolio, Relation, StandInPair, UnitDuty};
use crate::event::RosterEvent;
use crate::official::{Official, Post, PostKind};
use crate::unit::{Unit, UnitKind};

/// A book and the log it was made from.
pub(crate) struct Roster {
    pub(crate) book: Book,
    pub(crate) log: Vec<(RosterEvent, Timestamp)>,
}

impl Roster {
    /// Both divisions, recorded on 20 April and 12 May 2023; the directory on 1 April.
    pub(crate) fn linfen() -> Self {
        let mut roster = Roster { book: Book::new(), log: Vec::new() };
        units().into_iter().for_each(|unit| roster.add_unit(unit));
        let counties = ["各县市区", "各县市区人民政府"];
        roster.add_collective(collective("counties", "各县（市、区）", &counties, &["yaodu"]));
        for official in officials() {
            let account = Account {
                name: official.name.replace("officials", "accounts"),
                subject: official.name.clone(),
                official: Some(official.name.clone()),
                roles: vec![],
                disabled: false,
            };
            roster.record(&RosterEvent::OfficialCreated(official), at("2023-04-01T00:00+08:00"));
            roster.add_account(account);
        }
        for division in [division_8(), division_12()] {
            assert_eq!(crate::admit_division(&roster.book, &division), Ok(()));
            let recorded_at = division.record_time;
            roster.record(&RosterEvent::DivisionCreated(division), recorded_at);
        }
        roster
    }

    pub(crate) fn record(&mut self, event: &RosterEvent, recorded_at: Timestamp) {
        self.book.apply(event, recorded_at).unwrap();
        self.log.push((event.clone(), recorded_at));
    }

    pub(crate) fn add_unit(&mut self, unit: Unit) {
        assert_eq!(crate::admit_unit(&self.book, &unit), Ok(()));
        self.record(&RosterEvent::UnitCreated(unit), at("2023-04-01T00:00+08:00"));
    }

    pub(crate) fn add_collective(&mut self, collective: Collective) {
        assert_eq!(crate::admit_collective(&self.book, &collective), Ok(()));
        self.record(&RosterEvent::CollectiveCreated(collective), at("2023-04-01T00:00+08:00"));
    }

    pub(crate) fn add_account(&mut self, account: Account) {
        assert_eq!(crate::admit_account(&self.book, &account), Ok(()));
        self.record(&RosterEvent::AccountCreated(account), at("2023-04-01T00:00+08:00"));
    }

    /// Registers an absence with nobody named, on 1 May 2023.
    pub(crate) fn away(&mut self, name: &str, official: &str, start: &str, end: &str) {
        self.register(registration(name, official, start, end));
    }

    pub(crate) fn register(&mut self, registration: Registration) {
        let now = at("2023-05-01T09:00+08:00");
        let event = Absence::create(&self.book, registration, now).unwrap();
        self.record(&event, now);
    }

    pub(crate) fn absence(&self, name: &str) -> Absence {
        self.book.absence(&format!("absences/{name}")).unwrap().clone()
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(crate) fn registration(name: &str, official: &str, start: &str, end: &str) -> Registration {
    Registration {
        name: format!("absences/{name}"),
        official: format!("officials/{official}"),
        start_time: at(start),
        end_time: at(end),
        stand_in: None,
        shares: vec![],
        excluded: crate::scope::Scope::default(),
        reason: "赴省城开会".into(),
        approval: None,
        reassignment: None,
    }
}

pub(crate) fn unit(slug: &str, display_name: &str, aliases: &[&str]) -> Unit {
    Unit {
        name: format!("units/{slug}"),
        display_name: display_name.into(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        signboards: vec![],
        kind: UnitKind::Department,
        parent: None,
        division_code: None,
        successor: None,
        start_time: None,
        end_time: None,
    }
}

pub(crate) fn collective(slug: &str, display_name: &str, aliases: &[&str], units: &[&str]) -> Collective {
    Collective {
        name: format!("collectives/{slug}"),
        display_name: display_name.into(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        units: units.iter().map(|unit| format!("units/{unit}")).collect(),
    }
}

pub(crate) fn holder(slug: &str, display_name: &str, kind: PostKind, unit: Option<&str>) -> Official {
    let title = if kind == PostKind::UnitHead { "党组书记、局长" } else { kind.chinese() };
    Official {
        name: format!("officials/{slug}"),
        display_name: display_name.into(),
        posts: vec![Post {
            kind,
            unit: unit.map(|unit| format!("units/{unit}")),
            title: title.into(),
            start_time: None,
            end_time: None,
        }],
    }
}

pub(crate) fn pair(official: &str, stand_in: &str) -> StandInPair {
    StandInPair {
        official: format!("officials/{official}"),
        stand_in: format!("officials/{stand_in}"),
        mutual: true,
    }
}

fn units() -> Vec<Unit> {
    vec![
        unit("government", "临汾市人民政府", &["市政府"]),
        unit("office", "市政府办公室", &[]),
        unit("audit", "市审计局", &[]),
        unit("finance", "市财政局", &[]),
        unit("industry", "市工业和信息化局(市民营经济发展促进局)", &["市工信局"]),
        unit("project-centre", "市项目推进中心", &[]),
        unit("police", "市公安局", &[]),
        unit("culture", "市文化和旅游局(市文物局)", &["市文旅局"]),
        unit("civil-affairs", "市民政局", &[]),
        unit("disabled-federation", "市残疾人联合会", &["市残联"]),
        unit("state-assets", "市政府国有资产监督管理委员会", &["市国资委"]),
        Unit {
            parent: Some("units/state-assets".into()),
            kind: UnitKind::StateCompany,
            ..unit("investment-group", "临汾市投资集团有限公司", &["市投资集团", "临投集团"])
        },
        unit("postal", "市邮政管理局", &[]),
        unit("water", "市水利局", &[]),
        unit("health", "市卫生健康委员会", &["市卫健委"]),
        Unit {
            kind: UnitKind::County,
            division_code: Some("141002".into()),
            ..unit("yaodu", "尧都区人民政府", &[])
        },
    ]
}

fn officials() -> Vec<Official> {
    let leader = |slug, name, kind| holder(slug, name, kind, Some("government"));
    vec![
        leader("wang-yanfeng", "王延峰", PostKind::Mayor),
        leader("wang-yuan", "王渊", PostKind::ExecutiveDeputyMayor),
        leader("cui-yuanbin", "崔元斌", PostKind::DeputyMayor),
        leader("zhang-xiliang", "张希亮", PostKind::DeputyMayor),
        leader("wang-yun", "王云", PostKind::DeputyMayor),
        leader("hu-xiaogang", "胡晓刚", PostKind::DeputyMayor),
        leader("qiao-feihong", "乔飞鸿", PostKind::DeputyMayor),
        leader("li-yanping", "李艳萍", PostKind::DeputyMayor),
        leader("gao-yaming", "高雅铭", PostKind::SecretaryGeneral),
        holder("water-head", "甲", PostKind::UnitHead, Some("water")),
        holder("water-liaison", "乙", PostKind::Liaison, Some("water")),
        holder("water-substitute", "丙", PostKind::LiaisonSubstitute, Some("water")),
    ]
}

fn portfolio(official: &str, fields: &[&str], units: &[(&str, Relation)]) -> Portfolio {
    Portfolio {
        official: format!("officials/{official}"),
        presides: false,
        fields: fields
            .iter()
            .map(|field| FieldDuty { field: (*field).into(), relation: Relation::Directs })
            .collect(),
        units: units
            .iter()
            .map(|(unit, relation)| UnitDuty { unit: format!("units/{unit}"), relation: *relation })
            .collect(),
        classes: vec![],
    }
}

/// What 8号 shows of the division before: fields and lead units, no pairs.
pub(crate) fn division_8() -> Division {
    use Relation::Directs;
    Division {
        name: "divisions/no-8".into(),
        document_number: "临政办发〔2023〕8号".into(),
        title: String::new(),
        effective_time: at("2023-04-20T00:00+08:00"),
        partial: true,
        portfolios: vec![
            Portfolio { presides: true, ..portfolio("wang-yanfeng", &[], &[]) },
            portfolio("wang-yuan", &["市政府机关", "财政"], &[("office", Directs), ("finance", Directs)]),
            portfolio("cui-yuanbin", &["发展改革", "工业和信息化"], &[("industry", Directs)]),
            portfolio("zhang-xiliang", &["公安"], &[("police", Directs)]),
            portfolio(
                "wang-yun",
                &["文化和旅游", "民政", "妇女儿童"],
                &[("culture", Directs), ("civil-affairs", Directs), ("disabled-federation", Directs)],
            ),
            portfolio("hu-xiaogang", &["国企国资监管"], &[("state-assets", Directs), ("postal", Directs)]),
            portfolio("qiao-feihong", &["水利", "卫生健康"], &[("water", Directs), ("health", Directs)]),
        ],
        pairs: vec![],
        third_stand_ins: vec![],
        fallback: None,
        exclusions: vec![],
        absence_limit_days: None,
        corrects: None,
        record_time: at("2023-04-20T00:00+08:00"),
    }
}

/// An excerpt of 12号, with the fallback the sample configures beside it.
pub(crate) fn division_12() -> Division {
    use Relation::{AssistsDirecting, AssistsLiaising, Directs, Liaises, Presides};
    Division {
        name: "divisions/no-12".into(),
        document_number: "临政办发〔2023〕12号".into(),
        title: "关于市长、副市长、秘书长工作分工的通知".into(),
        effective_time: at("2023-05-14T00:00+08:00"),
        partial: false,
        portfolios: vec![
            Portfolio { presides: true, ..portfolio("wang-yanfeng", &["审计"], &[("audit", Directs)]) },
            portfolio(
                "wang-yuan",
                &["市政府机关", "财政", "住房和城乡建设", "应急管理"],
                &[("office", Directs), ("finance", Directs), ("audit", AssistsLiaising)],
            ),
            portfolio(
                "cui-yuanbin",
                &["发展改革", "工业和信息化", "民营经济"],
                &[("industry", Directs), ("project-centre", Directs)],
            ),
            portfolio("zhang-xiliang", &["法治政府建设", "公安", "司法", "信访"], &[("police", Directs)]),
            portfolio("wang-yun", &["文化和旅游", "科技", "体育"], &[("culture", Directs)]),
            portfolio(
                "hu-xiaogang",
                &["国企国资监管", "开发区建设管理"],
                &[("state-assets", Directs), ("postal", Liaises)],
            ),
            portfolio("qiao-feihong", &["生态环境", "教育", "水利"], &[("water", Directs)]),
            Portfolio {
                fields: ["人力资源和社会保障", "民政", "卫生健康", "妇女儿童"]
                    .iter()
                    .map(|field| FieldDuty { field: (*field).into(), relation: Directs })
                    .chain([FieldDuty { field: "政府专项债券".into(), relation: AssistsDirecting }])
                    .collect(),
                ..portfolio(
                    "li-yanping",
                    &[],
                    &[
                        ("civil-affairs", Directs),
                        ("health", Directs),
                        ("disabled-federation", Liaises),
                        ("project-centre", AssistsDirecting),
                    ],
                )
            },
            portfolio("gao-yaming", &[], &[("office", Presides)]),
        ],
        pairs: vec![
            pair("wang-yuan", "qiao-feihong"),
            pair("cui-yuanbin", "hu-xiaogang"),
            pair("wang-yun", "li-yanping"),
        ],
        third_stand_ins: vec![],
        fallback: Some(Fallback {
            officials: vec!["officials/wang-yuan".into(), "officials/wang-yanfeng".into()],
            basis: "本市配置的兜底规则".into(),
        }),
        exclusions: vec![],
        absence_limit_days: None,
        corrects: None,
        record_time: at("2023-05-12T09:00+08:00"),
    }
}
