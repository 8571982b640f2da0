//! [`Roots`]: whose certificates are trusted.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

/// The certificate authorities that receivers are known by.
#[derive(Debug, Clone)]
pub struct Roots {
    /// The machine's, and the operator's own.
    pub store: RootCertStore,
    /// What could not be read, for the operator's log.
    pub unread: Vec<String>,
}

/// The machine's certificate authorities and others, such as a government's own. A machine that
/// has none still sends in clear text to listed networks; the caller should say that it has none.
pub fn trusted_roots(others: impl IntoIterator<Item = CertificateDer<'static>>) -> Roots {
    let native = rustls_native_certs::load_native_certs();
    let mut unread: Vec<String> = native.errors.iter().map(ToString::to_string).collect();
    let mut store = RootCertStore::empty();
    // Systems ship a few that are too old to be read; they are no news.
    let (_read, _unreadable) = store.add_parsable_certificates(native.certs);
    for other in others {
        if let Err(error) = store.add(other) {
            unread.push(error.to_string());
        }
    }
    Roots { store, unread }
}
