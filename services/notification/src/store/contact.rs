//! Where officials are reached: the one table with their addresses.

use std::collections::BTreeMap;

use domain_calendar::Timestamp;
use domain_channel::{AddressError, Contact, EmailAddress, Entry, MobileNumber};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use xietong_store::{ROWS, StoreError, places, statement};

use super::texts;

/// Where an official is reached, as stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StoredContact {
    /// Number of its events, from 1.
    pub(crate) version: i64,
    pub(crate) contact: Contact,
    /// When last changed; business time.
    pub(crate) updated_at: Option<Timestamp>,
}

const COLUMNS: &str = "official, version, email, email_changed_at, email_verified_at, mobile, mobile_changed_at, \
     mobile_verified_at, updated_at";

/// Where an official is reached; none when nobody ever said.
pub(crate) async fn contact<C: ConnectionTrait>(
    connection: &C,
    official: &str,
) -> Result<Option<StoredContact>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM contacts WHERE official = $1");
    let row = connection.query_one_raw(statement(connection, &sql, texts([official]))).await?;
    row.as_ref().map(read).transpose()
}

/// Where those of these officials are reached of whom it is known.
pub(crate) async fn contacts_of(
    tx: &DatabaseTransaction,
    officials: &[&str],
) -> Result<BTreeMap<String, Contact>, StoreError> {
    let mut found = BTreeMap::new();
    for chunk in officials.chunks(ROWS) {
        let sql = format!(
            "SELECT {COLUMNS} FROM (VALUES {}) AS wanted JOIN contacts ON official = wanted.column1",
            places(chunk.len(), 1)
        );
        for row in tx.query_all_raw(statement(tx, &sql, texts(chunk.iter().copied()))).await? {
            found.insert(row.try_get_by("official")?, read(&row)?.contact);
        }
    }
    Ok(found)
}

/// Stores where an official is reached, as the version after the one before. [`StoreError::Stale`] when
/// it is no longer at that version.
pub(crate) async fn save_contact(
    tx: &DatabaseTransaction,
    official: &str,
    after: &StoredContact,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO contacts ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (official) DO UPDATE SET version = excluded.version, email = excluded.email,
             email_changed_at = excluded.email_changed_at, email_verified_at = excluded.email_verified_at,
             mobile = excluded.mobile, mobile_changed_at = excluded.mobile_changed_at,
             mobile_verified_at = excluded.mobile_verified_at, updated_at = excluded.updated_at
         WHERE contacts.version = excluded.version - 1"
    );
    let Contact { email, mobile } = &after.contact;
    let values: [Value; 9] = [
        official.into(),
        after.version.into(),
        email.as_ref().map(|entry| entry.address.expose().to_owned()).into(),
        email.as_ref().map(|entry| entry.changed_at.as_micros()).into(),
        email.as_ref().and_then(|entry| entry.verified_at).map(Timestamp::as_micros).into(),
        mobile.as_ref().map(|entry| entry.address.expose().to_owned()).into(),
        mobile.as_ref().map(|entry| entry.changed_at.as_micros()).into(),
        mobile.as_ref().and_then(|entry| entry.verified_at).map(Timestamp::as_micros).into(),
        after.updated_at.map_or(0, Timestamp::as_micros).into(),
    ];
    if tx.execute_raw(statement(tx, &sql, values)).await?.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale(format!("contact of {official}")))
    }
}

fn read(row: &QueryResult) -> Result<StoredContact, StoreError> {
    let updated_at: i64 = row.try_get_by("updated_at")?;
    let email = entry(row, ["email", "email_changed_at", "email_verified_at"], EmailAddress::parse)?;
    let mobile = entry(row, ["mobile", "mobile_changed_at", "mobile_verified_at"], MobileNumber::parse)?;
    Ok(StoredContact {
        version: row.try_get_by("version")?,
        contact: Contact { email, mobile },
        updated_at: Some(Timestamp::from_micros(updated_at)),
    })
}

fn entry<Address>(
    row: &QueryResult,
    [address, changed, verified]: [&str; 3],
    parse: fn(&str) -> Result<Address, AddressError>,
) -> Result<Option<Entry<Address>>, StoreError> {
    let text: Option<String> = row.try_get_by(address)?;
    let changed: Option<i64> = row.try_get_by(changed)?;
    let verified: Option<i64> = row.try_get_by(verified)?;
    let Some((text, changed)) = text.zip(changed) else { return Ok(None) };
    let address = parse(&text).map_err(|error| StoreError::corrupt("address of a contact", error))?;
    Ok(Some(Entry {
        address,
        changed_at: Timestamp::from_micros(changed),
        verified_at: verified.map(Timestamp::from_micros),
    }))
}
