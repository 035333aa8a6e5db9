//! What goes out, and where to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

use facelens_media::CameraChoice;

/// Where opentrack's input "UDP over network" listens.
pub const OPENTRACK_PORT: u16 = 4242;

/// Which person's head opentrack gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// The largest face, until another is a good deal larger.
    #[default]
    Largest,
    /// The person of this identity; nobody while they are away.
    Person(u64),
}

/// Where the JSONL goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonlTarget {
    /// Standard output.
    Stdout,
    /// One datagram a frame.
    Udp(SocketAddr),
}

/// What goes out. Nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputOptions {
    /// Where opentrack listens.
    pub opentrack: Option<SocketAddr>,
    /// Where scripts listen.
    pub jsonl: Option<JsonlTarget>,
    /// The virtual camera that shows the picture.
    pub camera: Option<CameraChoice>,
}

impl OutputOptions {
    /// Whether anything goes out.
    pub fn any(&self) -> bool {
        self.opentrack.is_some() || self.jsonl.is_some() || self.camera.is_some()
    }
}

impl std::fmt::Display for JsonlTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdout => f.write_str("-"),
            Self::Udp(address) => address.fmt(f),
        }
    }
}

/// What the command line asks for. Unlike in [`OutputOptions`], a machine may still have to be found by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedOutputs {
    /// Where opentrack listens.
    pub opentrack: Option<Address>,
    /// Where scripts listen.
    pub jsonl: Option<WantedJsonl>,
    /// The virtual camera.
    pub camera: Option<CameraChoice>,
}

/// Where the JSONL is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedJsonl {
    /// Standard output.
    Stdout,
    /// One datagram a frame.
    Udp(Address),
}

impl FromStr for WantedJsonl {
    type Err = String;

    /// `-` for standard output, or what [`Address::parse`] takes, with a port.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "-" { Ok(Self::Stdout) } else { Address::parse(text, None).map(Self::Udp) }
    }
}

/// An address as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// In numbers.
    Known(SocketAddr),
    /// A machine's name and a port.
    Name(String, u16),
}

impl Address {
    /// `HOST:PORT`, `PORT` on this machine, or, where there is a usual port, `HOST` alone. Asks nobody.
    ///
    /// # Errors
    /// Words for what is wrong with it.
    pub fn parse(text: &str, usual_port: Option<u16>) -> Result<Self, String> {
        if let Ok(port) = text.parse::<u16>() {
            return if port == 0 {
                Err("0 is not a valid port".to_owned())
            } else {
                Ok(Self::known((Ipv4Addr::LOCALHOST, port)))
            };
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return if address.port() == 0 {
                Err("0 is not a valid port".to_owned())
            } else {
                Ok(Self::Known(address))
            };
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !host.contains(':') => {
                (host, port.parse().map_err(|_| format!("`{port}` is not a valid port; write it as HOST:PORT"))?)
            }
            _ => (text, usual_port.ok_or_else(|| format!("`{text}` has no port; write it as HOST:PORT"))?),
        };
        match host.parse::<IpAddr>() {
            Ok(number) => Ok(Self::known((number, port))),
            Err(_) => Ok(Self::Name(host.to_owned(), port)),
        }
    }

    fn known(address: impl Into<SocketAddr>) -> Self {
        Self::Known(address.into())
    }

    /// The address in numbers. A name is looked up, which can take many seconds where the network does not answer.
    ///
    /// # Errors
    /// Words for a name that nobody knows.
    pub fn find(&self) -> Result<SocketAddr, String> {
        let (host, port) = match self {
            Self::Known(address) => return Ok(*address),
            Self::Name(host, port) => (host.as_str(), *port),
        };
        // Of several addresses of a name the IPv4 one: what listens on the usual port of a machine listens there.
        let addresses: Vec<_> = (host, port).to_socket_addrs().map(Iterator::collect).unwrap_or_default();
        let address = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
        address.copied().ok_or_else(|| {
            format!("no machine with the name `{host}` was found; give its IP address or check the name")
        })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(address) => address.fmt(f),
            Self::Name(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_this_machine_unless_another_is_named() {
        let parse = |text| Address::parse(text, Some(OPENTRACK_PORT));
        let known = |text: &str| Ok(Address::Known(text.parse().unwrap()));
        assert_eq!(parse("5005"), known("127.0.0.1:5005"));
        assert_eq!(parse("192.168.0.7:5005"), known("192.168.0.7:5005"));
        assert_eq!(parse("192.168.0.7"), known("192.168.0.7:4242"));
        assert_eq!(parse("[::1]:5005"), known("[::1]:5005"));
        assert_eq!(parse("0").unwrap_err(), "0 is not a valid port");
        assert_eq!(parse("127.0.0.1:x").unwrap_err(), "`x` is not a valid port; write it as HOST:PORT");
        assert!(Address::parse("127.0.0.1", None).unwrap_err().contains("has no port"));
        assert_eq!(parse("::1"), known("[::1]:4242"));
        assert_eq!(parse("studio"), Ok(Address::Name("studio".to_owned(), OPENTRACK_PORT)));
        assert_eq!(Address::parse("studio:5005", None), Ok(Address::Name("studio".to_owned(), 5005)));
    }

    #[test]
    fn json_lines_go_to_standard_output_or_to_an_address_that_nobody_looks_up_yet() {
        assert_eq!("-".parse(), Ok(WantedJsonl::Stdout));
        assert_eq!("5006".parse(), Ok(WantedJsonl::Udp(Address::Known(([127, 0, 0, 1], 5006).into()))));
        let name = Address::Name("studio.invalid".to_owned(), 5006);
        assert_eq!("studio.invalid:5006".parse(), Ok(WantedJsonl::Udp(name.clone())));
        assert_eq!(name.to_string(), "studio.invalid:5006");
        assert!("".parse::<WantedJsonl>().is_err());
    }
}
