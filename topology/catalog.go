package topology

import "netlab/services"

// Catalog knows the types of services and workloads. The real one is in package netlab/services/catalog.
type Catalog interface {
	// Lookup returns the type of that name in that role.
	Lookup(role services.Role, name string) (services.Type, bool)
	// Types returns all types, always in the same order.
	Types() []services.Type
}

// typeNames returns the names of all types in a role, in the catalog's order.
func typeNames(catalog Catalog, role services.Role) []string {
	var names []string
	for _, t := range catalog.Types() {
		if t.Role == role {
			names = append(names, t.Name)
		}
	}
	return names
}
