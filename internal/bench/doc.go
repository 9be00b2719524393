// Package bench loads OpenFlow 1.0 controllers and proxies and measures what comes back.
//
// A [Generator] plays n switches that send packet_ins and wait for a flow_mod or a packet_out for each (cbench's kind of load): with a window of
// one it measures latency, with a wider one throughput. A [Responder] plays k controllers that answer every packet_in as fast as they can. In a
// sandwich the two run in one process with the proxy under test between them, and share a [Clockwork], so that one-way delays are known for each
// message type. The package speaks to any OpenFlow 1.0 peer and knows nothing of govisor.
package bench
