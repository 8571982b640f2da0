//! Units, collectives, officials and accounts.

use domain_roster::{Account, Collective, Official, Post, RoleBinding, Unit};
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_optional_time, encode_time};
use xietong_mesh::input::{ENTRIES, LINE, at_most, names, optional, required, text};
use xietong_proto::roster as proto;

use super::kinds::{
    decode_post_kind, decode_role, decode_unit_kind, encode_post_kind, encode_role, encode_unit_kind,
};

/// What the subjects of the services' own jobs begin with; no person has such a subject.
const SYSTEM_SUBJECT: &str = "system/";

pub(in crate::grpc) fn decode_unit(name: String, unit: proto::Unit) -> Result<Unit, Error> {
    Ok(Unit {
        name,
        display_name: required("unit.display_name", unit.display_name)?,
        aliases: names("unit.aliases", unit.aliases)?,
        signboards: names("unit.signboards", unit.signboards)?,
        kind: decode_unit_kind("unit.kind", unit.kind)?,
        parent: optional("unit.parent", unit.parent)?,
        division_code: optional("unit.division_code", unit.division_code)?,
        successor: optional("unit.successor", unit.successor)?,
        start_time: decode_optional_time("unit.start_time", unit.start_time.as_ref())?,
        end_time: decode_optional_time("unit.end_time", unit.end_time.as_ref())?,
    })
}

pub(in crate::grpc) fn encode_unit(unit: &Unit, etag: String) -> proto::Unit {
    proto::Unit {
        name: unit.name.clone(),
        display_name: unit.display_name.clone(),
        aliases: unit.aliases.clone(),
        signboards: unit.signboards.clone(),
        kind: encode_unit_kind(unit.kind),
        parent: unit.parent.clone().unwrap_or_default(),
        division_code: unit.division_code.clone().unwrap_or_default(),
        start_time: unit.start_time.map(encode_time),
        end_time: unit.end_time.map(encode_time),
        etag,
        successor: unit.successor.clone().unwrap_or_default(),
    }
}

/// How many names and members there may be is the domain's to say.
pub(in crate::grpc) fn decode_collective(
    name: String,
    collective: proto::Collective,
) -> Result<Collective, Error> {
    let lines = |field: &str, lines: Vec<String>| {
        lines.into_iter().map(|line| text(field, line, LINE)).collect::<Result<_, _>>()
    };
    Ok(Collective {
        name,
        display_name: required("collective.display_name", collective.display_name)?,
        aliases: lines("collective.aliases", collective.aliases)?,
        units: lines("collective.units", collective.units)?,
    })
}

pub(in crate::grpc) fn encode_collective(collective: &Collective, etag: String) -> proto::Collective {
    proto::Collective {
        name: collective.name.clone(),
        display_name: collective.display_name.clone(),
        aliases: collective.aliases.clone(),
        units: collective.units.clone(),
        etag,
    }
}

pub(in crate::grpc) fn decode_official(name: String, official: proto::Official) -> Result<Official, Error> {
    let posts = at_most("official.posts", official.posts, ENTRIES)?;
    Ok(Official {
        name,
        display_name: required("official.display_name", official.display_name)?,
        posts: posts.into_iter().map(decode_post).collect::<Result<_, _>>()?,
    })
}

fn decode_post(post: proto::Post) -> Result<Post, Error> {
    Ok(Post {
        kind: decode_post_kind("official.posts.kind", post.kind)?,
        unit: optional("official.posts.unit", post.unit)?,
        title: text("official.posts.title", post.title, LINE)?,
        start_time: decode_optional_time("official.posts.start_time", post.start_time.as_ref())?,
        end_time: decode_optional_time("official.posts.end_time", post.end_time.as_ref())?,
    })
}

pub(in crate::grpc) fn encode_official(official: &Official, etag: String) -> proto::Official {
    let encode_post = |post: &Post| proto::Post {
        kind: encode_post_kind(post.kind),
        unit: post.unit.clone().unwrap_or_default(),
        title: post.title.clone(),
        start_time: post.start_time.map(encode_time),
        end_time: post.end_time.map(encode_time),
    };
    proto::Official {
        name: official.name.clone(),
        display_name: official.display_name.clone(),
        posts: official.posts.iter().map(encode_post).collect(),
        etag,
    }
}

pub(in crate::grpc) fn decode_account(name: String, account: proto::Account) -> Result<Account, Error> {
    let subject = required("account.subject", account.subject)?;
    if subject.starts_with(SYSTEM_SUBJECT) {
        return Err(Error::invalid(
            "account.subject",
            "must not begin with `system/`",
            "以“system/”开头的标识由系统保留",
        ));
    }
    let roles = at_most("account.roles", account.roles, ENTRIES)?;
    Ok(Account {
        name,
        subject,
        official: optional("account.official", account.official)?,
        roles: roles.into_iter().map(decode_binding).collect::<Result<_, _>>()?,
        disabled: account.disabled,
    })
}

fn decode_binding(binding: proto::RoleBinding) -> Result<RoleBinding, Error> {
    Ok(RoleBinding {
        role: decode_role("account.roles.role", binding.role)?,
        units: names("account.roles.units", binding.units)?,
        groups: names("account.roles.groups", binding.groups)?,
        start_time: decode_optional_time("account.roles.start_time", binding.start_time.as_ref())?,
        end_time: decode_optional_time("account.roles.end_time", binding.end_time.as_ref())?,
    })
}

pub(in crate::grpc) fn encode_account(account: &Account, etag: String) -> proto::Account {
    let encode_binding = |binding: &RoleBinding| proto::RoleBinding {
        role: encode_role(binding.role),
        units: binding.units.clone(),
        groups: binding.groups.clone(),
        start_time: binding.start_time.map(encode_time),
        end_time: binding.end_time.map(encode_time),
    };
    proto::Account {
        name: account.name.clone(),
        subject: account.subject.clone(),
        official: account.official.clone().unwrap_or_default(),
        roles: account.roles.iter().map(encode_binding).collect(),
        disabled: account.disabled,
        etag,
    }
}
