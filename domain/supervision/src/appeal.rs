//! [`Appeal`]: what a unit says against a figure of its line in a bulletin (申诉).

use domain_calendar::Timestamp;
use serde::{Deserialize, Serialize};

use crate::correction::{Figure, PointKey};
use crate::score::Line;

/// What a unit says against its line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Appeal {
    /// `bulletins/{b}/appeals/{n}`, n from 1.
    pub name: String,
    /// `units/{slug}`.
    pub unit: String,
    /// What it is about.
    pub about: Contested,
    /// Why.
    pub reason: String,
    /// When it came.
    pub at: Timestamp,
    /// Where it stands.
    pub state: AppealState,
}

/// A figure of a line, or one point of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contested {
    /// The figure.
    pub figure: Figure,
    /// The point; none: all of the figure.
    pub point: Option<PointKey>,
}

/// Where an appeal stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum AppealState {
    /// 待处理.
    Open,
    /// 成立.
    Upheld {
        /// What is left out of the figure from now on.
        corrected: Vec<PointKey>,
        /// On what ground.
        ground: String,
        /// When it was decided.
        at: Timestamp,
    },
    /// 不成立.
    Refused {
        /// Why.
        ground: String,
        /// When it was decided.
        at: Timestamp,
    },
}

impl Appeal {
    /// Whether nobody has decided it.
    pub fn is_open(&self) -> bool {
        match self.state {
            AppealState::Open => true,
            AppealState::Upheld { .. } | AppealState::Refused { .. } => false,
        }
    }
}

impl Contested {
    /// The points of a line that it is about; empty when the line has none.
    pub fn points(&self, line: &Line) -> Vec<PointKey> {
        let meant = line
            .figure(self.figure)
            .iter()
            .filter(|point| self.point.as_ref().is_none_or(|key| key.names(point)));
        meant.map(PointKey::of).collect()
    }
}
