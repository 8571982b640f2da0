//! [`AddressPolicy`]: which addresses requests to other systems may go to.
//!
//! Whoever registers an endpoint chooses its name, and whoever owns the name chooses its address,
//! anew for each connection. So each address is judged when it is connected to, and what is not
//! known to be public is refused, but for the networks that the operator lists.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// How a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In clear text.
    Http,
    /// Over TLS.
    Https,
}

/// What an address is for (the special-purpose address registries of IANA, RFC 6890).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressKind {
    /// A host on the internet.
    Public,
    /// No host: `0.0.0.0`, `::`.
    Unspecified,
    /// A host of this network: 0.0.0.0/8 (RFC 791).
    ThisNetwork,
    /// Within an organisation (RFC 1918, RFC 4193).
    Private,
    /// Between a provider and its customers (RFC 6598).
    Shared,
    /// This machine.
    Loopback,
    /// This link (RFC 3927, RFC 4291); where clouds tell machines their credentials.
    LinkLocal,
    /// Within a site, of old (RFC 3879).
    SiteLocal,
    /// A service that a cloud gives to its own machines under a public address.
    CloudService,
    /// For protocols (RFC 6890, RFC 2928), anycast relays, segment routing, discarding.
    Protocol,
    /// For examples (RFC 5737, RFC 3849, RFC 9637).
    Documentation,
    /// For measuring devices (RFC 2544, RFC 5180).
    Benchmarking,
    /// Many hosts.
    Multicast,
    /// Every host of this link.
    Broadcast,
    /// Of no use yet (RFC 1112, RFC 4291).
    Reserved,
    /// An IPv4 address in an obsolete or local form of IPv6: IPv4-compatible (RFC 4291),
    /// IPv4-translated (RFC 2765), local NAT64 (RFC 8215), 6to4 (RFC 3056), Teredo (RFC 4380).
    Tunnel,
}

/// Which addresses may be connected to.
///
/// Public ones by HTTPS; those of the listed networks by HTTPS or HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressPolicy {
    listed: Vec<IpNet>,
}

/// Why an address is not connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefusal {
    /// It is no public address and of no listed network.
    #[error("{address} is {kind}, and of no network that webhooks may go to")]
    Kind {
        /// As it would be connected to.
        address: IpAddr,
        /// What it is for.
        kind: AddressKind,
    },
    /// It is public, and the request would go in clear text.
    #[error("{address} is of no network that webhooks may go to without TLS; use https")]
    ClearText {
        /// As it would be connected to.
        address: IpAddr,
    },
    /// Mail, databases of old, and the like listen there.
    #[error("webhooks do not go to port {port} of a public address; use 443, or 1024 and above")]
    Port {
        /// As it would be connected to.
        port: u16,
    },
}

/// Why a network is not listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// It is not written as one.
    #[error("`{text}` is not a network such as 10.20.0.0/16 or fd12::/32")]
    Malformed {
        /// As given.
        text: String,
    },
    /// It has bits set after its prefix: one of the two is a mistake.
    #[error("`{text}` is not the beginning of its network, {network} is")]
    HostBits {
        /// As given.
        text: String,
        /// With these bits cleared.
        network: IpNet,
    },
    /// It is so large that it can only be a mistake.
    #[error("`{text}` is too large a network to list")]
    TooLarge {
        /// As given.
        text: String,
    },
}

impl AddressPolicy {
    /// With the operator's networks, each as `address/length` or an address alone.
    ///
    /// # Errors
    /// At the first that is not one, or that is larger than any network of an organisation:
    /// shorter than /8, and than /7 of IPv6.
    pub fn new<Text: AsRef<str>>(networks: impl IntoIterator<Item = Text>) -> Result<Self, NetworkError> {
        let listed = networks.into_iter().map(|text| network(text.as_ref())).collect::<Result<_, _>>()?;
        Ok(AddressPolicy { listed })
    }

    /// Whether an address may be connected to. To be asked of each one at the moment of
    /// connecting; a name is nothing that can be judged.
    ///
    /// # Errors
    /// The first reason why it may not.
    pub fn judge(&self, scheme: Scheme, address: SocketAddr) -> Result<(), AddressRefusal> {
        let (port, address) = (address.port(), address.ip());
        let kind = address_kind(address);
        if never(kind) {
            return Err(AddressRefusal::Kind { address, kind });
        }
        if self.lists(address) {
            return Ok(());
        }
        if kind != AddressKind::Public {
            return Err(AddressRefusal::Kind { address, kind });
        }
        match scheme {
            Scheme::Http => Err(AddressRefusal::ClearText { address }),
            Scheme::Https if port == 443 || port >= 1_024 => Ok(()),
            Scheme::Https => Err(AddressRefusal::Port { port }),
        }
    }

