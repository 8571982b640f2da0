//! Where officials are reached.

use std::collections::BTreeSet;

use domain_channel::{By, EmailAddress, Entry, MobileNumber};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::encode_time;
use xietong_mesh::input::present;
use xietong_mesh::{Attempt, Call, Error, Foundation, Resource, Transactions, retried};
use xietong_proto::notification as proto;
use xietong_proto::notification::contact_service_server::ContactService;
use xietong_store::Db;

use crate::app::{Addresses, change_contact};
use crate::error::address_refusal;
use crate::store::{StoredContact, contact};

const FIELDS: [&str; 2] = ["email", "mobile"];
/// Longest name of an official, in characters.
const LONGEST: usize = 100;

pub(crate) struct ContactServer {
    db: Db,
    transactions: Transactions,
}

impl ContactServer {
    pub(crate) fn new(foundation: &Foundation) -> Self {
        ContactServer { db: foundation.db.clone(), transactions: foundation.transactions.clone() }
    }
}

/// Whose contact it is, who may be asked for it.
fn permitted(call: &Call, name: &str) -> Result<String, Error> {
    let scope = call.scope()?;
    let official = official(name)?;
    scope.authorize(&Resource::new().of_official(official.as_str()))?;
    Ok(official)
}

/// `officials/{id}` of `contacts/{id}`.
fn official(name: &str) -> Result<String, Error> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.strip_prefix("contacts/")
        .filter(|id| !id.is_empty() && id.len() <= LONGEST && id.bytes().all(fits))
        .map(|id| format!("officials/{id}"))
        .ok_or_else(|| {
            Error::invalid("name", "must be contacts/{official}", "名称须为 contacts/{人员编号} 的形式")
        })
}

/// Who sees an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Whose it is: the whole addresses.
    Whole,
    /// Somebody else, or whoever reads an answer that is kept for repeated requests.
    Masked,
}

#[async_trait]
impl ContactService for ContactServer {
    async fn get_contact(
        &self,
        request: Request<proto::GetContactRequest>,
    ) -> Result<Response<proto::Contact>, Status> {
        let call = Call::of(&request)?;
        let official = permitted(call, &request.get_ref().name)?;
        let own = call.principal.official.as_deref() == Some(official.as_str());
        let stored = contact(self.db.reader(), &official).await.map_err(Error::from)?.unwrap_or_default();
        Ok(Response::new(encode(&official, stored, if own { Shown::Whole } else { Shown::Masked })))
    }

    async fn update_contact(
        &self,
        request: Request<proto::UpdateContactRequest>,
    ) -> Result<Response<proto::Contact>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let asked = present("contact", request.contact.clone())?;
        let official = permitted(&call, &asked.name)?;
        let addresses = addresses(&asked, request.update_mask.as_ref())?;
        let own = call.principal.official.as_deref() == Some(official.as_str());
        let by = if own { By::Owner } else { By::Administrator };
        let attempt = async || {
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let stored = change_contact(&transaction, &official, &asked.etag, addresses.clone(), by).await?;
            transaction.commit(encode(&official, stored, Shown::Masked)).await
        };
        Ok(Response::new(retried(&asked.etag, attempt).await?))
    }
}

/// The addresses of the mask, or both.
fn addresses(asked: &proto::Contact, mask: Option<&prost_types::FieldMask>) -> Result<Addresses, Error> {
    let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
    if let Some(other) = paths.iter().find(|path| !FIELDS.contains(&path.as_str())) {
        let english = format!("{other} cannot be changed");
        return Err(Error::invalid("update_mask", english, format!("{other}不能修改")));
    }
    let paths: BTreeSet<&str> = paths.iter().map(String::as_str).collect();
    let wanted = |field: &str| paths.is_empty() || paths.contains(field);
    let mut addresses = Addresses::default();
    if wanted("email") {
        let email = (!asked.email.is_empty()).then(|| EmailAddress::parse(&asked.email));
        addresses.email = Some(email.transpose().map_err(address_refusal)?);
    }
    if wanted("mobile") {
        let mobile = (!asked.mobile.is_empty()).then(|| MobileNumber::parse(&asked.mobile));
        addresses.mobile = Some(mobile.transpose().map_err(address_refusal)?);
    }
    Ok(addresses)
}

fn encode(official: &str, stored: StoredContact, shown: Shown) -> proto::Contact {
    let name = format!("contacts/{}", official.trim_start_matches("officials/"));
    let StoredContact { version, contact, updated_at } = stored;
    if version == 0 {
        return proto::Contact { name, ..proto::Contact::default() };
    }
    let email = contact.email.as_ref().map(|entry| match shown {
        Shown::Whole => entry.address.expose().to_owned(),
        Shown::Masked => entry.address.masked(),
    });
    let mobile = contact.mobile.as_ref().map(|entry| match shown {
        Shown::Whole => entry.address.expose().to_owned(),
        Shown::Masked => entry.address.masked(),
    });
    proto::Contact {
        name,
        email: email.unwrap_or_default(),
        mobile: mobile.unwrap_or_default(),
        email_change_time: contact.email.as_ref().map(|entry| encode_time(entry.changed_at)),
        email_verify_time: verified(contact.email.as_ref()),
        mobile_change_time: contact.mobile.as_ref().map(|entry| encode_time(entry.changed_at)),
        mobile_verify_time: verified(contact.mobile.as_ref()),
        etag: version.to_string(),
        update_time: updated_at.map(encode_time),
    }
}

fn verified<Address>(entry: Option<&Entry<Address>>) -> Option<prost_types::Timestamp> {
    entry.and_then(|entry| entry.verified_at).map(encode_time)
}

#[cfg(test)]
mod tests {
    use super::official;

    #[test]
    fn only_names_of_contacts_are_read() {
        assert_eq!(official("contacts/wang-li"), Ok("officials/wang-li".to_owned()));
        for name in ["", "contacts/", "contacts/a/b", "contacts/*", "officials/wang-li", "contacts/王丽"] {
            assert!(official(name).is_err(), "{name:?}");
        }
    }
}
