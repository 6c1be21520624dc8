// What all drawings need: netlab.format(value, unit) writes a value, netlab.color(property) resolves a colour of the theme,
// netlab.element(tag, properties, ...children) makes an element, netlab.after(list, x, above) searches a sorted list.
(() => {
	"use strict";

	// format writes a value with its unit.
	netlab.format = (value, unit) => {
		if (value === null || value === undefined || Number.isNaN(value)) return "–";
		if (unit === "s") return duration(value);
		if (unit === "B" || unit === "bit/s" || unit === "B/s") return scaled(value, unit);
		return (Number.isInteger(value) ? value.toLocaleString("en") : trim(value, 3)) + (unit ? " " + unit : "");
	};

	function trim(value, digits) {
		return Number(value.toPrecision(Math.max(digits, Math.ceil(Math.log10(Math.abs(value) + 1))))).toString();
	}

	function duration(s) {
		const a = Math.abs(s);
		if (a === 0) return "0 s";
		if (a < 1e-6) return trim(s * 1e9, 4) + " ns";
		if (a < 1e-3) return trim(s * 1e6, 4) + " µs";
		if (a < 1) return trim(s * 1e3, 4) + " ms";
		return trim(s, 6) + " s";
	}

	function scaled(value, unit) {
		let i = 0;
		while (Math.abs(value) >= 1000 && i < 4) {
			value /= 1000;
			i++;
		}
		return trim(value, 4) + " " + ["", "k", "M", "G", "T"][i] + unit;
	}

	// color resolves a custom property to a colour of the theme.
	const probe = document.createElement("span");
	netlab.color = (name) => {
		if (!probe.isConnected) {
			probe.hidden = true;
			document.body.append(probe);
		}
		probe.style.color = `var(${name})`;
		return getComputedStyle(probe).color;
	};

	function element(tag, properties, ...children) {
		const e = document.createElement(tag);
		for (const [k, v] of Object.entries(properties || {})) {
			if (k in e && !k.includes("-")) e[k] = v;
			else e.setAttribute(k, v);
		}
		e.append(...children);
		return e;
	}
	netlab.element = element;

	// after is the first place in a sorted list with a value of at least x, or above x.
	netlab.after = (list, x, above) => {
		let low = 0, high = list.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (list[middle] < x || (above && list[middle] === x)) low = middle + 1;
			else high = middle;
		}
		return low;
	};
})();
