#!/usr/bin/env python3
"""Proof 1: one client script against Apache ZooKeeper and against zabsim, standalone and with three servers. Every reply,
stat, error and watch event must be equal but for times and ids.

    tests/interop/same_replies.py [KIND …]     kinds to compare, default: apache zabsim
"""

import hashlib
import base64
import struct
import sys
import tempfile

from ensemble import Ensemble, second_clients
from raw import OPEN, Client, acl, boolean, buffer, create_body, i32, i64, multi_body, vector

READ = [(1, "world", "anyone")]


class Script:
    """Runs the steps and notes what came of each, with times and ids replaced by what they stand for."""

    def __init__(self, ports):
        self.ports, self.notes, self.base, self.sessions, self.watchers = ports, [], None, {}, []

    def client(self, server=0, **options):
        client = Client(self.ports[server % len(self.ports)], **options)
        if client.session:
            self.sessions.setdefault(client.session, f"session {len(self.sessions) + 1}")
        return client

    def plain(self, value, key=None):
        """`value` without times and ids."""
        if isinstance(value, dict):
            return {name: self.plain(part, name) for name, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(part) for part in value]
        if key in ("ctime", "mtime"):
            return "time" if value > 0 else value
        if key in ("czxid", "mzxid", "pzxid"):
            return self.zxid(value)
        if key == "owner":
            return self.sessions.get(value, value)
        return value.decode("latin-1") if isinstance(value, bytes) else value

    def zxid(self, zxid):
        if zxid <= 0:
            return zxid
        counter = zxid & 0xFFFFFFFF
        return f"zxid {counter - self.base}" if counter > self.base else f"zxid {counter} of before"

    def note(self, step, value):
        self.notes.append((step, value))

    def call(self, client, step, op, body=b"", **options):
        zxid, error, value = client.call(op, body, **options)
        if self.base is None:
            self.base = (zxid & 0xFFFFFFFF) - 1
        self.note(step, [self.zxid(zxid), error, self.plain(value)])
        return value

    def events(self, client, step, wait=0.5):
        events = [[self.zxid(zxid), kind, state, path] for zxid, kind, state, path in client.poll_events(wait)]
        self.note(step, events)
        client.events.clear()


