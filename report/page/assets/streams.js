// The TCP connections: netlab.streams(element) lists netlab.data.streams, each with its figures, the segments that were sent again and its
// plots, which are made when the connection is opened.
(() => {
	"use strict";

	const element = (...a) => netlab.element(...a);

	netlab.streams = (parent) => {
		const all = netlab.data.streams;
		if (!all || !all.list || !all.list.length) return;
		parent.classList.add("streams");
		const boxes = all.list.map((s) => box(s));
		parent.replaceChildren(...boxes);
		boxes[0].open = true;
		document.addEventListener("netlab:select", ({detail}) => {
			const p = detail.packet === null ? null : netlab.packets.list[detail.packet];
			const c = p && netlab.packets.connections[p.stream];
			const i = c ? all.list.findIndex((s) => s.index === c.stream) : -1;
			if (i >= 0 && all.list[i].plot) boxes[i].open = true;
		});
	};

	// box is a connection that can be opened.
	function box(s) {
		const details = element("details", {className: "stream"}, element("summary", {}, element("b", {textContent: `${s.client} – ${s.server}`}), " ", sentence(s)));
		details.dataset.stream = s.index;
		details.addEventListener("toggle", () => {
			if (!details.open || details.children.length > 1) return;
			details.append(figures(s), repeats(s));
			if (s.plot) details.append(plots(s));
			else details.append(element("p", {textContent: "Plots of this connection are left out: others had more to show."}));
		});
		return details;
	}

	// busier is the side that sent more payload.
	function busier(s) { return s.sides[1].unique > s.sides[0].unique ? 1 : 0; }

	function again(side) { return side.retransmitted.reduce((n, k) => n + k.count, 0); }

	function sentence(s) {
		const side = s.sides[busier(s)], parts = [];
		if (s.protocol) parts.push(s.protocol);
		parts.push(`${netlab.format(side.unique, "B")} from ${busier(s) ? "the server" : "the client"} in ${netlab.format((s.last - s.first) / 1e9, "s")}`);
		if (side.throughput) parts.push(netlab.format(side.throughput * 8, "bit/s"));
		const n = again(s.sides[0]) + again(s.sides[1]);
		parts.push(n ? `${n} sent again` : "nothing sent again");
		return parts.join(", ");
	}

	const closes = {open: "the connection was not closed", fin: "both sides closed the connection (FIN)", half: "one side closed the connection (FIN)", reset: "the connection was reset (RST)"};

	// figures are what is known of the connection as a whole.
	function figures(s) {
		const ends = ["client", "server"];
		const intro = element("p", {textContent: `Handshake ${s.handshake < 0 ? "not captured as a whole" : "in " + netlab.format(s.handshake / 1e9, "s")}; ${closes[s.close] || s.close}` +
			`${s.close === "open" ? "" : `, the ${ends[s.closer]} first`}. Seen at ${s.node}: ` }, element("code", {textContent: `tcp.stream eq ${s.number}`}), ` in ${s.file}.`);
		const rows = [
			["segments", (x) => x.segments], ["payload", (x) => netlab.format(x.bytes, "B")], ["payload without repetitions", (x) => netlab.format(x.unique, "B")],
			["sent again", (x) => (x.retransmitted.length ? x.retransmitted.map((k) => `${k.count} ${netlab.kindNames[k.kind] || k.kind}`).join(", ") : "0")],
			["out of order", (x) => x.out_of_order], ["duplicate ACKs", (x) => x.duplicate_acks], ["SACK blocks", (x) => x.sack_blocks], ["duplicates reported (DSACK)", (x) => x.dsacks],
			["zero windows", (x) => x.zero_windows], ["resets", (x) => x.resets], ["MSS", (x) => (x.mss ? x.mss + " B" : "–")], ["window scale", (x) => (x.scale < 0 ? "–" : "2^" + x.scale)],
			["round-trip time, least / mean / most", (x) => (x.rtt.count ? [x.rtt.min, x.rtt.avg, x.rtt.max].map((v) => netlab.format(v / 1e9, "s")).join(" / ") : "–")],
			["most in flight", (x) => netlab.format(x.max_in_flight, "B")], ["largest window offered", (x) => netlab.format(x.max_window, "B")],
			["throughput", (x) => (x.throughput ? netlab.format(x.throughput * 8, "bit/s") : "–")],
		];
		const head = element("tr", {}, ...["sent by", "client", "server"].map((h) => element("th", {scope: "col", textContent: h})));
		const body = rows.map(([name, value]) => element("tr", {}, element("th", {scope: "row", textContent: name}), ...s.sides.map((x) => element("td", {textContent: String(value(x))}))));
		return element("div", {className: "stream-figures"}, intro, element("div", {className: "chart-scroll"}, element("table", {}, element("thead", {}, head), element("tbody", {}, ...body))));
	}

	// repeats lists the segments that were sent again.
	function repeats(s) {
		const place = netlab.packets ? netlab.packets.connections.findIndex((c) => c.stream === s.index) : -1;
		const list = place < 0 ? [] : netlab.packets.list.filter((p) => p.repeat && p.stream === place);
		if (!list.length) return "";
		const most = 200;
		const rows = list.slice(0, most).map((p) => {
			const hop = p.hops.find((h) => h.file === s.file) || p.hops[0];
			const b = element("button", {type: "button", textContent: netlab.seconds(p.at)});
			const row = element("tr", {}, element("td", {}, b), element("td", {textContent: `${hop.file.replace("captures/", "")} ${hop.frame}`}),
				element("td", {textContent: netlab.kindNames[p.repeat.kind] || p.repeat.kind}), element("td", {textContent: p.repeat.why}));
			row.dataset.file = hop.file;
			row.dataset.frame = hop.frame;
			return row;
		});
		const head = element("tr", {}, ...["time", "frame", "kind", "why"].map((h) => element("th", {scope: "col", textContent: h})));
		const title = `Sent again: ${list.length}${list.length > most ? `, the first ${most} are listed` : ""}`;
		return element("details", {className: "stream-repeats"}, element("summary", {textContent: title}),
			element("div", {className: "chart-scroll", tabIndex: 0, role: "region", "aria-label": title}, element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows))));
	}

	// plots are those of one direction, and the choice of it.
	function plots(s) {
		const points = netlab.streamPoints(s);
		const area = element("div", {className: "stream-plots"});
		let charts = [];
		const show = (side) => {
			for (const c of charts) c.remove();
			charts = netlab.streamCharts(s, points, side).map((spec) => {
				const e = element("div", {});
				e.dataset.plot = spec.name;
				return netlab.chart(e, spec);
			});
			area.replaceChildren(...charts.map((c) => c.parent));
		};
		const name = `side-${s.index}`;
		const choice = element("fieldset", {className: "stream-side"}, element("legend", {textContent: "Data sent by"}), ...[0, 1].map((side) => {
			const radio = element("input", {type: "radio", name, value: String(side), checked: side === busier(s)});
			radio.addEventListener("change", () => show(side));
			return element("label", {}, radio, " " + [s.client, s.server][side]);
		}));
		show(busier(s));
		return element("div", {}, choice, area);
	}
})();
