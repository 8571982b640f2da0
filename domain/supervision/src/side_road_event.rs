//! [`SideRoad`]: what happened on the side roads of an assignment, and what it changes.

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};
use time::Date;

use crate::assignment::{Assignment, AssignmentState, Stage};
use crate::charge::{ChargeKind, ChargedPause, ChargedTo};
use crate::extension::Extended;
use crate::paper::chinese_day;
use crate::side_road::{Misdirection, Suspension, Wait};
use crate::task::AssignmentDraft;

/// What happened on a side road.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "road", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SideRoad {
    /// 退回: its clock is held until the supervisor decides.
    Returned {
        /// Why it is not the unit's.
        reason: String,
    },
    /// 不同意退回: the unit keeps it, and the wait is charged to the supervisor.
    ReturnRefused {
        /// Why.
        note: String,
    },
    /// 改派: it begins anew with another unit.
    Reassigned {
        /// The unit that had it.
        from: String,
        /// The unit that has it.
        to: String,
        /// Why.
        ground: String,
        /// The first-named lead unit of the task as it is now.
        lead_unit: Option<String>,
        /// The task names its last day or has milestones: what passed until now is not the new unit's.
        dated: bool,
    },
    /// 挂账.
    Suspended {
        /// Why.
        ground: String,
        /// The day to look at it again, Asia/Shanghai.
        #[serde(with = "crate::date_text::whole")]
        review_date: Date,
    },
    /// 恢复办理: the due dates move by the suspended time.
    Resumed {
        /// May be empty.
        note: String,
    },
    /// 申请等待: the clock goes on for now.
    WaitRequested {
        /// The other unit.
        on: String,
        /// What is needed of it.
        need: String,
        /// The instant by which it must accept; after that only the supervisor rules.
        accept_before: Timestamp,
    },
    /// The clock stands still, from the request on.
    WaitHeld {
        /// The other unit.
        on: String,
        /// The supervisor ruled it; otherwise the other unit accepted.
        ruled: bool,
        /// May be empty.
        note: String,
    },
    /// The supervisor ruled that the clock goes on.
    WaitRefused {
        /// The other unit.
        on: String,
        /// Why.
        note: String,
    },
    /// The wait is over and, if the clock stood still, charged to the other unit.
    WaitEnded {
        /// The other unit.
        on: String,
        /// Its answer.
        answer: String,
    },
    /// 回头看: it stays struck off.
    Rechecked {
        /// What was found.
        finding: String,
    },
    /// 重新办理.
    Reopened {
        /// What was found.
        ground: String,
        /// The last day to put it right, Asia/Shanghai.
        #[serde(with = "crate::date_text::whole")]
        last_day: Date,
    },
}

impl SideRoad {
    /// The type it is recorded under.
    pub(crate) fn event_type(&self) -> &'static str {
        match self {
            Self::Returned { .. } => "supervision.assignment.returned",
            Self::ReturnRefused { .. } => "supervision.assignment.return_refused",
            Self::Reassigned { .. } => "supervision.assignment.reassigned",
            Self::Suspended { .. } => "supervision.assignment.suspended",
            Self::Resumed { .. } => "supervision.assignment.resumed",
            Self::WaitRequested { .. } => "supervision.assignment.wait_requested",
            Self::WaitHeld { .. } => "supervision.assignment.wait_held",
            Self::WaitRefused { .. } => "supervision.assignment.wait_refused",
            Self::WaitEnded { .. } => "supervision.assignment.wait_ended",
            Self::Rechecked { .. } => "supervision.assignment.rechecked",
            Self::Reopened { .. } => "supervision.assignment.reopened",
        }
    }

    /// As officials read it. `unit` is what people call the holder, `called` any unit.
    pub(crate) fn describe(&self, unit: &str, called: &dyn Fn(&str) -> String) -> String {
        match self {
            Self::Returned { reason } => format!("{unit}退回（认为不属本单位职责）：{reason}"),
            Self::ReturnRefused { note } => format!("不同意{unit}退回：{note}"),
            Self::Reassigned { from, to, ground, .. } => {
                format!("由{}改派至{}：{ground}", called(from), called(to))
            }
            Self::Suspended { ground, review_date } => {
                format!("{unit}的办理事项挂账，{}复核：{ground}", chinese_day(*review_date))
            }
            Self::Resumed { note } => format!("{unit}的办理事项恢复办理{}", after_colon(note)),
            Self::WaitRequested { on, need, .. } => format!("{unit}申请等待{}：{need}", called(on)),
            Self::WaitHeld { on, ruled: false, .. } => {
                format!("{}确认{unit}须等待其办理，自申请时起暂停计时", called(on))
            }
            Self::WaitHeld { on, ruled: true, note } => {
                format!("裁定{unit}等待{}，自申请时起暂停计时{}", called(on), after_colon(note))
            }
            Self::WaitRefused { on, note } => format!("裁定{unit}不能等待{}：{note}", called(on)),
            Self::WaitEnded { on, answer } => format!("{unit}不再等待{}：{answer}", called(on)),
            Self::Rechecked { finding } => format!("对{unit}回头看：{finding}"),
            Self::Reopened { ground, last_day } => {
                format!("{unit}重新办理，{}前整改到位：{ground}", chinese_day(*last_day))
            }
        }
    }

    /// Up to when what the unit had missed is counted as it happens; none: up to then.
    pub(crate) fn late_until(&self, assignment: &Assignment) -> Option<Timestamp> {
        match self {
            // The clock stood still since the request.
            Self::WaitHeld { .. } => assignment.wait.as_ref().map(|wait| wait.requested_at),
            Self::Returned { .. }
            | Self::ReturnRefused { .. }
            | Self::Reassigned { .. }
            | Self::Suspended { .. }
            | Self::Resumed { .. }
            | Self::WaitRequested { .. }
            | Self::WaitRefused { .. }
            | Self::WaitEnded { .. }
            | Self::Rechecked { .. }
            | Self::Reopened { .. } => None,
        }
    }
}

