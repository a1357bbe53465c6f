"""A catalogue of messages: read and written as .po, compiled to .mo (the formats of GNU gettext)."""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from webapp.languages.extraction import Message

MAGIC, REVISION, HEADER_WORDS = 0x950412DE, 0, 7
KEYWORD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d+)\])?\s+(".*")')
PLACEHOLDERS = re.compile(r"%\(\w+\)[sdf]|%%|\{\w+\}")


@dataclass
class Catalog:
    """`header`: the lines of the entry without a message. `fuzzy`: what a person must look at again."""

    header: str
    translations: dict[Message, list[str]] = field(default_factory=dict)
    fuzzy: set[Message] = field(default_factory=set)

    @property
    def plurals(self) -> int:
        found = re.search(r"nplurals=(\d)", self.header)
        return int(found[1]) if found else 1


def read(path: Path) -> Catalog:
    """Raises ValueError naming the line that is no part of a catalogue."""
    catalog = Catalog("")
    for entry, is_fuzzy in _entries(path):
        text = entry.get("msgid", "")
        message = Message(text, entry.get("msgid_plural", ""), entry.get("msgctxt", ""))
        if not text:
            catalog.header = entry.get("msgstr0", "")
            continue
        if message in catalog.translations:
            raise ValueError(f"{path.name}: {text!r} is there twice")
        catalog.translations[message] = [entry[name] for name in sorted(entry) if name.startswith("msgstr")]
        if is_fuzzy:
            catalog.fuzzy.add(message)
    return catalog


def _entries(path: Path) -> Iterator[tuple[dict[str, str], bool]]:
    entry: dict[str, str] = {}
    last, fuzzy = "", False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = line.strip()
        if line.startswith("#,"):
            fuzzy = "fuzzy" in line
        elif not line:
            if entry:
                yield entry, fuzzy
            entry, fuzzy = {}, False
        elif found := KEYWORD.fullmatch(line):
            last = f"msgstr{found[2] or 0}" if found[1] == "msgstr" else found[1]
            entry[last] = ast.literal_eval(found[3])
        elif line.startswith('"') and last:
            entry[last] += ast.literal_eval(line)
        elif not line.startswith("#"):
            raise ValueError(f"{path.name}, line {number}: not understood")
    if entry:
        yield entry, fuzzy


def write(catalog: Catalog, path: Path, places: Mapping[Message, list[str]]) -> None:
    """In the order of the messages; each says which files have it."""
    blocks = [
        'msgid ""\nmsgstr ""\n' + "\n".join(_quoted(f"{line}\n") for line in catalog.header.splitlines())
    ]
    for message in sorted(catalog.translations):
        lines = [f"#: {place}" for place in places.get(message, [])]
        if message in catalog.fuzzy:
            lines.append("#, fuzzy")
        if message.context:
            lines.append(f"msgctxt {_quoted(message.context)}")
        lines.append(f"msgid {_quoted(message.text)}")
        forms = catalog.translations[message]
        if message.plural:
            lines.append(f"msgid_plural {_quoted(message.plural)}")
            lines += [f"msgstr[{place}] {_quoted(form)}" for place, form in enumerate(forms)]
        else:
            lines.append(f"msgstr {_quoted(forms[0])}")
        blocks.append("\n".join(lines))
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def _quoted(text: str) -> str:
    for given, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(given, written)
    return f'"{text}"'


def compiled(catalog: Catalog) -> bytes:
    """The .mo of a catalogue: the same for the same translations."""
    entries = {"": catalog.header}
    for message, forms in catalog.translations.items():
        key = f"{message.context}\4{message.text}" if message.context else message.text
        if message in catalog.fuzzy or not all(forms):
            continue
        entries[f"{key}\0{message.plural}" if message.plural else key] = "\0".join(forms)
    keys = sorted(entries, key=lambda key: key.encode())
    originals = [key.encode() for key in keys]
    translated = [entries[key].encode() for key in keys]
    start = HEADER_WORDS * 4 + 16 * len(keys)
    tables: list[int] = []
    for group in (originals, translated):
        for text in group:
            tables += [len(text), start]
            start += len(text) + 1
    second = HEADER_WORDS * 4 + 8 * len(keys)
    header = struct.pack("<7I", MAGIC, REVISION, len(keys), HEADER_WORDS * 4, second, 0, 0)
    return (
        header
        + struct.pack(f"<{len(tables)}I", *tables)
        + b"".join(t + b"\0" for t in originals + translated)
    )


def faults(catalog: Catalog, wanted: Mapping[Message, list[str]]) -> list[str]:
    """What keeps the catalogue from being complete, a line each."""
    found = [
        f"not in the catalogue: {message.text!r}" for message in wanted if message not in catalog.translations
    ]
    for message, forms in catalog.translations.items():
        if message not in wanted:
            found.append(f"no source asks for it: {message.text!r}")
        elif message in catalog.fuzzy:
            found.append(f"fuzzy: {message.text!r}")
        elif not all(forms) or len(forms) != (catalog.plurals if message.plural else 1):
            found.append(f"not translated: {message.text!r}")
        else:
            found += [fault for form in forms if (fault := _fault_of(message, form))]
    return found


def _fault_of(message: Message, form: str) -> str:
    """A plural may leave out its count; anything else that is filled in has to be there, and nothing more."""
    given = set(PLACEHOLDERS.findall(message.plural or message.text))
    there = set(PLACEHOLDERS.findall(form))
    if there == given:
        return ""
    return f"placeholders {sorted(given)} became {sorted(there)}: {message.text!r}"
