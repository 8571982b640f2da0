//! Scoreboards, as the API has them.

use domain_calendar::Timestamp;
use domain_supervision::{Corrected, Figure, Line, Period, Point, ScoreRule, Stage, sum};
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_time, encode_time, optional};
use xietong_mesh::input::present;
use xietong_proto::supervision as proto;

use crate::app::{Scoreboard, ScoredLine, Scoring};
use crate::grpc::check::Check;

/// Lines of a scoreboard, at most.
pub(in crate::grpc) const MOST_LINES: usize = 1_000;
/// Sources of a figure that are named among many lines: all of it must fit into a message.
const FEW_SOURCES: usize = 5;
/// Sources of a figure that are named when one line is asked for.
const MANY_SOURCES: usize = 200;

/// What is scored, over which period, and by which version.
type Asked = (Scoring, Period, Option<u32>);

pub(super) fn decode(request: &proto::GetScoreboardRequest) -> Result<Asked, Error> {
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
    Ok((scoring, Period { start, end }, rule_version(request.rule_version)?))
}

/// A version that is asked for; 0 is none.
pub(in crate::grpc) fn rule_version(version: i32) -> Result<Option<u32>, Error> {
    match u32::try_from(version) {
        Ok(version) => Ok(Some(version).filter(|version| *version > 0)),
        Err(_) => Err(Error::invalid("rule_version", "must not be negative", "评价规则的版本不能为负数")),
    }
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

pub(in crate::grpc) fn encode_rule(rule: &ScoreRule) -> proto::ScoreRule {
    let step = |stage: &Stage| match stage {
        Stage::Sign => Some(proto::ScoredStep::Sign.into()),
        Stage::Deploy => Some(proto::ScoredStep::Deploy.into()),
        Stage::Report => Some(proto::ScoredStep::Report.into()),
        // No rule has it.
        Stage::Milestone | Stage::Settle => None,
    };
    proto::ScoreRule {
        version: i32::try_from(rule.version).unwrap_or(i32::MAX),
        display_name: rule.chinese_name(),
        formula: rule.chinese(),
        name: format!("scoreRules/{}", rule.version),
        closed_with_task: rule.closed_with_task,
        late_steps: rule.late_steps.iter().filter_map(step).collect(),
        ground: rule.ground.clone(),
        start_time: (rule.start_time > Timestamp::MIN).then(|| encode_time(rule.start_time)),
    }
}

/// At most so many sources of a figure are named.
pub(in crate::grpc) fn encode_line(line: ScoredLine, most: usize) -> proto::ScoreLine {
    let ScoredLine { key, display_name, rank, line } = line;
    let rate = line.on_time_rate().map(|tenths| format!("{}.{}", tenths / 10, tenths % 10));
    let Line { on_time, late, days_overdue, returned, late_steps, returns_refused, reopened, corrected } =
        line;
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
        returns_refused: figure(returns_refused),
        reopened: figure(reopened),
        correction_count: i32::try_from(corrected.len()).unwrap_or(i32::MAX),
        corrections: corrected.into_iter().take(most).map(encode_correction).collect(),
    }
}

fn encode_correction(corrected: Corrected) -> proto::ScoreCorrection {
    let Corrected { figure, point, ground, appeal, reopened } = corrected;
    proto::ScoreCorrection {
        figure: encode_figure(figure).into(),
        assignment: point.assignment,
        version: point.version.unwrap_or(0),
        value: point.value.into(),
        ground,
        appeal,
        reopened_version: reopened.unwrap_or(0),
    }
}

pub(in crate::grpc) fn encode_figure(figure: Figure) -> proto::ScoreFigureKind {
    match figure {
        Figure::OnTime => proto::ScoreFigureKind::OnTime,
        Figure::Late => proto::ScoreFigureKind::Late,
        Figure::DaysOverdue => proto::ScoreFigureKind::DaysOverdue,
        Figure::Returned => proto::ScoreFigureKind::Returned,
        Figure::LateSteps => proto::ScoreFigureKind::LateSteps,
        Figure::ReturnsRefused => proto::ScoreFigureKind::ReturnsRefused,
        Figure::Reopened => proto::ScoreFigureKind::Reopened,
    }
}

fn encode_source(point: Point) -> proto::ScoreSource {
    proto::ScoreSource {
        assignment: point.assignment,
        version: point.version.unwrap_or(0),
        value: point.value.into(),
    }
}
