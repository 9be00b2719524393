package api

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/govisor/govisor/api/apitype"
)

// heartbeat keeps proxies from closing an event stream on which nothing happens.
const heartbeat = 15 * time.Second

func (s *Server) eventRoutes() []route {
	return []route{{method: http.MethodGet, path: "/events", summary: "what happens, as server-sent events", media: "text/event-stream", raw: s.getEvents,
		query: []param{{"after", "integer", "begin after the event with this id, if it is still known"}}}}
}

func (s *Server) getEvents(w http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get("after")
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		text = id
	}
	var after uint64
	if text != "" {
		var err error
		if after, err = strconv.ParseUint(text, 10, 64); err != nil {
			s.fail(w, r, bad("after", text, fmt.Sprintf("%q is not the id of an event", text), ""))
			return
		}
		if after == 0 {
			after = math.MaxUint64 // all that are kept
		}
	}
	past, sub, filter, err := s.svc.Subscribe(principal(r), after)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer sub.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	send := func(text string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(writeTimeout)) // not on recorders
		_, err := w.Write([]byte(text))
		return err == nil && out.Flush() == nil
	}
	if !send(": govisor\n\n") {
		return
	}
	for _, e := range past {
		if !send(frame(e)) {
			return
		}
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		text := ": still here\n\n"
		select {
		case <-r.Context().Done():
			return
		case <-s.draining:
			return
		case <-beat.C:
		case e, ok := <-sub.C:
			if !ok { // too slow
				return
			}
			if !filter(e) {
				continue
			}
			text = frame(e)
		}
		if !send(text) {
			return
		}
	}
}

func frame(e apitype.Event) string {
	data, err := json.Marshal(e)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Type, data)
}
