package analysis

import "netlab/captures"

// applications is what the analyzer keeps of applications beyond single connections. The analyzer calls start before anything
// else and keyLog for each block of secrets in the capture as it comes. Before each frame it empties Frame.Messages and
// Frame.Protocols.
type applications struct {
	analyzer *Analyzer
	analysis *Analysis
	describe captures.Describer
	secrets  secrets
	dns      dnsExchanges
	// free are buffers for records that came in part, plain those for what is decrypted, by depth of nesting.
	free  [][]byte
	plain [maxDepth][]byte
}

// start prepares for the capture of an analyzer.
func (p *applications) start(a *Analyzer) {
	*p = applications{analyzer: a, analysis: a.analysis, describe: captures.Describer{Name: a.name}}
	analysis := a.analysis
	analysis.DNS.Codes = map[string]int{}
	analysis.HTTP.Frames2 = map[string]int{}
	analysis.HTTP.Codes = map[string]int{}
	analysis.WebSocket.FromClient = map[string]int{}
	analysis.WebSocket.FromServer = map[string]int{}
	analysis.TLS.Records = map[string]int{}
	analysis.TLS.Messages = map[string]int{}
	analysis.TLS.Alerts = map[string]int{}
	p.keyLog(a.options.KeyLog)
}

// keyLog takes secrets in the format of NSS key logs.
func (p *applications) keyLog(b []byte) { p.secrets.add(b) }

// newApplication returns what reads the payload of s.
func newApplication(a *Analyzer, s *TCPStream) application {
	c := &channel{apps: &a.apps, stream: s}
	if s.Ends[Client].Port == domain || s.Ends[Server].Port == domain {
		c.inner = &dnsStream{apps: &a.apps, stream: s}
	}
	return c
}

// says adds a message that became complete to the frame. Without anybody who looks at frames there is no text to make.
func (p *applications) says(f *Frame, protocol string, first, bytes int, text func() string) {
	f.carries(protocol)
	if p.analyzer.options.Frame != nil {
		f.Messages = append(f.Messages, Message{Protocol: protocol, Text: text(), FirstFrame: first, Bytes: bytes})
	}
}

// carries notes that a message of a protocol became complete with the frame.
func (f *Frame) carries(protocol string) {
	for _, known := range f.Protocols {
		if known == protocol {
			return
		}
	}
	f.Protocols = append(f.Protocols, protocol)
}

// note adds what deserves attention at a frame; f may be nil at the end of a capture, where nothing does.
func (p *applications) note(f *Frame, severity, kind, text string) {
	if f == nil {
		return
	}
	p.analysis.NoteCounts[kind]++
	if !p.analyzer.room(len(p.analysis.Notes)) {
		return
	}
	n := Note{Frame: f.Number, At: f.At, Severity: severity, Kind: kind, Stream: -1, Text: text}
	if f.Stream != nil {
		n.Stream = f.Stream.Index
	}
	p.analysis.Notes = append(p.analysis.Notes, n)
}
