#!/usr/bin/env python3
"""Speed: zabsim beside Apache ZooKeeper, in one run, on one machine, with the same durability. The two take turns, each round of one right
after a round of the other; a ratio is the median of the ratios of such neighbours. Servers and load share the machine.

    tests/interop/speed.py [--quick] [--json] [--only one three failover million] [--rounds N] [--seconds S]

Apache's servers get the heap that ZooKeeper's own start script gives them (-Xmx1000m). The table is Markdown.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from ensemble import ZABSIM, Ensemble, wait_for
from raw import OPS, Client, buffer, create_body, i32

KINDS = ("apache", "zabsim")
JAVA = ("-Xmx1000m",)
TICK = 2000


def note(text):
    print(text, file=sys.stderr, flush=True)


class Rows:
    """What was measured: per row one pair of figures for each round."""

    def __init__(self):
        self.rows = {}

    def add(self, name, unit, goal, pair):
        """`goal` is what the ratio of zabsim to Apache should be: `>= 2`, `<= 0.5`."""
        row = self.rows.setdefault(name, {"unit": unit, "goal": goal, "apache": [], "zabsim": []})
        for kind in KINDS:
            row[kind].append(pair[kind])
        note(f"  {name}: apache {shown(pair['apache'])}, zabsim {shown(pair['zabsim'])} {unit}")

    def finished(self):
        for name, row in self.rows.items():
            ratios = [ours / theirs for ours, theirs in zip(row["zabsim"], row["apache"]) if theirs]
            ratio = statistics.median(ratios) if ratios else None
            medians = {kind: statistics.median(row[kind]) for kind in KINDS}
            yield {"name": name, "unit": row["unit"], **medians, "ratio": ratio, "goal": row["goal"], "rounds": len(row["apache"])}


def shown(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"


def meets(ratio, goal):
    sign, bound = goal.split()
    return ratio >= float(bound) if sign == ">=" else ratio <= float(bound)


def table(rows):
    cells = [["", "Apache 3.8.0", "zabsim", "ratio", "goal", ""]]
    for row in rows:
        ratio = row["ratio"]
        reached = "" if ratio is None or not row["goal"] else "reached" if meets(ratio, row["goal"]) else "not reached"
        goal = row["goal"].replace(">= ", "≥ ").replace("<= ", "≤ ")
        name = f"{row['name']}, {row['unit']}"
        cells.append([name, shown(row["apache"]), shown(row["zabsim"]), "" if ratio is None else f"{ratio:.2f}", goal, reached])
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |" for line in cells]
    rule = "|" + "|".join("-" * (width + 1) + (":" if 1 <= column <= 3 else "-") for column, width in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def memory(member):
    """Resident bytes now, and the most there ever were."""
    status = pathlib.Path(f"/proc/{member.process.pid}/status").read_text()
    return {key: int(re.search(rf"{key}:\s+(\d+) kB", status)[1]) * 1024 for key in ("VmRSS", "VmHWM")}


def bench(ensemble, *flags, tries=3):
    """One load of `zabsim bench` on all servers of an ensemble. A server may lose its leader, and with it its clients, under such a load:
    that is told, and measured again."""
    servers = [member.address for member in ensemble.members]
    pids = [flag for member in ensemble.members for flag in ("--pid", str(member.process.pid))]
    command = [ZABSIM, "bench", *servers, *pids, "--json", *map(str, flags)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        return json.loads(done.stdout)
    logs = "\n".join(f"server {member.sid} ({member.kind}): {member.tail(8)}" for member in ensemble.members)
    assert tries > 1, f"{' '.join(command)}: {done.stderr}{logs}"
    note(f"  once more: {done.stderr.strip()} ({ensemble.members[0].kind})")
    ensemble.wait()
    return bench(ensemble, *flags, tries=tries - 1)


@contextlib.contextmanager
def both(servers, **settings):
    """An ensemble of each kind, both running."""
    settings = {"tickTime": TICK, **settings}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        yield {
            kind: stack.enter_context(Ensemble(f"{folder}/{kind}", " ".join([kind] * servers), java=JAVA, **settings)).start()
            for kind in KINDS
        }


def in_turn(round, measure):
    """Measures both kinds; who is first changes from round to round."""
    return {kind: measure(kind) for kind in (KINDS if round % 2 == 0 else KINDS[::-1])}


def add(rows, name, unit, goal, done, read):
    """One figure out of what was measured of both kinds."""
    rows.add(name, unit, goal, {kind: read(done[kind]) for kind in KINDS})


def throughput(rows, options, servers, force_sync, reads):
    where = f"{servers} server{'s' if servers > 1 else ''}, fsync {'on' if force_sync else 'off'}"
    note(where)
    with both(servers, forceSync="yes" if force_sync else "no") as ensembles:
        loads = {"writes": ["--time", f"{options.seconds}s"]}
        if reads:
            loads["reads"] = [*loads["writes"], "--reads", "100"]
        for kind in KINDS:
            # Java compiles what it runs often.
            for flags in loads.values():
                bench(ensembles[kind], *flags[2:], "--time", f"{options.warm_up}s")
        for round in range(options.rounds):
            for load, flags in loads.items():
                done = in_turn(round, lambda kind: bench(ensembles[kind], *flags))
                # What is read was synced long ago.
                name = f"{load}, {where if load == 'writes' else where.split(',')[0]}"
                add(rows, name, "1/s", ">= 2", done, lambda report: report[load]["per_second"])
                add(rows, f"{name}: p99", "ms", "<= 0.5" if load == "writes" else "", done, lambda report: report[load]["p99_us"] / 1000)
                spent = lambda report: sum(process["cpu_us_per_operation"] for process in report["processes"])
                add(rows, f"{name}: processor time", "µs each", "", done, spent)
            alone = ["--time", f"{options.seconds}s", "--connections", 1, "--window", 1]
            done = in_turn(round, lambda kind: bench(ensembles[kind], *alone))
            add(rows, f"one write alone, {where}: p50", "ms", "", done, lambda report: report["writes"]["p50_us"] / 1000)
        resident = {kind: max(memory(member)["VmRSS"] for member in ensembles[kind].members) / 2**20 for kind in KINDS}
        rows.add(f"resident memory after these loads, {where}", "MiB", "<= 0.1", resident)


def failover(rows, options):
    note("kill -9 of the leader")
    with both(3) as ensembles:
        for kind in KINDS:
            client = Client(ensembles[kind][1].client)
            assert client.call("create", create_body("/failover"))[1] == 0
            client.close()
        for round in range(options.rounds):
            taken = in_turn(round, lambda kind: time_to_write(ensembles[kind]))
            rows.add(f"kill -9 of the leader to the next write, ticks of {TICK} ms", "ms", "<= 1", taken)


def time_to_write(ensemble):
    """Milliseconds from the kill of the leader until a survivor acknowledges a write."""
    leader = ensemble.leader()
    survivors = [member for member in ensemble.members if member is not leader]
    leader.kill()
    start = time.monotonic()
    attempt = 0
    while True:
        attempt += 1
        assert time.monotonic() - start < 60, "no write within a minute"
        with contextlib.suppress(OSError):
            client = Client(survivors[attempt % 2].client, timeout_ms=4000)
            try:
                client.link.settimeout(2)
                if client.session and client.call("setData", buffer("/failover") + buffer(str(attempt)) + i32(-1))[1] == 0:
                    break
            finally:
                client.close()
        time.sleep(0.005)
    taken = (time.monotonic() - start) * 1000
    leader.start()
    ensemble.wait()
    # A follower that has just come back is still busy with its snapshot.
    time.sleep(1)
    return taken


def million(rows, options):
    many = f"{options.znodes:,} znodes of 100 bytes"
    note(many)
    for round in range(options.fills):
        done = in_turn(round, lambda kind: fill(kind, options.znodes))
        for key, unit, what in (
            ("load", "s", "load"),
            ("p99", "ms", "slowest create of a hundred"),
            ("max", "ms", "slowest create"),
            ("loaded", "MiB", "resident memory when loaded"),
            ("snapshot", "s", "one snapshot"),
            ("restart", "s", "restart until it serves"),
            ("restarted", "MiB", "resident memory after the restart"),
            ("most", "MiB", "most resident memory of the restart"),
        ):
            add(rows, f"{many}: {what}", unit, "", done, lambda figures: figures[key])


def fill(kind, count):
    with tempfile.TemporaryDirectory() as folder, Ensemble(f"{folder}/{kind}", kind, java=JAVA, tickTime=TICK) as ensemble:
        ensemble.start()
        report = bench(ensemble, "--fill", count, "--payload", 100)
        member = ensemble[1]
        figures = {
            "load": report["seconds"],
            "p99": report["writes"]["p99_us"] / 1000,
            "max": report["writes"]["max_us"] / 1000,
            "loaded": memory(member)["VmRSS"] / 2**20,
        }
        member.stop()
        seen = len(member.log_text())
        start = time.monotonic()
        member.start()
        wait_for("a restarted server serves", member.mode, 300)
        figures["restart"] = time.monotonic() - start
        # Both write a snapshot as soon as they lead.
        figures["snapshot"] = wait_for("a snapshot is written", lambda: snapshot_time(member.log_text()[seen:]), 300)
        figures["restarted"], figures["most"] = memory(member)["VmRSS"] / 2**20, memory(member)["VmHWM"] / 2**20
        client = Client(member.client)
        found = client.call("getAllChildrenNumber", buffer("/zabsim-fill"))[2]
        client.close()
        assert found >= count, f"{kind} came back with {found:,} nodes of {count:,}"
        return figures


def snapshot_time(log):
    """Seconds that the last snapshot in a log took."""
    taken = re.findall(r"[Ss]napshot (?:taken in|written .*?took_ms=) ?(\d+)", log)
    return int(taken[-1]) / 1000 if taken else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about a minute: fewer and shorter rounds, fewer znodes")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument("--only", nargs="+", choices=("one", "three", "failover", "million"), default=None)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int)
    options = parser.parse_args()
    quick = options.quick
    options.rounds = options.rounds or (2 if quick else 7)
    options.seconds = options.seconds or (1 if quick else 4)
    options.warm_up = 1 if quick else 6
    options.znodes = 50_000 if quick else 1_000_000
    options.fills = 1 if quick else min(options.rounds, 2)
    parts = {
        "one": lambda rows: [throughput(rows, options, 1, sync, reads=sync) for sync in (True, False)],
        "three": lambda rows: [throughput(rows, options, 3, sync, reads=sync) for sync in (True, False)],
        "failover": lambda rows: failover(rows, options),
        "million": lambda rows: million(rows, options),
    }
    rows = Rows()
    start = time.monotonic()
    for name in options.only or parts:
        parts[name](rows)
    finished = list(rows.finished())
    if options.json:
        print(json.dumps({"cores": os.cpu_count(), "java": JAVA, "rounds": options.rounds, "seconds": options.seconds, "rows": finished}, indent=2))
    else:
        print(table(finished))
    note(f"{os.cpu_count()} cores, Java {' '.join(JAVA)}, {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
