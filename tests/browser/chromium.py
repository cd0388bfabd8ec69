"""A browser that tells what a page did: Chromium over its own debugging protocol, with the scripts it parsed and the requests it made."""

import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import time
from pathlib import Path

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
         "--disable-default-apps", "--mute-audio", "--remote-debugging-port=0", "--remote-allow-origins=*", "--allow-file-access-from-files"]  # fmt: skip


class Browser:
    """One Chromium, one tab after another; use it in a `with`."""

    def __init__(self, folder: Path):
        import websocket

        self.log = open(folder / "chromium.log", "wb")  # noqa: SIM115  (closed with the browser)
        self.process = subprocess.Popen([PROGRAM, *QUIET, f"--user-data-dir={folder / 'profile'}", "about:blank"], stdout=self.log, stderr=self.log)
        port, end = folder / "profile" / "DevToolsActivePort", time.monotonic() + 60
        while not (port.exists() and port.read_text().count("\n") >= 1):
            if time.monotonic() > end or self.process.poll() is not None:
                self.close()
                raise RuntimeError((folder / "chromium.log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)
        number, path = port.read_text().split("\n")[:2]
        self.socket = websocket.create_connection(f"ws://127.0.0.1:{number}{path}", timeout=60, suppress_origin=True, enable_multithread=False)
        self.numbers, self.events = itertools.count(1), []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with contextlib.suppress(Exception):
            self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def call(self, method: str, session: str | None = None, **options):
        """Ask the browser for something and return its answer; what it reports meanwhile is kept in `events`."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": options, **({"sessionId": session} if session else {})}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]
            self.events.append(message)

    @contextlib.contextmanager
    def tab(self, address: str, *, width: int = 1280, height: int = 900, dark: bool = False, media: str = ""):
        """Open an address and give a Tab once it has loaded; what it parsed and asked for is in it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        try:
            tab = Tab(self, session)
            for part in ("Page", "Network", "Debugger", "Log"):
                tab.call(f"{part}.enable")
            tab.call("Network.setCacheDisabled", cacheDisabled=True)
            tab.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 700)
            tab.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
            self.events.clear()
            tab.call("Page.navigate", url=address)
            tab.until("Page.loadEventFired")
            tab.settle()
            yield tab
        finally:
            self.call("Target.closeTarget", targetId=target)


class Tab:
    """A page in the browser."""

    def __init__(self, browser: Browser, session: str):
        self.browser, self.session = browser, session

    def call(self, method: str, **options):
        return self.browser.call(method, self.session, **options)

    def until(self, name: str, seconds: float = 30.0):
        end = time.monotonic() + seconds
        while not self.reported(name):
            if time.monotonic() > end:
                raise TimeoutError(name)
            self.browser.call("Browser.getVersion")  # any question: what was reported before its answer has been read
            time.sleep(0.02)

    def settle(self, seconds: float = 0.3):
        """Give late requests and scripts their time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.browser.call("Browser.getVersion")
            time.sleep(0.05)

    def reported(self, name: str) -> list[dict]:
        return [event["params"] for event in self.browser.events if event.get("method") == name and event.get("sessionId") == self.session]

    @property
    def requests(self) -> list[str]:
        """Addresses the page asked for, itself first."""
        return [event["request"]["url"] for event in self.reported("Network.requestWillBeSent")]

    @property
    def scripts(self) -> list[str]:
        """Scripts the page had the engine read; ask before `evaluate`, which adds its own."""
        return [event["url"] or "inline" for event in self.reported("Debugger.scriptParsed")]

    def evaluate(self, expression: str):
        """The value of an expression in the page, past its policy, as a developer's console has it."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", str(result["exceptionDetails"])))
        return result["result"].get("value")

    def pdf(self) -> bytes:
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"])

    def picture(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"])
