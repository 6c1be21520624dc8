// The ladder's tools: netlab.ladderTools(ladder) returns the form with its filters, scales and columns. A change calls ladder.filter(test),
// with a function that says whether a packet is shown, ladder.setScale(byTime), ladder.zoom(factor) or ladder.setColumns(nodes).
(() => {
	"use strict";

	const element = (...a) => netlab.element(...a);

	netlab.ladderTools = (ladder) => {
		const {packets} = ladder;
		const text = element("input", {type: "search", placeholder: "Filter packets ( / )", "aria-label": "Filter packets by text", className: "ladder-filter"});
		const node = choice("Node", packets.nodes.map((n, i) => [i, n]));
		const protocol = choice("Protocol", packets.protocols.map((n) => [n, n]));
		const stream = choice("Connection", packets.connections.map((c, i) => [i, c.label]));
		const lost = check("Lost");
		const again = check("Sent again");
		const change = () => {
			const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
			const [n, pr, s] = [node, protocol, stream].map((b) => b.querySelector("select").value);
			const [l, a] = [lost, again].map((b) => b.querySelector("input").checked);
			if (!words.length && n === "" && pr === "" && s === "" && !l && !a) {
				ladder.filter(null);
				return;
			}
			ladder.filter((p) => {
				if (n !== "" && p.from !== +n && p.to !== +n && !p.hops.some((h) => h.node === +n)) return false;
				if (pr !== "" && p.protocol !== pr || s !== "" && p.stream !== +s) return false;
				if ((l || a) && !(l && p.lost || a && p.repeat)) return false;
				p.words ||= netlab.sentence(p).toLowerCase();
				return words.every((w) => p.words.includes(w));
			});
		};
		for (const e of [text, node, protocol, stream, lost, again]) e.addEventListener("input", change);
		text.addEventListener("keydown", (e) => {
			if (e.key === "Escape" || e.key === "Enter") {
				if (e.key === "Escape") text.value = "";
				e.preventDefault();
				change();
				ladder.focus();
			}
		});
		const scale = element("button", {type: "button", "aria-pressed": "false", textContent: "Time to scale"});
		scale.addEventListener("click", () => {
			const on = scale.getAttribute("aria-pressed") !== "true";
			scale.setAttribute("aria-pressed", String(on));
			ladder.setScale(on);
		});
		const out = button("−", "Zoom out", () => ladder.zoom(1 / 1.5));
		const into = button("+", "Zoom in", () => ladder.zoom(1.5));
		const count = element("output", {className: "ladder-count"});
		ladder.count = count;
		ladder.filterInput = text;
		const tools = element("div", {className: "ladder-tools", role: "group", "aria-label": "What the ladder shows"}, text, node, protocol, stream, lost, again, scale, out, into, columns(ladder), count);
		for (const [e, n] of [[node, packets.nodes.length], [protocol, packets.protocols.length], [stream, packets.connections.length]]) e.hidden = n < 2;
		return tools;
	};

	function button(text, label, act) {
		const b = element("button", {type: "button", textContent: text, "aria-label": label});
		b.addEventListener("click", act);
		return b;
	}

	function choice(name, options) {
		const select = element("select", {}, element("option", {value: "", textContent: "all"}), ...options.slice(0, 500).map(([value, label]) => element("option", {value, textContent: label})));
		return element("label", {}, name + " ", select);
	}

	function check(name) {
		return element("label", {}, element("input", {type: "checkbox"}), " " + name);
	}

	// columns chooses the nodes that have columns and their order.
	function columns(ladder) {
		const list = element("ul", {});
		const details = element("details", {className: "ladder-columns"}, element("summary", {textContent: "Columns"}), list);
		let order = [...ladder.columns, ...ladder.packets.nodes.map((_, i) => i).filter((i) => !ladder.columns.includes(i))];
		let shown = new Set(ladder.columns);
		const change = () => ladder.setColumns(order.filter((n) => shown.has(n)));
		const fill = () => list.replaceChildren(...order.map((n, place) => {
			const name = ladder.packets.nodes[n];
			const box = element("input", {type: "checkbox", checked: shown.has(n)});
			box.addEventListener("change", () => {
				if (box.checked) shown.add(n);
				else shown.delete(n);
				change();
			});
			const move = (by) => {
				[order[place], order[place + by]] = [order[place + by], order[place]];
				fill();
				change();
				list.children[place + by].querySelector(by < 0 ? "button" : "button:last-child").focus();
			};
			const left = button("←", `Move ${name} left`, () => move(-1)), right = button("→", `Move ${name} right`, () => move(1));
			left.disabled = place === 0;
			right.disabled = place === order.length - 1;
			return element("li", {}, element("label", {}, box, " " + name), left, right);
		}));
		details.addEventListener("toggle", () => details.open && fill());
		return details;
	}
})();
