package hypervisor

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
)

// TestSliceAccountsStayOffLocalSockets: a slice's account cannot have govisor
// connect to sockets of its machine, or run programs linked into it, unless the
// administrator allowed that.
func TestSliceAccountsStayOffLocalSockets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, allow, url string
		ok               bool
	}{
		{"tcp", "", "tcp:10.0.0.1:6633", true},
		{"tcp to the loop-back", "", "tcp:127.0.0.1:6633", true},
		{"ssl", "", "ssl:h", true},
		{"a socket", "", "unix:/run/docker.sock", false},
		{"a socket, read-only", "", "ro+unix:/run/docker.sock,tcp:h", false},
		{"a socket, second", "", "tcp:h,unix:/run/docker.sock", false},
		{"an abstract socket", "", "unix:@/tmp/.X11-unix/X0", false},
		{"a module", "", "module:learning", false},
		{"a file that a module reads", "", "module:static?file=/etc/shadow", false},
		{"another socket than the one allowed", "unix:/run/ctl/s.sock", "unix:/run/ctl/s.sock2", false},
		{"the socket that is allowed", "unix:/run/x, unix:/run/ctl/s.sock", "unix:/run/ctl/s.sock", true},
		{"the same, read-only", "unix:/run/ctl/s.sock", "ro+unix:/run/ctl/s.sock,tcp:h", true},
		{"below an allowed directory", "unix:/run/ctl/*", "unix:/run/ctl/a/s.sock", true},
		{"out of an allowed directory", "unix:/run/ctl/*", "unix:/run/ctl/../docker.sock", false},
		{"a dot", "unix:/run/ctl/*", "unix:/run/ctl/./s.sock", false},
		{"any socket", "unix:*", "unix:s.sock", true},
		{"a module that is allowed", "module:learning", "module:learning", true},
		{"not with parameters", "module:static", "module:static?file=/etc/shadow", false},
		{"with any parameters", "module:learning*", "module:learning?idle=10", true},
		{"a module does not allow sockets", "module:*", "unix:/x", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := delegated(t)
			if _, err := s.UpdateSettings(t.Context(), Local(), SettingsPatch{ControllerAllow: &tc.allow}); err != nil {
				t.Fatal(err)
			}
			patch := SlicePatch{Controllers: []string{tc.url}}
			before := s.Revision()
			_, changed := s.UpdateSlice(t.Context(), account("parent"), "parent", patch, nil)
			_, child := s.UpdateSlice(t.Context(), account("parent"), "child", patch, nil)
			_, made := s.CreateSlice(t.Context(), account("parent"), SliceSpec{Name: "new", SlicePatch: patch})
			for what, err := range map[string]error{"its own": changed, "its sub-slice's": child, "a new slice's": made} {
				if tc.ok != (err == nil) || err != nil && KindOf(err) != apitype.KindDenied {
					t.Errorf("%s: %v", what, err)
				}
				if e, is := errors.AsType[*Error](err); is && (e.Field != "controllers" || e.Hint == "") {
					t.Errorf("%s: field %q, hint %q", what, e.Field, e.Hint)
				}
			}
			if !tc.ok && s.Revision() != before {
				t.Error("refused, but something changed")
			}
			if _, err := s.UpdateSlice(t.Context(), Local(), "parent", patch, nil); err != nil {
				t.Errorf("the administrator: %v", err)
			}
		})
	}
}

// TestControllerOfTheAdministratorStays: what the administrator gave a slice it keeps,
// also when it changes something else, or adds a controller beside it.
func TestControllerOfTheAdministratorStays(t *testing.T) {
	t.Parallel()
	s := newService(t)
	mustSlice(t, s, "a")
	if _, err := s.UpdateSlice(t.Context(), Local(), "a", SlicePatch{Controllers: []string{"unix:/run/a"}}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateSlice(t.Context(), account("a"), "a", SlicePatch{Contact: new("x")}, nil); err != nil {
		t.Error(err)
	}
	got, err := s.UpdateSlice(t.Context(), account("a"), "a", SlicePatch{Controllers: []string{"tcp:h", "unix:/run/a"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("tcp:h:6633,unix:/run/a", controllersText(got.Controllers)); diff != "" {
		t.Error(diff)
	}
	if _, err := s.UpdateSlice(t.Context(), account("a"), "a", SlicePatch{Controllers: []string{"tcp:h", "unix:/run/b"}}, nil); KindOf(err) != apitype.KindDenied {
		t.Error(err)
	}
}

// TestModulesAreNotTriedForSliceAccounts: what is wrong inside a file that a module
// would read is told to nobody who may not have the module.
func TestModulesAreNotTriedForSliceAccounts(t *testing.T) {
	t.Parallel()
	s := newService(t)
	mustSlice(t, s, "a")
	s.opts.CheckModule = func(name string) error { return errors.New("secret in " + name) }
	_, err := s.UpdateSlice(t.Context(), account("a"), "a", SlicePatch{Controllers: []string{"module:static?file=/etc/shadow"}}, nil)
	if KindOf(err) != apitype.KindDenied {
		t.Errorf("refused with: %v", err)
	}
}

func TestControllerAllowIsChecked(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for list, ok := range map[string]bool{"": true, " unix:/a , module:b* ": true, "unix:": false, "tcp:h": false, "unix:/a*b": false, "x": false, "unix:/a,,": true, "unix:/a\x00": false, "ro+unix:/a": false} {
		_, err := s.UpdateSettings(t.Context(), Local(), SettingsPatch{ControllerAllow: &list})
		if (err == nil) != ok {
			t.Errorf("%q: %v", list, err)
		}
		if e, is := errors.AsType[*Error](err); is && e.Field != "controller_allow" {
			t.Errorf("%q: field %q", list, e.Field)
		}
	}
	hers, err := s.ReadSettings(account("a"))
	if err == nil && hers.ControllerAllow != "" {
		t.Error("a slice's account sees what others may use")
	}
}
