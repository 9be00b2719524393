// Package bubble lets fake time pass in tests, and only fake time.
package bubble

import "time"

// begins is when time begins in every bubble of testing/synctest.
var begins = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// longest is how much fake time a test may let pass altogether.
const longest = 20 * 365 * 24 * time.Hour

// Sleep is time.Sleep in a bubble of testing/synctest, where it takes no time and the
// moment it returns is certain. Outside of one it panics: there it would be waiting for
// luck.
func Sleep(d time.Duration) {
	if time.Since(begins) > longest {
		panic("bubble.Sleep outside of a synctest bubble: wait for the condition instead")
	}
	time.Sleep(d)
}
