#!/usr/bin/env python3
"""What kill -9 cannot show, since the page cache survives it: no write is acknowledged before the disk has it. Watches the system calls of
a real server with strace (Debian: `apt-get install strace`).

    tests/interop/fsync.py [--writes N]
"""

import argparse
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

from ensemble import ZABSIM, free_ports, wait_for
from raw import Client, buffer, create_body, i32

CALLS = "fdatasync,fsync,write,writev,sendto,sendmsg"


def trace(folder, force_sync, writes):
    """The lines that strace wrote about a server to which one client wrote so often, one after the other; and the client port."""
    (port,) = free_ports(1)
    config, log = folder / "zoo.cfg", folder / "trace"
    config.write_text(f"dataDir={folder}/data\nclientPort={port}\nclientPortAddress=127.0.0.1\nforceSync={force_sync}\n")
    # Descriptors are shown with what they are.
    command = ["strace", "-f", "-yy", "-s", "0", "-e", "signal=none", "-e", f"trace={CALLS}", "-o", str(log), ZABSIM, "serve", str(config)]
    with open(folder / "log", "wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        def client():
            try:
                return Client(port)
            except OSError:
                return None
        client = wait_for("the server serves", client)
        assert client.call("create", create_body("/fsync"))[1] == 0
        for number in range(writes):
            assert client.call("setData", buffer("/fsync") + buffer(str(number)) + i32(-1))[1] == 0
        client.close()
    finally:
        subprocess.run(["pkill", "-TERM", "-P", str(server.pid)], check=False)
        server.wait(30)
    return log.read_text(errors="replace").splitlines(), port


def acknowledged(lines, port):
    """For each answer on the client port whether a log was synced since the one before."""
    syncing, synced, answers = set(), False, []
    for line in lines:
        thread = line.split()[0]
        if re.search(r"\b(fdatasync|fsync)\(\d+<[^>]*/log\.[0-9a-f]+>", line):
            syncing.add(thread)
        if thread in syncing and re.search(r"(\)|resumed>\))\s+= 0$", line):
            syncing.discard(thread)
            synced = True
        if re.search(rf"\b(write|writev|sendto|sendmsg)\(\d+<TCP:\[127\.0\.0\.1:{port}->", line):
            answers.append(synced)
            synced = False
    return answers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writes", type=int, default=200)
    writes = parser.parse_args().writes
    found = {}
    for force_sync in ("yes", "no"):
        with tempfile.TemporaryDirectory() as folder:
            lines, port = trace(pathlib.Path(folder), force_sync, writes)
            found[force_sync] = acknowledged(lines, port)
            directory = [line for line in lines if re.search(r"\bfsync\(\d+<[^>]*/version-2>", line)]
            assert directory, "the name of the new log was never synced"
    for force_sync, answers in found.items():
        # The session, the node, the writes.
        assert len(answers) >= writes + 2, f"only {len(answers)} answers were seen"
    early = found["yes"].count(False)
    assert early == 0, f"{early} of {len(found['yes'])} answers left before a sync of the log"
    assert found["no"].count(True) < writes / 2, "forceSync=no waits for the disk"
    print(f"{len(found['yes'])} answers, each behind a sync of the log of its own; with forceSync=no {found['no'].count(True)} of {len(found['no'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
