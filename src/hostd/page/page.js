/* SPDX-License-Identifier: Apache-2.0 */
"use strict";
/*
 * page.js - asks vmtime-hostd, and shows what it says
 *
 * The guests every 5 s, and of the last hour what is new every 20 s; nothing while nobody looks.  When no
 * answer comes, the page says since when and tries again, rarer each time.
 */
(() => {
	const GUESTS_EVERY = 5e3, HISTORY_EVERY = 20e3, SLOWEST = 30e3;
	const trouble = document.getElementById("trouble");
	let report = null, since = null, history_due = 0;
	let failures = 0, answered_at = null, timer = null, retry_at = 0, is_asking = false;

	async function ask(path) {
		const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(15e3) });

		if (answer.status === 401)
			throw new Error("the token is needed: load the page again");
		if (!answer.ok && answer.status !== 404)
			throw new Error("it answered " + answer.status);
		return answer.status === 404 ? null : answer.json();
	}

	/* --- which view --- */

	function wanted() {
		const hash = new URLSearchParams(location.hash.slice(1));

		return hash.has("guest") ? { name: hash.get("guest"), backend: hash.get("backend") } : null;
	}

	const is_it = (g, want) => g.name === want.name && (!want.backend || g.backend === want.backend);

	function show_main(id) {
		for (const main of document.querySelectorAll("main"))
			main.hidden = main.id !== id;
	}

	function show_views() {
		const want = wanted();
		const g = want && report.guests.find((guest) => is_it(guest, want));

		document.title = (g ? g.name + " · " : "") + (report.name || "vmtime") + " · guests' clocks";
		if (g) {
			show_main("guest");
			guest_view.show(g, report);
		} else if (want) {
			document.querySelector("#lost h2").textContent = "No guest “" + want.name + "”";
			show_main("lost");
		} else {
			show_main(report.guests.length ? "guests" : "empty");
			list.draw();
		}
	}

	/* --- the host --- */

	function host_sentence(host) {
		if (!host.is_synchronized)
			return "Not synchronised" + (host.daemon ? ", says " + host.daemon : ": nobody keeps this clock");
		return "Synchronised by " + host.daemon + (host.root_distance_ns === undefined ? "" :
			", at most " + words.span(host.root_distance_ns) + " from true time");
	}

	function show_host() {
		const host = report.host, clock = document.getElementById("host-clock");

		document.getElementById("host-name").textContent = report.name || "this host";
		clock.className = host.is_synchronized ? "is-right" : "is-failed";
		clock.textContent = host_sentence(host);
		const facts = ["clocksource " + host.clocksource, words.leap(host.leap),
			"vmtime-hostd " + host.version + ", up " + words.span(host.uptime_ns)];
		document.getElementById("host-facts").replaceChildren(...facts.map(item));
		const alerts = document.getElementById("alerts");
		if (alerts.dataset.shown !== host.alerts.join("\n"))
			alerts.replaceChildren(...host.alerts.map(item));
		alerts.dataset.shown = host.alerts.join("\n");
		alerts.hidden = host.alerts.length === 0;
	}

	function item(text) {
		const li = document.createElement("li");

		li.textContent = text;
		return li;
	}

	/* --- asking --- */

	async function refresh_history() {
		const news = await ask("api/history" + (since === null ? "" : "?since=" + since));

		if (since !== null && BigInt(Math.floor(news.now_unix_ns / 1e6)) * 1000000n < since) {
			/* The host's clock went back: what is new has an earlier time than what is known. */
			since = null;
			curve.keep(new Set());
			return refresh_history();
		}
		curve.add(news.guests, news.now_unix_ns / 1e6);
		curve.keep(new Set(report.guests.map((g) => g.backend + "/" + g.name)));
		/* A little twice, rather than a little lost: it is told to the nanosecond, we count in 2^-10 us. */
		since = BigInt(Math.floor(news.now_unix_ns / 1e6)) * 1000000n;
		list.repaint();
	}

	async function refresh_guest(want) {
		const news = await ask("api/history?" + new URLSearchParams({ guest: want.name,
			...(want.backend && { backend: want.backend }) }));

		if (news && wanted()?.name === want.name)
			guest_view.show_history(news);
	}

	async function refresh() {
		report = await ask("api/guests");
		show_host();
		list.show(report);
		show_views();
		const want = wanted();
		if (want && report.guests.some((g) => is_it(g, want)))
			await refresh_guest(want);
		if (Date.now() >= history_due) {
			await refresh_history();
			history_due = Date.now() + HISTORY_EVERY;
		}
	}

	async function turn() {
		clearTimeout(timer);
		if (document.hidden || is_asking)
			return;
		is_asking = true;
		try {
			await refresh();
			failures = 0;
			answered_at = Date.now();
		} catch (error) {
			failures++;
			console.info("vmtime-hostd: " + error.message);
			show_trouble(error);
		}
		is_asking = false;
		const wait = failures ? Math.min(1e3 * 2 ** failures, SLOWEST) : GUESTS_EVERY;
		retry_at = Date.now() + wait;
		trouble.hidden = failures === 0;
		document.body.classList.toggle("is-stale", failures > 0);
		timer = setTimeout(turn, wait);
	}

	let reason = "";

	function show_trouble(error) {
		reason = error.name === "TypeError" ? "" : " (" + error.message + ")";
		tick();
	}

	/* Once a second, while there is trouble. */
	function tick() {
		const left = Math.max(0, Math.ceil((retry_at - Date.now()) / 1e3));

		trouble.querySelector("p").textContent = "No answer from vmtime-hostd" + reason +
			(answered_at ? ". What is shown is of " + words.clock(answered_at * 1e6) : "") +
			(left ? ". Trying again in " + left + " s." : ". Trying again …");
	}

	trouble.querySelector("button").addEventListener("click", turn);
	setInterval(() => failures && tick(), 1e3);
	document.addEventListener("visibilitychange", turn);
	addEventListener("hashchange", () => {
		guest_view.clear();
		if (report)
			show_views();
		scrollTo(0, 0);
		document.querySelector("main:not([hidden]) h2")?.focus();
		turn();
	});
	addEventListener("keydown", (event) => {
		if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey)
			return;
		if (event.key === "/" && !wanted()) {
			event.preventDefault();
			list.focus_filter();
		} else if (event.key === "Escape" && wanted()) {
			location.hash = "";
		}
	});
	turn();
})();