def script(ports):
    s = Script(ports)
    a = s.client(0)
    s.note("handshake", [a.protocol, a.timeout, len(a.password), a.tail.hex()])
    s.call(a, "create", "create", create_body("/a", "hi"))
    s.call(a, "create again", "create", create_body("/a"))
    s.call(a, "create without a parent", "create", create_body("/no/where"))
    for path in ("", "a", "/a/", "//a", "/a//b", "/a/.", "/a/../b", "/a/\x01", "/a/\ue000", "/a/\x00b"):
        s.call(a, f"create at {path!r}", "create", create_body(path))
        s.call(a, f"get at {path!r}", "getData", buffer(path) + boolean(False))
        s.call(a, f"delete at {path!r}", "delete", buffer(path) + i32(-1))
    for flags in (0, 1, 2, 3, 4, 5, 6, 7, -1, 99):
        s.call(a, f"create with flags {flags}", "create", create_body(f"/f{flags}-", "x", flags=flags))
        s.call(a, f"create2 with flags {flags}", "create2", create_body(f"/g{flags}-", "x", flags=flags))
    s.call(a, "container", "createContainer", create_body("/c", "x", flags=4))
    s.call(a, "container of the wrong flags", "createContainer", create_body("/c0", "x", flags=0))
    for ttl in (0, 1, 60000, -1, (1 << 40) - 1, 1 << 40):
        s.call(a, f"ttl {ttl}", "createTTL", create_body(f"/t{ttl}", "x", flags=5, ttl=ttl))
    s.call(a, "sequential with a ttl", "createTTL", create_body("/ts-", "x", flags=6, ttl=60000))
    s.call(a, "ttl of the wrong flags", "createTTL", create_body("/tw", "x", flags=0, ttl=60000))
    s.call(a, "null data", "create2", create_body("/null", None))
    s.call(a, "its data", "getData", buffer("/null") + boolean(False))
    s.call(a, "child of an ephemeral", "create", create_body("/e", flags=1))
    s.call(a, "is refused", "create", create_body("/e/x"))
    s.call(a, "sequences", "create", create_body("/a/s-", flags=2))
    s.call(a, "go up", "create2", create_body("/a/s-", flags=3))
    s.call(a, "whatever is deleted", "delete", buffer("/a/s-0000000001") + i32(-1))
    s.call(a, "from the parent's cversion", "create", create_body("/a/", flags=2))
    s.call(a, "its stat", "exists", buffer("/a") + boolean(False))
    s.call(a, "delete with children", "delete", buffer("/a") + i32(-1))
    s.call(a, "delete a wrong version", "delete", buffer("/null") + i32(7))
    s.call(a, "delete the right one", "delete", buffer("/null") + i32(0))
    s.call(a, "delete what is not there", "delete", buffer("/null") + i32(-1))
    for path in ("/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"):
        s.call(a, f"delete {path}", "delete", buffer(path) + i32(-1))
        s.call(a, f"children of {path}", "getChildren", buffer(path) + boolean(False))
    s.call(a, "set", "setData", buffer("/a") + buffer("yo") + i32(-1))
    s.call(a, "set a wrong version", "setData", buffer("/a") + buffer("no") + i32(0))
    s.call(a, "set the right one", "setData", buffer("/a") + buffer("w") + i32(1))
    s.call(a, "set nothing", "setData", buffer("/a") + buffer(None) + i32(-1))
    s.call(a, "set what is not there", "setData", buffer("/nope") + buffer("") + i32(-1))
    s.call(a, "get", "getData", buffer("/a") + boolean(False))
    s.call(a, "get what is not there", "getData", buffer("/nope") + boolean(False))
    s.call(a, "children", "getChildren", buffer("/a") + boolean(False))
    s.call(a, "children2", "getChildren2", buffer("/a") + boolean(False))
    s.call(a, "children of nothing", "getChildren2", buffer("/nope") + boolean(False))
    s.call(a, "all children", "getAllChildrenNumber", buffer("/a"))
    s.call(a, "all children of all", "getAllChildrenNumber", buffer("/"))
    s.call(a, "ephemerals", "getEphemerals", buffer("/"))
    s.call(a, "ephemerals of /e", "getEphemerals", buffer("/e"))
    s.call(a, "ephemerals of nothing", "getEphemerals", buffer("/nope"))
    s.call(a, "who am I", "whoAmI")
    s.call(a, "sync", "sync", buffer("/a"))
    s.call(a, "ping", "ping", xid=-2)
    acls(s, a)
    multis(s, a)
    watches(s, a)
    sessions(s)
    s.call(a, "unknown op", 55)
    s.note("ends the connection", a.is_closed())
    return s.notes


