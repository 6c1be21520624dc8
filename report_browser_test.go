package netlab_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/report"
	reportpage "netlab/report/page"
)

// browser is a page in headless Chromium. What the page complains about and what it asks for are taken down.
type browser struct {
	testing.TB
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	requests   []string
}

// openBrowser opens a file. Where Chromium is not installed the test is skipped, but fails in CI.
func openBrowser(t testing.TB, file string, width, height int64, scheme string) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("Chromium is not installed")
		}
		t.Skip("Chromium is not installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	b := &browser{TB: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, b.listen))
	_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	require.NoError(t, err)
	b.do(chromedp.EmulateViewport(width, height), chromedp.Navigate("file://"+file))
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text+" "+fmt.Sprint(e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, fmt.Sprint("console: ", e.Type))
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	require.NoError(b, chromedp.Do(b.ctx, steps...))
}

// eval returns what an expression is in the page.
func eval[T any](b *browser, expression string) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	require.NoError(b, err, expression)
	return v
}

// settle waits for what the page draws in the next frames.
func (b *browser) settle() {
	b.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`, chromedp.EvalAwaitPromise))
	require.NoError(b, err)
}

// click clicks with the mouse into the middle of what a selector finds.
func (b *browser) click(selector string) {
	b.Helper()
	at := b.still(fmt.Sprintf(`document.querySelector(%q)`, selector), `r => [r.left + r.width / 2, r.top + r.height / 2]`)
	b.do(chromedp.MouseClickXY(at[0], at[1]))
	b.settle()
}

// still brings an element into view and returns the point in it that a function makes of its rectangle, once it rests: what comes into view
// may be drawn only then, and move the rest.
func (b *browser) still(element, point string) []float64 {
	b.Helper()
	at, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]float64](fmt.Sprintf(`(async () => {
		const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
		const point = %s;
		for (let last = "", same = 0, tries = 0; tries < 300; tries++) {
			const e = %s;
			e.scrollIntoView({block: "center", behavior: "instant"});
			await frame();
			const at = point(e.getBoundingClientRect()), now = String(at) + scrollY;
			same = now === last ? same + 1 : 0;
			last = now;
			if (same >= 5) return at;
		}
		throw new Error("it does not come to rest");
	})()`, point, element), chromedp.EvalAwaitPromise))
	require.NoError(b, err, element)
	return at
}

func (b *browser) press(keys string) {
	b.Helper()
	b.do(chromedp.KeyEvent(keys))
	b.settle()
}

// strike presses a key as a keyboard does: what the page does about it decides whether a character is written.
func (b *browser) strike(key string) {
	b.Helper()
	_, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key})
	require.NoError(b, err)
	b.settle()
}

// requireQuiet fails if the page complained, or asked for anything but itself.
func (b *browser) requireQuiet() {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b, b.complaints)
	require.NotEmpty(b, b.requests)
	for _, url := range b.requests {
		require.True(b, strings.HasPrefix(url, "file://") && strings.HasSuffix(url, report.PageFile) || strings.HasPrefix(url, "data:"), "a request for %s", url)
	}
}

// reportOf runs a lab and returns its folder, which has a report.
func reportOf(t testing.TB, lab *netlab.Lab) string {
	t.Helper()
	dir := t.TempDir()
	play(t, lab, &netlab.RunOptions{Dir: dir}, nil)
	require.NoError(t, reportpage.WriteFolder(dir, reportpage.Options{}))
	return dir
}

// pixels returns the pixels of a canvas, from a copy that is made for being read.
const pixels = `(canvas => {
	const copy = document.createElement("canvas");
	[copy.width, copy.height] = [canvas.width, canvas.height];
	const context = copy.getContext("2d", {willReadFrequently: true});
	context.drawImage(canvas, 0, 0);
	return context.getImageData(0, 0, copy.width, copy.height).data;
})`

// canvases brings each element that a selector finds into view, and returns of each how many pixels of its canvas have a colour.
const canvases = `(async selector => {
	const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
	const drawn = {};
	for (const d of document.querySelectorAll("details")) d.open ||= d.querySelector(selector) !== null;
	await frame();
	for (const e of document.querySelectorAll(selector)) {
		e.scrollIntoView({block: "center", behavior: "instant"});
		for (let i = 0; i < 120 && !e.querySelector("canvas"); i++) await frame();
		const c = e.querySelector("canvas");
		const data = c ? ` + pixels + `(c) : [];
		const colours = new Set();
		let filled = 0;
		for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 128) { filled++; colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]); }
		drawn[e.dataset.plot || "chart " + e.dataset.chart] = colours.size > 2 ? filled : 0;
	}
	return drawn;
})`

// drawnBy returns what canvases finds.
func (b *browser) drawnBy(selector string) map[string]int {
	b.Helper()
	drawn, err := chromedp.Run(b.ctx, chromedp.Evaluate[map[string]int](fmt.Sprintf("%s(%q)", canvases, selector), chromedp.EvalAwaitPromise))
	require.NoError(b, err)
	return drawn
}

// The page of a run draws everything, complains of nothing, asks nobody, and nothing is wider than the window: on a desk in light and
// on a phone in dark.
func TestReportInABrowser(t *testing.T) {
	for _, name := range []string{"retransmission", "https", "partition"} {
		t.Run(name, func(t *testing.T) {
			dir := reportOf(t, parse(t, exampleText(t, name)))
			for _, device := range []struct {
				name          string
				width, height int64
				scheme        string
			}{{"desk", 1280, 900, "light"}, {"phone", 390, 844, "dark"}} {
				t.Run(device.name, func(t *testing.T) {
					b := openBrowser(t, filepath.Join(dir, report.PageFile), device.width, device.height, device.scheme)
					require.NotZero(t, eval[int](b, `document.querySelectorAll("svg.topology .node, svg.topology text").length`))
					require.NotZero(t, eval[int](b, `document.querySelectorAll(".ladder svg .arrow").length`), "arrows")
					plots := b.drawnBy(".stream[open] [data-plot]")
					for _, plot := range []string{"sequence", "cwnd", "rtt", "throughput", "in-flight"} {
						require.Greater(t, plots[plot], 200, plot)
					}
					charts := b.drawnBy("[data-chart]")
					for chart, filled := range charts {
						require.Greater(t, filled, 100, chart)
					}
					require.Equal(t, eval[int](b, `netlab.data.charts.length`), len(charts))
					require.LessOrEqual(t, eval[int](b, `document.documentElement.scrollWidth`), int(device.width), "no wider than the window")
					require.Equal(t, 0, eval[int](b, `[...document.querySelectorAll("canvas")].filter(c => !c.closest("[aria-label]")).length`), "each has a text")
					b.requireQuiet()
				})
			}
		})
	}
}

// A packet that is chosen in the ladder is marked in the plots and the tables, and the display filters that are shown find it in
// Wireshark, and nothing else; a segment that is chosen in a plot is found in the ladder.
func TestReportMarksAPacketEverywhere(t *testing.T) {
	dir := reportOf(t, parse(t, exampleText(t, "retransmission")))
	b := openBrowser(t, filepath.Join(dir, report.PageFile), 1280, 900, "light")
	require.Greater(t, b.drawnBy(`.stream[open] [data-plot="sequence"]`)["sequence"], 200)
	const pink = `(() => { const c = document.querySelector('[data-plot="sequence"] canvas'), want = netlab.color("--plot-selected").match(/\d+/g).map(Number);
		const d = ` + pixels + `(c); let n = 0;
		for (let i = 0; i < d.length; i += 4) if (want.every((v, k) => Math.abs(d[i + k] - v) < 8) && d[i + 3] > 200) n++;
		return n; })()`
	require.Zero(t, eval[int](b, pink), "nothing is selected")

	// The first retransmission, found by keyboard, chosen by mouse.
	place := eval[int](b, `netlab.packets.list.find(p => p.repeat).place`)
	b.do(chromedp.Focus(chromedp.CSS(".ladder-body")))
	for eval[string](b, `document.querySelector(".ladder-body").getAttribute("aria-activedescendant")`) != fmt.Sprintf("ladder0-%d", place) {
		b.press("n")
	}
	require.Equal(t, "null", eval[string](b, `String(netlab.selected)`), "the focus alone selects nothing")
	b.click(fmt.Sprintf("#ladder0-%d", place))
	require.Equal(t, place, eval[int](b, `netlab.selected.place`))
	require.Equal(t, "true", eval[string](b, fmt.Sprintf(`document.getElementById("ladder0-%d").getAttribute("aria-selected")`, place)))
	require.Equal(t, 1, eval[int](b, `document.querySelectorAll("[aria-selected=true]").length`))
	require.Equal(t, 1, eval[int](b, `document.querySelectorAll(".stream-repeats tr.selected").length`))
	require.Greater(t, eval[int](b, pink), 40, "a ring and a line in the plot")
	require.Contains(t, eval[string](b, `document.querySelector(".ladder-detail").textContent`), "fast retransmission")

	type shown struct{ Filter, Capture string }
	filters := eval[[]shown](b, `[...document.querySelectorAll(".ladder-detail [data-filter]")].map(e => ({Filter: e.dataset.filter, Capture: e.dataset.capture}))`)
	id := strconv.Itoa(eval[int](b, `netlab.selected.id`))
	frames, connections, everywhere := 0, 0, 0
	for _, f := range filters {
		fields := []string{"-Y", f.Filter, "-T", "fields", "-e", "frame.packet_id"}
		switch {
		case strings.HasPrefix(f.Filter, "frame.number == "):
			require.Equal(t, []string{id}, tshark(t, filepath.Join(dir, f.Capture), fields...), f.Filter)
			frames++
		case strings.HasPrefix(f.Filter, "tcp.stream eq "):
			require.Contains(t, tshark(t, filepath.Join(dir, f.Capture), fields...), id, f.Filter)
			connections++
		default:
			for _, file := range capturesOf(t, dir) {
				everywhere += len(tshark(t, file, fields...))
			}
		}
	}
	require.Equal(t, eval[int](b, `netlab.selected.hops.length`), frames)
	require.Equal(t, frames, everywhere)
	require.NotZero(t, connections)

	// The other way round: a click at the segment's place in the plot.
	b.do(chromedp.Focus(chromedp.CSS(".ladder-body")))
	b.press(kb.Escape)
	require.Equal(t, "null", eval[string](b, `String(netlab.selected)`))
	require.Greater(t, b.drawnBy(`.stream[open] [data-plot="sequence"]`)["sequence"], 200)
	at := b.still(`document.querySelector('[data-plot="sequence"] .u-over')`, fmt.Sprintf(`r => {
		const p = netlab.packets.list[%d], s = netlab.data.streams.list[0], chart = document.querySelector('[data-plot="sequence"]').chart.uplot;
		const point = netlab.streamPoints(s).frames.get(p.hops.find(h => h.file === s.file).frame);
		return [r.left + chart.valToPos(point.t, "x"), r.top + chart.valToPos(point.to, "y")]; }`, place))
	b.do(chromedp.MouseClickXY(at[0], at[1]))
	b.settle()
	chosen := eval[int](b, `netlab.selected.place`)
	require.Equal(t, fmt.Sprintf("ladder0-%d", chosen), eval[string](b, `document.querySelector(".ladder-body").getAttribute("aria-activedescendant")`))
	distance := eval[float64](b, fmt.Sprintf(`Math.abs(netlab.selected.at - netlab.packets.list[%d].at) / 1e9`, place))
	require.Less(t, distance, 0.3, "a packet within ten pixels")
	b.requireQuiet()
}

// Everything in the ladder can be done by keyboard.
func TestReportByKeyboard(t *testing.T) {
	dir := reportOf(t, parse(t, exampleText(t, "retransmission")))
	results := readResults(t, dir)
	b := openBrowser(t, filepath.Join(dir, report.PageFile), 1280, 900, "dark")
	active := func() int {
		return eval[int](b, `netlab.packets.list[Number(document.querySelector(".ladder-row.active").id.split("-")[1])].place`)
	}
	spoken := func() string {
		return eval[string](b, `document.querySelector(".ladder-row.active").getAttribute("aria-label")`)
	}
	b.do(chromedp.Focus(chromedp.CSS(".ladder-body")))
	require.Equal(t, 0, active())
	b.press(kb.ArrowDown)
	require.Equal(t, 1, active())
	require.Contains(t, spoken(), "[SYN, ACK]")
	b.press(kb.ArrowUp)
	require.Equal(t, 0, active())
	b.press("n")
	require.Contains(t, spoken(), "lost on r1--server")
	first := active()
	b.press("n")
	require.Greater(t, active(), first)
	b.press("p")
	require.Equal(t, first, active())
	b.press(kb.Enter)
	require.Equal(t, first, eval[int](b, `netlab.selected.place`))

	b.strike("/")
	require.True(t, eval[bool](b, `document.activeElement === document.querySelector(".ladder-filter")`))
	b.press("random loss")
	lost := 0
	for _, l := range results.Links {
		lost += l.Forward.Dropped["loss"] + l.Backward.Dropped["loss"]
	}
	require.NotZero(t, lost)
	count := `document.querySelector(".ladder-count").textContent`
	b.press(kb.Enter)
	require.True(t, eval[bool](b, `document.activeElement === document.querySelector(".ladder-body")`))
	require.GreaterOrEqual(t, eval[int](b, `parseInt(document.querySelector(".ladder-row").getAttribute("aria-setsize"))`), lost)
	require.Contains(t, eval[string](b, count), "of 7,089 packets")
	b.strike("/")
	b.press(kb.Escape)
	require.Equal(t, "7,089 of 7,089 packets", eval[string](b, count))
	b.click(`.ladder-tools label:has(input[type=checkbox])`)
	require.Equal(t, fmt.Sprintf("%d of 7,089 packets", lost), eval[string](b, count), "the box for lost packets")
	b.requireQuiet()
}

// Ten thousand packets, and fifty hosts, take no more elements than ten do.
func TestReportOfManyPacketsAndHosts(t *testing.T) {
	const many = `{"nodes": {"client": {}, "server": {"services": {"sink": {"type": "tcp-sink", "listen": ":5001"}}}},
		"links": [{"between": "client - server", "latency": "5ms", "rate": "100Mbit/s"}],
		"workloads": {"upload": {"type": "tcp-transfer", "from": "client", "to": "server:5001", "bytes": "10MB"}}}`
	const star = `{"nodes": {"h[1..50]": {}, "r": {"kind": "router"}, "server": {"services": {"web": {"type": "http-server", "objects": "10kB"}}}},
		"links": [{"between": "h[*] - r", "latency": "5ms", "rate": "100Mbit/s"}, {"between": "r - server", "latency": "5ms"}],
		"workloads": {"fetch": {"type": "http-fetch", "from": "h[*]", "url": "http://server/"}}}`
	for _, c := range []struct {
		name, text     string
		packets, hosts int
	}{{"packets", many, 10_000, 2}, {"hosts", star, 500, 50}} {
		t.Run(c.name, func(t *testing.T) {
			dir := reportOf(t, parse(t, c.text))
			b := openBrowser(t, filepath.Join(dir, report.PageFile), 1280, 900, "light")
			require.GreaterOrEqual(t, eval[int](b, `netlab.packets.list.length`), c.packets)
			require.GreaterOrEqual(t, eval[int](b, `netlab.packets.nodes.length`), c.hosts)
			elements := `document.querySelectorAll(".ladder *").length`
			require.Less(t, eval[int](b, elements), 1200)
			b.do(chromedp.Focus(chromedp.CSS(".ladder-body")))
			for _, key := range []string{kb.End, kb.PageUp, kb.Home, kb.PageDown} {
				b.press(key)
				require.Less(t, eval[int](b, elements), 1200)
				require.NotZero(t, eval[int](b, `document.querySelectorAll(".ladder .arrow").length`))
			}
			b.click(`.ladder-tools button[aria-pressed]`) // time to scale
			require.Equal(t, "true", eval[string](b, `document.querySelector(".ladder-tools button[aria-pressed]").getAttribute("aria-pressed")`))
			for range 8 {
				b.click(`.ladder-tools button[aria-label="Zoom out"]`)
			}
			require.Less(t, eval[int](b, elements), 1500, "all packets in one view")
			require.NotZero(t, eval[int](b, `document.querySelectorAll(".ladder .arrow").length`))
			require.LessOrEqual(t, eval[int](b, `document.documentElement.scrollWidth`), 1280)
			b.requireQuiet()
		})
	}
}

// The buttons for colours and for copying do what they say, and the timeline moves the ladder.
func TestReportButtonsAndTimeline(t *testing.T) {
	dir := reportOf(t, parse(t, exampleText(t, "partition")))
	b := openBrowser(t, filepath.Join(dir, report.PageFile), 1280, 900, "light")
	background := func() string { return eval[string](b, `getComputedStyle(document.body).backgroundColor`) }
	name := func() string { return eval[string](b, `document.getElementById("theme").getAttribute("aria-label")`) }
	light := background()
	require.Equal(t, "Colours: as the system has them", name())
	b.click("#theme")
	require.Equal(t, "Colours: light", name())
	require.Equal(t, light, background())
	b.click("#theme")
	require.Equal(t, "Colours: dark", name())
	require.NotEqual(t, light, background())
	b.click("#theme")
	require.Equal(t, light, background())

	eval[bool](b, `Object.defineProperty(navigator, "clipboard", {value: {writeText: async t => { window.copied = t; }}}), true`)
	b.click(`[data-copy="command"]`)
	command := eval[string](b, `document.getElementById("command").textContent`)
	require.Equal(t, command, eval[string](b, `window.copied`))
	require.Equal(t, "Copied", eval[string](b, `document.querySelector('[data-copy="command"]').textContent`))
	eval[bool](b, `navigator.clipboard.writeText = async () => { throw new Error("refused"); }, true`)
	b.click(`[data-copy="command"]`)
	require.Equal(t, command, eval[string](b, `getSelection().toString()`))
	eval[bool](b, `navigator.clipboard.writeText = async t => { window.copied = t; }, true`)
	b.do(chromedp.Focus(chromedp.CSS(".ladder-body")))
	b.press(kb.Enter)
	b.click(`.ladder-detail [data-filter] button`)
	require.Equal(t, eval[string](b, `document.querySelector(".ladder-detail [data-filter]").dataset.filter`), eval[string](b, `window.copied`))

	active := `netlab.packets.list[Number(document.querySelector(".ladder-body").getAttribute("aria-activedescendant").split("-")[1])].at / 1e9`
	require.Zero(t, eval[float64](b, active))
	b.click(".lane.fault button")
	began := eval[float64](b, `Number(document.querySelector(".lane.fault button").dataset.time)`)
	require.Equal(t, 2.0, began)
	require.InDelta(t, began, eval[float64](b, active), 0.5, "the ladder is where the fault begins")
	require.NotZero(t, eval[int](b, `document.querySelectorAll(".lane .now").length`))
	b.click(".lane.density")
	require.InDelta(t, eval[float64](b, `netlab.data.run.duration / 2`), eval[float64](b, active), 1, "the middle of a row")
	b.requireQuiet()
}

// A page that compares runs draws all its charts in the order of the file, and complains of nothing.
func TestComparisonInABrowser(t *testing.T) {
	dir := t.TempDir()
	var runs []string
	for _, lab := range parseAll(t, exampleText(t, "bufferbloat")) {
		runs = append(runs, filepath.Join(dir, lab.Variant()))
		play(t, lab, &netlab.RunOptions{Dir: runs[len(runs)-1]}, nil)
	}
	require.NoError(t, reportpage.WriteRuns(dir, runs, reportpage.Options{}))
	b := openBrowser(t, filepath.Join(dir, report.PageFile), 390, 844, "dark")
	charts := b.drawnBy("[data-chart]")
	for chart, filled := range charts {
		require.Greater(t, filled, 100, chart)
	}
	require.NotEmpty(t, charts)
	require.Len(t, charts, eval[int](b, `netlab.data.charts.length`))
	require.Equal(t, []string{"drop-tail", "codel", "fq-codel"}, eval[[]string](b, `netlab.data.charts[0].series.map(s => s.label)`))
	require.LessOrEqual(t, eval[int](b, `document.documentElement.scrollWidth`), 390)
	b.requireQuiet()
}

// What can be used or is drawn has a name for those who hear the page, and the first thing that Tab finds leads past the navigation.
func TestReportForScreenReaders(t *testing.T) {
	dir := reportOf(t, parse(t, exampleText(t, "retransmission")))
	b := openBrowser(t, filepath.Join(dir, report.PageFile), 1280, 900, "light")
	b.press(kb.Tab)
	require.Equal(t, "skip", eval[string](b, `document.activeElement.className`))
	b.press(kb.Enter)
	require.Equal(t, "main", eval[string](b, `document.activeElement.id`))
	b.drawnBy("[data-chart]")
	b.drawnBy(".stream[open] [data-plot]")
	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	require.NoError(t, err)
	count := map[string]int{}
	for _, n := range tree.Nodes {
		if n.Ignored || n.Role == nil {
			continue
		}
		role := strings.Trim(string(n.Role.Value), `"`)
		switch role {
		case "button", "link", "image", "img", "option", "listbox", "checkbox", "combobox", "searchbox", "radio", "region", "navigation":
			count[role]++
		default:
			continue
		}
		require.NotNil(t, n.Name, role)
		require.NotContains(t, []string{"", `""`}, string(n.Name.Value), "a %s without a name: %v", role, n)
	}
	for _, role := range []string{"button", "link", "image", "option", "listbox", "checkbox", "combobox", "searchbox", "region", "navigation"} {
		require.NotZero(t, count[role], role)
	}
	require.Zero(t, eval[int](b, `[...document.querySelectorAll(".chart-plot")].filter(e => !e.getAttribute("aria-label")).length`))
	b.requireQuiet()
}
