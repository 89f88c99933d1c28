//! The admin endpoint (`JettyAdminServer`, `Commands`): what the four-letter words say, as JSON over HTTP; besides `/health` and
//! `/metrics`.
//!
//! | path | answer |
//! |---|---|
//! | `/health` | 200 while clients are served, 503 while they are not |
//! | `/metrics` | the numbers, for Prometheus |
//! | `/commands` | a list of links |
//! | `/commands/NAME` | one command; its `error` is null, or says what is wrong |

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::config::{Member, ServerConfig};
use super::metrics::{metrics, prometheus};
use super::report::{ConnectionReport, Detail, Mode, Observed, Report, Reset, version};
use super::tally::Sizes;
use super::words::{by_path, surroundings};
use crate::zab::{MemberRole, Zxid};

/// A server that can be asked.
type Server = Arc<dyn Observed>;

/// Whether a command can be answered by a server that does not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    Service,
}

/// Every command, its short name if it has one (that of the four-letter word), and what it needs.
const COMMANDS: [(&str, Option<&str>, Needs); 26] = [
    ("configuration", Some("conf"), Needs::Service),
    ("connection_stat_reset", Some("crst"), Needs::Service),
    ("connections", Some("cons"), Needs::Service),
    ("dirs", None, Needs::Service),
    ("dump", None, Needs::Service),
    ("environment", Some("envi"), Needs::Nothing),
    ("get_trace_mask", Some("gtmk"), Needs::Nothing),
    ("hash", None, Needs::Service),
    ("is_read_only", Some("isro"), Needs::Service),
    ("last_snapshot", Some("lsnp"), Needs::Nothing),
    ("leader", Some("lead"), Needs::Nothing),
    ("monitor", Some("mntr"), Needs::Service),
    ("observer_connection_stat_reset", Some("orst"), Needs::Nothing),
    ("observers", Some("obsr"), Needs::Nothing),
    ("ruok", None, Needs::Nothing),
    ("server_stats", Some("srvr"), Needs::Service),
    ("set_trace_mask", Some("stmk"), Needs::Nothing),
    ("stat_reset", Some("srst"), Needs::Service),
    ("stats", Some("stat"), Needs::Service),
    ("initial_configuration", Some("icfg"), Needs::Nothing),
    ("system_properties", Some("sysp"), Needs::Nothing),
    ("voting_view", None, Needs::Nothing),
    ("watch_summary", Some("wchs"), Needs::Service),
    ("watches", Some("wchc"), Needs::Service),
    ("watches_by_path", Some("wchp"), Needs::Service),
    ("zabstate", None, Needs::Nothing),
];

const NOT_SERVING: &str = "This ZooKeeper instance is not currently serving requests";

/// Answers on this port until the server ends.
pub async fn serve(listener: TcpListener, server: Server) -> std::io::Result<()> {
    axum::serve(listener, router(server)).await
}

/// The same for a port of Prometheus alone.
pub async fn serve_metrics(listener: TcpListener, server: Server) -> std::io::Result<()> {
    axum::serve(listener, Router::new().route("/metrics", get(show_metrics)).with_state(server)).await
}

fn router(server: Server) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(show_metrics))
        .route("/commands", get(commands))
        .route("/commands/{name}", get(command))
        .with_state(server)
}

async fn health(State(server): State<Server>) -> Response {
    let report = server.report(Detail::Numbers).await;
    let (state, is_serving) = report.map_or(("ended".into(), false), |it| (it.peer_state(), it.is_serving()));
    let status = if is_serving { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, pretty(&json!({ "serving": is_serving, "state": state }))).into_response()
}

async fn show_metrics(State(server): State<Server>) -> Response {
    let Some(report) = server.report(Detail::Process).await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let participants = server.config().peer.ensemble.participants().count();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], prometheus(&report, participants))
        .into_response()
}

