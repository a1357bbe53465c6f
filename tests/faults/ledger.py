"""Writers that remember what was acknowledged, and the comparison with what is there afterwards."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from webapp.embedded.paths import postgres_url

TABLE = "CREATE TABLE IF NOT EXISTS fault_saves (id uuid PRIMARY KEY)"
PAUSE_S = 0.02


@dataclass
class Ledger:
    """`acknowledged` grows only after PostgreSQL has said that the transaction is committed."""

    home: Path
    acknowledged: set[uuid.UUID] = field(default_factory=set)
    refused: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, writers: int) -> None:
        with psycopg.connect(postgres_url(self.home)) as connection:
            connection.execute(TABLE)
        self._threads = [threading.Thread(target=self._write, daemon=True) for _ in range(writers)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def lost(self) -> set[uuid.UUID]:
        with psycopg.connect(postgres_url(self.home)) as connection:
            there = {row[0] for row in connection.execute("SELECT id FROM fault_saves")}
        return self.acknowledged - there

    def lose_one(self) -> None:
        """Plant a loss, to see that it is found."""
        with psycopg.connect(postgres_url(self.home)) as connection:
            connection.execute("DELETE FROM fault_saves WHERE id = %s", [next(iter(self.acknowledged))])

    def _write(self) -> None:
        while not self._stop.is_set():
            try:
                with psycopg.connect(postgres_url(self.home), connect_timeout=5) as connection:
                    self._write_until_a_fault(connection)
            except psycopg.OperationalError:
                self.refused += 1
                self._stop.wait(PAUSE_S)

    def _write_until_a_fault(self, connection: psycopg.Connection) -> None:
        while not self._stop.is_set():
            saved = uuid.uuid4()
            connection.execute("INSERT INTO fault_saves VALUES (%s)", [saved])
            connection.commit()
            self.acknowledged.add(saved)
