"""A client that speaks ZooKeeper's protocol byte by byte, so that what a server answers can be compared exactly."""

import select
import socket
import struct
import threading
import time

OPS = {
    "create": 1, "delete": 2, "exists": 3, "getData": 4, "setData": 5, "getACL": 6, "setACL": 7, "getChildren": 8, "sync": 9,
    "ping": 11, "getChildren2": 12, "check": 13, "multi": 14, "create2": 15, "reconfig": 16, "checkWatches": 17,
    "removeWatches": 18, "createContainer": 19, "createTTL": 21, "multiRead": 22, "auth": 100, "setWatches": 101,
    "getEphemerals": 103, "getAllChildrenNumber": 104, "setWatches2": 105, "addWatch": 106, "whoAmI": 107, "closeSession": -11,
}
PING_XID = -2
NAMES = {code: name for name, code in OPS.items()}
OPEN = [(31, "world", "anyone")]


def i32(value):
    return struct.pack(">i", value)


def i64(value):
    return struct.pack(">q", value)


def boolean(value):
    return b"\1" if value else b"\0"


def buffer(value):
    if value is None:
        return i32(-1)
    value = value.encode() if isinstance(value, str) else value
    return i32(len(value)) + value


def vector(values, encode):
    return i32(-1) if values is None else i32(len(values)) + b"".join(encode(value) for value in values)


def acl(entries):
    return vector(entries, lambda one: i32(one[0]) + buffer(one[1]) + buffer(one[2]))


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        value = struct.unpack_from(">" + form, self.data, self.at)[0]
        self.at += struct.calcsize(">" + form)
        return value

    def i32(self):
        return self.take("i")

    def i64(self):
        return self.take("q")

    def boolean(self):
        return self.take("B") != 0

    def buffer(self):
        length = self.i32()
        if length < 0:
            return None
        value = self.data[self.at : self.at + length]
        self.at += length
        return value

    def string(self):
        value = self.buffer()
        return None if value is None else value.decode()

    def vector(self, decode):
        count = self.i32()
        return None if count < 0 else [decode() for _ in range(count)]

    def stat(self):
        fields = ("czxid", "mzxid", "ctime", "mtime", "version", "cversion", "aversion", "owner", "length", "children", "pzxid")
        return dict(zip(fields, [self.take(form) for form in "qqqqiiiqiiq"]))

    def acl(self):
        return self.vector(lambda: (self.i32(), self.string(), self.string()))

    def rest(self):
        value, self.at = self.data[self.at :], len(self.data)
        return value


def create_body(path, data=b"", acls=OPEN, flags=0, ttl=None):
    return buffer(path) + buffer(data) + acl(acls) + i32(flags) + (i64(ttl) if ttl is not None else b"")


def multi_body(ops):
    text = b""
    for name, body in ops:
        text += i32(OPS[name]) + boolean(False) + i32(-1) + body
    return text + i32(-1) + boolean(True) + i32(-1)


def read_multi(reader):
    results = []
    while True:
        kind, done, error = reader.i32(), reader.boolean(), reader.i32()
        if done:
            return results
        if kind == -1:
            results.append(("error", error, reader.i32()))
        elif kind in (1,):
            results.append(("create", reader.string()))
        elif kind in (15,):
            results.append(("create2", reader.string(), reader.stat()))
        elif kind == 5:
            results.append(("setData", reader.stat()))
        elif kind == 4:
            results.append(("getData", reader.buffer(), reader.stat()))
        elif kind == 8:
            results.append(("getChildren", sorted(reader.vector(reader.string))))
        else:
            results.append((NAMES.get(kind, kind),))


