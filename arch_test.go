// Package govisor_test holds the checks on the shape of the whole repository: who imports whom, sizes, documentation.
package govisor_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/govisor/govisor"

// layers is the machine-readable block of ARCHITECTURE.md.
type layers struct {
	level map[string]int      // pattern -> layer number
	allow map[string][]string // pattern -> patterns it may import within its layer
	only  map[string][]string // pattern -> the complete list of patterns it may import
}

func readLayers(text string) (layers, error) {
	l := layers{map[string]int{}, map[string][]string{}, map[string][]string{}}
	_, rest, ok := strings.Cut(text, "```layers\n")
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		return l, fmt.Errorf("no ```layers block")
	}
	for line := range strings.Lines(block) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if n, err := strconv.Atoi(f[0]); err == nil {
			for _, p := range f[1:] {
				l.level[p] = n
			}
			continue
		}
		if len(f) < 4 || f[2] != "->" || (f[0] != "allow" && f[0] != "only") {
			return l, fmt.Errorf("cannot read line %q", strings.TrimSpace(line))
		}
		into := l.allow
		if f[0] == "only" {
			into = l.only
		}
		into[f[1]] = append(into[f[1]], f[3:]...)
	}
	return l, nil
}

// covers reports whether pattern names pkg: the package itself, or for "x/..." x and everything below it.
func covers(pattern, pkg string) bool {
	base, deep := strings.CutSuffix(pattern, "/...")
	return pkg == base || deep && strings.HasPrefix(pkg, base+"/")
}

func coversAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return covers(p, pkg) })
}

func (l layers) of(pkg string) (level int, ok bool) {
	best := -1
	for p, n := range l.level {
		if covers(p, pkg) && len(p) > best {
			best, level, ok = len(p), n, true
		}
	}
	return level, ok
}

// fault says what is wrong with pkg importing dep, or "".
func (l layers) fault(pkg, dep string) string {
	from, ok := l.of(pkg)
	if !ok {
		return fmt.Sprintf("%s is in no layer: place it in the layers block of ARCHITECTURE.md", pkg)
	}
	to, ok := l.of(dep)
	if !ok {
		return "" // reported where dep itself is looked at
	}
	allowed := from > to
	for p, deps := range l.allow {
		allowed = allowed || covers(p, pkg) && coversAny(deps, dep)
	}
	if !allowed {
		return fmt.Sprintf("%s (layer %d) imports %s (layer %d)", pkg, from, dep, to)
	}
	for p, deps := range l.only {
		if covers(p, pkg) && !coversAny(deps, dep) {
			return fmt.Sprintf("%s imports %s, but may import only %s", pkg, dep, strings.Join(deps, " "))
		}
	}
	return ""
}

type source struct {
	path string // slash-separated, from the root
	pkg  string // directory, slash-separated
	text []byte
	file *ast.File
	fset *token.FileSet
}

func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

func sources(t *testing.T) []source {
	t.Helper()
	all, err := parseAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// parseAll parses every Go file of the repository, once, and in this process, so that the test cache sees which
// files it depends on.
var parseAll = sync.OnceValues(func() (all []source, err error) {
	err = filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin" || d.Name() == "govisor-data") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, p, text, parser.ParseComments)
		if err != nil {
			return err
		}
		slash := filepath.ToSlash(p)
		all = append(all, source{slash, path.Dir(slash), text, file, fset})
		return nil
	})
	return all, err
})

func TestArchitecture(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	l, err := readLayers(string(text))
	if err != nil {
		t.Fatalf("ARCHITECTURE.md: %v", err)
	}
	for _, s := range sources(t) {
		if s.test() {
			continue // tests may use the parts above them as peers
		}
		if _, ok := l.of(s.pkg); !ok {
			t.Errorf("%s: %s", s.path, l.fault(s.pkg, ""))
			continue
		}
		for _, imp := range s.file.Imports {
			p, _ := strconv.Unquote(imp.Path.Value)
			if dep, ours := strings.CutPrefix(p, module+"/"); ours {
				if f := l.fault(s.pkg, dep); f != "" {
					t.Errorf("%s: %s", s.fset.Position(imp.Pos()), f)
				}
			}
		}
	}
}