def acls(s, a):
    digest = "bob:" + base64.b64encode(hashlib.sha1(b"bob:pw").digest()).decode()
    s.call(a, "no acl", "create", create_body("/acl0", acls=[]))
    s.call(a, "null acl", "create", create_body("/acl0", acls=None))
    s.call(a, "unknown scheme", "create", create_body("/acl0", acls=[(31, "nobody", "x")]))
    s.call(a, "world of somebody", "create", create_body("/acl0", acls=[(31, "world", "me")]))
    s.call(a, "auth of nobody", "create", create_body("/acl0", acls=[(31, "auth", "")]))
    s.call(a, "digest without colon", "create", create_body("/acl0", acls=[(31, "digest", "x")]))
    s.call(a, "ip that is none", "create", create_body("/acl0", acls=[(31, "ip", "300.1.1.1")]))
    s.call(a, "ip with bits", "create", create_body("/acl-ip", acls=[(31, "ip", "127.0.0.0/8")]))
    s.call(a, "get by ip", "getData", buffer("/acl-ip") + boolean(False))
    s.call(a, "other ip", "create", create_body("/acl-ip2", acls=[(31, "ip", "10.0.0.0/8")]))
    s.call(a, "is refused", "getData", buffer("/acl-ip2") + boolean(False))
    s.call(a, "twice the same", "create", create_body("/acl2", acls=OPEN + OPEN + READ))
    s.call(a, "is kept once", "getACL", buffer("/acl2"))
    s.call(a, "for bob", "create", create_body("/bob", "secret", acls=[(31, "digest", digest)]))
    for op, body in (
        ("getData", buffer("/bob") + boolean(False)), ("setData", buffer("/bob") + buffer("") + i32(-1)),
        ("create", create_body("/bob/x")), ("getACL", buffer("/bob")), ("getChildren", buffer("/bob") + boolean(False)),
        ("setACL", buffer("/bob") + acl(OPEN) + i32(-1)), ("exists", buffer("/bob") + boolean(False)),
        ("getAllChildrenNumber", buffer("/bob")),
    ):
        s.call(a, f"{op} by another", op, body)
    s.call(a, "authenticate", "auth", i32(0) + buffer("digest") + buffer("bob:pw"), xid=-4)
    s.call(a, "who am I now", "whoAmI")
    s.call(a, "get by bob", "getData", buffer("/bob") + boolean(False))
    s.call(a, "acl by bob", "getACL", buffer("/bob"))
    s.call(a, "create by auth", "create", create_body("/auth", acls=[(31, "auth", "whatever")]))
    s.call(a, "its acl", "getACL", buffer("/auth"))
    s.call(a, "set acl", "setACL", buffer("/bob") + acl(READ) + i32(0))
    s.call(a, "set acl of a wrong version", "setACL", buffer("/bob") + acl(READ) + i32(0))
    s.call(a, "no longer admin", "setACL", buffer("/bob") + acl(OPEN) + i32(1))
    s.call(a, "set acl of nothing", "setACL", buffer("/nope") + acl(OPEN) + i32(-1))
    s.call(a, "acl of nothing", "getACL", buffer("/nope"))
    # It stays after its connection: were it to expire in the middle of the script, zxids would differ by when.
    b = s.client(1, timeout_ms=60_000)
    s.call(b, "masked", "getACL", buffer("/auth"))
    s.call(b, "unknown auth scheme", "auth", i32(0) + buffer("nothing") + buffer("x"), xid=-4)
    s.note("ends the connection", b.is_closed())
    c = s.client(2)
    s.call(c, "super", "auth", i32(0) + buffer("digest") + buffer("super:test"), xid=-4)
    s.call(c, "may all", "setACL", buffer("/bob") + acl(OPEN) + i32(-1))
    s.call(c, "who am I, super", "whoAmI")
    s.call(c, "close", "closeSession")


def multis(s, a):
    create = lambda path, flags=0: ("create", create_body(path, "m", flags=flags))
    check = lambda path, version: ("check", buffer(path) + i32(version))
    s.call(a, "multi", "multi", multi_body([
        create("/m"), check("/m", 0), ("setData", buffer("/m") + buffer("n") + i32(0)), ("create2", create_body("/m2", flags=1)),
        ("createContainer", create_body("/m3", flags=4)), ("createTTL", create_body("/m4", flags=5, ttl=5000)),
        ("delete", buffer("/m3") + i32(-1)), create("/m/s-", 2),
    ]))
    s.call(a, "multi that fails", "multi", multi_body([
        create("/n"), ("delete", buffer("/nope") + i32(-1)), ("setData", buffer("/m") + buffer("") + i32(-1)),
    ]))
    s.call(a, "multi that fails at the first", "multi", multi_body([check("/m", 9), create("/n")]))
    s.call(a, "multi that fails at the last", "multi", multi_body([create("/n"), create("/n")]))
    s.call(a, "multi that depends on itself", "multi", multi_body([
        create("/n"), create("/n/x"), ("delete", buffer("/n/x") + i32(0)), ("delete", buffer("/n") + i32(-1)),
    ]))
    s.call(a, "nothing is left of it", "exists", buffer("/n") + boolean(False))
    s.call(a, "empty multi", "multi", multi_body([]))
    s.call(a, "check of what is not there", "multi", multi_body([check("/nope", -1)]))
    s.call(a, "multi read", "multiRead", multi_body([
        ("getData", buffer("/m") + boolean(False)), ("getChildren", buffer("/m") + boolean(False)),
        ("getData", buffer("/nope") + boolean(False)), ("getChildren", buffer("/nope") + boolean(False)),
    ]))
    s.call(a, "reconfig", "reconfig", buffer(None) + buffer(None) + buffer(None) + i64(-1))


