"""A whole tree as one client sees it, to compare the trees of two servers."""

import itertools
import re

from ensemble import connect, word
from raw import boolean, buffer

#: Gone since its parent was read.
NO_NODE = -101


def read_tree(port):
    """Path → (data, stat) of everything but `/zookeeper`, after a `sync`."""
    client = connect(port)
    assert client.call("sync", buffer("/"))[1] == 0
    found, waiting = {}, ["/"]
    while waiting:
        path = waiting.pop()
        _, error, value = client.call("getChildren2", buffer(path) + boolean(False))
        if error == NO_NODE and path != "/":
            continue
        assert error == 0, f"{path} cannot be read: {error}"
        children, _ = value
        data, stat = client.call("getData", buffer(path) + boolean(False))[2]
        found[path] = (data, tuple(sorted(stat.items())))
        waiting += [f"{path.rstrip('/')}/{child}" for child in children if path != "/" or child != "zookeeper"]
    client.call("closeSession")
    client.close()
    return found


def differences(first, second):
    """The paths that differ, with both sides."""
    return [(path, first.get(path), second.get(path)) for path in sorted({*first, *second}) if first.get(path) != second.get(path)]


def assert_same(servers):
    """Every server that runs has the same tree."""
    running = [member for member in servers if member.is_up()]
    assert running, "no server runs"
    trees = [read_tree(member.client) for member in running]
    for member, tree in zip(running[1:], trees[1:]):
        wrong = differences(trees[0], tree)
        assert not wrong, f"server {running[0].sid} ({running[0].kind}) and {member.sid} ({member.kind}) differ: {wrong[:3]}"
    assert_same_digests(running)
    return trees[0]


def digests(port):
    """Digests that a server kept of its past (`hash`), by zxid."""
    lines = re.findall(r"^([0-9a-f]+): *(-?\d+)\r?$", word(port, "hash"), re.MULTILINE)
    return {int(zxid, 16): int(digest) for zxid, digest in lines}


def assert_digests_match(server):
    """It never met a txn, or a snapshot, whose digest was not that of its tree."""
    count = re.search(r"^zk_digest_mismatches_count\s+(\d+)", word(server.client, "mntr"), re.MULTILINE)
    assert count and count[1] == "0", f"server {server.sid} ({server.kind}): digest mismatches: {count and count[1]}"


def assert_same_digests(servers):
    """No digest was ever wrong, and what they kept of the same zxids is the same."""
    for server in servers:
        assert_digests_match(server)
    kept = [(server, digests(server.client)) for server in servers]
    for (one, first), (other, second) in itertools.combinations(kept, 2):
        wrong = [hex(zxid) for zxid in first.keys() & second.keys() if first[zxid] != second[zxid]]
        assert not wrong, f"servers {one.sid} ({one.kind}) and {other.sid} ({other.kind}): other digests at {wrong[:3]}"
        COMPARED[0] += len(first.keys() & second.keys())


#: How many digests were compared so far.
COMPARED = [0]
