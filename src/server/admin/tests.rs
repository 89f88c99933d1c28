//! Commands over HTTP, without the sockets.

use axum::body::to_bytes;

use super::*;
use crate::server::fixture::{Fixed, block_on};

fn read(response: Response) -> (StatusCode, String) {
    let status = response.status();
    let body = block_on(to_bytes(response.into_body(), 1 << 20)).unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn told(server: Fixed, name: &str) -> Value {
    let (status, text) = read(block_on(command(State(Arc::new(server)), Path(name.to_owned()))));
    assert_eq!(status, StatusCode::OK, "as ZooKeeper: what is wrong is in the field `error`");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_command_tells_its_name_and_no_error() {
    for (name, short, _) in COMMANDS {
        for name in [Some(name), short].into_iter().flatten() {
            let answer = told(Fixed::leader(), name);
            let is_refused = matches!(name, "set_trace_mask" | "stmk");
            let told = (answer["error"].is_null(), answer["command"].is_string());
            assert_eq!(told, (!is_refused, true), "{name}: {answer}");
        }
    }
}

#[test]
fn every_command_asks_for_all_that_it_shows() {
    let leader = Fixed::leader();
    let report = leader.report.as_ref().unwrap();
    for (name, ..) in COMMANDS.into_iter().filter(|(name, ..)| *name != "set_trace_mask") {
        let mut told = told(Fixed::leader(), name);
        told.as_object_mut().unwrap().retain(|field, _| field != "command" && field != "error");
        assert_eq!(told, Value::Object(body(name, &leader.config, report)), "{name}");
    }
}

#[test]
fn the_shapes_are_those_of_zookeeper() {
    let of = |name| told(Fixed::leader(), name);
    assert_eq!(of("monitor")["synced_followers"], 2);
    assert_eq!(of("monitor")["avg_latency"], 2.1765);
    assert_eq!(of("stat")["server_stats"]["last_processed_zxid"], 0x2_0000_0009_i64);
    assert_eq!(of("cons")["connections"][1]["session_timeout"], 10_000);
    assert_eq!(of("stat")["connections"][1]["session_timeout"], Value::Null);
    assert_eq!(of("leader")["leader_ip"], "zoo3");
    assert_eq!(of("watches")["session_id_to_watched_paths"]["216174637586513920"], json!(["/a", "/nope"]));
    assert_eq!(of("watches_by_path")["path_to_session_ids"]["/nope"], json!([216_174_637_586_513_920_i64]));
    assert_eq!(of("dump")["session_id_to_ephemeral_paths"]["216174637586513920"], json!(["/a/e"]));
    assert_eq!(of("voting_view")["current_config"]["2"]["election_addresses"], json!(["zoo2:3888"]));
    assert_eq!((&of("zabstate")["zab_epoch"], &of("zabstate")["zab_counter"]), (&json!(2), &json!(9)));
    assert_eq!(of("configuration")["quorum_port"], 2888);
    assert_eq!(of("dump")["expiry_time_to_session_ids"]["1795254240000"], json!([216_174_637_586_513_920_i64]));
    assert_eq!(of("stats")["proposal_stats"]["max_buffer_size"], 100);
    assert_eq!(of("hash")["digests"], json!([{ "zxid": 0x80, "digest": 271_292_528_688_i64, "digest_version": 2 }]));
    assert_eq!(of("last_snapshot")["zxid"], "200000001");
    assert_eq!(of("connections")["connections"][1]["last_operation"], "SETD");
    assert_eq!(of("observers")["synced_observers"], 0);
    assert_eq!(of("nonsense")["error"], "Unknown command: nonsense");
}

#[test]
fn health_is_whether_clients_are_served() {
    let of = |server: Fixed| read(block_on(health(State(Arc::new(server)))));
    assert_eq!(of(Fixed::leader()).0, StatusCode::OK);
    let looking = Fixed::leader().report.map(|report| Report { mode: Mode::Looking, ..report });
    let (status, text) = of(Fixed { report: looking, ..Fixed::leader() });
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("looking - broadcast"), "{text}");
    assert_eq!(of(Fixed { report: None, ..Fixed::leader() }).0, StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn who_does_not_serve_answers_what_needs_no_service() {
    let silent = || {
        let report = Fixed::leader().report.map(|report| Report { mode: Mode::Looking, ..report });
        Fixed { report, ..Fixed::leader() }
    };
    assert_eq!(told(silent(), "srvr")["error"], NOT_SERVING);
    assert_eq!(told(silent(), "ruok")["error"], Value::Null);
}

#[test]
fn a_reset_resets() {
    let server = Arc::new(Fixed::leader());
    for name in ["stat_reset", "crst"] {
        read(block_on(command(State(server.clone()), Path(name.to_owned()))));
    }
    assert_eq!(*server.resets.lock().unwrap(), [Reset::Server, Reset::Connections]);
}

#[test]
fn the_list_links_to_every_command() {
    let Html(list) = block_on(commands());
    assert!(COMMANDS.iter().all(|(name, ..)| list.contains(&format!("\"/commands/{name}\""))));
}