def watches(s, a):
    b, c = s.client(1), s.client(2)

    def settle():
        s.call(b, "b is up to date", "sync", buffer("/"))
        s.call(c, "c is up to date", "sync", buffer("/"))

    s.call(a, "a place to watch", "create", create_body("/w", "0"))
    settle()
    s.call(b, "watch data", "getData", buffer("/w") + boolean(True))
    s.call(b, "watch children", "getChildren", buffer("/w") + boolean(True))
    s.call(b, "watch what is not there", "exists", buffer("/w/new") + boolean(True))
    s.call(c, "watch for ever", "addWatch", buffer("/w") + i32(0))
    s.call(c, "watch below for ever", "addWatch", buffer("/w/x") + i32(1))
    s.call(c, "watch in a way that is none", "addWatch", buffer("/w/x") + i32(9))
    for step, op, body in (
        ("set", "setData", buffer("/w") + buffer("1") + i32(-1)), ("set again", "setData", buffer("/w") + buffer("2") + i32(-1)),
        ("new", "create", create_body("/w/new")), ("x", "create", create_body("/w/x")), ("x/y", "create", create_body("/w/x/y")),
        ("set x/y", "setData", buffer("/w/x/y") + buffer("1") + i32(-1)), ("delete x/y", "delete", buffer("/w/x/y") + i32(-1)),
        ("delete x", "delete", buffer("/w/x") + i32(-1)), ("delete new", "delete", buffer("/w/new") + i32(-1)),
        ("acl", "setACL", buffer("/w") + acl(OPEN) + i32(-1)),
    ):
        s.call(a, f"watched: {step}", op, body)
        settle()
        s.events(b, f"b sees of {step}", 0.05)
        s.events(c, f"c sees of {step}", 0.05)
    s.call(b, "data and children", "getData", buffer("/w") + boolean(True))
    s.call(b, "of the same", "getChildren", buffer("/w") + boolean(True))
    for kind in (1, 2, 3):
        s.call(b, f"has a watch of kind {kind}", "checkWatches", buffer("/w") + i32(kind))
        s.call(c, f"c has a watch of kind {kind}", "checkWatches", buffer("/w") + i32(kind))
    s.call(b, "remove children", "removeWatches", buffer("/w") + i32(1))
    s.call(b, "remove it twice", "removeWatches", buffer("/w") + i32(1))
    s.call(a, "delete what is watched", "delete", buffer("/w") + i32(-1))
    settle()
    s.events(b, "once", 0.05)
    s.events(c, "for ever", 0.05)
    s.call(c, "remove all", "removeWatches", buffer("/w") + i32(3))
    s.call(a, "again", "create", create_body("/w"))
    settle()
    s.events(c, "nothing more", 0.05)
    paths = lambda *names: vector(names, buffer)
    s.call(a, "to be set again", "create2", create_body("/sw"))
    settle()
    body = i64(0) + paths("/sw", "/gone") + paths("/sw", "/later") + paths("/sw", "/gone")
    s.call(b, "set watches of long ago", "setWatches", body, xid=-8)
    s.events(b, "fire at once", 0.2)
    now = b.call("exists", buffer("/sw") + boolean(False))[0]
    s.call(b, "set watches of now", "setWatches2", i64(now) + paths("/sw") + paths("/later") + paths("/sw") + paths("/sw") + paths("/"), xid=-8)
    s.call(a, "later", "create", create_body("/later"))
    s.call(a, "sw", "setData", buffer("/sw") + buffer("1") + i32(-1))
    settle()
    s.events(b, "b's", 0.05)
    s.call(a, "ephemeral", "create", create_body("/eph", flags=1))
    s.call(b, "close b", "closeSession")
    s.note("b is closed", b.is_closed())
    s.call(c, "close c", "closeSession")


