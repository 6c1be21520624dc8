package kvcache

import (
	"strconv"

	"netlab/services/resp"
)

// command is what a client may ask for.
type command struct {
	least, most int  // strings of the request, the name included; most is 0 for any number
	open        bool // to those who have not said the password as well
	do          func(c *session, s *store, args [][]byte) resp.Reply
}

// commands are all commands, by name.
var commands = map[string]command{
	"auth":    {2, 3, true, auth},
	"client":  {2, 0, false, client},
	"command": {1, 0, false, commandInfo},
	"echo":    {2, 2, false, echo},
	"hello":   {1, 0, true, hello},
	"info":    {1, 0, false, info},
	"ping":    {1, 2, false, ping},
	"quit":    {1, 0, true, quit},
	"select":  {2, 2, false, selectDB},

	"append": {3, 3, false, appendTo},
	"decr":   {2, 2, false, decr},
	"decrby": {3, 3, false, decrBy},
	"get":    {2, 2, false, get},
	"getdel": {2, 2, false, getDel},
	"getex":  {2, 0, false, getEx},
	"getset": {3, 3, false, getSet},
	"incr":   {2, 2, false, incr},
	"incrby": {3, 3, false, incrBy},
	"mget":   {2, 0, false, mget},
	"mset":   {3, 0, false, mset},
	"psetex": {4, 4, false, psetEx},
	"set":    {3, 0, false, set},
	"setex":  {4, 4, false, setEx},
	"setnx":  {3, 3, false, setNX},
	"strlen": {2, 2, false, strlen},

	"dbsize":   {1, 1, false, dbsize},
	"del":      {2, 0, false, del},
	"exists":   {2, 0, false, exists},
	"expire":   {3, 0, false, expire},
	"flushall": {1, 2, false, flush},
	"flushdb":  {1, 2, false, flush},
	"keys":     {2, 2, false, keys},
	"persist":  {2, 2, false, persist},
	"pexpire":  {3, 0, false, pexpire},
	"pttl":     {2, 2, false, pttl},
	"scan":     {2, 0, false, scan},
	"ttl":      {2, 2, false, ttl},
	"type":     {2, 2, false, typeOf},
	"unlink":   {2, 0, false, del},
}

// Replies that many commands give.
var (
	ok   = resp.Reply{Kind: resp.Simple, Text: []byte("OK")}
	none = resp.Reply{Kind: resp.Null}

	errSyntax  = fail("ERR syntax error")
	errInteger = fail("ERR value is not an integer or out of range")
	errMemory  = fail("OOM command not allowed when used memory > 'maxmemory'.")
)

func fail(text string) resp.Reply        { return resp.Reply{Kind: resp.Failure, Text: []byte(text)} }
func simple(text string) resp.Reply      { return resp.Reply{Kind: resp.Simple, Text: []byte(text)} }
func bulk(b []byte) resp.Reply           { return resp.Reply{Kind: resp.Bulk, Text: b} }
func integer(n int64) resp.Reply         { return resp.Reply{Kind: resp.Integer, Integer: n} }
func array(list []resp.Reply) resp.Reply { return resp.Reply{Kind: resp.Array, List: list} }

// flag is 1 or 0.
func flag(b bool) resp.Reply {
	if b {
		return integer(1)
	}
	return integer(0)
}

// number reads an integer as Redis does: no plus sign, no leading zeros.
func number(b []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == string(b)
}

// valueOf is an entry's value, or nothing.
func valueOf(e *entry) resp.Reply {
	if e == nil {
		return none
	}
	return bulk(e.value)
}
