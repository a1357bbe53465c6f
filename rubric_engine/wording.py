"""One wording for one meaning: "Fails to mention X" (must not hold) is "Mentions X" (must hold).

Pure. Criteria are brought to this form before they are compared or copied, since many sources word a fault.
"""

from __future__ import annotations

import re

from rubric_engine.rubric import Polarity

_SUBJECT = r"(?:(?:the|this)\s+(?:response|answer|model|assistant|summary|note)\s+|it\s+)?"
_NEGATED_VERB = re.compile(
    rf"^{_SUBJECT}(?:fails\s+to|failed\s+to|neglects\s+to|forgets\s+to|does\s+not|doesn['’]t|did\s+not|didn['’]t)\s+(.+)$",
    re.IGNORECASE | re.DOTALL,
)
_OMITS = re.compile(
    rf"^{_SUBJECT}(?:omits|leaves\s+out)\s+(?:(?:any|a|the)\s+)?(?:mention\s+of\s+)?(.+)$",
    re.IGNORECASE | re.DOTALL,
)
_JUSTIFICATION = re.compile(r"\s*\((?:justification|rationale|reason)\b.*\)\s*$", re.IGNORECASE | re.DOTALL)
_SUBJECT_ONLY = re.compile(
    r"^(?:the|this)\s+(?:response|answer|model|assistant)\s+(?=[a-z]+(?:s|es)\b)", re.IGNORECASE
)
_IRREGULAR = {"be": "is", "have": "has", "do": "does", "go": "goes"}
_VERBS = frozenset(
    "acknowledge address advise ask clarify consider describe discuss emphasize emphasise encourage ensure explain "
    "give highlight identify include indicate inform inquire instruct list mention note offer provide recognize "
    "recognise recommend refer request seek specify state suggest tell urge warn".split()
)


def normal_form(text: str, polarity: Polarity) -> tuple[str, Polarity]:
    """The statement without its negation, with the polarity that keeps its meaning."""
    statement = " ".join(_JUSTIFICATION.sub("", text).split()) or " ".join(text.split())
    if match := _NEGATED_VERB.match(statement):
        return _sentence(_third_person(match[1])), _flipped(polarity)
    if match := _OMITS.match(statement):
        return _sentence(f"mentions {match[1]}"), _flipped(polarity)
    return _sentence(_SUBJECT_ONLY.sub("", statement)), polarity


def _flipped(polarity: Polarity) -> Polarity:
    return Polarity.MUST_NOT_HOLD if polarity is Polarity.MUST_HOLD else Polarity.MUST_HOLD


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _third_person(phrase: str) -> str:
    """`clearly mention or explain X` → `clearly mentions or explains X`."""
    words = phrase.split(" ")
    index = 0
    while index < len(words) - 1 and words[index].endswith("ly"):
        index += 1
    words[index] = _inflected(words[index])
    while (
        index + 2 < len(words)
        and words[index + 1] in ("or", "and")
        and words[index + 2].rstrip(",") in _VERBS
    ):
        index += 2
        words[index] = _inflected(words[index])
    return " ".join(words)


def _inflected(verb: str) -> str:
    core = verb.rstrip(",")
    tail = verb[len(core) :]
    if core in _IRREGULAR:
        return _IRREGULAR[core] + tail
    if re.search(r"[^aeiou]y$", core):
        return f"{core[:-1]}ies{tail}"
    return f"{core}{'es' if re.search(r'(?:s|x|z|ch|sh|o)$', core) else 's'}{tail}"
