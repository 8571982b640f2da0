//! The PATCHes of `DirectoryService`.

use xietong_mesh::convert::decode_optional_time;
use xietong_mesh::input::{present, required};
use xietong_mesh::{Attempt, Call, Error};
use xietong_proto::roster as proto;

use super::convert::directory::{encode_collective, encode_official, encode_unit};
use super::convert::patch::Patch;
use super::directory::DirectoryHandlers;
use crate::app::Revision;

impl DirectoryHandlers {
    pub(super) async fn revise_unit(
        &self,
        call: &Call,
        mut request: proto::UpdateUnitRequest,
    ) -> Result<proto::Unit, Error> {
        let request_id = std::mem::take(&mut request.request_id);
        let asked = present("unit", request.unit.clone())?;
        let revision = Revision {
            name: required("unit.name", asked.name.clone())?,
            etag: asked.etag.clone(),
            effective_time: decode_optional_time("effective_time", request.effective_time.as_ref())?,
        };
        let patch = Patch::of_unit(asked, request.update_mask.as_ref())?;
        let transaction = match self.app.begin(call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(answer),
            Attempt::First(transaction) => transaction,
        };
        let revised = self.app.update_unit(call, &transaction, &revision, |unit| patch.unit(unit)).await?;
        transaction.commit(encode_unit(&revised.0, revised.1)).await
    }

    pub(super) async fn revise_collective(
        &self,
        call: &Call,
        mut request: proto::UpdateCollectiveRequest,
    ) -> Result<proto::Collective, Error> {
        let request_id = std::mem::take(&mut request.request_id);
        let asked = present("collective", request.collective.clone())?;
        let revision = Revision {
            name: required("collective.name", asked.name.clone())?,
            etag: asked.etag.clone(),
            effective_time: decode_optional_time("effective_time", request.effective_time.as_ref())?,
        };
        let patch = Patch::of_collective(asked, request.update_mask.as_ref())?;
        let transaction = match self.app.begin(call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(answer),
            Attempt::First(transaction) => transaction,
        };
        let revise = |collective: &_| patch.collective(collective);
        let (collective, etag) = self.app.update_collective(call, &transaction, &revision, revise).await?;
        transaction.commit(encode_collective(&collective, etag)).await
    }

    pub(super) async fn revise_official(
        &self,
        call: &Call,
        mut request: proto::UpdateOfficialRequest,
    ) -> Result<proto::Official, Error> {
        let request_id = std::mem::take(&mut request.request_id);
        let asked = present("official", request.official.clone())?;
        let revision = Revision {
            name: required("official.name", asked.name.clone())?,
            etag: asked.etag.clone(),
            effective_time: None,
        };
        let patch = Patch::of_official(asked, request.update_mask.as_ref())?;
        let transaction = match self.app.begin(call, &request, &request_id).await? {
            Attempt::Repeat(answer) => return Ok(answer),
            Attempt::First(transaction) => transaction,
        };
        let revise = |official: &_| patch.official(official);
        let (official, etag) = self.app.update_official(call, &transaction, &revision, revise).await?;
        transaction.commit(encode_official(&official, etag)).await
    }
}
