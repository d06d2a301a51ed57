"""Static files, cached as immutable where the address names the content."""

from __future__ import annotations

import os
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.http.caching import IMMUTABLE, NO_CACHE


class Assets(StaticFiles):
    """A folder of files. With ``?v=`` (see ``asset`` in the pages) a file may be kept for good,
    without it is asked for anew each time, which its ``ETag`` makes cheap."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        named = "v" in parse_qs(scope["query_string"].decode("latin-1"))
        response.headers["Cache-Control"] = IMMUTABLE if named else NO_CACHE
        return response
