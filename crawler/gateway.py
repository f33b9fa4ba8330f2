"""浏览器出口: a SOCKS5 proxy on loopback through which Chromium reaches the network.

So the browser asks the same resolver as the crawler, and no script on a page can make it reach a private address.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import struct
from collections.abc import Callable
from functools import partial

from crawler.guard import AddressRefused, check_port
from crawler.names import NameFailure, NameNotFound, Names

log = logging.getLogger(__name__)

_VERSION, _CONNECT, _NO_AUTHENTICATION = 5, 1, 0
_IPV4, _NAME, _IPV6 = 1, 3, 4
_GRANTED, _NOT_ALLOWED, _UNREACHABLE, _UNSUPPORTED = 0, 2, 4, 7
_CHUNK = 65_536
_MOST_REFUSALS = 1_000


class Gateway:
    """Serves CONNECT for addresses that `names` lets pass. `url` is known at once; serving begins with `start`.

    `refusals` tells why a host and port were last refused, so that a page that failed for it can be told from others.
    """

    def __init__(
        self, names: Names, timeout: float, on_bytes: Callable[[str, int], None] = lambda host, size: None
    ) -> None:
        self.names = names
        self.on_bytes = on_bytes  # takes a host and the bytes that came from it
        self.timeout = timeout
        self.refusals: dict[tuple[str, int], str] = {}
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where the browser finds the proxy."""
        return f"socks5://127.0.0.1:{self._listening.getsockname()[1]}"

    async def start(self) -> None:
        """Begin to serve in the running event loop."""
        self._server = await asyncio.start_server(self._serve, sock=self._listening)

    def close(self) -> None:
        """Stop serving; connections under way end with the event loop."""
        if self._server is not None:
            self._server.close()
        self._listening.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self.timeout):
                host, port = await _read_request(reader, writer)
                outside = await self._connect(host, port, writer)
            if outside is not None:
                await asyncio.gather(_copy(reader, outside[1]), _copy(outside[0], writer, partial(self.on_bytes, host)))
        except (OSError, EOFError, TimeoutError, ValueError):
            pass  # the browser sees a closed connection, which is all there is to tell
        finally:
            writer.close()

    async def _connect(
        self, host: str, port: int, writer: asyncio.StreamWriter
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        try:
            check_port(host, port)
            addresses = await asyncio.to_thread(self.names.addresses, host)
        except (NameNotFound, NameFailure):
            return await _reply(writer, _UNREACHABLE)
        except AddressRefused as error:
            self._remember(host, port, str(error))
            return await _reply(writer, _NOT_ALLOWED)
        for address in addresses:
            try:
                outside = await asyncio.open_connection(address, port)
            except OSError:
                continue
            await _reply(writer, _GRANTED)
            return outside
        return await _reply(writer, _UNREACHABLE)

    def _remember(self, host: str, port: int, why: str) -> None:
        if len(self.refusals) >= _MOST_REFUSALS:  # a page that tries a thousand is not worth remembering them all
            self.refusals.clear()
        if (host, port) not in self.refusals:
            log.info("浏览器里的页面要去的地址没有放行：%s", why)
        self.refusals[host, port] = why


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
    version, methods = await reader.readexactly(2)
    await reader.readexactly(methods)
    writer.write(bytes((_VERSION, _NO_AUTHENTICATION)))
    version, command, _, kind = await reader.readexactly(4)
    if version != _VERSION or command != _CONNECT or kind not in (_IPV4, _NAME, _IPV6):
        await _reply(writer, _UNSUPPORTED)
        raise ValueError("not a SOCKS5 CONNECT request")
    if kind == _NAME:
        (length,) = await reader.readexactly(1)
        host = (await reader.readexactly(length)).decode("ascii")
    else:
        host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == _IPV4 else 16)))
    (port,) = struct.unpack(">H", await reader.readexactly(2))
    return host, port


async def _reply(writer: asyncio.StreamWriter, code: int) -> None:
    writer.write(bytes((_VERSION, code, 0, _IPV4)) + bytes(6))
    await writer.drain()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[int], None] = lambda size: None
) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            count(len(chunk))
            writer.write(chunk)
            await writer.drain()
    writer.close()
