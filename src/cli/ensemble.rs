//! `zabsim ensemble N`: a local ensemble, every server a process of its own.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::Exit;
use super::render::{Screen, plural};
use super::scratch::Scratch;
use super::serve::key_of;
use super::signals::when_asked_to_stop;

pub(super) const EXAMPLES: &str = "\
Examples:
  zabsim ensemble 3                           three servers on 127.0.0.1:2181 to 2183
  zabsim ensemble 5 --dir data                five, with data that stay
  zabsim ensemble 3 --client-port 12181       elsewhere: clients from this port on, quorum 1000 and election 2000 above
  zabsim ensemble 3 --set tickTime=500        a line for every zoo.cfg

Each server's zoo.cfg, data and log are in a folder of its own. Ctrl-C stops all of them.";

/// How long servers may take until they serve.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(in crate::cli) struct EnsembleArgs {
    /// How many servers.
    #[arg(value_parser = clap::value_parser!(u16).range(1..=64))]
    pub servers: u16,
    /// Where they keep everything (default: a temporary folder, removed at the end).
    #[arg(long, value_name = "DIR")]
    pub dir: Option<std::path::PathBuf>,
    /// Where the first one listens for clients; the next ones above it.
    #[arg(long, value_name = "PORT", default_value = "2181", value_parser = clap::value_parser!(u16).range(1..=63_000))]
    pub client_port: u16,
    /// A line of the configuration of every server (may be repeated).
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// A server that was started.
struct Member {
    number: u16,
    client_port: u16,
    child: Child,
    ended: bool,
}

pub(super) fn ensemble(args: &EnsembleArgs, screen: &mut Screen) -> Result<Exit> {
    args.set.iter().try_for_each(|setting| key_of(setting).map(drop))?;
    let ports: Vec<u16> = (0..args.servers).map(|i| args.client_port + i).collect();
    for port in ports.iter().flat_map(|&port| needed(port, args.servers)) {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| {
            format!("port {port} is taken; for others: zabsim ensemble {} --client-port PORT", args.servers)
        })?;
    }
    let (interrupt, interrupted) = mpsc::channel();
    when_asked_to_stop(move || {
        // Who listened has stopped already.
        let _ = interrupt.send(());
    })?;
    let scratch = Scratch::new("ensemble", args.dir.as_deref())?;
    let mut members = Vec::new();
    for number in 1..=args.servers {
        members.push(start(number, args, scratch.path())?);
    }
    screen.note(format_args!("{} in {}", plural(args.servers.into(), "server"), scratch.described()));
    let outcome = watch(&mut members, &ports, &interrupted, scratch.path(), screen);
    // The end of its standard input tells a server to stop: each gets it before the first is waited for.
    members.iter_mut().for_each(|member| drop(member.child.stdin.take()));
    for member in &mut members {
        member.child.wait().with_context(|| format!("cannot wait for server {}", member.number))?;
    }
    outcome.map(|()| Exit::Good)
}

/// The ports of the server whose clients connect to `client`.
fn needed(client: u16, servers: u16) -> impl Iterator<Item = u16> {
    let between = if servers > 1 { 2 } else { 0 };
    std::iter::once(client).chain((1..=between).map(move |i| client + 1000 * i))
}

fn start(number: u16, args: &EnsembleArgs, folder: &Path) -> Result<Member> {
    let own = folder.join(number.to_string());
    let data = own.join("data");
    let context = || format!("cannot write into {}", own.display());
    fs::create_dir_all(&data).with_context(context)?;
    fs::write(data.join("myid"), format!("{number}\n")).with_context(context)?;
    let config = own.join("zoo.cfg");
    fs::write(&config, zoo_cfg(number, args, &data)?).with_context(context)?;
    let log = File::options().create(true).append(true).open(own.join("log")).with_context(context)?;
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command.arg("serve").arg(&config).arg("--attached");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn();
    let child = child.with_context(|| format!("cannot start server {number}"))?;
    Ok(Member { number, client_port: args.client_port + number - 1, child, ended: false })
}

fn zoo_cfg(number: u16, args: &EnsembleArgs, data: &Path) -> Result<String> {
    let data = data.to_str().context("a folder needs a name in UTF-8")?.replace('\\', "\\\\");
    let own = [
        ("tickTime", "2000".to_owned()),
        ("initLimit", "10".to_owned()),
        ("syncLimit", "5".to_owned()),
        ("dataDir", data),
        ("clientPort", (args.client_port + number - 1).to_string()),
        ("clientPortAddress", "127.0.0.1".to_owned()),
        ("4lw.commands.whitelist", "*".to_owned()),
        ("admin.enableServer", "false".to_owned()),
    ];
    let mut lines: Vec<_> = own.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    if args.servers > 1 {
        for other in 1..=args.servers {
            let client = args.client_port + other - 1;
            lines.push((format!("server.{other}"), format!("127.0.0.1:{}:{}", client + 1000, client + 2000)));
        }
    }
    let set: Vec<&str> = args.set.iter().map(|setting| key_of(setting)).collect::<Result<_>>()?;
    let is_set = |key: &str| set.iter().any(|it| it.strip_prefix("zookeeper.").unwrap_or(it) == key);
    let kept = lines.into_iter().filter(|(key, _)| !is_set(key)).map(|(key, value)| format!("{key}={value}\n"));
    Ok(kept.chain(args.set.iter().map(|setting| format!("{setting}\n"))).collect())
}

/// Says when everybody serves, and then who ends, until somebody interrupts.
fn watch(
    members: &mut [Member],
    ports: &[u16],
    interrupted: &mpsc::Receiver<()>,
    folder: &Path,
    screen: &mut Screen,
) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut serving = false;
    loop {
        match interrupted.recv_timeout(Duration::from_millis(100)) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        for member in members.iter_mut().filter(|member| !member.ended) {
            if let Some(status) = member.child.try_wait().context("cannot watch a server")? {
                member.ended = true;
                let log = folder.join(member.number.to_string()).join("log");
                if !serving {
                    let log = fs::read_to_string(&log).unwrap_or_default();
                    bail!("server {} did not start:\n{}", member.number, last_words(&log));
                }
                screen.note(format_args!("server {} ended ({status}); its log: {}", member.number, log.display()));
            }
        }
        if members.iter().all(|member| member.ended) {
            bail!("no server is left");
        }
        if serving {
            continue;
        }
        let modes: Option<Vec<String>> = members.iter().map(|member| mode(member.client_port)).collect();
        if let Some(modes) = modes {
            for (member, mode) in members.iter().zip(modes) {
                screen.line(format_args!("server {}  127.0.0.1:{}  {mode}", member.number, member.client_port));
            }
            let hosts: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
            screen.line(format_args!("connect to {}", hosts.join(",")));
            screen.flush();
            screen.note("Ctrl-C stops them");
            serving = true;
        } else if Instant::now() > deadline {
            bail!("not all servers serve after {} s; their logs are in {}", PATIENCE.as_secs(), folder.display());
        }
    }
}

/// What a server that ended says of it: from its first error of this start on, or the end of its log.
fn last_words(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let is_start = |line: &&str| line.contains(" starts version=");
    let started = lines.iter().rposition(is_start).unwrap_or(0);
    let is_error = |line: &&str| line.starts_with("error: ") || line.contains(" ERROR ");
    let error = lines[started..].iter().position(is_error).map(|at| started + at);
    lines[error.unwrap_or(lines.len().saturating_sub(5))..].join("\n")
}

/// What a server is, once it serves.
fn mode(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(b"srvr").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.lines().find_map(|line| line.strip_prefix("Mode: ")).map(str::to_owned)
}
