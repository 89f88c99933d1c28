#!/usr/bin/env python3
"""Proof 4: data directories. What zabsim wrote, Apache's server and its tools open; what Apache wrote, zabsim opens; trees equal.

    tests/interop/directories.py [--writes 400]
"""

import argparse
import subprocess
import sys
import tempfile

from ensemble import JARS, Ensemble, connect
from raw import OPEN, Client, acl, buffer, create_body, i32, multi_body
from tree import assert_digests_match, differences, read_tree


def fill(port, writes):
    """Nodes of every kind, some of them gone again."""
    client = Client(port, timeout_ms=30000)

    def call(op, body):
        _, error, value = client.call(op, body)
        assert error == 0, f"{op}: error {error}"
        return value

    for index in range(writes):
        call("create", create_body(f"/d{index}", f"data {index}" * (index % 40)))
        if index % 3 == 0:
            call("setData", buffer(f"/d{index}") + buffer("changed") + i32(-1))
        if index % 7 == 0:
            call("delete", buffer(f"/d{index}") + i32(-1))
    call("create", create_body("/parent", None))
    for flags in (0, 1, 2, 3):
        call("create2", create_body(f"/parent/{flags}-", "x", flags=flags))
    call("createContainer", create_body("/container", "c", flags=4))
    call("createTTL", create_body("/ttl", "t", flags=5, ttl=3_600_000))
    call("create", create_body("/acl", "a", acls=[(1, "world", "anyone"), (31, "digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM=")]))
    call("setACL", buffer("/parent") + acl(OPEN + [(3, "ip", "127.0.0.1")]) + i32(-1))
    call("multi", multi_body([("create", create_body("/m", "1")), ("setData", buffer("/m") + buffer("2") + i32(0))]))
    client.call("multi", multi_body([("create", create_body("/m3")), ("delete", buffer("/nope") + i32(-1))]))
    client.call("setData", buffer("/m") + buffer("") + i32(99))
    return client


def tool(name, *arguments):
    command = ["java", "-cp", f"{JARS}:/usr/share/java/commons-cli.jar", f"org.apache.zookeeper.server.{name}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{name} {arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def check_with_tools(member):
    """Apache's tools read every log and snapshot of ours."""
    records = snapshots = 0
    for file in sorted((member.data / "version-2").iterdir()):
        if file.name.startswith("log."):
            text = tool("persistence.TxnLogToolkit", file)
            assert "CRC ERROR" not in text and "EOF reached after" in text, f"{file.name}: {text[-500:]}"
            records += int(text.split("EOF reached after ")[1].split()[0])
        elif file.name.startswith("snapshot."):
            assert "/zookeeper" in tool("SnapshotFormatter", file), file.name
            snapshots += 1
    return records, snapshots


def hand_over(folder, first, second, writes):
    """`first` writes, `second` opens what it wrote and goes on, then `first` opens that."""
    with Ensemble(folder, first, snapCount=100).start() as ensemble:
        member = ensemble[1]
        client = fill(member.client, writes)
        expected = read_tree(member.client)
        member.kill()
        client.close()
        counted = check_with_tools(member) if first == "zabsim" else None
        for kind in (second, first):
            member.kind = kind
            member.start()
            ensemble.wait()
            tree = read_tree(member.client)
            wrong = differences(expected, tree)
            assert not wrong, f"{kind} reads another tree: {wrong[:3]}"
            assert_digests_match(member)
            late = connect(member.client)
            assert late.call("create", create_body(f"/by-{kind}", "late"))[1] == 0
            late.call("closeSession")
            expected = read_tree(member.client)
            member.stop()
            if kind == "zabsim":
                counted = check_with_tools(member)
        return f"{len(expected)} nodes; Apache's tools read {counted[0]} records and {counted[1]} snapshots of zabsim's folder"


def take_over(folder, first, second, writes):
    """Three servers of `first` write too little for a snapshot and are killed; three of `second` go on with their folders."""
    with Ensemble(folder, f"{first} {first} {first}").start() as ensemble:
        leader = ensemble.leader()
        client = fill(leader.client, writes)
        expected = read_tree(leader.client)
        for member in ensemble.members:
            member.kill()
            member.kind = second
        client.close()
        ensemble.start()
        for member in ensemble.members:
            wrong = differences(expected, read_tree(member.client))
            assert not wrong, f"server {member.sid} reads another tree: {wrong[:3]}"
            assert_digests_match(member)
        return f"{len(expected)} nodes on all three"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writes", type=int, default=400)
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for first, second in (("apache", "zabsim"), ("zabsim", "apache")):
            try:
                result = hand_over(f"{folder}/{first}", first, second, options.writes)
            except (AssertionError, OSError) as error:
                failed, result = failed + 1, f"FAILED: {error}"
            print(f"{first} → {second} → {first}: {result}", flush=True)
            try:
                result = take_over(f"{folder}/three-{first}", first, second, options.writes)
            except (AssertionError, OSError) as error:
                failed, result = failed + 1, f"FAILED: {error}"
            print(f"three {first} → three {second}: {result}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
