//! Servers as their operators meet them: real processes, started, asked, measured and stopped by the command line.
#![cfg(all(feature = "cli", feature = "server"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this test runs servers")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use support::{Scratch, ended, run, zabsim};

/// A port that nobody has now, so that the ones 1000 and 2000 above it are free as well. Tests that run at once look in places
/// of their own.
fn free_port(many: u16, place: u16) -> u16 {
    let taken = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err();
    let start = 11_000 + place * 4000 + (std::process::id() % 100) as u16 * 6;
    let is_free = |port: &u16| (0..many).all(|i| ![0, 1000, 2000].into_iter().any(|above| taken(port + i + above)));
    (start..start + 400).step_by(usize::from(many)).find(is_free).expect("some ports are free")
}

fn word(port: u16, word: &str) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.write_all(word.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "not in a minute: {what}");
        sleep(Duration::from_millis(50));
    }
}

/// Ends with the test, whatever comes of it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap().success());
    }

    fn terminated(&mut self) -> i32 {
        self.signal("-TERM");
        self.0.wait().unwrap().code().expect("it ends by itself")
    }
}

#[test]
fn a_server_needs_nothing_and_is_measured_and_stops_when_asked() {
    let port = free_port(1, 0);
    let scratch = Scratch::new("operations-dev");
    let mut command = zabsim();
    let data = scratch.path("data");
    command.args(["serve", "--dev", "--client-port", &port.to_string(), "--data-dir", &data]);
    let mut server = Running(command.spawn().unwrap());
    wait_until("the server serves", || word(port, "srvr").is_some_and(|it| it.contains("Mode: standalone")));
    let load = format!(
        "bench 127.0.0.1:{port} --connections 2 --window 4 --reads 25 --time 1s --json --pid {}",
        server.0.id()
    );
    let report = run(&load).exits(0).json();
    let count = |kind: &str| report[kind]["count"].as_u64().unwrap();
    assert!(count("writes") > 2 * count("reads") && count("reads") > 0, "one of four reads: {report}");
    assert!(report["writes"]["p99_us"].as_f64().unwrap() >= report["writes"]["p50_us"].as_f64().unwrap(), "{report}");
    assert!(report["writes"]["p50_us"].as_f64().unwrap() > 1.0, "{report}");
    assert!(report["processes"][0]["resident_bytes"].as_u64().unwrap() > 1 << 20, "{report}");
    assert!(word(port, "mntr").unwrap().contains("zk_znode_count\t5\n"), "nothing is left of the load");
    let fill = format!("bench 127.0.0.1:{port} --connections 3 --window 9 --fill 2500 --payload 10 --json");
    assert_eq!(run(&fill).exits(0).json()["writes"]["count"], 2500);
    let nodes = 5 + 2500 + 1 + 3; // in a node for each thousand, in one for all
    assert!(word(port, "mntr").unwrap().contains(&format!("zk_znode_count\t{nodes}\n")), "what fills stays");
    assert_eq!(server.terminated(), 0);
    let folder = format!("{data}/version-2");
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty(), "its data stay");
    for path in files.into_iter().chain([folder.clone().into()]) {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "nobody else reads {}: {mode:o}", path.display());
    }
    // Whatever became of it: there is nobody to ask for what is lost, so there is no server without it.
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let log = names.filter(|path| path.to_string_lossy().contains("/log.")).min().expect("there is one");
    let mut bytes = fs::read(&log).unwrap();
    bytes[16 + 12 + 3] ^= 1;
    fs::write(&log, bytes).unwrap();
    let said = ended(&mut command).exits(2).err;
    assert!(said.contains("a standalone server has nobody to ask"), "{said}");
}

#[test]
fn a_server_outlives_its_terminal_where_it_was_told_to() {
    let port = free_port(1, 5);
    let serve = format!("exec {} serve --dev --client-port {port}", zabsim().get_program().to_str().unwrap());
    let started = |script: String| {
        let mut shell = Command::new("sh");
        let server = Running(shell.args(["-c", &script]).stderr(Stdio::null()).spawn().unwrap());
        wait_until("the server serves", || word(port, "srvr").is_some_and(|it| it.contains("Mode: standalone")));
        server
    };
    let mut kept = started(format!("trap '' HUP; {serve}"));
    kept.signal("-HUP");
    sleep(Duration::from_millis(300));
    assert!(word(port, "ruok").is_some(), "as under nohup");
    assert_eq!(kept.terminated(), 0);
    // What is caught here, and not ignored, a child starts with as usual: else this would hang under nohup.
    signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::default()).unwrap();
    let mut other = started(serve);
    other.signal("-HUP");
    assert_eq!(other.0.wait().unwrap().code(), Some(0), "the end of the terminal is like any other request");
}

