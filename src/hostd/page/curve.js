/* SPDX-License-Identifier: Apache-2.0 */
"use strict";
/*
 * curve.js - the last hour of each guest, and the small picture of it in a row
 *
 * A row's picture is painted here and not by dygraphs: thirty of them must be ready while a
 * finger scrolls.  All share one scale, so that rows can be compared; it is even around zero
 * and by factors of ten farther out, so that a fraction of a millisecond and many seconds
 * are both seen.
 */
const curve = (() => {
	const HOUR = 3600e3;
	const KNEE = 1e3;                                 /* us: even up to here */
	const TOP = Math.asinh(20e6 / KNEE);              /* 20 s: what is farther off is at the edge */
	const histories = new Map();                      /* key -> { at, offset, uncertainty, marks } */

	/* Adds what the API told (docs/protocol/http.md), and forgets what is older than an hour. */
	function add(guests, now_ms) {
		for (const g of guests) {
			const key = g.backend + "/" + g.name;
			const had = histories.get(key) ?? { at: [], offset: [], uncertainty: [], marks: [] };

			had.at.push(...g.at_ms);
			had.offset.push(...g.offset_us);
			had.uncertainty.push(...g.uncertainty_us);
			had.marks.push(...g.marks);
			histories.set(key, had);
		}
		for (const had of histories.values()) {
			const old = had.at.findIndex((at) => at > now_ms - HOUR * 1.05);
			const n = old < 0 ? had.at.length : old;

			for (const column of n ? [had.at, had.offset, had.uncertainty] : [])
				column.splice(0, n);
			had.marks = had.marks.filter((mark) => mark[0] > now_ms - HOUR);
		}
	}

	/* Forgets guests that are gone. */
	function keep(keys) {
		for (const key of histories.keys())
			if (!keys.has(key))
				histories.delete(key);
	}

	const scaled = (us) => Math.max(-1, Math.min(1, Math.asinh(us / KNEE) / TOP));

	function prepare(canvas) {
		const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;

		canvas.width = Math.round(width * ratio);
		canvas.height = Math.round(height * ratio);
		const c = canvas.getContext("2d");
		c.scale(ratio, ratio);
		return [c, width, height];
	}

	function rule(c, x0, x1, y) {
		c.beginPath();
		c.moveTo(x0, y);
		c.lineTo(x1, y);
		c.stroke();
	}

	function paint(canvas, key, now_ms, threshold_ns) {
		const [c, width, height] = prepare(canvas);
		const had = histories.get(key);
		const x = (at) => width - 2 - (now_ms - at) / HOUR * (width - 4);
		const y = (us) => height / 2 - scaled(us) * (height / 2 - 2);

		c.lineWidth = 1;
		c.strokeStyle = theme.colour("line");
		rule(c, 0, width, Math.round(height / 2) + 0.5);
		c.setLineDash([1, 3]);
		rule(c, 0, width, y(threshold_ns / 1e3));
		rule(c, 0, width, y(-threshold_ns / 1e3));
		c.setLineDash([]);
		if (!had)
			return;
		c.fillStyle = theme.colour("mark");
		for (const [at, what] of had.marks)
			if (what === "disrupted")
				c.fillRect(Math.round(x(at)), 0, 1, height);
		band(c, had, x, y);
		line(c, had, x, y);
	}

	function band(c, had, x, y) {
		const n = had.at.length;

		c.beginPath();
		for (let i = 0; i < n; i++)
			c.lineTo(x(had.at[i]), y(had.offset[i] + had.uncertainty[i]));
		for (let i = n - 1; i >= 0; i--)
			c.lineTo(x(had.at[i]), y(had.offset[i] - had.uncertainty[i]));
		c.fillStyle = theme.colour("band");
		c.fill();
	}

	function line(c, had, x, y) {
		const last = had.at.length - 1;

		c.beginPath();
		had.at.forEach((at, i) => c.lineTo(x(at), y(had.offset[i])));
		c.strokeStyle = c.fillStyle = theme.colour("curve");
		c.lineWidth = 1.25;
		c.stroke();
		if (last >= 0)
			c.fillRect(x(had.at[last]) - 1.5, y(had.offset[last]) - 1.5, 3, 3);
	}

	return { add, keep, paint };
})();
