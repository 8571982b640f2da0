//! Scoreboards, as the API has them.

use domain_supervision::{Line, Period, Point, ScoreRule, sum};
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_time, encode_time, optional};
use xietong_mesh::input::present;
use xietong_proto::supervision as proto;

use crate::app::{Scoreboard, ScoredLine, Scoring};
use crate::grpc::check::Check;

/// Lines of a scoreboard, at most.
const MOST_LINES: usize = 1_000;
/// Sources of a figure that are named among many lines: all of it must fit into a message.
const FEW_SOURCES: usize = 5;
/// Sources of a figure that are named when one line is asked for.
const MANY_SOURCES: usize = 200;

pub(super) fn decode(request: &proto::GetScoreboardRequest) -> Result<(Scoring, Period), Error> {
    let key = optional(request.key.clone());
    let mut check = Check::default();
    let scoring = match request.group_by.as_str() {
        "" | "unit" => {
            key.iter().for_each(|key| check.name("key", key, "units"));
            Scoring::Units(key)
        }
        "leader" => {
            key.iter().for_each(|key| check.name("key", key, "officials"));
            Scoring::Leaders(key)
        }
        _ => {
            let (english, chinese) = ("must be unit or leader", "应为unit或leader");
            return Err(Error::invalid("group_by", english, chinese));
        }
    };
    check.finish()?;
    let start = decode_time("start_time", &present("start_time", request.start_time)?)?;
    let end = decode_time("end_time", &present("end_time", request.end_time)?)?;
    Ok((scoring, Period { start, end }))
}

/// `one`: one line was asked for.
pub(super) fn encode(board: Scoreboard, one: bool) -> proto::Scoreboard {
    let most = if one { MANY_SOURCES } else { FEW_SOURCES };
    proto::Scoreboard {
        rule: Some(encode_rule(&board.rule)),
        line_count: i32::try_from(board.lines.len()).unwrap_or(i32::MAX),
        lines: board.lines.into_iter().take(MOST_LINES).map(|line| encode_line(line, most)).collect(),
        start_time: Some(encode_time(board.period.start)),
        end_time: Some(encode_time(board.period.end)),
        roster_as_of: board.roster_as_of.map(encode_time),
    }
}

fn encode_rule(rule: &ScoreRule) -> proto::ScoreRule {
    proto::ScoreRule {
        version: i32::try_from(rule.version).unwrap_or(i32::MAX),
        display_name: rule.chinese_name(),
        formula: rule.chinese(),
    }
}

fn encode_line(line: ScoredLine, most: usize) -> proto::ScoreLine {
    let ScoredLine { key, display_name, rank, line } = line;
    let rate = line.on_time_rate().map(|tenths| format!("{}.{}", tenths / 10, tenths % 10));
    let Line { on_time, late, days_overdue, returned, late_steps } = line;
    let figure = |points: Vec<Point>| {
        Some(proto::ScoreFigure {
            value: i64::try_from(sum(&points)).unwrap_or(i64::MAX),
            source_count: i32::try_from(points.len()).unwrap_or(i32::MAX),
            sources: points.into_iter().take(most).map(encode_source).collect(),
        })
    };
    proto::ScoreLine {
        key,
        display_name,
        rank: rank.and_then(|rank| i32::try_from(rank).ok()).unwrap_or(0),
        on_time_rate: rate.unwrap_or_default(),
        on_time: figure(on_time),
        late: figure(late),
        days_overdue: figure(days_overdue),
        returned: figure(returned),
        late_steps: figure(late_steps),
    }
}

fn encode_source(point: Point) -> proto::ScoreSource {
    proto::ScoreSource {
        assignment: point.assignment,
        version: point.version.unwrap_or(0),
        value: point.value.into(),
    }
}
