//! Finding the units that a notice names. What is unknown, ambiguous or needs a person's
//! choice is told of, never guessed.

use crate::notice::{Holder, Notice, Party, Unresolved};

/// Knows the city's units.
pub trait Directory {
    /// What a name means.
    fn find(&self, name: &str) -> Meaning;

    /// The units whose names stand in a text, in order; each once.
    fn mentioned(&self, text: &str) -> Vec<String>;
}

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// One unit or collective: its resource name.
    One(String),
    /// Several have the name.
    Ambiguous(Vec<String>),
    /// Nobody has it; these are called something like it, the likeliest first.
    Unknown(Vec<String>),
}

/// Parts of names that only a person can say the meaning of.
const CHOICE: [&str; 14] = [
    "有关县",
    "各有关县",
    "相关县",
    "各相关县",
    "有关部门",
    "相关部门",
    "有关单位",
    "相关单位",
    "市直各",
    "各单位",
    "各部门",
    "各成员单位",
    "有关成员单位",
    "相关成员单位",
];

/// Fills in the units of a notice and notes what has none.
pub fn resolve(notice: &mut Notice, directory: &dyn Directory) {
    let mut unresolved = Vec::new();
    let directory = &Within { place: place(&notice.document.issuer, directory), directory };
    for item in &mut notice.items {
        for party in item.lead.iter_mut().chain(&mut item.cooperating).chain(&mut item.responsible) {
            settle(party, item.line, directory, &mut unresolved);
        }
        for milestone in &mut item.milestones {
            milestone.units = directory.mentioned(&milestone.text);
        }
    }
    for seat in &mut notice.seats {
        match &mut seat.holder {
            Holder::Unit { unit } => settle(unit, seat.line, directory, &mut unresolved),
            Holder::Post { unit: Some(unit), .. } => settle(unit, seat.line, directory, &mut unresolved),
            Holder::Post { unit: None, .. } | Holder::Person { .. } | Holder::OpenClass { .. } => {}
        }
    }
    for duty in &mut notice.duties {
        if let Some(unit) = &mut duty.unit {
            settle(unit, duty.line, directory, &mut unresolved);
        }
    }
    for portfolio in &mut notice.portfolios {
        for charge in &mut portfolio.units {
            if let Meaning::One(unit) = directory.find(&charge.subject.text).0 {
                charge.subject.unit = Some(unit);
                charge.is_class = false;
            } else if !charge.is_class {
                settle(&mut charge.subject, portfolio.line, directory, &mut unresolved);
            }
        }
    }
    notice.unresolved.extend(unresolved);
    notice.unresolved.sort_by_key(|one| one.line);
}

/// The county, or the city of a county's rank, that issues a notice: there 市财政局 and 县财政局 are
/// its own. None when it is the city of the directory, or not in it.
fn place(issuer: &str, directory: &dyn Directory) -> Option<String> {
    let place = issuer.split("人民政府").next().filter(|place| place.len() < issuer.len())?;
    let own = directory.find(&format!("{place}人民政府"));
    let city = directory.find("市人民政府");
    let is_below = matches!((&own, &city), (Meaning::One(own), Meaning::One(city)) if own != city);
    is_below.then(|| place.to_owned())
}

/// The directory as a notice of some place means it.
struct Within<'a> {
    place: Option<String>,
    directory: &'a dyn Directory,
}

impl Within<'_> {
    /// What a name means, and whether another place's unit has it.
    fn find(&self, name: &str) -> (Meaning, bool) {
        let found = self.directory.find(name);
        let Some(place) = &self.place else { return (found, false) };
        let Some(rest) = name.strip_prefix(['市', '县', '区']) else { return (found, false) };
        match (self.directory.find(&format!("{place}{rest}")), found) {
            (Meaning::One(own), _) => (Meaning::One(own), false),
            (_, Meaning::One(other)) => (Meaning::Unknown(vec![other]), true),
            (_, found) => (found, false),
        }
    }

    fn mentioned(&self, text: &str) -> Vec<String> {
        self.directory.mentioned(text)
    }
}

fn settle(party: &mut Party, line: u32, directory: &Within<'_>, unresolved: &mut Vec<Unresolved>) {
    let (why, candidates) = match directory.find(&party.text) {
        (Meaning::One(unit), _) => {
            party.unit = Some(unit);
            return;
        }
        (Meaning::Ambiguous(candidates), _) => ("名称对应多个单位", candidates),
        (Meaning::Unknown(_), _) if CHOICE.iter().any(|choice| party.text.contains(choice)) => {
            ("需要人工确定具体单位", Vec::new())
        }
        (Meaning::Unknown(candidates), true) => ("发文机关是下级政府，名称指其所属单位", candidates),
        (Meaning::Unknown(candidates), false) => ("单位名录中没有这个名称", candidates),
    };
    unresolved.push(Unresolved { line, text: party.text.clone(), why: why.to_owned(), candidates });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reader;

    struct City;

    impl Directory for City {
        fn find(&self, name: &str) -> Meaning {
            let one = |unit: &str| Meaning::One(format!("units/{unit}"));
            match name {
                "甲市人民政府" | "市人民政府" => one("city"),
                "乙市人民政府" => one("yi"),
                "市财政局" => one("finance"),
                "乙市水利局" => one("yi-water"),
                _ => Meaning::Unknown(Vec::new()),
            }
        }

        fn mentioned(&self, _: &str) -> Vec<String> {
            Vec::new()
        }
    }

    #[test]
    fn a_notice_of_a_county_does_not_mean_the_city_s_units() {
        let reader = Reader::new().unwrap();
        for (issuer, finance, told) in [
            ("甲市人民政府", Some("units/finance"), vec![("市水利局", 0)]),
            ("乙市人民政府办公室", None, vec![("市财政局", 1)]),
            ("丙市人民政府", Some("units/finance"), vec![("市水利局", 0)]),
        ] {
            let text = format!(
                "{issuer}\n关于某事的通知\n某政发〔2024〕3号\n一、任务\n1. 改造。(市财政局、市水利局负责)\n{issuer}\n2024年5月1日"
            );
            let mut notices = reader.read(&text).unwrap();
            resolve(&mut notices[0], &City);
            let lead = &notices[0].items[0].lead;
            assert_eq!(lead[0].unit.as_deref(), finance, "{issuer}");
            let shown: Vec<_> =
                notices[0].unresolved.iter().map(|one| (one.text.as_str(), one.candidates.len())).collect();
            assert_eq!(shown, told, "{issuer}");
        }
    }
}
