"""Protects the look in a real browser: no accessibility violation in either theme, nothing wider than the window,
no refused style or script, and a frame that works by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from tests import cast
from tests.browser.server import WebServer
from tests.screens.world import World, build
from webapp.accounts.models import Project, User

pytestmark = pytest.mark.browser

WIDTHS = (1280, 390)
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}
Windows = Callable[..., BrowserContext]


@pytest.fixture
def world(server: WebServer, project: Project, lead: User, ada: User) -> World:
    cast.make_instruction(project, "long", text="A very long word: " + "hydroxychloroquine" * 30)
    cast.make_instruction(project, "rtl", text="عمري ٦١ سنة ووضعت دعامة في مارس. هل أستعمل البخاخ مرة أخرى؟")
    return build(project, lead, ada)


def _every_page(world: World) -> list[str]:
    further = [
        "imports/",
        "snapshots/",
        "runs/",
        "runs/new/",
        f"rounds/{world.open.pk}/?show=failed",
        "instructions/?q=zzz",
    ]
    return [
        world.url(path)
        for path in [*world.paths().values(), *further]
        if path not in {"live/", "workers/", "people/"} and not path.endswith(".csv")
    ]


def _faults(page: Page, url: str) -> list[str]:
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wider > 0:
            found.append(f"{url} is {wider} px wider than {width} px")
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    violations: list[dict[str, Any]] = Axe().run(page, options=RULES).response["violations"]
    found += [f"{url}: {one['id']} at {one['nodes'][0]['html'][:200]}" for one in violations]
    return found


def _visit(page: Page, base: str, urls: list[str]) -> list[str]:
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    faults = []
    for url in urls:
        response = page.goto(base + url)
        if response is None or response.status != 200:
            faults.append(f"{url} answers {response and response.status}")
        faults += _faults(page, url)
    return faults + heard


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_leads_screens_have_no_fault_in_either_theme(
    theme: str, world: World, server: WebServer, new_window: Windows, lead: User
) -> None:
    page = new_window(lead, color_scheme=theme).new_page()
    assert _visit(page, server.url, _every_page(world)) == []


def test_the_check_itself_finds_what_is_planted(
    server: WebServer, new_window: Windows, project: Project, lead: User
) -> None:
    page = new_window(lead).new_page()
    page.goto(f"{server.url}/p/{project.slug}/rounds/")
    plant = """() => {
        const main = document.querySelector("main");
        const pale = Object.assign(document.createElement("p"), {textContent: "pale"});
        pale.className = "planted";
        const wide = document.createElement("pre");
        wide.textContent = "x".repeat(600);
        main.append(pale, wide, document.createElement("img"));
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(".planted { color: #bbb }");
        document.adoptedStyleSheets = [sheet];
    }"""
    page.evaluate(plant)
    faults = " ".join(_faults(page, "planted"))
    assert all(fault in faults for fault in ("color-contrast", "image-alt", "wider than 390 px"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_people_sign_in_and_empty_projects_have_no_fault_in_either_theme(
    theme: str, server: WebServer, new_window: Windows, project: Project, admin: User, ada: User
) -> None:
    empty = [
        "",
        "people/",
        "rounds/",
        "pool/",
        "agreement/",
        "adjudication/",
        "ledger/",
        "instructions/",
        "audit/",
        "imports/",
        "snapshots/",
        "runs/",
    ]
    page = new_window(admin, color_scheme=theme).new_page()
    faults = _visit(page, server.url, [f"/p/{project.slug}/{path}" for path in empty])
    faults += _visit(
        new_window(ada, color_scheme=theme).new_page(), server.url, [f"/p/{project.slug}/queue/"]
    )
    faults += _visit(new_window(None, color_scheme=theme).new_page(), server.url, ["/accounts/login/"])
    assert faults == []


def test_the_theme_is_chosen_in_the_menu_and_kept(
    server: WebServer, new_window: Windows, project: Project, lead: User
) -> None:
    page = new_window(lead, color_scheme="light").new_page()
    page.goto(f"{server.url}/p/{project.slug}/")
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.locator("details.menu > summary").click()
    page.get_by_role("button", name="Dark").click()
    page.goto(f"{server.url}/p/{project.slug}/rounds/")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != light


def test_the_folded_navigation_opens_and_a_menu_closes_with_escape(
    server: WebServer, new_window: Windows, project: Project, lead: User
) -> None:
    page = new_window(lead, viewport={"width": 390, "height": 800}).new_page()
    page.goto(f"{server.url}/p/{project.slug}/")
    assert not page.locator("#sidenav").is_visible()
    page.locator("[data-nav-toggle]").click()
    assert page.locator("#sidenav").is_visible()
    assert page.locator("[data-nav-toggle]").get_attribute("aria-expanded") == "true"
    page.get_by_role("link", name="Rounds", exact=True).click()
    page.wait_for_url("**/rounds/")
    page.locator("details.menu > summary").focus()
    page.keyboard.press("Enter")
    assert page.locator(".menu-body").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator(".menu-body").is_visible()


def test_the_first_tab_reaches_the_content_by_a_skip_link(
    server: WebServer, new_window: Windows, project: Project, lead: User
) -> None:
    page = new_window(lead).new_page()
    page.goto(f"{server.url}/p/{project.slug}/rounds/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_the_dashboard_looks_again_by_itself(
    server: WebServer, new_window: Windows, world: World, lead: User
) -> None:
    page = new_window(lead).new_page()
    page.goto(server.url + world.url())
    assert page.locator("#loop-live").get_attribute("hx-get") == world.url("live/")
    with page.expect_response(lambda response: response.url.endswith(world.url("live/"))) as answered:
        page.evaluate(
            "htmx.ajax('GET', location.pathname + 'live/', {target: '#loop-live', swap: 'outerHTML'})"
        )
    assert answered.value.status == 200


def test_control_k_goes_to_a_screen_or_searches_the_instructions(
    server: WebServer, new_window: Windows, project: Project, lead: User
) -> None:
    page = new_window(lead).new_page()
    page.goto(f"{server.url}/p/{project.slug}/")
    page.keyboard.press("Control+k")
    page.keyboard.type("agree")
    page.keyboard.press("Enter")
    page.wait_for_url("**/agreement/")
    page.keyboard.press("Control+k")
    page.keyboard.type("sildenafil")
    page.keyboard.press("Enter")
    page.wait_for_url("**/instructions/?q=sildenafil")
    page.keyboard.press("Control+k")
    assert Axe().run(page, options=RULES).response["violations"] == []
    page.keyboard.press("Escape")
    assert not page.locator("[data-palette]").is_visible()
