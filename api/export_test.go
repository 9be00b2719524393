package api

import (
	"maps"
	"slices"
)

// RPCMethods are the names of all JSON-RPC methods, for the table of who may call them.
func RPCMethods() []string { return slices.Sorted(maps.Keys(rpcMethods())) }

// XMLMethods are the names of all XML-RPC methods, for the same table.
func XMLMethods() []string { return slices.Sorted(maps.Keys(xmlMethods())) }
