//go:build unix && !linux

package ofconn

import "syscall"

func trySend(fd uintptr, b []byte) (int, error) { return syscall.Write(int(fd), b) }

func tryReceive(fd uintptr, b []byte) (int, error) { return syscall.Read(int(fd), b) }
