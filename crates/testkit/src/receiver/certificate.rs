//! Certificates for receivers with TLS, each under an authority of its own.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What a receiver shows, and who vouches for it.
pub(super) struct Issued {
    /// What a client must trust.
    pub(super) authority: CertificateDer<'static>,
    /// What the receiver shows.
    pub(super) certificate: CertificateDer<'static>,
    /// Of the certificate.
    pub(super) key: PrivateKeyDer<'static>,
}

impl Issued {
    /// For a name or an address, by a new authority.
    pub(super) fn to(name: &str) -> Result<Self, rcgen::Error> {
        let mut authority = CertificateParams::new(Vec::<String>::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "a government's own authority");
        let authority_key = KeyPair::generate()?;
        let own = authority.self_signed(&authority_key)?;
        let key = KeyPair::generate()?;
        let issuer = Issuer::from_params(&authority, &authority_key);
        let issued = CertificateParams::new([name.to_owned()])?.signed_by(&key, &issuer)?;
        Ok(Issued {
            authority: own.der().clone(),
            certificate: issued.der().clone(),
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        })
    }
}
