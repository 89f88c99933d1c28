//! Servers and their clients, without sockets and disks: the whole request path of section 5.10, in memory and in virtual time.

mod access;
mod client;
mod cluster;
mod golden;
mod random;
mod sessions;
mod watches;
mod writes;
