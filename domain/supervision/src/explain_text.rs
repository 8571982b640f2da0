//! An [`Explanation`] as officials read it.

use std::time::Duration;

use domain_calendar::Timestamp;
use time::Date;

use crate::assignment::Stage;
use crate::charge::{ChargeKind, ChargedTo};
use crate::deadline::ClockPhase;
use crate::explain::{Basis, ChargedWait, Explanation, MilestoneLimit, Skipped, StageLimit};
use crate::limit_text::limit_moment;
use crate::rule::{ClockStart, Cycle, DayKind, Span};

impl Explanation {
    /// Step by step, in Chinese.
    pub fn steps(&self) -> Vec<String> {
        let mut steps = vec![self.started(), self.counted_by()];
        steps.extend(self.stages.iter().map(|limit| self.limited(limit)));
        steps.extend(self.milestones.iter().map(milestone));
        steps.extend(
            self.extensions
                .iter()
                .map(|(at, last_day)| format!("{}同意延期至{}", moment(*at), day(*last_day))),
        );
        steps.extend(self.waits.iter().map(waited));
        steps.push(self.concluded());
        steps
    }

    fn started(&self) -> String {
        let issued = moment(self.issued_at);
        if let Some(occurred_at) = self.occurred_at {
            // Of a unit that came in later the clock starts with its assignment.
            let since = if self.start == occurred_at {
                "自发生时起计时".to_owned()
            } else {
                format!("自{}起计时", moment(self.start))
            };
            return format!("{}发生，{issued}交办，{since}", moment(occurred_at));
        }
        if let Some((event, on)) = &self.event {
            return format!("{issued}交办，{}{event}，自{}起计时", day(*on), moment(self.start));
        }
        match self.clock_start {
            ClockStart::Issued => format!("{issued}交办，即时开始计时"),
            ClockStart::NextWorkingMoment => {
                let skipped = not_counted(&self.before_start);
                format!("{issued}交办，自首个工作时刻{}开始计时{skipped}", moment(self.start))
            }
        }
    }

    fn counted_by(&self) -> String {
        let days = match self.day_kind {
            DayKind::Natural => "自然日",
            DayKind::Working => "工作日",
        };
        let rule = format!("适用13710督办规则第{}版，按{days}计算", self.rule_version);
        let years = self.years.iter().map(|(year, source)| match source {
            Some(source) => format!("{year}年依据{source}"),
            None => format!("{year}年节假日安排尚未公布，暂按周一至周五计算"),
        });
        let years: Vec<String> = years.collect();
        if years.is_empty() {
            return rule;
        }
        format!("{rule}；工作日历第{}版：{}", self.calendar_version, years.join("，"))
    }

    fn limited(&self, limit: &StageLimit) -> String {
        let what = match limit.stage {
            Stage::Sign => "签收",
            Stage::Deploy => "部署",
            Stage::Report => "反馈",
            Stage::Milestone => "节点",
            Stage::Settle => "办结",
        };
        let unit = match self.day_kind {
            DayKind::Natural => "日",
            DayKind::Working => "个工作日",
        };
        let basis = match limit.basis {
            Basis::Within(Span::Days(0)) => "当日".to_owned(),
            Basis::Within(Span::Days(days)) => format!("{days}{unit}，起始当日不计"),
            Basis::Within(Span::Months(months)) => format!("{months}个月"),
            Basis::Every(cycle) => every(cycle),
            Basis::Named => "文件规定的期限".to_owned(),
            Basis::EndOfYear => "文件未定期限，至当年年底".to_owned(),
            Basis::Granted => "同意延期后的期限".to_owned(),
            Basis::LastMilestone => "文件未定总期限，按最后一个节点".to_owned(),
            Basis::Kept => "新公布的日历下已过，仍按原定期限".to_owned(),
            Basis::Within(Span::Minutes(minutes)) => {
                return format!("{what}：{minutes}分钟，至{}", moment(limit.end));
            }
            Basis::AfterEvent(Span::Months(months)) => format!("事件发生后最迟{months}个月"),
            Basis::AfterEvent(Span::Days(days)) => format!("事件发生后最迟{days}日"),
            Basis::AfterEvent(Span::Minutes(_)) => "事件发生后".to_owned(),
        };
        let made_up = match limit.made_up.as_slice() {
            [] => String::new(),
            days => {
                let days: Vec<String> = days.iter().map(|one| day(*one)).collect();
                format!("，{}调休上班计入", days.join("、"))
            }
        };
        let skipped = not_counted(&limit.skipped);
        // What others cost of the settle date is told by itself.
        let moved = match limit.stage {
            Stage::Sign | Stage::Deploy | Stage::Report | Stage::Milestone if limit.due != limit.end => {
                format!("，顺延至{}", limit_moment(limit.due))
            }
            Stage::Sign | Stage::Deploy | Stage::Report | Stage::Milestone | Stage::Settle => String::new(),
        };
        format!("{what}：{basis}{skipped}{made_up}，至{}24时{moved}", day(limit.last_day))
    }

