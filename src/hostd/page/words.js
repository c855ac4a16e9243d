/* SPDX-License-Identifier: Apache-2.0 */
"use strict";
/*
 * words.js - quantities and judgements as people say them
 *
 * Everything takes nanoseconds, as the API has them.
 */
const words = (() => {
	/* Three digits that count, and the unit that makes them short. */
	function span(ns) {
		const s = Math.abs(ns) / 1e9;

		if (s === 0)
			return "0 s";
		for (const [unit, size, next] of [["ns", 1e-9, 1e-6], ["µs", 1e-6, 1e-3], ["ms", 1e-3, 1],
			["s", 1, 120], ["min", 60, 7200], ["h", 3600, 172800]])
			if (s < next * 0.9995)
				return digits(s / size) + "\u00a0" + unit;
		return digits(s / 86400) + "\u00a0d";
	}

	function digits(x) {
		const places = Math.max(0, 2 - Math.floor(Math.log10(Math.max(x, 1e-9))));

		return x >= 1000 ? Math.round(x).toLocaleString("en").replace(/,/g, "\u202f") :
			x.toFixed(Math.min(places, 2));
	}

	/* An offset: positive is behind. */
	function offset(ns) {
		if (ns === 0)
			return "right";
		return span(ns) + (ns > 0 ? " behind" : " ahead");
	}

	/* How long ago, coarser the longer. */
	function ago(ns) {
		const s = Math.max(0, ns / 1e9);

		if (s < 1.5)
			return "just now";
		for (const [unit, size, next] of [["s", 1, 90], ["min", 60, 5400], ["h", 3600, 129600]])
			if (s < next)
				return Math.round(s / size) + "\u00a0" + unit + " ago";
		return Math.round(s / 86400) + "\u00a0d ago";
	}

	function clock(unix_ns) {
		return new Date(unix_ns / 1e6).toLocaleTimeString("en-GB");
	}

	function instant(unix_ns) {
		const at = new Date(unix_ns / 1e6);

		return at.toLocaleDateString("sv") + " " + at.toLocaleTimeString("en-GB");
	}

	const REASONS = { "": "looked at", "pause": "pause", "restore": "restore", "migration": "migration",
		"host-step": "host's clock stepped", "resume": "host slept" };

	function reason(name) {
		return REASONS[name] ?? name;
	}

	const LEAPS = { "normal": "no leap second announced", "insert-second": "leap second to be inserted",
		"delete-second": "leap second to be deleted", "not-synchronised": "leap seconds unknown" };

	function leap(name) {
		return LEAPS[name] ?? name;
	}

	/* What is to be thought of a guest, worst first.  The words are the chips' and the column's. */
	const HEALTHS = ["failed", "wrong", "repairing", "frozen", "unasked", "unknown", "right", "stopped"];
	const HEALTH_WORDS = { failed: "not repaired", wrong: "wrong", repairing: "repairing",
		frozen: "frozen", unasked: "no agent", unknown: "unknown", right: "right", stopped: "stopped" };

	function health(guest, threshold) {
		if (guest.state === "failed")
			return "failed";
		if (guest.state === "stopped" || !guest.is_running)
			return "stopped";
		if (["disrupted", "measuring", "setting"].includes(guest.state) && guest.last?.end === "open")
			return "repairing";
		if (guest.state === "frozen")
			return "frozen";
		if (guest.offset_ns !== undefined &&
		    Math.abs(guest.offset_ns) - guest.uncertainty_ns > threshold)
			return "wrong";
		if (guest.agent === "none" && !guest.has_vmtimed)
			return "unasked";
		return guest.offset_ns === undefined ? "unknown" : "right";
	}

	function agent(guest) {
		const name = { "none": "", "unknown": "unknown", "qemu-ga": "qemu-ga", "vmtimed": "vmtimed" };
		const port = name[guest.agent] ?? guest.agent;

		if (guest.has_vmtimed)
			return port === "qemu-ga" ? "vmtimed, qemu-ga" : "vmtimed";
		return port || "none";
	}

	const ENDS = { open: "not yet", right: "came right by itself", nudged: "vmtimed put it right",
		set: "set and verified", failed: "not repaired" };

	function end(name) {
		return ENDS[name] ?? name;
	}

	return { span, offset, ago, clock, instant, reason, leap, HEALTHS, HEALTH_WORDS, health, agent, end };
})();