#[test]
fn an_ensemble_says_where_it_is_and_stops_as_a_whole() {
    let scratch = Scratch::new("operations-ensemble");
    let port = free_port(3, 1);
    let mut command = zabsim();
    command.args(["ensemble", "3", "--client-port", &port.to_string(), "--set", "tickTime=500"]);
    command.arg("--dir").arg(scratch.path("."));
    let mut ensemble = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let lines = BufReader::new(ensemble.0.stdout.take().unwrap()).lines();
    let said: Vec<String> = lines.map(Result::unwrap).take(4).collect();
    let [one, two, three] = [0, 1, 2].map(|i| format!("127.0.0.1:{}", port + i));
    assert_eq!(said[3], format!("connect to {one},{two},{three}"));
    assert_eq!(said.iter().filter(|line| line.ends_with("  leader")).count(), 1, "{said:?}");
    assert_eq!(said.iter().filter(|line| line.ends_with("  follower")).count(), 2, "{said:?}");
    assert_eq!(ensemble.terminated(), 0);
    assert_eq!(free_port_at(port), Ok(()), "no server is left");
    let config = fs::read_to_string(scratch.path("2/zoo.cfg")).unwrap();
    let ticks: Vec<&str> = config.lines().filter(|line| line.starts_with("tickTime")).collect();
    assert_eq!(ticks, ["tickTime=500"], "a server that is started again by its zoo.cfg is as it was");
}

fn free_port_at(port: u16) -> Result<(), String> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop).map_err(|error| error.to_string());
    (port..port + 3).try_for_each(bind)
}

#[test]
fn mistakes_in_a_configuration_have_a_place_a_caret_and_a_suggestion() {
    let scratch = Scratch::new("operations-mistakes");
    let text = "tickTme=500\ntickTime=two\nforceSync=true\nserver.1=a:2888\nclientPort=2181\n";
    fs::write(scratch.path("zoo.cfg"), text).unwrap();
    let serve = |more: &[&str]| {
        ended(zabsim().current_dir(scratch.path(".")).args(["serve", "zoo.cfg"]).args(more)).exits(2).err
    };
    insta::assert_snapshot!(serve(&[]));
    assert!(!serve(&["--set", "forceSync=yes"]).contains("forceSync"));
}

#[test]
fn mistakes_on_the_command_line_have_hints() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    for (line, hint) in [
        ("serve", "zabsim serve --dev"),
        ("serve scenarios", "scenarios is a directory; name the zoo.cfg in it"),
        ("serve no-such.cfg", "cannot read no-such.cfg"),
        ("serve --dev --set tickTime", "--set tickTime: write KEY=VALUE"),
        ("serve --dev --set tickTime=500 --set initLimit=ten", "--set:2:11"),
        (
            &format!("serve --dev --client-port {port}"),
            &format!("in use (os error 98); for another port: --client-port {}", port + 1),
        ),
        ("ensemble 0", "1..=64"),
        (&format!("ensemble 1 --client-port {}", port.min(63_000)), "for others: zabsim ensemble 1 --client-port PORT"),
        ("bench 127.0.0.1", "ZooKeeper's is usually 127.0.0.1:2181"),
        ("bench 127.0.0.1:2181 --time 0s", "measures nothing"),
        ("bench 127.0.0.1:2181 --pid 4294967295", "cannot see process 4294967295"),
    ] {
        let _also = TcpListener::bind((Ipv4Addr::LOCALHOST, 63_000));
        let ran = run(line).exits(2);
        assert!(ran.err.contains(hint) && ran.out.is_empty(), "{line}: {ran:?}");
    }
}

#[test]
fn a_server_that_cannot_start_says_which_line_is_to_blame() {
    let scratch = Scratch::new("operations-refused");
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (port, data) = (taken.local_addr().unwrap().port(), scratch.path("data"));
    fs::create_dir_all(format!("{data}/version-2")).unwrap();
    fs::write(format!("{data}/myid"), "1\n").unwrap();
    fs::write(scratch.path("a-file"), "").unwrap();
    let text = format!(
        "clientPort={port}\nclientPortAddress=127.0.0.1\ndataDir={data}\nadmin.enableServer=false\ninitLimit=10\nsyncLimit=5\n"
    );
    let said = |text: &str| {
        fs::write(scratch.path("zoo.cfg"), text).unwrap();
        ended(zabsim().current_dir(scratch.path(".")).args(["serve", "zoo.cfg"])).exits(2).err
    };
    let blames = |said: &str, place: &str, words: &str| assert!(said.contains(place) && said.contains(words), "{said}");
    blames(&said(&text), "zoo.cfg:1:12", "another process listens there");
    let elsewhere = text.replace("127.0.0.1", "192.0.2.1");
    blames(&said(&elsewhere), "zoo.cfg:1:12", "this host has no such address");
    let free = text.replace(&format!("clientPort={port}"), "clientPort=0\n");
    let quorum = format!("{text}server.1=127.0.0.1:{port}:1\nserver.2=127.0.0.1:2:3\nserver.3=127.0.0.1:4:5\n");
    let quorum = quorum.replace(&format!("clientPort={port}"), "");
    blames(&said(&quorum), "zoo.cfg:7:10", "another process listens there");
    let file = free.replace(&data, &scratch.path("a-file"));
    blames(&said(&file.replace("clientPort=0", "clientPort=1")), "zoo.cfg:4:9", "must be a folder");
    fs::write(format!("{data}/version-2/currentEpoch"), "x").unwrap();
    blames(
        &said(&free.replace("clientPort=0", "clientPort=1")),
        "zoo.cfg:4:9",
        "currentEpoch: expected a number, found \"x\"",
    );
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let port = free_port(2, 2);
    let scratch = Scratch::new("operations-shared");
    let serve = |port: u16| {
        let mut command = zabsim();
        command.args(["serve", "--dev", "--client-port", &port.to_string(), "--data-dir", &scratch.path("data")]);
        command
    };
    let _first = Running(serve(port).stderr(Stdio::null()).spawn().unwrap());
    wait_until("the first serves", || word(port, "srvr").is_some_and(|it| it.contains("Mode: standalone")));
    let second = ended(&mut serve(port + 1)).exits(2).err;
    assert!(second.contains("another server runs in this folder"), "{second}");
}

