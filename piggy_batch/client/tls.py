"""TLS as bytes in, bytes out: the standard library's engine, with no socket of its own.

asyncio's own TLS hides how far the bytes have come, keeps 256 KiB for each connection, and is slower.
"""

from __future__ import annotations

import contextlib
import ssl

READ_SIZE = 64 * 1024  # bytes; a record holds at most 16 KiB


class TlsEngine:
    """The client's side of one TLS connection. What ``outgoing`` returns has to be sent, in that order.

    Errors are those of ``ssl``; after one the connection cannot be used any more.
    """

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._engine = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.is_closed = False  # the server has said that nothing more follows

    def handshake(self) -> bool:
        """Go on with the handshake; whether it is finished."""
        try:
            self._engine.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def feed(self, data: bytes) -> None:
        """Take in what has come over the socket; no bytes: its end."""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def decrypt(self) -> bytes:
        """What the server has said; empty where only TLS itself has spoken, as in a session ticket."""
        found: list[bytes] = []
        try:
            while data := self._engine.read(READ_SIZE):
                found.append(data)
            self.is_closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.is_closed = True
        return b"".join(found)

    def encrypt(self, data: bytes) -> bytes:
        """``data`` as it goes over the socket."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._engine.write(rest) :]
        return self.outgoing()

    def outgoing(self) -> bytes:
        """What is to be sent by now."""
        return self._outgoing.read()

    def farewell(self) -> bytes:
        """The last to be sent: that nothing more follows."""
        with contextlib.suppress(ssl.SSLError):  # the server's own farewell is not waited for
            self._engine.unwrap()
        return self.outgoing()