def sessions(s):
    one = s.client(1, timeout_ms=1)
    s.note("shortest time-out", one.timeout)
    s.call(one, "close the shortest", "closeSession")
    long = s.client(1, timeout_ms=10_000_000)
    s.note("longest time-out", long.timeout)
    s.call(long, "its ephemeral", "create", create_body("/long", flags=1))
    again = s.client(2, session=long.session, password=long.password)
    s.note("resumed elsewhere", [again.session == long.session, again.timeout])
    s.note("the old connection", long.is_closed() if len(s.ports) == 1 else "stays until it writes")
    s.call(again, "still there", "exists", buffer("/long") + boolean(False))
    wrong = s.client(0, session=long.session, password=b"x" * 16)
    s.note("wrong password", [wrong.session, wrong.timeout, wrong.password.hex(), wrong.is_closed()])
    unknown = s.client(0, session=0x123456789, password=bytes(16))
    s.note("unknown session", [unknown.session, unknown.timeout, unknown.is_closed()])
    s.note("which ends the connection of the session on that server", again.is_closed() if len(s.ports) == 1 else "it is on another")
    again = s.client(0, session=long.session, password=long.password)
    s.call(again, "close it", "closeSession")
    over = s.client(0, session=again.session, password=again.password)
    s.note("a closed session", [over.session, over.timeout, over.is_closed()])
    old = s.client(0, read_only=False)
    s.note("an old client", old.tail.hex())
    s.call(old, "its ephemerals are gone", "exists", buffer("/long") + boolean(False))
    s.call(old, "close old", "closeSession")
    try:
        s.client(0, last_zxid=1 << 60)
        s.note("a client from the future", "was taken")
    except ConnectionError:
        s.note("a client from the future", "is refused")
    expiring = s.client(1, timeout_ms=500)
    s.call(expiring, "ephemeral of one who falls silent", "create", create_body("/silent", flags=1))
    watcher = s.client(0)
    s.call(watcher, "sync first", "sync", buffer("/"))
    s.call(watcher, "is watched", "exists", buffer("/silent") + boolean(True))
    s.events(watcher, "until it expires", 5.0)
    s.note("and is cut off", expiring.is_closed())
    s.call(watcher, "close watcher", "closeSession")


def main():
    kinds = sys.argv[1:] or ["apache", "zabsim"]
    differences = 0
    with tempfile.TemporaryDirectory() as folder:
        for count in (1, 3):
            notes = []
            for index, kind in enumerate(kinds):
                settings = {"zabsim.dialect": "3.8"} if kind == "zabsim" else {}
                with Ensemble(f"{folder}/{index}-{kind}-{count}", " ".join([kind] * count), **settings).start() as servers:
                    ports = [member.client for member in servers.members]
                    with second_clients(ports):
                        notes.append(script(ports))
            steps = 0
            for first, second in zip(*notes):
                steps += 1
                if first != second:
                    differences += 1
                    print(f"{count} server(s), {first[0]}:\n  {kinds[0]}: {first[1]}\n  {kinds[1]}: {second[1]}")
            assert len(notes[0]) == len(notes[1]), "the two scripts took different ways"
            print(f"{count} server(s): {steps} steps compared", flush=True)
    print(f"{differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