    fn concluded(&self) -> String {
        let (settle, yellow) = self.add_up();
        let mut text = match settle {
            Some(settle) => format!("办结时限为{}", limit_moment(settle)),
            None => "没有办结时限".to_owned(),
        };
        match (yellow, self.yellow_left) {
            (Some(yellow), Some(left)) => {
                text.push_str(&format!(
                    "，剩余{}时（{}）起亮黄灯，期满亮红灯",
                    // As precise as the instant beside it, so that both add up.
                    lasting(to_the_minute(left)),
                    moment(yellow)
                ));
            }
            (_, _) => text.push_str("，时限较短不亮黄灯，期满亮红灯"),
        }
        match (self.clocks.phase, self.held_since) {
            (ClockPhase::Held, Some(since)) => {
                text.push_str(&format!("；自{}起等待核验或决定，暂停计时", moment(since)));
            }
            (ClockPhase::Closed, _) => text.push_str("；已销号，停止计时"),
            (ClockPhase::Off, _) => text.push_str("；未计时"),
            (ClockPhase::Held | ClockPhase::Running, _) => {}
        }
        if self.clocks.provisional {
            text.push_str("；涉及的节假日安排尚未公布，以上为暂定，公布后重新核定");
        }
        text
    }
}

fn milestone(limit: &MilestoneLimit) -> String {
    let mut text = format!("节点：{}前{}", day(limit.last_day), limit.text);
    if limit.due.saturating_sub(Duration::from_micros(1)).day() != limit.last_day {
        text.push_str(&format!("，随暂停和延期顺延至{}", moment(limit.due)));
    }
    match (limit.reached_at, limit.next, limit.yellow_at) {
        (Some(at), ..) => text.push_str(&format!("，{}报告完成", moment(at))),
        (None, true, Some(yellow)) => {
            text.push_str(&format!("，为下一节点，{}起亮黄灯，期满未完成亮红灯", moment(yellow)));
        }
        (None, true, None) => text.push_str("，为下一节点，期满未完成亮红灯"),
        (None, false, _) => {}
    }
    text
}

fn waited(wait: &ChargedWait) -> String {
    let pause = &wait.pause;
    let (start, end) = (moment(pause.from), moment(pause.until));
    let what = match pause.kind {
        ChargeKind::Verification => "等待核验",
        ChargeKind::Extension => "等待延期决定",
        ChargeKind::Return => "等待对退回的答复",
        ChargeKind::Misdirection => "误交其他单位",
        ChargeKind::Suspension => "挂账",
        ChargeKind::Waiting => "等待其他单位办理",
    };
    let who = match &pause.to {
        ChargedTo::Verifier => "核验单位",
        ChargedTo::Decider => "作决定的领导",
        ChargedTo::Supervisor => "督查室",
        ChargedTo::Unit(_) => "所等待的单位",
        ChargedTo::Nobody => "批准的停办时间",
    };
    let effect = if pause.moved == Duration::ZERO {
        "不顺延".to_owned()
    } else if wait.counts {
        format!("{}计入{who}，办结时限顺延", lasting(pause.moved))
    } else {
        format!("{}计入{who}，已包含在延期后的期限内", lasting(pause.moved))
    };
    format!("{start}至{end}{what}，{effect}")
}

fn every(cycle: Cycle) -> String {
    match cycle {
        Cycle::Daily => "每日一次".to_owned(),
        Cycle::TimesAWeek(times) => format!("每周{times}次"),
        Cycle::Weekly => "每周一次".to_owned(),
        Cycle::Monthly => "每月一次".to_owned(),
        Cycle::Quarterly => "每季度一次".to_owned(),
        Cycle::HalfYearly => "每半年一次".to_owned(),
    }
}

/// Days that were not counted, those that follow one another and have one name together.
fn not_counted(skipped: &[Skipped]) -> String {
    let mut runs: Vec<(Date, Date, &str)> = Vec::new();
    for Skipped { day, holiday } in skipped {
        let name = holiday.as_deref().unwrap_or("公休日");
        match runs.last_mut() {
            Some((_, last, known)) if *known == name && last.next_day() == Some(*day) => *last = *day,
            Some(_) | None => runs.push((*day, *day, name)),
        }
    }
    if runs.is_empty() {
        return String::new();
    }
    let told = runs.into_iter().map(|(first, last, name)| {
        if first == last {
            format!("{}（{name}）", day(first))
        } else {
            format!("{}至{}（{name}）", day(first), day(last))
        }
    });
    format!("，扣除{}", told.collect::<Vec<_>>().join("、"))
}

fn day(day: Date) -> String {
    format!("{}年{}月{}日", day.year(), u8::from(day.month()), day.day())
}

/// Midnight is the end of the day before.
fn moment(at: Timestamp) -> String {
    let (date, time) = (at.day(), at.time_of_day());
    match date.previous_day() {
        Some(before) if time == time::Time::MIDNIGHT => format!("{}24时", day(before)),
        Some(_) | None => format!("{}{:02}:{:02}", day(date), time.hour(), time.minute()),
    }
}

/// A part of a minute is a whole one: the instant it is counted from is shown without its seconds.
fn to_the_minute(duration: Duration) -> Duration {
    let begun = duration.as_nanos().div_ceil(60_000_000_000);
    Duration::from_secs(u64::try_from(begun).unwrap_or(u64::MAX / 60).saturating_mul(60))
}

fn lasting(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    let parts = [(minutes / 1_440, "天"), (minutes / 60 % 24, "小时"), (minutes % 60, "分钟")];
    let told: String = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if told.is_empty() { "不足1分钟".to_owned() } else { told }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remainder_adds_up_with_the_instant_beside_it() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        // Shown as 11:24; 1 day, 12 hours and 36 minutes later it is 24:00.
        let yellow = at("2023-06-07T11:24:00.5+08:00");
        let left = at("2023-06-09T00:00:00+08:00").since(yellow);
        assert_eq!(
            (moment(yellow), lasting(to_the_minute(left))),
            ("2023年6月7日11:24".to_owned(), "1天12小时36分钟".to_owned())
        );
        assert_eq!(to_the_minute(Duration::from_secs(120)), Duration::from_secs(120));
    }
}
