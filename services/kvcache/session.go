package kvcache

import (
	"fmt"
	"strings"

	"netlab/services/resp"
)

// defaultUser is the only one that there is.
const defaultUser = "default"

func (c *session) login(user, password string) resp.Reply {
	want := c.server.config.Password
	if want == "" {
		return fail("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?")
	}
	if user != defaultUser || password != want {
		return fail("WRONGPASS invalid username-password pair or user is disabled.")
	}
	c.known = true
	return ok
}

// auth is AUTH [user] password.
func auth(c *session, _ *store, args [][]byte) resp.Reply {
	user := defaultUser
	if len(args) == 3 {
		user = string(args[1])
	}
	return c.login(user, string(args[len(args)-1]))
}

// hello is HELLO [version [AUTH user password] [SETNAME name]].
func hello(c *session, _ *store, args [][]byte) resp.Reply {
	three, name := c.three, c.name
	if len(args) > 1 {
		n, isNumber := number(args[1])
		if !isNumber {
			return fail("ERR Protocol version is not an integer or out of range")
		}
		if n != 2 && n != 3 {
			return fail("NOPROTO unsupported protocol version")
		}
		three = n == 3
	}
	for i := 2; i < len(args); i++ {
		switch option := strings.ToLower(string(args[i])); {
		case option == "auth" && i+2 < len(args):
			if r := c.login(string(args[i+1]), string(args[i+2])); r.Kind == resp.Failure {
				return r
			}
			i += 2
		case option == "setname" && i+1 < len(args):
			i++
			name = string(args[i])
		default:
			return fail("ERR Syntax error in HELLO option '" + text(args[i], 64) + "'")
		}
	}
	if !c.known {
		return fail("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> " +
			"option can be used to authenticate the client and select the RESP protocol version at the same time")
	}
	c.three, c.name = three, name
	version := int64(2)
	if three {
		version = 3
	}
	t := func(s string) resp.Reply { return bulk([]byte(s)) }
	return resp.Reply{Kind: resp.Map, List: []resp.Reply{
		t("server"), t("netlab"), t("version"), t("7.0.0"), t("proto"), integer(version), t("id"), integer(int64(c.id)),
		t("mode"), t("standalone"), t("role"), t("master"), t("modules"), array(nil),
	}}
}

// client is CLIENT, of which there are ID, GETNAME, SETNAME, SETINFO and INFO.
func client(c *session, _ *store, args [][]byte) resp.Reply {
	switch sub := strings.ToLower(string(args[1])); {
	case sub == "id" && len(args) == 2:
		return integer(int64(c.id))
	case sub == "getname" && len(args) == 2:
		if c.name == "" {
			return none
		}
		return bulk([]byte(c.name))
	case sub == "setname" && len(args) == 3:
		if strings.ContainsFunc(string(args[2]), func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fail("ERR Client names cannot contain spaces, newlines or special characters.")
		}
		c.name = string(args[2])
		return ok
	case sub == "setinfo" && len(args) == 4:
		return ok
	case sub == "info" && len(args) == 2:
		return bulk(fmt.Appendf(nil, "id=%d addr=%s name=%s db=0\n", c.id, c.remote, c.name))
	}
	return fail("ERR unknown subcommand or wrong number of arguments for '" + text(args[1], 128) + "'. Try CLIENT HELP.")
}

// commandInfo is COMMAND, which clients ask for when they start: this server describes no commands.
func commandInfo(_ *session, _ *store, args [][]byte) resp.Reply {
	if len(args) > 1 {
		switch strings.ToLower(string(args[1])) {
		case "count":
			return integer(0)
		case "docs":
			return resp.Reply{Kind: resp.Map}
		}
	}
	return array(nil)
}

func echo(_ *session, _ *store, args [][]byte) resp.Reply { return bulk(args[1]) }

func ping(_ *session, _ *store, args [][]byte) resp.Reply {
	if len(args) == 2 {
		return bulk(args[1])
	}
	return simple("PONG")
}

func quit(c *session, _ *store, _ [][]byte) resp.Reply {
	c.quit = true
	return ok
}

// selectDB is SELECT: there is database 0 only.
func selectDB(_ *session, _ *store, args [][]byte) resp.Reply {
	switch n, isNumber := number(args[1]); {
	case !isNumber:
		return errInteger
	case n != 0:
		return fail("ERR DB index is out of range")
	}
	return ok
}

// info is INFO [section ...], in the words of Redis.
func info(c *session, s *store, args [][]byte) resp.Reply {
	n, config := s.count, &c.server.config
	policy := NoEviction
	if s.policy != nil {
		policy = "allkeys-" + config.eviction()
	}
	var b strings.Builder
	section := func(name, format string, values ...any) {
		wanted := len(args) == 1
		for _, a := range args[1:] {
			switch a := strings.ToLower(string(a)); a {
			case strings.ToLower(name), "all", "default", "everything":
				wanted = true
			}
		}
		if !wanted {
			return
		}
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		fmt.Fprintf(&b, "# "+name+"\n"+format, values...)
	}
	section("Server", "redis_version:7.0.0\nredis_mode:standalone\nserver_name:netlab\nuptime_in_seconds:%d\n", int64(s.now.Seconds()))
	section("Clients", "connected_clients:%d\nmaxclients:%d\n", n.clients, config.maxClients())
	section("Memory", "used_memory:%d\nused_memory_peak:%d\nmaxmemory:%d\nmaxmemory_policy:%s\n", s.used, n.peak, s.limit, policy)
	section("Stats", "total_connections_received:%d\ntotal_commands_processed:%d\nrejected_connections:%d\nexpired_keys:%d\n"+
		"evicted_keys:%d\nkeyspace_hits:%d\nkeyspace_misses:%d\ntotal_error_replies:%d\n",
		n.connections, n.requests, n.rejected, n.expired, n.evictions, n.hits, n.misses, n.errors)
	space := ""
	if s.len() > 0 {
		space = fmt.Sprintf("db0:keys=%d,expires=%d,avg_ttl=0\n", s.len(), len(s.due))
	}
	section("Keyspace", "%s", space)
	return bulk([]byte(strings.ReplaceAll(strings.ReplaceAll(b.String(), "\r\n", "\n"), "\n", "\r\n")))
}
