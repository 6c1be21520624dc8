// What charts draw beside the lines and bars that uPlot has.
(() => {
	"use strict";

	const after = (...a) => netlab.after(...a);

	// chartBands draws the times that are set off, below the series.
	netlab.chartBands = (chart, u) => {
		const {ctx} = u, {left, top, width, height} = u.bbox, r = devicePixelRatio;
		ctx.save();
		ctx.beginPath();
		ctx.rect(left, top, width, height);
		ctx.clip();
		ctx.font = `${11 * r}px system-ui, sans-serif`;
		ctx.textBaseline = "top";
		for (const b of chart.spec.bands || []) {
			const a = u.valToPos(b.from, "x", true), z = u.valToPos(b.to, "x", true);
			if (z < left || a > left + width) continue;
			ctx.fillStyle = netlab.color("--plot-band");
			ctx.fillRect(a, top, Math.max(z - a, r), height);
			if (b.label && ctx.measureText(b.label).width < z - a - 6 * r) {
				ctx.fillStyle = netlab.color("--plot-text");
				ctx.fillText(b.label, Math.max(a, left) + 3 * r, top + 3 * r);
			}
		}
		ctx.restore();
	};

	// marks draws the kinds that uPlot doesn't have.
	netlab.chartMarks = (chart, u, s) => {
		if (!["spans", "ticks", "crosses"].includes(s.kind) || !s.shown) return;
		const {ctx} = u, {left, top, width, height} = u.bbox, r = devicePixelRatio;
		ctx.save();
		ctx.beginPath();
		ctx.rect(left, top, width, height);
		ctx.clip();
		ctx.strokeStyle = netlab.color(s.color);
		ctx.lineWidth = (s.kind === "spans" ? (s.width || 1.5) : 1.5) * r;
		ctx.beginPath();
		const arm = 3.5 * r;
		for (let i = after(s.t, chart.view[0]), end = after(s.t, chart.view[1], true); i < end; i++) {
			const x = u.valToPos(s.t[i], "x", true), y = u.valToPos(s.v[i], "y", true);
			if (s.kind === "spans") {
				const y2 = u.valToPos(s.from[i], "y", true);
				const short = Math.max(0, (s.least || 1) * r - (y2 - y)) / 2;
				ctx.moveTo(x, y2 + short);
				ctx.lineTo(x, y - short);
				if (s.caps && y2 - y > 4 * r) {
					ctx.moveTo(x - 2 * r, y);
					ctx.lineTo(x + 2 * r, y);
				}
			} else if (s.kind === "ticks") {
				ctx.moveTo(x - arm, y);
				ctx.lineTo(x + arm, y);
			} else {
				ctx.moveTo(x - arm, y - arm);
				ctx.lineTo(x + arm, y + arm);
				ctx.moveTo(x - arm, y + arm);
				ctx.lineTo(x + arm, y - arm);
			}
		}
		ctx.stroke();
		ctx.restore();
	};

	// over draws the time of the selected packet.
	netlab.chartOver = (chart, u) => {
		const {ctx} = u, {left, top, width, height} = u.bbox;
		ctx.save();
		ctx.beginPath();
		ctx.rect(left, top, width, height);
		ctx.clip();
		if (netlab.selected && !chart.log) {
			const x = u.valToPos(netlab.selected.at / 1e9, "x", true);
			ctx.strokeStyle = netlab.color("--plot-selected");
			ctx.lineWidth = devicePixelRatio;
			ctx.beginPath();
			ctx.moveTo(x, top);
			ctx.lineTo(x, top + height);
			ctx.stroke();
		}
		chart.spec.draw?.(u, ctx);
		ctx.restore();
	};
})();
