//! What asked for what is over is taken back on other channels, too: before it went out, and after.

use domain_supervision::{AssignmentCommand as Do, Command};
use xietong_proto::notification as proto;
use xietong_testkit::mail_server::{MailBehaviour, MailServer};

use crate::channel::{WHO, city, counted, message_ids, rules, sendings, wait_for_count, wait_for_sending};
use crate::city::{Backend, City, at};
use crate::climbing::acknowledge_newest;
use crate::matter::Matter;
use crate::webhook::{AMPLE, at_work};

crate::on_both_back_ends!(
    what_has_not_gone_out_is_not_sent,
    what_went_out_is_followed_up_once,
    nobody_is_written_to_for_what_his_own_unit_signed_for,
    what_was_signed_for_in_the_inbox_is_taken_back_all_the_same,
    whoever_signed_in_the_inbox_is_not_written_to_again,
    what_is_on_its_way_is_followed_up_when_it_has_arrived,
    what_was_on_its_way_and_did_not_arrive_is_not_followed_up,
);

const NOTICE: proto::SendingPurpose = proto::SendingPurpose::Notice;
const FOLLOW_UP: proto::SendingPurpose = proto::SendingPurpose::FollowUp;

async fn withdraw(city: &City, matter: &mut Matter) {
    matter.command(city, Command::Withdraw { ground: "重复".into() }).await;
}

async fn what_has_not_gone_out_is_not_sent(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    city.advance("2023-06-05T22:00:00+08:00").await;
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    let asked = message_ids(&city, WHO).await.remove(0);
    assert_eq!(sendings(&city, &asked).await[0].state(), proto::SendingState::Waiting);
    withdraw(&city, &mut matter).await;
    city.settle().await;
    let all = sendings(&city, &asked).await;
    assert_eq!((all.len(), all[0].state()), (1, proto::SendingState::Recalled));
    // The withdrawal is news, and goes out in the morning; nothing else does.
    let _work = at_work(&city.service);
    city.clock.set(at("2023-06-06T08:00:00+08:00"));
    wait_for_count(&city, "sent", 1).await;
    let news = message_ids(&city, WHO).await.remove(1);
    assert_eq!(server.times().into_keys().collect::<Vec<_>>(), [format!("<{news}@example.gov.cn>")]);
}

async fn what_went_out_is_followed_up_once(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    let _work = at_work(&city.service);
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    wait_for_count(&city, "sent", 1).await;
    let asked = message_ids(&city, WHO).await.remove(0);
    withdraw(&city, &mut matter).await;
    city.settle().await;
    wait_for_sending(&city, &asked, FOLLOW_UP, proto::SendingState::Sent).await;
    wait_for_count(&city, "sent", 3).await;
    let name = format!("<{asked}.over@example.gov.cn>");
    let letters = server.letters();
    let followed: Vec<_> = letters.iter().filter(|letter| letter.message_id() == name).collect();
    assert_eq!(followed.len(), 1, "{letters:?}");
    let first = format!("<{asked}@example.gov.cn>");
    assert_eq!((followed[0].header("In-Reply-To"), followed[0].header("References")), (&*first, &*first));
    for _ in 0..3 {
        city.settle().await;
    }
    assert_eq!(sendings(&city, &asked).await.len(), 2);
    assert_eq!((counted(&city, "sent").await, counted(&city, "waiting").await), (3, 0));
}

async fn nobody_is_written_to_for_what_his_own_unit_signed_for(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    let _work = at_work(&city.service);
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    let asked = message_ids(&city, WHO).await.remove(0);
    wait_for_sending(&city, &asked, NOTICE, proto::SendingState::Sent).await;
    matter.unit(&city, "water", Do::Sign).await;
    city.settle().await;
    let all = sendings(&city, &asked).await;
    assert_eq!((all.len(), all[0].state()), (1, proto::SendingState::Sent), "{all:?}");
}

async fn what_was_signed_for_in_the_inbox_is_taken_back_all_the_same(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    city.advance("2023-06-05T22:00:00+08:00").await;
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    let asked = message_ids(&city, WHO).await.remove(0);
    acknowledge_newest(&city, WHO).await;
    withdraw(&city, &mut matter).await;
    city.settle().await;
    let all = sendings(&city, &asked).await;
    assert_eq!((all.len(), all[0].state()), (1, proto::SendingState::Recalled), "{all:?}");
}

async fn whoever_signed_in_the_inbox_is_not_written_to_again(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    let _work = at_work(&city.service);
    let mut matter = Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    let asked = message_ids(&city, WHO).await.remove(0);
    wait_for_sending(&city, &asked, NOTICE, proto::SendingState::Sent).await;
    acknowledge_newest(&city, WHO).await;
    withdraw(&city, &mut matter).await;
    city.settle().await;
    // The notice, and the news of the withdrawal.
    wait_for_count(&city, "sent", 2).await;
    assert_eq!(sendings(&city, &asked).await.len(), 1);
}

/// A city in which the assignment is taken by a server that does not answer, and then withdrawn.
async fn under_way(city: &City, server: &MailServer, behaviour: MailBehaviour) -> String {
    let takes = behaviour == MailBehaviour::TakeAndHang;
    server.behave_next([behaviour]);
    let mut matter = Matter::issued(city, "1", &["water"]).await;
    city.settle().await;
    let asked = message_ids(city, WHO).await.remove(0);
    if takes {
        assert_eq!(server.wait_for(1, AMPLE).await.len(), 1);
    } else {
        assert_eq!(server.wait_for_begun(1, AMPLE).await, 1);
    }
    withdraw(city, &mut matter).await;
    city.settle().await;
    let all = sendings(city, &asked).await;
    let states: Vec<_> = all.iter().map(|one| (one.purpose(), one.state())).collect();
    let expected = [(FOLLOW_UP, proto::SendingState::Waiting), (NOTICE, proto::SendingState::Recalled)];
    assert_eq!(states, expected);
    server.hang_up();
    asked
}

async fn what_is_on_its_way_is_followed_up_when_it_has_arrived(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let rules = xietong_notification::ChannelRules { lease: std::time::Duration::from_secs(3), ..rules() };
    let city = city(backend, &server, rules).await;
    let _work = at_work(&city.service);
    let asked = under_way(&city, &server, MailBehaviour::TakeAndHang).await;
    wait_for_sending(&city, &asked, FOLLOW_UP, proto::SendingState::Sent).await;
    let notice = sendings(&city, &asked).await.remove(1);
    assert_eq!(notice.state(), proto::SendingState::Recalled, "nobody said that it arrived");
    assert_eq!(server.times().get(&format!("<{asked}@example.gov.cn>")), Some(&1), "it is not sent again");
}

async fn what_was_on_its_way_and_did_not_arrive_is_not_followed_up(backend: Backend) {
    let server = MailServer::start().await.unwrap();
    let city = city(backend, &server, rules()).await;
    let _work = at_work(&city.service);
    let asked = under_way(&city, &server, MailBehaviour::Hang).await;
    wait_for_sending(&city, &asked, FOLLOW_UP, proto::SendingState::Recalled).await;
    assert!(!server.times().contains_key(&format!("<{asked}@example.gov.cn>")));
}
