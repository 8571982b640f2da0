//! What is told of bulletins: each unit is asked once to check its own line, and told what became
//! of its appeal. No figure stands in a notice: whose they are is looked up in the system.

use domain_roster::Book;
use domain_supervision::{BulletinChange, BulletinEvent, span_said};

use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{before as until, unit as called};

/// The notices of an event of a bulletin.
pub fn of_bulletin(event: &BulletinEvent, book: &Book) -> Vec<Notice> {
    // Two of one title are told apart by what they are about.
    let title = format!("《{}》（{}）", event.bulletin.title, span_said(event.bulletin.period));
    let told = |kind, what: &str, body: String, audiences: Vec<Audience>| {
        Notice::new(kind, &event.bulletin.name, format!("{what}：{title}"), body, audiences)
    };
    let to_units = |units: &[String]| units.iter().cloned().map(Audience::UnitLiaison).collect();
    let to_unit = |unit: &String| vec![Audience::UnitLiaison(unit.clone())];
    let drafter = || vec![Audience::Account(event.bulletin.created_by.clone())];
    match &event.change {
        // Nobody else has heard of it yet, or is to do anything about it.
        BulletinChange::Drafted { .. }
        | BulletinChange::Recomputed { .. }
        | BulletinChange::Confirmed { .. } => Vec::new(),
        BulletinChange::CheckBegun { before, units } if !units.is_empty() => {
            let body = format!(
                "{title}已形成初稿，请在{}核对本单位的数据。有异议的，请在此前说明理由提出申诉；逾期未提出的，按初稿\
                 印发。",
                until(*before)
            );
            vec![told(NoticeKind::Reminder, "请核对", body, to_units(units))]
        }
        BulletinChange::CheckBegun { .. } => Vec::new(),
        BulletinChange::Appealed { appeal } => {
            let (unit, figure) = (called(book, &appeal.unit), appeal.about.figure.chinese());
            let body = format!("{unit}对{title}的“{figure}”提出申诉，请处理：{}", appeal.reason);
            vec![told(NoticeKind::Progress, "申诉", body, drafter())]
        }
        BulletinChange::AppealUpheld { unit, figure, corrected, ground, .. } => {
            let body = format!(
                "对{title}“{}”的申诉成立，更正{}处，今后的评价不再计入：{ground}",
                figure.chinese(),
                corrected.len()
            );
            vec![told(NoticeKind::Decision, "申诉成立", body, to_unit(unit))]
        }
        BulletinChange::AppealRefused { unit, figure, ground, .. } => {
            let body = format!("对{title}“{}”的申诉不成立：{ground}", figure.chinese());
            vec![told(NoticeKind::Decision, "申诉不成立", body, to_unit(unit))]
        }
        BulletinChange::Ready => {
            let body = format!("{title}已核对完毕，请签发。");
            let leader = vec![Audience::Official(event.bulletin.leader.clone())];
            vec![told(NoticeKind::Reminder, "待签发", body, leader)]
        }
        BulletinChange::Issued { number, units, .. } => {
            let body = format!("{title}（{number}）已经印发。");
            let audiences = units.iter().cloned().map(Audience::UnitLiaison).chain(drafter()).collect();
            vec![told(NoticeKind::Outcome, "印发", body, audiences)]
        }
        BulletinChange::Withdrawn { ground, asked } if !asked.is_empty() => {
            let body = format!("{title}已经撤回，不必再核对：{ground}");
            vec![told(NoticeKind::Outcome, "撤回", body, to_units(asked))]
        }
        BulletinChange::Withdrawn { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use domain_supervision::{
        Appeal, AppealState, BulletinFacts, Contested, Figure, Period, PointKey, ScoreRule, UnderWay,
    };

    use super::*;
    use crate::fixture::{Roster, at};

    fn told(change: BulletinChange) -> Vec<Notice> {
        let event = BulletinEvent {
            bulletin: BulletinFacts {
                name: "bulletins/1".into(),
                title: "六月通报".into(),
                period: Period { start: at("2023-06-01T00:00+08:00"), end: at("2023-07-01T00:00+08:00") },
                leader: "officials/qiao-feihong".into(),
                created_by: "supervisor".into(),
            },
            at: at("2023-07-03T09:00+08:00"),
            change,
        };
        of_bulletin(&event, &Roster::new().book)
    }

    fn liaison(unit: &str) -> Audience {
        Audience::UnitLiaison(format!("units/{unit}"))
    }

    #[test]
    fn every_change_is_told_to_whom_it_concerns() {
        let units = || vec!["units/finance".to_owned(), "units/water".to_owned()];
        let (unit, appeal) = (|| "units/water".to_owned(), || "bulletins/1/appeals/1".to_owned());
        let about = Contested { figure: Figure::Late, point: None };
        let drafter = Audience::Account("supervisor".into());
        let rule = ScoreRule::version_1;
        let corrected = vec![PointKey { assignment: "tasks/1/assignments/1".into(), version: None }];
        for (change, title, body, audiences) in [
            (
                BulletinChange::CheckBegun { before: at("2023-07-05T00:00+08:00"), units: units() },
                "请核对：《六月通报》（2023年6月1日至2023年6月30日）",
                "《六月通报》（2023年6月1日至2023年6月30日）已形成初稿，请在2023年7月4日24时前核对本单位的数据。有异议的，请在此前说明理由提出申诉；\
                 逾期未提出的，按初稿印发。",
                vec![liaison("finance"), liaison("water")],
            ),
            (
                BulletinChange::Appealed {
                    appeal: Appeal {
                        name: appeal(),
                        unit: unit(),
                        about,
                        reason: "系统故障".into(),
                        at: at("2023-07-03T10:00+08:00"),
                        state: AppealState::Open,
                    },
                },
                "申诉：《六月通报》（2023年6月1日至2023年6月30日）",
                "市水利局对《六月通报》（2023年6月1日至2023年6月30日）的“逾期”提出申诉，请处理：系统故障",
                vec![drafter.clone()],
            ),
            (
                BulletinChange::AppealUpheld {
                    appeal: appeal(),
                    unit: unit(),
                    figure: Figure::Late,
                    corrected,
                    ground: "属实".into(),
                },
                "申诉成立：《六月通报》（2023年6月1日至2023年6月30日）",
                "对《六月通报》（2023年6月1日至2023年6月30日）“逾期”的申诉成立，更正1处，今后的评价不再计入：属实",
                vec![liaison("water")],
            ),
            (
                BulletinChange::AppealRefused {
                    appeal: appeal(),
                    unit: unit(),
                    figure: Figure::Late,
                    ground: "期限未变".into(),
                },
                "申诉不成立：《六月通报》（2023年6月1日至2023年6月30日）",
                "对《六月通报》（2023年6月1日至2023年6月30日）“逾期”的申诉不成立：期限未变",
                vec![liaison("water")],
            ),
            (
                BulletinChange::Ready,
                "待签发：《六月通报》（2023年6月1日至2023年6月30日）",
                "《六月通报》（2023年6月1日至2023年6月30日）已核对完毕，请签发。",
                vec![Audience::Official("officials/qiao-feihong".into())],
            ),
            (
                BulletinChange::Issued {
                    paper: "papers/1".into(),
                    number: "督通〔2023〕1号".into(),
                    units: units(),
                },
                "印发：《六月通报》（2023年6月1日至2023年6月30日）",
                "《六月通报》（2023年6月1日至2023年6月30日）（督通〔2023〕1号）已经印发。",
                vec![liaison("finance"), liaison("water"), drafter.clone()],
            ),
            (
                BulletinChange::Withdrawn { ground: "数据有误".into(), asked: units() },
                "撤回：《六月通报》（2023年6月1日至2023年6月30日）",
                "《六月通报》（2023年6月1日至2023年6月30日）已经撤回，不必再核对：数据有误",
                vec![liaison("finance"), liaison("water")],
            ),
        ] {
            let [notice] = told(change).try_into().unwrap();
            assert_eq!((notice.title.as_str(), notice.body.as_str()), (title, body));
            assert_eq!((notice.audiences, notice.subject.as_str()), (audiences, "bulletins/1"));
            assert!(notice.ladder.is_none());
        }
        for silent in [
            BulletinChange::Drafted { rule: rule(), under_way: UnderWay::default(), lines: vec![] },
            BulletinChange::Recomputed { rule: rule(), under_way: UnderWay::default(), lines: vec![] },
            BulletinChange::Confirmed { unit: unit() },
            BulletinChange::CheckBegun { before: at("2023-07-05T00:00+08:00"), units: vec![] },
            BulletinChange::Withdrawn { ground: "数据有误".into(), asked: vec![] },
        ] {
            assert!(told(silent.clone()).is_empty(), "{silent:?}");
        }
    }
}
