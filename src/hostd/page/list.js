/* SPDX-License-Identifier: Apache-2.0 */
"use strict";
/*
 * list.js - one row a guest
 *
 * Only the rows that can be seen exist, between two spacers; aria-rowcount and aria-rowindex tell
 * a screen reader of the others.  A row that stays stays the same element, so that the focus and
 * a selection survive a refresh.
 */
const list = (() => {
	const ROW = 34;   /* pixels, as in style.css */
	const AROUND = 8; /* rows beyond the edges    */
	const table = document.getElementById("table");
	const body = table.tBodies[0];
	const [above, below] = [spacer(), spacer()];
	const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
	const rows = new Map(); /* key -> element */
	let report = null, shown = [], threshold = 0;
	let sort = { column: "health", is_down: false }, filter = "", only = null;

	
	const COLUMNS = [
		{ id: "health", title: "State",           key: (g) => g.rank },
		{ id: "name",   title: "Guest",           key: (g) => g.order },
		{ id: "offset", title: "Offset",          key: (g) => abs(g.offset_ns), n: true },
		{ id: "error",  title: "Known to",        key: (g) => g.uncertainty_ns, n: true },
		{ id: "curve",  title: "Last hour" },
		{ id: "last",   title: "Last disruption", key: (g) => minus(g.last?.at_unix_ns) },
		{ id: "lost",   title: "Lost",            key: (g) => abs(g.last?.lost_ns), n: true },
		{ id: "took",   title: "Right after",     key: (g) => g.last?.took_ns, n: true },
		{ id: "agent",  title: "Asked through",   key: (g) => words.agent(g) },
		{ id: "note",   title: "Note",            key: (g) => g.note || undefined },
	];
	

	const abs = (x) => x === undefined ? undefined : Math.abs(x);
	const minus = (x) => x === undefined ? undefined : -x;

	function spacer() {
		const row = document.createElement("tr"), cell = document.createElement("td");

		row.className = "space";
		row.setAttribute("aria-hidden", "true");
		row.append(cell);
		return row;
	}

	/* Sets what differs: a text that is set anew loses its selection. */
	function put(element, text) {
		if (element.textContent !== text)
			element.textContent = text;
	}

	/* --- the heads --- */

	function make_heads() {
		for (const column of COLUMNS) {
			const th = document.createElement("th");

			th.scope = "col";
			th.className = column.id + (column.n ? " n" : "");
			if (column.key) {
				const button = document.createElement("button");
				button.type = "button";
				button.textContent = column.title;
				button.addEventListener("click", () => sort_by(column.id));
				th.append(button);
			} else {
				th.textContent = column.title;
			}
			table.tHead.rows[0].append(th);
		}
	}

	function sort_by(id) {
		/* The largest offset, the longest loss are what somebody looks for first. */
		const is_first_down = ["offset", "error", "lost", "took"].includes(id);

		sort = { column: id, is_down: sort.column === id ? !sort.is_down : is_first_down };
		arrange();
	}

	function mark_heads() {
		for (const th of table.tHead.rows[0].cells)
			if (th.classList.contains(sort.column))
				th.ariaSort = sort.is_down ? "descending" : "ascending";
			else
				th.removeAttribute("aria-sort");
	}

	/* --- who is shown, in which order --- */

	function compare(a, b) {
		const key = COLUMNS.find((column) => column.id === sort.column).key;
		const x = key(a), y = key(b);

		if (x === y)
			return a.order - b.order;
		if (x === undefined || y === undefined)
			return x === undefined ? 1 : -1; /* what is not known is last either way */
		const sign = typeof x === "string" ? collator.compare(x, y) : x - y;
		return (sort.is_down ? -sign : sign) || a.order - b.order;
	}

	function is_wanted(g) {
		return (!only || g.health === only) && g.text.includes(filter);
	}

	function arrange() {
		if (!report)
			return;
		shown = report.guests.filter(is_wanted).sort(compare);
		table.setAttribute("aria-rowcount", shown.length + 1);
		document.getElementById("none").hidden = shown.length > 0;
		put(document.getElementById("count"), shown.length === report.guests.length ?
			guests(shown.length) : shown.length + " of " + guests(report.guests.length));
		mark_heads();
		draw();
	}

	const guests = (n) => n === 1 ? "1 guest" : n + " guests";

	/* --- rows --- */

	function make_row(key) {
		const row = document.createElement("tr"), parts = {};

		for (const column of COLUMNS) {
			const cell = document.createElement(column.id === "name" ? "th" : "td");
			cell.className = column.id + (column.n ? " n" : "");
			row.append(cell);
			parts[column.id] = cell;
		}
		parts.name.scope = "row";
		parts.link = document.createElement("a");
		parts.name.append(parts.link);
		parts.canvas = document.createElement("canvas");
		parts.canvas.setAttribute("role", "img");
		parts.curve.append(parts.canvas);
		row.parts = parts;
		row.dataset.key = key;
		rows.set(key, row);
		return row;
	}

	function fill_row(row, g, index) {
		const parts = row.parts, last = g.last;

		row.setAttribute("aria-rowindex", index + 2);
		row.className = "is-" + g.health;
		put(parts.health, words.HEALTH_WORDS[g.health]);
		parts.health.title = "state: " + g.state;
		put(parts.link, g.name);
		parts.link.href = link(g);
		parts.link.title = g.name + " (" + g.backend + ")";
		put(parts.offset, g.offset_ns === undefined ? "" : words.offset(g.offset_ns));
		put(parts.error, g.offset_ns === undefined ? "" : "±\u202f" + words.span(g.uncertainty_ns));
		put(parts.last, last ? words.reason(last.reason) + ", " +
			words.ago(report.now_unix_ns - last.at_unix_ns) : "");
		put(parts.lost, last?.lost_ns === undefined ? "" : words.span(last.lost_ns));
		put(parts.took, last?.took_ns !== undefined ? words.span(last.took_ns) :
			last?.end === "open" ? "not yet" : "");
		put(parts.agent, words.agent(g));
		put(parts.note, g.note);
		parts.note.title = g.note;
		parts.canvas.setAttribute("aria-label", g.offset_ns === undefined ? "not measured" :
			"now " + words.offset(g.offset_ns));
		if (row.painted !== g.painting) {
			row.painted = g.painting;
			row.wants_paint = true;
		}
	}

	const link = (g) => "#" + new URLSearchParams({ guest: g.name, backend: g.backend });

	/* Puts the rows of the window where they belong. */
	function draw() {
		const top = body.getBoundingClientRect().top;
		const first = Math.max(0, Math.floor(-top / ROW) - AROUND);
		const end = Math.min(shown.length, Math.ceil((innerHeight - top) / ROW) + AROUND);
		const wanted = shown.slice(Math.min(first, end), end);
		let before = above;

		if (table.closest("[hidden]") || !report)
			return;
		set_height(above, Math.min(first, end));
		set_height(below, shown.length - end);
		if (!above.isConnected)
			body.append(above, below);
		const gone = new Set(rows.keys());
		wanted.forEach((g, i) => {
			const row = rows.get(g.key) ?? make_row(g.key);

			gone.delete(g.key);
			fill_row(row, g, first + i);
			if (before.nextSibling !== row)
				before.after(row);
			before = row;
		});
		for (const key of gone) {
			rows.get(key).remove();
			rows.delete(key);
		}
		paint();
	}

	function set_height(row, n) {
		row.cells[0].style.height = n * ROW + "px";
		row.hidden = n === 0;
	}

	/* After the rows stand: reading a canvas's size earlier would lay out the table once a row. */
	function paint() {
		for (const [key, row] of rows)
			if (row.wants_paint) {
				row.wants_paint = false;
				curve.paint(row.parts.canvas, key, report.now_unix_ns / 1e6, threshold);
			}
	}

	function repaint() {
		for (const row of rows.values())
			row.wants_paint = true;
		paint();
	}

	/* --- chips --- */

	const chips = document.getElementById("chips");

	function draw_chips() {
		const counts = new Map([[null, report.guests.length]]);

		for (const g of report.guests)
			counts.set(g.health, (counts.get(g.health) ?? 0) + 1);
		for (const health of [null, ...words.HEALTHS]) {
			let chip = chips.querySelector(`[data-health="${health}"]`);

			if (!chip) {
				chip = document.createElement("button");
				chip.type = "button";
				chip.dataset.health = health;
				chip.className = health ? "is-" + health : "";
				chip.addEventListener("click", () => show_only(health));
				chips.append(chip);
			}
			const n = counts.get(health) ?? 0;
			chip.hidden = health !== null && n === 0 && only !== health;
			put(chip, (health ? words.HEALTH_WORDS[health] : "all") + " " + n);
			chip.setAttribute("aria-pressed", only === health);
		}
	}

	function show_only(health) {
		only = only === health ? null : health;
		draw_chips();
		arrange();
	}

	/* --- keys and clicks --- */

	const field = document.getElementById("filter");

	function set_filter(text) {
		filter = text.trim().toLowerCase();
		arrange();
	}

	function move_focus(event) {
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		const row = event.target.closest("tr");

		if (!step || !row || event.target.tagName !== "A")
			return;
		event.preventDefault();
		const at = shown.findIndex((g) => g.key === row.dataset.key) + step;
		if (at < 0 || at >= shown.length)
			return;
		const heads = table.tHead.getBoundingClientRect();
		const y = body.getBoundingClientRect().top + at * ROW;
		if (y < heads.height)
			scrollBy(0, y - heads.height);
		else if (y + ROW > innerHeight)
			scrollBy(0, y + ROW - innerHeight);
		draw();
		rows.get(shown[at].key)?.parts.link.focus({ preventScroll: true });
	}

	function listen() {
		let is_asked = false;
		const later = () => {
			if (!is_asked)
				requestAnimationFrame(() => {
					is_asked = false;
					draw();
				});
			is_asked = true;
		};

		addEventListener("scroll", later, { passive: true });
		addEventListener("resize", () => {
			later();
			repaint();
		});
		field.addEventListener("input", () => set_filter(field.value));
		body.addEventListener("keydown", move_focus);
		body.addEventListener("click", (event) => {
			const row = event.target.closest("tr[data-key]");
			if (row && event.target.tagName !== "A" && String(getSelection()) === "")
				row.parts.link.click();
		});
		document.querySelector("#none button").addEventListener("click", () => {
			field.value = "";
			only = null;
			draw_chips();
			set_filter("");
		});
		theme.changed(() => report && repaint());
	}

	/* --- what the page tells --- */

	/* A new report: each guest gets what the list sorts and filters by. */
	function show(new_report) {
		report = new_report;
		threshold = report.host.threshold_ns;
		report.guests.sort((a, b) => collator.compare(a.name, b.name));
		report.guests.forEach((g, i) => {
			g.key = g.backend + "/" + g.name;
			g.order = i;
			g.health = words.health(g, threshold);
			g.rank = words.HEALTHS.indexOf(g.health);
			g.text = [g.name, g.backend, g.note, g.state, words.agent(g), g.uuid].join("\n").toLowerCase();
			g.painting = report.now_unix_ns;
		});
		put(document.getElementById("threshold"), words.span(threshold));
		draw_chips();
		arrange();
	}

	make_heads();
	listen();
	return { show, draw, repaint, focus_filter: () => field.focus() };
})();
