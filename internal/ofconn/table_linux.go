package ofconn

// table finds the connections of a loop by their file descriptors, which are small
// numbers.
type table struct {
	at []*Conn
	n  int
}

// get returns nil for a number that is not in the table.
func (t *table) get(fd int32) *Conn {
	if uint(fd) < uint(len(t.at)) {
		return t.at[fd]
	}
	return nil
}

func (t *table) put(fd int32, c *Conn) {
	for len(t.at) <= int(fd) {
		t.at = append(t.at, nil)
	}
	if t.at[fd] == nil {
		t.n++
	}
	t.at[fd] = c
}

func (t *table) drop(fd int32) {
	t.at[fd] = nil
	t.n--
}
