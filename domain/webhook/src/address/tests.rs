use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use proptest::prelude::*;

use super::{AddressKind, AddressPolicy, AddressRefusal, NetworkError, Scheme, address_kind};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn judged(policy: &AddressPolicy, address: &str) -> Result<(), AddressRefusal> {
    policy.judge(Scheme::Https, SocketAddr::new(ip(address), 443))
}

#[test]
fn every_kind_of_address_is_known_at_both_ends_of_its_networks() {
    let table = [
        (AddressKind::Unspecified, "0.0.0.0 ::"),
        (AddressKind::ThisNetwork, "0.0.0.1 0.255.255.255 ::ffff:0.1.2.3"),
        (
            AddressKind::Private,
            "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 fc00:: \
             fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ::ffff:10.0.0.1 64:ff9b::192.168.1.1",
        ),
        (AddressKind::Shared, "100.64.0.0 100.127.255.255 100.100.100.200"),
        (AddressKind::Loopback, "127.0.0.0 127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1"),
        (AddressKind::CloudService, "168.63.129.16 ::ffff:168.63.129.16"),
        (
            AddressKind::LinkLocal,
            "169.254.0.0 169.254.169.254 169.254.255.255 fe80:: febf:ffff::1 ::ffff:169.254.169.254 \
             64:ff9b::169.254.169.254",
        ),
        (AddressKind::SiteLocal, "fec0:: feff:ffff::1"),
        (
            AddressKind::Protocol,
            "192.0.0.0 192.0.0.255 192.88.99.1 100:: 100::1 100:0:0:1::1 2001:1::1 2001:10::1 2001:20::1 \
             2001:1ff:ffff::1 5f00::1",
        ),
        (
            AddressKind::Documentation,
            "192.0.2.0 192.0.2.255 198.51.100.7 203.0.113.255 2001:db8::1 3fff:: 3fff:fff:ffff::1",
        ),
        (AddressKind::Benchmarking, "198.18.0.0 198.19.255.255 2001:2::1 2001:2:0:ffff::1"),
        (AddressKind::Multicast, "224.0.0.0 239.255.255.255 ff00:: ff02::1 ffff::1"),
        (AddressKind::Broadcast, "255.255.255.255 ::ffff:255.255.255.255"),
        (AddressKind::Reserved, "240.0.0.0 255.255.255.254 4000::1 8000::1 e000::1 1::1 64:ff9a::1"),
        (
            AddressKind::Tunnel,
            "::2 ::8.8.8.8 ::127.0.0.1 ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8 64:ff9b:1::1 \
             64:ff9b:1:ffff::8.8.8.8 2002:7f00:1::1 2002:808:808::1 2001::1 2001:0:4136:e378::1",
        ),
        (
            AddressKind::Public,
            "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
             168.63.129.15 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 \
             192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 2000::1 2001:200::1 \
             2001:db7::1 2001:db9::1 2400:3200::1 2a00::1 3ffe::1 3fff:1000::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8",
        ),
    ];
    for (kind, addresses) in table {
        for address in addresses.split_whitespace() {
            assert_eq!(address_kind(ip(address)), kind, "{address}");
            let by_default = judged(&AddressPolicy::default(), address);
            let expected = match kind {
                AddressKind::Public => Ok(()),
                _ => Err(AddressRefusal::Kind { address: ip(address), kind }),
            };
            assert_eq!(by_default, expected, "{address}");
        }
    }
}

#[test]
fn a_listed_network_is_connected_to_in_every_form_of_its_addresses_and_no_other() {
    let policy = AddressPolicy::new(["10.20.0.0/16", "192.168.7.9", "fd12::/32"]).unwrap();
    for address in
        ["10.20.0.0", "10.20.255.255", "::ffff:10.20.3.4", "64:ff9b::10.20.3.4", "192.168.7.9", "fd12:0:1::1"]
    {
        assert_eq!(judged(&policy, address), Ok(()), "{address}");
        let plain = policy.judge(Scheme::Http, SocketAddr::new(ip(address), 88));
        assert_eq!(plain, Ok(()), "{address}");
    }
    for address in
        ["10.21.0.0", "::ffff:10.19.3.4", "192.168.7.8", "fd13::1", "::10.20.3.4", "2002:a14:304::1"]
    {
        assert!(matches!(judged(&policy, address), Err(AddressRefusal::Kind { .. })), "{address}");
    }
}

