//! Redis is emptied, gets consumer groups and loses them, loses its streams and dies in the
//! middle of a thousand task creations, and nobody notices.

use futures_util::{StreamExt, stream};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use xietong_mesh::ServiceName;
use xietong_testkit::api::Protocol;
use xietong_testkit::cluster::ADMINISTRATOR;
use xietong_testkit::history::{History, Outcome};
use xietong_testkit::servers::Redis;

use crate::load::{Attempts, check, create};
use crate::world::{SUPERVISOR, WITH_LOG, cluster, found_linfen};

const TASKS: usize = 1_000;
const AT_ONCE: usize = 16;
const GROUP: &str = "group";
/// A loop that complains without a pause writes thousands of lines in the time this takes.
const LINES_WITHOUT_A_LOOP: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn every_notice_of_a_thousand_tasks_arrives_whatever_redis_loses_meanwhile() {
    let mut redis = Redis::start().unwrap();
    let mut cluster = cluster(&redis.url()).await;
    found_linfen(&cluster.api(Protocol::Grpc, ADMINISTRATOR).await.unwrap()).await;
    let supervisor = cluster.api(Protocol::Grpc, SUPERVISOR).await.unwrap();

    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
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
            300 => create_groups(&mut connection).await,
            400 => destroy_groups(&mut connection).await,
            500 => delete_streams(&mut connection).await,
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

/// Gives the stream of every service a consumer group. The mesh reads without one (ADR
/// 0002), so there would else be none to destroy.
async fn create_groups(redis: &mut MultiplexedConnection) {
    let exists: bool = redis.exists(stream_of(ServiceName::Supervision)).await.unwrap();
    assert!(exists, "events travel through Redis");
    for service in WITH_LOG {
        let () = redis.xgroup_create_mkstream(stream_of(service), GROUP, "$").await.unwrap();
    }
}

/// Takes the consumer group of every stream away.
async fn destroy_groups(redis: &mut MultiplexedConnection) {
    for service in WITH_LOG {
        let destroyed: bool = redis.xgroup_destroy(stream_of(service), GROUP).await.unwrap();
        assert!(destroyed, "{service}");
    }
}

/// Takes every stream away.
async fn delete_streams(redis: &mut MultiplexedConnection) {
    let deleted: usize = redis.del(WITH_LOG.map(stream_of).as_slice()).await.unwrap();
    assert_eq!(deleted, WITH_LOG.len());
}

/// What the events of a service travel through.
fn stream_of(service: ServiceName) -> String {
    format!("xietong:events:{service}")
}
