//! Mail servers that misbehave, and replicas that die.

use std::time::Duration;

use domain_channel::BreakerRules;
use sea_orm::ConnectionTrait;
use xietong_notification::ChannelRules;
use xietong_proto::notification as proto;
use xietong_store::statement;
use xietong_testkit::mail_server::{MailBehaviour, MailServer};
use xietong_testkit::wait::wait_for_value;

use crate::channel::{
    ADDRESS, WHO, city, counted, message_ids, reached, rules, sendings, wait_for_count, wait_for_sending,
};
use crate::city::{Backend, City, at};
use crate::webhook::{AMPLE, at_work};

crate::on_both_back_ends!(
    what_is_refused_for_good_is_not_tried_again_and_says_why,
    what_is_put_off_or_lost_on_the_way_goes_out_later,
    a_replica_that_dies_after_the_server_took_a_letter_leaves_it_to_another_under_the_same_name,
    a_process_alone_takes_over_at_once,
    a_channel_that_fails_rests_and_is_tried_with_one_letter,
    a_letter_goes_where_its_reader_is_reached_when_it_is_sent,
);

async fn what_is_refused_for_good_is_not_tried_again_and_says_why(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    server.behave_next([MailBehaviour::ReplyToRecipient { code: 550 }]);
    city.remarks(1).await;
    city.settle().await;
    let _work = at_work(&city.service);
    let id = message_ids(&city, WHO).await.remove(0);
    let notice = proto::SendingPurpose::Notice;
    let refused = wait_for_sending(&city, &id, notice, proto::SendingState::Refused).await;
    assert_eq!(refused.outcome, "邮件服务器拒收（550 <…>: not here）");
    assert!(!refused.outcome.contains(ADDRESS));
    assert_eq!(refused.attempts, 1);
    // The channel works: the next one goes out.
    city.remarks(1).await;
    city.settle().await;
    wait_for_count(&city, "sent", 1).await;
    assert_eq!(server.begun(), 2);
}

async fn what_is_put_off_or_lost_on_the_way_goes_out_later(backend: Backend) {
    for behaviour in [
        MailBehaviour::Greylist,
        MailBehaviour::ReplyToSender { code: 451 },
        MailBehaviour::ReplyToSender { code: 550 },
        MailBehaviour::ReplyToText { code: 452 },
        MailBehaviour::CloseInText,
        MailBehaviour::Close,
        MailBehaviour::Greet { code: 554 },
        MailBehaviour::TakeAndClose,
    ] {
        let server = MailServer::start().await.unwrap();
        let city = city(backend, &server, rules()).await;
        server.behave_next([behaviour.clone()]);
        city.remarks(1).await;
        city.settle().await;
        let _work = at_work(&city.service);
        let id = message_ids(&city, WHO).await.remove(0);
        let notice = proto::SendingPurpose::Notice;
        let sent = wait_for_sending(&city, &id, notice, proto::SendingState::Sent).await;
        assert_eq!(sent.attempts, 2, "{behaviour:?}");
        let times = server.times();
        let twice = if behaviour == MailBehaviour::TakeAndClose { 2 } else { 1 };
        assert_eq!(times.into_iter().collect::<Vec<_>>(), [(format!("<{id}@example.gov.cn>"), twice)]);
    }
}

fn with_lease(lease: Duration) -> ChannelRules {
    ChannelRules { lease, ..rules() }
}

async fn a_replica_that_dies_after_the_server_took_a_letter_leaves_it_to_another_under_the_same_name(
    backend: Backend,
) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, with_lease(Duration::from_millis(1_500))).await;
    server.behave_next(vec![MailBehaviour::TakeAndHang; 3]);
    city.remarks(3).await;
    city.sequence().await;
    let dying = city.replica().await;
    let work = at_work(&dying);
    // Three letters are under way, taken by the server, and nothing is on record.
    server.wait_for(3, AMPLE).await;
    drop((work, dying));
    let _work = at_work(&city.service);
    wait_for_count(&city, "sent", 3).await;
    let times = server.times();
    assert_eq!(times.len(), 3, "nothing is lost, and nothing has two names");
    assert!(times.values().all(|times| *times >= 1));
    assert_eq!(times.values().filter(|times| **times == 2).count(), 3, "{times:?}");
}

