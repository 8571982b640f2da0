//! The private PostgreSQL and Redis of one command.

use std::env;
use std::process::Command;

use anyhow::Context;
use xietong_throwaway::{Postgres, Redis};

use crate::install;

/// Where tests find PostgreSQL: a URL whose user may create databases.
const POSTGRES: &str = "XIETONG_TEST_POSTGRES";
/// Where tests find Redis.
const REDIS: &str = "XIETONG_TEST_REDIS";

/// Servers whose addresses are in the environment already, or that live as long
/// as this value.
pub(crate) struct Servers {
    postgres: Option<Postgres>,
    redis: Option<Redis>,
}

impl Servers {
    /// Installs what is missing.
    pub(crate) fn install() -> anyhow::Result<()> {
        if is_given(POSTGRES) && is_given(REDIS) { Ok(()) } else { install::servers() }
    }

    /// Starts those that are not given.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let postgres = (!is_given(POSTGRES)).then(Postgres::start).transpose().context("PostgreSQL")?;
        let redis = (!is_given(REDIS)).then(Redis::start).transpose().context("Redis")?;
        Ok(Self { postgres, redis })
    }

    /// Tells a program where they are.
    pub(crate) fn tell(&self, command: &mut Command) {
        if let Some(postgres) = &self.postgres {
            command.env(POSTGRES, postgres.url());
        }
        if let Some(redis) = &self.redis {
            command.env(REDIS, redis.url());
        }
    }
}

fn is_given(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}
