"""`roommood` with a leak planted in it: `python -m tests.system.leaky LEAK agent run …`.

The canary proof must turn red on each of these; a proof that cannot fail shows nothing.
"""

from __future__ import annotations

import base64
import logging
import sys
from typing import Any

import cv2

import edge.cli
from deploy.commands.cli import main
from edge.agent import Agent
from edge.camera.base import Grey
from edge.vision.pipeline import VisionPipeline
from edge.window.reading import FaceReading

LEAKS = ("topic", "thumbnail", "disk", "log", "core")


def plant(leak: str) -> None:
    frames: list[Grey] = []
    look, keep = VisionPipeline.look, Agent._keep

    def look_and_remember(self: VisionPipeline, frame: Grey) -> list[FaceReading]:
        frames[:] = [frame.copy()]
        return look(self, frame)

    def keep_and_tell(self: Agent, *about: Any) -> None:
        keep(self, *about)
        if not frames:
            return
        if leak == "topic":
            base64_text = base64.b64encode(frames[0][-2].tobytes())
            self._publisher.link.publish("roommood/v1/school/r101/mood", base64_text[:900])
        elif leak == "thumbnail":
            small = cv2.resize(frames[0], (32, 32)).tobytes()
            self._publisher.link.publish("roommood/v1/school/r101/debug", small)
        elif leak == "disk":
            cv2.imwrite(str(self._settings.state / "last.jpg"), frames[0])
        elif leak == "log":
            logging.getLogger("edge").debug("row: %s", frames[0][-2].tolist())

    for owner, name, leaky in (
        (VisionPipeline, "look", look_and_remember),
        (Agent, "_keep", keep_and_tell),
    ):
        setattr(owner, name, leaky)
    if leak == "core":
        setattr(edge.cli, "no_core_dumps", lambda: None)  # noqa: B010  # not its to export


if __name__ == "__main__":
    plant(sys.argv.pop(1))
    main()
