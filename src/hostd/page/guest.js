/* SPDX-License-Identifier: Apache-2.0 */
"use strict";
/*
 * guest.js - a guest's own view: #guest=NAME&backend=BACKEND
 *
 * The large curve is made by dygraphs: drag to zoom, double click to see all again.  A build
 * without it says so; what the curve shows stands in the table below it, either way.
 */
const guest_view = (() => {
	const view = document.getElementById("guest");
	const chart = document.getElementById("chart");
	const SCALES = [["all", null], ["threshold", "threshold"], ["1 ms", 1]];
	let graph = null, history = null, scale = 0, threshold = 0;

	
	const MARKS = {
		stopped: "stopped", disrupted: "disrupted", set: "the time was sent", nudged: "vmtimed was told",
		right: "found right", failed: "found wrong, given up for now", measured: "measured",
	};
	

	function facts(id, pairs) {
		const dl = document.getElementById(id);

		dl.replaceChildren(...pairs.filter((pair) => pair[1] !== "" && pair[1] !== undefined)
			.flatMap(([term, text]) => {
				const dt = document.createElement("dt"), dd = document.createElement("dd");
				dt.textContent = term;
				dd.textContent = text;
				return [dt, dd];
			}));
	}

	function show_now(g, report) {
		const at = g.offset_ns === undefined ? "" : words.ago(g.offset_age_ns);

		facts("facts-now", [
			["offset", g.offset_ns === undefined ? "not measured" : words.offset(g.offset_ns)],
			["known to", g.offset_ns === undefined ? "" : "± " + words.span(g.uncertainty_ns)],
			["measured", at],
			["state", g.state],
			["asked through", words.agent(g) + (g.agent_version ? " " + g.agent_version : "")],
			["vmtimed says", g.vmtimed_state],
			["back end", g.backend],
			["UUID", g.uuid],
		]);
		threshold = report.host.threshold_ns;
	}

	function show_last(last) {
		facts("facts-last", last ? [
			["what", words.reason(last.reason)],
			["noticed", words.instant(last.at_unix_ns)],
			["stood still", last.stopped_ns === undefined ? "not known" : words.span(last.stopped_ns)],
			["lost", last.lost_ns === undefined ? "not known" : words.span(last.lost_ns)],
			["right after", last.took_ns === undefined ? "" : words.span(last.took_ns)],
			["end", words.end(last.end)],
		] : [["what", "none seen"]]);
	}

	function show_marks() {
		const marks = history.points.filter((p) => p.mark !== "measured").reverse();
		const rows = marks.map((p) => {
			const row = document.createElement("tr");
			const texts = [words.instant(p.at_unix_ns),
				MARKS[p.mark] + (p.reason ? ": " + words.reason(p.reason) : ""),
				p.offset_ns === undefined ? "" : words.offset(p.offset_ns),
				p.offset_ns === undefined ? "" : "± " + words.span(p.uncertainty_ns)];

			texts.forEach((text, i) => {
				const cell = row.insertCell();
				cell.textContent = text;
				cell.className = i > 1 ? "n" : "";
			});
			return row;
		});

		document.querySelector("#marks tbody").replaceChildren(...rows);
		document.getElementById("marks").hidden = marks.length === 0;
		document.getElementById("no-marks").hidden = marks.length > 0;
	}

	/* --- the curve --- */

	function points() {
		return history.points.filter((p) => p.offset_ns !== undefined).map((p) => {
			const ms = p.offset_ns / 1e6, error = p.uncertainty_ns / 1e6;
			return [new Date(p.at_unix_ns / 1e6), [ms - error, ms, ms + error]];
		});
	}

	function underlay(canvas, area, g) {
		canvas.save();
		canvas.strokeStyle = theme.colour("faint");
		canvas.setLineDash([2, 4]);
		for (const ms of [threshold / 1e6, -threshold / 1e6]) {
			canvas.beginPath();
			canvas.moveTo(area.x, g.toDomYCoord(ms));
			canvas.lineTo(area.x + area.w, g.toDomYCoord(ms));
			canvas.stroke();
		}
		canvas.fillStyle = theme.colour("mark");
		for (const p of history.points)
			if (p.mark === "disrupted")
				canvas.fillRect(Math.round(g.toDomXCoord(p.at_unix_ns / 1e6)), area.y, 1.5, area.h);
		canvas.restore();
	}

	function range() {
		const limit = SCALES[scale][1] === "threshold" ? threshold / 1e6 * 1.25 : SCALES[scale][1];

		return limit ? [-limit, limit] : null;
	}

	function options() {
		const now = history.now_unix_ns / 1e6;

		return {
			customBars: true, labels: ["time", "offset"], legend: "never", rightGap: 8, drawGapEdgePoints: true,
			dateWindow: [now - 3600e3, now], valueRange: range(), includeZero: true,
			colors: [theme.colour("curve")], fillAlpha: 0.22, strokeWidth: 1.5,
			drawPoints: true, pointSize: 2, highlightCircleSize: 4,
			gridLineColor: theme.colour("line"), axisLineColor: theme.colour("line"),
			underlayCallback: underlay,
			axes: {
				y: { axisLabelWidth: 72, pixelsPerLabel: 34,
					axisLabelFormatter: (ms) => ms === 0 ? "0" : (ms < 0 ? "−" : "") + words.span(ms * 1e6) },
				x: { pixelsPerLabel: 80,
					axisLabelFormatter: (at) => new Date(at).toLocaleTimeString("en-GB",
						{ hour: "2-digit", minute: "2-digit" }) },
			},
			highlightCallback: (event, x, selected) => read_out(selected[0]?.idx),
			unhighlightCallback: () => read_out(undefined),
		};
	}

	function read_out(index) {
		const p = history.points.filter((point) => point.offset_ns !== undefined)[index];

		document.getElementById("reading").textContent = p ? words.clock(p.at_unix_ns) + "  " +
			words.offset(p.offset_ns) + " ± " + words.span(p.uncertainty_ns) : "";
	}

	/* dygraphs' legend is not shown, and would write styles that the page's policy forbids. */
	function drop_legend() {
		Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => String(plugin.prototype) !== "Legend Plugin");
	}

	function draw() {
		const data = points();

		chart.hidden = !window.Dygraph || data.length === 0;
		document.getElementById("scale").hidden = chart.hidden;
		document.getElementById("chart-help").textContent = data.length === 0 ?
			"Nothing has been measured in the last hour." : window.Dygraph ?
			"Above zero the guest is behind. Band: what the measurement can be wrong by. Upright lines: " +
			"disruptions. Dots: the threshold. Drag to zoom, double click to see all." :
			"This build has no large curve: dygraphs was not there when it was built.";
		if (chart.hidden)
			return;
		const latest = data[data.length - 1][1][1] * 1e6;
		chart.setAttribute("aria-label", data.length + " measurements, the latest " + words.offset(latest));
		if (graph && graph.isZoomed())
			graph.updateOptions({ file: data }); /* somebody looks at a part of it */
		else if (graph)
			graph.updateOptions({ file: data, ...options() });
		else
			graph = new Dygraph(chart, data, options());
	}

	function make_scales() {
		const group = document.getElementById("scale");

		SCALES.forEach(([title], i) => {
			const button = document.createElement("button");
			button.type = "button";
			button.textContent = title;
			button.addEventListener("click", () => {
				scale = i;
				mark_scales();
				graph?.updateOptions({ valueRange: range() });
			});
			group.append(button);
		});
		mark_scales();
	}

	function mark_scales() {
		document.querySelectorAll("#scale button").forEach((button, i) =>
			button.setAttribute("aria-pressed", i === scale));
	}

	/* --- what the page tells --- */

	function show(g, report) {
		view.querySelector("h2").textContent = g.name;
		const state = document.getElementById("guest-state");
		state.className = "is-" + g.health;
		state.textContent = words.HEALTH_WORDS[g.health] + (g.offset_ns === undefined ? "" : ", " +
			words.offset(g.offset_ns) + " ± " + words.span(g.uncertainty_ns));
		const note = document.getElementById("guest-note");
		note.textContent = g.note;
		note.hidden = !g.note;
		show_now(g, report);
		show_last(g.last);
		facts("facts-counts", [["disruptions", g.disruptions], ["set", g.sets], ["vmtimed told", g.nudges],
			["failures", g.failures]]);
	}

	function show_history(new_history) {
		history = new_history;
		show_marks();
		draw();
	}

	/* Another guest, or none. */
	function clear() {
		graph?.destroy();
		graph = history = null;
		document.querySelector("#marks tbody").replaceChildren();
		read_out_nothing();
	}

	function read_out_nothing() {
		document.getElementById("reading").textContent = "";
	}

	make_scales();
	if (window.Dygraph)
		drop_legend();
	theme.changed(() => {
		if (graph)
			graph.updateOptions(options());
	});
	return { show, show_history, clear };
})();
