"""Real servers on loopback, Apache ZooKeeper's and zabsim's, alone or in one ensemble."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

from raw import PING_XID, Client, boolean, buffer

JARS = ":".join(
    f"/usr/share/java/{jar}.jar"
    for jar in ("zookeeper", "slf4j-simple", "netty-codec", "netty-resolver", "netty-transport-native-unix-common")
)
#: User `super`, password `test`.
SUPER = "super:D/InIHSb7yEEbrWz8b9l71RjZJU="
ZABSIM = os.environ.get("ZABSIM", "target/release/zabsim")
#: Options of Java for Apache's servers. One says of a TRUNC that it sends it only in its debug log.
JAVA = ("-Xmx512m", "-Dorg.slf4j.simpleLogger.log.org.apache.zookeeper.server.quorum.LearnerHandler=debug")


def free_ports(count):
    """So many ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def word(port, text, timeout=2.0):
    """What a server answers to a four-letter word; empty if it does not."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as link:
            link.settimeout(timeout)
            link.sendall(text.encode())
            answer = b""
            while piece := link.recv(65536):
                answer += piece
            return answer.decode(errors="replace")
    except OSError:
        return ""


def listens(port):
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def wait_for(what, condition, timeout=60.0):
    """Waits until `condition()` is true, and returns its value."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {timeout:.0f} s")


def connect(port, **options):
    """A session that has answered a request. The only client of Apache's server may have to wait until its session has expired, get it
    then, and find it closed: the server has missed a commit and looks again when another comes (ZOOKEEPER-4537). That was seen with three
    Apache servers alone, once in tens of thousands of sessions."""

    def dial():
        try:
            client = Client(port, **options)
            client.call("exists", buffer("/") + boolean(False))
            return client
        except OSError:
            return None

    return wait_for(f"a session at port {port}", dial)


@contextlib.contextmanager
def second_clients(ports):
    """A client at each server, beside those of a script, that pings five times a second: nobody there is the only one who could wake up
    Apache's server when it has missed a commit (ZOOKEEPER-4537)."""
    clients, over, failed = [connect(port, timeout_ms=30000) for port in ports], threading.Event(), []

    def ping():
        try:
            while not over.wait(0.2):
                for client in clients:
                    client.call("ping", xid=PING_XID)
        except OSError as error:
            failed.append(error)

    pinging = threading.Thread(target=ping, daemon=True)
    pinging.start()
    try:
        yield
    finally:
        over.set()
        pinging.join()
        for client in clients:
            client.close()
    assert not failed, f"a second client lost its server: {failed[0]}"


class Member:
    """One server: `apache` or `zabsim`."""

    def __init__(self, ensemble, sid, kind, ports, role="participant"):
        self.ensemble, self.sid, self.kind, self.role = ensemble, sid, kind, role
        self.client, self.quorum, self.election = ports
        self.folder = ensemble.folder / str(sid)
        self.data = self.folder / "data"
        self.config = self.folder / "zoo.cfg"
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.client}"

    def line(self):
        return f"server.{self.sid}=127.0.0.1:{self.quorum}:{self.election}:{self.role}"

    def write_config(self, settings, lines):
        self.data.mkdir(parents=True, exist_ok=True)
        (self.data / "myid").write_text(f"{self.sid}\n")
        settings = {"dataDir": self.data, "clientPort": self.client, "clientPortAddress": "127.0.0.1", **settings}
        if self.role == "observer":
            settings["peerType"] = "observer"
        text = "".join(f"{key}={value}\n" for key, value in settings.items())
        self.config.write_text(text + "".join(f"{line}\n" for line in lines))

    def start(self, largest_file=None):
        """Its disk refuses what would make a file larger than `largest_file` bytes."""
        assert self.process is None or self.process.poll() is not None, f"server {self.sid} runs already"
        if self.kind == "apache":
            properties = [f"-Dzookeeper.DigestAuthenticationProvider.superDigest={SUPER}"]
            command = ["java", *self.ensemble.java, "-Djava.net.preferIPv4Stack=true", "-Dzookeeper.jmx.log4j.disable=true"]
            command += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=info", *properties, "-cp", JARS]
            command += ["org.apache.zookeeper.server.quorum.QuorumPeerMain", str(self.config)]
        else:
            command = [ZABSIM, "serve", str(self.config)]
        log = open(self.folder / "log", "ab")
        limit = [] if largest_file is None else ["sh", "-c", f"trap '' XFSZ; ulimit -f {largest_file // 512}; exec \"$@\"", "sh"]
        self.process = subprocess.Popen([*limit, *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def kill(self):
        """As the machine's owner would not: kill -9."""
        self._end(signal.SIGKILL)

    def stop(self):
        self._end(signal.SIGTERM)

    def _end(self, how):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)
                raise AssertionError(f"server {self.sid} ({self.kind}) did not stop when asked: {self.tail()}") from None

    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def mode(self):
        """leader, follower, observer, standalone; empty while it does not serve."""
        for line in word(self.client, "srvr").splitlines():
            if line.startswith("Mode: "):
                return line[6:]
        return ""

    def tail(self, lines=15):
        return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-lines:])

    def log_text(self):
        return (self.folder / "log").read_text(errors="replace")


