// netlab.chart(element, spec) draws a chart into element once it comes near the window. spec is
//
//   title, unit: words; unit is that of the values: s, B, bit/s, packets, 1/s, …
//   x: "time" (default), or "duration" for a logarithmic axis in seconds
//   series: [{label, kind, t, v, from, color, hidden}]; times in seconds in order, values that are not known are null.
//     kind is line, step, points, area, bars; spans are vertical bars between from and v, ticks and crosses mark points.
//     least is how many pixels a span has at least. color is a custom property such as --plot-lost; hidden series wait in the legend.
//   bands: [{from, to, label}]: times that are set off
//   group: charts of the same group are zoomed together
//   height: in pixels
//   onTime(t): called for a click at a time; without it, the click dispatches netlab:time {t}
//   pick(t, v, chart): called before onTime; true says that the click was for something there
//   draw(chart, context): draws more over the series
//
// Charts share their cursor by netlab:cursor {time, source} and mark the time of the packet that is selected. They draw themselves again
// on netlab:theme.
(() => {
	"use strict";

	const element = (...a) => netlab.element(...a);
	const after = (...a) => netlab.after(...a);
	const seconds = (t) => netlab.format(t, "s");
	const measured = ["s", "B", "bit/s", "B/s"]; // units that stand with each value; others stand in the title
	const palette = ["--plot-1", "--plot-2", "--plot-3", "--plot-4", "--plot-5", "--plot-6"];
	const groups = new Map();
	const waiting = new Map();

	const observer = new IntersectionObserver((entries) => {
		for (const e of entries) if (e.isIntersecting) waiting.get(e.target)?.();
	}, {rootMargin: "300px"});
	window.addEventListener("beforeprint", () => {
		for (const [e, draw] of waiting) if (e.offsetParent !== null) draw();
	});

	netlab.chart = (parent, spec) => {
		const chart = new Chart(parent, spec);
		const draw = () => {
			waiting.delete(parent);
			observer.unobserve(parent);
			chart.make();
		};
		waiting.set(parent, draw);
		observer.observe(parent);
		return chart;
	};

	class Chart {
		constructor(parent, spec) {
			this.spec = spec;
			this.parent = parent;
			this.height = spec.height || 220;
			this.log = spec.x === "duration";
			this.series = spec.series.map((s, i) => ({color: palette[i % palette.length], ...s, shown: !s.hidden}));
			if (this.log) this.series = this.series.map((s) => positive(s));
			parent.classList.add("chart");
			parent.chart = this;
			parent.style.minHeight = this.height + "px";
			this.table = uPlot.join(this.series.map((s) => (s.t.length ? [s.t, s.v] : [[0], [null]])));
			this.first = Infinity;
			this.last = -Infinity;
			for (const s of this.series) {
				if (!s.t.length) continue;
				this.first = Math.min(this.first, s.t[0]);
				this.last = Math.max(this.last, s.t[s.t.length - 1]);
			}
			if (this.first > this.last) [this.first, this.last] = [0, 1];
			if (this.first === this.last) [this.first, this.last] = this.log ? [this.first / 2, this.last * 2] : [this.first, this.last + 0.001];
			if (!this.log && spec.from !== undefined) [this.first, this.last] = [spec.from, spec.to];
			if (this.log) [this.first, this.last] = [this.first / 1.1, this.last * 1.1];
			this.view = [this.first, this.last]; // the times that are shown
		}

		// make puts the chart's elements into the page.
		make() {
			const {spec, parent} = this;
			this.plot = element("div", {className: "chart-plot", tabIndex: 0, role: "group", "aria-roledescription": "chart", "aria-label": netlab.chartSummary(this)});
			this.tip = element("div", {className: "chart-tip", hidden: true});
			this.line = element("div", {className: "chart-time", hidden: true});
			const head = element("div", {className: "chart-head"}, element("span", {className: "chart-title", textContent: spec.title + (!spec.unit || measured.includes(spec.unit) ? "" : `, ${spec.unit}`)}), this.legend(), this.buttons());
			parent.replaceChildren(head, this.plot, netlab.chartTable(this));
			const others = [...(groups.get(spec.group) || [])];
			if (others.length) this.view = others[0].view;
			this.draw();
			this.resize = new ResizeObserver(() => this.fit());
			this.resize.observe(this.plot);
			this.plot.addEventListener("keydown", (e) => this.key(e));
			this.listeners = new AbortController();
			const {signal} = this.listeners;
			document.addEventListener("netlab:theme", () => this.draw(), {signal});
			document.addEventListener("netlab:select", () => this.uplot.redraw(false), {signal});
			document.addEventListener("netlab:cursor", (e) => this.follow(e.detail), {signal});
			if (spec.group) {
				const group = groups.get(spec.group) || new Set();
				groups.set(spec.group, group.add(this));
			}
		}

		legend() {
			const legend = element("span", {className: "chart-legend"});
			this.series.forEach((s, i) => {
				const swatch = element("span", {className: "chart-swatch"});
				swatch.style.background = `var(${s.color})`;
				const button = element("button", {type: "button", "aria-pressed": String(s.shown)}, swatch, s.label);
				button.addEventListener("click", () => {
					s.shown = !s.shown;
					button.setAttribute("aria-pressed", String(s.shown));
					this.uplot.setSeries(i + 1, {show: s.shown});
					this.uplot.redraw(true, true);
				});
				legend.append(button);
			});
			return legend;
		}

		buttons() {
			const box = element("span", {className: "chart-buttons"});
			for (const [text, label, key] of [["−", "Zoom out", "-"], ["+", "Zoom in", "+"], ["⟲", "Show all", "0"]]) {
				const b = element("button", {type: "button", textContent: text, "aria-label": `${label}: ${this.spec.title}`});
				b.addEventListener("click", () => this.act(key));
				box.append(b);
			}
			return box;
		}

		// remove ends the chart.
		remove() {
			waiting.delete(this.parent);
			observer.unobserve(this.parent);
			if (!this.uplot) return;
			this.listeners.abort();
			this.resize.disconnect();
			groups.get(this.spec.group)?.delete(this);
			this.uplot.destroy();
		}

		// draw makes the plot, again after a change of theme.
		draw() {
			this.uplot?.destroy();
			const text = netlab.color("--plot-text");
			const grid = {stroke: netlab.color("--plot-grid"), width: 1};
			const axis = {stroke: text, grid, ticks: grid, font: "12px system-ui, sans-serif"};
			const options = {
				width: Math.max(100, this.plot.clientWidth), height: this.height, legend: {show: false},
				padding: [8, 26, 0, 0],
				cursor: {drag: {x: true, y: false, dist: 5, setScale: false}, bind: {dblclick: () => null}, points: {show: false}, y: false},
				scales: {
					x: {time: false, distr: this.log ? 3 : 1, range: () => this.view},
					y: {range: () => this.range()},
				},
				axes: [
					{...axis, size: 30, space: 70, ...(this.log ? {filter: (u, list) => list.map(labelled)} : {}), values: (u, list, i, space, step) => list.map((v) => (v === null ? null : this.time(v, step)))},
					{...axis, size: (u, list) => 18 + 7 * Math.max(3, ...(list || []).map((v) => (v || "").length)), space: 34, values: (u, list) => list.map((v) => netlab.format(v, measured.includes(this.spec.unit) ? this.spec.unit : ""))},
				],
				series: [{}, ...this.series.map((s) => this.style(s))],
				hooks: {
					drawClear: [(u) => netlab.chartBands(this, u)],
					drawSeries: [(u, i) => netlab.chartMarks(this, u, this.series[i - 1])],
					draw: [(u) => netlab.chartOver(this, u)],
					setCursor: [(u) => this.cursor(u)],
					setSelect: [(u) => this.drag(u)],
				},
			};
			this.uplot = new uPlot(options, this.table, this.plot);
			this.uplot.over.append(this.line, this.tip);
			let down = null;
			this.uplot.over.addEventListener("mousedown", (e) => (down = [e.clientX, e.clientY]));
			this.uplot.over.addEventListener("click", (e) => {
				if (down && Math.hypot(e.clientX - down[0], e.clientY - down[1]) < 5) this.click(e);
			});
			this.uplot.over.addEventListener("dblclick", () => this.act("0"));
			this.uplot.over.addEventListener("mouseleave", () => {
				this.tip.hidden = true;
				share(null, this);
			});
		}

		style(s) {
			const stroke = netlab.color(s.color);
			const own = ["spans", "ticks", "crosses"].includes(s.kind);
			const one = {label: s.label, stroke, show: s.shown, width: 1.5, points: {show: false}};
			if (own) one.paths = () => null;
			if (s.kind === "step") one.paths = uPlot.paths.stepped({align: 1});
			if (s.kind === "bars") one.paths = uPlot.paths.bars({size: [0.9, 60]});
			if (s.kind === "bars" || s.kind === "area") one.fill = stroke.replace("rgb(", "rgba(").replace(")", ", 0.25)");
			if (s.kind === "points") Object.assign(one, {paths: () => null, points: {show: true, size: 4, fill: stroke}});
			return one;
		}

		// range is that of the values between the times that are shown.
		range() {
			const [min, max] = this.view;
			let low = Infinity, high = -Infinity;
			for (const s of this.series) {
				if (!s.shown || !s.t.length) continue;
				const step = s.kind === "step" || s.kind === "line" || s.kind === "area" || !s.kind;
				let i = after(s.t, min), end = after(s.t, max, true);
				if (step) [i, end] = [Math.max(0, i - 1), Math.min(s.t.length, s.kind === "step" ? end : end + 1)];
				for (; i < end; i++) {
					if (s.v[i] === null) continue;
					if (s.v[i] > high) high = s.v[i];
					const least = s.from ? s.from[i] : s.v[i];
					if (least < low) low = least;
				}
			}
			if (low > high) return [0, 1];
			if (!this.spec.float && low > 0) low = 0;
			const room = (high - low || Math.abs(high) || 1) * 0.06;
			return [low === 0 ? 0 : low - room, high + room];
		}

		time(v, step) {
			if (this.log) return seconds(v);
			let digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
			if (Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6) digits++; // steps of 2.5
			return v.toFixed(Math.min(9, digits)) + " s";
		}

		cursor(u) {
			const {left} = u.cursor;
			if (left === undefined || left < 0 || !u.cursor.event) {
				this.tip.hidden = true;
				return;
			}
			const t = u.posToVal(left, "x");
			const rows = [element("b", {textContent: seconds(t)})];
			for (const s of this.series) {
				const i = this.nearest(s, t, u);
				if (s.shown && i >= 0) {
					const swatch = element("span", {className: "chart-swatch"});
					swatch.style.background = `var(${s.color})`;
					rows.push(element("div", {}, swatch, `${s.label}: ${this.value(s, i)}`));
				}
			}
			this.tip.replaceChildren(...rows);
			this.tip.hidden = false;
			const room = u.over.clientWidth - this.tip.offsetWidth;
			this.tip.style.left = Math.max(0, left + 14 > room ? Math.min(room, left - this.tip.offsetWidth - 14) : left + 14) + "px";
			if (!this.log) share(t, this);
		}

		value(s, i) {
			const v = netlab.format(s.v[i], this.spec.unit);
			return s.from ? `${netlab.format(s.from[i], this.spec.unit)} to ${v}` : v;
		}

		// nearest is the place of the value at a time: for lines the last one up to it, for marks one within a few pixels.
		nearest(s, t, u) {
			const i = after(s.t, t, true) - 1;
			if (s.kind === "line" || s.kind === "step" || s.kind === "area") return i;
			let best = i;
			if (i + 1 < s.t.length && (i < 0 || s.t[i + 1] - t < t - s.t[i])) best = i + 1;
			if (best < 0 || s.kind === "bars") return best;
			return Math.abs(u.valToPos(s.t[best], "x") - u.valToPos(t, "x")) < 6 ? best : -1;
		}

		follow({time, source}) {
			if (source === this || this.log) return;
			const [min, max] = this.view;
			this.line.hidden = time === null || time < min || time > max;
			if (!this.line.hidden) this.line.style.left = this.uplot.valToPos(time, "x") + "px";
		}

		click(e) {
			const u = this.uplot, box = u.over.getBoundingClientRect();
			const t = u.posToVal(e.clientX - box.left, "x"), v = u.posToVal(e.clientY - box.top, "y");
			if (this.log || this.spec.pick?.(t, v, u)) return;
			if (this.spec.onTime) this.spec.onTime(t);
			else document.dispatchEvent(new CustomEvent("netlab:time", {detail: {t}}));
		}

		key(e) {
			if (e.ctrlKey || e.altKey || e.metaKey) return;
			if (["+", "=", "-", "0", "ArrowLeft", "ArrowRight"].includes(e.key)) {
				e.preventDefault();
				this.act(e.key);
			}
		}

		act(key) {
			const to = this.log ? Math.log : (x) => x, back = this.log ? Math.exp : (x) => x;
			const [min, max] = this.view.map(to), [first, last] = [this.first, this.last].map(to), width = max - min;
			const [low, high] = {
				"+": [min + width / 4, max - width / 4], "=": [min + width / 4, max - width / 4], "-": [Math.max(first, min - width / 2), Math.min(last, max + width / 2)],
				"0": [first, last], ArrowLeft: [min - width / 5, max - width / 5], ArrowRight: [min + width / 5, max + width / 5],
			}[key];
			this.look(back(low), back(high));
		}

		drag(u) {
			const {left, width} = u.select;
			if (width <= 0) return;
			this.look(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
			u.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
		}

		// look shows the values between two times, in all charts of the group.
		look(min, max) {
			if (!(max - min > 1e-9)) return;
			for (const chart of groups.get(this.spec.group) || [this]) {
				chart.view = [min, max];
				chart.uplot.setScale("x", {min, max});
			}
		}

		fit() {
			const width = this.plot.clientWidth;
			if (width > 0 && width !== this.uplot.width) this.uplot.setSize({width, height: this.height});
		}
	}

	// labelled keeps the values of a logarithmic axis that are labelled: 1, 2, 3 and 5 with any power of ten.
	function labelled(v) {
		const first = v / 10 ** Math.floor(Math.log10(v) + 1e-9);
		return [1, 2, 3, 5].some((n) => Math.abs(first - n) < 1e-6) ? v : null;
	}

	function share(time, source) {
		document.dispatchEvent(new CustomEvent("netlab:cursor", {detail: {time, source}}));
	}

	function positive(s) {
		const keep = s.t.map((t) => t > 0);
		return {...s, t: s.t.filter((_, i) => keep[i]), v: s.v.filter((_, i) => keep[i])};
	}

})();
