//! Redis is emptied, loses its groups and dies in the middle of a thousand task creations,
//! and nobody notices.

use futures_util::{StreamExt, stream};
use redis::AsyncCommands;
use redis::streams::StreamInfoGroupsReply;
use xietong_mesh::ServiceName;
use xietong_testkit::api::Protocol;
use xietong_testkit::cluster::{ADMINISTRATOR, Cluster};
use xietong_testkit::history::{History, Outcome};
use xietong_testkit::servers::{self, Redis};

use crate::load::{Attempts, check, create};
use crate::world::{SUPERVISOR, found_linfen};

const TASKS: usize = 1_000;
const AT_ONCE: usize = 16;
/// A loop that complains without a pause writes thousands of lines in the time this takes.
const LINES_WITHOUT_A_LOOP: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn every_notice_of_a_thousand_tasks_arrives_whatever_redis_loses_meanwhile() {
    let mut redis = Redis::start().unwrap();
    let mut cluster = Cluster::start_all(&servers::postgres().unwrap(), &redis.url()).await.unwrap();
    found_linfen(&cluster.api(Protocol::Grpc, ADMINISTRATOR).await.unwrap()).await;
    let supervisor = cluster.api(Protocol::Grpc, SUPERVISOR).await.unwrap();

    let history = History::new();
    let mut created = stream::iter(0..TASKS)
        .map(|number| {
            let (supervisor, history) = (&supervisor, &history);
            async move { create(supervisor, history, &format!("task/{number}"), Attempts::One).await }
        })
        .buffer_unordered(AT_ONCE);
    let mut done = 0;
    while let Some(outcome) = created.next().await {
        assert!(
            matches!(outcome, Outcome::Acknowledged(_)),
            "Redis is nothing a caller waits for: {outcome:?}"
        );
        done += 1;
        match done {
            200 => redis.flush_all().unwrap(),
            400 => destroy_groups(&redis.url()).await,
            600 => redis.kill().unwrap(),
            800 => redis.start_again().unwrap(),
            _ => (),
        }
    }

    check(&supervisor, &history, &cluster.databases().await.unwrap()).await;
    for service in ServiceName::ALL {
        let log = cluster.log_text(service).unwrap();
        assert!(log.lines().count() < LINES_WITHOUT_A_LOOP, "{service} is busy with complaining:\n{log}");
    }
}

/// Takes every consumer group and then every stream away.
async fn destroy_groups(url: &str) {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let streams: Vec<String> = connection.keys("*").await.unwrap();
    assert!(!streams.is_empty(), "events travel through Redis");
    for stream in streams {
        let groups: StreamInfoGroupsReply = connection.xinfo_groups(&stream).await.unwrap();
        for group in groups.groups {
            let _destroyed: bool = connection.xgroup_destroy(&stream, group.name).await.unwrap();
        }
        let () = connection.del(&stream).await.unwrap();
    }
}
