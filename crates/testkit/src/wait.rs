//! Waiting for something another task or process does.
//!
//! The one place in which tests sleep: between two looks at a condition. (A receiver that is told to
//! be slow sleeps too.) A
//! test never waits for a time to pass, it waits for what it needs to be so.

use std::time::Duration;

/// How long after one look at the condition the next one follows.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What was waited for did not come about.
#[derive(Debug, thiserror::Error)]
#[error("waited {bound:?} in vain for {what}")]
pub struct TimedOut {
    /// What was waited for.
    pub what: String,
    /// How long it was waited for.
    pub bound: Duration,
}

/// Waits until `condition` is true; looks at it at least once. A look that never
/// returns counts against `bound` as well.
///
/// # Errors
/// [`TimedOut`], which says `what` was waited for, after `bound`.
pub async fn wait_for(
    what: &str,
    bound: Duration,
    mut condition: impl AsyncFnMut() -> bool,
) -> Result<(), TimedOut> {
    wait_for_value(what, bound, async || condition().await.then_some(())).await
}

/// Waits until `look` finds a value and returns it; else like [`wait_for`].
///
/// # Errors
/// [`TimedOut`], which says `what` was waited for, after `bound`.
pub async fn wait_for_value<T>(
    what: &str,
    bound: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> Result<T, TimedOut> {
    let looking = async {
        loop {
            if let Some(value) = look().await {
                return value;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(bound, looking).await.map_err(|_elapsed| TimedOut { what: what.to_owned(), bound })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{wait_for, wait_for_value};

    #[tokio::test]
    async fn a_condition_that_becomes_true_ends_the_wait() {
        let mut looks = 0;
        let found = wait_for_value("three looks", Duration::from_secs(10), async || {
            looks += 1;
            (looks == 3).then_some("found")
        });
        assert_eq!(found.await.unwrap(), "found");
        assert_eq!(looks, 3);
    }

    #[tokio::test]
    async fn a_wait_in_vain_names_what_it_waited_for() {
        let error =
            wait_for("the notice to arrive", Duration::from_millis(30), async || false).await.unwrap_err();
        assert_eq!(error.to_string(), "waited 30ms in vain for the notice to arrive");
    }

    #[tokio::test]
    async fn a_look_that_hangs_is_bounded_too() {
        let hanging = wait_for("an answer", Duration::from_millis(30), async || std::future::pending().await);
        hanging.await.unwrap_err();
    }
}
