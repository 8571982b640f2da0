//! What is told of inspections: the team hears when one begins. Of what is found a unit hears by
//! the task in which it is to be put right.

use domain_roster::Book;
use domain_supervision::{InspectionChange, InspectionEvent};

use crate::audience::Audience;
use crate::notice::{Notice, NoticeKind};
use crate::wording::unit;

/// The notices of one event of an inspection.
pub fn of_inspection(event: &InspectionEvent, book: &Book) -> Vec<Notice> {
    match &event.change {
        InspectionChange::Started { team, sites } => {
            let mut units: Vec<&str> = sites.iter().map(|site| unit(book, &site.unit)).collect();
            units.dedup();
            let title = format!("督查启动：{}", event.title);
            let body = format!("《{}》已启动，您是督查组成员。督查对象：{}。", event.title, units.join("、"));
            let team = team.iter().map(|member| Audience::Official(member.clone())).collect();
            vec![Notice::new(NoticeKind::Decision, &event.inspection, title, body, team)]
        }
        InspectionChange::Planned { .. }
        | InspectionChange::Found { .. }
        | InspectionChange::Rectified { .. }
        | InspectionChange::Dismissed { .. }
        | InspectionChange::Concluded { .. }
        | InspectionChange::Cancelled { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use domain_supervision::Site;

    use super::*;
    use crate::fixture::{Roster, at};

    #[test]
    fn the_team_hears_when_an_inspection_begins_and_of_nothing_else() {
        let event = |change| InspectionEvent {
            inspection: "inspections/1".into(),
            title: "防汛准备专项督查".into(),
            at: at("2023-06-05T10:00+08:00"),
            change,
        };
        let site = |place: &str| Site { unit: "units/water".into(), place: place.into() };
        let sites = vec![site("城区泵站"), site("河堤")];
        let started = event(InspectionChange::Started { team: vec!["officials/first".into()], sites });
        let book = &Roster::new().book;
        let [notice] = of_inspection(&started, book).try_into().unwrap();
        assert_eq!(notice.audiences, [Audience::Official("officials/first".into())]);
        assert_eq!(notice.body, "《防汛准备专项督查》已启动，您是督查组成员。督查对象：市水利局。");
        let concluded = event(InspectionChange::Concluded { conclusion: "总体较好".into() });
        assert_eq!(of_inspection(&concluded, book), []);
    }
}
