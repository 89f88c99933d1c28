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

/// Keys of Java's threads, buffers, caches and measurements, by their beginnings.
const OF_JAVA: [&str; 36] = [
    "bitHashCacheSize",
    "clientPortListenBacklog",
    "cnxTimeout",
    "commitProcessor.",
    "connection_throttle",
    "flushDelay",
    "follower.skipLearnerRequestToNextProcessor",
    "follower.nodelay",
    "forward_learner_requests_to_commit_processor_disabled",
    "intBufferStartingSizeBytes",
    "jvm.",
    "jute.maxbuffer.extrasize",
    "largeRequest",
    "leader.ackLoggingFrequency",
    "leader.closeSocketAsync",
    "leader.nodelay",
    "learner.asyncSending",
    "learner.closeSocketAsync",
    "maxBatchSize",
    "maxGetChildrenResponseCacheSize",
    "maxInProcessingDeadWatchers",
    "maxResponseCacheSize",
    "maxWriteQueuePollTime",
    "messageTracker.",
    "netty.",
    "nio.",
    "pathStats.",
    "quorumCnxnTimeoutMs",
    "request_stale_",
    "request_throttle",
    "serverCnxnFactory",
    "tcpKeepAlive",
    "throttled",
    "txnLogSizeLimitInKb",
    "watchManagerName",
    "watcherClean",
];

/// Keys of what is not supported and does nothing unless something else that is refused is switched on, by their beginnings.
const OF_OTHERS: [&str; 22] = [
    "SASLAuthenticationProvider.",
    "X509AuthenticationProvider.",
    "allowSaslFailedClients",
    "audit.impl.class",
    "controllerPort",
    "enforce.auth.schemes",
    "ensembleAuthName",
    "jaasLoginRenew",
    "kerberos.",
    "kinit",
    "letAnySaslUserDoX",
    "localSessionsUpgradingEnabled",
    "multiAddress.",
    "observer.reconnectDelayMs",
    "observerMaster.",
    "quorum.auth.",
    "quorum.cnxn.threads.size",
    "requireKerberosConfig",
    "sasl.",
    "security.auth_to_local",
    "sslQuorumReloadCertFiles",
    "superUser",
];

const JAVA: &str = "it tunes Java's threads, buffers and caches; this server has none";
const NO_SCHEMES: &str = "there are no other authentication schemes than world, ip, digest and auth: remove the key";
const NO_TLS: &str = "there is no TLS: remove the key and use a plain port, behind a proxy that ends TLS if need be";
const NO_SASL: &str =
    "there is no SASL between servers: remove the key, and let only servers reach the quorum and election ports";
const STATIC: &str = "members are listed as server.N in this file and the same everywhere: remove the key";

/// What a key of ZooKeeper means here that the configuration does not read.
pub(super) fn of_zookeeper(key: &str) -> Option<Without> {
    const OFF: &[&str] = &["false"];
    const ON: &[&str] = &["true"];
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
        "admin.portUnification" | "admin.forceHttps" | "admin.needClientAuth" => refused(OFF, NO_TLS),
        "requireClientAuthScheme" => refused(&[], NO_SCHEMES),
        "DigestAuthenticationProvider.enabled" => refused(ON, "the scheme `digest` is always there: remove the key"),
        "DigestAuthenticationProvider.digestAlg" => {
            refused(&["SHA1", "SHA-1"], "ids of the scheme `digest` are made with SHA-1: remove the key")
        }
        "IPAuthenticationProvider.usexforwardedfor" => refused(OFF, "clients are known by where they connect from"),
        "audit.enable" => refused(OFF, "there is no audit log: remove the key"),
        "closeSessionTxn.enabled" | "serializeLastProcessedZxid.enabled" => {
            refused(ON, "txns and snapshots have the newer form, which releases from 3.6 on read: remove the key")
        }
        "datadir.autocreate" => refused(ON, "folders that are missing are made: remove the key"),
        "emulate353TTLNodes" => refused(OFF, "ids of nodes with a time to live have the form of 3.5.4: remove the key"),
        "testingonly.initialZxid" => refused(&[], "a history begins with its first txn: remove the key"),
        "enableEagerACLCheck" => Some(Without::Harm("the leader checks the ACLs of a write")),
        "electionPortBindRetry" => Some(Without::Harm("a port that is taken at the start is an error at once")),
        "admin.idleTimeout" | "admin.httpVersion" | "admin.commandURL" | "metricsProvider.exportJvmInfo" => {
            Some(Without::Harm("the admin endpoint has nothing to set there"))
        }
        _ => {
            let prefix = |prefix: &str| key.starts_with(prefix);
            if prefix("ssl.") {
                refused(&[], NO_TLS)
            } else if prefix("authProvider.") {
                refused(&[], NO_SCHEMES)
            } else if OF_OTHERS.into_iter().any(prefix) {
                Some(Without::Harm("what it belongs to is not supported"))
            } else if prefix("admin.snapshot.") || prefix("admin.restore.") || key == "admin.rateLimiterIntervalInMS" {
                Some(Without::Harm("the admin endpoint neither takes nor gives snapshots"))
            } else if OF_JAVA.into_iter().any(prefix) {
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
