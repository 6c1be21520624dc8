package load

import (
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services"
	"netlab/units"
)

func TestValidate(t *testing.T) {
	for _, c := range []Config{
		{Users: 1}, {Users: 10, ThinkTime: units.Constant(ms), RampUp: seconds(1)}, {Rate: 5, Arrivals: Constant},
		{TotalRate: 5, MaxInFlight: 1, WarmUp: seconds(1)}, {Schedule: []Step{{For: seconds(1), Rate: 1}}, Requests: 5},
	} {
		require.NoError(t, c.Validate())
	}
	for _, c := range []struct {
		config         Config
		field, problem string
	}{
		{Config{}, "users", "missing: wanted one of users (closed loop), rate, total_rate and schedule (open loop)"},
		{Config{Users: 1, Rate: 1}, "rate", "found users and rate, wanted one of users (closed loop), rate, total_rate and schedule (open loop)"},
		{Config{Rate: 1, TotalRate: 2, Users: 5}, "rate", "found users and rate and total_rate, wanted one of users (closed loop), rate, total_rate and schedule (open loop)"},
		{Config{Users: -1}, "users", "found -1, wanted 1 to 1048576"},
		{Config{Rate: 1, ThinkTime: units.Constant(ms)}, "think_time", "means nothing with rate: it belongs to users"},
		{Config{Rate: 1, RampUp: 1}, "ramp_up", "means nothing with rate: it belongs to users"},
		{Config{Users: 1, Arrivals: Poisson}, "arrivals", "means nothing with users: it belongs to a rate or a schedule"},
		{Config{Users: 1, MaxInFlight: 1}, "max_in_flight", "means nothing with users: it belongs to a rate or a schedule"},
		{Config{Rate: 1, Arrivals: "even"}, "arrivals", `"even" is not one of poisson, constant`},
		{Config{Rate: 1, Requests: -1}, "requests", "found -1, wanted 0 or more"},
		{Config{Rate: 1, Duration: -1}, "duration", "found -1ns, wanted 0s or more"},
		{Config{Rate: 1, Duration: seconds(5), WarmUp: seconds(5)}, "warm_up", "found 5s, wanted less than 5s, after which no request is begun"},
		{Config{Users: 1, Duration: seconds(5), RampUp: seconds(6)}, "ramp_up", "found 6s, wanted no more than the duration of 5s: some users would never start"},
		{Config{Schedule: []Step{{For: seconds(1), Rate: 1}}, Duration: seconds(1)}, "duration", "means nothing with a schedule, whose steps say how long they last"},
		{Config{Schedule: []Step{{For: seconds(1)}}}, "schedule", `no step has a rate: want one such as {"for": "10s", "rate": "50/s"}`},
		{Config{Schedule: []Step{{Rate: 1}}}, "schedule", "step 1: for is 0s, wanted more than 0s"},
		{Config{Schedule: []Step{{For: 1<<63 - 1, Rate: 1}, {For: 1}}}, "schedule", "step 2: the steps are longer than the longest duration together"},
	} {
		var wrong *services.FieldError
		require.ErrorAs(t, c.config.Validate(), &wrong)
		require.Equal(t, c.field, wrong.Field)
		require.Equal(t, c.problem, wrong.Problem)
	}
}

func TestEndless(t *testing.T) {
	require.True(t, (&Config{Users: 1}).Endless())
	require.False(t, (&Config{Users: 1, Requests: 1}).Endless())
	require.False(t, (&Config{Rate: 1, Duration: 1}).Endless())
	require.False(t, (&Config{Schedule: []Step{{For: 1, Rate: 1}}}).Endless())
}

// A distribution whose file has not been read yet can be checked.
func TestValidateAFileWithoutData(t *testing.T) {
	think, err := units.ParseDistribution(`file("think.txt")`)
	require.NoError(t, err)
	require.NoError(t, (&Config{Users: 1, ThinkTime: think}).Validate())
	require.Error(t, (&Config{Rate: 1, ThinkTime: think}).Validate())
}
