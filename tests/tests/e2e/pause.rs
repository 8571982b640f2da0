//! A replica that is stopped past its lease and continued commits nothing stale.

use futures_util::{StreamExt, stream};
use sea_orm::ConnectionTrait;
use xietong_mesh::ServiceName;
use xietong_store::{Db, statement};
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::Member;
use xietong_testkit::databases::Databases;
use xietong_testkit::history::History;
use xietong_testkit::wait::wait_for;

use crate::load::{Attempts, check, create};
use crate::world::{SOON, SUPERVISOR, linfen_cluster};

const TASKS: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_was_stopped_past_its_lease_commits_nothing_stale() {
    let mut cluster = linfen_cluster().await;
    let supervisor = cluster.api(Protocol::Grpc, SUPERVISOR).await.unwrap();
    let databases = cluster.databases().await.unwrap();
    let inboxes = databases.of(ServiceName::Notification).unwrap();
    let history = History::new();

    // Alone, so it holds every cursor; the other one waits for it to let go.
    let first = Member::from(ServiceName::Notification);
    let second = Member { replica: 1, ..first };
    databases.settle(SOON).await.unwrap();
    cluster.start(second, None).unwrap();
    cluster.wait_ready(second).await.unwrap();

    for (round, stopped) in [first, second].into_iter().enumerate() {
        let holder = holder(inboxes).await;
        let load = issue(&supervisor, &history, round);
        let stop = async {
            // In the middle of its work.
            wait_for("a notice", SOON, async || sent(inboxes).await > round as i64 * TASKS as i64)
                .await
                .unwrap();
            cluster.pause(stopped).await.unwrap();
        };
        tokio::join!(load, stop);
        wait_for("the other replica to take over", SOON, async || holder_is_another(inboxes, &holder).await)
            .await
            .unwrap();
        arrived(&databases).await;
        cluster.resume(stopped).await.unwrap();
        // Whatever it had begun, it tries to finish now, while there is new work.
        issue(&supervisor, &history, round + 10).await;
        arrived(&databases).await;
    }

    check(&supervisor, &history, &databases).await;
}

async fn issue(supervisor: &Api, history: &History, round: usize) {
    stream::iter(0..TASKS)
        .for_each_concurrent(8, |number| async move {
            create(supervisor, history, &format!("round-{round}/{number}"), Attempts::UntilAnswered).await;
        })
        .await;
}

async fn arrived(databases: &Databases) {
    databases.settle(SOON).await.unwrap();
}

async fn sent(inboxes: &Db) -> i64 {
    let sql = "SELECT COUNT(*) AS sent FROM events WHERE type = 'notification.message.sent'";
    let reader = inboxes.reader();
    let row = reader.query_one_raw(statement(reader, sql, [])).await.unwrap().unwrap();
    row.try_get_by("sent").unwrap()
}

/// Who may apply the events of supervision.
async fn holder(inboxes: &Db) -> String {
    let sql = "SELECT holder FROM consumer_cursors WHERE producer = $1";
    let reader = inboxes.reader();
    let row = reader.query_one_raw(statement(reader, sql, ["supervision".into()])).await.unwrap().unwrap();
    row.try_get_by("holder").unwrap()
}

async fn holder_is_another(inboxes: &Db, than: &str) -> bool {
    holder(inboxes).await != than
}
