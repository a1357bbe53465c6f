"""How static files are served: names carry a hash of the content, also where one of our modules imports another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

NOT_WORTH_COMPRESSING = "drf_spectacular_sidecar/"  # megabytes that only API developers load
OF_PACKAGES = ("account/", "django_htmx/", "drf_spectacular_sidecar/", "mfa/")


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
    max_post_process_passes = 30
    """A module's hash is known once those of what it imports are: as many passes as the longest chain of imports."""

    def url_converter(
        self, name: str, hashed_files: dict[str, str], template: str | None = None
    ) -> Callable[[re.Match[str]], str]:
        """Scripts of packages stay as they are: they name modules that they don't ship."""
        if name.startswith(OF_PACKAGES) and name.endswith(".js"):
            return lambda match: match["matched"]
        converter: Any = super().url_converter(name, hashed_files, template)
        return lambda match: str(converter(match))

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        yield from super().compress_files(
            [path for path in paths if not path.startswith(NOT_WORTH_COMPRESSING)]
        )
