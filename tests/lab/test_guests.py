"""A hostile page in a real Chromium, and what listens on this machine: it changes nothing there, and reads nothing.

The page is shown from three places: another site, another port of this machine, and a frame without an origin. Chromium
takes ``*.localhost`` for this machine by itself, which serves for the names that an attacker points here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from ipyassets.sandbox import Sandbox
from ipyassets.webhooks import WebhookReceiver
from tests.webhooks.senders import SECRET, signed

pytestmark = pytest.mark.browser

ATTACK = """async (to) => {
  const told = {};
  const within = (work) => Promise.race([work, new Promise((_, no) => setTimeout(() => no("in time"), 30000))]);
  const attempt = async (name, work) => { told[name] = await within(work()).catch((error) => `refused: ${error}`); };
  // "opaque": it was answered, and the page may not look.
  const asked = (url, init) => async () => {
    const answer = await fetch(url, { credentials: "include", ...init });
    return answer.type === "opaque" ? "opaque" : `read ${answer.status} ${await answer.text()}`;
  };
  const loaded = (tag, attributes) => () => new Promise((done) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.onload = element.onopen = () => done(`read by ${tag}`);
    element.onerror = () => done("refused");
    document.body.append(element);
  });
  const opened = (made) => new Promise((done) => {
    made.onopen = () => done("read");
    made.onerror = made.onclose = () => { made.close(); done("refused"); };
  });
  const posted = (action, enctype, fields) => () => new Promise((done) => {
    const frame = Object.assign(document.createElement("iframe"), { name: `${action} ${enctype}` });
    const form = Object.assign(document.createElement("form"), { method: "post", action, enctype, target: frame.name });
    for (const [name, value] of Object.entries(fields)) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    document.body.append(frame, form);
    frame.onload = () => { try { done(`read ${frame.contentDocument.body.innerText}`); } catch { done("opaque"); } };
    form.submit();
  });
  const all = [];
  for (const [name, { url, headers, body, fields }] of Object.entries(to)) {
    const run = (how, work) => all.push(attempt(`${name}: ${how}`, work));
    run("get", asked(url, { mode: "no-cors" }));
    run("get to read", asked(url));
    run("post", asked(url, { method: "POST", mode: "no-cors", body }));
    run("post to read", asked(url, { method: "POST", body }));
    run("post with headers", asked(url, { method: "POST", body, headers }));
    run("delete", asked(url, { method: "DELETE" }));
    run("beacon", async () => `sent ${navigator.sendBeacon(url, new Blob([body], { type: "text/plain" }))}`);
    for (const enctype of ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]) {
      run(enctype, posted(url, enctype, fields));
    }
    run("img", loaded("img", { src: url }));
    run("script", loaded("script", { src: url }));
    run("module", loaded("script", { src: url, type: "module" }));
    run("style", loaded("link", { rel: "stylesheet", href: url }));
    run("video", loaded("video", { src: url }));
    run("websocket", () => opened(new WebSocket(url.replace("http", "ws"))));
    run("events", () => opened(new EventSource(url)));
  }
  await Promise.all(all);
  return told;
}"""

FRAME = """(attack) => new Promise((done) => {
  addEventListener("message", ({ data }) => done(data));
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts allow-forms";
  frame.srcdoc = `<body><script>(${attack}).then((told) => parent.postMessage(told, "*"))</script>`;
  document.body.append(frame);
})"""


@contextmanager
def page_server() -> Iterator[int]:
    """An empty page at any address; gives the port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><body>")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def targets(sandbox: Sandbox, receiver: WebhookReceiver) -> dict[str, dict[str, Any]]:
    """What is asked for, with all that a page could know: the sandbox's credentials, a webhook that is signed well."""
    info = sandbox.connection_info()
    vntana, itwin = info["vntana"], info["itwin"]
    event = json.dumps({"eventType": "product.created"})
    login = {"email": vntana["email"], "password": vntana["password"]}
    grant = {name: itwin[name] for name in ("client_id", "client_secret")} | {"grant_type": "client_credentials"}
    place = f"organizations/{vntana['organization_slug']}/clients/{vntana['workspace_slug']}"

    def target(url: str, body: str = "{}", headers: dict[str, str] | None = None, **fields: str) -> dict[str, Any]:
        return {"url": url, "body": body, "headers": headers or {"Content-Type": "application/json"}, "fields": fields}

    found = {
        "login": target(f"{vntana['admin_url']}/v1/auth/login", json.dumps(login), **login),
        "token": target(itwin["token_url"], "&".join(f"{name}={value}" for name, value in grant.items()), **grant),
        "search": target(f"{vntana['public_url']}/{place}/products/search"),
        "webhook": target(receiver.url, event, signed(event.encode()), event=event),
    }
    for name in ("search", "webhook"):
        other = found[name]["url"].replace("127.0.0.1", "rebound.localhost")
        found[f"{name} by another name"] = {**found[name], "url": other}
    return found


def test_a_page_of_the_web_gets_nowhere(context: BrowserContext) -> None:
    """What pages could do to the ports of this machine was read and thought about, and never seen in a browser."""
    with Sandbox() as sandbox, WebhookReceiver(SECRET) as receiver, page_server() as port:
        wanted = targets(sandbox, receiver)
        pages = {"another site": "evil.localhost", "another port": "127.0.0.1", "no origin": "evil.localhost"}
        for place, host in pages.items():
            page = context.new_page()
            page.goto(f"http://{host}:{port}/")
            call = f"({ATTACK})({json.dumps(wanted)})"
            told = page.evaluate(FRAME, call) if place == "no origin" else page.evaluate(call)
            page.close()
            assert {name: how for name, how in told.items() if how.startswith("read")} == {}, place
            # They did come there: that they were not answered in time would prove nothing.
            assert sum(how == "opaque" for how in told.values()) >= 5 * len(wanted), (place, told)
        page = context.new_page()
        shown = page.goto(sandbox.origin.replace("127.0.0.1", "rebound.localhost"))
        assert shown is not None
        assert shown.status == 400
        page.close()
        assert not sandbox.faults.log, "a service saw it"
        assert receiver.received == receiver.duplicates == 0
        assert set(receiver.refused) == {"not a POST", "no signature"}