    /// Whether there is a network that clear text may go to.
    pub fn lists_any(&self) -> bool {
        !self.listed.is_empty()
    }

    /// An address is of a network as it is written, or as the IPv4 address that it reaches.
    fn lists(&self, address: IpAddr) -> bool {
        let reached = reached(address).map(IpAddr::V4);
        self.listed.iter().any(|network| {
            network.contains(&address) || reached.is_some_and(|reached| network.contains(&reached))
        })
    }
}

fn network(text: &str) -> Result<IpNet, NetworkError> {
    let malformed = || NetworkError::Malformed { text: text.to_owned() };
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| malformed())?,
    };
    let shortest = match network {
        IpNet::V4(_) => 8,
        IpNet::V6(_) => 7,
    };
    if network.prefix_len() < shortest {
        return Err(NetworkError::TooLarge { text: text.to_owned() });
    }
    if network.trunc() != network {
        return Err(NetworkError::HostBits { text: text.to_owned(), network: network.trunc() });
    }
    Ok(network)
}

/// What an address is for; of one that reaches an IPv4 address by NAT64 or by being mapped, what
/// that is for.
pub fn address_kind(address: IpAddr) -> AddressKind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => match reached(IpAddr::V6(address)) {
            Some(reached) => kind_v4(reached),
            None => kind_v6(address),
        },
    }
}

/// The IPv4 address that a packet to this one arrives at, where that needs no tunnel: mapped
/// (`::ffff:a.b.c.d`), and by the well-known prefix of NAT64 (`64:ff9b::a.b.c.d`, RFC 6052).
fn reached(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let within = |network: Ipv6Net| network.contains(&address);
    (within(MAPPED) || within(NAT64)).then(|| last_32_bits(address))
}

fn last_32_bits(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

fn kind_v4(address: Ipv4Addr) -> AddressKind {
    let special = SPECIAL_V4.iter().find(|(network, _)| network.contains(&address));
    special.map_or(AddressKind::Public, |(_, kind)| *kind)
}

fn kind_v6(address: Ipv6Addr) -> AddressKind {
    let special = SPECIAL_V6.iter().find(|(network, _)| network.contains(&address));
    match special {
        Some((_, kind)) => *kind,
        None if GLOBAL_UNICAST.contains(&address) => AddressKind::Public,
        None => AddressKind::Reserved,
    }
}

/// Whether nothing can listen there, so that listing it can only be a mistake.
fn never(kind: AddressKind) -> bool {
    match kind {
        AddressKind::Unspecified
        | AddressKind::ThisNetwork
        | AddressKind::Multicast
        | AddressKind::Broadcast => true,
        AddressKind::Public
        | AddressKind::Private
        | AddressKind::Shared
        | AddressKind::Loopback
        | AddressKind::LinkLocal
        | AddressKind::SiteLocal
        | AddressKind::CloudService
        | AddressKind::Protocol
        | AddressKind::Documentation
        | AddressKind::Benchmarking
        | AddressKind::Reserved
        | AddressKind::Tunnel => false,
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

const MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);

/// The first that an address is of says what it is for.
const SPECIAL_V4: [(Ipv4Net, AddressKind); 20] = [
    (v4(0, 0, 0, 0, 32), AddressKind::Unspecified),
    (v4(0, 0, 0, 0, 8), AddressKind::ThisNetwork),
    (v4(10, 0, 0, 0, 8), AddressKind::Private),
    (v4(100, 64, 0, 0, 10), AddressKind::Shared),
    (v4(127, 0, 0, 0, 8), AddressKind::Loopback),
    (v4(168, 63, 129, 16, 32), AddressKind::CloudService),
    (v4(169, 254, 0, 0, 16), AddressKind::LinkLocal),
    (v4(172, 16, 0, 0, 12), AddressKind::Private),
    (v4(192, 0, 0, 0, 24), AddressKind::Protocol),
    (v4(192, 0, 2, 0, 24), AddressKind::Documentation),
    (v4(192, 31, 196, 0, 24), AddressKind::Protocol),
    (v4(192, 52, 193, 0, 24), AddressKind::Protocol),
    (v4(192, 88, 99, 0, 24), AddressKind::Protocol),
    (v4(192, 168, 0, 0, 16), AddressKind::Private),
    (v4(198, 18, 0, 0, 15), AddressKind::Benchmarking),
    (v4(198, 51, 100, 0, 24), AddressKind::Documentation),
    (v4(203, 0, 113, 0, 24), AddressKind::Documentation),
    (v4(224, 0, 0, 0, 4), AddressKind::Multicast),
    (v4(255, 255, 255, 255, 32), AddressKind::Broadcast),
    (v4(240, 0, 0, 0, 4), AddressKind::Reserved),
];

/// The same of IPv6. What is of none of them is public only within [`GLOBAL_UNICAST`].
const SPECIAL_V6: [(Ipv6Net, AddressKind); 17] = [
    (v6(0, 0, 0, 128), AddressKind::Unspecified),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), AddressKind::Loopback),
    (v6(0, 0, 0, 96), AddressKind::Tunnel),
    (Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96), AddressKind::Tunnel),
    (v6(0x64, 0xff9b, 1, 48), AddressKind::Tunnel),
    (v6(0x100, 0, 0, 32), AddressKind::Protocol),
    (v6(0x2001, 0, 0, 32), AddressKind::Tunnel),
    (v6(0x2001, 2, 0, 48), AddressKind::Benchmarking),
    (v6(0x2001, 0, 0, 23), AddressKind::Protocol),
    (v6(0x2001, 0xdb8, 0, 32), AddressKind::Documentation),
    (v6(0x2002, 0, 0, 16), AddressKind::Tunnel),
    (v6(0x3fff, 0, 0, 20), AddressKind::Documentation),
    (v6(0x5f00, 0, 0, 16), AddressKind::Protocol),
    (v6(0xfc00, 0, 0, 7), AddressKind::Private),
    (v6(0xfe80, 0, 0, 10), AddressKind::LinkLocal),
    (v6(0xfec0, 0, 0, 10), AddressKind::SiteLocal),
    (v6(0xff00, 0, 0, 8), AddressKind::Multicast),
];

