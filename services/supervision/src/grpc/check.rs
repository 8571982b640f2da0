//! Checking what comes from outside: every text has a bound, every name a form.

use xietong_mesh::Error;
use xietong_mesh::input::{fault_of_line, fault_of_text};

/// Longest id in a resource name, in bytes.
const LONGEST_ID: usize = 100;

/// Collects what is wrong with a request, so that a caller learns of all of it at once, or of
/// the first twenty faults and how many more there are.
#[derive(Default)]
pub(super) struct Check(Option<Error>);

impl Check {
    /// Something is wrong with `field`.
    pub(super) fn wrong(
        &mut self,
        field: impl Into<String>,
        english: impl Into<String>,
        chinese: impl Into<String>,
    ) {
        self.0 = Some(match self.0.take() {
            None => Error::invalid(field, english, chinese),
            Some(error) => error.and_invalid(field, english, chinese),
        });
    }

    /// A text of at most `longest` characters.
    pub(super) fn text(&mut self, field: impl Into<String>, text: &str, longest: usize) {
        if let Some((english, chinese)) = fault_of_text(text, longest) {
            self.wrong(field, english, chinese);
        }
    }

    /// A title or the like: one line.
    pub(super) fn line(&mut self, field: impl Into<String>, text: &str) {
        if let Some((english, chinese)) = fault_of_line(text) {
            self.wrong(field, english, chinese);
        }
    }

    /// A resource name of the form `collection/{id}`.
    pub(super) fn name(&mut self, field: impl Into<String>, name: &str, collection: &str) {
        let id = name.strip_prefix(collection).and_then(|rest| rest.strip_prefix('/'));
        if !id.is_some_and(is_id) {
            let (english, chinese) =
                (format!("must be of the form {collection}/{{id}}"), format!("格式应为{collection}/编号"));
            self.wrong(field, english, chinese);
        }
    }

    /// All that is wrong, if anything is.
    pub(super) fn finish(self) -> Result<(), Error> {
        self.0.map_or(Ok(()), Err)
    }
}

/// A task's name in a request's `name`.
pub(super) fn task_name(name: &str) -> Result<(), Error> {
    let mut check = Check::default();
    check.name("name", name, "tasks");
    check.finish()
}

/// The task that an assignment's name in a request's `name` belongs to.
pub(super) fn task_of_assignment(name: &str) -> Result<&str, Error> {
    match name.split_once("/assignments/") {
        Some((task, assignment)) if task.strip_prefix("tasks/").is_some_and(is_id) && is_id(assignment) => {
            Ok(task)
        }
        Some(_) | None => Err(Error::invalid(
            "name",
            "must be of the form tasks/{id}/assignments/{id}",
            "格式应为tasks/编号/assignments/编号",
        )),
    }
}

/// A task's name in a request's `parent`.
pub(super) fn parent_task(name: &str) -> Result<(), Error> {
    let mut check = Check::default();
    check.name("parent", name, "tasks");
    check.finish()
}

/// Whether a name has the form of an instruction's.
pub(super) fn is_instruction(name: &str) -> bool {
    let parts = name.split_once("/instructions/");
    parts.is_some_and(|(task, id)| task.strip_prefix("tasks/").is_some_and(is_id) && is_id(id))
}

/// The inspection that a finding's name in a request's `name` belongs to.
pub(super) fn inspection_of_finding(name: &str) -> Result<&str, Error> {
    match name.split_once("/findings/") {
        Some((inspection, finding))
            if inspection.strip_prefix("inspections/").is_some_and(is_id) && is_id(finding) =>
        {
            Ok(inspection)
        }
        Some(_) | None => Err(Error::invalid(
            "name",
            "must be of the form inspections/{id}/findings/{id}",
            "格式应为inspections/编号/findings/编号",
        )),
    }
}

/// Whether a text can be the last part of a resource name.
pub(super) fn is_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::{Check, task_name, task_of_assignment};

    #[test]
    fn an_assignment_names_its_task() {
        assert_eq!(task_of_assignment("tasks/0190/assignments/1").unwrap(), "tasks/0190");
        for name in
            ["", "tasks/1", "tasks/1/assignments/", "tasks//assignments/1", "tasks/1/assignments/1/2", "税"]
        {
            assert!(task_of_assignment(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_task_name_has_one_form() {
        assert!(task_name("tasks/0190-a").is_ok());
        for name in ["", "tasks/", "tasks/a b", "tasks/一", "groups/1", "tasks/1/assignments/1"] {
            assert!(task_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let mut check = Check::default();
        check.text("title", "a\0b", 10);
        check.text("text", "一二三", 2);
        check.text("note", "一二", 2);
        let error = check.finish().unwrap_err();
        let fields: Vec<&str> = error.violations().iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["title", "text"]);
    }
}
