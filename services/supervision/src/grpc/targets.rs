//! `xietong.supervision.v1.TargetService`: decode, ask `app/`, encode. And targets in other messages.

use std::mem::take;

use domain_supervision::{Command, GiveFigure, Target as Aim, TargetFigure, Task};
use time::Date;
use time::macros::format_description;
use tonic::{Request, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::input::LINE;
use xietong_mesh::{Call, Error, input};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::target_service_server::TargetService;

use super::check::task_name;
use super::content::encode_target;
use super::side_road::short;
use super::{Tasks, content};
use crate::app::{Asked, Change, Supervision, Target};
use crate::record::Record;

#[tonic::async_trait]
impl TargetService for Tasks {
    async fn give_figure(
        &self,
        request: Request<proto::GiveFigureRequest>,
    ) -> Result<Response<proto::GivenFigure>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        let asked = asked(&request)?;
        let change = Change {
            task: request.name.clone(),
            target: Target::Source { measure: asked.measure.clone(), number: asked.number },
            asked: Asked::Command(Command::GiveFigure(asked)),
            etag: request.etag.clone(),
            ground: None,
            validate_only: false,
        };
        self.change(&call, &request, &request_id, change, given).await
    }
}

fn asked(request: &proto::GiveFigureRequest) -> Result<GiveFigure, Error> {
    task_name(&request.name)?;
    let measure = input::text("measure", request.measure.trim().to_owned(), LINE)?;
    let value = input::text("value", request.value.trim().to_owned(), LINE)?;
    let as_of = Date::parse(&request.as_of_day, format_description!("[year]-[month]-[day]"))
        .map_err(|_| Error::invalid("as_of_day", "must be a day as 2023-12-31", "日期格式应为2023-12-31"))?;
    let number = match u32::try_from(request.place) {
        Ok(0) => None,
        Ok(number) => Some(number),
        Err(_) => return Err(Error::invalid("place", "must not be negative", "不能为负数")),
    };
    let text = short("text", &request.text)?;
    Ok(GiveFigure { measure, number, value, as_of, text })
}

/// What was said last of a target that measures this. Whoever says it may see no more of the task.
fn given(_: &Supervision, record: &Record, measure: &str) -> Result<proto::GivenFigure, Error> {
    let measuring = (1..).zip(&record.task.targets).filter(|(_, target)| target.measure.trim() == measure);
    let said =
        measuring.filter_map(|(number, target): (u32, &Aim)| Some((target, record.task.figure(number)?)));
    let latest = said.max_by_key(|(_, figure)| figure.given_at);
    let (target, figure) = latest.ok_or_else(|| Error::not_found(measure))?;
    Ok(proto::GivenFigure {
        name: record.task.name.clone(),
        measure: target.measure.clone(),
        figure: Some(encode_figure(target, figure)),
        etag: record.etag(),
    })
}

/// The targets of a task, each with what it came to.
pub(super) fn encode(task: &Task) -> Vec<proto::Target> {
    let target = |(number, target): (u32, &Aim)| proto::Target {
        source_unit: target.source_unit.clone().unwrap_or_default(),
        figure_due_time: target.figure_day.and_then(content::due_time),
        figure: task.figure(number).map(|figure| encode_figure(target, figure)),
        ..encode_target(target)
    };
    (1..).zip(&task.targets).map(target).collect()
}

fn encode_figure(target: &Aim, figure: &TargetFigure) -> proto::TargetFigure {
    proto::TargetFigure {
        value: figure.value.clone(),
        as_of_day: figure.as_of.to_string(),
        text: figure.text.clone(),
        give_time: Some(encode_time(figure.given_at)),
        met: target.is_met_by(&figure.value),
    }
}
