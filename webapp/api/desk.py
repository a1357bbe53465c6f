"""A reviewer's own desk: the key that seals what their browser keeps, and the keys they set."""

from __future__ import annotations

import base64

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts import desks
from webapp.api.errors import Refused
from webapp.api.review import ANY_OBJECT, ReviewView, body_of, user_of


class OwnDesk(ReviewView):
    @extend_schema(responses=ANY_OBJECT)
    def get(self, request: Request) -> Response:
        """Who one is, the sealing key and the key map. For a browser's session only: a token has no browser."""
        if request.auth is not None:
            raise PermissionDenied(_("This is for the review screen; sign in with a browser."))
        desk = desks.desk_of(actor=user_of(request))
        key = desks.sealing_key(desk)
        return Response(
            {
                "person": desk.user.pseudonym,
                "journal": {"name": key.name, "secret": base64.b64encode(key.secret).decode()},
                "keys": desk.keys,
            }
        )


class OwnKeys(ReviewView):
    @extend_schema(request=OpenApiTypes.OBJECT, responses=ANY_OBJECT)
    def put(self, request: Request) -> Response:
        """Keep the key map, whole."""
        try:
            return Response(desks.set_keys(actor=user_of(request), keys=body_of(request)))
        except desks.KeysRefused as refused:
            raise Refused(str(refused)) from refused
