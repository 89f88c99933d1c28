//! Keys of ZooKeeper that mean nothing here, or that this server cannot honour.

/// What to say of a key of ZooKeeper that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Without {
    /// It can be ignored, and why.
    Harm(&'static str),
    /// To ignore it would be to do something else than what was asked for, unless it is switched off.
    Support {
        /// The values that switch it off.
        off: &'static [&'static str],
        /// What to do instead.
        instead: &'static str,
    },
}

const JAVA: &str = "it tunes Java's threads and buffers; this server has neither";
const NO_TLS: &str = "there is no TLS: remove the key and use a plain port, behind a proxy that ends TLS if need be";
const NO_SASL: &str =
    "there is no SASL between servers: remove the key, and let only servers reach the quorum and election ports";
const STATIC: &str = "members are listed as server.N in this file and the same everywhere: remove the key";

/// What a key of ZooKeeper means here that the configuration does not read.
pub(super) fn of_zookeeper(key: &str) -> Option<Without> {
    const OFF: &[&str] = &["false"];
    let refused = |off, instead| Some(Without::Support { off, instead });
    match key {
        "reconfigEnabled" => refused(OFF, STATIC),
        "sslQuorum" | "portUnification" | "client.portUnification" => refused(OFF, NO_TLS),
        "secureClientPort" | "secureClientPortAddress" => refused(&[], NO_TLS),
        "quorum.auth.enableSasl" | "quorum.auth.learnerRequireSasl" | "quorum.auth.serverRequireSasl" => {
            refused(OFF, NO_SASL)
        }
        "sessionRequireClientSASLAuth" | "enforce.auth.enabled" => {
            refused(OFF, "clients authenticate by `digest` or `ip` only: guard nodes by ACLs of these")
        }
        "oraclePath" => refused(&[], "two servers with an oracle are no quorum here: use three, or one"),
        "observerMasterPort" => refused(&["0"], "observers connect to the leader: remove the key"),
        "localSessionsEnabled" => refused(OFF, "every session is known to every server: remove the key"),
        "readonlymode.enabled" => refused(OFF, "a server without a quorum serves nobody: remove the key"),
        "snapshot.compression.method" => refused(&["checked"], "snapshots are written uncompressed: remove the key"),
        "multiAddress.enabled" => refused(OFF, "one address per server: remove the key"),
        "quorum.cnxn.threads.size" | "localSessionsUpgradingEnabled" | "sslQuorumReloadCertFiles" => {
            Some(Without::Harm("what it belongs to is not supported"))
        }
        "admin.idleTimeout" | "admin.httpVersion" | "admin.commandURL" | "metricsProvider.exportJvmInfo" => {
            Some(Without::Harm("the admin endpoint has nothing to set there"))
        }
        "serverCnxnFactory" | "clientPortListenBacklog" | "cnxTimeout" | "maxCnxns" | "learner.asyncSending" => {
            Some(Without::Harm(JAVA))
        }
        _ => {
            let prefix = |prefix: &str| key.starts_with(prefix);
            if prefix("ssl.") {
                refused(&[], NO_TLS)
            } else if prefix("authProvider.") || prefix("X509AuthenticationProvider.") {
                refused(
                    &[],
                    "there are no other authentication schemes than world, ip, digest and auth: remove the key",
                )
            } else if prefix("quorum.auth.") || prefix("multiAddress.") {
                Some(Without::Harm("what it belongs to is not supported"))
            } else if [
                "jvm.",
                "nio.",
                "netty.",
                "commitProcessor.",
                "throttled",
                "request_throttle",
                "connection_throttle",
            ]
            .into_iter()
            .any(prefix)
            {
                Some(Without::Harm(JAVA))
            } else {
                None
            }
        }
    }
}

/// The known key that was probably meant.
pub(super) fn nearest<'a>(given: &str, known: &'a [String]) -> Option<&'a String> {
    let given = given.to_lowercase();
    let distance = |name: &String| strsim::damerau_levenshtein(&given, &name.to_lowercase());
    let is_near = |name: &&String| distance(name) <= (name.len() / 3).max(1) + 1;
    known.iter().filter(is_near).min_by_key(|name| distance(name))
}
