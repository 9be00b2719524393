package port

import "sync"

// memoryQueue is how many frames wait in an in-memory link before more are
// dropped.
const memoryQueue = 1024

// Memory is one end of an in-memory link: what one end writes the other reads.
// It needs no privileges and works in synctest bubbles.
type Memory struct {
	info Info
	peer *Memory

	mu     sync.Mutex
	ready  *sync.Cond
	queue  [][]byte
	handed [][]byte // what the last Read returned; reusable at the next
	free   [][]byte
	closed bool
}

var _ Port = (*Memory)(nil)

// Pipe returns the two ends of an in-memory link.
func Pipe(a, b string) (*Memory, *Memory) {
	x, y := newMemory(a, 0x0a), newMemory(b, 0x0b)
	x.peer, y.peer = y, x
	return x, y
}

func newMemory(name string, side byte) *Memory {
	m := &Memory{info: Info{Name: name, HWAddr: nameMAC(name, side), Curr: Feature10GFull | FeatureCopper}}
	m.ready = sync.NewCond(&m.mu)
	return m
}

// nameMAC makes a locally administered address out of a name, the same every time.
func nameMAC(name string, side byte) [6]byte {
	h := uint32(2166136261)
	for _, c := range []byte(name) {
		h = (h ^ uint32(c)) * 16777619
	}
	return [6]byte{0x02, side, byte(h >> 24), byte(h >> 16), byte(h >> 8), byte(h)}
}

// Read implements Port.
func (m *Memory) Read(batch []Frame) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.free = append(m.free, m.handed...)
	m.handed = m.handed[:0]
	for len(m.queue) == 0 {
		if m.closed {
			return 0, ErrClosed
		}
		m.ready.Wait()
	}
	n := min(len(batch), len(m.queue))
	for i, data := range m.queue[:n] {
		batch[i] = Frame{Data: data}
	}
	m.handed = append(m.handed, m.queue[:n]...)
	m.queue = append(m.queue[:0], m.queue[n:]...)
	return n, nil
}

// Write implements Port: the frames are copied to the other end.
func (m *Memory) Write(batch []Frame) (int, error) {
	m.mu.Lock()
	closed := m.closed
	m.mu.Unlock()
	if closed {
		return 0, ErrClosed
	}
	p := m.peer
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, nil // like a cable nobody holds at the other end
	}
	taken := 0
	for i := range batch {
		full := false
		ok := batch[i].Plain(func(b []byte) {
			if len(p.queue) >= memoryQueue {
				full = true
				return
			}
			var buf []byte
			if n := len(p.free); n > 0 {
				buf, p.free = p.free[n-1], p.free[:n-1]
			}
			p.queue = append(p.queue, append(buf[:0], b...))
		})
		if ok && !full {
			taken++
		}
	}
	p.ready.Signal()
	return taken, nil
}

// Info implements Port.
func (m *Memory) Info() Info { return m.info }

// Close implements Port. The other end stays usable.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.ready.Broadcast()
	return nil
}
