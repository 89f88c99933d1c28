//! `zabsim serve`: one server until it is asked to stop.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::{fs, thread};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use super::Exit;
use super::render::{Rendered, Screen, complaint};
use super::scratch::Scratch;
use super::signals::when_asked_to_stop;
use crate::server::config::{Complaint, ServerConfig, Source};
use crate::server::{Refusal, Server, raise_limit};
use crate::zab::HaltReason;

pub(super) const EXAMPLES: &str = "\
Examples:
  zabsim serve zoo.cfg                        a member of an ensemble, or a standalone server
  zabsim serve --dev                          a standalone server on 127.0.0.1:2181, its data gone at the end
  zabsim serve --dev --data-dir data          the same, with data that stay
  zabsim serve zoo.cfg --set tickTime=500     one setting instead of that in the file
  RUST_LOG=debug zabsim serve zoo.cfg         a longer log

The file is that of ZooKeeper (zoo.cfg), with the same keys and defaults. SIGTERM and Ctrl-C stop the server and lose nothing; a \
second Ctrl-C ends it at once.";

#[derive(Debug, Args)]
pub(in crate::cli) struct ServeArgs {
    /// The configuration.
    #[arg(conflicts_with = "dev", value_name = "ZOO.CFG")]
    pub config: Option<PathBuf>,
    /// A standalone server that needs no configuration.
    #[arg(long)]
    pub dev: bool,
    /// Where a server with --dev listens for clients.
    #[arg(long, value_name = "PORT", requires = "dev", default_value = "2181")]
    pub client_port: u16,
    /// Where a server with --dev keeps its data (default: a temporary folder, removed at the end).
    #[arg(long, value_name = "DIR", requires = "dev")]
    pub data_dir: Option<PathBuf>,
    /// A line of the configuration, in place of the one in the file (may be repeated).
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// How log lines look.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log: LogFormat,
    /// Stop when standard input ends: for whoever starts servers and may be killed.
    #[arg(long, hide = true)]
    pub attached: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

pub(super) fn serve(args: &ServeArgs, screen: &mut Screen) -> Result<Exit> {
    log_to_stderr(args.log)?;
    raise_limit();
    let scratch = args.dev.then(|| Scratch::new("dev", args.data_dir.as_deref())).transpose()?;
    let source = match (&args.config, &scratch) {
        (Some(path), _) => read(path)?,
        (None, Some(scratch)) => Source::new("--dev", dev(scratch.path(), args.client_port)?),
        (None, None) => bail!("name a zoo.cfg, or try: zabsim serve --dev"),
    };
    args.set.iter().try_for_each(|setting| key_of(setting).map(drop))?;
    let source = source.with_settings(&args.set);
    let config = parse(&source, args.log, screen)?;
    let server = Server::boot(&config).map_err(|error| refused(error, &source, args))?;
    let desk = server.desk();
    let mut asked = false;
    when_asked_to_stop(move || {
        if asked {
            std::process::exit(130);
        }
        asked = true;
        desk.stop();
    })?;
    if args.attached {
        let desk = server.desk();
        thread::spawn(move || {
            // Whatever comes, only its end matters.
            let _ = io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink());
            desk.stop();
        });
    }
    // The log says where any other server listens.
    if let (Some(scratch), LogFormat::Text) = (&scratch, args.log) {
        let address = server.client_address().map(|address| address.to_string()).unwrap_or_default();
        screen.note(format_args!("listening for clients on {address}, data in {}", scratch.described()));
    }
    match server.wait() {
        HaltReason::Stopped => Ok(Exit::Good),
        HaltReason::WriteFailed => bail!("the disk refused a write: the log above says which, and what to do"),
        HaltReason::EpochsInverted => {
            bail!(
                "acceptedEpoch is below currentEpoch: the disk lost a write that it had synced; restore the data folder, or empty it"
            )
        }
        HaltReason::CommitMismatch => bail!("the leader committed what it had not proposed"),
    }
}

/// Why it cannot start: where a `zoo.cfg` says what it cannot have, or in a sentence where nobody wrote one.
fn refused(error: io::Error, source: &Source, args: &ServeArgs) -> anyhow::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Refusal>()) {
        Some(Refusal { key, message, .. }) if args.dev && key == "clientPort" => {
            anyhow::anyhow!("{message}; for another port: --client-port {}", args.client_port.saturating_add(1))
        }
        Some(Refusal { key, message, help }) if !args.dev => {
            let complaint = source.about(key, message.as_str(), help.as_str());
            Rendered(self::complaint(&complaint, annotate_snippets::Level::ERROR).0).into()
        }
        _ => anyhow::Error::new(error).context("cannot start"),
    }
}

fn log_to_stderr(format: LogFormat) -> Result<()> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(wanted) => EnvFilter::try_new(&wanted)
            .with_context(|| format!("RUST_LOG={wanted} says nothing: try info, debug, or zabsim=debug"))?,
        Err(_) => EnvFilter::new("info"),
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    // A second one in this process would be the fault of a test.
    let _ = match format {
        LogFormat::Text => subscriber.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
    Ok(())
}

fn read(path: &Path) -> Result<Source> {
    let shown = path.display();
    if path.is_dir() {
        bail!("{shown} is a directory; name the zoo.cfg in it");
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    Ok(Source::new(shown.to_string(), text_of(bytes)))
}

/// Java reads Latin-1; people write UTF-8. Every text that is not the one is the other.
fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().map(|&byte| char::from(byte)).collect())
}

fn dev(data: &Path, port: u16) -> Result<String> {
    let data = data.to_str().context("a data folder needs a name in UTF-8")?.replace('\\', "\\\\");
    Ok(format!(
        "dataDir={data}\nclientPort={port}\nclientPortAddress=127.0.0.1\ntickTime=2000\n4lw.commands.whitelist=*\n\
         admin.enableServer=false\nextendedTypesEnabled=true\n"
    ))
}

/// What a `--set KEY=VALUE` sets.
pub(super) fn key_of(setting: &str) -> Result<&str> {
    let (key, _) = setting.split_once('=').with_context(|| format!("--set {setting}: write KEY=VALUE"))?;
    Ok(key.trim())
}

/// The configuration, with its warnings shown; or everything that is wrong with it.
fn parse(source: &Source, log: LogFormat, screen: &mut Screen) -> Result<ServerConfig> {
    let mut open = |path: &Path| fs::read(path).map(text_of);
    match ServerConfig::parse(source.clone(), &mut open) {
        Ok((config, warnings)) => {
            warnings.iter().for_each(|warning| match log {
                LogFormat::Text => screen.note(complaint(warning, annotate_snippets::Level::WARNING)),
                LogFormat::Json => tracing::warn!("{warning}"),
            });
            Ok(config)
        }
        Err(errors) => {
            let shown = |error: &Complaint| complaint(error, annotate_snippets::Level::ERROR).0;
            Err(Rendered(errors.iter().map(shown).collect::<Vec<_>>().join("\n\n")).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_utf_8_is_latin_1() {
        assert_eq!(text_of(b"# \xfcber".to_vec()), "# über");
        assert_eq!(text_of("# über".into()), "# über");
    }
}
