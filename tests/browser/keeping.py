"""What a browser keeps at rest, read as somebody with the developer tools would."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.browser.desk import session_cookie
from webapp.accounts.models import User

RECORDS = """async () => {
  const found = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((resolve, reject) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    for (const table of database.objectStoreNames) {
      const rows = await new Promise((resolve) => {
        const request = database.transaction(table).objectStore(table).getAll();
        request.onsuccess = () => resolve(request.result);
      });
      for (const { id, body, ...rest } of rows) {
        const sealed = body.sealed instanceof ArrayBuffer ? new TextDecoder("latin1").decode(body.sealed) : null;
        const text = JSON.stringify(rest) + (sealed ?? JSON.stringify(body));
        found.push({ name, table, id, key: body.key ?? null, text });
      }
    }
    database.close();
  }
  const local = Object.entries({ ...localStorage, ...sessionStorage }).map(([id, text]) => ({ table: "local", id, text }));
  return [...found, ...local];
}"""

OPENS = """async ([name, table, id]) => {
  const { Sealer, Unreadable } = await import("/static/review/sealing.js");
  const { journal } = await (await fetch("/api/v1/review/desk")).json();
  const database = await new Promise((resolve) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => resolve(request.result);
  });
  const { body } = await new Promise((resolve) => {
    const request = database.transaction(table).objectStore(table).get(id);
    request.onsuccess = () => resolve(request.result);
  });
  database.close();
  const tried = [];
  for (const key of [journal.name, body.key]) {
    const sealer = await Sealer.of({ ...journal, name: key });
    const refused = (error) => (error instanceof Unreadable ? null : String(error));
    tried.push(await sealer.open(id, body).catch(refused));
  }
  return tried;
}"""


def records(page: Page, table: str = "") -> list[dict[str, Any]]:
    """Everything at rest: {table, id, text}, bytes read as letters."""
    return [record for record in page.evaluate(RECORDS) if table in {"", record["table"]}]


def opened(page: Page, record: dict[str, Any]) -> list[Any]:
    """What whoever is signed in gets out of a record, by their key's own name and under the record's; None: nothing."""
    tried: list[Any] = page.evaluate(OPENS, [record["name"], record["table"], record["id"]])
    return tried


def sign_in(context: BrowserContext, user: User, url: str) -> None:
    context.clear_cookies(name="sessionid")
    context.add_cookies([{"name": "sessionid", "value": session_cookie(user), "url": url}])
