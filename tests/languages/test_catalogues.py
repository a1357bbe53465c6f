"""Protects the interface's languages: every message is translated, keeps what is filled in, and is compiled."""

from __future__ import annotations

import gettext
import io
from pathlib import Path

import pytest
from django.conf import settings

from webapp.embedded.paths import REPOSITORY
from webapp.languages import catalog
from webapp.languages.catalog import Catalog
from webapp.languages.extraction import Message, messages, of_python, of_template
from webapp.languages.update import catalogues

WANTED = messages(REPOSITORY)
HEADER = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=1; plural=0;\n"
each_catalogue = pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.parts[-3])


@each_catalogue
def test_every_message_of_the_sources_is_translated(path: Path) -> None:
    assert catalog.faults(catalog.read(path), WANTED) == [], "run `make messages`, translate, run it again"


@each_catalogue
def test_the_compiled_catalogue_is_that_of_the_text(path: Path) -> None:
    compiled = path.with_suffix(".mo").read_bytes()
    assert compiled == catalog.compiled(catalog.read(path)), "run `make messages`"


def test_every_language_that_one_can_choose_has_its_catalogue() -> None:
    offered = {code.replace("-", "_").lower() for code, _ in settings.LANGUAGES} - {"en"}
    assert {path.parts[-3].lower() for path in catalogues()} == offered


def test_messages_are_found_in_python_and_in_templates() -> None:
    code = (
        "from django.utils.translation import gettext as _, ngettext, pgettext as p\n"
        "_('a ' 'b'); ngettext('one', 'many', n); p('verb', 'flag'); _(variable); other('no')"
    )
    assert set(of_python(code)) == {Message("a b"), Message("one", "many"), Message("flag", context="verb")}
    template = (
        """{% load i18n %}{% translate "It's" %}{% blocktranslate count n=n trimmed %}one {{ n }}{% plural %}many {{ n }}"""
        """{% endblocktranslate %}{% include "x" with a=_("in a tag") %}{{ "said"|default:_("plain") }}"""
        """{% translate "May" context "month" %}{# translate "no" #}"""
    )
    assert set(of_template(template)) == {
        Message("It's"),
        Message("one %(n)s", "many %(n)s"),
        Message("in a tag"),
        Message("plain"),
        Message("May", context="month"),
    }


@pytest.mark.parametrize(
    ("translations", "fuzzy", "says"),
    [
        ({}, (), "not in the catalogue"),
        ({Message("%(n)s of {of}"): [""]}, (), "not translated"),
        ({Message("%(n)s of {of}"): ["%(n)s / {von}"]}, (), "placeholders"),
        ({Message("%(n)s of {of}"): ["{of}"]}, (), "placeholders"),
        ({Message("%(n)s of {of}"): ["{of} %(n)s"]}, (Message("%(n)s of {of}"),), "fuzzy"),
        ({Message("%(n)s of {of}"): ["{of} %(n)s"], Message("gone"): ["weg"]}, (), "no source asks"),
    ],
)
def test_a_planted_fault_is_found(
    translations: dict[Message, list[str]], fuzzy: tuple[Message, ...], says: str
) -> None:
    wanted = {Message("%(n)s of {of}"): ["x.py"]}
    found = catalog.faults(Catalog(HEADER, translations, set(fuzzy)), wanted)
    assert [says in fault for fault in found] == [True]


def test_what_is_written_is_read_again_and_what_is_compiled_is_what_gettext_reads(tmp_path: Path) -> None:
    made = Catalog(
        HEADER,
        {
            Message('a "quote"\\ and\na line\t'): ['ein "Zitat"\\ und\neine Zeile\t'],
            Message("one", "many"): ["mehrere"],
            Message("May", context="month"): ["五月"],
            Message("left out"): ["fehlt"],
        },
        {Message("left out")},
    )
    path = tmp_path / "django.po"
    catalog.write(made, path, {})
    assert catalog.read(path) == made
    read = gettext.GNUTranslations(io.BytesIO(catalog.compiled(made)))
    assert read.gettext('a "quote"\\ and\na line\t') == 'ein "Zitat"\\ und\neine Zeile\t'
    assert read.ngettext("one", "many", 5) == "mehrere"
    assert read.pgettext("month", "May") == "五月"
    assert read.gettext("left out") == "left out"


def test_a_line_that_is_no_part_of_a_catalogue_is_named(tmp_path: Path) -> None:
    path = tmp_path / "django.po"
    path.write_text('msgid "a"\nmsgstr "b"\nnonsense\n')
    with pytest.raises(ValueError, match="line 3"):
        catalog.read(path)
