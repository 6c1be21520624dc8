// A packet decoded: netlab.packetDetail(packet) returns an element with all that is known of it and the display filters that find it in
// Wireshark; netlab.packetTip(packet) a short one without anything to click.
(() => {
	"use strict";

	const element = (...a) => netlab.element(...a);

	function heading(p) {
		return element("p", {className: "packet-text"}, element("b", {textContent: netlab.seconds(p.at)}), " ", p.text);
	}

	function facts(p) {
		const list = [];
		if (p.message) list.push(element("li", {textContent: p.message}));
		for (const reason of netlab.reasons(p)) list.push(element("li", {className: "packet-reason", textContent: reason}));
		list.push(element("li", {textContent: `${p.protocol}, ${p.bytes} bytes on the wire${p.id ? `, packet ${p.id} of the run` : ""}`}));
		return list;
	}

	function hops(p) {
		const rows = p.hops.map((h) => element("tr", {}, ...[
			netlab.seconds(h.at), h.port.interface || netlab.packets.nodes[h.node] || "", h.in ? "came in" : "went out", h.file, `frame ${h.frame}`,
		].map((text) => element("td", {textContent: text}))));
		return element("table", {className: "packet-hops"}, element("caption", {textContent: "Where it was seen"}), element("tbody", {}, ...rows));
	}

	function filters(p) {
		const rows = netlab.filters(p).map((f) => {
			const code = element("code", {textContent: f.filter});
			const copy = element("button", {type: "button", textContent: "Copy", "aria-label": `Copy ${f.filter}`});
			copy.addEventListener("click", () => copyText(f.filter, copy));
			const row = element("li", {}, code, copy, element("span", {textContent: ` ${f.what}${f.file ? " in " + f.file : " in every capture of the run"}`}));
			row.dataset.filter = f.filter;
			row.dataset.capture = f.file;
			return row;
		});
		return element("div", {className: "packet-filters"}, element("h4", {textContent: "Wireshark display filters"}), element("ul", {}, ...rows));
	}

	async function copyText(text, button) {
		let copied = true;
		try {
			await navigator.clipboard.writeText(text);
		} catch {
			const area = element("textarea", {value: text, className: "offscreen"});
			document.body.append(area);
			area.select();
			copied = document.execCommand("copy");
			area.remove();
		}
		button.textContent = copied ? "Copied" : "Select and copy by hand";
		setTimeout(() => (button.textContent = "Copy"), 1500);
	}

	netlab.packetTip = (p) => element("div", {className: "packet"}, heading(p), element("ul", {}, ...facts(p)), hops(p));

	netlab.packetDetail = (p) => {
		const jumps = [];
		const jump = (text, q) => {
			const b = element("button", {type: "button", textContent: text});
			b.addEventListener("click", () => netlab.select(q.place, b));
			jumps.push(b);
		};
		if (p.repeat?.original) jump("Go to the original", p.repeat.original);
		p.repeats.forEach((q, i) => jump(p.repeats.length > 1 ? `Go to retransmission ${i + 1}` : "Go to its retransmission", q));
		return element("div", {className: "packet"}, heading(p), element("ul", {}, ...facts(p)), element("p", {}, ...jumps), hops(p), filters(p));
	};
})();
