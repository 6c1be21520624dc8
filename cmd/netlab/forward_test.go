package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A lab without a duration serves programs outside until it is interrupted.
func TestForward(t *testing.T) {
	t.Parallel()
	cmd := command(t, "run", "--realtime", "--forward", "0=web:80", "-o", "out", "-")
	cmd.Stdin = strings.NewReader(`{
		"nodes": {"client": {}, "web": {"services": {"http": {"type": "http-server"}}}},
		"links": [{"between": "client - web", "latency": "1ms"}]
	}`)
	var stdout strings.Builder
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(stderr)
	line := func() string {
		text, err := lines.ReadString('\n')
		require.NoError(t, err)
		return text
	}
	require.Equal(t, "netlab: out/ca.pem is the lab's certificate authority\n", line())
	told := regexp.MustCompile(`^netlab: forwarding (127\.0\.0\.1:\d+) → web:80 from client\n$`).FindStringSubmatch(line())
	require.NotNil(t, told)

	client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
	response, err := client.Get("http://" + told[1] + "/bytes/12345")
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.EqualValues(t, 12345, n)

	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	_, err = io.ReadAll(lines)
	require.NoError(t, err)
	_ = cmd.Wait()
	require.Equal(t, exitInconclusive, cmd.ProcessState.ExitCode())
	require.Contains(t, stdout.String(), "interrupted: what follows is how far it came")
	dir := filepath.Join(cmd.Dir, "out")
	require.Equal(t, "interrupted", endedOf(t, dir))
	require.Greater(t, packets(t, filepath.Join(dir, "captures", "client.pcapng")), 10)
	require.FileExists(t, filepath.Join(dir, "ca.pem"))
}
