//! The first account of an installation.

use std::sync::Arc;

use domain_roster::{Account, Role, RoleBinding};
use xietong_mesh::{Attempt, Call, Error, Principal, ServiceName};
use xietong_proto::roster as proto;
use xietong_timers::MachineClock;

use super::App;

const ACTION: &str = "roster.accounts.create";
/// Why the roster itself adds an account, as the log says it.
const GROUND: &str = "the first administrator of an installation";

impl App {
    /// See [`crate::seed_administrator`].
    pub(crate) async fn seed_administrator(&self, subject: &str) -> Result<(), Error> {
        let now = self.now();
        let is_administrator =
            |account: &Account| account.roles_at(now).any(|binding| binding.role == Role::Administrator);
        if self.current().await?.book.account_of_subject(subject).is_some_and(is_administrator) {
            return Ok(());
        }
        let account = Account {
            name: format!("accounts/{}", MachineClock::system().new_id()),
            subject: subject.to_owned(),
            official: None,
            roles: vec![RoleBinding {
                role: Role::Administrator,
                units: Vec::new(),
                groups: Vec::new(),
                start_time: None,
                end_time: None,
            }],
            disabled: false,
        };
        let mut call = Call::new(Arc::new(Principal::system(ServiceName::Roster)), ACTION, "");
        call.ground = Some(GROUND.to_owned());
        let request = proto::CreateAccountRequest::default();
        match self.begin::<_, ()>(&call, &request, "").await? {
            Attempt::First(transaction) => {
                self.create_account(&transaction, &account).await?;
                transaction.commit(()).await?;
                Ok(())
            }
            // Without a request id nothing is ever a repeat.
            Attempt::Repeat(()) => Ok(()),
        }
    }
}
