package ofconn

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// trySend and tryReceive are send and recv without waiting. The Go scheduler is not
// told of them, as of no call that cannot block: the telling costs more than a tenth of
// the processor time of a relayed message, most of it in the runtime's monitor, which
// takes the processor away from calls of a few microseconds and gives it back.
func trySend(fd uintptr, b []byte) (int, error) {
	return transfer(unix.SYS_SENDTO, fd, b)
}

func tryReceive(fd uintptr, b []byte) (int, error) {
	return transfer(unix.SYS_RECVFROM, fd, b)
}

func transfer(trap, fd uintptr, b []byte) (int, error) {
	n, _, errno := unix.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
