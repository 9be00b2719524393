package xmlrpc

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in      string
		want    Call
		wantErr string
	}{
		{in: "<methodCall><methodName>api.ping</methodName></methodCall>", want: Call{Method: "api.ping"}},
		{in: `<?xml version="1.0"?><methodCall><methodName>api.x</methodName><params>
			<param><value><string>a&amp;b</string></value></param><param><value>bare</value></param><param><value><i4>-7</i4></value></param>
			<param><value><boolean>1</boolean></value></param><param><value><array><data><value><int>1</int></value></data></array></value></param>
			<param><value><struct><member><name>k</name><value>v</value></member></struct></value></param></params></methodCall>`,
			want: Call{"api.x", []any{"a&b", "bare", int64(-7), true, []any{int64(1)}, map[string]any{"k": "v"}}}},
		{in: "", wantErr: "not XML: EOF"},
		{in: "<methodCall>", wantErr: "not XML: XML syntax error on line 1: unexpected EOF"},
		{in: "<html></html>", wantErr: `want a methodCall, got "html"`},
		{in: "<methodCall></methodCall>", wantErr: "the methodCall has no methodName"},
		{in: `<!DOCTYPE x [<!ENTITY a "b">]><methodCall/>`, wantErr: "no document type is wanted"},
		{in: "<methodCall><methodName>x</methodName><params><param></param></params></methodCall>", wantErr: "parameter 1: a param without a value"},
		{in: "<methodCall><methodName>x</methodName><params><param><value><nil/></value></param></params></methodCall>", wantErr: `parameter 1: a value of unknown type "nil"`},
		{in: "<methodCall><methodName>x</methodName><params><param><value><boolean>yes</boolean></value></param></params></methodCall>", wantErr: `parameter 1: boolean "yes" is neither 0 nor 1`},
		{in: strings.Repeat("<a>", 1000), wantErr: "nested too deep"},
	} {
		got, err := ParseCall([]byte(c.in))
		if text := errText(err); text != c.wantErr {
			t.Errorf("ParseCall(%.60s): error %q, want %q", c.in, text, c.wantErr)
			continue
		}
		if d := cmp.Diff(c.want, got); err == nil && d != "" {
			t.Errorf("ParseCall(%.60s) (-want +got):\n%s", c.in, d)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	want := map[string]any{"text": "<&>\"'", "n": int64(-1), "yes": true, "no": false, "list": []any{"a", []any{}}, "map": map[string]any{}}
	b, err := AppendResponse(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseResponse(b)
	if d := cmp.Diff(any(want), got); err != nil || d != "" {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	call := Call{"api.x", []any{"a", map[string]any{"k": "v"}}}
	if b, err = AppendCall(nil, call); err != nil {
		t.Fatal(err)
	}
	back, err := ParseCall(b)
	if d := cmp.Diff(call, back); err != nil || d != "" {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	_, err = ParseResponse(AppendFault(nil, &Fault{3, "no <b>"}))
	if f, ok := errors.AsType[*Fault](err); !ok || *f != (Fault{3, "no <b>"}) {
		t.Errorf("fault: %v", err)
	}
	if _, err := AppendResponse(nil, nil); err == nil {
		t.Error("nil was written")
	}
}

// FuzzParseCall: what is read is written and read again the same.
func FuzzParseCall(f *testing.F) {
	f.Add([]byte("<methodCall><methodName>api.ping</methodName><params><param><value><string>x</string></value></param></params></methodCall>"))
	f.Add([]byte("<methodCall><methodName>a</methodName><params><param><value><struct><member><name>k</name><value><array><data><value><int>1</int></value></data></array></value></member></struct></value></param></params></methodCall>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseCall(text)
		if err != nil {
			return
		}
		b, err := AppendCall(nil, c)
		if err != nil {
			return // a double
		}
		if _, err := ParseCall(b); err != nil {
			t.Errorf("%q became %q: %v", text, b, err)
		}
	})
}
