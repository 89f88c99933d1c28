"""What operators are told: every four-letter word and every admin command of Apache ZooKeeper and of zabsim, key by key.

    tests/interop/words.py [--folder DIR]

Both kinds of server do the same work, standalone and three together. Whatever Apache tells and zabsim does not, or the other way
round, has its reason below, or is a difference. So has a number of `mntr` that is another.
"""

import argparse
import json
import pathlib
import re
import sys
import tempfile
import urllib.request

import ensemble
from ensemble import Ensemble, free_ports, wait_for, word
from raw import Client, boolean, buffer, create_body, i32

#: What Debian's package leaves out of Apache's class path, and its admin server needs.
ensemble.JARS += "".join(
    f":/usr/share/java/{jar}.jar"
    for jar in "jetty9-server jetty9-servlet jetty9-util jetty9-util-ajax jetty9-http jetty9-io jetty9-security servlet-api "
    "jackson-databind jackson-core jackson-annotations commons-cli".split()
)

#: Numbers of Apache that have no counterpart, and why.
NOT_TOLD = {
    "one per top-level path": r"_(read|write)_per_namespace$",
    "between Java's threads, in their queues": r"(commit_?proc|commit_process|prep_process|final_proc|sync_process_time|session_queue"
    r"|sync_processor_(queue|request)|learner_request_processor|_commit_processor|learner_handler_qp|outstanding_changes|request_commit_queued"
    r"|skip_learner_request|requests_not_forwarded|write_committed_time|om_(commit|proposal)|proposal_(process_time|latency|ack_creation)"
    r"|propagation_latency|close_session_prep|socket_closing|concurrent_request)",
    "throttles that are not there": r"(throttle|stale_|large_requests|connection_token|connection_drop_probability)",
    "TLS, and Java itself": r"(tls|handshake|mtls|netty|jvm_|ensemble_auth|insecure_admin)",
    "caches and cleaners that are not there": r"(response_packet|dead_watche)",
    "not counted": r"(auth_failed_count|connection_rejected|cnxn_closed_without|sessionless|watch_(bytes|count$)?bytes|watch_bytes|node_\w+_watch_count"
    r"|revalidate_count|unrecoverable|disloyal|unavailable_time|inflight_|(follower|observer)_sync_time|startup_)",
}
#: Numbers that only zabsim tells.
OWN = {"fsync_threshold_exceed_count"}
#: Numbers that differ from run to run, or with who is counted: Apache's also count the words that were asked. Alone, zabsim is an ensemble
#: of one, which elects itself and commits.
VARIES = re.compile(
    r"^(avg|min|max|sum|p\d+)_(\w*latency|\w*time)$|fsynctime|snapshottime|batch_size|uptime|version|descriptor|alive_connections|packets"
    r"|bytes_received|^(diff|snap|looking)_count|^cnt_election_time"
)
VARIES_ALONE = re.compile(r"^commit_count|^cnt_quorum_ack_latency")
#: Fields of admin commands that are not told: of Java, of TLS, of addresses taken apart.
NOT_FIELDS = re.compile(
    r"^(environment|system_properties)\.|mtls|auth_failed_count|^zabstate\.(quorum|election)_address|^monitor\.|^dump\.session_id_to_timeout"
    r"|^configuration\.(election|init|sync|quorum|peer)_?"
)
#: Not `stmk`, for which Apache waits for the mask.
WORDS = "conf cons dirs dump gtmk hash isro mntr ruok srvr stat wchc wchp wchs".split()


