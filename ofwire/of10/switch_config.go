package of10

// switchConfigLen is the size of GetConfigReply and SetConfig.
const switchConfigLen = 12

// ConfigFlags is the fragment handling of a switch (section 5.3.2).
type ConfigFlags uint16

// Fragment handling: no special handling, drop, reassemble.
const (
	FragNormal ConfigFlags = 0
	FragDrop   ConfigFlags = 1
	FragReasm  ConfigFlags = 2
	FragMask   ConfigFlags = 3
)

func appendConfig(b []byte, flags ConfigFlags, missSendLen uint16) []byte {
	b = be.AppendUint16(b, uint16(flags))
	return be.AppendUint16(b, missSendLen)
}