async fn a_process_alone_takes_over_at_once(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, with_lease(Duration::from_secs(24 * 3_600))).await;
    server.behave_next(vec![MailBehaviour::TakeAndHang; 3]);
    city.remarks(3).await;
    city.sequence().await;
    let dying = city.replica().await;
    let work = at_work(&dying);
    server.wait_for(3, AMPLE).await;
    drop((work, dying));
    city.service.take_over().await.unwrap();
    let _work = at_work(&city.service);
    wait_for_count(&city, "sent", 3).await;
}

async fn breaker(city: &City) -> String {
    let sql = "SELECT breaker FROM channels WHERE channel = 'email'";
    let reader = city.service.db.reader();
    reader.query_one_raw(statement(reader, sql, [])).await.unwrap().unwrap().try_get_by("breaker").unwrap()
}

async fn wait_for_breaker(city: &City, word: &str) {
    let look = async || (breaker(city).await == word).then_some(());
    wait_for_value(&format!("the breaker to be {word}"), AMPLE, look).await.unwrap();
}

async fn a_channel_that_fails_rests_and_is_tried_with_one_letter(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let breaker = BreakerRules {
        failures: 3,
        first_rest: Duration::from_secs(2),
        longest_rest: Duration::from_secs(2),
        ..BreakerRules::default()
    };
    let city = city(backend, &server, ChannelRules { breaker, concurrency: 1, ..rules() }).await;
    server.behave(MailBehaviour::Close);
    city.remarks(6).await;
    city.settle().await;
    let other = city.replica().await;
    let _work = (at_work(&city.service), at_work(&other));
    wait_for_breaker(&city, "open").await;
    // Each replica had at most one more under way when it opened.
    let begun = server.begun();
    assert!((3..=4).contains(&begun), "{begun}");
    assert_eq!(counted(&city, "waiting").await, 6, "nothing is given up");
    // The probe hangs: nobody sends another meanwhile.
    server.behave(MailBehaviour::Hang);
    server.wait_for_begun(begun + 1, AMPLE).await;
    wait_for_breaker(&city, "half_open").await;
    for _ in 0..20 {
        city.settle().await;
    }
    assert_eq!(server.begun(), begun + 1, "one letter");
    // Once it has broken off, the channel rests again, and the next one that works closes it.
    server.behave(MailBehaviour::Take);
    server.hang_up();
    wait_for_count(&city, "sent", 6).await;
    wait_for_breaker(&city, "closed").await;
}

async fn a_letter_goes_where_its_reader_is_reached_when_it_is_sent(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    let _work = at_work(&city.service);
    for (number, (night, morning, email)) in [
        ("2023-06-05T23:00:00+08:00", "2023-06-06T08:00:00+08:00", "other@water.example.gov.cn"),
        ("2023-06-06T23:00:00+08:00", "2023-06-07T08:00:00+08:00", ""),
    ]
    .into_iter()
    .enumerate()
    {
        city.clock.set(at(night));
        city.remarks(1).await;
        city.settle().await;
        wait_for_count(&city, "waiting", 1).await;
        reached(&city, WHO, email, "").await;
        city.clock.set(at(morning));
        wait_for_count(&city, "waiting", 0).await;
        let ended = sendings(&city, &message_ids(&city, WHO).await[number]).await.remove(0);
        if email.is_empty() {
            assert_eq!(ended.state(), proto::SendingState::Refused);
            assert_eq!(ended.outcome, "收件人没有可用的联系方式");
        } else {
            assert_eq!(ended.state(), proto::SendingState::Sent);
            assert_eq!(server.letters()[0].to, email);
        }
    }
    assert_eq!(server.begun(), 1);
}
