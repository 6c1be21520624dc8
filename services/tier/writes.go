package tier

// write brings a value to where the strategy wants it before it is acknowledged.
func (s *server) write(key string, e *entry) error {
	if s.config.Strategy == WriteBack {
		if err := s.dirtied(key, e); err != nil {
			return err
		}
		s.cacheSet(key, e)
		return nil
	}
	if err := s.storePut(key, e); err != nil {
		return err
	}
	switch s.config.Strategy {
	case CacheAside:
		s.cacheDo("DEL", key)
	case WriteThrough:
		s.cacheSet(key, e)
	}
	return nil
}
