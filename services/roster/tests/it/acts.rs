//! What else tests do in the city: extend, correct, rename, merge.

use prost_types::FieldMask;
use tonic::Response;
use xietong_mesh::Error;
use xietong_proto::roster as proto;

use crate::city::{City, refused, time};

pub(crate) fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
}

pub(crate) fn update_unit(
    unit: proto::Unit,
    paths: &[&str],
    effective: Option<&str>,
) -> proto::UpdateUnitRequest {
    proto::UpdateUnitRequest {
        unit: Some(unit),
        update_mask: mask(paths),
        effective_time: effective.map(time),
        request_id: String::new(),
    }
}

/// A unit with a new full name.
pub(crate) fn renamed(slug: &str, display_name: &str) -> proto::Unit {
    proto::Unit { name: format!("units/{slug}"), display_name: display_name.into(), ..proto::Unit::default() }
}

pub(crate) fn extend(name: &str, end: &str) -> proto::ExtendAbsenceRequest {
    proto::ExtendAbsenceRequest {
        name: name.into(),
        end_time: Some(time(end)),
        ..proto::ExtendAbsenceRequest::default()
    }
}

pub(crate) fn correct(name: &str, start: &str, end: &str) -> proto::CorrectAbsenceRequest {
    proto::CorrectAbsenceRequest {
        name: name.into(),
        start_time: Some(time(start)),
        end_time: Some(time(end)),
        reason: "登记有误".into(),
        ..proto::CorrectAbsenceRequest::default()
    }
}

impl City {
    pub(crate) async fn divide(&self, division: proto::Division) -> Result<proto::Division, Error> {
        let request = proto::CreateDivisionRequest { division: Some(division), ..Default::default() };
        let answer = self.roster().create_division(self.admin(request)).await.map_err(refused)?;
        Ok(answer.into_inner().division.unwrap())
    }

    pub(crate) async fn extend(&self, request: proto::ExtendAbsenceRequest) -> Result<proto::Absence, Error> {
        let answer = self.roster().extend_absence(self.admin(request)).await;
        answer.map(Response::into_inner).map_err(refused)
    }

    pub(crate) async fn correct(
        &self,
        request: proto::CorrectAbsenceRequest,
    ) -> Result<proto::Absence, Error> {
        let answer = self.roster().correct_absence(self.admin(request)).await;
        answer.map(Response::into_inner).map_err(refused)
    }

    pub(crate) async fn update_unit(&self, request: proto::UpdateUnitRequest) -> Result<proto::Unit, Error> {
        let answer = self.directory().update_unit(self.admin(request)).await;
        answer.map(Response::into_inner).map_err(refused)
    }

    pub(crate) async fn get_unit(&self, slug: &str) -> proto::Unit {
        let request = proto::GetUnitRequest { name: format!("units/{slug}") };
        self.directory().get_unit(self.clerk(request)).await.unwrap().into_inner()
    }

    /// The unit that a name stands for.
    pub(crate) async fn lookup(&self, name: &str) -> Result<String, Error> {
        let request = proto::LookupUnitRequest { name: name.into() };
        let answer = self.directory().lookup_unit(self.clerk(request)).await.map_err(refused)?;
        Ok(answer.into_inner().unit)
    }

    /// What a record's history was, without `roster.` and its kind.
    pub(crate) async fn told(&self, record: &str) -> Vec<String> {
        let last = |event: String| event.rsplit('.').next().unwrap_or_default().to_owned();
        self.history(record).await.into_iter().map(last).collect()
    }

    /// Who acts in a field of work at an instant.
    pub(crate) async fn acting_in(&self, field: &str, instant: &str) -> String {
        let request =
            proto::ResolveRequest { field: field.into(), at: Some(time(instant)), ..Default::default() };
        let answer = self.resolve(request).await.unwrap();
        answer.acting.map(|person| person.display_name).unwrap_or_default()
    }
}