async fn commands() -> Html<String> {
    Html(COMMANDS.iter().map(|(name, ..)| format!("<a href=\"/commands/{name}\">{name}</a>\n<br/>\n")).collect())
}

async fn command(State(server): State<Server>, Path(given): Path<String>) -> Response {
    let found = COMMANDS.iter().find(|(name, short, _)| *name == given || *short == Some(given.as_str()));
    let Some((name, _, needs)) = found else {
        return pretty(&json!({ "command": given, "error": format!("Unknown command: {given}") }));
    };
    let detail = match *name {
        "monitor" => Detail::Process,
        "dirs" | "last_snapshot" | "server_stats" | "stats" => Detail::Folders,
        "dump" | "watches" | "watches_by_path" => Detail::Inventory,
        _ => Detail::Numbers,
    };
    let report = server.report(detail).await;
    let Some(report) = report.filter(|it| *needs == Needs::Nothing || it.is_serving()) else {
        return pretty(&json!({ "command": name, "error": NOT_SERVING }));
    };
    match *name {
        "set_trace_mask" => {
            return pretty(&json!({ "command": name, "error": "the trace mask cannot be set: nothing depends on it" }));
        }
        "connection_stat_reset" => server.reset(Reset::Connections).await,
        "stat_reset" => server.reset(Reset::Server).await,
        _ => {}
    }
    let mut answer = body(name, server.config(), &report);
    answer.insert("command".into(), json!(name));
    answer.insert("error".into(), Value::Null);
    pretty(&Value::Object(answer))
}

fn pretty(value: &Value) -> Response {
    let text = serde_json::to_string_pretty(value).expect("a JSON value has no keys that are no strings");
    ([(header::CONTENT_TYPE, "application/json")], text + "\n").into_response()
}

/// What a command tells besides its name and error.
fn body(name: &str, config: &ServerConfig, report: &Report) -> Map<String, Value> {
    let inventory = &report.inventory;
    let value = match name {
        "configuration" => configuration(config),
        "connections" => json!({ "connections": connections(report), "secure_connections": [] }),
        "dirs" => json!({ "datadir_size": report.host.data_dir_size, "logdir_size": report.host.log_dir_size }),
        "dump" => json!({
            "session_id_to_timeout":
                inventory.sessions.iter().map(|(id, it)| (id.to_string(), json!(it.as_millis()))).collect::<Map<_, _>>(),
            "session_id_to_ephemeral_paths": by_id(&inventory.ephemerals),
            "expiry_time_to_session_ids": inventory.expiries.iter().flatten().map(|(end, ids)| (end.to_string(), json!(ids))).collect::<Map<_, _>>(),
        }),
        "environment" => {
            let mut all = surroundings().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
            Map::extend(
                &mut all,
                [
                    ("zookeeper.version".to_owned(), json!(version(config.tree.dialect))),
                    ("zabsim.version".to_owned(), json!(env!("CARGO_PKG_VERSION"))),
                ],
            );
            Value::Object(all)
        }
        "last_snapshot" => json!({
            "zxid": report.host.last_snapshot.map_or("0".to_owned(), |(zxid, _)| format!("{:x}", zxid.0)),
            "timestamp": report.host.last_snapshot.map_or(0, |(_, written)| written),
        }),
        // None connects to a follower: there is no observer master.
        "observers" => {
            json!({ "synced_observers": report.leading.map_or(0, |leading| leading.synced_observers), "observers": [] })
        }
        "system_properties" => {
            surroundings().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
        }
        "get_trace_mask" => json!({ "tracemask": super::words::TRACE_MASK }),
        "hash" => {
            let digest =
                |(zxid, digest): &(Zxid, u64)| json!({ "zxid": zxid.0, "digest": digest, "digest_version": 2 });
            json!({ "digests": report.digests.iter().map(digest).collect::<Vec<_>>() })
        }
        "initial_configuration" => {
            json!({ "initial_configuration": Some(&config.text).filter(|text| !text.is_empty()) })
        }
        "is_read_only" => json!({ "read_only": false }),
        "leader" => leader(config, report),
        "monitor" => monitor(config, report),
        "server_stats" => Value::Object(statistics(config, report)),
        "stats" => {
            let mut all = statistics(config, report);
            // Who they are, without what `connections` tells of them.
            let heads = report.connections.iter().map(connection_head).collect();
            all.insert("connections".into(), heads);
            all.insert("secure_connections".into(), json!([]));
            Value::Object(all)
        }
        "voting_view" => voting_view(config),
        "watch_summary" => json!({
            "num_connections": report.tree.watched.connections,
            "num_paths": report.tree.watched.paths,
            "num_total_watches": report.tree.watched.watches,
        }),
        "watches" => json!({ "session_id_to_watched_paths": by_id(&inventory.watches) }),
        "watches_by_path" => json!({ "path_to_session_ids": by_path(report) }),
        "zabstate" => zabstate(config, report),
        _ => json!({}),
    };
    match value {
        Value::Object(fields) => fields,
        other => unreachable!("a command tells fields, not {other}"),
    }
}

