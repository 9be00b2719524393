//go:build !linux

package main

func holder(int) string { return "" }
