#!/usr/bin/env python3
"""Proof 5: three real servers under kill -9 of random ones, fsync on, with writes whose acknowledged serials are kept outside. In the end
every acknowledged write is there, once, in order, on every server.

    tests/interop/kill.py [--seconds 600] [--kinds 'zabsim zabsim zabsim'] [--seed N]
"""

import argparse
import random
import sys
import tempfile
import threading
import time

from ensemble import Ensemble
from raw import Client, create_body
from tree import assert_same


class Writer(threading.Thread):
    """One client after the other writes serial numbers at any server: sequential nodes, so that the history orders them."""

    def __init__(self, name, ensemble, seed):
        super().__init__(daemon=True)
        self.label, self.ensemble, self.random = name, ensemble, random.Random(seed)
        self.acknowledged, self.serial, self.done, self.error = [], 0, False, None

    def run(self):
        while not self.done:
            member = self.random.choice(self.ensemble.members)
            try:
                client = Client(member.client, timeout_ms=4000)
                if not client.session:
                    continue
                client.link.settimeout(10)
                while not self.done:
                    self.serial += 1
                    _, error, path = client.call("create", create_body(f"/w/{self.label}-", str(self.serial), flags=2))
                    if error:
                        self.error = self.error or f"write {self.serial} of {self.label}: error {error}"
                        break
                    self.acknowledged.append((self.serial, path))
            except (OSError, ConnectionError):
                time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--kinds", default="zabsim zabsim zabsim")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder, Ensemble(folder + "/servers", options.kinds, snapCount=500).start() as ensemble:
        client = Client(ensemble[1].client)
        assert client.call("create", create_body("/w"))[1] == 0
        client.close()
        writers = [Writer(f"c{index}", ensemble, options.seed + index) for index in range(4)]
        for writer in writers:
            writer.start()
        end, kills = time.monotonic() + options.seconds, 0
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.2, 4.0))
            victims = chance.sample(ensemble.members, chance.choice((1, 1, 1, 2, 3)))
            for victim in victims:
                assert victim.is_up(), f"server {victim.sid} ended by itself (--seed {options.seed}): {victim.tail()}"
                victim.kill()
            kills += len(victims)
            time.sleep(chance.choice((0.0, 0.1, 1.0, 3.0)))
            for victim in chance.sample(victims, len(victims)):
                victim.start()
                time.sleep(chance.choice((0.0, 0.3)))
        ensemble.wait(120)
        for writer in writers:
            writer.done = True
        for writer in writers:
            writer.join(60)
            assert not writer.error, f"{writer.error} (--seed {options.seed})"
        ended = [f"server {member.sid} ended by itself: {member.tail()}" for member in ensemble.members if not member.is_up()]
        assert not ended, f"{ended} (--seed {options.seed})"
        tree = assert_same(ensemble.members)
        count = 0
        for writer in writers:
            previous = -1
            found = {}
            for path, (data, stat) in tree.items():
                if path.startswith(f"/w/{writer.label}-"):
                    assert data not in found, f"{path} and {found[data]} hold the same write (--seed {options.seed})"
                    found[data] = path
            for serial, path in writer.acknowledged:
                count += 1
                where = found.get(str(serial).encode())
                assert where == path, f"write {serial} was acknowledged as {path} and is {where} (--seed {options.seed})"
                order = dict(tree[path][1])["czxid"]
                assert order > previous, f"{path} is out of order (--seed {options.seed})"
                previous = order
        print(f"{count} acknowledged writes are there, once, in order, on every server, after {kills} kills (--seed {options.seed})")
        assert count > options.seconds, "hardly anything was written"
    return 0


if __name__ == "__main__":
    sys.exit(main())
