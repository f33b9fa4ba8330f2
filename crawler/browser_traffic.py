"""浏览器流量: how many bytes a page in Chromium is sent, those for its frames and workers included.

A frame of another site and a worker run apart and tell of their own network alone: each over a session within
that of what started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from playwright.async_api import CDPSession, Page
from playwright.async_api import Error as BrowserError

_DEEPEST = 8  # sessions within sessions: each quotes the messages of the next, which doubles their escapes
_FOLLOW = {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": False}  # one that stands apart has no reader
_DATA, _FRAME = "Network.dataReceived", "Network.webSocketFrameReceived"
_ATTACHED, _MESSAGE, _SEND = "Target.attachedToTarget", "Target.receivedMessageFromTarget", "Target.sendMessageToTarget"

Told = Mapping[str, Any]
Path = tuple[str, ...]  # of sessions, from that of the page


class BrowserTraffic:
    """Tells `count` the decompressed bytes of each piece that comes for a page."""

    def __init__(self, session: CDPSession, count: Callable[[int], None]) -> None:
        self._session = session
        self._count = count
        self._sending: set[asyncio.Task[Any]] = set()  # held, or they might be collected before they are done

    @classmethod
    async def follow(cls, page: Page, count: Callable[[int], None]) -> None:
        """Begin to count; ends with the page."""
        session = await page.context.new_cdp_session(page)
        traffic = cls(session, count)
        for event in (_DATA, _FRAME, _ATTACHED, _MESSAGE):
            session.on(event, lambda told, event=event: traffic._hear((), event, told))
        await session.send("Network.enable")
        await session.send("Target.setAutoAttach", _FOLLOW)

    def _hear(self, path: Path, event: str, told: Told) -> None:
        if event == _DATA:
            self._count(int(told.get("dataLength", 0)))
        elif event == _FRAME:
            self._count(len(told["response"].get("payloadData", "")))
        elif event == _ATTACHED and len(path) < _DEEPEST:
            within = (*path, told["sessionId"])
            self._tell(within, "Network.enable", {})
            self._tell(within, "Target.setAutoAttach", _FOLLOW)
        elif event == _MESSAGE:
            message = json.loads(told["message"])
            self._hear((*path, told["sessionId"]), message.get("method", ""), message.get("params", {}))

    def _tell(self, path: Path, method: str, parameters: Told) -> None:
        """Send a command to the session at the end of the path, wrapped once for each that leads there."""
        for session_id in reversed(path):
            message = json.dumps({"id": 1, "method": method, "params": parameters})
            method, parameters = _SEND, {"sessionId": session_id, "message": message}
        sending = asyncio.ensure_future(self._send(method, dict(parameters)))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def _send(self, method: str, parameters: dict[str, Any]) -> None:
        with contextlib.suppress(BrowserError):  # it has ended meanwhile
            await self._session.send(method, parameters)