// The check itself is checked: each kind of fault is seen.
func TestArchitectureFaults(t *testing.T) {
	t.Parallel()
	l, err := readLayers("```layers\n2 top only\n1 mid side kin/...\n0 leaf low\nallow kin/... -> kin/...\nonly only -> mid\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ pkg, dep, want string }{
		{"top", "leaf", ""},
		{"mid", "leaf", ""},
		{"kin/a", "kin", ""},
		{"only", "mid", ""},
		{"leaf", "mid", "leaf (layer 0) imports mid (layer 1)"},
		{"mid", "side", "mid (layer 1) imports side (layer 1)"},
		{"only", "leaf", "only imports leaf, but may import only mid"},
		{"stray", "leaf", "stray is in no layer: place it in the layers block of ARCHITECTURE.md"},
	} {
		if got := l.fault(c.pkg, c.dep); got != c.want {
			t.Errorf("fault(%s, %s) = %q, want %q", c.pkg, c.dep, got, c.want)
		}
	}
	for _, bad := range []string{"no block", "```layers\nsome words\n```"} {
		if _, err := readLayers(bad); err == nil {
			t.Errorf("readLayers(%q): no error", bad)
		}
	}
}

func TestPackageDocs(t *testing.T) {
	docs := map[string][]string{}
	for _, s := range sources(t) {
		key := s.pkg
		if s.test() {
			continue
		}
		docs[key] = append(docs[key], "")
		if s.file.Doc != nil {
			docs[key][len(docs[key])-1] = s.path
		}
	}
	for pkg, files := range docs {
		files = slices.DeleteFunc(files, func(f string) bool { return f == "" })
		if len(files) != 1 {
			t.Errorf("package %s has %d package comments, want 1: %v", pkg, len(files), files)
		}
	}
}

const (
	maxFileLines     = 500 // lines with code on them
	maxTestFileLines = 900
	maxFuncLines     = 80
)

// codeLines counts the lines on which a token starts or ends, so neither blank lines nor comments.
func codeLines(s source) int {
	lines := map[int]bool{}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n.(type) {
		case nil, *ast.Comment, *ast.CommentGroup:
			return false
		}
		lines[s.fset.Position(n.Pos()).Line] = true
		lines[s.fset.Position(n.End()).Line] = true
		return true
	})
	return len(lines)
}

func TestSizes(t *testing.T) {
	for _, s := range sources(t) {
		limit := maxFileLines
		if s.test() {
			limit = maxTestFileLines
		}
		if n := codeLines(s); n > limit {
			t.Errorf("%s: %d lines of code, at most %d", s.path, n, limit)
		}
		if s.test() {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			from, to := s.fset.Position(f.Pos()), s.fset.Position(f.End())
			if n := to.Line - from.Line + 1; n > maxFuncLines {
				t.Errorf("%s: %s has %d lines, at most %d", from, f.Name.Name, n, maxFuncLines)
			}
		}
	}
}

// What a reader must not find in the code base.
func TestNoLeftovers(t *testing.T) {
	marks := []string{"TO" + "DO", "FIX" + "ME", "X" + "XX", "not " + "implemented"}
	for _, s := range sources(t) {
		for _, m := range marks {
			if i := strings.Index(string(s.text), m); i >= 0 {
				t.Errorf("%s:%d: %q", s.path, 1+strings.Count(string(s.text[:i]), "\n"), m)
			}
		}
		for _, word := range []string{"util", "utils", "common", "helpers", "misc"} {
			if path.Base(s.pkg) == word {
				t.Errorf("%s: a package named %q says nothing", s.path, word)
			}
		}
	}
}

// Tests wait for a condition, or let fake time pass by bubble.Sleep, which panics outside of a synctest bubble.
func TestNoWaitingForLuck(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if e, ok := n.(*ast.SelectorExpr); ok && e.Sel.Name == "Sleep" {
				if x, ok := e.X.(*ast.Ident); ok && x.Name == "time" {
					t.Errorf("%s: a test sleeps; wait for the condition, or use bubble.Sleep", s.fset.Position(e.Pos()))
				}
			}
			return true
		})
	}
}
