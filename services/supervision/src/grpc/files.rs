//! The files of a task, as whoever may read it is given them.

use domain_attachment::Attachment;
use xietong_mesh::Error;
use xietong_mesh::attachments::{self, Grants};
use xietong_proto::common;
use xietong_proto::supervision as proto;

use crate::record::Record;

/// Most files of all assignments of a task together that it shows. With its grant each may have
/// 1.5 kB, and a task without them 2.6 MB.
const MOST_SHOWN: usize = 100;

/// Files as lists and the answers to changes show them.
pub(super) fn encode(files: &[Attachment]) -> Vec<common::Attachment> {
    files.iter().map(attachments::encode).collect()
}

/// Files of a record that its reader may read, each with a grant.
pub(super) fn granted(files: &[Attachment], grants: &Grants) -> Result<Vec<common::Attachment>, Error> {
    files.iter().map(|file| grants.encode(file)).collect()
}

/// The files that came with what a unit said last.
pub(super) fn last<'a>(record: &'a Record, assignment: &str) -> &'a [Attachment] {
    record.last_attachments.get(assignment).map_or(&[], Vec::as_slice)
}

/// Leaves as many files of the assignments of a task as fit into a message with the rest of it.
pub(super) fn shorten(assignments: &mut [proto::Assignment]) {
    let mut left = MOST_SHOWN;
    for one in assignments {
        one.last_attachments.truncate(left);
        left -= one.last_attachments.len();
    }
}

/// Gives the reader of a task a grant for each of its files that are shown.
pub(super) fn grant(task: &mut proto::Task, record: &Record, grants: &Grants) -> Result<(), Error> {
    task.attachments = granted(&record.task.attachments, grants)?;
    for one in &mut task.assignments {
        let shown = last(record, &one.name).iter().take(one.last_attachments.len());
        one.last_attachments = shown.map(|file| grants.encode(file)).collect::<Result<_, _>>()?;
    }
    Ok(())
}
