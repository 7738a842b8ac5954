// Control commands.  Their output has the form of the packaged ovs-vswitchd's.
#include <gtest/gtest.h>

#include "switch_fixture.h"

namespace ovs::ofproto::test {
namespace {

using std::chrono::seconds;

class Commands : public SwitchTest {
 protected:
  Commands() {
    bridge = add_bridge("br0");
    add_port(bridge, "p1");
    add_port(bridge, "p2", 10);
    add_port(bridge, "pt0", 0, "patch");
    subject.set_patch_peer(bridge, ports.at("pt0"), "pt1");
    receive("in=3 type=88b5 src=00:00:00:00:00:0b dst=00:00:00:00:00:0a");
    now += seconds(5);
    receive("in=2 vlan=8100:10/0 type=0800 src=00:00:00:00:00:0a dst=00:00:00:00:00:0b");
  }
  BridgeId bridge;
};

TEST_F(Commands, FdbShow) {
  EXPECT_EQ(run("fdb/show", {"br0"}),
            " port  VLAN  MAC                Age\n"
            "    2    10  00:00:00:00:00:0b    5\n"
            "    1    10  00:00:00:00:00:0a    0\n");
  receive("in=1 type=88b5 src=00:00:00:00:00:0c dst=00:00:00:00:00:0a");
  EXPECT_NE(run("fdb/show", {"br0"}).find("LOCAL     0  00:00:00:00:00:0c    0\n"), std::string::npos);
  EXPECT_EQ(run("fdb/show", {"br9"}), "error: no such bridge");
}

TEST_F(Commands, FdbAddAndDel) {
  EXPECT_EQ(run("fdb/add", {"br0", "p1", "10", mac_b}), "");
  EXPECT_EQ(run("fdb/add", {"br0", "p2", "10", mac_b}), "Overriding already existing static entry on 1");
  EXPECT_NE(run("fdb/show", {"br0"}).find("    2    10  00:00:00:00:00:0b  static\n"), std::string::npos);
  EXPECT_EQ(run("fdb/add", {"br0", "px", "10", mac_b}), "error: bridge br0 has no port px");
  EXPECT_EQ(run("fdb/add", {"br0", "p1", "4096", mac_b}), "error: 4096: not a VLAN (0 to 4095)");
  EXPECT_EQ(run("fdb/add", {"br0", "p1", "1", "00:00"}), "error: bad MAC address");
  EXPECT_EQ(run("fdb/del", {"br0", "10", mac_a}), "error: could not find static mac entry");
  EXPECT_EQ(run("fdb/del", {"br0", "10", mac_b}), "");
  subject.revalidate(now);
  EXPECT_EQ(flow_actions(mac_a, mac_b), "1,pop_vlan,3");
}

TEST_F(Commands, FdbFlushAndStatistics) {
  EXPECT_EQ(run("fdb/stats-show", {"br0"}),
            "Statistics for bridge \"br0\":\n"
            "  Current/maximum MAC entries in the table: 2/8192\n"
            "  Current static MAC entries in the table : 0\n"
            "  Total number of learned MAC entries     : 2\n"
            "  Total number of expired MAC entries     : 0\n"
            "  Total number of evicted MAC entries     : 0\n"
            "  Total number of port moved MAC entries  : 0\n");
  EXPECT_EQ(run("fdb/stats-clear", {"br0"}), "statistics successfully cleared");
  engine.count(*flow_id(mac_a, mac_b), 5, 300);
  EXPECT_EQ(run("fdb/flush"), "table successfully flushed");
  EXPECT_EQ(run("fdb/show", {"br0"}), " port  VLAN  MAC                Age\n");
  EXPECT_EQ(run("fdb/flush", {"br9"}), "error: no such bridge");
}

TEST_F(Commands, Show) {
  EXPECT_EQ(run("dpif/show"),
            "netdev@ovs-netdev: hit:0 missed:2\n"
            "  br0:\n"
            "    br0 65534/1: (internal)\n"
            "    p1 1/2: (dummy)\n"
            "    p2 2/3: (dummy)\n"
            "    pt0 3/none: (patch: peer=pt1)\n");
  EXPECT_EQ(run("dpctl/show", {"ovs-netdev"}),
            "netdev@ovs-netdev:\n"
            "  lookups: hit:0 missed:2 lost:0\n"
            "  flows: 2\n"
            "  port 1: br0 (internal)\n"
            "  port 2: p1 (dummy)\n"
            "  port 3: p2 (dummy)\n");
  EXPECT_NE(run("dpctl/show", {"-s"}).find("  port 3: p2 (dummy)\n"
                                           "    RX packets:3 errors:? dropped:? overruns:? frame:?\n"
                                           "    TX packets:? errors:? dropped:? aborted:? carrier:?\n"
                                           "    collisions:?\n"
                                           "    RX bytes:180  TX bytes:?\n"),
            std::string::npos);
  EXPECT_EQ(run("dpctl/show", {"nodp"}), "error: datapath nodp not found");
  EXPECT_EQ(run("dpctl/dump-dps"), "netdev@ovs-netdev\n");
  EXPECT_EQ(run("dpif/dump-dps"), "netdev@br0\n");
  EXPECT_EQ(run("ofproto/list"), "br0\n");
  EXPECT_EQ(run("upcall/show"),
            "netdev@ovs-netdev:\n"
            "  flows         : (current 2) (avg 0) (max 2) (limit 200000)\n"
            "  dump duration : 0ms\n"
            "  ufid enabled : true\n"
            "\n"
            "  0: (keys 2)\n");
}

TEST_F(Commands, DumpFlows) {
  const std::string first =
      "recirc_id(0),in_port(3),packet_type(ns=0,id=0),eth(src=00:00:00:00:00:0b,dst=00:00:00:00:00:0a),"
      "eth_type(0x88b5), packets:0, bytes:0, used:never, actions:push_vlan(vid=10,pcp=0),1,2\n";
  const std::string second =
      "recirc_id(0),in_port(2),packet_type(ns=0,id=0),eth(src=00:00:00:00:00:0a,dst=00:00:00:00:00:0b),"
      "eth_type(0x8100),vlan(vid=10,pcp=0),encap(eth_type(0x0800),ipv4(frag=no)), packets:7, bytes:700, "
      "used:1.500s, flags:SP., actions:pop_vlan,3\n";
  engine.set_now(now);
  engine.count(*flow_id(mac_a, mac_b), 7, 700, 0x1a);
  now += std::chrono::milliseconds(1500);
  EXPECT_EQ(run("dpif/dump-flows", {"br0"}), first + second);
  EXPECT_EQ(run("dpctl/dump-flows"), "flow-dump from the main thread:\n" + first + second);
  EXPECT_EQ(run("dpctl/dump-flows", {"netdev@ovs-netdev", "filter=in_port=2"}),
            "flow-dump from the main thread:\n" + second);
  EXPECT_EQ(run("dpctl/dump-flows", {"filter=dl_vlan=11"}), "");
  const std::string names = run("dpif/dump-flows", {"--names", "br0"});
  EXPECT_NE(names.find("in_port(p1)"), std::string::npos);
  EXPECT_NE(names.find("actions:push_vlan(vid=10,pcp=0),br0,p1\n"), std::string::npos);
  const std::string more = run("dpif/dump-flows", {"-m", "br0"});
  EXPECT_TRUE(more.starts_with("ufid:00000000-0000-0000-")) << more;
  EXPECT_NE(more.find("skb_priority(0/0)"), std::string::npos);
  EXPECT_NE(more.find("in_port(p1)"), std::string::npos);
  EXPECT_EQ(run("dpif/dump-flows", {"br9"}), "error: no such bridge");
  EXPECT_EQ(run("dpctl/dump-flows", {"-x"}), "error: -x: unknown option");
}

TEST_F(Commands, DumpRules) {
  engine.count(*flow_id(mac_a, mac_b), 7, 700);
  EXPECT_EQ(run("bridge/dump-flows", {"br0"}), "duration=5s, n_packets=9, n_bytes=844, priority=0,actions=NORMAL\n");
  EXPECT_EQ(run("bridge/dump-flows", {"--offload-stats", "br0"}),
            "duration=5s, n_packets=9, n_bytes=844, n_offload_packets=0, n_offload_bytes=0, priority=0,actions=NORMAL\n");
  EXPECT_EQ(run("bridge/dump-flows", {"br9"}), "error: Unknown bridge");
}

TEST_F(Commands, Revalidators) {
  receive("in=2 vlan=8100:10/0 type=0806 src=00:00:00:00:00:0c dst=00:00:00:00:00:0d");
  receive("in=3 type=88b5 src=00:00:00:00:00:0d dst=00:00:00:00:00:0b");
  EXPECT_EQ(flow_actions(mac_c, "00:00:00:00:00:0d"), "1,pop_vlan,3");
  EXPECT_EQ(run("revalidator/wait"), "");
  EXPECT_EQ(flow_actions(mac_c, "00:00:00:00:00:0d"), "pop_vlan,3");
  EXPECT_EQ(run("revalidator/purge"), "");
  EXPECT_TRUE(flows().empty());
}

TEST_F(Commands, PortsByHand) {
  EXPECT_EQ(run("dpctl/add-if", {"ovs-netdev", "x1"}), "error: this datapath takes no ports by hand");
  subject.set_device_maker([](const std::string& name,
                              const std::string& type) -> Result<std::unique_ptr<netdev::Netdev>> {
    if (type == "strange") return unexpected("Address family not supported by protocol");
    return std::make_unique<FakeDevice>(name, type);
  });
  EXPECT_EQ(run("dpctl/add-if", {"ovs-netdev", "x1,type=dummy,port_no=77", "x2"}), "");
  EXPECT_NE(run("dpctl/show").find("  port 77: x1 (dummy)\n"), std::string::npos);
  EXPECT_EQ(run("dpctl/add-if", {"ovs-netdev", "x1"}), "error: adding x1 to ovs-netdev failed (File exists)");
  EXPECT_EQ(run("dpctl/add-if", {"ovs-netdev", "x3,type=strange"}),
            "error: x3: failed to open network device (Address family not supported by protocol)");
  EXPECT_EQ(run("dpctl/add-if", {"nodp", "x3"}), "error: datapath nodp not found");
  EXPECT_EQ(run("dpctl/del-if", {"ovs-netdev", "x1"}), "");
  EXPECT_EQ(run("dpctl/show").find("x1"), std::string::npos);
  EXPECT_EQ(run("dpctl/del-if", {"ovs-netdev", "x1"}), "error: no port named x1");
  EXPECT_EQ(run("dpctl/del-if", {"ovs-netdev", "p1"}),
            "error: port p1 is of bridge br0: remove it by ovs-vsctl");
}

TEST_F(Commands, TraceOfABridgesFlow) {
  EXPECT_EQ(run("ofproto/trace", {"br0", "in_port=p2,dl_src=00:00:00:00:00:0c,dl_dst=00:00:00:00:00:0a"}),
            "Flow: in_port=2,vlan_tci=0x0000,dl_src=00:00:00:00:00:0c,dl_dst=00:00:00:00:00:0a,dl_type=0x0000\n"
            "\n"
            "bridge(\"br0\")\n"
            "-------------\n"
            " 0. priority 0\n"
            "    NORMAL\n"
            "     -> forwarding to learned port\n"
            "\n"
            "Final flow: unchanged\n"
            "Megaflow: recirc_id=0,eth,in_port=2,dl_src=00:00:00:00:00:0c,dl_dst=00:00:00:00:00:0a,dl_type=0x0000\n"
            "Datapath actions: push_vlan(vid=10,pcp=0),2\n");
  EXPECT_EQ(run("fdb/show", {"br0"}).find(mac_c), std::string::npos);  // a question teaches nothing
}

TEST_F(Commands, TraceOfADatapathsFlow) {
  const std::string answer =
      run("ofproto/trace", {"in_port(p1),eth(src=00:00:00:00:00:0a,dst=00:00:00:00:00:0b),eth_type(0x8100),"
                            "vlan(vid=10,pcp=0),encap(eth_type(0x1234))"});
  EXPECT_TRUE(answer.starts_with("Flow: in_port=1,dl_vlan=10,dl_vlan_pcp=0,vlan_tci1=0x0000,"
                                 "dl_src=00:00:00:00:00:0a,dl_dst=00:00:00:00:00:0b,dl_type=0x1234\n"))
      << answer;
  EXPECT_TRUE(answer.ends_with("Datapath actions: pop_vlan,3\n")) << answer;
  EXPECT_EQ(run("ofproto/trace", {"netdev@ovs-netdev", "in_port(88),eth(src=00:00:00:00:00:0a,dst=00:00:00:00:00:0b),"
                                                     "eth_type(0x1234)"}),
            "error: no OpenFlow port for datapath port 88");
}

TEST_F(Commands, TraceOfAPacket) {
  const std::string answer = run(
      "ofproto/trace", {"br0", "in_port=1",
                        "00000000000d00000000000c08004500001c00000000401100000101010102020202000100020008fffb"});
  EXPECT_TRUE(answer.starts_with("Flow: udp,in_port=1,vlan_tci=0x0000,dl_src=00:00:00:00:00:0c,"
                                 "dl_dst=00:00:00:00:00:0d,nw_src=1.1.1.1,nw_dst=2.2.2.2,nw_tos=0,nw_ecn=0,"
                                 "nw_ttl=64,nw_frag=no,tp_src=1,tp_dst=2\n"))
      << answer;
  EXPECT_NE(answer.find("     -> learned that 00:00:00:00:00:0c is on port p1 in VLAN 0\n"
                        "     -> no learned MAC for destination, flooding\n"),
            std::string::npos);
  EXPECT_NE(answer.find("Megaflow: recirc_id=0,eth,ip,in_port=1,dl_src=00:00:00:00:00:0c,dl_dst=00:00:00:00:00:0d,"
                        "nw_frag=no\n"),
            std::string::npos)
      << answer;
  EXPECT_NE(run("fdb/show", {"br0"}).find("    1     0  00:00:00:00:00:0c    0\n"), std::string::npos);
  const std::string made = run("ofproto/trace", {"br0", "in_port=2,tcp,dl_src=00:00:00:00:00:0e", "-generate"});
  EXPECT_NE(made.find("learned that 00:00:00:00:00:0e is on port p2 in VLAN 10"), std::string::npos) << made;
  const std::string named = run("ofproto/trace", {"--names", "br0", "in_port=p2,dl_dst=00:00:00:00:00:0c"});
  EXPECT_TRUE(named.starts_with("Flow: in_port=p2,")) << named;
  EXPECT_TRUE(named.ends_with("Datapath actions: push_vlan(vid=10,pcp=0),br0,p1\n")) << named;
}

TEST_F(Commands, TraceRefuses) {
  EXPECT_EQ(run("ofproto/trace", {"nobr", "in_port=1"}), "error: nobr: unknown bridge");
  EXPECT_NE(run("ofproto/trace", {"br0", "in_port=1,foo=1"}).find("error: Bad openflow flow syntax: in_port=1,foo=1: "),
            std::string::npos);
  EXPECT_EQ(run("ofproto/trace", {"br0", "in_port=1", "zz"}), "error: Trailing garbage in packet data");
  EXPECT_EQ(run("ofproto/trace", {"br0", "in_port=1", "000"}), "error: Trailing garbage in packet data");
  EXPECT_EQ(run("ofproto/trace", {"br0", "in_port=1", "00", "11"}), "error: too many arguments");
  EXPECT_NE(run("ofproto/trace", {"in_port(1"}).find("(or the bridge name was omitted)"), std::string::npos);
}

}  // namespace
}  // namespace ovs::ofproto::test
