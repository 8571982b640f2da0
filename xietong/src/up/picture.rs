//! A short picture of the city, in Chinese, for whoever has just started it.

use std::collections::BTreeMap;
use std::fmt::Write;

use domain_calendar::Timestamp;
use domain_roster::{Official, PostKind, stands_in_for};
use xietong_mesh::{RosterView, ServiceName};
use xietong_proto::supervision::task_service_client::TaskServiceClient;
use xietong_proto::supervision::{Light, ListTasksRequest, Task};
use xietong_proto::workgroup::ListGroupsRequest;
use xietong_proto::workgroup::group_service_client::GroupServiceClient;
use xietong_timers::Clock;

use super::signed::Callers;

/// How many the picture asks for at once; a page may hold fewer.
const PAGE: i32 = 100;

/// Draws it, a line a thing.
pub(super) async fn draw(callers: &Callers, clock: &Clock, roster: &RosterView) -> anyhow::Result<String> {
    let (groups, tasks) = (groups(callers).await?, tasks(callers).await?);
    let now = clock.now();
    let view = roster.book.view(now, Timestamp::MAX);
    let leaders: Vec<_> = view.officials().filter(|official| is_leader(official)).collect();
    let kind = if clock.simulated().is_some() { "模拟时钟" } else { "真实时钟" };
    let mut text = String::new();
    writeln!(text, "协同 · {now}（{kind}）")?;
    writeln!(
        text,
        "单位 {} 个，市领导 {} 位，议事协调机构 {groups} 个",
        view.units().count(),
        leaders.len()
    )?;
    writeln!(text, "{}", lights(&tasks))?;
    for leader in leaders {
        for absent in stands_in_for(&roster.book, &leader.name, now, Timestamp::MAX).into_keys() {
            writeln!(text, "{} 代行 {} 的工作", leader.display_name, view.person(&absent).display_name)?;
        }
    }
    Ok(text.trim_end().to_owned())
}

/// How many groups there are.
async fn groups(callers: &Callers) -> anyhow::Result<usize> {
    let client = GroupServiceClient::new(callers.channel(ServiceName::Workgroup)?);
    let mut count = 0;
    let mut next = ListGroupsRequest { page_size: PAGE, ..ListGroupsRequest::default() };
    loop {
        let mut client = client.clone();
        let call = |request| async move { client.list_groups(request).await };
        let page = callers.call(&Callers::supervisor(), next.clone(), call).await?;
        count += page.groups.len();
        next.page_token = page.next_page_token;
        if next.page_token.is_empty() {
            return Ok(count);
        }
    }
}

/// All tasks.
async fn tasks(callers: &Callers) -> anyhow::Result<Vec<Task>> {
    let client = TaskServiceClient::new(callers.channel(ServiceName::Supervision)?);
    let mut tasks = Vec::new();
    let mut next = ListTasksRequest { page_size: PAGE, ..ListTasksRequest::default() };
    loop {
        let mut client = client.clone();
        let call = |request| async move { client.list_tasks(request).await };
        let page = callers.call(&Callers::supervisor(), next.clone(), call).await?;
        tasks.extend(page.tasks);
        next.page_token = page.next_page_token;
        if next.page_token.is_empty() {
            return Ok(tasks);
        }
    }
}

fn is_leader(official: &Official) -> bool {
    official.posts.iter().any(|post| match post.kind {
        PostKind::Mayor
        | PostKind::ExecutiveDeputyMayor
        | PostKind::DeputyMayor
        | PostKind::SecretaryGeneral => true,
        PostKind::DeputySecretaryGeneral
        | PostKind::Inspector
        | PostKind::UnitHead
        | PostKind::UnitDeputy
        | PostKind::Liaison
        | PostKind::LiaisonSubstitute
        | PostKind::Staff => false,
    })
}

fn lights(tasks: &[Task]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for task in tasks {
        let name = match task.light() {
            Light::Unspecified => "未交办",
            Light::Green => "绿灯",
            Light::Yellow => "黄灯",
            Light::Red => "红灯",
            Light::Blue => "已销号",
            Light::Grey => "挂账或撤销",
        };
        *counts.entry(name).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    if parts.is_empty() {
        "督办事项 0 项".to_owned()
    } else {
        format!("督办事项 {} 项：{}", tasks.len(), parts.join("，"))
    }
}

#[cfg(test)]
mod tests {
    use xietong_proto::supervision::{Light, Task};

    use super::lights;

    #[test]
    fn tasks_are_counted_by_light() {
        let task = |light: Light| Task { light: light.into(), ..Task::default() };
        assert_eq!(lights(&[]), "督办事项 0 项");
        let tasks = [task(Light::Red), task(Light::Green), task(Light::Red)];
        assert_eq!(lights(&tasks), "督办事项 3 项：红灯 2，绿灯 1");
    }
}