/// JSON has no numbers as keys.
fn by_id(paths: &std::collections::BTreeMap<i64, Vec<String>>) -> Map<String, Value> {
    paths.iter().map(|(id, paths)| (id.to_string(), json!(paths))).collect()
}

fn configuration(config: &ServerConfig) -> Value {
    let ServerConfig { peer, store, clients, .. } = config;
    let version = |folder: &std::path::Path| folder.join("version-2").display().to_string();
    let mut fields = json!({
        "client_port": clients.address.as_ref().map_or(-1, |address| i32::from(address.port)),
        "data_dir": version(&store.data_dir),
        "data_log_dir": version(&store.log_dir),
        "tick_time": peer.limits.tick_time.as_millis(),
        "max_client_cnxns": clients.max_connections,
        "min_session_timeout": clients.min_session_timeout.as_millis(),
        "max_session_timeout": clients.max_session_timeout.as_millis(),
        "server_id": if config.standalone { 0 } else { peer.sid.0 },
        "client_port_listen_backlog": -1,
    });
    if let Some(own) = own(config) {
        fields["election_alg"] = json!(3);
        fields["election_port"] = json!(own.election.port);
        fields["init_limit"] = json!(peer.limits.init_limit);
        fields["sync_limit"] = json!(peer.limits.sync_limit);
        fields["quorum_port"] = json!(own.quorum.port);
        fields["peer_type"] = json!(u8::from(own.role == MemberRole::Observer));
    }
    fields
}

fn own(config: &ServerConfig) -> Option<&Member> {
    config.members.iter().find(|member| member.sid == config.peer.sid)
}

fn connections(report: &Report) -> Value {
    report.connections.iter().map(connection).collect()
}

fn connection_head(connection: &ConnectionReport) -> Value {
    json!({
        "remote_socket_address": connection.from.to_string(),
        "interest_ops": u8::from(connection.session.is_some()),
        "outstanding_requests": connection.outstanding,
        "packets_received": connection.traffic.received,
        "packets_sent": connection.traffic.sent,
    })
}

fn connection(connection: &ConnectionReport) -> Value {
    let ConnectionReport { traffic, session, last, .. } = connection;
    let mut fields = connection_head(connection);
    if let Some(session) = session {
        fields["session_id"] = json!(session.id);
        fields["established"] = json!(session.established);
        fields["last_operation"] = json!(last.op);
        fields["last_response_time"] = json!(last.at.as_millis());
        fields["last_latency"] = json!(last.took.as_millis());
        fields["session_timeout"] = json!(session.timeout.as_millis());
        fields["last_cxid"] = json!(session.last_cxid);
        fields["last_zxid"] = json!(session.last_zxid);
        fields["min_latency"] = json!(traffic.min_latency.as_millis());
        fields["avg_latency"] = json!(traffic.total_latency.as_millis().checked_div(traffic.answered).unwrap_or(0));
        fields["max_latency"] = json!(traffic.max_latency.as_millis());
    }
    fields
}

