#!/usr/bin/env python3
"""Proof 3: ensembles of Apache ZooKeeper and zabsim. Each kind leads in turn, by sid and by history; every member takes writes; the
leader and a follower are killed and come back; DIFF, TRUNC and SNAP are sent both ways; observers of each kind. In the end all trees and
digests are equal.

    tests/interop/mixed.py [--writes 1000] [--only NAME]
"""

import argparse
import pathlib
import sys
import tempfile
import time
import traceback

from ensemble import Ensemble, connect, wait_for
from raw import create_body, i32
from tree import COMPARED, assert_same


class Writer:
    """Writes numbered nodes and remembers which were acknowledged."""

    def __init__(self):
        self.acknowledged, self.next = [], 0

    def write(self, member, count, prefix="/n"):
        client = connect(member.client)
        for _ in range(count):
            self.next += 1
            path = f"{prefix}{self.next:06d}"
            _, error, _ = client.call("create", create_body(path, f"written at {member.sid}"))
            assert error == 0, f"create {path} at server {member.sid}: error {error}"
            self.acknowledged.append(path)
        client.call("closeSession")
        client.close()

    def check(self, ensemble):
        tree = assert_same(ensemble.members)
        lost = [path for path in self.acknowledged if path not in tree]
        assert not lost, f"acknowledged and lost: {lost[:5]} and {len(lost)} in all"
        return tree


#: What each kind of leader says when it brings a learner up to date.
SAYS = {
    "zabsim": {"DIFF": "mode=DIFF", "TRUNC": "mode=TRUNC", "SNAP": "mode=SNAP"},
    "apache": {"DIFF": "Sending DIFF zxid", "TRUNC": "Sending TRUNC", "SNAP": "Sending snapshot last zxid"},
}


def assert_sent(leader, mode):
    text = leader.log_text()
    assert SAYS[leader.kind][mode] in text, f"server {leader.sid} ({leader.kind}) leads and has sent nobody a {mode}"


def life(folder, kinds, writes):
    """Writes through every member, the leader dies, a follower dies, they come back."""
    with Ensemble(folder, kinds).start() as ensemble:
        writer = Writer()
        leader = ensemble.leader()
        assert leader.sid == len(ensemble.members), "the largest sid leads where all histories are equal"
        for member in ensemble.members:
            writer.write(member, writes)
        writer.check(ensemble)
        leader.kill()
        rest = [member for member in ensemble.members if member is not leader]
        second = wait_for("another leader", lambda: next((m for m in rest if m.mode() == "leader"), None))
        for member in rest:
            writer.write(member, writes // 4)
        leader.start()
        ensemble.wait()
        assert second.mode() == "leader", "who comes back follows"
        writer.check(ensemble)
        follower = next(m for m in rest if m is not second)
        follower.kill()
        writer.write(leader, writes // 4)
        follower.start()
        ensemble.wait()
        writer.write(follower, writes // 4)
        tree = writer.check(ensemble)
        assert_sent(second, "DIFF")
        return f"{leader.kind} led, then {second.kind}; {len(tree)} nodes, all equal"


def snap(folder, kinds, writes):
    """Who lost its data gets a snapshot: the first follower."""
    with Ensemble(folder, kinds).start() as ensemble:
        writer = Writer()
        writer.write(ensemble[1], writes)
        leader, learner = ensemble.leader(), ensemble[1]
        learner.kill()
        for file in (learner.data / "version-2").iterdir():
            file.unlink()
        writer.write(ensemble[2], writes)
        learner.start()
        ensemble.wait()
        writer.write(learner, 10)
        writer.check(ensemble)
        assert_sent(leader, "SNAP")
        return f"{learner.kind} without data follows {leader.kind}"


def trunc(folder, kinds, writes):
    """A leader that proposes alone dies with txns that nobody else has; when it comes back it must forget them."""
    with Ensemble(folder, kinds).start() as ensemble:
        writer = Writer()
        writer.write(ensemble[1], writes)
        leader = ensemble.leader()
        assert leader.sid == len(ensemble.members), "the largest sid leads where all histories are equal"
        rest = [member for member in ensemble.members if member is not leader]
        client = connect(leader.client)
        for member in rest:
            member.kill()
        for index in range(20):
            try:
                client.send(i32(1000 + index) + i32(1) + create_body(f"/nobody{index}"))
            except OSError:
                break
        time.sleep(0.3)
        leader.kill()
        for member in rest:
            member.start()
        second = wait_for("another leader", lambda: next((m for m in rest if m.mode() == "leader"), None))
        # A txn of the new epoch before that, and Apache's leader would send its state instead.
        leader.start()
        ensemble.wait()
        assert_sent(second, "TRUNC")
        writer.write(second, writes)
        writer.write(leader, 10)
        tree = writer.check(ensemble)
        survived = [path for path in tree if path.startswith("/nobody")]
        assert not survived, f"what nobody acknowledged survived at a server that lost it: {survived}"
        return f"{leader.kind} forgot what it proposed alone, under {second.kind}"


def restart(folder, kinds, writes):
    """All die at once and come back: everything acknowledged is there."""
    with Ensemble(folder, kinds).start() as ensemble:
        writer = Writer()
        for member in ensemble.members:
            writer.write(member, writes)
        for member in ensemble.members:
            member.kill()
        ensemble.start()
        writer.write(ensemble[1], 10)
        writer.check(ensemble)
        return f"{len(writer.acknowledged)} writes survive"


SITUATIONS = [
    ("2 Apache + 1 zabsim, led by Apache", life, "zabsim apache apache"),
    ("2 Apache + 1 zabsim, led by zabsim", life, "apache apache zabsim"),
    ("1 Apache + 2 zabsim, led by zabsim", life, "apache zabsim zabsim"),
    ("1 Apache + 2 zabsim, led by Apache", life, "zabsim zabsim apache"),
    ("a zabsim observer behind Apache", life, "zabsim* apache apache apache"),
    ("an Apache observer behind zabsim", life, "apache* zabsim zabsim zabsim"),
    ("SNAP from Apache to zabsim", snap, "zabsim apache apache"),
    ("SNAP from zabsim to Apache", snap, "apache zabsim zabsim"),
    ("TRUNC from Apache to zabsim", trunc, "apache apache zabsim"),
    ("TRUNC from zabsim to Apache", trunc, "zabsim zabsim apache"),
    ("restart of 2 Apache + 1 zabsim", restart, "zabsim apache apache"),
    ("restart of 1 Apache + 2 zabsim", restart, "apache zabsim zabsim"),
]


def last_words(folder):
    """The ends of the logs of all servers: who left whom."""
    for log in sorted(it for it in pathlib.Path(folder).rglob("log") if it.is_file()):
        print(f"-- {log}", *log.read_text(errors="replace").splitlines()[-40:], sep="\n", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writes", type=int, default=1000, help="through each member that writes")
    parser.add_argument("--only", default="", help="only situations whose name contains this")
    parser.add_argument("--kinds", help="these servers instead of those of each situation")
    parser.add_argument("--keep", help="keep the folders here")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for index, (name, situation, kinds) in enumerate(SITUATIONS):
            if options.only not in name:
                continue
            start = time.monotonic()
            try:
                result = situation(f"{options.keep or folder}/{index}", options.kinds or kinds, options.writes)
            except (AssertionError, OSError) as error:
                failed += 1
                result = f"FAILED: {error}"
                traceback.print_exc()
                last_words(f"{options.keep or folder}/{index}")
            print(f"{name}: {result} ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{COMPARED[0]} digests of the same txns at two servers were compared")
    assert options.only or COMPARED[0], "no digest was compared"
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
