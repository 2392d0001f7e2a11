"""The other end of a widget's comm, without a kernel: records what is sent, and asks as the browser does."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

from comm.base_comm import BaseComm

from ipyassets.widgets.comm_widget import CommWidget

PATIENCE = 10.0


class RecordingComm(BaseComm):
    """Keeps what the widget publishes."""

    def __init__(self, **options: Any) -> None:
        self.heard = threading.Condition()
        self.messages: list[tuple[dict[str, Any], list[bytes]]] = []
        super().__init__(**options)

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        if msg_type == "comm_msg":
            with self.heard:
                self.messages.append((data, list(buffers or [])))
                self.heard.notify_all()


class Answer(list[tuple[dict[str, Any], list[bytes]]]):
    """All messages to one request, the last one last."""

    @property
    def last(self) -> dict[str, Any]:
        return self[-1][0]

    @property
    def tiles(self) -> dict[int, dict[str, Any]]:
        """By index, as they stood at the end, each with its ``content``."""
        return self._pictures("tiles")

    @property
    def frames(self) -> dict[int, dict[str, Any]]:
        """As `tiles`, the frames of a film."""
        return self._pictures("frames")

    def _pictures(self, name: str) -> dict[int, dict[str, Any]]:
        found = {}
        for content, buffers in self:
            for picture in content.get(name, ()):
                bytes_ = buffers[picture["buffer"]] if "buffer" in picture else None
                found[picture["index"]] = {**picture, "content": bytes_}
        return found


class Browser:
    """A page that shows ``widget``."""

    def __init__(self, widget: CommWidget) -> None:
        self.widget = widget
        self.comm: RecordingComm = widget.comm
        self._numbers = itertools.count()

    def send(self, content: Any) -> None:
        """A custom message as it comes over the wire."""
        data = {"method": "custom", "content": content}
        self.comm.handle_msg({"content": {"data": data, "comm_id": self.comm.comm_id}, "buffers": []})

    def begin(self, op: str, **fields: Any) -> str:
        request = f"page-{next(self._numbers)}"
        self.send({"op": op, "request": request, **fields})
        return request

    def ask(self, op: str, **fields: Any) -> Answer:
        return self.answer(self.begin(op, **fields))

    def answer(self, request: str) -> Answer:
        """Wait for the last message to ``request``."""
        return self.until(lambda: self._whole(request))

    def heard(self, request: str) -> Answer:
        """The messages to ``request`` so far."""
        return Answer(
            (data["content"], buffers)
            for data, buffers in list(self.comm.messages)
            if data["method"] == "custom" and data["content"].get("request") == request
        )

    def _whole(self, request: str) -> Answer | None:
        answer = self.heard(request)
        return answer if answer and answer.last["op"] in ("reply", "error") else None

    def until(self, found: Callable[[], Any]) -> Any:
        """Wait for messages until ``found()`` gives something."""
        with self.comm.heard:
            assert self.comm.heard.wait_for(found, PATIENCE), "nothing came"
            return found()

    def trait(self, name: str) -> Any:
        """A synced trait as the browser sees it."""
        return self.widget.get_state([name])[name]

    def ready(self) -> dict[str, Any]:
        """Wait until the present search has its first page, or failed."""
        return self.until(lambda: self.trait("_result") if self.trait("_result")["state"] != "loading" else None)

    def selection(self, *pairs: tuple[int, int]) -> dict[str, Any]:
        """Wait until the browser is shown this selection."""
        return self.until(
            lambda: self.trait("_selection") if list(self.trait("_selection")["ranges"]) == list(pairs) else None
        )

    @property
    def generation(self) -> int:
        return self.trait("_result")["generation"]