fn statistics(config: &ServerConfig, report: &Report) -> Map<String, Value> {
    let traffic = &report.traffic;
    let statistics = json!({
        "packets_sent": traffic.sent,
        "packets_received": traffic.received,
        "server_state": report.mode.word(),
        "outstanding_requests": report.outstanding,
        "min_latency": traffic.min_latency.as_millis(),
        "avg_latency": number(&traffic.average().to_string()),
        "max_latency": traffic.max_latency.as_millis(),
        "data_dir_size": report.host.data_dir_size,
        "log_dir_size": report.host.log_dir_size,
        "last_processed_zxid": report.last_zxid.0,
        "num_alive_client_connections": report.connections.len(),
        "uptime": report.uptime.as_millis(),
        "provider_null": false,
        "client_response_stats": sizes(report.tally.responses),
        "fsync_threshold_exceed_count": report.tally.disk.slow_syncs,
    });
    let mut fields = Map::new();
    fields.insert("version".into(), json!(version(config.tree.dialect)));
    fields.insert("read_only".into(), json!(false));
    fields.insert("server_stats".into(), statistics);
    fields.insert("client_response".into(), sizes(report.tally.responses));
    if report.leading.is_some() {
        fields.insert("proposal_stats".into(), sizes(report.tally.proposals));
    }
    fields.insert("node_count".into(), json!(report.tree.nodes));
    fields
}

fn sizes(sizes: Sizes) -> Value {
    json!({ "last_buffer_size": sizes.last, "min_buffer_size": sizes.min, "max_buffer_size": sizes.max })
}

/// A number that was written as text.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

fn monitor(config: &ServerConfig, report: &Report) -> Value {
    let metrics = metrics(report, config.peer.ensemble.participants().count());
    let mut fields: Map<String, Value> =
        metrics.into_iter().map(|metric| (metric.name, number(&metric.value))).collect();
    fields.insert("version".into(), json!(version(config.tree.dialect)));
    fields.insert("server_state".into(), json!(report.mode.word()));
    if report.mode != Mode::Standalone {
        fields.insert("peer_state".into(), json!(report.peer_state()));
    }
    Value::Object(fields)
}

fn leader(config: &ServerConfig, report: &Report) -> Value {
    let leader = config.members.iter().find(|member| Some(member.sid) == report.leader);
    json!({
        "is_leader": matches!(report.mode, Mode::Leader | Mode::Standalone),
        "leader_id": leader.map(|member| member.sid.0),
        "leader_ip": leader.map(|member| &member.quorum.host),
    })
}

fn voting_view(config: &ServerConfig) -> Value {
    let view = config.members.iter().filter(|member| member.role == MemberRole::Participant).map(|member| {
        let fields = json!({
            "server_addresses": [member.quorum.to_string()],
            "election_addresses": [member.election.to_string()],
            "client_address": member.client.as_ref().map_or(String::new(), ToString::to_string),
            "learner_type": "participant",
        });
        (member.sid.0.to_string(), fields)
    });
    json!({ "current_config": view.collect::<Map<_, _>>() })
}

fn zabstate(config: &ServerConfig, report: &Report) -> Value {
    json!({
        "myid": config.peer.sid.0,
        "is_leader": report.mode == Mode::Leader,
        "quorum_address": own(config).map(|member| member.quorum.to_string()),
        "election_address": own(config).map(|member| member.election.to_string()),
        "client_address": config.clients.address.as_ref().map(ToString::to_string),
        "voting": own(config).is_none_or(|member| member.role == MemberRole::Participant),
        "last_zxid": format!("{:#x}", report.last_zxid.0),
        "zab_epoch": report.last_zxid.epoch().0,
        "zab_counter": report.last_zxid.counter(),
        "zabstate": report.phase_word(),
    })
}

#[cfg(test)]
mod tests;