def keys_of(value, path=""):
    """The paths of all fields; those below ids and addresses count once."""
    if isinstance(value, dict):
        for key, inner in value.items():
            key = "#" if re.fullmatch(r"[-/\d].*", key) else key
            yield from keys_of(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for inner in value:
            yield from keys_of(inner, f"{path}[]")
    else:
        yield path


def shape(name, text):
    """A word's answer without what differs from run to run: numbers, paths, and how often a line comes."""
    if name == "mntr":
        return {line.split("\t")[0].removeprefix("zk_") for line in text.splitlines()}
    if name == "conf":
        return {line.split("=")[0] for line in text.splitlines()}
    lines = (re.sub(r"expire at .*", "expire at DATE:", line) for line in text.splitlines())
    # A version is its own; and the connection that asks is none here.
    lines = (re.sub(r"version: .*", "version", line) for line in lines)
    lines = (line for line in lines if not re.fullmatch(r" /\S+\[0\]\(queued=\d+,recved=\d+,sent=\d+\)", line))
    lines = (re.sub(r"(lop|Mode|version)([=:]).*?(,|$)", r"\1\2\3", line) for line in lines)
    return {re.sub(r"0x[0-9a-f]+|-?\d+(\.\d+)?([.:]\d+)*", "N", line) for line in lines}


def collect(kind, count, folder):
    """Server and role → what it tells, after a bit of work. The work is done again where a server kept a client waiting for so long that it
    pinged, or went (ZOOKEEPER-4537): more would be counted."""
    for _ in range(5):
        ports = free_ports(count)
        servers = Ensemble(folder / f"{kind}-{count}", " ".join([kind] * count), **{"admin.enableServer": "true"})
        for member, port in zip(servers.members, ports):
            member.config.write_text(member.config.read_text() + f"admin.serverPort={port}\n")
        with servers:
            servers.start()
            try:
                clients = work(servers)
            except OSError as error:
                print(f"{kind}: {error}; once more", file=sys.stderr)
                continue
            told = {f"server {member.sid}, {member.mode()}": ask(member, port) for member, port in zip(servers.members, ports)}
            pinged = any(client.pings for client in clients)
            for client in clients:
                client.close()
        if not pinged:
            return told
        print(f"{kind}: a client had to ping; once more", file=sys.stderr)
    raise AssertionError(f"{kind} kept its clients waiting five times")


def work(servers):
    """A client at each server, after what each did."""
    clients = [Client(member.client, timeout_ms=60000) for member in servers.members]
    for client in clients:
        client.call("create", create_body("/e", b"1", flags=3))
    clients[0].call("create", create_body("/a", b"x" * 100))
    for _ in range(300):
        clients[0].call("setData", buffer("/a") + buffer(b"y" * 100) + i32(-1))
    for client in clients:
        client.call("sync", buffer("/a"))
        assert client.call("getData", buffer("/a") + boolean(True))[1] == 0
    return clients


def ask(member, port):
    http = lambda path: urllib.request.urlopen(f"http://127.0.0.1:{port}/commands{path}", timeout=10).read().decode()
    wait_for("the admin endpoint", lambda: http(""))
    names = sorted(set(re.findall(r"/commands/(\w+)", http(""))))
    told = {f"word {name}": shape(name, word(member.client, name)) for name in WORDS}
    told["values"] = dict(line.removeprefix("zk_").split("\t", 1) for line in word(member.client, "mntr").splitlines())
    told["commands"] = set(names)
    for name in names:
        if not name.endswith("reset"):
            told[f"command {name}"] = {f"{name}.{key}" for key in keys_of(json.loads(http(f"/{name}")))}
    return told


def differences(role, apache, zabsim):
    reasons = re.compile("|".join(NOT_TOLD.values()))
    values, own = apache.pop("values"), zabsim.pop("values")
    varies = re.compile(f"{VARIES.pattern}|{VARIES_ALONE.pattern}") if "standalone" in role else VARIES
    compared = [key for key in values if key in own and not varies.search(key)]
    assert len(compared) > 18, "hardly any value was compared"
    for key in compared:
        if values[key] != own[key]:
            yield f"word mntr: {key} is {values[key]} at Apache, {own[key]} at zabsim"
    for what in sorted(apache):
        # Alone, Apache knows nothing to say there; zabsim is an ensemble of one.
        if "standalone" in role and what in ("command zabstate", "command leader"):
            continue
        theirs, ours = apache[what], zabsim.get(what, set())
        if what == "word mntr":
            missing, more = {key for key in theirs - ours if not reasons.search(key)}, ours - theirs - OWN
        elif what.startswith("command "):
            missing, more = ({key for key in keys if not NOT_FIELDS.search(key)} for keys in (theirs - ours, ours - theirs))
        else:
            missing, more = theirs - ours, ours - theirs
        for key in sorted(missing):
            yield f"{what}: only Apache: {key}"
        for key in sorted(more):
            yield f"{what}: only zabsim: {key}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=pathlib.Path, help="keep the servers' folders here")
    kept = parser.parse_args().folder
    found = 0
    for count in (1, 3):
        with tempfile.TemporaryDirectory() as folder:
            apache, zabsim = (collect(kind, count, kept or pathlib.Path(folder)) for kind in ("apache", "zabsim"))
        assert list(apache) == list(zabsim), f"the servers have other roles: {list(apache)}, {list(zabsim)}"
        for role in apache:
            numbers = len(zabsim[role]["word mntr"])
            print(f"{role}: {len(zabsim[role]) - 2} words and commands, {numbers} numbers", flush=True)
            for difference in differences(role, apache[role], zabsim[role]):
                print(f"  {difference}")
                found += 1
    print(f"{found} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
