// Package xmlrpc reads and writes XML-RPC, without extensions: enough for the clients of older FlowVisors.
//
// Values are string, int64, bool, float64, []any and map[string]any.
package xmlrpc

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxDepth bounds how deep values may be nested.
const maxDepth = 32

// Call is one request.
type Call struct {
	Method string
	Params []any
}

// node is an element with what is in it.
type node struct {
	XMLName  xml.Name
	Text     string `xml:",chardata"`
	Children []node `xml:",any"`
}

func (n *node) child(name string) *node {
	for i := range n.Children {
		if n.Children[i].XMLName.Local == name {
			return &n.Children[i]
		}
	}
	return nil
}

// parse reads one document. Depth is checked first: the decoder recurses.
func parse(text []byte, root string) (*node, error) {
	dec := xml.NewDecoder(bytes.NewReader(text))
	depth := 0
	for {
		t, err := dec.RawToken()
		if err != nil {
			break // the decoder below says what it is
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.Directive:
			return nil, errors.New("no document type is wanted")
		}
		if depth > 4*maxDepth {
			return nil, errors.New("nested too deep")
		}
	}
	var n node
	if err := xml.Unmarshal(text, &n); err != nil {
		return nil, fmt.Errorf("not XML: %w", err)
	}
	if n.XMLName.Local != root {
		return nil, fmt.Errorf("want a %s, got %q", root, n.XMLName.Local)
	}
	return &n, nil
}

// ParseCall reads a methodCall.
func ParseCall(text []byte) (Call, error) {
	n, err := parse(text, "methodCall")
	if err != nil {
		return Call{}, err
	}
	name := n.child("methodName")
	if name == nil || strings.TrimSpace(name.Text) == "" {
		return Call{}, errors.New("the methodCall has no methodName")
	}
	c := Call{Method: strings.TrimSpace(name.Text)}
	params := n.child("params")
	if params == nil {
		return c, nil
	}
	for i := range params.Children {
		v, err := params.Children[i].value(0)
		if err != nil {
			return Call{}, fmt.Errorf("parameter %d: %w", i+1, err)
		}
		c.Params = append(c.Params, v)
	}
	return c, nil
}

// ParseResponse reads a methodResponse; a fault is returned as a *Fault.
func ParseResponse(text []byte) (any, error) {
	n, err := parse(text, "methodResponse")
	if err != nil {
		return nil, err
	}
	if f := n.child("fault"); f != nil {
		v, err := f.value(0)
		if err != nil {
			return nil, err
		}
		m, _ := v.(map[string]any)
		code, _ := m["faultCode"].(int64)
		msg, _ := m["faultString"].(string)
		return nil, &Fault{int(code), msg}
	}
	params := n.child("params")
	if params == nil || len(params.Children) != 1 {
		return nil, errors.New("a methodResponse has one parameter")
	}
	return params.Children[0].value(0)
}

// Fault is an error answer.
type Fault struct {
	Code    int
	Message string
}

func (f *Fault) Error() string { return f.Message }

// value reads the value element in n.
func (n *node) value(depth int) (any, error) {
	v := n.child("value")
	if v == nil {
		return nil, fmt.Errorf("a %s without a value", n.XMLName.Local)
	}
	return v.decode(depth)
}

// decode reads a value element; one without a type is a string.
func (n *node) decode(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("nested too deep")
	}
	if len(n.Children) == 0 {
		return n.Text, nil
	}
	t := &n.Children[0]
	text := strings.TrimSpace(t.Text)
	switch t.XMLName.Local {
	case "string", "base64", "dateTime.iso8601":
		return t.Text, nil
	case "int", "i4", "i8":
		return strconv.ParseInt(text, 10, 64)
	case "boolean":
		if text != "0" && text != "1" {
			return nil, fmt.Errorf("boolean %q is neither 0 nor 1", text)
		}
		return text == "1", nil
	case "double":
		return strconv.ParseFloat(text, 64)
	case "array":
		return t.array(depth)
	case "struct":
		return t.structure(depth)
	}
	return nil, fmt.Errorf("a value of unknown type %q", t.XMLName.Local)
}

func (n *node) array(depth int) (any, error) {
	list := []any{}
	data := n.child("data")
	if data == nil {
		return list, nil
	}
	for i := range data.Children {
		v, err := data.Children[i].decode(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (n *node) structure(depth int) (any, error) {
	m := map[string]any{}
	for i := range n.Children {
		member := &n.Children[i]
		name := member.child("name")
		if name == nil {
			return nil, errors.New("a struct member without a name")
		}
		v, err := member.value(depth + 1)
		if err != nil {
			return nil, err
		}
		m[name.Text] = v
	}
	return m, nil
}

const header = `<?xml version="1.0" encoding="UTF-8"?>`

// AppendResponse writes a methodResponse with one value.
func AppendResponse(b []byte, v any) ([]byte, error) {
	b = append(b, header+"<methodResponse><params><param>"...)
	b, err := appendValue(b, v)
	return append(b, "</param></params></methodResponse>"...), err
}

// AppendFault writes a methodResponse with a fault.
func AppendFault(b []byte, f *Fault) []byte {
	b = append(b, header+"<methodResponse><fault>"...)
	b, _ = appendValue(b, map[string]any{"faultCode": f.Code, "faultString": f.Message}) // these types are known
	return append(b, "</fault></methodResponse>"...)
}

// AppendCall writes a methodCall.
func AppendCall(b []byte, c Call) ([]byte, error) {
	b = append(b, header+"<methodCall><methodName>"...)
	b = appendText(b, c.Method)
	b = append(b, "</methodName><params>"...)
	for _, p := range c.Params {
		var err error
		b = append(b, "<param>"...)
		if b, err = appendValue(b, p); err != nil {
			return b, err
		}
		b = append(b, "</param>"...)
	}
	return append(b, "</params></methodCall>"...), nil
}

func appendText(b []byte, s string) []byte {
	var buf bytes.Buffer
	_ = xml.EscapeText(&buf, []byte(s)) // a buffer takes everything
	return append(b, buf.Bytes()...)
}

func appendValue(b []byte, v any) ([]byte, error) {
	b = append(b, "<value>"...)
	switch v := v.(type) {
	case string:
		b = appendText(append(b, "<string>"...), v)
		b = append(b, "</string>"...)
	case bool:
		digit := byte('0')
		if v {
			digit = '1'
		}
		b = append(append(append(b, "<boolean>"...), digit), "</boolean>"...)
	case int:
		b = append(strconv.AppendInt(append(b, "<int>"...), int64(v), 10), "</int>"...)
	case int64:
		b = append(strconv.AppendInt(append(b, "<int>"...), v, 10), "</int>"...)
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return appendValue(b[:len(b)-len("<value>")], list)
	case map[string]string:
		m := make(map[string]any, len(v))
		for k, s := range v {
			m[k] = s
		}
		return appendValue(b[:len(b)-len("<value>")], m)
	case []any:
		b = append(b, "<array><data>"...)
		for _, e := range v {
			var err error
			if b, err = appendValue(b, e); err != nil {
				return b, err
			}
		}
		b = append(b, "</data></array>"...)
	case map[string]any:
		b = append(b, "<struct>"...)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			b = append(appendText(append(b, "<member><name>"...), k), "</name>"...)
			var err error
			if b, err = appendValue(b, v[k]); err != nil {
				return b, err
			}
			b = append(b, "</member>"...)
		}
		b = append(b, "</struct>"...)
	default:
		return b, fmt.Errorf("a %T cannot be written", v)
	}
	return append(b, "</value>"...), nil
}
