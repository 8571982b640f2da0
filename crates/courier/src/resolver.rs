//! [`Resolver`]: from a name to its addresses.

use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

/// Looks a name up. Asked anew for each connection; what it answers is judged afterwards.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of a name, in the order in which they are to be tried.
    ///
    /// # Errors
    /// When there is no such name, or nobody answers.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's: its hosts file, its name servers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}
