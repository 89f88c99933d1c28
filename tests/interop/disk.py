#!/usr/bin/env python3
"""A disk that refuses a write, as a full one does: the server ends and says why, an ensemble goes on without it, and whatever was
acknowledged is there when it comes back. The system refuses here because a file would grow beyond a limit (RLIMIT_FSIZE).

    tests/interop/disk.py
"""

import argparse
import sys
import tempfile

from ensemble import Ensemble, connect
from raw import create_body
from tree import assert_same

#: Bytes of a file that the victim may write.
LARGEST = 1 << 20
#: Of 1 KiB each: more than fit.
WRITES = 4000


def write_until_refused(member):
    """The nodes that were acknowledged before the server closed the connection."""
    acknowledged, client = [], connect(member.client)
    try:
        for index in range(WRITES):
            path = f"/n{index:06d}"
            _, error, _ = client.call("create", create_body(path, "x" * 1000))
            assert error == 0, f"create {path}: error {error}"
            acknowledged.append(path)
    except ConnectionError:
        return acknowledged
    raise AssertionError(f"{WRITES} writes were acknowledged, and a disk had no place for them")


def refuse(folder, servers, victim, role, file, **settings):
    """The disk of server `victim`, a leader or whatever `role` says, refuses a write to a `file`, a log or a snapshot."""
    with Ensemble(folder, " ".join(["zabsim"] * servers), **settings).start(largest_files={victim: LARGEST}) as ensemble:
        victim = ensemble[victim]
        assert victim.mode() == role, f"server {victim.sid} is {victim.mode()}"
        acknowledged = write_until_refused(victim)
        code = victim.process.wait(20)
        said = [line for line in victim.tail(40).splitlines() if "File too large" in line]
        assert code == 2, f"exit status {code}: {victim.tail()}"
        assert said and f"error={file}." in said[0], f"it does not say that a {file} was refused: {victim.tail()}"
        if servers > 1:
            client = connect(next(member for member in ensemble.members if member is not victim).client)
            assert client.call("create", create_body("/meanwhile"))[1] == 0
            acknowledged.append("/meanwhile")
            client.close()
        victim.start()
        ensemble.wait()
        tree = assert_same(ensemble.members)
        lost = [path for path in acknowledged if path not in tree]
        assert not lost, f"acknowledged and lost: {lost[:5]} and {len(lost)} in all"
        return f"{file} of {role}: {len(acknowledged)} acknowledged writes are there"


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    long_log, short_logs = {"preAllocSize": 64}, {"preAllocSize": 64, "snapCount": 100}
    with tempfile.TemporaryDirectory() as folder:
        print(refuse(f"{folder}/1", 1, 1, "standalone", "log", **long_log), flush=True)
        print(refuse(f"{folder}/2", 3, 3, "leader", "log", **long_log), flush=True)
        print(refuse(f"{folder}/3", 3, 1, "follower", "log", **long_log), flush=True)
        print(refuse(f"{folder}/4", 1, 1, "standalone", "snapshot", **short_logs), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
