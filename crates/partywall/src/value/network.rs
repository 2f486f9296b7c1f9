//! `inet`, `cidr` and `macaddr`.
//!
//! An address travels as its family, its prefix length, whether it is a `cidr` (ignored by the
//! server), its length, and its bytes. Source: `network_send` in `src/backend/utils/adt/network.c`.

use std::net::IpAddr;

use bytes::{BufMut, BytesMut};
use ipnetwork::IpNetwork;
use mac_address::MacAddress;

use super::error::Fault;
use super::integer::exact;

/// PostgreSQL's own numbers, not the system's.
const FAMILY_V4: u8 = 2;
const FAMILY_V6: u8 = 3;

/// Reads an `inet` or a `cidr`.
pub(super) fn ip_network(raw: &[u8]) -> Result<IpNetwork, Fault> {
    let (header, address) = raw.split_first_chunk::<4>().ok_or(Fault::Malformed)?;
    let [family, prefix, _, _] = *header;
    let address = match family {
        FAMILY_V4 => IpAddr::from(exact::<4>(address)?),
        FAMILY_V6 => IpAddr::from(exact::<16>(address)?),
        _ => return Err(Fault::Malformed),
    };
    IpNetwork::new(address, prefix).map_err(|_| Fault::Malformed)
}

/// Writes an `inet` or a `cidr`.
pub(super) fn encode_ip_network(network: &IpNetwork, out: &mut BytesMut) {
    match network {
        IpNetwork::V4(network) => {
            out.put_slice(&[FAMILY_V4, network.prefix(), 0, 4]);
            out.put_slice(&network.ip().octets());
        }
        IpNetwork::V6(network) => {
            out.put_slice(&[FAMILY_V6, network.prefix(), 0, 16]);
            out.put_slice(&network.ip().octets());
        }
    }
}

/// Reads a `macaddr`.
pub(super) fn mac_address(raw: &[u8]) -> Result<MacAddress, Fault> {
    Ok(MacAddress::new(exact(raw)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_survive_with_their_host_bits() {
        for text in ["10.1.2.3/8", "0.0.0.0/0", "2001:db8::1/64", "::/0"] {
            let network: IpNetwork = text.parse().unwrap();
            let mut out = BytesMut::new();
            encode_ip_network(&network, &mut out);
            assert_eq!(ip_network(&out), Ok(network));
        }
    }

    #[test]
    fn impossible_networks_are_refused() {
        assert_eq!(
            ip_network(&[FAMILY_V4, 33, 0, 4, 1, 2, 3, 4]),
            Err(Fault::Malformed)
        );
        assert_eq!(
            ip_network(&[FAMILY_V6, 8, 0, 4, 1, 2, 3, 4]),
            Err(Fault::Malformed)
        );
        assert_eq!(ip_network(&[]), Err(Fault::Malformed));
    }
}
