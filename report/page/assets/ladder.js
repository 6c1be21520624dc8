// The ladder: netlab.ladder(element) draws netlab.packets between the columns of their nodes. Rows are drawn as they come into view,
// so that any number of packets is possible. It follows netlab:time and netlab:select and moves the cursor of the charts.
(() => {
	"use strict";

	const element = (...a) => netlab.element(...a);
	const mostColumns = 8; // at first
	const mostHeight = 8e6; // of what is scrolled, in pixels: browsers allow about twice as much
	const mostArrows = 4000; // at once, where time is to scale
	let ladders = 0;

	netlab.ladder = (parent) => netlab.packets && netlab.packets.list.length && new Ladder(parent);

	class Ladder {
		constructor(parent) {
			this.packets = netlab.packets;
			this.id = `ladder${ladders++}`;
			this.columns = firstColumns(this.packets);
			this.scale = false;
			this.zoomed = 1;
			this.active = 0; // place in this.shown
			this.test = null;
			const tools = netlab.ladderTools(this);
			this.names = element("div", {className: "ladder-names", "aria-hidden": "true"});
			this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
			this.svg.setAttribute("aria-hidden", "true");
			this.rows = element("div", {className: "ladder-rows", role: "presentation"});
			this.cursor = element("div", {className: "ladder-cursor", hidden: true});
			this.space = element("div", {className: "ladder-space", role: "presentation"}, this.svg, this.rows, this.cursor);
			this.body = element("div", {
				className: "ladder-body", tabIndex: 0, role: "listbox", "aria-label": "Packets in the order of time",
				"aria-description": "Up and down move, n and p go to the next and the previous packet that was lost or sent again, Enter selects, slash filters.",
			}, this.names, this.space);
			this.tip = element("div", {className: "ladder-tip", hidden: true, "aria-hidden": "true"});
			this.detail = element("div", {className: "ladder-detail", role: "region", "aria-label": "The packet"});
			parent.classList.add("ladder");
			parent.replaceChildren(tools, this.body, this.tip, this.detail);
			this.parent = parent;
			this.listen();
			this.refresh();
		}

		listen() {
			let frame = 0;
			const later = () => (frame ||= requestAnimationFrame(() => {
				frame = 0;
				this.draw();
			}));
			this.body.addEventListener("scroll", later, {passive: true});
			new ResizeObserver(() => this.layout()).observe(this.body);
			this.body.addEventListener("keydown", (e) => this.key(e));
			this.body.addEventListener("mousemove", (e) => this.hover(e));
			this.body.addEventListener("mouseleave", () => this.leave());
			this.body.addEventListener("click", (e) => {
				const i = this.at(e);
				if (i < 0) return;
				this.move(i, true);
				netlab.select(this.shown[i].place, this);
			});
			this.parent.addEventListener("keydown", (e) => {
				if (e.key === "/" && !(e.target instanceof HTMLInputElement)) {
					e.preventDefault();
					this.filterInput.focus();
				}
			});
			document.addEventListener("netlab:select", (e) => this.selected(e.detail));
			document.addEventListener("netlab:time", (e) => this.jump(e.detail.t));
			document.addEventListener("netlab:cursor", (e) => this.follow(e.detail));
			document.addEventListener("netlab:theme", () => this.draw());
		}

		// has says whether a node has a column, x is where it is, or null. A node may be an end without a column, as legs makes it.
		has(node) { return this.place.has(node); }

		x(node) {
			if (node !== null && typeof node === "object") return this.x(node.from) + node.side * this.gap * 0.4;
			const i = this.place.get(node);
			return i === undefined ? null : this.left + this.gap * (i + 0.5);
		}

		// legs are those of a packet between columns.
		legs(p) {
			return netlab.ladderLegs(p, (n) => this.has(n)).map((l) => ({
				...l, a: l.a >= 0 ? l.a : this.end(-1, l.b, p.from), b: l.b >= 0 ? l.b : this.end(-1, l.a, p.to),
			}));
		}

		// end is a node, if it has a column, or else a place beside that of another node, on the side where the packet comes from or goes to.
		end(node, beside, toward) {
			if (this.has(node)) return node;
			const left = this.has(toward) ? this.place.get(toward) < this.place.get(beside) : toward < beside;
			return {from: beside, side: left ? -1 : 1};
		}

		// filter shows the packets for which test holds; null shows all.
		filter(test) {
			this.test = test;
			this.refresh();
		}

		setColumns(list) {
			this.columns = list;
			this.refresh();
		}

		setScale(byTime) {
			this.scale = byTime;
			this.zoomed = 1;
			this.layout();
			this.show();
		}

		zoom(factor) {
			this.zoomed = this.scale ? Math.max(0.02, this.zoomed * factor) : Math.min(2.5, Math.max(0.7, this.zoomed * factor));
			const middle = (this.body.scrollTop + this.body.clientHeight / 2) / this.height;
			this.layout();
			this.body.scrollTop = middle * this.height - this.body.clientHeight / 2;
			this.draw();
		}

		focus() { this.body.focus(); }

		// refresh finds out which packets are shown.
		refresh() {
			const kept = this.shown?.[this.active];
			this.place = new Map(this.columns.map((n, i) => [n, i]));
			const met = (p) => this.has(p.from) || this.has(p.to) || p.hops.some((h) => this.has(h.node));
			const all = this.packets.list;
			const visible = all.filter(met);
			this.shown = this.test ? visible.filter(this.test) : visible;
			this.index = new Map(this.shown.map((p, i) => [p, i]));
			this.longest = this.shown.reduce((m, p) => Math.max(m, p.end - p.at), 0);
			const hidden = all.length - visible.length;
			this.count.textContent = `${this.shown.length.toLocaleString("en")} of ${this.packets.count.toLocaleString("en")} packets` +
				(hidden ? `; ${hidden.toLocaleString("en")} between nodes without a column` : "");
			this.active = this.index.get(kept) ?? Math.min(this.active, Math.max(0, this.shown.length - 1));
			this.layout();
			this.show();
		}

		// layout computes the sizes.
		layout() {
			const width = this.body.clientWidth || 800, n = Math.max(1, this.columns.length);
			this.gutter = 22;
			const beside = width - 86 - this.gutter - n * 96;
			this.stacked = beside < 300;
			this.left = this.stacked ? this.gutter : 86 + this.gutter;
			this.textWidth = this.stacked ? 0 : Math.min(720, Math.max(300, width - this.left - n * 190));
			this.gap = Math.max(this.stacked ? 76 : 96, (width - this.left - this.textWidth - 8) / n);
			this.width = this.stacked ? Math.max(width, this.left + n * this.gap) : width;
			this.row = Math.round((this.stacked ? 42 : 26) * (this.scale ? 1 : this.zoomed));
			this.slope = this.row - (this.stacked ? 26 : 10);
			const first = this.shown[0]?.at || 0, last = this.shown.reduce((m, p) => Math.max(m, p.end), first);
			const rows = Math.max(1, this.shown.length * this.row);
			this.start = first;
			this.perNs = Math.min(mostHeight, Math.max(400, rows) * this.zoomed) / Math.max(1, last - first);
			this.height = this.scale ? (last - first) * this.perNs + 2 * this.row : rows;
			this.space.style.height = this.height + "px";
			this.space.style.width = this.names.style.width = this.width + "px";
			this.names.replaceChildren(...this.columns.map((c) => {
				const e = element("span", {textContent: this.packets.nodes[c], title: this.packets.nodes[c]});
				e.style.left = this.x(c) - this.gap / 2 + "px";
				e.style.width = this.gap + "px";
				return e;
			}));
			this.parent.classList.toggle("stacked", this.stacked);
			this.draw();
		}

		// top is where a packet's row begins, y where a time of it is.
		top(i) { return this.scale ? this.row / 2 + (this.shown[i].at - this.start) * this.perNs : i * this.row; }

		y(p, time) {
			const i = this.index.get(p);
			if (this.scale) return this.row / 2 + (time - this.start) * this.perNs;
			const lead = this.stacked ? 21 : 5;
			const part = (p.end > p.at ? (time - p.at) / (p.end - p.at) : 0) * (p.lost ? 0.5 : 1); // half of the row is for where it got lost
			return i * this.row + lead + part * this.slope;
		}

		// window is the first and the last packet in view.
		window() {
			const top = this.body.scrollTop, bottom = top + this.body.clientHeight;
			if (!this.scale) return [Math.max(0, Math.floor(top / this.row) - 1), Math.min(this.shown.length, Math.ceil(bottom / this.row) + 1)];
			const time = (y) => this.start + (y - this.row / 2) / this.perNs;
			return [this.find(time(top) - this.longest), this.find(time(bottom) + 1)];
		}

		// find is the place of the first packet at a time or later.
		find(time) {
			let low = 0, high = this.shown.length;
			while (low < high) {
				const middle = (low + high) >> 1;
				if (this.shown[middle].at < time) low = middle + 1;
				else high = middle;
			}
			return low;
		}

		draw() {
			if (!this.shown) return;
			const top = this.body.scrollTop, height = this.body.clientHeight;
			const [first, end] = this.window();
			let inView = this.shown.slice(first, end);
			if (inView.length > mostArrows) {
				const step = Math.ceil(inView.length / mostArrows);
				inView = inView.filter((p, i) => i % step === 0 || netlab.notable(p));
			}
			this.svg.setAttribute("width", this.width);
			this.svg.setAttribute("height", height);
			this.svg.style.top = top + "px";
			this.svg.setAttribute("viewBox", `0 ${top} ${this.width} ${height}`);
			const parts = this.columns.map((c) => netlab.svgPath("column", `M${this.x(c)} ${top}V${top + height}`));
			for (const [name, d] of netlab.ladderPaths(this, inView, (p, t) => this.y(p, t))) parts.push(netlab.svgPath("arrow " + name, d));
			parts.push(...netlab.ladderTies(this, inView, top, height));
			this.svg.replaceChildren(...parts);
			this.labels(first, end, top, height);
		}

		// labels puts the rows' texts into the page: options that a screen reader finds by aria-activedescendant.
		labels(first, end, top, height) {
			const list = [];
			const add = (i, bare) => list.push(netlab.ladderLabel(this, i, bare));
			let free = -Infinity;
			for (let i = first; i < end && list.length < 400; i++) {
				const y = this.top(i);
				if (i !== this.active && (y < free || y < top - this.row || y > top + height)) continue;
				add(i, y < free);
				free = this.scale ? Math.max(free, y + 17) : free;
			}
			if (this.shown.length && (this.active < first || this.active >= end)) add(this.active, false);
			this.rows.replaceChildren(...list);
			if (this.shown.length) this.body.setAttribute("aria-activedescendant", `${this.id}-${this.shown[this.active].place}`);
			else this.body.removeAttribute("aria-activedescendant");
		}

		// at is the place of the packet at a pointer, or -1.
		at(e) {
			const box = this.space.getBoundingClientRect(), y = e.clientY - box.top;
			if (y < 0) return -1;
			if (!this.scale) return y < this.shown.length * this.row ? Math.floor(y / this.row) : -1;
			const over = e.target.closest?.(".ladder-row");
			if (over) return this.index.get(this.packets.list[Number(over.id.split("-")[1])]) ?? -1;
			return this.nearest(e.clientX - box.left, y);
		}

		// nearest is the packet with the arrow closest to a point, where time is to scale.
		nearest(x, y) {
			const [first, end] = this.window();
			let best = -1, least = 12;
			for (let i = first; i < end; i++) {
				for (const leg of this.legs(this.shown[i])) {
					const a = this.x(leg.a), b = this.x(leg.b);
					if (a === null || b === null || x < Math.min(a, b) || x > Math.max(a, b)) continue;
					const part = (x - a) / (b - a), at = this.y(this.shown[i], leg.from + part * (leg.to - leg.from));
					if (Math.abs(at - y) < least) [best, least] = [i, Math.abs(at - y)];
				}
			}
			return best;
		}

		hover(e) {
			const i = this.at(e);
			if (i === this.hovered) return;
			this.hovered = i;
			this.tip.hidden = i < 0;
			if (i < 0) return;
			const p = this.shown[i];
			this.tip.replaceChildren(netlab.packetTip(p));
			const box = this.parent.getBoundingClientRect(), below = e.clientY + 18 + this.tip.offsetHeight < innerHeight;
			this.tip.style.left = Math.max(0, Math.min(e.clientX - box.left + 16, box.width - this.tip.offsetWidth)) + "px";
			this.tip.style.top = (below ? e.clientY - box.top + 18 : e.clientY - box.top - this.tip.offsetHeight - 12) + "px";
			document.dispatchEvent(new CustomEvent("netlab:cursor", {detail: {time: p.at / 1e9, source: this}}));
		}

		leave() {
			this.hovered = -1;
			this.tip.hidden = true;
			document.dispatchEvent(new CustomEvent("netlab:cursor", {detail: {time: null, source: this}}));
		}

		// show tells of the packet that has the focus below the ladder.
		show() {
			const p = this.shown[this.active];
			if (!p) {
				this.detail.replaceChildren(element("p", {textContent: "No packet is like that."}));
				return;
			}
			this.detail.replaceChildren(netlab.packetDetail(p));
		}

		// move gives a packet the focus and, unless it is in view, scrolls there.
		move(i, still) {
			if (!this.shown.length) return;
			this.active = Math.min(this.shown.length - 1, Math.max(0, i));
			const y = this.top(this.active), view = this.body.clientHeight - this.names.offsetHeight;
			if (!still && (y < this.body.scrollTop || y + this.row > this.body.scrollTop + view)) this.body.scrollTop = Math.max(0, y - view / 2);
			this.draw();
			this.show();
		}

		key(e) {
			if (e.ctrlKey || e.altKey || e.metaKey) return;
			const page = Math.max(1, Math.floor(this.body.clientHeight / this.row) - 2);
			const to = {
				ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page, PageUp: this.active - page, Home: 0, End: this.shown.length - 1,
				n: this.next(1), p: this.next(-1),
			}[e.key];
			if (to !== undefined) this.move(to);
			else if (e.key === "Enter" || e.key === " ") netlab.select(this.shown[this.active]?.place ?? null, this);
			else if (e.key === "Escape") netlab.select(null, this);
			else if (e.key === "+" || e.key === "=") this.zoom(1.5);
			else if (e.key === "-") this.zoom(1 / 1.5);
			else return;
			e.preventDefault();
		}

		// next is the next packet, in a direction, that was lost or sent again.
		next(by) {
			for (let i = this.active + by; i >= 0 && i < this.shown.length; i += by) {
				if (netlab.notable(this.shown[i])) return i;
			}
			return this.active;
		}

		selected({packet, source}) {
			const i = packet === null ? undefined : this.index.get(this.packets.list[packet]);
			if (i === undefined || source === this) this.draw();
			else this.move(i);
			if (packet !== null && i === undefined) this.detail.replaceChildren(netlab.packetDetail(this.packets.list[packet]));
		}

		jump(time) { this.move(Math.min(this.shown.length - 1, this.find(time * 1e9))); }

		follow({time, source}) {
			if (source === this) return;
			this.cursor.hidden = time === null || !this.shown.length;
			if (time === null) return;
			this.cursor.style.top = (this.scale ? this.row / 2 + (time * 1e9 - this.start) * this.perNs : this.find(time * 1e9) * this.row) + "px";
		}
	}

	// firstColumns are all nodes, or of many those that saw most packets, in the order of the file.
	function firstColumns(packets) {
		const seen = packets.nodes.map(() => 0);
		for (const p of packets.list) {
			for (const n of new Set([p.from, p.to, ...p.hops.map((h) => h.node)])) if (n >= 0) seen[n]++;
		}
		return packets.nodes.map((_, i) => i).sort((a, b) => seen[b] - seen[a] || a - b).slice(0, mostColumns).sort((a, b) => a - b);
	}
})();