def read_reply(op, reader):
    if op in ("create", "sync"):
        return reader.string()
    if op in ("create2", "createContainer", "createTTL"):
        return reader.string(), reader.stat()
    if op in ("exists", "setData", "setACL"):
        return reader.stat()
    if op == "getData":
        return reader.buffer(), reader.stat()
    if op == "getACL":
        return reader.acl(), reader.stat()
    if op == "getChildren":
        return sorted(reader.vector(reader.string))
    if op == "getChildren2":
        return sorted(reader.vector(reader.string)), reader.stat()
    if op in ("getAllChildrenNumber", "addWatch"):
        return reader.i32()
    if op == "getEphemerals":
        return sorted(reader.vector(reader.string))
    if op == "whoAmI":
        # ZooKeeper lists them in the order of a hash.
        return sorted(reader.vector(lambda: (reader.string(), reader.string())))
    if op in ("multi", "multiRead"):
        return read_multi(reader)
    return None


class Client:
    """One connection. `call` sends a request and waits for its reply; events that came meanwhile are in `events`."""

    def __init__(self, port, timeout_ms=10000, session=0, password=bytes(16), last_zxid=0, read_only=True):
        self.link = socket.create_connection(("127.0.0.1", port), 10)
        self.link.settimeout(15)
        self.xid, self.events, self.lock, self.pings = 0, [], threading.Lock(), 0
        body = i32(0) + i64(last_zxid) + i32(timeout_ms) + i64(session) + buffer(password)
        self.send(body + (boolean(False) if read_only else b""))
        reader = Reader(self.receive())
        self.protocol, self.timeout, self.session = reader.i32(), reader.i32(), reader.i64()
        self.password, self.tail = reader.buffer(), reader.rest()

    def send(self, body):
        self.link.sendall(i32(len(body)) + body)

    def receive(self):
        head = self._exactly(4)
        return self._exactly(struct.unpack(">i", head)[0])

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.link.recv(count - len(data))
            if not piece:
                raise ConnectionError("the server closed the connection")
            data += piece
        return data

    def call(self, op, body=b"", xid=None):
        """The reply as (zxid, error, value); a reply that is not the one waited for is an error."""
        if xid is None:
            self.xid += 1
            xid = self.xid
        self.send(i32(xid) + i32(OPS[op] if isinstance(op, str) else op) + body)
        while True:
            self._ping_until_readable()
            reader = Reader(self.receive())
            got, zxid, error = reader.i32(), reader.i64(), reader.i32()
            if got == PING_XID != xid:
                continue
            if got == -1 and xid != -1:
                self.events.append((zxid, reader.i32(), reader.i32(), reader.string()))
                continue
            assert got == xid, f"a reply to {got} where one to {xid} was due"
            value = read_reply(op, reader) if error == 0 else None
            left = reader.rest()
            assert not left, f"{len(left)} bytes too many in a reply to {op}: {left.hex()}"
            return zxid, error, value

    def _ping_until_readable(self):
        """As every client does. Without it a read at Apache's server can wait until the session ends (ZOOKEEPER-4537)."""
        end, pause = time.monotonic() + self.link.gettimeout(), min(max(self.timeout, 500) / 3000, 1.0)
        while not select.select([self.link], [], [], pause)[0] and time.monotonic() < end:
            self.send(i32(PING_XID) + i32(OPS["ping"]))
            self.pings += 1

    def poll_events(self, wait=0.0):
        """Events that have arrived; waits that long for a first one."""
        self.link.settimeout(wait or 0.001)
        try:
            while True:
                reader = Reader(self.receive())
                xid, zxid, _ = reader.i32(), reader.i64(), reader.i32()
                if xid == PING_XID:
                    continue
                assert xid == -1, f"a reply to {xid} that nobody waits for"
                self.events.append((zxid, reader.i32(), reader.i32(), reader.string()))
                self.link.settimeout(0.05)
        except (TimeoutError, socket.timeout):
            pass
        finally:
            self.link.settimeout(15)
        return self.events

    def is_closed(self, wait=5.0):
        """Whether the server closes the connection."""
        self.link.settimeout(wait)
        try:
            return self.link.recv(1) == b""
        except ConnectionError:
            return True
        except (TimeoutError, socket.timeout):
            return False

    def close(self):
        self.link.close()
