//! Units' own AB lists are recorded.

use domain_roster::{RosterEvent, StandInList, admit_stand_in_list};
use xietong_mesh::{Error, Transaction};

use super::{App, record};
use crate::error::refusal;

impl App {
    /// Records a unit's own AB list; returns it with its etag.
    pub(crate) async fn create_stand_in_list(
        &self,
        transaction: &Transaction,
        list: StandInList,
    ) -> Result<(StandInList, String), Error> {
        let mut edit = self.edit(transaction).await?;
        let list = StandInList { recorded_at: edit.now(), ..list };
        admit_stand_in_list(edit.book(), &list).map_err(refusal)?;
        record(&mut edit, transaction, &[RosterEvent::StandInListCreated(list.clone())]).await?;
        let etag = edit.register().etag(&list.name);
        Ok((list, etag))
    }
}
