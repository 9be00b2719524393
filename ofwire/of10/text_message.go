package of10

import "fmt"

func (m *Hello) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *Error) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *EchoRequest) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *EchoReply) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *Vendor) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *FeaturesRequest) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *FeaturesReply) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *GetConfigRequest) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *GetConfigReply) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *SetConfig) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *PacketIn) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *FlowRemoved) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *PortStatus) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *PacketOut) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *FlowMod) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *PortMod) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *StatsRequest) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *StatsReply) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *BarrierRequest) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *BarrierReply) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *QueueGetConfigRequest) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *QueueGetConfigReply) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }

func (m *Unknown) String() string { return fmt.Sprintf("%v (xid=%#x):", m.Type(), m.XID) }
