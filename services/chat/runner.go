package chat

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"netlab/services"
	"netlab/services/load"
)

// Chat describes the workload "chat".
var Chat = services.Type{
	Name: "chat", Role: services.Workload,
	Doc: "Users of a chat room on an http-server, some of whom send, over WebSocket, by polling or by long polling. It measures " +
		"how long messages take to reach everybody, and counts what is lost.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		c := *config.(*Config)
		if err := c.ValidateFrom(len(info.Hosts)); err != nil {
			return nil, err
		}
		c.Reconnect = c.Reconnect.withDefaults()
		if c.PollInterval == 0 {
			c.PollInterval = defaultPollInterval
		}
		if c.Wait == 0 {
			c.Wait = defaultWait
		}
		r := &runner{config: c, name: info.Name, hosts: make([]tally, len(info.Hosts))}
		for i := range r.hosts {
			r.hosts[i].init()
		}
		return r, nil
	},
}

type runner struct {
	config Config
	name   string
	hosts  []tally // by index of the host

	timeline load.Timeline
}

// total is how many messages are to be sent.
func (r *runner) total() int { return r.config.Senders * r.config.Messages }

// Run implements services.Runner.
func (r *runner) Run(ctx context.Context, env *services.Env) error {
	start := env.Elapsed()
	c := &r.config
	last := time.Duration(c.Messages-1) * c.Interval.Std()
	ctx, cancel := env.WithTimeout(ctx, c.LeadTime.Std()+last+c.Timeout.Std())
	defer cancel()
	for i := range c.Users {
		// The first users of all hosts come first.
		rank, everybody := i*env.Count+env.Index, c.Users*env.Count
		u := &user{runner: r, env: env, tally: &r.hosts[env.Index], index: i, start: start,
			name:  r.name + "/" + env.Host.Name() + "/" + strconv.Itoa(i),
			heard: map[string]*tracker{}}
		channel, err := u.open(ctx, float64(rank)/float64(everybody))
		if err != nil {
			return fmt.Errorf("chat: %w", err)
		}
		env.Go(func() {
			defer u.tally.count(func(t *Result) { t.BytesReceived += u.bytes })
			channel.watch(ctx)
		})
		if rank < c.Senders {
			env.Go(func() { u.sendAll(ctx, channel) })
		}
	}
	env.Wait()
	return nil
}
