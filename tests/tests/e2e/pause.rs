//! A replica that is stopped past its lease and continued commits nothing stale.

use futures_util::{StreamExt, stream};
use sea_orm::ConnectionTrait;
use xietong_mesh::ServiceName;
use xietong_store::{Db, statement};
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::Member;
use xietong_testkit::history::History;
use xietong_testkit::wait::wait_for;

use crate::load::{Attempts, check, create};
use crate::world::{SOON, SUPERVISOR, linfen_cluster};

const TASKS: usize = 20;
/// Of those who are told of each task, neither the first nor the last.
const LEADER: &str = "officials/qiaofeihong";

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

    issue(&supervisor, &history, "before").await;
    databases.settle(SOON).await.unwrap();

    for (round, stopped) in [("first", first), ("second", second)] {
        let holder = holder(inboxes).await;
        // It gets as far as this row, in a transaction that has changed others, and is
        // stopped there.
        let row = inboxes.begin().await.unwrap();
        let sql = "SELECT official FROM inboxes WHERE official = $1 FOR UPDATE";
        row.query_one_raw(statement(&row, sql, [LEADER.into()])).await.unwrap().unwrap();
        tokio::join!(issue(&supervisor, &history, round), async {
            wait_for("it to want the row", SOON, async || waiting(inboxes).await > 0).await.unwrap();
            cluster.pause(stopped).await.unwrap();
            row.rollback().await.unwrap();
        });

        let is_another = async || self::holder(inboxes).await != holder;
        wait_for("the other replica to take over", SOON, is_another).await.unwrap();
        databases.settle(SOON).await.unwrap();
        cluster.resume(stopped).await.unwrap();
        // Whatever it had begun, it tries to finish now, while there is new work.
        issue(&supervisor, &history, &format!("after-{round}")).await;
        databases.settle(SOON).await.unwrap();
    }

    check(&supervisor, &history, &databases).await;
}

async fn issue(supervisor: &Api, history: &History, round: &str) {
    stream::iter(0..TASKS)
        .for_each_concurrent(8, |number| async move {
            create(supervisor, history, &format!("{round}/{number}"), Attempts::UntilAnswered).await;
        })
        .await;
}

/// How many sessions of this database wait for a lock.
async fn waiting(inboxes: &Db) -> i64 {
    let sql = "SELECT COUNT(*) AS waiting FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let reader = inboxes.reader();
    let row = reader.query_one_raw(statement(reader, sql, [])).await.unwrap().unwrap();
    row.try_get_by("waiting").unwrap()
}

/// Who may apply the events of supervision.
async fn holder(inboxes: &Db) -> String {
    let sql = "SELECT holder FROM consumer_cursors WHERE producer = $1";
    let reader = inboxes.reader();
    let row = reader.query_one_raw(statement(reader, sql, ["supervision".into()])).await.unwrap().unwrap();
    row.try_get_by("holder").unwrap()
}
