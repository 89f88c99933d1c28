//! Who may do what (`ZooKeeperServer.checkACL`, `PrepRequestProcessor.fixupACL`, the authentication providers).
//!
//! | scheme | an id in an ACL | matches |
//! |---|---|---|
//! | `world` | `anyone` | everybody |
//! | `ip` | an address, or `address/bits` | connections from there; every connection has such an id |
//! | `digest` | `user:base64(sha1(user:password))` | who sent that user and password |
//! | `auth` | anything; what is stored are the ids of who asks | |
//! | `sasl`, `x509` | a name; never in a new ACL: no provider of theirs is here | who was authenticated under it, at an Apache server |
//! | `super` | never in an ACL | may do everything |

use std::collections::BTreeSet;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest, Sha1};

use crate::zk::model::{Acl, ErrorCode, Id};

/// May read data and list children.
pub const READ: i32 = 1;
/// May set data.
pub const WRITE: i32 = 2;
/// May create children.
pub const CREATE: i32 = 4;
/// May delete children.
pub const DELETE: i32 = 8;
/// May set the ACL.
pub const ADMIN: i32 = 16;
/// Everything.
pub const ALL: i32 = 31;

/// What a server's configuration says of access.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Whether ACLs are looked at: `skipACL`.
    pub acls: Acls,
    /// The digest whose owner may do everything, as `user:base64(sha1(user:password))`: `superDigest`.
    pub superuser: Option<String>,
}

/// Whether ACLs are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acls {
    /// They are.
    #[default]
    Checked,
    /// They are stored and not looked at.
    Skipped,
}

impl Access {
    /// Whether one of these ids has one of these permissions.
    pub fn check(&self, acl: &[Acl], perms: i32, ids: &[Id]) -> Result<(), ErrorCode> {
        let free = self.acls == Acls::Skipped || acl.is_empty() || ids.iter().any(|id| id.scheme == SUPER);
        let allowed = |entry: &Acl| entry.perms & perms != 0 && ids_match(&entry.id, ids);
        if free || acl.iter().any(allowed) { Ok(()) } else { Err(ErrorCode::NoAuth) }
    }

    /// What a client may see of an ACL: the digests are for those who may set it.
    pub fn masked(&self, acl: &[Acl], ids: &[Id]) -> Vec<Acl> {
        let mut acl = acl.to_vec();
        if self.check(&acl, ADMIN, ids).is_err() {
            for id in acl.iter_mut().map(|entry| &mut entry.id).filter(|id| id.scheme == DIGEST) {
                if let Some(colon) = id.id.find(':') {
                    id.id.replace_range(colon.., ":x");
                }
            }
        }
        acl
    }

    /// The ids that an `auth` packet brings its connection.
    pub fn authenticate(&self, scheme: &str, auth: &[u8], from: IpAddr) -> Result<Vec<Id>, ErrorCode> {
        match scheme {
            DIGEST => {
                let own = digest_of(&String::from_utf8_lossy(auth));
                let superuser = (self.superuser.as_ref() == Some(&own)).then(|| id(SUPER, ""));
                Ok(superuser.into_iter().chain([id(DIGEST, &own)]).collect())
            }
            IP => Ok(vec![id_of(from)]),
            _ => Err(ErrorCode::AuthFailed),
        }
    }
}

/// The id that every connection has.
pub fn id_of(from: IpAddr) -> Id {
    match from {
        IpAddr::V4(address) => id(IP, &address.to_string()),
        // As Java writes it: in full.
        IpAddr::V6(address) => id(IP, &address.segments().map(|segment| format!("{segment:x}")).join(":")),
    }
}

/// What an ACL holds of `user:password`.
pub fn digest_of(user_and_password: &str) -> String {
    let user = user_and_password.split(':').next().unwrap_or_default();
    format!("{user}:{}", BASE64.encode(Sha1::digest(user_and_password)))
}

