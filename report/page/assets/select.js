// Packets and the one that is selected.
//
// netlab.packets holds netlab.data.packets decoded: {list, nodes, connections, protocols}. netlab.packetAt(file, frame) finds a packet.
// netlab.select(place, source) selects a packet everywhere, or none with null: netlab.selected is the packet then, and netlab:select
// {packet, source} tells of it. netlab.sentence(packet) says what it is, netlab.filters(packet) how Wireshark finds it.
(() => {
	"use strict";

	const ACK = 1, OPENS = 2, CLOSES = 4, RESET = 8;
	const placeholder = "\ue000";
	netlab.packets = null;
	netlab.selected = null;
	const frames = new Map(); // by file, by frame: the packet

	netlab.kinds = ["fast", "timeout", "tail-loss-probe", "spurious", "handshake", "zero-window-probe", "copy"];
	netlab.kindNames = {
		fast: "fast retransmission", timeout: "retransmission timeout", "tail-loss-probe": "tail loss probe", spurious: "spurious retransmission",
		handshake: "handshake repeated", "zero-window-probe": "zero-window probe", copy: "copy made by the network",
	};

	function decode(d) {
		const list = [];
		let id = 0, at = 0, hop = 0, number = 0;
		const frame = {}, numbers = d.templates.map(() => null);
		for (let i = 0; i < d.at.length; i++) {
			id += d.id[i];
			at += d.at[i];
			const p = {
				place: i, id, at, from: d.from[i], to: d.to[i], protocol: d.words[d.protocol[i]], bytes: d.bytes[i], stream: d.stream[i], marks: d.marks[i],
				text: "", hops: [], lost: null, repeat: null, repeats: [], comments: [], message: "", gap: 0,
			};
			const pieces = d.templates[d.template[i]].split(placeholder);
			const last = numbers[d.template[i]] ||= new Array(pieces.length - 1).fill(0);
			p.text = pieces[0];
			for (let k = 1; k < pieces.length; k++) {
				last[k - 1] += d.numbers[number++];
				p.text += last[k - 1] + pieces[k];
			}
			let time = at;
			for (let n = d.hops[hop++]; n > 0; n--) {
				const code = d.hops[hop++], port = d.ports[code >> 1];
				const f = frame[port.file] = (frame[port.file] || 0) + d.hops[hop++];
				time += d.hops[hop++];
				p.hops.push({port, node: port.node, file: port.file, in: (code & 1) === 1, frame: f, at: time});
				if (!frames.has(port.file)) frames.set(port.file, new Map());
				frames.get(port.file).set(f, p);
			}
			list.push(p);
		}
		for (const l of d.lost || []) {
			list[l.packet].lost = {at: list[l.packet].at + l.at, node: l.node, toward: l.toward, link: d.links[l.link] || "", reason: d.words[l.reason], frame: l.frame};
		}
		for (const r of d.repeats || []) {
			const original = list[r.original] || null;
			list[r.packet].repeat = {kind: r.kind, original, why: d.words[r.why]};
			original?.repeats.push(list[r.packet]);
		}
		for (const [i, w] of d.comments || []) list[i].comments.push(d.words[w]);
		for (const [i, w] of d.messages || []) list[i].message = d.words[w];
		const captured = new Set((d.ports || []).map((port) => port.node));
		let end = 0;
		for (const [i, n] of d.gaps || []) {
			if (i < list.length) list[i].gap = n;
			else end = n;
		}
		for (const p of list) {
			p.class = classOf(p);
			p.legs = legs(p, captured);
			p.end = Math.max(p.at, p.lost ? p.lost.at : 0, ...p.hops.map((h) => h.at));
		}
		return {list, nodes: d.nodes, connections: d.connections || [], protocols: [...new Set(list.map((p) => p.protocol))].sort(), count: d.count, end};
	}

	function classOf(p) {
		if (p.lost) return "lost";
		if (p.repeat) return p.repeat.kind;
		if (p.marks & RESET) return "reset";
		if (p.marks & (OPENS | CLOSES)) return "control";
		if (p.marks & ACK) return "ack";
		return p.stream >= 0 ? "data" : "other";
	}

	// legs are the ways between two nodes that the packet went: from where it left one to where it reached the next. Of copies that the
	// network made, each arrives with the departure that is its own, or with the last one there was. A departure that nobody saw arrive
	// leads to the node at the link's other end or, if that is not known, to where the packet goes. What was first seen leaving another node
	// than its sender, which was not captured, came from there.
	function legs(p, captured) {
		const out = [], left = p.hops.filter((h) => !h.in).map((hop) => ({hop, used: false}));
		for (const h of p.hops) {
			if (!h.in) continue;
			const same = left.filter((l) => l.hop.at <= h.at && (h.port.link >= 0 && l.hop.port.link >= 0 ? l.hop.port.link === h.port.link && l.hop.node !== h.node : l.hop.node !== h.node));
			const from = same.find((l) => !l.used) || same.at(-1);
			if (from) {
				from.used = true;
				out.push({a: from.hop.node, b: h.node, from: from.hop.at, to: h.at});
			} else {
				out.push({a: h.port.peer, b: h.node, from: h.at, to: h.at});
			}
		}
		for (const l of left) {
			const lost = p.lost && l.hop.node === p.lost.node && l.hop.at <= p.lost.at;
			if (l.used || lost) continue;
			out.push({a: l.hop.node, b: l.hop.port.peer >= 0 ? l.hop.port.peer : p.to, from: l.hop.at, to: l.hop.at, unseen: true});
		}
		const first = p.hops[0];
		if (first && !first.in && p.from >= 0 && first.node !== p.from && !captured.has(p.from)) {
			out.push({a: p.from, b: first.node, from: first.at, to: first.at, unseen: true});
		}
		return out.sort((x, y) => x.from - y.from);
	}

	netlab.packetAt = (file, frame) => frames.get(file)?.get(frame) || null;

	netlab.seconds = (ns) => (ns / 1e9).toFixed(6) + " s";

	// reasons say what happened to a packet besides being sent.
	netlab.reasons = (p) => {
		const list = [];
		if (p.lost) list.push(`lost${p.lost.link ? " on " + p.lost.link : ""} at ${netlab.seconds(p.lost.at)}: ${p.lost.reason}`);
		if (p.repeat) list.push(`${netlab.kindNames[p.repeat.kind] || p.repeat.kind}${p.repeat.why ? ": " + p.repeat.why : ""}`);
		for (const r of p.repeats) list.push(`sent again at ${netlab.seconds(r.at)} (${netlab.kindNames[r.repeat.kind] || r.repeat.kind})`);
		return list.concat(p.comments.filter((c) => !p.lost || !c.includes(p.lost.reason)));
	};

	netlab.sentence = (p) => [netlab.seconds(p.at), p.text, p.message, ...netlab.reasons(p)].filter(Boolean).join("; ");

	// filters are display filters with what they show: this packet where it was captured, its connection, and the packet in any file.
	netlab.filters = (p) => {
		const list = [], seen = new Set();
		for (const h of p.hops) list.push({file: h.file, filter: `frame.number == ${h.frame}`, node: h.node, at: h.at, in: h.in, what: "this packet"});
		const c = netlab.packets.connections[p.stream];
		for (const h of p.hops) {
			if (c && h.file in c.views && !seen.has(h.file)) list.push({file: h.file, filter: `tcp.stream eq ${c.views[h.file]}`, what: "its connection"});
			seen.add(h.file);
		}
		if (p.id) list.push({file: "", filter: `frame.packet_id == ${p.id}`, what: "this packet wherever it was captured"});
		return list;
	};

	netlab.notable = (p) => p.lost !== null || p.repeat !== null;

	netlab.select = (place, source) => {
		netlab.selected = place === null ? null : netlab.packets.list[place];
		document.dispatchEvent(new CustomEvent("netlab:select", {detail: {packet: place, source}}));
	};

	// Rows of tables that are about a packet name it by data-file and data-frame; the selected one is marked.
	document.addEventListener("netlab:select", () => {
		for (const e of document.querySelectorAll("[data-file][data-frame]")) {
			const p = netlab.packetAt(e.dataset.file, Number(e.dataset.frame));
			e.classList.toggle("selected", p !== null && p === netlab.selected);
		}
	});
	document.addEventListener("click", (e) => {
		const row = e.target.closest?.("[data-file][data-frame]");
		const p = row && netlab.packetAt(row.dataset.file, Number(row.dataset.frame));
		if (p) netlab.select(p.place, row);
	});

	if (netlab.data.packets) netlab.packets = decode(netlab.data.packets);
})();
