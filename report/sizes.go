package report

import (
	"encoding/json"

	"netlab/units"
)

// Sizes are numbers of bytes in results.json, where [units.Bytes] would read text with a unit.

// UnmarshalJSON reads a count.
func (c *Count) UnmarshalJSON(data []byte) error {
	type plain Count
	v := struct {
		*plain
		Bytes int64 `json:"bytes"`
	}{plain: (*plain)(c)}
	err := json.Unmarshal(data, &v)
	c.Bytes = units.Bytes(v.Bytes)
	return err
}

// UnmarshalJSON reads a queue.
func (q *Queue) UnmarshalJSON(data []byte) error {
	type plain Queue
	v := struct {
		*plain
		MaxBytes int64 `json:"max_bytes"`
	}{plain: (*plain)(q)}
	err := json.Unmarshal(data, &v)
	q.MaxBytes = units.Bytes(v.MaxBytes)
	return err
}

// UnmarshalJSON reads a part of the run.
func (b *QueueBucket) UnmarshalJSON(data []byte) error {
	type plain QueueBucket
	v := struct {
		*plain
		MaxBytes int64 `json:"max_bytes"`
	}{plain: (*plain)(b)}
	err := json.Unmarshal(data, &v)
	b.MaxBytes = units.Bytes(v.MaxBytes)
	return err
}
