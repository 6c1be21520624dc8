package chat

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/invopop/jsonschema"

	"netlab/services"
	"netlab/units"
)

// Reconnect says how users try again: after a time that doubles with every failure in a row (exponential back-off), less a random part
// of it (jitter), so that those whose connections broke together don't come back together.
//
// The zero value is the default: users do.
type Reconnect struct {
	Off    bool               `json:"-"`
	First  units.Duration     `json:"first,omitempty" jsonschema_description:"Time before the first attempt. Default 1s."`
	Max    units.Duration     `json:"max,omitempty" jsonschema_description:"Longest time before an attempt. Default 30s, or first if that is more."`
	Jitter *units.Probability `json:"jitter,omitempty" jsonschema_description:"How much of the time is random, from 0% (nothing) to 100% (all of it). Default 50%."`
}

// The defaults of a back-off.
const (
	defaultFirst  = units.Duration(time.Second)
	defaultMax    = units.Duration(30 * time.Second)
	defaultJitter = units.Probability(0.5)
)

var _ services.Toggle = (*Reconnect)(nil)

// SetBool implements services.Toggle.
func (r *Reconnect) SetBool(on bool) { r.Off = !on }

// JSONSchemaExtend describes the two ways to write it.
func (Reconnect) JSONSchemaExtend(schema *jsonschema.Schema) { services.ToggleSchema(schema) }

// MarshalJSON writes true or false where there is nothing more to say.
func (r Reconnect) MarshalJSON() ([]byte, error) {
	if r.Off {
		return []byte("false"), nil
	}
	if r == (Reconnect{}) {
		return []byte("true"), nil
	}
	type object Reconnect
	return json.Marshal(object(r))
}

func (r *Reconnect) validate(prefix string) error {
	var list []error
	if r.First < 0 {
		list = append(list, services.Fieldf(prefix+"first", "found %s, wanted more than 0s", r.First))
	}
	if full := r.withDefaults(); r.Max < 0 || r.Max != 0 && r.Max < full.First {
		list = append(list, services.Fieldf(prefix+"max", "found %s, wanted at least first, %s", r.Max, full.First))
	}
	if r.Jitter != nil && (*r.Jitter < 0 || *r.Jitter > 1) {
		list = append(list, services.Fieldf(prefix+"jitter", "found %s, wanted 0%% to 100%%", *r.Jitter))
	}
	return errors.Join(list...)
}

// withDefaults returns the back-off with all defaults filled in.
func (r Reconnect) withDefaults() Reconnect {
	if r.First == 0 {
		r.First = defaultFirst
	}
	if r.Max == 0 {
		r.Max = max(defaultMax, r.First)
	}
	if r.Jitter == nil {
		jitter := defaultJitter
		r.Jitter = &jitter
	}
	return r
}

// delay returns the time before another attempt after so many failures in a row, from 1. All defaults are filled in.
func (r *Reconnect) delay(failures int, random *rand.Rand) time.Duration {
	d := r.First.Std()
	for ; failures > 1 && d < r.Max.Std(); failures-- {
		d = min(2*d, r.Max.Std())
	}
	return d - time.Duration(float64(*r.Jitter)*random.Float64()*float64(d))
}
