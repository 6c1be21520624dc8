// The page itself: theme, navigation, copying, times that can be chosen, and where the other scripts draw.
(() => {
	"use strict";
	const root = document.documentElement;
	const announce = text => { document.getElementById("announce").textContent = text; };

	// Theme: as the system has it, light or dark. A browser may refuse to remember it for a file.
	const themes = ["", "light", "dark"];
	const names = {"": "as the system has them", light: "light", dark: "dark"};
	const button = document.getElementById("theme");
	const remembered = () => { try { return localStorage.getItem("netlab-theme") || ""; } catch { return ""; } };
	const setTheme = theme => {
		if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
		button.setAttribute("aria-label", "Colours: " + names[theme]);
		button.title = "Colours: " + names[theme];
		button.firstElementChild.textContent = {"": "◐", light: "☀", dark: "☾"}[theme];
		document.dispatchEvent(new CustomEvent("netlab:theme"));
	};
	setTheme(themes.includes(remembered()) ? remembered() : "");
	button.hidden = false;
	button.addEventListener("click", () => {
		const next = themes[(themes.indexOf(root.dataset.theme || "") + 1) % themes.length];
		setTheme(next);
		try { localStorage.setItem("netlab-theme", next); } catch { /* it is set for now */ }
		announce("Colours: " + names[next]);
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new CustomEvent("netlab:theme")));

	// Copying. Without the clipboard, the text is selected.
	for (const b of document.querySelectorAll("[data-copy]")) {
		b.hidden = false;
		const source = document.getElementById(b.dataset.copy);
		b.addEventListener("click", async () => {
			try {
				await navigator.clipboard.writeText(source.textContent);
				b.textContent = "Copied";
				announce("Copied");
			} catch {
				getSelection().selectAllChildren(source);
				b.textContent = "Selected";
				announce("Selected: copy it with the keyboard");
			}
			setTimeout(() => { b.textContent = "Copy"; }, 2000);
		});
	}

	// The section that is being read is marked in the navigation.
	const links = new Map([...document.querySelectorAll("nav a")].map(a => [a.hash.slice(1), a]));
	const visible = new Set();
	const observer = new IntersectionObserver(entries => {
		for (const e of entries) e.isIntersecting ? visible.add(e.target.id) : visible.delete(e.target.id);
		let found = false;
		for (const [id, a] of links) {
			const current = !found && visible.has(id);
			found ||= current;
			current ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current");
		}
	}, {rootMargin: "-20% 0px -50% 0px"});
	for (const s of document.querySelectorAll("main > section")) observer.observe(s);

	// Times: a bar of the timeline, a place in a row, or a line of the list of events.
	const goTo = t => {
		document.dispatchEvent(new CustomEvent("netlab:time", {detail: {t}}));
		document.dispatchEvent(new CustomEvent("netlab:cursor", {detail: {time: t}}));
	};
	document.addEventListener("click", e => {
		const b = e.target.closest("[data-time]");
		if (b) {
			goTo(Number(b.dataset.time));
			return;
		}
		const lane = e.target.closest(".lane");
		if (lane) {
			const box = lane.getBoundingClientRect();
			goTo((e.clientX - box.left) / box.width * netlab.data.run.duration);
		}
	});
	document.addEventListener("netlab:time", e => {
		const {t} = e.detail;
		for (const old of document.querySelectorAll(".lane .now")) old.remove();
		for (const lane of document.querySelectorAll(".lane")) {
			const mark = document.createElement("span");
			mark.className = "now";
			mark.style.left = Math.min(100, 100 * t / netlab.data.run.duration) + "%";
			lane.append(mark);
		}
		announce("Time " + Number(t.toPrecision(6)) + " s");
	});

	for (const c of document.querySelectorAll("[data-chart]")) netlab.chart(c, netlab.data.charts[Number(c.dataset.chart)]);
	const ladder = document.getElementById("ladder-view"), streams = document.getElementById("streams-view");
	if (ladder && netlab.data.packets) netlab.ladder(ladder);
	if (streams && netlab.data.streams) netlab.streams(streams);
})();