/// Without descriptors a server could neither write its log nor be asked what is the matter.
#[test]
fn clients_leave_descriptors_to_the_server() {
    let port = free_port(1, 4);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 100 && ulimit -Sn 40 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_zabsim")]);
    command.args(["serve", "--dev", "--client-port", &port.to_string(), "--set", "maxClientCnxns=0"]);
    let mut server = Running(command.stderr(Stdio::piped()).spawn().unwrap());
    wait_until("the server serves", || word(port, "srvr").is_some_and(|it| it.contains("Mode: standalone")));
    // 36 of 100 are for clients; so many would not even be there without raising the limit of 40.
    let mut clients: Vec<TcpStream> =
        (0..40).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap()).collect();
    let is_turned_away = |client: &mut TcpStream| {
        client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        // It does not say anything, but that it is closed.
        client.read(&mut [0]).map_or_else(|error| error.kind() == ErrorKind::ConnectionReset, |read| read == 0)
    };
    let turned_away = clients.iter_mut().map(is_turned_away).filter(|is_so| *is_so).count();
    // The connection of the last four letters may just be ending.
    assert!((4..=5).contains(&turned_away), "{turned_away}");
    drop(clients);
    wait_until("the server serves again", || word(port, "srvr").is_some_and(|it| it.contains("Mode: standalone")));
    assert_eq!(server.terminated(), 0);
    let mut log = String::new();
    server.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("no more than 36 clients may connect"), "{log}");
    assert!(
        log.contains("a client is turned away: too many connections (maxClientCnxns, maxCnxns, open files)"),
        "{log}"
    );
}

#[test]
fn a_log_names_sessions_and_no_secrets() {
    let port = free_port(1, 3);
    let scratch = Scratch::new("operations-secrets");
    let log = fs::File::create(scratch.path("log")).unwrap();
    let mut command = zabsim();
    command.env("RUST_LOG", "trace").args(["serve", "--dev", "--client-port", &port.to_string()]);
    command.args(["--set", "DigestAuthenticationProvider.superDigest=super:hunter2"]);
    let mut server = Running(command.stderr(log).spawn().unwrap());
    wait_until("the server serves", || word(port, "srvr").is_some_and(|it| it.contains("Mode: standalone")));
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut send = |bytes: &[u8]| {
        client.write_all(&[&(bytes.len() as u32).to_be_bytes(), bytes].concat()).unwrap();
        let mut length = [0; 4];
        client.read_exact(&mut length).unwrap();
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        client.read_exact(&mut answer).unwrap();
        answer
    };
    let greeting = [&[0; 12][..], &4000u32.to_be_bytes(), &[0; 8], &16u32.to_be_bytes(), &[0; 16]].concat();
    let answer = send(&greeting);
    let (session, password) = (u64::from_be_bytes(answer[8..16].try_into().unwrap()), answer[20..36].to_vec());
    // `auth`: xid -4, type 100, then the scheme and what it is about.
    let text = |text: &str| [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat();
    let auth = [&(-4i32).to_be_bytes()[..], &100u32.to_be_bytes(), &[0; 4], &text("digest"), &text("me:swordfish")];
    send(&auth.concat());
    let expired = format!("a session expired session={session:#x}");
    let tells = || fs::read_to_string(scratch.path("log")).unwrap().contains(&expired);
    wait_until("the silent session is told to have expired", tells);
    assert_eq!(server.terminated(), 0);
    let log = fs::read_to_string(scratch.path("log")).unwrap();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "it is told at length");
    for secret in [&b"hunter2"[..], b"swordfish", &password] {
        let decimal: Vec<String> = secret.iter().map(u8::to_string).collect();
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        for form in [String::from_utf8_lossy(secret).into_owned(), hex, decimal.join(", ")] {
            assert!(!log.contains(&form), "{form} in\n{log}");
        }
    }
    let text =
        "superDigst=super:hunter2\nssl.keyStore.password=hunter2\nDigestAuthenticationProvider.superDigest=hunter2\n";
    fs::write(scratch.path("zoo.cfg"), text).unwrap();
    let said = ended(zabsim().args(["serve", &scratch.path("zoo.cfg")])).exits(2).err;
    assert!(said.contains("superDigest") && !said.contains("hunter2"), "{said}");
}
