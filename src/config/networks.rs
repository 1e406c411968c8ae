//! Lists of networks in the settings: `10.0.0.0/8, ::1`.

use std::net::IpAddr;
use std::str::FromStr;

/// Networks, each an address with the length of its prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<(IpAddr, u8)>);

/// What a list of networks must look like.
pub const EXPECTED: &str =
    "addresses or networks with commas between them, for example 10.0.0.0/8, 192.168.1.7";

impl FromStr for Networks {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split(',').map(str::trim);
        let parts = parts.filter(|part| !part.is_empty());
        parts
            .map(|part| network(part).ok_or(EXPECTED))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address = address.parse::<IpAddr>().ok()?.to_canonical();
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Some(most), |length| length.parse().ok())?;
    (length <= most).then_some((address, length))
}

impl Networks {
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0
            .iter()
            .any(|(network, length)| masked(address, *length) == masked(*network, *length))
    }
}

/// An address with the bits behind its prefix at 0. Of the other kind, a prefix of 0 still is not the same.
fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(four) => {
            let shift = 32_u32.saturating_sub(u32::from(length));
            let mask = u32::MAX.checked_shl(shift).unwrap_or(0);
            IpAddr::V4((four.to_bits() & mask).into())
        }
        IpAddr::V6(six) => {
            let shift = 128_u32.saturating_sub(u32::from(length));
            let mask = u128::MAX.checked_shl(shift).unwrap_or(0);
            IpAddr::V6((six.to_bits() & mask).into())
        }
    }
}

/// What counts as one client: of IPv6 the network of 64 bits that a site or a household has.
pub fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        four @ IpAddr::V4(_) => four,
        six @ IpAddr::V6(_) => masked(six, 64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses() {
        let networks: Networks = "10.0.0.0/8, 192.168.1.7,fd00::/8 ,".parse().unwrap();
        let contains = |address: &str| networks.contains(address.parse().unwrap());
        for inside in ["10.255.0.1", "192.168.1.7", "fd12::1", "::ffff:10.1.1.1"] {
            assert!(contains(inside), "{inside}");
        }
        for outside in ["11.0.0.1", "192.168.1.8", "fe80::1", "::1"] {
            assert!(!contains(outside), "{outside}");
        }
        let everything: Networks = "0.0.0.0/0".parse().unwrap();
        assert!(everything.contains("1.2.3.4".parse().unwrap()));
        assert!(!everything.contains("::1".parse().unwrap()));
        assert!(!Networks::default().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for wrong in [
            "10.0.0.0/33",
            "example.org",
            "10.0.0",
            "::/129",
            "10.0.0.0/-1",
        ] {
            assert_eq!(wrong.parse::<Networks>(), Err(EXPECTED), "{wrong}");
        }
    }

    #[test]
    fn a_household_is_one_client() {
        let one = client("2001:db8::1".parse().unwrap());
        assert_eq!(one, client("2001:db8::ffff:2".parse().unwrap()));
        assert_ne!(one, client("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(
            client("::ffff:10.0.0.1".parse().unwrap()).to_string(),
            "10.0.0.1"
        );
    }
}
