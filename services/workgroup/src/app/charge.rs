//! Whether the roster has those whom a group's duties charge. Nothing resolves a duty later, as
//! seats are resolved when they are read, so it is asked when the group is founded.

use domain_workgroup::Duty;
use xietong_mesh::error::MOST_VIOLATIONS;
use xietong_mesh::{Error, RosterCopy, RosterView};
use xietong_timers::MachineClock;

/// A unit or an official that a duty charges: the duty's index, and the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charged<'a> {
    /// The responsible unit.
    Unit(usize, &'a str),
    /// The responsible person.
    Official(usize, &'a str),
}

impl Charged<'_> {
    /// A notice of the past may name a unit that has ceased since: it is known all the same.
    fn is_in(self, roster: &RosterView) -> bool {
        match self {
            Self::Unit(_, name) => roster.book.unit(name).is_some(),
            Self::Official(_, name) => roster.book.official(name).is_some(),
        }
    }

    /// Its field, and what is wrong with it in English and in Chinese.
    fn told(self) -> (String, String, String) {
        match self {
            Self::Unit(index, name) => (
                format!("group.duties[{index}].unit"),
                format!("there is no unit {name}"),
                format!("没有这个单位（{name}）"),
            ),
            Self::Official(index, name) => (
                format!("group.duties[{index}].official"),
                format!("there is no official {name}"),
                format!("没有这位责任人（{name}）"),
            ),
        }
    }
}

/// Asks the roster if the copy of it does not know all who are charged: they may have been
/// entered a moment ago. To be called before the transaction of the founding begins.
pub(crate) async fn prepare<'a>(copy: &RosterCopy, mut charged: impl Iterator<Item = Charged<'a>>) {
    let view = copy.view();
    if charged.any(|one| !one.is_in(&view)) {
        copy.ask().await;
    }
}

/// Refuses duties that charge whom the roster does not have, naming each. UNAVAILABLE when the
/// roster may have them by now.
pub(crate) fn check(roster: &RosterView, duties: &[Duty]) -> Result<(), Error> {
    let charged = duties.iter().enumerate().flat_map(|(index, duty)| {
        let unit = duty.unit.as_deref().map(|name| Charged::Unit(index, name));
        unit.into_iter().chain(duty.official.as_deref().map(|name| Charged::Official(index, name)))
    });
    let mut unknown = charged.filter(|one| !one.is_in(roster));
    let Some(first) = unknown.next() else { return Ok(()) };
    if roster.is_stale(MachineClock::system().now()) {
        return Err(Error::unavailable("the roster"));
    }
    let (field, english, chinese) = first.told();
    let error = unknown.by_ref().take(MOST_VIOLATIONS - 1).fold(
        Error::invalid(field, english, chinese),
        |error, next| {
            let (field, english, chinese) = next.told();
            error.and_invalid(field, english, chinese)
        },
    );
    Err(error.and_more(unknown.count()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use xietong_events::{Bus, EventSource, LogPage, SourceError};
    use xietong_mesh::{Code, ServiceName};

    use super::*;

    struct Down;

    #[async_trait::async_trait]
    impl EventSource for Down {
        async fn read(&self, _after: i64, _limit: u32) -> Result<LogPage, SourceError> {
            Err(SourceError { producer: "roster".to_owned(), why: "down".to_owned() })
        }
    }

    #[tokio::test]
    async fn nobody_is_called_unknown_while_the_roster_cannot_be_asked() {
        let copy = RosterCopy::new(ServiceName::Workgroup, Arc::new(Down), &Bus::embedded());
        let duty = |unit: Option<&str>| Duty {
            number: None,
            text: "办理手续".into(),
            subgroup: None,
            unit: unit.map(str::to_owned),
            official: None,
        };
        prepare(&copy, [Charged::Unit(0, "units/moon")].into_iter()).await;
        let refusal = check(&copy.view(), &[duty(Some("units/moon"))]).unwrap_err();
        assert_eq!(refusal.code(), Code::Unavailable);
        assert_eq!(check(&copy.view(), &[duty(None)]), Ok(()), "who charges nobody needs no roster");
    }
}
