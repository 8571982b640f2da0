//! Removing files that no record refers to.
//!
//! A file is removed when it was last uploaded long ago, its receipts are no longer good, and
//! every service has said that no record of its own refers to it. When one of them does not
//! answer, nothing is removed.

use std::collections::BTreeSet;
use std::time::Duration;

use domain_attachment::Digest;
use futures_util::{StreamExt, TryStreamExt};
use xietong_mesh::attachments::MOST_ASKED;
use xietong_mesh::client::Peers;
use xietong_mesh::drain::Drain;
use xietong_mesh::service_name::ServiceName;
use xietong_mesh::token::RECEIPT_LIFETIME;
use xietong_mesh::{Code, Error};
use xietong_proto::common::FilterHeldRequest;
use xietong_proto::common::attachment_holding_service_client::AttachmentHoldingServiceClient;
use xietong_timers::{MachineClock, MachineTime};

use super::{AttachmentParts, AttachmentStore};

/// How long after the start it is first looked for files to remove, and how often then.
const FIRST: Duration = Duration::from_secs(600);
const PERIOD: Duration = Duration::from_secs(6 * 3_600);

/// How long a service may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long an upload may take at most before it is taken for broken off.
const LONGEST_UPLOAD: Duration = Duration::from_secs(86_400);

/// Removes files that no record refers to.
pub(crate) struct Sweeper {
    store: AttachmentStore,
    keep: Duration,
    peers: Peers,
}

impl Sweeper {
    /// Asks these services. No file is removed while a receipt for it may be good.
    pub(crate) fn new(parts: AttachmentParts, peers: Peers) -> Self {
        let keep = parts.keep_unused.max(RECEIPT_LIFETIME + LONGEST_UPLOAD);
        Sweeper { store: parts.store, keep, peers }
    }

    /// Sweeps from time to time, until the gateway stops. Replicas may do so at the same time.
    pub(crate) async fn run(self, machine: MachineClock, drain: Drain) {
        let mut pause = FIRST;
        loop {
            tokio::select! {
                () = drain.begun() => return,
                () = tokio::time::sleep(pause) => pause = PERIOD,
            }
            match self.sweep(machine.now()).await {
                Ok(0) => (),
                Ok(removed) => tracing::info!(removed, "removed files that no record refers to"),
                Err(error) => tracing::warn!(%error, "files that no record refers to were not removed"),
            }
        }
    }

    /// Sweeps once, and says how many files were removed.
    ///
    /// # Errors
    /// When a service does not answer, or the store fails.
    pub(crate) async fn sweep(&self, now: MachineTime) -> Result<usize, Error> {
        self.store.remove_broken_off(now.minus(LONGEST_UPLOAD)).await.map_err(Error::internal)?;
        let before = now.minus(self.keep);
        let mut portions = self.store.older_than(before).try_chunks(MOST_ASKED);
        let mut removed = 0;
        while let Some(portion) = portions.next().await {
            let old = portion.map_err(Error::internal)?;
            let held = self.held(&old).await?;
            for digest in old.iter().filter(|digest| !held.contains(*digest)) {
                removed += usize::from(self.remove(digest, before).await?);
            }
        }
        Ok(removed)
    }

    async fn remove(&self, digest: &Digest, before: MachineTime) -> Result<bool, Error> {
        match self.store.remove(digest, before).await {
            // Another replica was faster.
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            outcome => outcome.map_err(Error::internal),
        }
    }

    /// Those that a record of any service refers to.
    async fn held(&self, digests: &[Digest]) -> Result<BTreeSet<Digest>, Error> {
        let asked: Vec<String> = digests.iter().map(Digest::to_string).collect();
        let mut held = BTreeSet::new();
        for service in ServiceName::ALL.into_iter().filter(|name| *name != ServiceName::Gateway) {
            let request = FilterHeldRequest { digests: asked.clone() };
            let request = self.peers.outgoing_as_system(request, "attachments/sweep", TIMEOUT)?;
            let mut client = AttachmentHoldingServiceClient::new(self.peers.channel(service)?);
            let answer = client.filter_held(request).await.map_err(|status| Error::from_status(&status))?;
            for digest in answer.into_inner().held {
                held.insert(digest.parse().map_err(|_| unreadable(service))?);
            }
        }
        Ok(held)
    }
}

fn unreadable(service: ServiceName) -> Error {
    Error::new(Code::Internal, "INTERNAL", format!("{service} answered no digest"), "系统内部错误")
}
