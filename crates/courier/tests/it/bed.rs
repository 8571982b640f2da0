//! What the tests have in common.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain_webhook::{AddressPolicy, Keyring, MEDIA_TYPE, MessageId, Moment, Secret, SignedHeaders, Target};
use xietong_courier::{Courier, CourierSettings, Outcome, Parcel, Resolver, Roots, Timeouts};
use xietong_testkit::receiver::Receiver;
use xietong_timers::MachineClock;

/// Longer than anything here takes on a busy machine.
pub(crate) const AMPLE: Duration = Duration::from_secs(20);
pub(crate) const BODY: &[u8] = r#"{"id":"1","data":{"title":"城区积水点改造"}}"#.as_bytes();
/// The only address of the tests that may be connected to.
pub(crate) const LISTED: &str = "127.0.0.1";

pub(crate) fn ample() -> Timeouts {
    Timeouts { connect: AMPLE, answer: AMPLE, whole: AMPLE }
}

pub(crate) fn secret() -> Secret {
    Secret::from_bytes(vec![42; 32]).unwrap()
}

pub(crate) fn now() -> Moment {
    Moment::from_micros(MachineClock::system().now().as_micros())
}

/// Answers in turn, the last answer again and again.
#[derive(Default)]
pub(crate) struct Names {
    answers: HashMap<String, Vec<Vec<IpAddr>>>,
    asked: Mutex<HashMap<String, usize>>,
}

impl Names {
    /// A name, and what it resolves to the first time, the second, and so on; each several
    /// addresses, separated by spaces.
    pub(crate) fn of(name: &str, answers: &[&str]) -> Self {
        let parse =
            |answer: &&str| answer.split_whitespace().map(|address| address.parse().unwrap()).collect();
        let answers = answers.iter().map(parse).collect();
        Names { answers: HashMap::from([(name.to_owned(), answers)]), asked: Mutex::default() }
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let answers = self.answers.get(name).ok_or(io::ErrorKind::NotFound)?;
        let mut asked = self.asked.lock().unwrap();
        let times = asked.entry(name.to_owned()).or_default();
        let answer = answers.get(*times).or(answers.last()).ok_or(io::ErrorKind::NotFound)?;
        *times += 1;
        Ok(answer.clone())
    }
}

pub(crate) struct Bed {
    courier: Courier,
    policy: AddressPolicy,
}

impl Bed {
    pub(crate) fn new(timeouts: Timeouts) -> Self {
        Self::with(timeouts, Names::default(), None)
    }

    /// With names, and with whom to trust beside nobody.
    pub(crate) fn with(timeouts: Timeouts, names: Names, trusted: Option<&Receiver>) -> Self {
        let policy = AddressPolicy::new([LISTED]).unwrap();
        let mut roots = Roots { store: rustls::RootCertStore::empty(), unread: Vec::new() };
        if let Some(certificate) = trusted.and_then(Receiver::certificate) {
            roots.store.add(certificate.clone()).unwrap();
        }
        let courier = Courier::new(CourierSettings {
            policy: policy.clone(),
            timeouts,
            roots,
            resolver: Arc::new(names),
            clock: MachineClock::system(),
        });
        Bed { courier: courier.unwrap(), policy }
    }

    pub(crate) async fn send(&self, url: &str) -> Outcome {
        let target = Target::parse(url, &self.policy).unwrap();
        self.send_to(&target).await
    }

    /// As if the policy had been another one when the target was registered.
    pub(crate) async fn send_unchecked(&self, url: &str) -> Outcome {
        let once =
            AddressPolicy::new(["127.0.0.0/8", "10.0.0.0/8", "169.254.0.0/16", "::/8", "fc00::/7"]).unwrap();
        self.send_to(&Target::parse(url, &once).unwrap()).await
    }

    /// With headers and a body that need not go together; the status of the answer.
    pub(crate) async fn send_signed(&self, url: &str, headers: &SignedHeaders, body: &[u8]) -> u16 {
        let target = Target::parse(url, &self.policy).unwrap();
        let parcel = Parcel { target: &target, headers, media_type: MEDIA_TYPE, body };
        match self.courier.send(parcel).await {
            Outcome::Answered(answer) => answer.status,
            other => panic!("{other:?}"),
        }
    }

    async fn send_to(&self, target: &Target) -> Outcome {
        let id = MessageId::parse("0190a1b2-0000-7000-8000-000000000001").unwrap();
        let headers = Keyring::new(secret()).sign(&id, now(), BODY, true);
        let parcel = Parcel { target, headers: &headers, media_type: MEDIA_TYPE, body: BODY };
        self.courier.send(parcel).await
    }
}
