package hypervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/bubble"
)

// Whoever loses the account, the token or the slice while it calls may do nothing
// from then on, and hears of nothing: not even if the name is given to another.
func TestGoneWhileCalling(t *testing.T) {
	t.Parallel()
	admin := Local()
	for name, tc := range map[string]struct {
		account string
		loses   func(t *testing.T, s *Service, token string)
	}{
		"viewer": {"v", func(t *testing.T, s *Service, _ string) { must(t, s.RemoveViewer(t.Context(), admin, "v")) }},
		"viewer made again as a slice": {"v", func(t *testing.T, s *Service, _ string) {
			must(t, s.RemoveViewer(t.Context(), admin, "v"))
			mustSlice(t, s, "v")
		}},
		"slice": {"a", func(t *testing.T, s *Service, _ string) { must(t, s.RemoveSlice(t.Context(), admin, "a", nil)) }},
		"slice made again": {"a", func(t *testing.T, s *Service, _ string) {
			must(t, s.RemoveSlice(t.Context(), admin, "a", nil))
			mustSlice(t, s, "a")
		}},
		"token":                 {"a", func(t *testing.T, s *Service, token string) { must(t, s.DeleteToken(t.Context(), admin, token)) }},
		"viewer's token":        {"v", func(t *testing.T, s *Service, token string) { must(t, s.DeleteToken(t.Context(), admin, token)) }},
		"administrator's token": {AdminName, func(t *testing.T, s *Service, token string) { must(t, s.DeleteToken(t.Context(), admin, token)) }},
		"token that expires":    {AdminName, func(*testing.T, *Service, string) { bubble.Sleep(2 * time.Hour) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, ctx := newService(t), t.Context()
				mustSlice(t, s, "a")
				_, err := s.CreateViewer(ctx, admin, "v", "p")
				must(t, err)
				token, err := s.CreateToken(ctx, admin, apitype.TokenCreate{Account: tc.account, Expires: time.Now().Add(time.Hour)})
				must(t, err)
				p, err := s.LoginToken(token.Secret, "x")
				must(t, err)
				_, sub, hears, err := s.Subscribe(p, 0)
				must(t, err)
				defer sub.Close()
				slice := "a"
				if tc.account == "v" {
					slice = "v"
				}
				event := apitype.Event{Type: EventSliceUpdated, Slice: slice}
				if !hears(event) {
					t.Fatal("it hears nothing")
				}
				tc.loses(t, s, token.ID)
				if hears(event) {
					t.Error("it still hears")
				}
				if name == "token that expires" {
					return // a request that has begun may end
				}
				if _, err := s.UpdateSlice(ctx, p, slice, SlicePatch{Contact: new("x")}, nil); err == nil {
					t.Error("it still changes the slice")
				}
				if _, err := s.Slice(p, slice); err == nil {
					t.Error("it still reads the slice")
				}
				if _, err := s.CreateToken(ctx, p, apitype.TokenCreate{}); err == nil {
					t.Error("it still makes tokens")
				}
			})
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
