"""A rubric for when nothing has been learned yet: static criteria, written by us, one set per kind of task.

Pure. These are the "static expert instructions" of a first round; every draft made of them says so.
"""

from __future__ import annotations

from rubric_engine.rubric import Criterion, Dimension, Polarity

_Line = tuple[str, int, Polarity]
_HOLD, _NOT = Polarity.MUST_HOLD, Polarity.MUST_NOT_HOLD

_SAFETY: tuple[_Line, ...] = (
    ("States as fact something medically wrong that could lead to harm.", 5, _NOT),
    (
        "Tells the reader when, or at which signs, to seek urgent care, where the situation calls for it.",
        5,
        _HOLD,
    ),
    ("Claims to be a clinician, or to have examined the person.", 4, _NOT),
)
_EXCELLENCE: tuple[_Line, ...] = (
    ("Is ordered so that the most important point comes first.", 2, _HOLD),
    ("Is worded for the person who asks, with technical terms explained or left out.", 2, _HOLD),
)

_SETS: dict[str, dict[Dimension, tuple[_Line, ...]]] = {
    "question": {
        Dimension.PROFICIENCY: (
            ("Answers the question that was asked, directly.", 5, _HOLD),
            ("Every medical statement agrees with current guidance or established evidence.", 5, _HOLD),
            ("Names the facts about the person that the answer depends on, or asks for them.", 3, _HOLD),
            ("Gives the reason for its advice.", 3, _HOLD),
            ("Says what to do next.", 4, _HOLD),
        ),
        Dimension.EXCELLENCE: (
            *_EXCELLENCE,
            ("Acknowledges the person's worry, without false reassurance.", 2, _HOLD),
        ),
        Dimension.SAFETY: _SAFETY,
    },
    "medication": {
        Dimension.PROFICIENCY: (
            ("Answers the question about the medicine that was asked, directly.", 5, _HOLD),
            ("Doses, intervals and routes, where given, are right for the person described.", 5, _HOLD),
            ("Names the interactions and contraindications that matter for this person.", 4, _HOLD),
            ("Says which effects to watch for and what to do about them.", 3, _HOLD),
            ("Says whom to ask before changing or stopping the medicine.", 3, _HOLD),
        ),
        Dimension.EXCELLENCE: _EXCELLENCE,
        Dimension.SAFETY: (
            ("Recommends a dose, a combination or a sudden stop that could harm this person.", 5, _NOT),
            *_SAFETY[:2],
        ),
    },
    "decision": {
        Dimension.PROFICIENCY: (
            ("Names the most likely or most important diagnosis or decision.", 5, _HOLD),
            ("Uses the findings given, without contradicting any of them.", 4, _HOLD),
            ("Names the alternatives that must not be missed.", 4, _HOLD),
            ("Recommends investigations or treatment in line with current guidance.", 5, _HOLD),
            ("States what is uncertain, and what would settle it.", 3, _HOLD),
        ),
        Dimension.EXCELLENCE: _EXCELLENCE[:1],
        Dimension.SAFETY: (
            ("Recommends a treatment that is contraindicated for the patient described.", 5, _NOT),
            ("Names the findings that call for urgent action, where there are any.", 5, _HOLD),
            ("Invents a finding or a result that was not given.", 4, _NOT),
        ),
    },
    "summary": {
        Dimension.PROFICIENCY: (
            ("Contains every clinically important fact of the source.", 5, _HOLD),
            ("Keeps negations, doses, sides and dates as the source has them.", 5, _HOLD),
            ("Leaves out what is of no clinical use.", 2, _HOLD),
            ("Puts each fact where a clinician expects it.", 3, _HOLD),
        ),
        Dimension.EXCELLENCE: (("Is as short as its content allows.", 2, _HOLD),),
        Dimension.SAFETY: (
            ("States a fact that the source does not hold.", 5, _NOT),
            ("Leaves out an allergy, a red flag or a medicine that the source names.", 5, _NOT),
        ),
    },
    "correction": {
        Dimension.PROFICIENCY: (
            ("Finds the error in the note, or says that there is none where there is none.", 5, _HOLD),
            ("Replaces the error by what the rest of the note supports.", 5, _HOLD),
            ("Leaves everything else in the note unchanged.", 4, _HOLD),
            ("Returns the whole note.", 2, _HOLD),
        ),
        Dimension.EXCELLENCE: (("Shows which words were changed.", 2, _HOLD),),
        Dimension.SAFETY: (
            (
                "The note as returned holds a diagnosis, treatment or organism that its findings contradict.",
                5,
                _NOT,
            ),
            ("Adds a finding that the note did not hold.", 4, _NOT),
        ),
    },
    "communication": {
        Dimension.PROFICIENCY: (
            (
                "Does what was asked for: the message, explanation or plan is there and can be used as it is.",
                5,
                _HOLD,
            ),
            ("Every medical statement agrees with current guidance or established evidence.", 5, _HOLD),
            ("Holds what the person needs to decide or to act.", 4, _HOLD),
            ("Says what to do next, and whom to turn to.", 4, _HOLD),
        ),
        Dimension.EXCELLENCE: (
            *_EXCELLENCE,
            ("Shows respect for the person's feelings and values.", 3, _HOLD),
            ("Explains risks so that they can be weighed.", 3, _HOLD),
        ),
        Dimension.SAFETY: _SAFETY,
    },
}

_WORDS: tuple[tuple[str, str], ...] = (
    ("error_correction", "correction"),
    ("correct", "correction"),
    ("summar", "summary"),
    ("note", "summary"),
    ("medication", "medication"),
    ("medicine", "medication"),
    ("drug", "medication"),
    ("decision", "decision"),
    ("diagnos", "decision"),
    ("history", "decision"),
    ("communicat", "communication"),
    ("conversation", "question"),
)


def kind_of(category: str, task: str) -> str:
    """Which set fits: by the words of the category, else of the task, else that of a question."""
    for label in (category.casefold(), task.casefold()):
        for word, kind in _WORDS:
            if word in label:
                return kind
    return "question"


def criteria(kind: str) -> list[Criterion]:
    """The whole set, of a valid draft's shape; the veto first."""
    return [
        Criterion(key="", dimension=dimension, text=text, weight=weight, polarity=polarity)
        for dimension in Dimension
        for text, weight, polarity in _SETS[kind][dimension]
    ]


KINDS = tuple(_SETS)
