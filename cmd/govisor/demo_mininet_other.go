//go:build !linux

package main

import "errors"

func newMininetNetwork() (demoNetwork, error) { return nil, errors.New("--mininet needs Linux") }
