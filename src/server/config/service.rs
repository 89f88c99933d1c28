//! What of a configuration concerns the service.

use super::ServerConfig;
use crate::zab::MemberRole;
use crate::zk::service::acl::{Access, Acls};
use crate::zk::service::config::ServiceConfig;
use crate::zk::service::prepare::{Digests, Quotas, Rules, Ttl};

impl ServerConfig {
    /// How many requests may be under way on this server before clients wait (L5).
    pub fn outstanding_limit(&self) -> usize {
        let roles = self.members.iter().map(|member| member.role);
        self.service(0).outstanding_limit(roles.filter(|role| *role == MemberRole::Participant).count())
    }

    /// The options of the service. `wall_clock_base` is the unix time in milliseconds at which the server's clock is zero.
    pub fn service(&self, wall_clock_base: i64) -> ServiceConfig {
        let tree = &self.tree;
        ServiceConfig {
            sid: self.peer.sid,
            tick_time: self.peer.limits.tick_time,
            min_session_timeout: self.clients.min_session_timeout,
            max_session_timeout: self.clients.max_session_timeout,
            wall_clock_base,
            rules: Rules {
                access: Access {
                    acls: if tree.skip_acl { Acls::Skipped } else { Acls::Checked },
                    superuser: tree.super_digest.as_ref().map(|secret| secret.0.clone()),
                },
                digests: if tree.digest { Digests::Written } else { Digests::Omitted },
                quotas: if tree.enforce_quota { Quotas::Enforced } else { Quotas::Counted },
                ttl: if tree.extended_types { Ttl::Enabled } else { Ttl::Unimplemented },
                max_buffer: self.clients.max_buffer,
            },
            dialect: tree.dialect,
            global_outstanding_limit: self.clients.outstanding_limit,
            config_text: self.text.clone(),
            standalone: self.standalone,
            leader_serves: self.quorum.leader_serves,
            sweep_interval: tree.sweep_interval,
            sweep: tree.sweep,
        }
    }
}
