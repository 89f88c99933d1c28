//! Ports: where a server listens, and where from others connect.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use super::Refusal;
use super::config::Address;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Opens a port; the error names it, and the key of the configuration that it comes from.
pub(super) async fn bind(address: &Address, key: &str) -> io::Result<TcpListener> {
    let bound = match address.host.as_str() {
        "0.0.0.0" | "::" => everywhere(address.port),
        host => TcpListener::bind((host, address.port)).await,
    };
    bound.map_err(|error| Refusal::of_port(address, key, &error))
}

/// Where to listen instead of `address` if that is to be on every address of the host (`quorumListenOnAllIPs`).
pub(super) fn listening(address: &Address, on_all: bool) -> Address {
    if on_all { Address::new("0.0.0.0", address.port) } else { address.clone() }
}

/// The next connection, and where it comes from. What comes by IPv4 has an address of IPv4, whatever the port listens
/// to: limits and ACLs know it by that.
pub(super) async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, from) = listener.accept().await?;
    Ok((stream, SocketAddr::new(from.ip().to_canonical(), from.port())))
}

/// On every address of the host, of IPv6 as of IPv4, as a socket of Java's does; a host may have no IPv6.
fn everywhere(port: u16) -> io::Result<TcpListener> {
    match listen((Ipv6Addr::UNSPECIFIED, port).into()) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {
            listen((Ipv4Addr::UNSPECIFIED, port).into())
        }
        bound => bound,
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // Some hosts say otherwise for who does not ask.
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
