//! [`Contact`]: where an official can be reached.

use domain_calendar::Timestamp;
use domain_notification::Channel;

use crate::address::{EmailAddress, MobileNumber};

/// Where an official can be reached. Without an address nothing is sent on its channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// For e-mail.
    pub email: Option<Entry<EmailAddress>>,
    /// For SMS and government messaging.
    pub mobile: Option<Entry<MobileNumber>>,
}

/// An address, and how far it can be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<Address> {
    /// Where to.
    pub address: Address,
    /// When it was entered; business time.
    pub changed_at: Timestamp,
    /// When an administrator confirmed it, by entering it or by entering the same again; business
    /// time. None while only its owner has said so.
    pub verified_at: Option<Timestamp>,
}

/// Who enters an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Whose it is.
    Owner,
    /// An administrator, of somebody else: from what the unit has handed in.
    Administrator,
}

/// An address that something is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached<'a> {
    /// By e-mail.
    Email(&'a EmailAddress),
    /// By message.
    Mobile(&'a MobileNumber),
}

impl<Address: PartialEq> Entry<Address> {
    fn entered(before: Option<Self>, address: Option<Address>, by: By, now: Timestamp) -> Option<Self> {
        let address = address?;
        let confirmed = match by {
            By::Owner => None,
            By::Administrator => Some(now),
        };
        match before {
            Some(known) if known.address == address => {
                Some(Entry { verified_at: known.verified_at.or(confirmed), ..known })
            }
            Some(_) | None => Some(Entry { address, changed_at: now, verified_at: confirmed }),
        }
    }
}

impl Contact {
    /// The same with another e-mail address, or with none.
    #[must_use]
    pub fn with_email(mut self, email: Option<EmailAddress>, by: By, now: Timestamp) -> Self {
        self.email = Entry::entered(self.email.take(), email, by, now);
        self
    }

    /// The same with another mobile number, or with none.
    #[must_use]
    pub fn with_mobile(mut self, mobile: Option<MobileNumber>, by: By, now: Timestamp) -> Self {
        self.mobile = Entry::entered(self.mobile.take(), mobile, by, now);
        self
    }

    /// Where something on a channel goes; none when nothing does.
    pub fn reached(&self, channel: Channel) -> Option<Reached<'_>> {
        match channel {
            Channel::Email => self.email.as_ref().map(|entry| Reached::Email(&entry.address)),
            Channel::Message => self.mobile.as_ref().map(|entry| Reached::Mobile(&entry.address)),
            // Neither needs an address of a person.
            Channel::Inbox | Channel::Webhook => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain_calendar::Timestamp;
    use domain_notification::Channel;

    use super::{By, Contact, Reached};
    use crate::address::{EmailAddress, MobileNumber};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn email(text: &str) -> Option<EmailAddress> {
        Some(EmailAddress::parse(text).unwrap())
    }

    #[test]
    fn what_an_administrator_enters_is_confirmed_and_what_its_owner_enters_is_not() {
        let (monday, tuesday) = (at("2023-06-05T09:00+08:00"), at("2023-06-06T09:00+08:00"));
        let own = Contact::default().with_email(email("a@example.gov.cn"), By::Owner, monday);
        let entry = own.email.clone().unwrap();
        assert_eq!((entry.changed_at, entry.verified_at), (monday, None));
        // The same again changes nothing, unless an administrator says so.
        assert_eq!(own.clone().with_email(email("a@example.gov.cn"), By::Owner, tuesday), own);
        let confirmed = own.with_email(email("a@example.gov.cn"), By::Administrator, tuesday);
        let entry = confirmed.email.clone().unwrap();
        assert_eq!((entry.changed_at, entry.verified_at), (monday, Some(tuesday)));
        // Another address is confirmed by nobody.
        let other = confirmed.clone().with_email(email("b@example.gov.cn"), By::Owner, tuesday);
        assert_eq!(other.email.unwrap().verified_at, None);
        let entered = confirmed.with_email(email("b@example.gov.cn"), By::Administrator, tuesday);
        assert_eq!(entered.email.unwrap().verified_at, Some(tuesday));
    }

    #[test]
    fn a_channel_reaches_its_own_address_and_none_where_there_is_none() {
        let now = at("2023-06-05T09:00+08:00");
        let mobile = MobileNumber::parse("13800000000").unwrap();
        let contact = Contact::default().with_mobile(Some(mobile.clone()), By::Owner, now);
        assert_eq!(contact.reached(Channel::Message), Some(Reached::Mobile(&mobile)));
        for channel in [Channel::Inbox, Channel::Webhook, Channel::Email] {
            assert_eq!(contact.reached(channel), None);
        }
        assert_eq!(contact.with_mobile(None, By::Owner, now), Contact::default());
    }
}
