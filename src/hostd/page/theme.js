/* SPDX-License-Identifier: Apache-2.0 */
"use strict";
/*
 * theme.js - light, dark, or as the system has it
 *
 * The choice is kept by the browser.  theme.changed() is told to whoever paints on a canvas,
 * where colours do not change by themselves.
 */
const theme = (() => {
	const NAMES = ["auto", "light", "dark"];
	const listeners = [];
	let now = "auto";

	function kept() {
		try {
			return localStorage.getItem("theme");
		} catch {
			return null; /* the browser keeps nothing here */
		}
	}

	function set(name) {
		now = NAMES.includes(name) ? name : "auto";
		if (now === "auto")
			delete document.documentElement.dataset.theme;
		else
			document.documentElement.dataset.theme = now;
		document.getElementById("theme").textContent = "Theme: " + now;
		for (const listener of listeners)
			listener();
	}

	document.getElementById("theme").addEventListener("click", () => {
		set(NAMES[(NAMES.indexOf(now) + 1) % NAMES.length]);
		try {
			localStorage.setItem("theme", now);
		} catch { /* then it is for this visit */ }
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => set(now));
	set(kept());

	return {
		changed: (listener) => listeners.push(listener),
		colour: (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name),
	};
})();