/// The ACL that is stored for what a client wrote: every entry once, `auth` replaced by the ids of who asks. By how many bytes it may
/// grow is `room`: a short request of many entries and a client of many ids would make a txn that no server takes, and bytes that are no
/// text are read as three times as many.
pub fn fix_up(acl: &[Acl], ids: &[Id], room: &mut usize) -> Result<Vec<Acl>, ErrorCode> {
    let mut fixed = Vec::with_capacity(acl.len());
    let mut seen = BTreeSet::new();
    for entry in acl {
        if !seen.insert(entry) {
            continue;
        }
        match entry.id.scheme.as_str() {
            AUTH => {
                let before = fixed.len();
                for id in ids.iter().filter(|id| id.scheme == DIGEST) {
                    let length = ENTRY + id.scheme.len() + id.id.len();
                    *room = room.checked_sub(length).ok_or(ErrorCode::InvalidAcl)?;
                    fixed.push(Acl { perms: entry.perms, id: id.clone() });
                }
                if fixed.len() == before {
                    return Err(ErrorCode::InvalidAcl);
                }
            }
            _ if is_valid(&entry.id) => {
                // What was no text took a byte or more, and takes three now.
                let grown = 2 * entry.id.id.matches(char::REPLACEMENT_CHARACTER).count();
                *room = room.checked_sub(grown).ok_or(ErrorCode::InvalidAcl)?;
                fixed.push(entry.clone());
            }
            _ => return Err(ErrorCode::InvalidAcl),
        }
    }
    if fixed.is_empty() { Err(ErrorCode::InvalidAcl) } else { Ok(fixed) }
}

/// Whether a new ACL may name this id: there are the providers that ZooKeeper has by default (`ProviderRegistry`).
fn is_valid(id: &Id) -> bool {
    match id.scheme.as_str() {
        WORLD => id.id == ANYONE,
        IP => network(&id.id).is_some(),
        DIGEST => id.id.split_once(':').is_some_and(|(_, hash)| !hash.is_empty() && !hash.contains(':')),
        _ => false,
    }
}

/// Whether one of `ids` is what `wanted` means.
fn ids_match(wanted: &Id, ids: &[Id]) -> bool {
    match wanted.scheme.as_str() {
        WORLD => wanted.id == ANYONE,
        IP => network(&wanted.id).is_some_and(|(network, bits)| {
            let addresses = ids.iter().filter(|id| id.scheme == IP).filter_map(|id| id.id.parse().ok());
            addresses.into_iter().any(|address| masked(address, bits) == masked(network, bits))
        }),
        DIGEST | SASL | X509 => ids.contains(wanted),
        _ => false,
    }
}

/// An address and how many of its bits count.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok().filter(|bits| *bits <= most))?;
    Some((address, bits))
}

/// The network of an address, for comparison with another of its family. Of an IPv4 address at most all bits count.
fn masked(address: IpAddr, bits: u32) -> (bool, u128) {
    let (most, value) = match address {
        IpAddr::V4(address) => (32, u128::from(address.to_bits())),
        IpAddr::V6(address) => (128, address.to_bits()),
    };
    (address.is_ipv4(), value.checked_shr(u32::saturating_sub(most, bits)).unwrap_or(0))
}

fn id(scheme: &str, id: &str) -> Id {
    Id { scheme: scheme.to_owned(), id: id.to_owned() }
}

/// Bytes of an entry beside scheme and id.
const ENTRY: usize = 12;