fn after_colon(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!("：{note}") }
}

impl Assignment {
    pub(crate) fn take_side_road(&mut self, change: &SideRoad, at: Timestamp) {
        match change {
            SideRoad::Returned { reason } => {
                self.state = AssignmentState::Returned;
                // Whoever returns a matter has seen it.
                self.signed_at.get_or_insert(at);
                self.misdirection = Some(Misdirection { reason: reason.clone(), returned_at: at });
            }
            SideRoad::ReturnRefused { note: _ } => {
                self.state = AssignmentState::Signed;
                if let Some(Misdirection { returned_at, .. }) = self.misdirection.take() {
                    self.charge_whole(ChargeKind::Return, ChargedTo::Supervisor, returned_at, at);
                }
            }
            SideRoad::Reassigned { to, dated, .. } => self.begin_anew(to, *dated, at),
            SideRoad::Suspended { ground, review_date } => {
                self.state = AssignmentState::Suspended;
                let (ground, review_date) = (ground.clone(), *review_date);
                self.suspension = Some(Suspension { ground, review_date, since: at });
            }
            SideRoad::Resumed { note: _ } => {
                self.state = AssignmentState::InProgress;
                if let Some(Suspension { since, .. }) = self.suspension.take() {
                    self.charge_whole(ChargeKind::Suspension, ChargedTo::Nobody, since, at);
                }
            }
            SideRoad::WaitRequested { on, need, accept_before } => {
                self.wait = Some(Wait {
                    on: on.clone(),
                    need: need.clone(),
                    requested_at: at,
                    accept_before: *accept_before,
                    held_at: None,
                    settle_was_late: self.late.contains(&Stage::Settle),
                });
            }
            SideRoad::WaitHeld { .. } => {
                if let Some(wait) = &mut self.wait {
                    wait.held_at = Some(at);
                    // Missed only because the answer took so long.
                    if !wait.settle_was_late {
                        self.late.remove(&Stage::Settle);
                    }
                }
            }
            SideRoad::WaitRefused { .. } => self.wait = None,
            SideRoad::WaitEnded { .. } => self.end_wait(at),
            SideRoad::Rechecked { .. } => {}
            SideRoad::Reopened { ground: _, last_day } => {
                self.state = AssignmentState::InProgress;
                self.completed_at = None;
                // It may have been struck off with the task before the unit did anything.
                self.signed_at.get_or_insert(at);
                self.deployed_at.get_or_insert(at);
                self.counted_from = Some(at);
                self.milestones_done = true;
                self.closed_due = None;
                self.closed_rule = None;
                let waited_before = self.waited();
                self.extended = Some(Extended {
                    last_day: *last_day,
                    granted_at: at,
                    cycles_from: Some(at),
                    waited_before,
                });
            }
        }
    }

    /// The wait is over at an instant; the other unit answers for the time the clock stood still.
    pub(crate) fn end_wait(&mut self, at: Timestamp) {
        if let Some(Wait { on, requested_at, held_at: Some(_), .. }) = self.wait.take() {
            self.charge_whole(ChargeKind::Waiting, ChargedTo::Unit(on), requested_at, at);
        }
    }

    /// Whatever pause there is ends without being charged: the assignment is over.
    pub(crate) fn drop_pauses(&mut self) {
        self.extension_request = None;
        self.misdirection = None;
        self.suspension = None;
        self.wait = None;
    }

    fn begin_anew(&mut self, unit: &str, dated: bool, at: Timestamp) {
        let from = self.assigned_at.unwrap_or(at);
        let draft = AssignmentDraft { name: self.name.clone(), unit: unit.to_owned(), role: self.role };
        let mut formerly_of = std::mem::take(&mut self.formerly_of);
        formerly_of.push(std::mem::take(&mut self.unit));
        *self = Assignment { formerly_of, ..Assignment::from_draft(&draft) };
        self.issue(at);
        // A last day that the document names does not move by itself when the clock begins anew.
        if dated {
            self.charge(ChargedPause {
                kind: ChargeKind::Misdirection,
                to: ChargedTo::Supervisor,
                from,
                until: at,
                moved: at.since(from),
            });
        }
    }
}
