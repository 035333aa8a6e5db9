//! Datagrams to one address.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The largest datagram that IPv4 and IPv6 carry everywhere.
pub(super) const LARGEST_DATAGRAM: usize = 65_507;

/// A socket and where it sends.
pub(super) struct Datagrams {
    socket: UdpSocket,
    address: SocketAddr,
}

impl Datagrams {
    /// A socket of its own for `address`.
    ///
    /// # Errors
    /// The system gives none.
    pub(super) fn to(address: SocketAddr) -> io::Result<Self> {
        let own: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(own)?;
        // A full buffer of the system is no reason to wait: the next datagram is newer anyway.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address })
    }

    /// Sends one datagram; `false` where the system has no room for it at the moment.
    ///
    /// # Errors
    /// Words that name the address and the cause.
    pub(super) fn send(&self, bytes: &[u8]) -> Result<bool, String> {
        // Not connected, so that a port where nobody listens yet gives no error.
        match self.socket.send_to(bytes, self.address) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => {
                let address = self.address;
                Err(format!("nothing can be sent to {address}: {error}; check the address and the network"))
            }
        }
    }
}
