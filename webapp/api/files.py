"""A file over HTTP: entity tag, conditional requests, one byte range, flat memory (RFC 9110, RFC 9530)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

CONTENT_TYPES = {
    ".jsonl": "application/jsonl",
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".sig": "application/json",
}


class AnyAccept(BaseContentNegotiation):
    """A file is what it is, whatever the `Accept` header says."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


def file_response(request: Request, path: Path, *, sha256: str, name: str) -> HttpResponseBase:
    """The file, a range of it, 304 where the client has it, or 416 where the range lies outside."""
    etag = f'"{sha256}"'
    size = path.stat().st_size
    if etag in request.headers.get("If-None-Match", ""):
        return _headed(HttpResponse(status=304), etag, sha256)
    asked = request.headers.get("Range", "")
    if asked and request.headers.get("If-Range", etag) == etag and (found := _RANGE.fullmatch(asked.strip())):
        first, last = _bounds(*found.groups(), size=size)
        if first > last:
            refused = HttpResponse(status=416)
            refused["Content-Range"] = f"bytes */{size}"
            return _headed(refused, etag, sha256)
        response = StreamingHttpResponse(_chunks(path, first, last - first + 1), status=206)
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
        response["Content-Length"] = str(last - first + 1)
    else:
        response = StreamingHttpResponse(_chunks(path, 0, size))
        response["Content-Length"] = str(size)
    response["Content-Type"] = CONTENT_TYPES.get(path.suffix, "application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return _headed(response, etag, sha256)


def _headed(response: HttpResponseBase, etag: str, sha256: str) -> HttpResponseBase:
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-cache"
    response["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
    return response


def _bounds(first: str, last: str, *, size: int) -> tuple[int, int]:
    """First and last byte of `bytes=first-last`; first above last means: nothing of the file."""
    if not first:
        length = min(int(last or 0), size)
        return (size - length, size - 1) if length else (1, 0)
    return int(first), min(int(last), size - 1) if last else size - 1


def _chunks(path: Path, start: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length and (chunk := file.read(min(_CHUNK, length))):
            length -= len(chunk)
            yield chunk