class Ensemble:
    """Servers of the given kinds, such as `Ensemble(folder, "apache zabsim apache")`; `zabsim*` is an observer."""

    def __init__(self, folder, kinds, java=JAVA, **settings):
        self.java = java
        self.folder = pathlib.Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        kinds = kinds.split()
        ports = free_ports(3 * len(kinds))
        self.members = [
            Member(self, sid, kind.rstrip("*"), ports[3 * sid - 3 : 3 * sid], "observer" if kind.endswith("*") else "participant")
            for sid, kind in enumerate(kinds, 1)
        ]
        defaults = {
            "tickTime": 500, "initLimit": 10, "syncLimit": 5, "admin.enableServer": "false", "4lw.commands.whitelist": "*",
            "maxClientCnxns": 0, "extendedTypesEnabled": "true", "minSessionTimeout": 500, "maxSessionTimeout": 60000,
            "DigestAuthenticationProvider.superDigest": SUPER,
        }
        self.settings = {**defaults, **settings}
        self.write_configs()

    def write_configs(self):
        lines = [member.line() for member in self.members] if len(self.members) > 1 else []
        for member in self.members:
            member.write_config(self.settings, lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for member in self.members:
            if member.process and member.process.poll() is None:
                member.process.kill()
                member.process.wait(20)
        started = [member for member in self.members if member.process and member.kind == "zabsim"]
        panicked = [member.sid for member in started if "panicked at" in member.log_text()]
        assert not panicked, f"server {panicked[0]} panicked: {self[panicked[0]].tail(40)}"

    def __getitem__(self, sid):
        return self.members[sid - 1]

    def start(self, timeout=60.0, largest_files=()):
        """Starts all. `largest_files` says of a sid what `Member.start` takes."""
        limits = dict(largest_files)
        # The largest sids first, as many as make a quorum: so the largest leads, however long a virtual machine needs.
        voters = [member for member in self.members if member.role == "participant"]
        first = voters[(len(voters) - 1) // 2 :]
        for member in first:
            member.start(limits.get(member.sid))
        self.wait(timeout)
        for member in self.members:
            if member not in first:
                member.start(limits.get(member.sid))
        return self.wait(timeout)

    def wait(self, timeout=60.0):
        """Until every server that runs serves."""
        for member in self.members:
            if member.is_up():
                wait_for(f"server {member.sid} ({member.kind}) serves", lambda: self._serves(member), timeout)
        return self

    def _serves(self, member):
        assert member.is_up(), f"server {member.sid} ({member.kind}) ended: {member.tail()}"
        return member.mode()

    def leader(self, timeout=60.0):
        def look():
            return next((m for m in self.members if m.is_up() and m.mode() in ("leader", "standalone")), None)

        return wait_for("a leader", look, timeout)

    @property
    def hosts(self):
        return ",".join(member.address for member in self.members)
