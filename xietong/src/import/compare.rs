//! Comparing what a notice says with the task that is its item already. An import never
//! changes a text: it reports the difference, and revises only when told to.

use std::collections::BTreeSet;

use serde::Serialize;
use xietong_proto::supervision::{Task, TaskState};

/// What identifies a task within its document.
pub(super) type Key = (String, i32, String);

/// The part, the number and, without a number, the label of an item. A task that is no item
/// of its document has none.
pub(super) fn key(task: &Task) -> Option<Key> {
    let source = task.source.as_ref()?;
    let is_item = source.item_number > 0 || !source.label.is_empty();
    is_item.then(|| (source.part.clone(), source.item_number, source.label.clone()))
}

/// An item as people call it.
pub(super) fn called(task: &Task) -> String {
    let Some(source) = &task.source else { return task.title.clone() };
    let item = match source.item_number {
        0 => source.label.clone(),
        number => format!("第{number}项"),
    };
    if source.part.is_empty() { item } else { format!("{}{item}", source.part) }
}

/// A field in which a task differs from its item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Difference {
    /// Path of the field in the API.
    #[serde(skip)]
    pub(super) path: &'static str,
    /// What it is called.
    pub(super) field: &'static str,
    /// What the task says.
    pub(super) task: String,
    /// What the notice says.
    pub(super) notice: String,
    /// The task was revised in it.
    pub(super) revised: bool,
}

/// Where a task differs from what the notice says, given as the task it would be.
pub(super) fn differences(task: &Task, notice: &Task) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut compare = |path, field, task: String, notice: String| {
        if task != notice {
            all.push(Difference { path, field, task, notice, revised: false });
        }
    };
    compare("title", "名称", task.title.clone(), notice.title.clone());
    compare("text", "内容", task.text.clone(), notice.text.clone());
    compare("tags", "标签", task.tags.join("、"), notice.tags.join("、"));
    // What the notice leaves open and a person has settled since is no difference: the notice
    // cannot say by when or by whom.
    if notice.open_points.is_empty() || !task.open_points.is_empty() {
        compare("due_time", "期限", due(task), due(notice));
        compare("milestones", "节点", milestones(task), milestones(notice));
        compare("assignments", "承办单位", units(task), units(notice));
        if task.state() == TaskState::Draft {
            compare("open_points", "待明确", open_points(task), open_points(notice));
        }
    }
    all
}

/// Which of the differences a revision may change, by where the task stands.
pub(super) fn revisable(task: &Task, differences: &[Difference]) -> Vec<&'static str> {
    let paths = differences.iter().map(|one| one.path);
    match task.state() {
        TaskState::Draft => paths.collect(),
        TaskState::Issued => paths.filter(|path| !["assignments", "open_points"].contains(path)).collect(),
        TaskState::StruckOff | TaskState::Withdrawn | TaskState::Unspecified => Vec::new(),
    }
}

fn due(task: &Task) -> String {
    task.due_time.as_ref().map_or_else(String::new, day_before)
}

/// The last day before an instant.
fn day_before(time: &prost_types::Timestamp) -> String {
    xietong_mesh::convert::decode_time("due_time", time).map_or_else(
        |_| String::new(),
        |due| due.saturating_sub(std::time::Duration::from_micros(1)).day().to_string(),
    )
}

fn milestones(task: &Task) -> String {
    let milestone = |one: &xietong_proto::supervision::Milestone| {
        let day = one.due_time.as_ref().map_or_else(String::new, day_before);
        format!("{day} {}（{}）", one.text, one.units.join("、"))
    };
    task.milestones.iter().map(milestone).collect::<Vec<_>>().join("；")
}

fn units(task: &Task) -> String {
    let units: BTreeSet<(i32, &str)> =
        task.assignments.iter().map(|one| (one.role, one.unit.as_str())).collect();
    let called = |(role, unit): &(i32, &str)| {
        let role = match xietong_proto::supervision::AssignmentRole::try_from(*role) {
            Ok(xietong_proto::supervision::AssignmentRole::Lead) => "牵头",
            Ok(xietong_proto::supervision::AssignmentRole::Cooperating) => "配合",
            Ok(xietong_proto::supervision::AssignmentRole::Responsible) => "责任",
            Ok(xietong_proto::supervision::AssignmentRole::Unspecified) | Err(_) => "",
        };
        format!("{role}{unit}")
    };
    units.iter().map(called).collect::<Vec<_>>().join("、")
}

fn open_points(task: &Task) -> String {
    task.open_points.iter().map(|one| format!("{}：{}", one.text, one.why)).collect::<Vec<_>>().join("；")
}

#[cfg(test)]
mod tests {
    use xietong_proto::supervision::{Assignment, AssignmentRole, OpenPoint, Source, Task, TaskState};

    use super::{called, differences, key, revisable};

    fn task(state: TaskState) -> Task {
        let lead = AssignmentRole::Lead.into();
        Task {
            title: "改造老旧小区60个".to_owned(),
            source: Some(Source { part: "行动计划".to_owned(), item_number: 7, ..Source::default() }),
            assignments: vec![Assignment {
                unit: "units/zhujianju".to_owned(),
                role: lead,
                ..Assignment::default()
            }],
            state: state.into(),
            ..Task::default()
        }
    }

    #[test]
    fn what_differs_is_named_and_what_may_be_revised_depends_on_the_state() {
        let mut notice = task(TaskState::Unspecified);
        assert_eq!(differences(&task(TaskState::Issued), &notice), []);
        notice.title = "改造老旧小区70个".to_owned();
        notice.assignments.clear();
        let found = differences(&task(TaskState::Issued), &notice);
        let fields: Vec<_> =
            found.iter().map(|one| (one.field, one.task.as_str(), one.notice.as_str())).collect();
        assert_eq!(
            fields,
            [("名称", "改造老旧小区60个", "改造老旧小区70个"), ("承办单位", "牵头units/zhujianju", "")]
        );
        for (state, paths) in [
            (TaskState::Draft, vec!["title", "assignments"]),
            (TaskState::Issued, vec!["title"]),
            (TaskState::StruckOff, vec![]),
            (TaskState::Withdrawn, vec![]),
        ] {
            assert_eq!(revisable(&task(state), &found), paths, "{state:?}");
        }
    }

    #[test]
    fn what_a_person_settled_is_no_difference_in_itself() {
        let mut notice = task(TaskState::Unspecified);
        let text = "有关县市区".to_owned();
        notice.open_points =
            vec![OpenPoint { text, why: "需要人工确定".to_owned(), ..OpenPoint::default() }];
        notice.assignments.clear();
        assert_eq!(differences(&task(TaskState::Draft), &notice), [], "nor are the units that were chosen");
        notice.assignments = task(TaskState::Draft).assignments;
        let mut open = task(TaskState::Draft);
        open.open_points = vec![OpenPoint::default()];
        assert_eq!(differences(&open, &notice).len(), 1);
    }

    #[test]
    fn an_item_is_known_by_its_part_and_number_or_label() {
        let mut one = task(TaskState::Draft);
        assert_eq!(key(&one), Some(("行动计划".to_owned(), 7, String::new())));
        assert_eq!(called(&one), "行动计划第7项");
        one.source = Some(Source { label: "(一)".to_owned(), ..Source::default() });
        assert_eq!(
            (key(&one), called(&one)),
            (Some((String::new(), 0, "(一)".to_owned())), "(一)".to_owned())
        );
        one.source = None;
        assert_eq!(key(&one), None);
    }
}
