# SPDX-License-Identifier: Apache-2.0
"""browser.py - a real Chromium without a window, driven through two pipes

    with browser.Browser() as page:
        page.open("http://127.0.0.1:9532/")
        page.wait("the rows", "document.querySelectorAll('tr').length > 3")

It speaks Chromium's own protocol over the pipes of --remote-debugging-pipe, a JSON object and a NUL each
way, so that nothing but Chromium is needed.  Whatever the page asks for, logs or throws is kept.
"""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time

import fleet

NAMES = ("chromium", "chromium-browser", "headless_shell", "google-chrome")


def find():
    for name in NAMES:
        path = shutil.which(name) or shutil.which("/usr/lib64/chromium-browser/" + name)
        if path:
            return path
    return fleet.skip("no Chromium is installed")


class Browser:
    def __init__(self, width=1440, height=900, dark=False):
        self.profile = tempfile.TemporaryDirectory(prefix="vmtime-browser-", ignore_cleanup_errors=True)
        to_browser, self.to = os.pipe()
        self.source, from_browser = os.pipe()

        def give_pipes():
            # 3 and 4 may be among the four: move them out of the way first.
            a, b = os.dup2(to_browser, 200), os.dup2(from_browser, 201)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [find(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-sync",
             "--disable-extensions", "--remote-debugging-pipe", "--user-data-dir=" + self.profile.name,
             "--window-size=%d,%d" % (width, height), "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=give_pipes, close_fds=False, start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.buffer = 0, b""
        self.requests, self.complaints = [], []
        targets = self.call("Target.getTargets")["targetInfos"]
        target = [t for t in targets if t["type"] == "page"][0]["targetId"]
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")
        self.emulate(width, height, dark)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.to)
        os.close(self.source)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        self.profile.cleanup()

    session = None

    def emulate(self, width, height, dark):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def _read(self, end):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.source], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise TimeoutError("the browser says nothing")
            piece = os.read(self.source, 1 << 20)
            if not piece:
                raise EOFError("the browser is gone")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def _note(self, message):
        method, values = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(values["exceptionDetails"].get("exception", {}).get("description", "exception"))
        elif method == "Runtime.consoleAPICalled" and values["type"] in ("error", "warning", "assert"):
            self.complaints.append(str([a.get("value") for a in values["args"]]))
        elif method == "Log.entryAdded" and values["entry"]["level"] in ("error", "warning"):
            self.complaints.append("%s (%s)" % (values["entry"]["text"], values["entry"].get("url")))

    def call(self, method, seconds=30, **values):
        self.number += 1
        message = {"id": self.number, "method": method, "params": values}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + seconds
        while True:
            answer = self._read(end)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError("%s: %s" % (method, answer["error"]))
                return answer["result"]
            self._note(answer)

    def open(self, url):
        self.call("Page.navigate", url=url)

    def eval(self, expression):
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError("%s: %s" % (expression, answer["exceptionDetails"]["exception"].get("description")))
        return answer["result"].get("value")

    def wait(self, what, expression, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = self.eval(expression)
            if value:
                fleet.check(what, True)
                return value
            time.sleep(0.05)
        fleet.check(what, False, "not within %s s: %s" % (seconds, expression))
        return None

    def key(self, key, text=None, code=0):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code,
                      **({"text": text} if text and kind == "keyDown" else {}))

    def type(self, text):
        self.call("Input.insertText", text=text)

    def click(self, selector):
        """Where a person would: in the middle of what is there."""
        x, y = self.eval("(() => { const r = document.querySelector(%s).getBoundingClientRect();"
                         " return [r.x + r.width / 2, r.y + r.height / 2]; })()" % json.dumps(selector))
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
