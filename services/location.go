package services

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"netlab/units"
)

// Location is a place on Earth. A node of the file may have one; only services look at it (a balancer or a name server that sends
// clients to the nearest place), and no packet is faster or slower for it: the latency of a link is what the link says.
//
// In the file it is the name of a [Region] or degrees, "latitude,longitude", north and east positive: "52.5,13.4" is Berlin. The
// zero value is a place, too, in the Gulf of Guinea: whoever may have none says so beside it.
type Location struct {
	// Latitude is in degrees from -90, the South Pole, to 90; Longitude from -180 to 180.
	Latitude, Longitude float64
	// Region is the name of the region that the file gave, if it gave one.
	Region string
}

// earthRadius is the mean radius in kilometres of the IUGG (Moritz, "Geodetic Reference System 1980", Journal of Geodesy 74, 2000).
const earthRadius = 6371.0088

// Distance returns the length of the great circle between two places on a sphere of the Earth's mean radius, in kilometres, by the
// haversine formula (Sinnott, "Virtues of the Haversine", Sky & Telescope 68, 1984), which is exact for near places as well. The
// Earth isn't quite a sphere: real distances differ by up to 0.5 %.
func (l Location) Distance(other Location) float64 {
	const degree = math.Pi / 180
	latitude, longitude := (other.Latitude-l.Latitude)*degree, (other.Longitude-l.Longitude)*degree
	a, b := math.Sin(latitude/2), math.Sin(longitude/2)
	h := a*a + math.Cos(l.Latitude*degree)*math.Cos(other.Latitude*degree)*b*b
	return 2 * earthRadius * math.Asin(math.Sqrt(min(1, h)))
}

// Same says whether two locations are the same place, whatever they are called.
func (l Location) Same(other Location) bool {
	return l.Latitude == other.Latitude && l.Longitude == other.Longitude
}

