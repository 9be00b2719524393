package hypervisor

import (
	"context"
	"crypto/md5" //nolint:gosec // only to verify what FlowVisor stored
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost of a password hash: OWASP's second choice for argon2id. Two at a time
// bound memory and leave the cores to the switches.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonThreads = 1
	argonKey     = 32
	hashAtOnce   = 2

	// maxPassword bounds what is hashed.
	maxPassword = 1024
)

// hasher makes and checks password hashes, a few at a time.
type hasher struct{ slots chan struct{} }

func newHasher() *hasher { return &hasher{make(chan struct{}, hashAtOnce)} }

// enter waits for a turn.
func (h *hasher) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for password check: %w", ctx.Err())
	}
}

func (h *hasher) leave() { <-h.slots }

// hash returns "$argon2id$v=19$m=19456,t=2,p=1$SALT$KEY".
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key)), nil
}

// verify reports whether password has the hash, and whether the hash is of an
// older kind and should be made anew. An empty hash fits no password.
func (h *hasher) verify(ctx context.Context, hash, password string) (ok, old bool, err error) {
	if rest, found := strings.CutPrefix(hash, legacyPrefix); found {
		return verifyLegacy(rest, password), true, nil
	}
	p, valid := parseArgon(hash)
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer h.leave()
	if !valid { // unknown account: take as long as for a known one
		argon2.IDKey([]byte(password), make([]byte, 16), argonTime, argonMemory, argonThreads, argonKey)
		return false, false, nil
	}
	key := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(key, p.key) == 1, p.time != argonTime || p.memory != argonMemory, nil
}

type argonHash struct {
	time, memory uint32
	threads      uint8
	salt, key    []byte
}

func parseArgon(hash string) (p argonHash, ok bool) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return p, false
	}
	var err1, err2 error
	p.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	p.key, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	sane := p.time > 0 && p.time <= 16 && p.memory >= 8 && p.memory <= 256*1024 && p.threads > 0
	return p, sane && err1 == nil && err2 == nil && len(p.key) >= 16 && len(p.key) <= 64 && len(p.salt) >= 8
}

// legacyPrefix marks FlowVisor's hash: hex MD5 of salt and password in Latin-1.
const legacyPrefix = "$flowvisor$"

// LegacyHash makes a hash of what FlowVisor saved; it is replaced at the first login.
func LegacyHash(salt, crypt string) string { return legacyPrefix + salt + "$" + crypt }

// SplitLegacy returns what FlowVisor saved; ok is false for other hashes.
func SplitLegacy(hash string) (salt, crypt string, ok bool) {
	rest, ok := strings.CutPrefix(hash, legacyPrefix)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "$")
}

func verifyLegacy(rest, password string) bool {
	salt, crypt, _ := strings.Cut(rest, "$")
	latin := make([]byte, 0, len(salt)+len(password))
	for _, r := range salt + password {
		if r > 0xff {
			r = '?' // what Java writes for what Latin-1 has not
		}
		latin = append(latin, byte(r))
	}
	sum := md5.Sum(latin) //nolint:gosec // see above
	return subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(strings.ToLower(crypt))) == 1
}

// validHash reports whether an imported hash can be verified at all.
func validHash(hash string) bool {
	if _, crypt, ok := SplitLegacy(hash); ok {
		b, err := hex.DecodeString(crypt)
		return err == nil && len(b) == md5.Size
	}
	_, ok := parseArgon(hash)
	return ok
}
