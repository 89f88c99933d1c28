#!/usr/bin/env python3
"""Proof 2: the test suite of the client kazoo, against Apache ZooKeeper and against zabsim. What passes there must pass here.

    tests/interop/kazoo_suite.py [--kinds 'apache zabsim'] [--servers 1|3] [-- PYTEST ARGUMENTS]

Left out: reconfiguration, read-only mode, TLS and SASL.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LEFT_OUT = "not TestReconfig and not read_only and not ssl and not SSL and not SASL and not sasl"
#: So many pass at least, of the 476 there are for one server.
MOST_OF_THEM = 450
#: Stops one server and expects the next to be there.
NEEDS_THREE = "test_update_host_list"


# As a plugin of pytest: the cluster that kazoo's harness asks for is ours.


class Server:
    def __init__(self, member):
        self.member, self.address, self.secure_address = member, member.address, None
        self.host, self.client_port = "127.0.0.1", member.client

    @property
    def running(self):
        return self.member.is_up()

    def stop(self):
        self.member.kill()

    def run(self):
        if not self.running:
            self.member.start()
            self.member.ensemble.wait()


class Cluster(list):
    def __getitem__(self, index):
        if isinstance(index, int) and index >= len(self):
            import unittest

            raise unittest.SkipTest(f"needs {index + 1} servers")
        return super().__getitem__(index)

    def start(self):
        for server in self:
            server.run()

    def terminate(self):
        pass

    def get_logs(self):
        return []


RESULTS = {}


def pytest_configure(config):
    from ensemble import Ensemble
    import kazoo.testing.harness as harness

    kind, count = os.environ["INTEROP_KIND"], int(os.environ["INTEROP_SERVERS"])
    settings = {"zabsim.dialect": "3.8"} if kind == "zabsim" else {}
    config.ensemble = Ensemble(os.environ["INTEROP_FOLDER"], " ".join([kind] * count), **settings).start()
    cluster = Cluster(Server(member) for member in config.ensemble.members)
    harness.get_global_cluster = lambda: cluster


def pytest_runtest_logreport(report):
    before = RESULTS.get(report.nodeid, "passed")
    if report.outcome == "failed" or (before == "passed" and report.outcome == "skipped"):
        RESULTS[report.nodeid] = report.outcome
    else:
        RESULTS.setdefault(report.nodeid, "passed")


def pytest_unconfigure(config):
    config.ensemble.__exit__()
    with open(os.environ["INTEROP_RESULTS"], "w") as file:
        json.dump(RESULTS, file)


# As a command.


def run(kind, servers, arguments):
    with tempfile.TemporaryDirectory() as folder:
        results = f"{folder}/results.json"
        environment = {
            **os.environ, "CI": "1", "ZOOKEEPER_VERSION": "3.8.0", "INTEROP_KIND": kind, "INTEROP_SERVERS": str(servers),
            "INTEROP_FOLDER": f"{folder}/servers", "INTEROP_RESULTS": results, "PYTHONPATH": HERE,
            "ZABSIM": os.path.abspath(os.environ.get("ZABSIM", "target/release/zabsim")),
        }
        chosen = LEFT_OUT if servers > 1 else f"{LEFT_OUT} and not {NEEDS_THREE}"
        command = [sys.executable, "-m", "pytest", "-q", "--timeout", "90", "-p", "kazoo_suite", "-p", "no:cacheprovider"]
        command += ["--pyargs", "kazoo.tests", "-k", chosen, "--tb", "short", *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, check=False)
        assert done.returncode in (0, 1), f"pytest did not run the tests: exit status {done.returncode}"
        with open(results) as file:
            return json.load(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default="apache zabsim")
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    results = {kind: run(kind, options.servers, options.arguments) for kind in options.kinds.split()}
    for kind, outcomes in results.items():
        counts = {outcome: list(outcomes.values()).count(outcome) for outcome in ("passed", "failed", "skipped")}
        print(f"{kind}: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
        # Those that kazoo skips by itself are none: a suite that was not collected passes nothing.
        assert options.arguments or counts["passed"] >= MOST_OF_THEM, f"{kind}: only {counts['passed']} tests passed"
    first, *others = results.values()
    lost = [(test, other.get(test)) for other in others for test in first if first[test] == "passed" != other.get(test)]
    for test, outcome in lost:
        print(f"passes with {options.kinds.split()[0]}, {outcome} here: {test}")
    assert others or "failed" not in first.values(), "tests failed"
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