const WORLD: &str = "world";
const ANYONE: &str = "anyone";
const IP: &str = "ip";
const DIGEST: &str = "digest";
const AUTH: &str = "auth";
const SASL: &str = "sasl";
const X509: &str = "x509";
const SUPER: &str = "super";

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(perms: i32, scheme: &str, name: &str) -> Acl {
        Acl { perms, id: id(scheme, name) }
    }

    #[test]
    fn an_entry_grants_what_it_names_to_whom_it_matches() {
        let access = Access::default();
        let me = [id(IP, "10.1.2.3"), id(DIGEST, "bob:x")];
        let may = |entry: Acl, perms| access.check(&[entry], perms, &me).is_ok();
        assert!(may(acl(READ, WORLD, ANYONE), READ) && !may(acl(READ, WORLD, ANYONE), WRITE | ADMIN));
        assert!(may(acl(ALL, DIGEST, "bob:x"), ADMIN) && !may(acl(ALL, DIGEST, "bob:y"), ADMIN));
        for (network, expected) in
            [("10.1.2.3", true), ("10.1.2.4", false), ("10.1.0.0/16", true), ("10.2.0.0/16", false)]
        {
            assert_eq!(may(acl(ALL, IP, network), READ), expected, "{network}");
        }
        assert!(may(acl(ALL, IP, "9.9.9.9/0"), READ) && !may(acl(ALL, IP, "::/0"), READ), "of one family only");
        assert!(access.check(&[], READ, &[]).is_ok(), "no ACL, no check");
        assert_eq!(access.check(&[acl(ALL, DIGEST, "eve:x")], READ, &me), Err(ErrorCode::NoAuth));
    }

    #[test]
    fn the_superuser_and_skipped_acls_pass() {
        let closed = [acl(ALL, DIGEST, "eve:x")];
        let access = Access { superuser: Some(digest_of("super:test")), ..Access::default() };
        let ids = access.authenticate(DIGEST, b"super:test", [127, 0, 0, 1].into()).unwrap();
        assert_eq!(ids, [id(SUPER, ""), id(DIGEST, "super:D/InIHSb7yEEbrWz8b9l71RjZJU=")]);
        assert!(access.check(&closed, ADMIN, &ids).is_ok());
        assert_eq!(access.authenticate(DIGEST, b"bob:pw", [127, 0, 0, 1].into()).unwrap().len(), 1);
        let skipped = Access { acls: Acls::Skipped, superuser: None };
        assert!(skipped.check(&closed, ADMIN, &[]).is_ok());
    }

    #[test]
    fn who_authenticates_gets_ids() {
        let access = Access::default();
        let from = IpAddr::from([10, 0, 0, 1]);
        let bob = access.authenticate(DIGEST, b"bob:pw", from).unwrap();
        assert_eq!(bob, [id(DIGEST, "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=")], "appendix F.1");
        assert_eq!(access.authenticate(IP, b"", from).unwrap(), [id(IP, "10.0.0.1")]);
        assert_eq!(access.authenticate("nobody", b"", from), Err(ErrorCode::AuthFailed));
        let v6 = id_of("2001:db8::1".parse().unwrap());
        assert_eq!(v6.id, "2001:db8:0:0:0:0:0:1");
        assert!(access.check(&[acl(ALL, IP, "2001:db8::/32")], READ, &[v6]).is_ok());
    }

    #[test]
    fn an_acl_is_mended_before_it_is_stored() {
        let ids = [id(IP, "10.0.0.1"), id(DIGEST, "bob:x"), id(SASL, "bob")];
        let world = acl(ALL, WORLD, ANYONE);
        assert_eq!(fix_up(&[world.clone(), world.clone()], &ids, &mut 100), Ok(vec![world]));
        let own = vec![acl(READ, DIGEST, "bob:x")];
        assert_eq!(fix_up(&[acl(READ, AUTH, "whatever")], &ids, &mut 100), Ok(own));
        assert_eq!(fix_up(&[acl(READ, AUTH, "")], &ids[..1], &mut 100), Err(ErrorCode::InvalidAcl));
        assert_eq!(fix_up(&[], &ids, &mut 100), Err(ErrorCode::InvalidAcl));
        for (scheme, name, valid) in [
            (WORLD, "someone", false),
            (DIGEST, "bob:x", true),
            (DIGEST, "bob", false),
            (DIGEST, "a:b:c", false),
            (DIGEST, "bob:", false),
            (IP, "1.2.3.4/32", true),
            (IP, "1.2.3.4/33", false),
            (IP, "::1/128", true),
            (IP, "1.2.3", false),
            (X509, "CN=bob", false),
            (SASL, "bob", false),
            (SUPER, "", false),
            ("nobody", "x", false),
        ] {
            assert_eq!(fix_up(&[acl(ALL, scheme, name)], &[], &mut 100).is_ok(), valid, "{scheme}:{name}");
        }
    }

    #[test]
    fn digests_are_shown_to_those_who_may_set_them() {
        let stored = [acl(ADMIN, DIGEST, "bob:hash"), acl(READ, WORLD, ANYONE)];
        let access = Access::default();
        assert_eq!(access.masked(&stored, &[])[0].id.id, "bob:x");
        assert_eq!(access.masked(&stored, &[id(DIGEST, "bob:hash")]), stored);
    }
}
