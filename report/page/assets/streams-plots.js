// The plots of a TCP connection. netlab.streamPoints(stream) decodes the points of its plot, netlab.streamCharts(stream, points, side) returns the specs
// of the charts (see charts.js) of the data that a side sent: time and sequence as tcptrace draws them, congestion window,
// round-trip time, throughput and bytes in flight.
(() => {
	"use strict";

	const SERVER = 1, SYN = 2, FIN = 4, RST = 8, LOST = 16, ZERO = 32, DUPLICATE = 64, KIND = 9;

	netlab.streamPoints = (s) => {
		const d = s.plot, list = [];
		const sides = [0, 1].map(() => ({to: 0, ack: 0, window: 0, flight: 0, peer: 0}));
		let t = 0, frame = 0;
		for (let i = 0; i < (d.t || []).length; i++) {
			t += d.t[i];
			frame += d.frame[i];
			const marks = d.marks[i], last = sides[marks & SERVER];
			const from = last.to + d.from[i];
			Object.assign(last, {to: from + d.length[i], ack: last.ack + d.ack[i], window: last.window + d.window[i], flight: last.flight + d.in_flight[i], peer: last.peer + d.peer_in_flight[i]});
			list.push({t: t / 1e9, frame, side: marks & SERVER, marks, kind: netlab.kinds[(marks >> KIND) - 1] || "", from, ...last, count: d.merged?.[i] || 1, sack: []});
		}
		let place = 0;
		for (let i = 0; i < (d.sack || []).length; i += 3) {
			place += d.sack[i];
			const from = list[place].ack + d.sack[i + 1];
			list[place].sack.push([from, from + d.sack[i + 2]]);
		}
		const rtt = [];
		let at = 0;
		for (let i = 0; i < (d.rtt || []).length; i += 3) {
			at += d.rtt[i];
			rtt.push({t: at / 1e9, v: d.rtt[i + 1] / 1e9, side: d.rtt[i + 2]});
		}
		return {list, rtt, frames: new Map(list.map((p) => [p.frame, p]))};
	};

	netlab.streamCharts = (s, points, side) => {
		const name = `${[s.client, s.server][side]}`;
		const group = `stream-${s.index}-${side}`, from = s.first / 1e9, to = Math.max(s.last / 1e9, s.first / 1e9 + 1e-6);
		const common = {group, from, to};
		return [
			sequence(s, points, side, name), congestion(s, side), roundTrips(s, points, side), throughput(s, side), inFlight(s, points, side),
		].filter((spec) => spec && spec.series.some((x) => x.t.length)).map((spec) => ({...common, ...spec}));
	};

	// columns puts what a function says of points into a series; undefined leaves a point out.
	function columns(list, value) {
		const c = {t: [], v: [], from: []};
		for (const p of list) {
			const v = value(p);
			if (v === undefined) continue;
			for (const [from, to] of Array.isArray(v) ? v : [[null, v]]) {
				c.t.push(p.t);
				c.v.push(to);
				c.from.push(from);
			}
		}
		if (c.from.every((x) => x === null)) delete c.from;
		return c;
	}

	function sequence(s, points, side, name) {
		const own = points.list.filter((p) => p.side === side), other = points.list.filter((p) => p.side !== side);
		const span = (p) => (p.to > p.from ? [[p.from, p.to]] : undefined);
		const most = own.reduce((m, p) => Math.max(m, p.to), 0);
		const acked = other.filter((p) => p.ack > 0 && !(p.marks & RST));
		const series = [
			{label: "receive window", kind: "step", color: "--plot-window", hidden: acked.some((p) => p.ack + p.window > 4 * most), ...columns(acked, (p) => p.ack + p.window)},
			{label: "acknowledged", kind: "step", color: "--plot-ack", ...columns(acked, (p) => p.ack)},
			{label: "SACK blocks", kind: "spans", width: 2, color: "--plot-sack", ...columns(other, (p) => (p.sack.length ? p.sack : undefined))},
			{label: "segments", kind: "spans", caps: true, color: "--plot-data", ...columns(own.filter((p) => !p.kind), span)},
			...netlab.kinds.map((k) => ({label: netlab.kindNames[k], kind: "spans", width: 3, least: 7, color: `--plot-${k}`, ...columns(own.filter((p) => p.kind === k), (p) => span(p) || [[p.from, p.from]])})),
			{label: "lost", kind: "crosses", color: "--plot-lost", ...columns(own, (p) => (p.marks & LOST ? (p.from + p.to) / 2 : undefined))},
			{label: "duplicate ACKs", kind: "ticks", color: "--plot-duplicate", ...columns(other, (p) => (p.marks & DUPLICATE ? p.ack : undefined))},
			{label: "SYN and FIN", kind: "ticks", color: "--plot-control", ...columns(own, (p) => (p.marks & (SYN | FIN) ? p.to : undefined))},
			{label: "reset", kind: "crosses", color: "--plot-reset", ...columns(points.list, (p) => (p.marks & RST ? (p.side === side ? p.to : p.ack) : undefined))},
			{label: "zero window", kind: "crosses", color: "--plot-zero", ...columns(other, (p) => (p.marks & ZERO && p.ack > 0 ? p.ack : undefined))},
		].filter((x) => x.t.length);
		return {
			name: "sequence", title: `Sequence numbers of ${name} over time`, unit: "B", height: 360, series,
			pick: (t, v, u) => pick(s, points, side, t, v, u),
			draw: (u, ctx) => ring(s, points, side, u, ctx),
		};
	}

	// value is where a point is in the plot of a side: the end of its payload or what it acknowledges.
	function value(p, side) { return p.side === side ? p.to : p.ack; }

	// pick selects the packet at a place of the plot.
	function pick(s, points, side, t, v, u) {
		const x = u.valToPos(t, "x"), y = u.valToPos(v, "y");
		let best = null, least = 10;
		for (const p of points.list) {
			const dx = Math.abs(u.valToPos(p.t, "x") - x);
			if (dx >= least) continue;
			const top = u.valToPos(value(p, side), "y"), bottom = p.side === side ? u.valToPos(p.from, "y") : top;
			const d = Math.hypot(dx, y < top ? top - y : y > bottom ? y - bottom : 0);
			if (d < least) [best, least] = [p, d];
		}
		const packet = best && netlab.packetAt(s.file, best.frame);
		if (packet) netlab.select(packet.place, u);
		return packet !== null;
	}

	// ring marks the selected packet.
	function ring(s, points, side, u, ctx) {
		const hop = netlab.selected?.hops.find((h) => h.file === s.file && points.frames.has(h.frame));
		if (!hop) return;
		const p = points.frames.get(hop.frame), r = devicePixelRatio;
		ctx.strokeStyle = netlab.color("--plot-selected");
		ctx.lineWidth = 2.5 * r;
		ctx.beginPath();
		ctx.arc(u.valToPos(p.t, "x", true), u.valToPos(value(p, side), "y", true), 7 * r, 0, 2 * Math.PI);
		ctx.stroke();
	}

	function sums(list) {
		let sum = 0;
		return list.map((x) => (sum += x));
	}

	function congestion(s, side) {
		const d = s.telemetry[side];
		if (!d || !d.t || !d.t.length) return null;
		const t = sums(d.t).map((x) => x / 1e9), end = s.last / 1e9;
		const series = [{label: "cwnd", kind: "step", color: "--plot-1", t, v: d.cwnd}];
		const differs = (list) => list.some((v, i) => v !== d.cwnd[i]);
		if (differs(d.max_cwnd)) series.push({label: "most between", kind: "step", color: "--plot-4", hidden: true, t, v: d.max_cwnd});
		if (differs(d.min_cwnd)) series.push({label: "least between", kind: "step", color: "--plot-5", hidden: true, t, v: d.min_cwnd});
		if (d.ssthresh.some((v) => v >= 0)) series.push({label: "ssthresh", kind: "step", color: "--plot-2", t, v: d.ssthresh.map((v) => (v < 0 ? null : v))});
		return {name: "cwnd", title: "Congestion window", unit: "segments", series, bands: states(d.states, end)};
	}

	// states are the times in which congestion control was not in its usual state.
	function states(list, end) {
		return (list || []).map((x, i) => ({from: x.t / 1e9, to: i + 1 < list.length ? list[i + 1].t / 1e9 : Math.max(end, x.t / 1e9), label: x.congestion}))
			.filter((b) => b.label && b.label !== "open");
	}

	function roundTrips(s, points, side) {
		const mine = points.rtt.filter((r) => r.side === side), d = s.telemetry[side];
		const series = [{label: "samples", kind: "points", color: "--plot-1", t: mine.map((r) => r.t), v: mine.map((r) => r.v)}];
		if (d?.t?.length) {
			const t = sums(d.t).map((x) => x / 1e9), known = (x) => (x > 0 ? x / 1e9 : null);
			series.push({label: "smoothed", kind: "line", color: "--plot-2", t, v: d.rtt.map(known)}, {label: "RTO", kind: "step", color: "--plot-3", hidden: true, t, v: d.rto.map(known)});
		}
		return {name: "rtt", title: "Round-trip time", unit: "s", series};
	}

	function throughput(s, side) {
		const d = s.plot, width = d.width / 1e9;
		const t = d.sent[side].map((_, i) => (d.start / 1e9) + i * width), rate = (list) => list.map((b) => (b * 8) / width);
		if (!d.sent[side].some((b) => b > 0)) return null;
		return {
			name: "throughput", title: `Throughput, mean of ${netlab.format(width, "s")}`, unit: "bit/s",
			series: [{label: "sent", kind: "step", color: "--plot-2", t, v: rate(d.sent[side])}, {label: "acknowledged", kind: "step", color: "--plot-1", t, v: rate(d.acked[side])}],
		};
	}

	function inFlight(s, points, side) {
		const flight = columns(points.list, (p) => (p.side === side ? p.flight : p.peer));
		if (!flight.v.some((v) => v > 0)) return null;
		const window = columns(points.list.filter((p) => p.side !== side && p.ack > 0 && !(p.marks & RST)), (p) => p.window);
		const series = [{label: "in flight", kind: "step", color: "--plot-1", ...flight}, {label: "receiver's window", kind: "step", color: "--plot-window", ...window}];
		const d = s.telemetry[side];
		if (d?.mss && d.t?.length) series.push({label: "cwnd", kind: "step", color: "--plot-2", t: sums(d.t).map((x) => x / 1e9), v: d.cwnd.map((v) => v * d.mss)});
		return {name: "in-flight", title: "Bytes in flight", unit: "B", series};
	}
})();
