// How the ladder draws: netlab.ladderPaths(view, packets, y) returns SVG paths, one for each class of packets, so that the number
// of elements doesn't depend on how many packets there are. view is the ladder (see ladder.js), y(packet, time) is where a time is.
(() => {
	"use strict";

	const element = (...a) => netlab.element(...a);
	const head = 6;

	netlab.ladderPaths = (view, packets, y) => {
		const paths = new Map();
		const add = (name, d) => paths.set(name, (paths.get(name) || "") + d);
		for (const p of packets) {
			for (const leg of view.legs(p)) {
				const x1 = view.x(leg.a), x2 = view.x(leg.b);
				add(leg.unseen ? p.class + " open" : p.class, arrow(x1, y(p, leg.from), x2, y(p, leg.to)));
			}
			if (p.lost) lost(view, p, y, add);
		}
		return paths;
	};

	function arrow(x1, y1, x2, y2) {
		const length = Math.hypot(x2 - x1, y2 - y1);
		if (length < 1) return "";
		const ux = (x2 - x1) / length, uy = (y2 - y1) / length;
		const bx = x2 - ux * head, by = y2 - uy * head, w = head / 2;
		return `M${r(x1)} ${r(y1)}L${r(x2)} ${r(y2)}M${r(bx - uy * w)} ${r(by + ux * w)}L${r(x2)} ${r(y2)}L${r(bx + uy * w)} ${r(by - ux * w)}`;
	}

	// lost draws the way to where the packet ended: on its link, halfway to the other end, or at the node if the link isn't known.
	function lost(view, p, y, add) {
		const x1 = view.x(p.lost.node);
		if (x1 === null) return;
		const toward = p.lost.toward < 0 && !p.lost.link ? x1 : view.x(view.end(p.lost.toward, p.lost.node, p.to));
		const x2 = (x1 + toward) / 2;
		const top = y(p, p.lost.at), bottom = view.scale ? top : top + view.slope / 2;
		add("lost", `M${r(x1)} ${r(top)}L${r(x2)} ${r(bottom)}`);
		add("lost cross", `M${r(x2 - 5)} ${r(bottom - 5)}L${r(x2 + 5)} ${r(bottom + 5)}M${r(x2 - 5)} ${r(bottom + 5)}L${r(x2 + 5)} ${r(bottom - 5)}`);
	}

	function r(v) { return Math.round(v * 10) / 10; }

	// ladderLegs returns the legs of a packet between nodes that have columns: several legs over nodes without one become one leg, and
	// where a packet comes from such a node or goes to one, a short piece of the leg remains.
	netlab.ladderLegs = (p, has) => {
		const out = [];
		const done = new Set();
		for (const leg of p.legs) {
			if (done.has(leg) || !has(leg.a)) continue;
			let end = leg;
			while (end && !has(end.b)) {
				done.add(end);
				end = p.legs.find((l) => !done.has(l) && l.a === end.b && l.from >= end.from);
			}
			if (end) done.add(end);
			out.push({a: leg.a, b: end ? end.b : -1, from: leg.from, to: end ? end.to : leg.to, unseen: leg.unseen});
		}
		for (const leg of p.legs) {
			if (!done.has(leg) && has(leg.b)) out.push({a: -1, b: leg.b, from: leg.from, to: leg.to});
		}
		return out;
	};

	// ladderTies lead from segments that were sent again to their originals, along the left edge.
	netlab.ladderTies = (view, inView, top, height) => {
		const list = [];
		const repeats = new Set([...inView.filter((p) => p.repeat?.original), ...inView.flatMap((p) => p.repeats), ...tied(netlab.selected)]);
		for (const p of [...repeats].slice(0, 60)) {
			if (!view.index.has(p) || !view.index.has(p.repeat.original)) continue;
			const a = clamp(view.y(p.repeat.original, p.repeat.original.at), top, height), b = clamp(view.y(p, p.at), top, height);
			const edge = view.left, out = edge - 6 - 4 * (list.length % 4);
			const chosen = netlab.selected === p || netlab.selected === p.repeat.original;
			list.push(netlab.svgPath(`tie ${p.repeat.kind}${chosen ? " chosen" : ""}`, `M${edge + 4} ${b}H${out + 3}Q${out} ${b} ${out} ${b - 3}V${a + 3}Q${out} ${a} ${out + 3} ${a}H${edge + 4}m-4 -3l4 3l-4 3`));
		}
		return list;
	};

	function clamp(y, top, height) { return Math.min(top + height + 50, Math.max(top - 50, y)); }

	function tied(p) {
		if (!p) return [];
		return p.repeat?.original ? [p, ...p.repeats] : p.repeats;
	}

	// ladderLabel is the row of the packet at a place; a bare one has no text.
	netlab.ladderLabel = (view, i, bare) => {
		const p = view.shown[i];
		const row = element("div", {
			id: `${view.id}-${p.place}`, className: `ladder-row ${p.class}`, role: "option", "aria-label": netlab.sentence(p),
			"aria-selected": String(p === netlab.selected), "aria-posinset": String(i + 1), "aria-setsize": String(view.shown.length),
		});
		row.style.top = view.top(i) + "px";
		row.style.height = (view.scale ? 17 : view.row) + "px";
		if (i === view.active) row.classList.add("active");
		if (bare) return row;
		const text = element("span", {className: "ladder-text"});
		const note = p.lost ? `✗ ${p.lost.reason}` : p.repeat ? netlab.kindNames[p.repeat.kind] || p.repeat.kind : "";
		if (note) text.append(element("b", {textContent: note}), " ");
		text.append(p.text + (p.message ? ": " + p.message : ""));
		if (p.gap && !view.test) text.append(element("i", {textContent: ` (${p.gap.toLocaleString("en")} left out before)`}));
		if (!view.stacked) text.style.left = view.left + view.gap * view.columns.length + "px";
		row.append(element("span", {className: "ladder-time", textContent: (p.at / 1e9).toFixed(6)}), text);
		return row;
	};

	netlab.svgPath = (name, d) => {
		const e = document.createElementNS("http://www.w3.org/2000/svg", "path");
		e.setAttribute("class", name);
		e.setAttribute("d", d);
		return e;
	};
})();
