package analysis

// idSet is a set of packet IDs, which are mostly dense.
type idSet map[uint64]*[64]uint64

// add puts an ID in and says whether it is new.
func (s idSet) add(id uint64) bool {
	page := s[id>>12]
	if page == nil {
		page = new([64]uint64)
		s[id>>12] = page
	}
	word, bit := &page[id>>6&63], uint64(1)<<(id&63)
	isNew := *word&bit == 0
	*word |= bit
	return isNew
}
