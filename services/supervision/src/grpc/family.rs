//! How the sub-tasks of a task stand, as the API has it.

use domain_supervision::Light;
use xietong_proto::supervision as proto;

use crate::store::RollUp;

/// The roll-up of a task's sub-tasks; none when it has none that the caller may see.
pub(super) fn encode(rolled: &RollUp) -> Option<proto::SubTaskSummary> {
    let total: u64 = rolled.states.values().sum();
    if total == 0 {
        return None;
    }
    let of = |word: &str| rolled.states.get(word).copied().unwrap_or(0);
    let (draft, issued, struck_off) = (of("draft"), of("issued"), of("struck_off"));
    let by_state = [
        (proto::TaskState::Draft, draft),
        (proto::TaskState::Issued, issued),
        (proto::TaskState::StruckOff, struck_off),
        (proto::TaskState::Withdrawn, of("withdrawn")),
    ];
    let states = by_state.into_iter().filter(|(_, count)| *count > 0);
    let states = states
        .map(|(state, count)| proto::SubTaskStateCount { state: state.into(), count: number(count) })
        .collect();
    let lights = rolled.lights.iter();
    let lights = lights
        .map(|(one, count)| proto::SubTaskLightCount { light: light(*one).into(), count: number(*count) })
        .collect();
    let under_way = issued + struck_off;
    let worst = rolled.worst.map_or(proto::Light::Unspecified, light);
    Some(proto::SubTaskSummary {
        total: number(total),
        states,
        lights,
        worst_light: worst.into(),
        struck_off_percent: number((struck_off * 100).checked_div(under_way).unwrap_or(0)),
    })
}

fn number(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn light(light: Light) -> proto::Light {
    match light {
        Light::Green => proto::Light::Green,
        Light::Yellow => proto::Light::Yellow,
        Light::Red => proto::Light::Red,
        Light::Blue => proto::Light::Blue,
        Light::Grey => proto::Light::Grey,
    }
}
