//! Five processes over PostgreSQL and Redis, with a small city in them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::Context;
use sea_orm::DatabaseConnection;
use xietong_mesh::ServiceName;
use xietong_mesh::token::Signer;
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::{ADMINISTRATOR, Cluster};
use xietong_testkit::servers;
use xietong_tests::city::City;
