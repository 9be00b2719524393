package fvctl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Output formats of -o. The empty format is a command's own: FlowVisor's text for
// FlowVisor's commands, a table for the others.
const (
	formatTable = "table"
	formatWide  = "wide"
	formatJSON  = "json"
	formatYAML  = "yaml"
)

func checkFormat(f string) error {
	switch f {
	case "", formatTable, formatWide, formatJSON, formatYAML:
		return nil
	}
	return usagef("-o %s: want table, wide, json or yaml", f)
}

// table is aligned text for people. Wide columns are shown with -o wide only.
type table struct {
	head []string
	wide int // from which column on only -o wide shows them; 0: none
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write aligns the columns. Colour goes on after padding, so that it does not count as width.
func (t *table) write(w io.Writer, wide, colour bool) {
	columns := len(t.head)
	if t.wide > 0 && !wide {
		columns = t.wide
	}
	width := make([]int, columns)
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i := range columns {
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
		}
	}
	line := func(row []string, head bool) {
		var b strings.Builder
		for i := range columns {
			cell := row[i]
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				b.WriteString("  ")
			}
			b.WriteString(paint(cell, head, colour))
			if i < columns-1 {
				b.WriteString(pad)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
	line(t.head, true)
	for _, row := range t.rows {
		line(row, false)
	}
}

// paint gives a few states a colour; the meaning is always in the word too.
func paint(cell string, head, colour bool) string {
	if !colour {
		return cell
	}
	code := ""
	switch {
	case head:
		code = "1"
	case cell == "connected" || cell == "enabled" || cell == "up" || cell == "ok":
		code = "32"
	case cell == "connecting" || cell == "backoff" || cell == "disabled":
		code = "33"
	case cell == "away" || cell == "down" || cell == "failed" || cell == "denied":
		code = "31"
	}
	if code == "" {
		return cell
	}
	return "\x1b[" + code + "m" + cell + "\x1b[0m"
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// writeYAML goes through JSON, so that field names and their order are the API's.
func writeYAML(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return err
	}
	blockStyle(&node)
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&node); err != nil {
		return err
	}
	return enc.Close()
}

func blockStyle(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode {
		if len(n.Content) == 0 {
			n.Style |= yaml.FlowStyle
		}
	}
	for _, c := range n.Content {
		blockStyle(c)
	}
}

// pythonJSON is JSON on one line with the spaces Python's json.dumps puts, keys sorted: what FlowVisor's fvctl printed.
func pythonJSON(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	var out strings.Builder
	inText, escaped := false, false
	for _, c := range strings.TrimRight(b.String(), "\n") {
		out.WriteRune(c)
		switch {
		case escaped:
			escaped = false
		case inText && c == '\\':
			escaped = true
		case c == '"':
			inText = !inText
		case !inText && (c == ',' || c == ':'):
			out.WriteByte(' ')
		}
	}
	return out.String(), nil
}

// show prints v as the format asks: json and yaml the value itself, table and wide the
// table, and otherwise the command's own text (nil: the table).
func (a *app) show(v any, t func() *table, text func(io.Writer) error) error {
	switch a.opt.output {
	case formatJSON:
		return writeJSON(a.out, v)
	case formatYAML:
		return writeYAML(a.out, v)
	case "":
		if text != nil {
			return text(a.out)
		}
	}
	if t == nil {
		return writeJSON(a.out, v)
	}
	t().write(a.out, a.opt.output == formatWide, a.colour)
	return nil
}

// done reports a change: FlowVisor's line, or the value with -o json and yaml.
func (a *app) done(v any, format string, args ...any) error {
	switch a.opt.output {
	case formatJSON:
		return writeJSON(a.out, v)
	case formatYAML:
		return writeYAML(a.out, v)
	}
	fmt.Fprintf(a.out, format+"\n", args...)
	return nil
}
