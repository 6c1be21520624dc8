package captures

// DNS says what a DNS message asks or answers, such as "DNS answer A www.lab: 10.0.0.1"; "" if it is none.
func (d *Describer) DNS(message []byte) string { return shorten(d.dns(message, true)) }
