"""What the API's routes and the pages' have in common: parameters, and answers that may come."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path

RECONNECT_MS = 1000
"""A browser whose feed ended asks again after so long; by default it is three seconds or more."""

Command = Literal["pause", "resume", "stop_today"]

SiteName = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,32}$", description="The site's name.")]
RoomName = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,32}$", description="The room's name.")]

REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "The request is no JSON."},
    401: {"description": "Nobody is signed in, or the token is not valid."},
    403: {"description": "This role, account or token may not."},
    404: {"description": "There is none."},
    409: {"description": "That cannot be done now."},
    413: {"description": "The request is too large."},
    415: {"description": "The request is neither a form nor JSON."},
    429: {"description": "Too often; `retry-after` says how long to wait."},
    503: {"description": "The database does not answer."},
}
