package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"

	"netlab/report"
	"netlab/report/page"
)

const (
	shotWidth   = 1200
	shotHeight  = 1100
	shotTimeout = time.Minute
)

// screenshot writes a picture of a run's report from a section on, in light colours.
func screenshot(browser, run, section, path string) error {
	if err := page.WriteFolder(run, page.Options{}); err != nil {
		return err
	}
	file, err := filepath.Abs(filepath.Join(run, report.PageFile))
	if err != nil {
		return err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox,
		chromedp.WindowSize(shotWidth, shotHeight), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-device-scale-factor", "1"))
	ctx, cancel := context.WithTimeout(context.Background(), shotTimeout)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(file)}
	err = chromedp.Do(ctx, chromedp.EmulateViewport(shotWidth, shotHeight), chromedp.Navigate(address.String()), chromedp.WaitReady("body"))
	if err != nil {
		return err
	}
	// The section moves while the page makes its pictures, and comes to rest under the bar at the top.
	const settled = `new Promise(done => setTimeout(() => { window.scrollTo(0, document.getElementById(%q).offsetTop - 60); setTimeout(done, 500, true) }, 1000))`
	_, err = chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf(settled, section), chromedp.EvalAwaitPromise))
	if err != nil {
		return err
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	return os.WriteFile(path, png, 0o666)
}
