//! What a division that is tried out would mean elsewhere in the mesh.

use std::collections::BTreeMap;
use std::time::Duration;

use domain_roster::{Changes, Division, RosterEvent};
use futures_util::future::join3;
use tonic::Status;
use xietong_mesh::{Call, Code, Error, Peers, ServiceName};
use xietong_proto::{notification, supervision, workgroup};

/// A service that has not answered by then counts as unavailable.
const PATIENCE: Duration = Duration::from_secs(5);
/// Units asked about in one call.
const MOST_UNITS: usize = 10_000;

/// What the other services hold of what changes hands.
#[derive(Debug, Default)]
pub(crate) struct Preview {
    /// Tasks under way by unit.
    pub(crate) tasks: BTreeMap<String, supervision::UnitTasks>,
    /// How many notices each unit has not signed for.
    pub(crate) notices: BTreeMap<String, i32>,
    /// Seats that follow.
    pub(crate) seats: Vec<workgroup::SeatChange>,
    /// Who did not answer.
    pub(crate) unavailable: Vec<ServiceName>,
}

/// Asks the other services in the name of whoever tries the division out.
pub(crate) async fn preview(
    peers: &Peers,
    call: &Call,
    division: Division,
    changes: &Changes,
) -> Result<Preview, Error> {
    let units: Vec<String> = changes.units.iter().map(|handover| handover.unit.clone()).collect();
    let payload = RosterEvent::DivisionCreated(division).to_payload().map_err(Error::internal)?;
    let (tasks, notices, seats) =
        join3(tasks(peers, call, &units), notices(peers, call, &units), seats(peers, call, payload)).await;
    let mut preview = Preview::default();
    let Preview { unavailable, .. } = &mut preview;
    let tasks = answered(tasks, ServiceName::Supervision, unavailable)?;
    let notices = answered(notices, ServiceName::Notification, unavailable)?;
    let seats = answered(seats, ServiceName::Workgroup, unavailable)?;
    preview.tasks = tasks.into_iter().map(|one| (one.unit.clone(), one)).collect();
    preview.notices = notices.into_iter().map(|one| (one.unit, one.pending_notice_count)).collect();
    preview.seats = seats;
    Ok(preview)
}

/// A service that is away leaves its part out; any other failure is a failure.
fn answered<T>(
    answer: Result<Vec<T>, Error>,
    service: ServiceName,
    unavailable: &mut Vec<ServiceName>,
) -> Result<Vec<T>, Error> {
    match answer {
        Ok(found) => Ok(found),
        Err(error) if is_away(error.code()) => {
            tracing::warn!(%service, %error, "a division is tried out without it");
            unavailable.push(service);
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// Whether an answer with this code is none. An older version does not know the question.
fn is_away(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::DeadlineExceeded | Code::Unimplemented)
}

async fn tasks(peers: &Peers, call: &Call, units: &[String]) -> Result<Vec<supervision::UnitTasks>, Error> {
    use supervision::division_preview_service_client::DivisionPreviewServiceClient;
    let mut client = DivisionPreviewServiceClient::new(peers.channel(ServiceName::Supervision)?);
    let mut found = Vec::new();
    for chunk in units.chunks(MOST_UNITS) {
        let request = supervision::PreviewUnitsRequest { units: chunk.to_vec() };
        let answer = client.preview_units(peers.outgoing(request, call, PATIENCE)?).await;
        found.extend(answer.map_err(told)?.into_inner().units);
    }
    Ok(found)
}

async fn notices(
    peers: &Peers,
    call: &Call,
    units: &[String],
) -> Result<Vec<notification::UnitNotices>, Error> {
    use notification::division_preview_service_client::DivisionPreviewServiceClient;
    let mut client = DivisionPreviewServiceClient::new(peers.channel(ServiceName::Notification)?);
    let mut found = Vec::new();
    for chunk in units.chunks(MOST_UNITS) {
        let request = notification::PreviewUnitsRequest { units: chunk.to_vec() };
        let answer = client.preview_units(peers.outgoing(request, call, PATIENCE)?).await;
        found.extend(answer.map_err(told)?.into_inner().units);
    }
    Ok(found)
}

async fn seats(peers: &Peers, call: &Call, division: String) -> Result<Vec<workgroup::SeatChange>, Error> {
    use workgroup::division_preview_service_client::DivisionPreviewServiceClient;
    let mut client = DivisionPreviewServiceClient::new(peers.channel(ServiceName::Workgroup)?);
    let request = peers.outgoing(workgroup::PreviewSeatsRequest { division }, call, PATIENCE)?;
    Ok(client.preview_seats(request).await.map_err(told)?.into_inner().seats)
}

fn told(status: Status) -> Error {
    Error::from_status(&status)
}
