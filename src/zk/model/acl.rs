//! Who may do what.

/// Somebody, by a scheme of authentication.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// `world`, `ip`, `digest`, …
    pub scheme: String,
    /// Who, as the scheme writes it.
    pub id: String,
}

/// One entry of an access control list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Acl {
    /// READ 1, WRITE 2, CREATE 4, DELETE 8, ADMIN 16.
    pub perms: i32,
    /// For whom.
    pub id: Id,
}

impl Acl {
    /// Everybody may do everything (`Ids.OPEN_ACL_UNSAFE`).
    pub fn open() -> Acl {
        Acl { perms: 31, id: Id { scheme: "world".to_owned(), id: "anyone".to_owned() } }
    }
}
