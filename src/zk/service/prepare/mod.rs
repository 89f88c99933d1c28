//! Requests become txns (`PrepRequestProcessor`): at the leader, against the tree as it will be when all that is
//! proposed is applied. What a client is refused is decided here, once, and is part of the history like everything
//! else.

mod outstanding;
mod step;
#[cfg(test)]
mod tests;

use crate::zab::Zxid;
use crate::zk::model::{ErrorCode, Id, OpCode, Request, SessionId, TxnBody, TxnDigest, TxnHeader, TxnRecord};

use super::acl::Access;
use super::tree::{Tree, digest};
use crate::zk::wire::JUTE_MAXBUFFER;
use outstanding::Outstanding;
use step::Step;

/// What a server's configuration says of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Who may do what.
    pub access: Access,
    /// Whether txns carry a digest: `zookeeper.digest.enabled`.
    pub digests: Digests,
    /// Whether hard limits refuse: `zookeeper.enforceQuota`.
    pub quotas: Quotas,
    /// Whether nodes may have a time to live: `zookeeper.extendedTypesEnabled`.
    pub ttl: Ttl,
    /// The longest request of a client, in bytes (`jute.maxbuffer`). No txn becomes longer than twice that: every link that it is
    /// sent on would break, again and again (ZOOKEEPER-4306).
    pub max_buffer: usize,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            access: Access::default(),
            digests: Digests::default(),
            quotas: Quotas::default(),
            ttl: Ttl::default(),
            max_buffer: JUTE_MAXBUFFER,
        }
    }
}

/// Whether txns carry a digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Digests {
    /// They do.
    #[default]
    Written,
    /// They do not.
    Omitted,
}

/// Whether hard limits refuse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quotas {
    /// They are counted only.
    #[default]
    Counted,
    /// They do.
    Enforced,
}

/// Whether nodes may have a time to live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ttl {
    /// They may not.
    #[default]
    Unimplemented,
    /// They may.
    Enabled,
}

/// Whose request it is, and when.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The txn that it becomes.
    pub zxid: Zxid,
    /// The leader's clock, in milliseconds.
    pub time: i64,
    /// The session.
    pub session: SessionId,
    /// The request's number in its session.
    pub cxid: i32,
    /// The ids of its connection.
    pub ids: &'a [Id],
    /// What the tracker of sessions says of it: expired, or moved to another server.
    pub checked: Result<(), ErrorCode>,
}

/// Turns requests into txns.
#[derive(Clone, Debug, Default)]
pub struct Prepare {
    rules: Rules,
    outstanding: Outstanding,
}

impl Prepare {
    /// With these rules, and nothing outstanding.
    pub fn new(rules: Rules) -> Prepare {
        Prepare { rules, outstanding: Outstanding::default() }
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Turns a request into a txn. What is refused becomes a txn too, of type error. Only writes become txns.
    pub fn prepare(&mut self, tree: &Tree, context: &Context<'_>, request: &Request) -> TxnRecord {
        match self.body(tree, context, request) {
            Ok(body) => {
                // Behind no paths, older readers would take a digest for some.
                let ends_open = matches!(body, TxnBody::CloseSession { paths: None });
                let written = self.rules.digests == Digests::Written && !ends_open;
                let digest =
                    written.then(|| TxnDigest { version: digest::VERSION, tree: self.outstanding.digest(tree) });
                TxnRecord { header: context.header(body.kind()), body, digest }
            }
            Err(error) => context.refuse(error),
        }
    }

    /// This txn was applied to the tree: its changes are there now.
    pub fn applied(&mut self, zxid: Zxid) {
        self.outstanding.applied(zxid);
    }

    /// What was proposed and not applied will not be: another leader took over.
    pub fn forget(&mut self) {
        self.outstanding = Outstanding::default();
    }

    fn body(&mut self, tree: &Tree, context: &Context<'_>, request: &Request) -> Result<TxnBody, ErrorCode> {
        let acl_room = self.rules.max_buffer / 2;
        let mut step = Step { rules: &self.rules, outstanding: &mut self.outstanding, tree, context, acl_room };
        match request {
            Request::Create(create) => step.create(create),
            Request::Delete { path, version } => step.delete(path, *version),
            Request::SetData { path, data, version } => step.set_data(path, data.as_ref(), *version),
            Request::SetAcl { path, acl, version } => step.set_acl(path, acl.as_deref(), *version),
            Request::DeleteContainer { path } => step.delete_container(path),
            Request::Multi(ops) => Ok(step.multi(ops)),
            Request::Reconfig { .. } => Err(ErrorCode::ReconfigDisabled),
            Request::CreateSession { timeout } => Ok(TxnBody::CreateSession { timeout: *timeout }),
            Request::CloseSession => Ok(step.close_session()),
            // From 3.8.5 and 3.9.3 on a check outside a multi is refused. A txn of it no log can be read with.
            _ => Err(ErrorCode::Unimplemented),
        }
    }
}

impl Context<'_> {
    /// The txn for a request that is refused, whatever the tree: one that cannot be read, for instance.
    pub fn refuse(&self, error: ErrorCode) -> TxnRecord {
        TxnRecord { header: self.header(OpCode::Error), body: TxnBody::Error(error.code()), digest: None }
    }

    fn header(&self, kind: OpCode) -> TxnHeader {
        TxnHeader { session: self.session, cxid: self.cxid, zxid: self.zxid, time: self.time, kind }
    }
}
