//! Receivers that behave badly. None of them takes longer than it is given, or more memory.

use std::time::Duration;

use domain_webhook::Meaning;
use tokio::net::TcpListener;
use xietong_courier::{Outcome, Phase, Timeouts, Unreachable};
use xietong_testkit::receiver::{Behaviour, Receiver};

use crate::bed::{AMPLE, BODY, Bed, LISTED, Names, ample};

const SHORT: Duration = Duration::from_millis(150);

fn short_answer() -> Timeouts {
    Timeouts { answer: SHORT, ..ample() }
}

async fn after(behaviour: Behaviour, timeouts: Timeouts) -> Outcome {
    let receiver = Receiver::start().await.unwrap();
    receiver.behave(behaviour);
    let outcome = Bed::new(timeouts).send(&receiver.url("/")).await;
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].body, BODY);
    outcome
}

fn broken(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unreachable(Unreachable::Broken { .. }))
}

#[tokio::test]
async fn one_that_hangs_is_given_up() {
    let outcome = after(Behaviour::Hang, short_answer()).await;
    assert_eq!((&outcome, outcome.meaning()), (&Outcome::TimedOut(Phase::Answering), Meaning::UNANSWERED));
}

#[tokio::test]
async fn one_that_answers_late_but_in_time_is_waited_for() {
    let outcome = after(Behaviour::AnswerAfter { wait: SHORT, status: 200 }, ample()).await;
    assert_eq!(outcome.meaning(), Meaning::Delivered);
}

#[tokio::test]
async fn one_that_drips_its_head_is_given_up() {
    let drip = Behaviour::DripHead { every: Duration::from_millis(5) };
    assert_eq!(after(drip, short_answer()).await, Outcome::TimedOut(Phase::Answering));
}

#[tokio::test]
async fn the_time_of_the_whole_bounds_that_of_the_answer() {
    let timeouts = Timeouts { whole: SHORT, ..ample() };
    assert_eq!(after(Behaviour::Hang, timeouts).await, Outcome::TimedOut(Phase::Answering));
}

#[tokio::test]
async fn one_that_drips_its_body_has_answered() {
    let drip = Behaviour::DripBody { status: 202, every: Duration::from_millis(5) };
    let outcome = after(drip, Timeouts { whole: SHORT, ..ample() }).await;
    let Outcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!(answer.status, 202);
    assert!(answer.excerpt.bytes().all(|byte| byte == b'z'), "{}", answer.excerpt);
}

#[tokio::test]
async fn one_that_sends_a_body_without_end_is_cut_off() {
    let outcome = after(Behaviour::EndlessBody { status: 200 }, ample()).await;
    let Outcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!((answer.status, answer.excerpt.len()), (200, 4_096));
}

#[tokio::test]
async fn one_that_breaks_off_its_body_has_answered() {
    let outcome = after(Behaviour::CloseMidBody { status: 200 }, ample()).await;
    let Outcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!((answer.status, answer.excerpt.as_str()), (200, "half of it"));
}

#[tokio::test]
async fn one_that_says_nothing_or_nonsense_has_not_answered() {
    for behaviour in [Behaviour::Close, Behaviour::Nonsense, Behaviour::EndlessHead] {
        let outcome = after(behaviour.clone(), ample()).await;
        assert!(broken(&outcome), "{behaviour:?}: {outcome:?}");
        assert_eq!(outcome.meaning(), Meaning::UNANSWERED);
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_delivered() {
    let receiver = Receiver::start().await.unwrap();
    let url = receiver.url("/");
    drop(receiver);
    let outcome = Bed::new(ample()).send(&url).await;
    // The port may still close when the connection is made; either way there is no answer.
    assert!(matches!(outcome, Outcome::Unreachable(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_told_as_that() {
    let bed = Bed::with(ample(), Names::of("empty.example", &[""]), None);
    for name in ["empty.example", "unknown.example"] {
        let outcome = bed.send(&format!("https://{name}/")).await;
        assert!(
            matches!(outcome, Outcome::Unreachable(Unreachable::Unresolved { .. })),
            "{name}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn one_that_never_greets_by_tls_is_given_up_while_connecting() {
    // The kernel takes the connection; nobody accepts it.
    let silent = TcpListener::bind((LISTED, 0)).await.unwrap();
    let url = format!("https://{}/", silent.local_addr().unwrap());
    let outcome = Bed::new(Timeouts { connect: SHORT, ..ample() }).send(&url).await;
    assert_eq!(outcome, Outcome::TimedOut(Phase::Connecting));
}

#[tokio::test]
async fn those_that_hang_hold_up_nobody_else() {
    let hanging = Receiver::start().await.unwrap();
    hanging.behave(Behaviour::Hang);
    let fast = Receiver::start().await.unwrap();
    let bed = std::sync::Arc::new(Bed::new(ample()));
    let mut held = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (bed, url) = (bed.clone(), hanging.url("/"));
        held.spawn(async move { bed.send(&url).await });
    }
    assert_eq!(hanging.wait_for(20, AMPLE).await.len(), 20);
    for _ in 0..20 {
        assert_eq!(bed.send(&fast.url("/")).await.meaning(), Meaning::Delivered);
    }
    assert_eq!(held.try_join_next().map(|_| ()), None);
}
