package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/govisor/govisor/api/apitype"
)

type object = map[string]any

var pathVariable = regexp.MustCompile(`\{([a-z]+)\}`)

// openAPI describes the routes, OpenAPI 3.1.
func openAPI(routes []route, version string) []byte {
	g := schemas{defs: object{}}
	paths := object{}
	problem := object{"description": "a problem", "content": object{"application/problem+json": object{"schema": g.of(reflect.TypeFor[apitype.Problem]())}}}
	for _, rt := range routes {
		op := object{"summary": rt.summary, "operationId": operationID(rt)}
		params := []any{}
		for _, m := range pathVariable.FindAllStringSubmatch(rt.path, -1) {
			params = append(params, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
		}
		for _, q := range rt.query {
			params = append(params, object{"name": q.name, "in": "query", "description": q.about, "schema": object{"type": q.kind}})
		}
		if len(params) > 0 {
			op["parameters"] = params
		}
		if rt.in != nil {
			op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": g.of(rt.in)}}}
		}
		success := object{"description": "done"}
		switch {
		case rt.out != nil:
			success["content"] = object{"application/json": object{"schema": g.of(rt.out)}}
		case rt.raw != nil:
			success["content"] = object{rt.media: object{}}
		}
		status := rt.status
		if status == 0 {
			status = http.StatusOK
		}
		op["responses"] = object{strconv.Itoa(status): success, "default": problem}
		if rt.noAuth {
			op["security"] = []any{object{}}
		}
		at, ok := paths[prefix+rt.path].(object)
		if !ok {
			at = object{}
			paths[prefix+rt.path] = at
		}
		at[strings.ToLower(rt.method)] = op
	}
	doc := object{
		"openapi":  "3.1.0",
		"info":     object{"title": "govisor", "version": version, "description": "Management of the govisor OpenFlow hypervisor."},
		"paths":    paths,
		"security": []any{object{"password": []any{}}, object{"token": []any{}}, object{"certificate": []any{}}},
		"components": object{"schemas": g.defs, "securitySchemes": object{
			"password": object{"type": "http", "scheme": "basic"}, "token": object{"type": "http", "scheme": "bearer"},
			"certificate": object{"type": "mutualTLS"}}},
	}
	text, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		return []byte("{}")
	}
	return text
}

// operationID names an operation for generators of clients: getSlicesSlice.
func operationID(rt route) string {
	id := strings.ToLower(rt.method)
	for _, part := range strings.FieldsFunc(rt.path, func(r rune) bool { return strings.ContainsRune("/{}.", r) }) {
		id += strings.ToUpper(part[:1]) + part[1:]
	}
	return id
}

// schemas makes JSON Schemas of Go types; named structs become definitions.
type schemas struct{ defs object }

func (g schemas) of(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[apitype.Match]():
		return object{"type": []any{"string", "object"}}
	case reflect.TypeFor[apitype.Permission]():
		return object{"type": []any{"integer", "string"}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.of(t.Elem())
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Int, reflect.Int64, reflect.Int32:
		return object{"type": "integer"}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice:
		return object{"type": "array", "items": g.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": g.of(t.Elem())}
	case reflect.Struct:
		name := schemaName(t)
		if _, done := g.defs[name]; !done {
			g.defs[name] = object{} // ends recursion
			g.defs[name] = g.structOf(t)
		}
		return object{"$ref": "#/components/schemas/" + name}
	}
	return object{}
}

// schemaName turns List[.../apitype.Rule] into ListRule.
func schemaName(t reflect.Type) string {
	name, arg, generic := strings.Cut(t.Name(), "[")
	if generic {
		name += arg[strings.LastIndexByte(arg, '.')+1 : len(arg)-1]
	}
	return name
}

func (g schemas) structOf(t reflect.Type) object {
	props, required := object{}, []any{}
	for f := range t.Fields() {
		tag, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && tag == "" {
			inner := g.structOf(f.Type)
			for k, v := range inner["properties"].(object) {
				props[k] = v
			}
			required = append(required, inner["required"].([]any)...)
			continue
		}
		if tag == "-" || tag == "" {
			continue
		}
		props[tag] = g.of(f.Type)
		if !strings.Contains(opts, "omit") {
			required = append(required, tag)
		}
	}
	return object{"type": "object", "properties": props, "required": required, "additionalProperties": false}
}
