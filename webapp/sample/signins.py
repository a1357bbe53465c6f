"""The people of the sample project. They can sign in from this machine only (see accounts.middleware)."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "goldrounds-sample"
PROJECT_SLUG = "sample"


@dataclass(frozen=True)
class SignIn:
    username: str
    first_name: str
    last_name: str
    role: str
    specialties: tuple[str, ...] = ()
    credentials: str = ""
    years_of_practice: int | None = None


SIGN_INS = (
    SignIn("admin", "Robin", "Maier", "admin"),
    SignIn("lead", "Lena", "Okafor", "lead", credentials="MD, internal medicine", years_of_practice=17),
    SignIn("ada", "Ada", "Keller", "physician", ("Cardiology", "Emergency medicine"), "MD, cardiology", 9),
    SignIn("ben", "Ben", "Sato", "physician", ("Paediatrics", "Infectious diseases"), "MD, paediatrics", 12),
    SignIn("cleo", "Cleo", "Nkemelu", "physician", ("Neurology", "Psychiatry"), "MD, neurology", 7),
    SignIn(
        "dan", "Dan", "Alvarez", "adjudicator", credentials="MD, clinical pharmacology", years_of_practice=21
    ),
)


def shown() -> str:
    """What `make run` prints."""
    names = ", ".join(f"{person.username} ({person.role})" for person in SIGN_INS)
    return f"Sign in as {names}; password {PASSWORD} (from this machine only)."