// String returns the region's name or the degrees, as the file has them.
func (l Location) String() string {
	if l.Region != "" {
		return l.Region
	}
	return number(l.Latitude) + "," + number(l.Longitude)
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// ParseLocation reads the name of a region or "latitude,longitude" in degrees.
func ParseLocation(text string) (Location, error) {
	first, second, pair := strings.Cut(text, ",")
	if !pair {
		if r, ok := findRegion(text); ok {
			return Location{r.Latitude, r.Longitude, r.Name}, nil
		}
		return Location{}, unknownRegion(text)
	}
	latitude, err := degrees(text, "latitude", first, 90)
	if err != nil {
		return Location{}, err
	}
	longitude, err := degrees(text, "longitude", second, 180)
	return Location{Latitude: latitude, Longitude: longitude}, err
}

func degrees(text, name, part string, most float64) (float64, error) {
	x, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
	if err != nil || math.IsNaN(x) || strings.ContainsAny(part, "xXpP_") {
		return 0, notLocation(text)
	}
	if x < -most || x > most {
		return 0, fmt.Errorf("%q is not a location: the %s is %s, wanted -%s to %s degrees%s", text, name, number(x), number(most), number(most), swapped(name))
	}
	return x + 0, nil // -0 becomes 0
}

func notLocation(text string) error {
	return fmt.Errorf("%q is not a location: want a region such as \"eu-west\", or \"latitude,longitude\" in degrees such as \"52.5,13.4\"", text)
}

func swapped(name string) string {
	if name == "latitude" {
		return " (the latitude comes first)"
	}
	return ""
}

func unknownRegion(text string) error {
	names := make([]string, len(regions))
	for i, r := range regions {
		names[i] = r.Name
	}
	if s := units.Suggest(text, names); s != "" {
		return fmt.Errorf("%q is not a region; did you mean %q?", text, s)
	}
	return notLocation(text)
}

// MarshalText writes the location as the file has it.
func (l Location) MarshalText() ([]byte, error) {
	return []byte(l.String()), nil
}

// UnmarshalText reads what [ParseLocation] does.
func (l *Location) UnmarshalText(text []byte) error {
	parsed, err := ParseLocation(string(text))
	if err == nil {
		*l = parsed
	}
	return err
}

// JSONSchema describes the two ways to write it.
func (Location) JSONSchema() *jsonschema.Schema {
	names := make([]any, len(regions))
	for i, r := range regions {
		names[i] = r.Name
	}
	return &jsonschema.Schema{Type: "string", Description: "A place on Earth: a region, or latitude and longitude in degrees, north and east positive.",
		Examples: []any{"eu-west", "52.5,13.4"}, AnyOf: []*jsonschema.Schema{
			{Enum: names}, {Pattern: `^\s*[-+]?[0-9.eE+-]+\s*,\s*[-+]?[0-9.eE+-]+\s*$`}}}
}

// Region is a place that the file may call by name.
type Region struct {
	Name string
	// City is where it is; cloud providers have data centres in or near all of them.
	City string
	// Latitude and Longitude are those of the city, in degrees to two places.
	Latitude, Longitude float64
}

// Regions returns the regions that netlab knows, by name.
func Regions() []Region { return slices.Clone(regions[:]) }

func findRegion(name string) (Region, bool) {
	i, ok := slices.BinarySearchFunc(regions[:], name, func(r Region, name string) int { return strings.Compare(r.Name, name) })
	if !ok {
		return Region{}, false
	}
	return regions[i], true
}

// regions are named after a part of the world and a direction in it, as cloud providers do.
var regions = [...]Region{
	{"af-north", "Cairo", 30.04, 31.24},
	{"af-south", "Cape Town", -33.92, 18.42},
	{"af-west", "Lagos", 6.52, 3.38},
	{"ap-east", "Hong Kong", 22.32, 114.17},
	{"ap-northeast", "Tokyo", 35.68, 139.69},
	{"ap-northeast-2", "Seoul", 37.57, 126.98},
	{"ap-south", "Mumbai", 19.08, 72.88},
	{"ap-southeast", "Singapore", 1.35, 103.82},
	{"ap-southeast-2", "Sydney", -33.87, 151.21},
	{"ap-southeast-3", "Jakarta", -6.21, 106.85},
	{"ca-central", "Montreal", 45.5, -73.57},
	{"ca-west", "Calgary", 51.05, -114.07},
	{"eu-central", "Frankfurt", 50.11, 8.68},
	{"eu-east", "Warsaw", 52.23, 21.01},
	{"eu-north", "Stockholm", 59.33, 18.07},
	{"eu-south", "Milan", 45.46, 9.19},
	{"eu-southwest", "Madrid", 40.42, -3.7},
	{"eu-west", "Dublin", 53.35, -6.26},
	{"eu-west-2", "London", 51.51, -0.13},
	{"eu-west-3", "Paris", 48.86, 2.35},
	{"me-central", "Dubai", 25.2, 55.27},
	{"me-west", "Tel Aviv", 32.09, 34.78},
	{"sa-east", "Sao Paulo", -23.55, -46.63},
	{"sa-west", "Santiago", -33.45, -70.67},
	{"us-central", "Dallas", 32.78, -96.8},
	{"us-east", "Ashburn", 39.04, -77.49},
	{"us-east-2", "Columbus", 39.96, -83},
	{"us-west", "San Francisco", 37.77, -122.42},
	{"us-west-2", "Portland", 45.52, -122.68},
}

// Location returns where a node is; ok is false if the file doesn't say.
func (e *Env) Location(node string) (l Location, ok bool) {
	l, ok = e.Locations[node]
	return l, ok
}

// LocationOf returns where the node with an address is, as databases tell those who sell things or balance load; ok is false if the
// file doesn't say. Behind address translation that is where the router is.
func (e *Env) LocationOf(address netip.Addr) (l Location, ok bool) {
	return e.Location(e.Host.Names().Name(address.Unmap()))
}