impl fmt::Display for AddressKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressKind::Public => "a public address",
            AddressKind::Unspecified => "the unspecified address",
            AddressKind::ThisNetwork => "an address of this network",
            AddressKind::Private => "a private address",
            AddressKind::Shared => "an address shared by a provider's customers",
            AddressKind::Loopback => "a loopback address",
            AddressKind::LinkLocal => "a link-local address",
            AddressKind::SiteLocal => "a site-local address",
            AddressKind::CloudService => "a service of the cloud platform",
            AddressKind::Protocol => "an address kept for protocols",
            AddressKind::Documentation => "an address kept for documentation",
            AddressKind::Benchmarking => "an address kept for benchmarking",
            AddressKind::Multicast => "a multicast address",
            AddressKind::Broadcast => "the broadcast address",
            AddressKind::Reserved => "a reserved address",
            AddressKind::Tunnel => "an IPv4 address in a tunnel of IPv6",
        })
    }
}

impl AddressKind {
    /// As an official reads it.
    pub fn chinese(self) -> &'static str {
        match self {
            AddressKind::Public => "公网地址",
            AddressKind::Unspecified => "未指定地址",
            AddressKind::ThisNetwork => "本网络地址",
            AddressKind::Private => "内网地址",
            AddressKind::Shared => "运营商共享地址",
            AddressKind::Loopback => "本机地址",
            AddressKind::LinkLocal => "链路本地地址",
            AddressKind::SiteLocal => "站点本地地址",
            AddressKind::CloudService => "云平台服务地址",
            AddressKind::Protocol => "协议保留地址",
            AddressKind::Documentation => "文档示例地址",
            AddressKind::Benchmarking => "测试专用地址",
            AddressKind::Multicast => "组播地址",
            AddressKind::Broadcast => "广播地址",
            AddressKind::Reserved => "保留地址",
            AddressKind::Tunnel => "IPv6隧道地址",
        }
    }
}

impl AddressRefusal {
    /// The reason as an official reads it.
    pub fn chinese(&self) -> String {
        match self {
            Self::Kind { address, kind } => {
                format!("{address}是{}，不在允许推送的网络范围内", kind.chinese())
            }
            Self::ClearText { address } => {
                format!("{address}不在允许明文推送的网络范围内，请使用https地址")
            }
            Self::Port { port } => format!("不向公网地址的{port}端口推送，请使用443端口或1024及以上端口"),
        }
    }
}

#[cfg(test)]
mod tests;