#[test]
fn clear_text_and_well_known_ports_are_for_listed_networks() {
    let policy = AddressPolicy::new(["11.0.0.0/8"]).unwrap();
    let judge = |scheme, address: &str, port| policy.judge(scheme, SocketAddr::new(ip(address), port));
    assert_eq!(judge(Scheme::Http, "11.1.1.1", 80), Ok(()));
    assert_eq!(judge(Scheme::Https, "11.1.1.1", 25), Ok(()));
    let address = ip("1.1.1.1");
    assert_eq!(judge(Scheme::Http, "1.1.1.1", 80), Err(AddressRefusal::ClearText { address }));
    for port in [0, 22, 25, 80, 442, 444, 1_023] {
        assert_eq!(judge(Scheme::Https, "1.1.1.1", port), Err(AddressRefusal::Port { port }));
    }
    for port in [443, 1_024, 8_443, 65_535] {
        assert_eq!(judge(Scheme::Https, "1.1.1.1", port), Ok(()));
    }
}

#[test]
fn what_nothing_listens_at_is_refused_even_when_listed() {
    let policy = AddressPolicy::new(["224.0.0.0/8", "ff00::/8", "255.255.255.255", "0.0.0.0"]).unwrap();
    for address in ["224.0.0.1", "ff02::1", "255.255.255.255", "0.0.0.0"] {
        assert!(judged(&policy, address).is_err(), "{address}");
    }
}

#[test]
fn a_network_that_can_only_be_a_mistake_is_not_listed() {
    let refused = |text: &str| AddressPolicy::new([text]).unwrap_err();
    for text in ["", "intranet", "10.0.0.0/33", "10.0.0/8", "*"] {
        assert_eq!(refused(text), NetworkError::Malformed { text: text.to_owned() });
    }
    for text in ["0.0.0.0/0", "10.0.0.0/7", "::/0", "fc00::/6"] {
        assert_eq!(refused(text), NetworkError::TooLarge { text: text.to_owned() });
    }
    let host_bits =
        NetworkError::HostBits { text: "10.20.3.4/16".to_owned(), network: "10.20.0.0/16".parse().unwrap() };
    assert_eq!(refused("10.20.3.4/16"), host_bits);
}

#[test]
fn an_official_reads_why() {
    let refused = judged(&AddressPolicy::default(), "::ffff:127.0.0.1").unwrap_err();
    assert_eq!(refused.chinese(), "::ffff:127.0.0.1是本机地址，不在允许推送的网络范围内");
}

proptest! {
    #[test]
    fn an_ipv4_address_is_judged_alike_however_it_is_embedded(bits in any::<u32>()) {
        let address = Ipv4Addr::from(bits);
        let kind = address_kind(IpAddr::V4(address));
        let [a, b] = [(bits >> 16) as u16, bits as u16];
        let mapped = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, a, b);
        let translated = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b);
        prop_assert_eq!(address_kind(IpAddr::V6(mapped)), kind);
        prop_assert_eq!(address_kind(IpAddr::V6(translated)), kind);
        // What the standard library knows to be of no use outside agrees.
        let outside = address.is_private() || address.is_loopback() || address.is_link_local()
            || address.is_multicast() || address.is_broadcast() || address.is_documentation()
            || address.is_unspecified();
        prop_assert!(!(outside && kind == AddressKind::Public));
    }

    #[test]
    fn no_other_form_that_holds_an_ipv4_address_is_public(bits in any::<u32>(), rest in any::<u64>()) {
        let [a, b] = [(bits >> 16) as u16, bits as u16];
        let part = |shift: u32| (rest >> shift) as u16;
        for address in [
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, a, b),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, a, b),
            Ipv6Addr::new(0x64, 0xff9b, 1, part(0), part(16), part(32), a, b),
            Ipv6Addr::new(0x2002, a, b, part(0), part(16), part(32), part(48), 1),
            Ipv6Addr::new(0x2001, 0, part(0), part(16), part(32), part(48), a, b),
        ] {
            prop_assert_ne!(address_kind(IpAddr::V6(address)), AddressKind::Public);
        }
    }
}
