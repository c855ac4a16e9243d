#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hostd_page.py MADE_FLEET - the page, in a real Chromium

What a person sees and does, read back from the browser: rows, sorting, filters, a guest's own view, keys,
light and dark, nobody there, the daemon gone.  Nothing may be asked of another host, and the console
stays empty.
"""

import atexit
import contextlib
import json
import os
import sys
import time

import browser
import fleet
from fleet import check

PROGRAM = os.path.abspath(sys.argv[1])

ROWS = "[...document.querySelectorAll('#table tbody tr[data-key]')]"
NAMES = ROWS + ".map((row) => row.querySelector('th').textContent)"
COUNT = "document.getElementById('count').textContent"
SHOWN = "[...document.querySelectorAll('main')].filter((main) => !main.hidden).map((main) => main.id).join()"


_browser = []


@contextlib.contextmanager
def shared(width=1440, height=900):
    """The one browser of all tests, as if it had just been started."""
    if not _browser:
        _browser.append(browser.Browser())
        atexit.register(_browser[0].__exit__)
    page = _browser[0]
    page.open("about:blank")
    page.emulate(width, height, False)
    page.requests.clear()
    page.complaints.clear()
    yield page


def ready(page, served, hash_=""):
    page.open("http://127.0.0.1:%d/%s" % (served.port, hash_))
    page.wait("the page is there", "document.readyState === 'complete' && %s !== ''" % SHOWN)


def refresh(page):
    """What is due within 5 s, at once: the page asks when somebody looks at it again."""
    time.sleep(0.55)  # the same answer is given for half a second
    page.eval("document.dispatchEvent(new Event('visibilitychange'))")


def quiet(page, served):
    """At the end: what was asked of whom, and what was complained of."""
    ours = "http://127.0.0.1:%d/" % served.port
    strangers = [url for url in page.requests if not url.startswith((ours, "about:", "data:"))]
    check("nothing was asked of another host", strangers == [] and len(page.requests) > 8, strangers)
    check("the console is empty", page.complaints == [], page.complaints)


def sort_by(page, column):
    page.click("#table th.%s button" % column)
    return page.eval("document.querySelector('#table th.%s').ariaSort" % column)


def test_rows():
    with fleet.Fleet(PROGRAM, 40) as served, shared() as page:
        ready(page, served)
        guests = {g["name"]: g for g in served.json("/api/guests")["guests"]}
        check("a row for each guest that is seen", set(page.eval(NAMES)) <= set(guests) and
              len(page.eval(NAMES)) >= 20, page.eval(NAMES))
        check("how many", page.eval(COUNT) == "40 guests", page.eval(COUNT))
        check("those in trouble first", page.eval(NAMES)[0] == "mail-0023", page.eval(NAMES)[:3])
        row = page.eval(ROWS + "[0].textContent")
        check("in words", "not repaired" in row and "12.3 s behind" in row.replace("\u00a0", " "), row)
        check("the host on top", "Synchronised by chronyd" in page.eval("document.getElementById('host-clock').textContent"))
        check("rows are named by their guest", page.eval(ROWS + ".every((r) => r.querySelector('th').scope === 'row')"))
        check("a reader is told of all rows", page.eval("document.getElementById('table').getAttribute('aria-rowcount')") == "41")
        page.wait("curves are painted", "(() => { const c = document.querySelector('#table canvas');"
                  " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((b) => b); })()")
        served.say("offset web-0000 12.3")
        refresh(page)
        page.wait("what changes is shown", ROWS + ".some((r) => r.textContent.startsWith('wrong') &&"
                  " r.querySelector('th').textContent === 'web-0000')")
        served.say("alert the clocksource is not tsc <b>")
        refresh(page)
        page.wait("alerts", "document.getElementById('alerts').textContent === 'the clocksource is not tsc <b>'")
        quiet(page, served)


def test_sorting_and_filters():
    with fleet.Fleet(PROGRAM, 200) as served, shared() as page:
        ready(page, served)
        guests = served.json("/api/guests")["guests"]
        check("by name", sort_by(page, "name") == "ascending")
        shown = page.eval(NAMES)
        check("in its order", shown == sorted(g["name"] for g in guests)[:len(shown)], shown[:4])
        check("and back", sort_by(page, "name") == "descending")
        shown = page.eval(NAMES)
        check("in the other order", shown == sorted((g["name"] for g in guests), reverse=True)[:len(shown)], shown[:4])
        check("by offset, the largest first", sort_by(page, "offset") == "descending")
        sizes = sorted((abs(g["offset_ns"]) for g in guests if "offset_ns" in g), reverse=True)
        by_name = {g["name"]: abs(g.get("offset_ns", -1)) for g in guests}
        shown = [by_name[name] for name in page.eval(NAMES)]
        check("by its size", shown == sizes[:len(shown)], shown[:5])
        check("one column at a time", page.eval("document.querySelectorAll('#table th[aria-sort]').length") == 1)
        for column in ("health", "error", "last", "lost", "took", "agent"):
            check("by " + column, sort_by(page, column) in ("ascending", "descending") if page.eval(
                "getComputedStyle(document.querySelector('#table th.%s')).display" % column) != "none" else True)
        page.key("/", "/", 191)
        check("/ goes to the filter", page.eval("document.activeElement.id") == "filter")
        page.type("WEB-00")
        page.wait("the filter", COUNT + " === '20 of 200 guests'")
        check("only such", all(name.startswith("web-00") for name in page.eval(NAMES)), page.eval(NAMES))
        page.type("no such guest")
        page.wait("nobody is told", "!document.getElementById('none').hidden")
        page.click("#none button")
        page.wait("and undone", COUNT + " === '200 guests'")
        page.click("#chips [data-health=failed]")
        failed = [g["name"] for g in guests if g["state"] == "failed"]
        page.wait("a chip", "%s === '%d of 200 guests'" % (COUNT, len(failed)))
        check("shows those", sorted(page.eval(NAMES)) == sorted(failed), page.eval(NAMES))
        check("and is pressed", page.eval("document.querySelector('#chips [data-health=failed]').ariaPressed") == "true")
        quiet(page, served)


def test_own_view():
    with fleet.Fleet(PROGRAM, 40) as served, shared() as page:
        has_dygraphs = b"Dygraph" in served.ask("/dygraph.js")[2]
        ready(page, served, "#guest=web-0000&backend=libvirt")
        page.wait("a link leads to it", SHOWN + " === 'guest'")
        check("its name", page.eval("document.querySelector('#guest h2').textContent") == "web-0000")
        if has_dygraphs:
            page.wait("the large curve", "document.querySelectorAll('#chart canvas').length > 0")
            check("can be read out", "measurements" in page.eval("document.getElementById('chart').ariaLabel || "
                                                                 "document.getElementById('chart').getAttribute('aria-label')"))
            page.click("#scale button:nth-child(2)")
            check("another scale", page.eval("document.querySelector('#scale button:nth-child(2)').ariaPressed") == "true")
        else:
            page.wait("without dygraphs it says so", "document.getElementById('chart-help').textContent.includes('no large curve')")
        page.wait("what happened", "document.querySelectorAll('#marks tbody tr').length >= 3")
        marks = page.eval("document.getElementById('marks').textContent")
        check("in words", "the time was sent" in marks and "disrupted: pause" in marks, marks)
        now = page.eval("document.getElementById('facts-now').textContent")
        check("facts", "libvirt" in now and "qemu-ga 7.2.19" in now, now)
        page.key("Escape", code=27)
        page.wait("Escape goes back", SHOWN + " === 'guests'")
        page.click("#table tbody tr[data-key='libvirt/mail-0023'] td.offset")
        page.wait("a click on a row opens it", SHOWN + " === 'guest' && document.querySelector('#guest h2').textContent === 'mail-0023'")
        check("and the link says so", page.eval("location.hash") == "#guest=mail-0023&backend=libvirt")
        check("the note", "tried again" in page.eval("document.getElementById('guest-note').textContent"))
        page.eval("location.hash = '#guest=nobody'")
        page.wait("no such guest", SHOWN + " === 'lost'")
        check("is told", "nobody" in page.eval("document.querySelector('#lost h2').textContent"))
        page.eval("history.back()")
        page.wait("back is back", SHOWN + " === 'guest'")
        quiet(page, served)


def test_keys():
    with fleet.Fleet(PROGRAM, 300) as served, shared(height=600) as page:
        ready(page, served)
        page.eval("document.querySelector('#table tbody a').focus()")
        first = page.eval("document.activeElement.textContent")
        for _ in range(60):
            page.key("ArrowDown", code=40)
        check("sixty rows down", page.eval("document.activeElement.closest('tr')?.getAttribute('aria-rowindex')") == "62",
              page.eval("document.activeElement.outerHTML"))
        check("in sight", page.eval("(() => { const r = document.activeElement.getBoundingClientRect();"
                                    " return r.top >= 30 && r.bottom <= innerHeight; })()"))
        for _ in range(60):
            page.key("ArrowUp", code=38)
        check("and back", page.eval("document.activeElement.textContent") == first)
        check("the focus is seen", page.eval("getComputedStyle(document.activeElement).outlineStyle") == "solid")
        refresh(page)
        time.sleep(0.3)
        check("a refresh does not take it away", page.eval("document.activeElement.textContent") == first)
        page.key("Enter", "\r", 13)
        page.wait("Enter opens", SHOWN + " === 'guest'")
        check("the heading has the focus", page.eval("document.activeElement.tagName") == "H2")
        page.eval("location.hash = ''; document.querySelector('#table th.name button').focus()")
        page.wait("the list", SHOWN + " === 'guests'")
        page.eval("document.querySelector('#table th.name button').focus()")
        page.key("Enter", "\r", 13)
        check("a head is a button", page.eval("document.querySelector('#table th.name').ariaSort") == "ascending")
        quiet(page, served)


CONTRAST = """(() => {
	const light = (c) => {
		const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map((x) => x / 255)
			.map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const ground = (e) => {
		for (; e; e = e.parentElement) {
			const c = getComputedStyle(e).backgroundColor;
			if (!c.startsWith("rgba(0, 0, 0, 0") && c !== "transparent")
				return c;
		}
		return "rgb(255, 255, 255)";
	};
	let worst = [99, ""];
	for (const e of document.querySelectorAll("body *")) {
		if (!e.checkVisibility() || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
			continue;
		const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		if (ratio < worst[0])
			worst = [ratio, e.outerHTML.slice(0, 200)];
	}
	return worst;
})()"""


def test_light_and_dark():
    with fleet.Fleet(PROGRAM, 100) as served, shared() as page:
        served.say("alert something is wrong with the host")
        ready(page, served)
        ground = "getComputedStyle(document.body).backgroundColor"
        is_dark = "(%s.match(/\\d+/g).map(Number)[0] < 80)" % ground
        check("light as the system has it", not page.eval(is_dark), page.eval(ground))
        seen = {}
        for name, hash_ in (("the list", ""), ("a guest's view", "#guest=mail-0023&backend=libvirt")):
            for dark in (False, True):
                page.emulate(1600, 900, dark)
                ready(page, served, hash_)
                page.wait("all is there", "document.getElementById('alerts').textContent !== ''")
                time.sleep(0.3)
                ratio, where = page.eval(CONTRAST)
                seen[(name, dark)] = ratio
                check("%s, %s: contrast is 4.5 at least" % (name, "dark" if dark else "light"), ratio >= 4.5, (ratio, where))
                check("%s is %s" % (name, "dark" if dark else "light"), page.eval(is_dark) == dark)
        print("least contrast:", ", ".join("%s %s %.1f" % (n, "dark" if d else "light", r) for (n, d), r in seen.items()))
        page.emulate(1440, 900, False)
        for want, name in ((False, "light"), (True, "dark"), (False, "auto")):
            page.click("#theme")
            check("the switch: " + name, page.eval("document.getElementById('theme').textContent") == "Theme: " + name and
                  page.eval(is_dark) == want)
        page.click("#theme")
        page.click("#theme")
        ready(page, served)
        check("it is remembered", page.eval(is_dark))
        quiet(page, served)


def test_a_thousand():
    with fleet.Fleet(PROGRAM, 1000) as served, shared() as page:
        began = time.monotonic()
        ready(page, served)
        page.wait("all of them", COUNT + " === '1000 guests'")
        loaded = time.monotonic() - began
        check("only what is seen exists", 20 < page.eval(ROWS + ".length") < 60, page.eval(ROWS + ".length"))
        sorting = page.eval("""(() => {
			const began = performance.now();
			for (const column of ["name", "offset", "last", "health"])
				document.querySelector(`#table th.${column} button`).click();
			document.body.offsetHeight;
			return (performance.now() - began) / 4;
		})()""")
        scrolling = page.eval("""(async () => {
			let worst = 0, holes = 0, last = performance.now();
			for (let y = 0; y < 33000; y += 330) {
				scrollTo(0, y);
				await new Promise(requestAnimationFrame);
				await new Promise(requestAnimationFrame);
				const now = performance.now();
				worst = Math.max(worst, now - last);
				last = now;
				holes += !document.elementFromPoint(400, innerHeight / 2).closest("tr[data-key]");
			}
			return [worst, holes];
		})()""")
        check("no holes while scrolling", scrolling[1] == 0, scrolling)
        page.eval("scrollTo(0, 1e9)")
        page.wait("the last row", ROWS + ".some((r) => r.getAttribute('aria-rowindex') === '1001')")
        heights = page.eval(ROWS + ".map((r) => r.getBoundingClientRect().height)")
        check("rows are as high as is counted with", set(heights) == {34}, set(heights))
        print("1000 guests: there after %.2f s, sorted within %.0f ms, two frames of scrolling at most %.0f ms" % (
            loaded, sorting, scrolling[0]))
        check("sorting is quick", sorting < 1000, sorting)
        quiet(page, served)


def test_narrow():
    with fleet.Fleet(PROGRAM, 100) as served, shared(width=360, height=740) as page:
        for width in (360, 480, 600, 768, 1024, 1280, 1440, 1920):
            page.emulate(width, 740, False)
            ready(page, served)
            over = page.eval("document.documentElement.scrollWidth - innerWidth")
            check("%d wide: nothing sticks out" % width, over <= 0, over)
            cut = page.eval(ROWS + ".flatMap((r) => [...r.querySelectorAll('.health, .offset')]).filter((c) =>"
                            " c.checkVisibility() && c.scrollWidth > c.clientWidth).map((c) => c.textContent)")
            check("%d wide: neither state nor offset is cut" % width, cut == [], cut[:3])
        quiet(page, served)


def test_nobody_and_nothing():
    with fleet.Fleet(PROGRAM, 0) as served, shared() as page:
        ready(page, served)
        check("no guests: what to do is said", page.eval(SHOWN) == "empty" and
              "virsh start" in page.eval("document.getElementById('empty').textContent"))
        quiet(page, served)
    with fleet.Fleet(PROGRAM, 1) as served:
        port = served.port
        with shared() as page:
            ready(page, served)
            check("one guest", page.eval(COUNT) == "1 guest")
    refresh(page)
    page.wait("the daemon is gone: it is said", "!document.getElementById('trouble').hidden &&"
              " document.querySelector('#trouble p').textContent.includes('No answer from vmtime-hostd. What is shown is of')")
    check("what was known is still there", page.eval(NAMES) == ["web-0000"])
    with fleet.Fleet(PROGRAM, 2, "--port", str(port)):
        page.click("#trouble button")
        page.wait("it is back", "document.getElementById('trouble').hidden && " + COUNT + " === '2 guests'")


def test_odd_names():
    """What a guest is called is text, whatever is in it."""
    odd = ["<img src=x onerror=alert(1)>", "a&b#c?d=e", "räksmörgås", "x" * 127, "\"'`", "../..", "ሴ" * 40]
    with fleet.Fleet(PROGRAM, len(odd)) as served, shared() as page:
        names = [g["name"] for g in served.json("/api/guests")["guests"]]
        for name, new in zip(names, odd):
            served.say("name %s %s" % (name, new))
        ready(page, served)
        refresh(page)
        page.wait("they are shown as they are", "%s.sort().join('\\n') === %s.sort().join('\\n')" % (NAMES, json.dumps(odd)))
        check("no element came of them", page.eval("document.querySelectorAll('img').length") == 0)
        for name in odd:
            page.eval("[...document.querySelectorAll('#table a')].find((a) => a.textContent === %s).click()" % json.dumps(name))
            page.wait("its own view", "%s === 'guest' && document.querySelector('#guest h2').textContent === %s" % (
                SHOWN, json.dumps(name)))
            page.wait("its history came", "document.getElementById('chart-help').textContent !== ''")
            page.eval("location.hash = ''")
            page.wait("the list", SHOWN + " === 'guests'")
        quiet(page, served)


fleet.finish(test_rows, test_sorting_and_filters, test_own_view, test_keys, test_light_and_dark, test_a_thousand,
             test_narrow, test_nobody_and_nothing, test_odd_names)
