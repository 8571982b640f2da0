//! How the caller wants to be told.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain_notification::{Channel, DailyDigest, MinuteOfDay, NoticeKind, Preference, QuietHours};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::convert::encode_time;
use xietong_mesh::input::{ENTRIES, at_most, present};
use xietong_mesh::{Attempt, Call, Error, Foundation, Resource, RosterCopy, Transactions, retried};
use xietong_proto::notification as proto;
use xietong_proto::notification::preference_service_server::PreferenceService;
use xietong_store::Db;

use super::convert::{decode_kind, kind};
use crate::app::change_preference;
use crate::store::{StoredPreference, preference};

const FIELDS: [&str; 3] = ["muted", "quiet_hours", "daily_digest"];

pub(crate) struct PreferenceServer {
    db: Db,
    transactions: Transactions,
    copy: Arc<RosterCopy>,
}

impl PreferenceServer {
    pub(crate) fn new(foundation: &Foundation, copy: Arc<RosterCopy>) -> Self {
        let (db, transactions) = (foundation.db.clone(), foundation.transactions.clone());
        PreferenceServer { db, transactions, copy }
    }
}

/// Whose preferences the caller's are. An account that is no official's has none.
fn own_official(call: &Call) -> Result<String, Error> {
    let scope = call.scope()?;
    let official = call.principal.official.clone().ok_or_else(|| scope.missing("preferences"))?;
    scope.authorize(&Resource::new().of_official(official.as_str()))?;
    Ok(official)
}

#[async_trait]
impl PreferenceService for PreferenceServer {
    async fn get_preferences(
        &self,
        request: Request<proto::GetPreferencesRequest>,
    ) -> Result<Response<proto::Preferences>, Status> {
        let official = own_official(Call::of(&request)?)?;
        let stored = preference(self.db.reader(), &official).await.map_err(Error::from)?;
        Ok(Response::new(encode(official, stored)))
    }

    async fn update_preferences(
        &self,
        request: Request<proto::UpdatePreferencesRequest>,
    ) -> Result<Response<proto::Preferences>, Status> {
        let call = Call::of(&request)?.clone();
        let official = own_official(&call)?;
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let asked = present("preferences", request.preferences.clone())?;
        let etag = asked.etag.clone();
        let fields = fields(request.update_mask.as_ref())?;
        let wanted = decode(asked)?;
        let roster = self.copy.view();
        let attempt = async || {
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let wanted = wanted.clone();
            let change = |preference: &mut Preference| {
                if fields.contains("muted") {
                    preference.muted = wanted.muted;
                }
                if fields.contains("quiet_hours") {
                    preference.quiet = wanted.quiet;
                }
                if fields.contains("daily_digest") {
                    preference.digest = wanted.digest;
                }
            };
            let stored = change_preference(&transaction, &roster.book, &official, &etag, change).await?;
            transaction.commit(encode(official.clone(), stored)).await
        };
        Ok(Response::new(retried(&etag, attempt).await?))
    }
}

/// The fields that change: those of the mask, or all.
fn fields(mask: Option<&prost_types::FieldMask>) -> Result<BTreeSet<String>, Error> {
    let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
    if let Some(other) = paths.iter().find(|path| !FIELDS.contains(&path.as_str())) {
        let english = format!("{other} cannot be changed");
        return Err(Error::invalid("update_mask", english, format!("{other}不能修改")));
    }
    if paths.is_empty() {
        return Ok(FIELDS.into_iter().map(str::to_owned).collect());
    }
    Ok(paths.iter().cloned().collect())
}

fn decode(asked: proto::Preferences) -> Result<Preference, Error> {
    let muted = at_most("muted", asked.muted, ENTRIES)?;
    let muted = muted
        .into_iter()
        .map(|one| Ok((decode_kind("muted.kind", one.kind)?, decode_channel("muted.channel", one.channel)?)));
    let quiet = asked.quiet_hours.map(|quiet| {
        Ok::<_, Error>(QuietHours {
            from: minute("quiet_hours.start", &quiet.start)?,
            until: minute("quiet_hours.end", &quiet.end)?,
            rest_days: quiet.rest_days,
        })
    });
    let digest = asked.daily_digest.map(|digest| {
        let kinds = at_most("daily_digest.kinds", digest.kinds, ENTRIES)?;
        let kinds = kinds.into_iter().map(|one| decode_kind("daily_digest.kinds", one));
        Ok::<_, Error>(DailyDigest {
            at: minute("daily_digest.time", &digest.time)?,
            kinds: kinds.collect::<Result<BTreeSet<NoticeKind>, _>>()?,
        })
    });
    Ok(Preference {
        muted: muted.collect::<Result<_, Error>>()?,
        quiet: quiet.transpose()?,
        digest: digest.transpose()?,
    })
}

fn minute(field: &str, text: &str) -> Result<MinuteOfDay, Error> {
    text.parse().map_err(|_| {
        Error::invalid(field, "must be a time of the day as HH:MM", "须为“时:分”形式的时刻，例如08:30")
    })
}

fn decode_channel(field: &str, channel: i32) -> Result<Channel, Error> {
    Channel::ALL
        .into_iter()
        .find(|known| i32::from(self::channel(*known)) == channel)
        .ok_or_else(|| Error::invalid(field, "must be a channel", "送达方式不存在"))
}

pub(super) fn channel(channel: Channel) -> proto::Channel {
    match channel {
        Channel::Inbox => proto::Channel::Inbox,
        Channel::Webhook => proto::Channel::Webhook,
        Channel::Email => proto::Channel::Email,
        Channel::Message => proto::Channel::Message,
    }
}

fn encode(official: String, stored: Option<StoredPreference>) -> proto::Preferences {
    let Some(StoredPreference { version, preference, updated_at }) = stored else {
        return proto::Preferences { official, ..proto::Preferences::default() };
    };
    let muted = preference
        .muted
        .into_iter()
        .map(|(of, on)| proto::MutedKind { kind: kind(of).into(), channel: channel(on).into() });
    proto::Preferences {
        official,
        muted: muted.collect(),
        quiet_hours: preference.quiet.map(|quiet| proto::QuietHours {
            start: quiet.from.to_string(),
            end: quiet.until.to_string(),
            rest_days: quiet.rest_days,
        }),
        daily_digest: preference.digest.map(|digest| proto::DailyDigest {
            time: digest.at.to_string(),
            kinds: digest.kinds.into_iter().map(|of| kind(of).into()).collect(),
        }),
        etag: version.to_string(),
        update_time: Some(encode_time(updated_at)),
    }
}
