"""Every address of the REST API, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from webapp.api import review, rounds

urlpatterns = [
    path("review/rounds/<uuid:round_id>/items", review.RoundItems.as_view(), name="review-items"),
    path("review/rounds/<uuid:round_id>/claim", review.Claim.as_view(), name="review-claim"),
    path("review/items/<uuid:assignment_id>", review.Item.as_view(), name="review-item"),
    path("review/items/<uuid:assignment_id>/lease", review.Lease.as_view(), name="review-lease"),
    path(
        "review/items/<uuid:assignment_id>/operations", review.Operations.as_view(), name="review-operations"
    ),
    path("projects/<slug:project>/rounds", rounds.RoundList.as_view(), name="api-rounds"),
    path("projects/<slug:project>/rounds/<uuid:round_id>", rounds.RoundDetail.as_view(), name="api-round"),
    *(
        path(
            f"projects/<slug:project>/rounds/<uuid:round_id>/{step}",
            rounds.RoundStep.as_view(step=step),
            name=f"api-round-{step}",
        )
        for step in ("draft", "open", "close")
    ),
    path("projects/<slug:project>/pool-versions", rounds.PoolVersions.as_view(), name="api-pool-versions"),
]
