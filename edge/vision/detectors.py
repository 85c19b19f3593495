"""Which detector is used: the one that the settings name; with `auto`, the better one there is."""

from __future__ import annotations

from typing import Literal, NamedTuple

from edge.common.errors import UserError
from edge.config import FacesSettings
from edge.vision.haar import HaarSearch
from edge.vision.seats import Search
from edge.vision.yunet import YuNetSearch

Name = Literal["haar", "yunet"]

DETECTIONS_WITH_CHECK, DETECTIONS_ALONE = 2, 3
"""Where a model says afterwards what is no face, and where nobody does."""


class Choice(NamedTuple):
    """The detector that is used, and why `auto` has chosen it; empty where the settings name it.

    problem: what is wrong with YuNet's file, where there is one that cannot be used.
    """

    name: Name
    why: str = ""
    problem: UserError | None = None

    @property
    def sentence(self) -> str:
        return f"{self.name} ({self.why})" if self.why else self.name


def choose(settings: FacesSettings) -> Choice:
    """YuNet where its file is and can be used, else Haar, which is always there."""
    if settings.detector != "auto":
        return Choice(settings.detector)
    if settings.model is None:
        return Choice("haar", "'faces.model' names no YuNet file")
    if not settings.model.is_file():
        return Choice("haar", f"{settings.model} is not there")
    try:
        _yunet(settings)
    except UserError as error:
        return Choice("haar", f"{settings.model} cannot be used", error)
    return Choice("yunet", f"{settings.model} is there")


def search(settings: FacesSettings, *, has_classifier: bool) -> Search:
    """The detector that the settings name; `has_classifier` if a model sorts out what is no face.

    Raises UserError for one that is named and cannot be had.
    """
    if choose(settings).name == "yunet":
        return _yunet(settings)
    usual = DETECTIONS_WITH_CHECK if has_classifier else DETECTIONS_ALONE
    min_detections = settings.min_detections or usual
    return HaarSearch(
        settings.scale_factor, min_detections, settings.min_size, has_classifier=has_classifier
    )


def _yunet(settings: FacesSettings) -> Search:
    return YuNetSearch(settings.model, settings.min_size)
