//! A mailer against a mail server that behaves badly.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions, not in what they share")]

use std::time::Duration;

use xietong_mailer::{Encryption, Handed, Letter, Mailer, MailerError, MailerSettings, SignIn, Step};
use xietong_testkit::mail_server::{MailBehaviour, MailServer, MailTls};
use xietong_timers::MachineClock;

const AMPLE: Duration = Duration::from_secs(30);

fn settings(server: &MailServer) -> MailerSettings {
    MailerSettings {
        server: "localhost".into(),
        port: server.address().port(),
        encryption: Encryption::None,
        sign_in: None,
        from: "协同系统 <xietong@example.gov.cn>".into(),
        connect: AMPLE,
        whole: AMPLE,
        kept: 2,
        trusted: server.certificate().map(|one| one.to_vec()).into_iter().collect(),
    }
}

fn mailer(settings: MailerSettings) -> Mailer {
    Mailer::new(settings, MachineClock::system()).unwrap()
}

fn letter(id: &str) -> Letter<'_> {
    let (to, body) = ("liaison@water.example.gov.cn", "请抓紧办理。\n.\n以上。\n");
    Letter { to, id, follows: None, subject: "催办", body }
}

#[tokio::test]
async fn letters_are_given_over_one_connection() {
    let server = MailServer::start().await.unwrap();
    let mailer = mailer(settings(&server));
    for id in ["one", "two", "three"] {
        assert_eq!(mailer.send(letter(id)).await, Handed::Accepted);
    }
    let letters = server.letters();
    assert_eq!(
        letters.iter().map(|one| one.message_id()).collect::<Vec<_>>(),
        ["<one@example.gov.cn>", "<two@example.gov.cn>", "<three@example.gov.cn>"]
    );
    assert!(letters.iter().all(|one| one.answered && one.to == "liaison@water.example.gov.cn"));
    assert_eq!(server.connections(), 1);
    // One that the server has ended meanwhile is no failure.
    server.hang_up();
    assert_eq!(mailer.send(letter("four")).await, Handed::Accepted);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn every_misbehaviour_is_told_for_what_it_is() {
    let refused = |code, reply: &str| Handed::Refused { code, reply: reply.into() };
    let postponed = |code, reply: &str| Handed::Postponed { code, reply: reply.into() };
    let to = "<…>: not here";
    for (behaviour, expected) in [
        (MailBehaviour::ReplyToRecipient { code: 550 }, refused(550, to)),
        (MailBehaviour::ReplyToRecipient { code: 452 }, postponed(452, to)),
        (MailBehaviour::Greylist, postponed(450, "greylisted, come again")),
        (MailBehaviour::ReplyToText { code: 554 }, refused(554, "not this text")),
        (MailBehaviour::ReplyToText { code: 451 }, postponed(451, "not this text")),
    ] {
        let server = MailServer::start().await.unwrap();
        let mailer = mailer(settings(&server));
        server.behave_next([behaviour.clone()]);
        assert_eq!(mailer.send(letter("one")).await, expected, "{behaviour:?}");
        // The connection is as good as before.
        assert_eq!(mailer.send(letter("one")).await, Handed::Accepted, "{behaviour:?}");
        assert_eq!(server.connections(), 1, "{behaviour:?}");
    }
    for (behaviour, step) in [
        (MailBehaviour::Close, Step::Connecting),
        (MailBehaviour::Greet { code: 554 }, Step::Connecting),
        (MailBehaviour::ReplyToSender { code: 550 }, Step::Addressing),
        (MailBehaviour::ReplyToSender { code: 421 }, Step::Addressing),
        (MailBehaviour::ReplyToRecipient { code: 421 }, Step::Addressing),
        (MailBehaviour::ReplyToRecipient { code: 530 }, Step::SigningIn),
        (MailBehaviour::CloseInText, Step::Giving),
        (MailBehaviour::TakeAndClose, Step::Giving),
    ] {
        let server = MailServer::start().await.unwrap();
        let mailer = mailer(settings(&server));
        server.behave_next([behaviour.clone()]);
        let handed = mailer.send(letter("one")).await;
        let Handed::Failed { step: at, .. } = &handed else { panic!("{behaviour:?}: {handed:?}") };
        assert_eq!(*at, step, "{behaviour:?}");
        assert_eq!(handed.may_have_arrived(), step == Step::Giving);
        assert_eq!(mailer.send(letter("one")).await, Handed::Accepted, "{behaviour:?}");
    }
}

#[tokio::test]
async fn whoever_hangs_is_left_when_the_time_is_over() {
    for (behaviour, step) in [
        (MailBehaviour::NoGreeting, Step::Connecting),
        (MailBehaviour::Hang, Step::Addressing),
        (MailBehaviour::TakeAndHang, Step::Giving),
        (MailBehaviour::Slow { wait: Duration::from_secs(10) }, Step::Addressing),
    ] {
        let server = MailServer::start().await.unwrap();
        let mailer = mailer(MailerSettings { whole: Duration::from_millis(700), ..settings(&server) });
        server.behave(behaviour.clone());
        let handed = mailer.send(letter("one")).await;
        let Handed::Failed { step: at, .. } = handed else { panic!("{behaviour:?}: {handed:?}") };
        assert_eq!(at, step, "{behaviour:?}");
    }
}

#[tokio::test]
async fn a_connection_is_encrypted_as_it_is_set_and_somebody_signs_in() {
    for (tls, encryption) in
        [(MailTls::Implicit, Encryption::Implicit), (MailTls::StartTls, Encryption::StartTls)]
    {
        let server = MailServer::start_with(tls, Some(("xietong", "secret"))).await.unwrap();
        let sign_in = |password: &str| Some(SignIn { user: "xietong".into(), password: password.into() });
        let with =
            |password: &str| MailerSettings { encryption, sign_in: sign_in(password), ..settings(&server) };
        assert_eq!(mailer(with("secret")).send(letter("one")).await, Handed::Accepted, "{tls:?}");
        let handed = mailer(with("wrong")).send(letter("two")).await;
        assert!(matches!(handed, Handed::Failed { step: Step::SigningIn, .. }), "{handed:?}");
        let untrusting = MailerSettings { trusted: vec![], ..with("secret") };
        let handed = mailer(untrusting).send(letter("three")).await;
        assert!(matches!(handed, Handed::Failed { step: Step::Connecting, .. }), "{handed:?}");
        assert_eq!(server.letters().len(), 1);
    }
    // A server without TLS is given nothing.
    let server = MailServer::start().await.unwrap();
    let handed = mailer(MailerSettings { encryption: Encryption::StartTls, ..settings(&server) });
    let handed = handed.send(letter("one")).await;
    assert!(matches!(handed, Handed::Failed { step: Step::Connecting, .. }), "{handed:?}");
}

#[tokio::test]
async fn settings_that_do_not_fit_together_are_refused() {
    let server = MailServer::start().await.unwrap();
    let refused = |settings| Mailer::new(settings, MachineClock::system()).err();
    let elsewhere = MailerSettings { server: "mail.example.gov.cn".into(), ..settings(&server) };
    assert!(matches!(refused(elsewhere), Some(MailerError::ClearText)));
    let nobody = MailerSettings { from: "xietong".into(), ..settings(&server) };
    assert!(matches!(refused(nobody), Some(MailerError::From(_))));
    let shown = format!("{:?}", SignIn { user: "xietong".into(), password: "secret".into() });
    assert!(!shown.contains("secret"));
}
