"""Protects the round pages: a lead makes, drafts, opens and closes a round there, and refusals say what to do."""

from __future__ import annotations

import pytest

from annotation.models import Round, RoundState
from rubric_engine.models import Import, Instruction
from tests import cast
from tests.screens.world import World, review, sign_in
from webapp.accounts.models import Project, User
from webapp.jobs.models import Job, JobState

FORM = {
    "size": 2,
    "double_share": 15,
    "blind_first_share": 0,
    "seeded_share": 0,
    "repeat_share": 0,
    "seed": 3,
    "name": "first",
}


def test_a_round_is_made_from_the_form(project: Project, lead: User) -> None:
    for place in range(3):
        cast.make_instruction(project, f"i{place}")
    response = sign_in(lead).post("/p/ward/rounds/new/", FORM)
    made = Round.objects.of(project).get()
    assert response["Location"] == f"/p/ward/rounds/{made.pk}/"
    assert (made.size, made.seed, made.double_share, made.name) == (2, 3, 0.15, "first")


def _upload(project: Project, lead: User, filename: str) -> Import:
    return Import.rows.create(
        project=project,
        kind="instructions",
        filename=filename,
        path=filename,
        sha256="0" * 64,
        created_by=lead,
    )


def test_a_round_can_be_made_of_what_one_file_brought(project: Project, lead: User) -> None:
    old, new = _upload(project, lead, "old.jsonl"), _upload(project, lead, "new.jsonl")
    brought = {upload: cast.make_instruction(project, upload.filename) for upload in (old, new)}
    for upload, instruction in brought.items():
        Instruction.rows.filter(pk=instruction.pk).update(imported_by=upload)
    client = sign_in(lead)
    shown = client.get(f"/p/ward/rounds/?upload={new.pk}").content.decode()
    assert f'<option value="{new.pk}" selected>' in shown
    client.post("/p/ward/rounds/new/", FORM | {"upload": str(new.pk)})
    made = Round.objects.of(project).get()
    assert [item.instruction for item in made.items.all()] == [brought[new]]


def test_a_file_that_brought_nothing_or_is_foreign_makes_no_round(project: Project, lead: User) -> None:
    cast.make_instruction(project)
    empty = _upload(project, lead, "empty.jsonl")
    for upload in (str(empty.pk), "not-an-id"):
        page = sign_in(lead).post("/p/ward/rounds/new/", FORM | {"upload": upload})
        assert page.status_code == 422
    assert sign_in(lead).get("/p/ward/rounds/?upload=not-an-id").status_code == 200
    assert not Round.objects.of(project).exists()


def test_without_instructions_the_form_says_what_is_missing(project: Project, lead: User) -> None:
    page = sign_in(lead).post("/p/ward/rounds/new/", FORM)
    assert page.status_code == 422
    assert "Import instructions first" in page.content.decode()


@pytest.mark.parametrize(
    ("field", "value"), [("size", "0"), ("size", "many"), ("double_share", "101"), ("seed", "-1")]
)
def test_a_wrong_value_is_told_beside_its_field(field: str, value: str, project: Project, lead: User) -> None:
    page = sign_in(lead).post("/p/ward/rounds/new/", FORM | {field: value})
    assert page.status_code == 422
    assert f'id="id_{field}_error"' in page.content.decode()


def test_drafting_is_queued_and_its_progress_is_asked_for_again(project: Project, lead: User) -> None:
    cast.make_instruction(project)
    client = sign_in(lead)
    url = client.post("/p/ward/rounds/new/", FORM)["Location"]
    client.post(f"{url}draft/")
    page = client.get(url).content.decode()
    assert f'hx-get="{url}live/"' in page
    assert "No worker runs on the queue llm." in page
    assert Job.objects.of(project).get().kind == "draft_round"


def test_when_the_job_has_ended_the_whole_page_is_fetched_anew(project: Project, lead: User) -> None:
    cast.make_instruction(project)
    client = sign_in(lead)
    url = client.post("/p/ward/rounds/new/", FORM)["Location"]
    client.post(f"{url}draft/")
    Job.objects.of(project).update(
        state=JobState.FAILED, error="The endpoint is unreachable. Check LLM_BASE_URL."
    )
    assert client.get(f"{url}live/").headers["HX-Refresh"] == "true"
    assert "The endpoint is unreachable" in client.get(url).content.decode()


def test_a_round_with_undecided_items_stays_open_and_says_why(world: World, lead: User) -> None:
    client = sign_in(lead)
    page = client.post(world.url(f"rounds/{world.open.pk}/close/"), follow=True).content.decode()
    world.open.refresh_from_db()
    assert world.open.state == RoundState.OPEN
    assert "items are not decided yet" in page


def test_a_decided_round_closes_and_shows_its_pass_rates(world: World, lead: User, ada: User) -> None:
    review(ada, world.open)
    client = sign_in(lead)
    page = client.post(world.url(f"rounds/{world.open.pk}/close/"), follow=True)
    assert page.context["round"].state == RoundState.CLOSED
    assert page.context["rates"].reviewed == 2


def test_reopening_needs_a_reason(world: World, lead: User) -> None:
    client = sign_in(lead)
    client.post(world.url(f"rounds/{world.closed.pk}/reopen/"), {"reason": " "})
    world.closed.refresh_from_db()
    assert world.closed.state == RoundState.CLOSED
    client.post(world.url(f"rounds/{world.closed.pk}/reopen/"), {"reason": "The guideline has changed."})
    world.closed.refresh_from_db()
    assert world.closed.state == RoundState.OPEN


def test_failed_drafts_are_listed_with_their_error(world: World, lead: User) -> None:
    item = world.open.items.order_by("position").first()
    assert item is not None
    item.draft_state, item.draft_error = "failed", "No safety criterion after three tries."
    item.save()
    page = sign_in(lead).get(world.url(f"rounds/{world.open.pk}/?show=failed")).content.decode()
    assert "No safety criterion after three tries." in page


def test_the_item_page_shows_what_shaped_its_draft_and_what_became_of_it(world: World, lead: User) -> None:
    client = sign_in(lead)
    drafted = world.open.items.order_by("position").first()
    decided = world.closed.items.order_by("position").first()
    assert drafted is not None
    assert decided is not None
    shaped = client.get(world.url(f"items/{drafted.pk}/"))
    assert len(shaped.context["shaped_by"]) == 2
    assert "gold of round 1" in shaped.content.decode()
    ledger = client.get(world.url(f"items/{decided.pk}/"))
    assert [row.fate for row in ledger.context["ledger"]].count("edited") == 1
    assert "<ins>300 mg of </ins>" in ledger.content.decode()


def test_retiring_an_exemplar_lists_the_drafts_that_it_shaped(world: World, lead: User) -> None:
    client = sign_in(lead)
    url = world.url(world.paths()["exemplar"])
    assert client.post(url, {"reason": ""}).status_code == 422
    page = client.post(url, {"reason": "Outdated dose."}, follow=True)
    assert len(page.context["shaped"]) == 2
    assert "It shaped 2 drafts" in page.content.decode()
