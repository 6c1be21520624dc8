package services

// Gateway is implemented by configurations of services whose host must be the next router of other hosts on their way to the
// service's clients, because their answers have to come back through it. Where the file's routes say otherwise it is refused.
type Gateway interface {
	// GatewayOf returns the json name of the field that wants it so, the hosts, and what else the file could say. Without hosts there is
	// no such wish. The configuration is expanded.
	GatewayOf() (field string, hosts []string, instead string)
}
