// Charts in words: netlab.chartSummary(chart) says what one shows, netlab.chartTable(chart) is a table of its values.
(() => {
	"use strict";

	const element = (...a) => netlab.element(...a);
	const after = (...a) => netlab.after(...a);
	const seconds = (t) => netlab.format(t, "s");

	// summary says in a sentence what the chart shows.
	netlab.chartSummary = (chart) => {
		const parts = chart.series.filter((s) => s.t.length).map((s) => {
			let low = Infinity, high = -Infinity;
			s.v.forEach((v, i) => {
				if (v === null) return;
				low = Math.min(low, s.from ? s.from[i] : v);
				high = Math.max(high, v);
			});
			if (low > high) return `${s.label} without values`;
			if (s.t.length === 1) return `${s.label} ${netlab.format(high, chart.spec.unit)}`;
			return `${s.label} from ${netlab.format(low, chart.spec.unit)} to ${netlab.format(high, chart.spec.unit)}`;
		});
		const when = `${seconds(chart.first)} to ${seconds(chart.last)}`;
		return `${chart.spec.title}, ${when}: ${parts.join("; ") || "nothing to show"}. Keys: plus and minus zoom, arrows move, 0 shows all.`;
	};

	// alternative is the chart as a table, made when it is opened.
	netlab.chartTable = (chart) => {
		const details = element("details", {className: "chart-table"}, element("summary", {textContent: "Values as a table"}));
		details.addEventListener("toggle", () => {
			if (!details.open || details.children.length > 1) return;
			const times = chart.table[0], most = 200, step = Math.max(1, Math.ceil(times.length / most));
			const head = element("tr", {}, ...[chart.log ? "duration" : "time", ...chart.series.map((s) => s.label)].map((h) => element("th", {scope: "col", textContent: h})));
			const body = element("tbody");
			for (let i = 0; i < times.length; i += step) {
				body.append(element("tr", {}, element("th", {scope: "row", textContent: seconds(times[i])}), ...chart.series.map((s) => {
					const at = after(s.t, times[i], true) - 1;
					const known = at >= 0 && (s.t[at] === times[i] || ["line", "step", "area"].includes(s.kind));
					return element("td", {textContent: known ? chart.value(s, at) : ""});
				})));
			}
			const table = element("table", {}, element("caption", {textContent: step > 1 ? `Every ${step}th of ${times.length} times` : `All ${times.length} times`}), element("thead", {}, head), body);
			details.append(element("div", {className: "chart-scroll", tabIndex: 0, role: "region", "aria-label": `Values of ${chart.spec.title}`}, table));
		});
		return details;
	};
})();
