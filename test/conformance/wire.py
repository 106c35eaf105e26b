"""A relay before the node that passes every byte on and keeps a copy, read as HTTP afterwards: so that whatever a
client library sends and gets can be looked at, and the client none the wiser."""
import contextlib
import dataclasses
import http.client
import io
import socket
import threading


@dataclasses.dataclass
class Exchange:
    """A request and what came back. `whole` is false where the answer was cut, `left` says who hung up first."""
    method: str
    path: str
    headers: dict
    body: bytes
    status: int
    answer_headers: dict
    answer: bytes
    whole: bool
    left: str
    owner: bool = False


class _Bytes(io.BytesIO):
    """What http.client takes for a socket. It closes what it has read to the end, and we read on."""

    def makefile(self, _mode):
        return self

    def close(self):
        pass

    def rest(self):
        return self.getbuffer()[self.tell():].tobytes()


class _Link:
    """One connection: what was sent, what came back, who left first."""

    def __init__(self):
        self.sent, self.got, self.left, self.told = bytearray(), bytearray(), "", 0

    def leave(self, who):
        self.left = self.left or who

    def _requests(self):
        source = _Bytes(bytes(self.sent))
        while line := source.readline():
            words = line.decode("latin-1").split()
            if len(words) != 3:
                return
            try:
                headers = http.client.parse_headers(source)
            except http.client.HTTPException:
                return
            length = headers.get("Content-Length", "0")
            chunked = headers.get("Transfer-Encoding", "") == "chunked"
            body = _read_chunks(source) if chunked else source.read(int(length) if length.isdigit() else 0)
            yield words[0], words[1], {name.lower(): value for name, value in headers.items()}, body

    def exchanges(self):
        """Those that have ended."""
        asked, source = list(self._requests()), _Bytes(bytes(self.got))
        for number in range(len(asked) + 1):
            if b"\r\n\r\n" not in source.rest():
                return
            # Bytes that were no request are answered as well.
            method, target, headers, body = asked[number] if number < len(asked) else ("", "", {}, b"")
            answer = http.client.HTTPResponse(source, method=method or "GET")
            whole = True
            try:
                answer.begin()
                content = answer.read()
            except http.client.IncompleteRead as cut:
                content, whole = cut.partial, False
            if not whole and not self.left:
                return  # it still comes
            yield Exchange(method, target.split("?")[0], headers, body, answer.status,
                           {name.lower(): value for name, value in answer.getheaders()}, content, whole, self.left)


def _read_chunks(source):
    body = b""
    while size := int(source.readline().split(b";")[0] or b"0", 16):
        body += source.read(size)
        source.readline()
    source.readline()
    return body


class Relay:
    """Listens on loopback and connects to `target`, an address or the path of a Unix socket, for each connection."""

    def __init__(self, target, owner=False):
        self.target, self.owner = target, owner
        self._links, self._lock = [], threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _connect(self):
        if isinstance(self.target, str):
            link = socket.socket(socket.AF_UNIX)
            link.connect(self.target)
            return link
        return socket.create_connection(self.target)

    def _listen(self):
        while True:
            try:
                caller, _ = self._door.accept()
            except OSError:
                return
            try:
                node = self._connect()
            except OSError:
                caller.close()
                continue
            for end in (caller, node):
                if end.family == socket.AF_INET:
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = _Link()
            with self._lock:
                self._links.append(link)
            for work in ((caller, node, link.sent, link, "caller"), (node, caller, link.got, link, "node")):
                threading.Thread(target=self._carry, args=work, daemon=True).start()

    def _carry(self, source, sink, copy, link, who):
        other = "node" if who == "caller" else "caller"
        while True:
            try:
                piece = source.recv(65536)
            except OSError:
                piece = b""
            if not piece:
                link.leave(who)
                break
            with self._lock:
                copy.extend(piece)
            try:
                sink.sendall(piece)
            except OSError:
                link.leave(other)
                break
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR if end is source else socket.SHUT_WR)
            except OSError:
                pass

    def last(self):
        """The newest exchange that has ended; it is still there to be taken."""
        with self._lock:
            return [one for link in self._links for one in link.exchanges()][-1]

    def take(self):
        """The exchanges that have ended since the last time."""
        fresh = []
        with self._lock:
            for link in self._links:
                ended = list(link.exchanges())
                fresh += ended[link.told:]
                link.told = len(ended)
        for one in fresh:
            one.owner = self.owner
        return fresh

    def close(self):
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)  # close() alone does not wake who waits in accept()
        self._door.close()
