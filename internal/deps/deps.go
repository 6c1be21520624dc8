package deps

import (
	_ "github.com/expr-lang/expr"
	_ "github.com/gaissmai/bart"
	_ "github.com/google/gopacket/layers"
	_ "github.com/google/gopacket/pcapgo"
	_ "github.com/invopop/jsonschema"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/santhosh-tekuri/jsonschema/v6"
	_ "github.com/spf13/cobra"
	_ "github.com/spf13/pflag"
	_ "github.com/stretchr/testify/require"
	_ "github.com/tailscale/hujson"
	_ "go.uber.org/goleak"
	_ "golang.org/x/net/nettest"
	_ "golang.org/x/term"
	_ "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)
