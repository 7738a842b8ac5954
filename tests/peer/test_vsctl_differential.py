"""The same command lines to the packaged ovs-vsctl and to ours: same status, output and errors.

Each group of lines starts on an empty database.  Where ours answers otherwise on purpose, the line
stands in ON_PURPOSE with the reason, and is only run, so that both databases stay alike; at the
end of each group they must be.
"""

import json
import re
import shlex

import ovs_test
import pytest

GROUPS = {
    "bridges": r"""
        init
        init -- init
        list-br
        show
        add-br br0
        add-br br0
        --may-exist add-br br0
        add-br
        add-br a b
        add-br a b c d
        add-br ""
        add-br f1 br0 10
        add-br f2 br0 10
        add-br f2 br0 5000
        add-br f2 br0 -1
        add-br f2 f1 11
        add-br f2 nope 11
        add-br f1
        add-br f1 br0 10
        --may-exist add-br f1
        --may-exist add-br f1 br0 11
        --may-exist add-br f1 br0 10
        --may-exist add-br f1 br9 10
        --may-exist add-br br0 br1 11
        add-br f3 br0 0
        list-br
        --real list-br
        --fake list-br
        -- --fake list-br
        -- --real --fake list-br
        br-exists br0
        br-exists f1
        br-exists nope
        br-exists
        br-to-vlan br0
        br-to-vlan f1
        br-to-vlan nope
        br-to-parent br0
        br-to-parent f1
        br-to-parent nope
        br-set-external-id br0 a b
        br-set-external-id br0 c "x y"
        br-get-external-id br0
        br-get-external-id br0 a
        br-get-external-id br0 nope
        br-set-external-id br0 a
        br-set-external-id br0 never-there
        br-get-external-id br0
        br-set-external-id f1 k v
        br-get-external-id f1
        br-get-external-id f1 k
        --columns=external_ids list port f1
        br-set-external-id f1 k
        br-get-external-id f1
        br-get-external-id nope
        br-get-external-id nope a
        br-set-external-id nope a
        add-br odd/name
        add-br a-name-that-is-rather-longer-than-others
        add-br "sp ace"
        list-br
        show
        del-br odd/name -- del-br "sp ace"
        del-br nope
        --if-exists del-br nope
        -- --if-exists del-br nope
        del-br br0 br1
        del-br f1
        list-br
        add-port f3 inner
        del-br f3
        list-ports br0
        add-br br1 -- add-port br1 q1
        del-br br1 -- add-br br1 -- list-ports br1
        del-br br0
        list-br
        emer-reset
        emer-reset x
        """,
    "ports": r"""
        add-br br0 -- add-br f1 br0 10 -- add-br br1
        add-port br0 p1
        add-port br0 p1
        --may-exist add-port br0 p1
        --may-exist add-port br0 p1 tag=77
        get port p1 tag
        add-port f1 p2
        add-port f1 p3 tag=7 other_config:a=b
        add-port br0 p4 nope=3
        add-port br0 p4 tag
        add-port br0 p4 tag=x
        add-port br0 p4 tag=4096
        add-port br0 p4 tag=1,2
        add-port br0 p4 trunks=1,2,5-7
        get port p4 trunks tag
        add-port br0 br0
        add-port br0 f1
        add-port br0 ""
        add-br p1
        add-br p2
        add-port f1 p1
        --may-exist add-port f1 p1
        --may-exist add-port br1 p1
        --may-exist add-port br0 br0
        --may-exist add-port br0 f1
        add-port nope p1
        add-port nope p99
        --may-exist add-port nope p1
        list-ports br0
        list-ports f1
        list-ports br1
        list-ports nope
        list-ifaces br0
        list-ifaces f1
        list-ifaces nope
        port-to-br p1
        port-to-br p2
        port-to-br p3
        port-to-br br0
        port-to-br f1
        port-to-br nope
        iface-to-br p1
        iface-to-br p2
        iface-to-br br0
        iface-to-br f1
        iface-to-br nope
        show
        add-port br0 twice -- add-port br0 twice
        add-port br0 n1 -- list-ports br0 -- get port n1 tag -- del-port n1 -- list-ports br0
        del-port p1 -- add-port br0 p1
        --if-exists del-port p1 -- add-port br0 p1 -- set interface p1 type=internal
        get interface p1 type
        del-port nope
        --if-exists del-port nope
        del-port br0 nope
        del-port f1 p1
        del-port br0 p2
        --if-exists del-port br0 p2
        --if-exists del-port f1 p1
        del-port br1 p1
        del-port br0
        del-port f1
        del-port br0 br0
        --if-exists del-port br0
        --if-exists del-port f1
        del-port nope p1
        --if-exists del-port nope p1
        del-port br0 p1
        del-port f1 p2
        del-port
        del-port a b c
        list-ports br0 -- list-ports f1
        """,
    "bonds": r"""
        add-br br0 -- add-br f1 br0 10
        add-bond br0 b0 i1
        add-bond br0 b0 i1 i2
        add-bond br0 b0 i1 i2
        --may-exist add-bond br0 b0 i1 i2
        --may-exist add-bond br0 b0 i2 i1
        --may-exist add-bond br0 b0 i1 i3
        --may-exist add-bond f1 b0 i1 i2
        --may-exist add-port br0 b0
        add-bond br0 b1 i1 i7
        add-bond br0 b1 i8 i9 bond_mode=balance-slb lacp=active
        add-bond br0 b2 i10 bond_mode=balance-slb
        --fake-iface add-bond br0 b3 i11 i12 lacp=foo
        --fake-iface add-bond br0 b3 i11 i12
        get port b3 bond_fake_iface -- get port b1 bond_mode lacp
        add-bond nope b4 i13 i14
        add-bond br0 b0 i13 i14
        add-bond f1 b5 i15 i16
        get port b5 tag
        port-to-br b5
        iface-to-br i15
        list-ifaces br0
        list-ifaces f1
        list-ports br0
        add-bond-iface b0 i3
        add-bond-iface b0 i3
        --may-exist add-bond-iface b0 i3
        --may-exist add-bond-iface b1 i3
        add-bond-iface nope i4
        add-bond-iface b0 i8
        del-bond-iface i3
        del-bond-iface b0 i3
        --if-exists del-bond-iface b0 i3
        --if-exists del-bond-iface i3
        del-bond-iface b1 i1
        --if-exists del-bond-iface b1 i1
        del-bond-iface nope i1
        --if-exists del-bond-iface nope i1
        del-bond-iface nope
        add-port br0 single
        del-bond-iface single
        del-bond-iface single single
        --with-iface del-port i8
        --with-iface del-port nope
        --with-iface del-port f1 i1
        --with-iface del-port br0 i1
        --if-exists --with-iface del-port br0 i1
        --with-iface del-port br0 br0
        --with-iface --if-exists del-port nope
        --with-iface del-port b3
        list-ports br0
        list-ifaces br0
        """,
    "controllers": r"""
        add-br br0 -- add-br f1 br0 10
        get-controller br0
        set-controller br0 tcp:1.2.3.4
        get-controller br0
        set-controller br0 tcp:1.2.3.5 tcp:1.2.3.4:6633
        get-controller br0
        get-controller f1
        set-controller f1 tcp:9.9.9.9
        set-controller br0
        set-controller nope tcp:1.1.1.1
        get-controller nope
        del-controller nope
        del-controller f1
        set-controller br0 nonsense
        get-controller br0
        -- --inactivity-probe=3000 set-controller br0 tcp:1.1.1.1
        get controller br0 target inactivity_probe
        list controller
        show
        del-controller br0
        get-controller br0
        get-fail-mode br0
        set-fail-mode br0 foo
        set-fail-mode br0 secure
        get-fail-mode br0
        del-fail-mode br0
        get-fail-mode br0
        get-fail-mode f1
        set-fail-mode f1 standalone
        set-fail-mode nope standalone
        get-fail-mode nope
        get-manager
        set-manager ptcp:6640:127.0.0.1 nonsense
        get-manager
        -- --inactivity-probe=3000 set-manager foo bar
        --columns=target,inactivity_probe list manager
        get-manager
        get manager foo target
        set-manager
        show
        del-manager
        get-manager
        get-ssl
        set-ssl a b c
        get-ssl
        -- --bootstrap set-ssl /a /b /c
        get-ssl
        list ssl
        get ssl . ca_cert
        set-ssl a b
        set-ssl a b c d
        del-ssl
        get-ssl
        get ssl . ca_cert
        """,
    "auto attach and zones": r"""
        add-br br0 -- add-br f1 br0 10
        get-aa-mapping br0
        add-aa-mapping br0 100 20
        add-aa-mapping br0 101 21
        add-aa-mapping br0 x 21
        add-aa-mapping br0 101
        get-aa-mapping br0
        list autoattach br0
        del-aa-mapping br0 100 20
        del-aa-mapping br0 999 20
        del-aa-mapping br0 101 20
        get-aa-mapping br0
        add-aa-mapping f1 100 20
        get-aa-mapping f1
        get-aa-mapping nope
        add-aa-mapping nope 1 2
        del-aa-mapping br0 101 21
        get-aa-mapping br0
        list-dp-cap system
        list-zone-tp system
        add-zone-tp system zone=1 icmp_first=30
        del-zone-tp system zone=1
        list-dp-cap
        --id=@d create datapath datapath_version=1 -- set open . datapaths:system=@d
        list-zone-tp system
        add-zone-tp system zone=1 icmp_first=30 icmp_reply=60
        add-zone-tp system zone=1 icmp_first=30
        --may-exist add-zone-tp system zone=1 icmp_first=31
        add-zone-tp system zone=2
        add-zone-tp system zone=3 udp_first=1
        add-zone-tp system zone=4 udp_first=1
        list-zone-tp system
        list-zone-tp netdev
        list ct_timeout_policy
        del-zone-tp system zone=2
        --if-exists del-zone-tp system zone=2
        del-zone-tp system zone=1
        list-zone-tp system
        list-dp-cap netdev
        """,
    "list and find": r"""
        add-br br0 -- add-br br1 -- add-port br0 p1 -- add-port br0 p2 tag=5 -- add-port br1 q1
        list bridge br0
        list br br0
        list b br0
        list BRIDGE br0
        list nope
        list c
        list brdge
        list bridge nope
        --if-exists list bridge nope br0
        --columns=name,_uuid list bridge br0
        --columns=nam list bridge
        --columns=NAME list bridge
        --columns=name,foo list bridge
        --columns=f list bridge
        -- --columns=name list bridge br0 br1
        --columns= list bridge br0
        list open_vswitch .
        list Open-vSwitch
        list open x
        list _Server
        list
        list flow_sample
        --all list bridge
        find bridge name=br0
        --columns=name find bridge name!=br0
        --columns=name find port tag=5
        --columns=name find port "tag!=5"
        --columns=name find port "tag{!=}5"
        --columns=name find port "tag<6"
        --columns=name find port "tag>=5"
        --columns=name find port "tag=[]"
        --columns=name find port "tag{not-in}5"
        --columns=name find port "tag{in}5"
        --columns=name find port "tag{foo}5"
        --columns=name find port "tag~5"
        --columns=name find port tag
        --columns=name find port other_config:a=b
        --columns=name find port "other_config:a!=b"
        --columns=name find port "other_config:a{!=}b"
        --columns=name find port "other_config:a{=}b"
        --columns=name find port "other_config={a=b}"
        --columns=name find port "other_config={}"
        --columns=name find port tag:a=5
        --columns=name find port nope=5
        --columns=name find port nope=5 name=p1
        --columns=name find port =5
        --columns=name find port "other_config:a<b"
        --columns=name find port
        find
        set port p1 trunks=1,2,3 other_config:a=b other_config:mtu=1500
        set port p2 other_config:mtu=9000
        --columns=name find port "trunks{>=}1,2"
        --columns=name find port "trunks{<=}1,2,3,4"
        --columns=name find port "trunks{>}1,2"
        --columns=name find port "trunks{<}1,2,3"
        --columns=name find port "trunks{<}1,2,3,4"
        --columns=name find port "trunks=1-3"
        --columns=name find port "trunks>5"
        --columns=name find port other_config:mtu=1500
        --columns=name find port "other_config:mtu!=1500"
        --columns=name find port "other_config:mtu{!=}1500"
        --columns=name find port other_config:a=b other_config:mtu=1500
        --columns=name find port other_config=a=b,mtu=1500
        --columns=name find interface type=internal name!=br0
        set bridge br0 "other_config:k=a b" other_config:l=a,b
        --columns=name find bridge "other_config:k=a b"
        --columns=name find bridge 'other_config:k="a b"'
        --columns=name find bridge other_config:l=a,b
        --columns=name find bridge "other_config:k!=a b"
        --columns=name find bridge "other_config:l{=}a,b"
        --format=table list qos
        --format=table --columns=name,tag list port
        -f csv --columns=name,tag,trunks list port
        -f html --columns=name,other_config list port
        -f json --columns=name,other_config list port
        -f json --pretty --columns=name,other_config list port p1
        --bare --columns=name,other_config,trunks list port p1
        -d json --columns=name,other_config,trunks list port p1
        --no-headings --columns=name,trunks list port p1
        -f list -d bare --columns=name,trunks,other_config list port p1
        --no-headings -f table --columns=name,tag list port p1
        -f table --max-column-width=5 --columns=name,trunks,other_config list port p1
        -f csv list manager
        -f table list manager
        -f json list manager
        -f list list manager
        --columns=name -f table list br br0 -- --columns=name list port p1
        --columns=name list br br0 -- --columns=name list port p1
        --columns=name list br br0 -- list-br -- --columns=name list port p1
        --oneline list-br -- list-ports br0 -- get bridge br0 name
        --oneline --columns=name list bridge br0
        --oneline get bridge br0 name stp_enable
        --oneline init -- list-br
        -f json --columns=name list br br0 -- list-br
        --format=nope list bridge
        --data=nope list bridge
        --form=csv --columns=name list bridge br0
        """,
    "get": r"""
        add-br br0 -- add-br br1 -- add-port br0 p1 -- add-port br0 p2 tag=5
        get bridge br0 name
        get bridge br0 name stp_enable fail_mode
        get bridge nope name
        --if-exists get bridge nope name
        get bridge br0 foo
        get bridge br0 other_config:foo
        --if-exists get bridge br0 other_config:foo
        --if-exists get bridge br0 other_config:foo name
        get bridge br0 other_config:foo name
        get bridge br0 name:foo
        get bridge br0 name=foo
        get bridge br0
        get bridge
        --id=@a get bridge br0
        --id=@a get bridge br0 name -- --id=@a get bridge br1 name
        --id=a get bridge br0
        --id=@a --if-exists get bridge br0
        --id get bridge br0
        get bridge @b name
        get bridge br0 _version
        get b br0 stp-enable STP_ENABLE
        get port p2 tag
        get interface p1 type
        get interface p* type
        get bridge "" name
        get bridge br0 ""
        get bridge br0 name,ports
        get bridge br0 other_config:a:b
        get bridge br0 'other_config:"a'
        set bridge br0 'other_config:"a b"=c' other_config:d.e=f
        get bridge br0 'other_config:"a b"'
        get bridge br0 other_config:d.e other_config
        get port p2 interfaces:x
        get open . cur_cfg
        """,
    "set": r"""
        add-br br0 -- add-br br1 -- add-port br0 p1 -- add-port br0 p2 tag=5
        set bridge br0 other_config:a=b
        get bridge br0 other_config
        set bridge br0 other_config:a=c other_config:d='"x y"' 'other_config:e=f g'
        get bridge br0 other_config
        set bridge br0 other_config:h=
        set bridge br0 other_config
        set bridge br0 other_config:x
        set bridge br0
        set bridge nope other_config:a=b
        --if-exists set bridge nope other_config:a=b
        set bridge br0 other_config=a=1,b=2
        get bridge br0 other_config
        set bridge br0 other_config={}
        get bridge br0 other_config
        set bridge br0 "other_config={a=1, b=2}"
        get bridge br0 other_config
        set bridge br0 name=foo
        set bridge br0 _uuid=foo
        set bridge br0 stp_enable=maybe
        set bridge br0 stp_enable=true rstp_enable=off
        get bridge br0 stp_enable rstp_enable
        set bridge br0 fail_mode=foo
        set bridge br0 fail-mode=secure
        set bridge br0 fail-mode=secure,standalone
        set bridge br0 fail-mode=[]
        get bridge br0 fail_mode
        set port p1 trunks=1,2,3
        get port p1 trunks
        set port p1 trunks=1-4,7
        get port p1 trunks
        set port p1 trunks=4-1
        set port p1 trunks=1,1
        set port p1 "trunks=1 2"
        get port p1 trunks
        set port p1 trunks=
        set port p1 trunks=[1,]
        set port p1 trunks=[1
        set port p1 trunks=1]
        set port p1 trunks={1}
        set port p1 trunks=[]
        get port p1 trunks
        set bridge br0 other_config=[a=b]
        set bridge br0 other_config=a=b,a=c
        set bridge br0 other_config:a=b=c
        set bridge br0 other_config:a:b=c
        set bridge br0 other_config+=c
        set bridge br0 stp_enable:a=true
        set bridge br0 ""
        get bridge br0 other_config
        set bridge br0 netflow=@x
        set bridge br0 netflow=foo
        set bridge br0 datapath_type=a,b
        set bridge br0 datapath_type=
        set bridge br0 'datapath_type=""'
        set bridge br0 datapath_type=true
        get bridge br0 datapath_type
        set bridge br0 'datapath_type="tr\u0041"'
        get bridge br0 datapath_type
        set bridge br0 'datapath_type="x'
        set bridge br0 'datapath_type=a b'
        set bridge br0 'datapath_type=a"b"'
        get bridge br0 datapath_type
        set bridge br0 datapath_version=1.5
        get bridge br0 datapath_version
        set interface p1 mtu_request=1500
        set interface p1 mtu_request=15x
        set interface p1 mtu_request=99999999999999999999
        set interface p1 ingress_policing_rate=0x10
        set interface p1 ingress_policing_rate=-5
        set interface p1 type=gre options:remote_ip=1.2.3.4 options:key=flow external_ids:iface-mac=00:11:22:33:44:55
        get interface p1 type options external_ids
        show
        set bridge br0 datapath_type=netdev -- set bridge br0 fail_mode=secure -- set-controller br0 tcp:1.1.1.1
        show
        set bridge br0 protocols=OpenFlow10,OpenFlow13
        get bridge br0 protocols
        set bridge br0 protocols=OpenFlow99
        set open . ovs_version=9 external_ids:system-id=abc
        get open . external_ids ovs_version
        set brdge br0 stp_enable=true
        set bridge br0 flow_tables:0=@ft -- --id=@ft create flow_table flow_limit=100 overflow_policy=refuse
        --columns=flow_limit,overflow_policy list flow_table
        set bridge br0 flow_tables=0=@ft,1=@ft -- --id=@ft create flow_table flow_limit=100 'groups="a[]"'
        remove bridge br0 flow_tables 0
        --columns=groups list flow_table
        set bridge br0 flow_tables:300=@ft -- --id=@ft create flow_table flow_limit=1
        """,
    "add, remove and clear": r"""
        add-br br0 -- add-br br1 -- add-port br0 p1
        add bridge br0 other_config z=1
        add bridge br0 other_config z=2
        get bridge br0 other_config
        add port p1 trunks 9
        add port p1 trunks 9 10,11
        get port p1 trunks
        add port p1 tag 4
        get port p1 tag
        add port p1 vlan_mode foo
        add bridge br0 name x
        add bridge nope other_config a=b
        --if-exists add bridge nope other_config a=b
        add bridge br0 foo a=b
        add bridge br0
        add bridge br0 other_config
        add bridge br0 other_config 'a b=c'
        add bridge br0 other_config y=1 x=2,w=3
        get bridge br0 other_config
        remove bridge br0 other_config z
        remove bridge br0 other_config nope
        remove bridge br0 other_config y=zz
        get bridge br0 other_config
        remove bridge br0 other_config y=1 w
        get bridge br0 other_config
        remove port p1 trunks 9 10-11
        get port p1 trunks
        remove port p1 trunks 77
        remove bridge br0 name br0
        remove bridge br0 stp_enable true
        remove bridge br0 stp_enable false
        remove bridge nope stp_enable true
        --if-exists remove bridge nope stp_enable true
        remove bridge br0 datapath_type a
        remove port p1 tag 4
        remove port p1 tag x
        get port p1 tag
        remove interface p1 name p1
        set bridge br0 other_config:a=b fail_mode=secure
        clear bridge br0 other_config fail_mode
        get bridge br0 other_config fail_mode
        clear bridge br0 name
        clear bridge br0 stp_enable
        clear bridge br0 fail_mode datapath_type
        clear bridge nope fail_mode
        --if-exists clear bridge nope fail_mode
        clear port p1 interfaces
        clear bridge br0 nope
        clear bridge br0 _uuid
        clear bridge br0
        """,
    "create and destroy": r"""
        add-br br0 -- add-br br1 -- add-port br0 p1 -- add-port br0 p2
        create qos type=linux-htb
        create qos
        create qos type=linux-htb -- create queue other_config:a=b
        create foo a=b
        create qos bar=1
        create queue dscp=99
        create bridge name=lost
        --id=@q create qos type=a -- set port p1 qos=@q
        set port p1 qos=@q -- --id=@q create qos type=b queues=1=@q1 -- --id=@q1 create queue dscp=1
        list qos
        list queue
        --id=@q create qos type=b -- --id=@q create qos type=c
        --id=12345678-1234-1234-1234-123456789012 create qos type=u
        list qos 1234
        list qos 123
        list qos 12345678-1234-1234-1234-123456789012
        list qos 12345678-1234-1234-1234-123456789013
        --id=xx create qos type=u
        set bridge br0 sflow=@s -- --id=@s create sflow 'targets="10.0.0.1:6343"' agent=eth0 header=128
        --columns=targets,agent,header,sampling list sflow br0
        set sflow br1 header=3
        set sflow br0 header=3
        get sflow br0 header
        --id=@m create mirror name=m select_all=true -- add bridge br0 mirrors @m
        --columns=name,select_all,select_dst_port,output_port list mirror m
        --id=@rec get mirror m -- remove bridge br0 mirrors @rec
        list mirror
        --id=@p get port p1 -- --id=@m create Mirror name=mm select-dst-port=@p select-src-port=@p output-port=@p -- set bridge br0 mirrors=@m
        --columns=name,select_all list mirror mm
        clear bridge br0 mirrors
        --id=@nf create netflow 'targets="1.2.3.4:5"' active-timeout=30 -- set bridge br0 netflow=@nf
        get netflow br0 targets active_timeout
        set netflow br0 active_timeout=60
        get netflow br0 active_timeout
        get netflow br1 active_timeout
        --id=@i create IPFIX 'targets="192.168.0.34:4739"' obs_domain_id=123 obs_point_id=456 -- set bridge br0 ipfix=@i
        get ipfix br0 targets obs_domain_id
        --columns=type list qos p1
        list qos p2
        clear port p1 qos -- destroy qos p1
        destroy qos nope
        --if-exists destroy qos nope
        destroy qos
        --all destroy qos x
        destroy bridge br1
        list-br
        set port p1 qos=@q -- --id=@q create qos type=b queues=1=@q1 -- --id=@q1 create queue dscp=1
        clear port p1 qos
        --all destroy qos -- --all destroy queue
        list qos
        list queue
        destroy ssl .
        --if-exists destroy ssl .
        create flow_sample_collector_set id=7
        --id=@b get bridge br0 -- create flow_sample_collector_set id=7 bridge=@b
        get flow_sample_collector_set 7 id
        get flow_sample_collector_set 8 id
        """,
    "the command line": r"""
        add-br br0
        comment hi there
        wait-until bridge br0
        wait-until bridge br0 stp_enable=false
        wait-until bridge br0 foo=1
        wait-until brdge br0
        wait-until bridge br0 name=br0 -- get bridge br0 name

        --
        -- --
        list-br --
        list-br -- -- list-br
        foo
        lst-br
        -- list-br
        list-br x
        --may-exist list-br
        -- --foo list-br
        -- --may-exist=3 add-br a
        -- --columns list bridge
        --foo list-br
        --no list-br
        --may-exist --may-exist add-br br0
        --dry-run add-br dry
        list-br
        --dry-run add-br dry -- list-br
        add-br new -- list-br -- get bridge new name -- list-ports new -- add-port new np -- list-ports new -- del-br new
        add-br new2 -- --columns=name,stp_enable,fail_mode,other_config list bridge new2
        add-port br0 zq1 -- --id=@p get port zq1 -- list-ports br0
        list bridge nope -- foo
        add-br -- list-br
        --may list-br
        -- --may add-br x
        --may add-br br0
        --if-exists -- del-br nope
        --id=@x list-br
        --timeout=x list-br
        --timeout=-1 list-br
        -t
        --pretty=x list-br
        --db
        -vfoo list-br
        """,
}

# Line -> reason.  
ON_PURPOSE = {
    "lst-br": "suggests the nearest command in place of --help",
}


def lines_of(group):
    lines = [line.strip() for line in group.split("\n")][1:-1]
    return lines


def comparable_errors(text, box):
    """Standard error, without log messages and what is different every time."""
    text = ovs_test.normalize_uuids(text.replace(str(box.top), "TOP"))
    text = re.sub(r"\S*/ovs-vsctl: ", "ovs-vsctl: ", text)
    return [line for line in text.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z\|", line)]


def comparable_output(line, text):
    """Standard output; rows, and the pieces of show, come in any order."""
    words = shlex.split(line)
    if not {"list", "find", "show"} & set(words):
        return ovs_test.normalize_uuids(text)
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<uuid>", text)
    text = re.sub(r">[0-9a-f]{8}<", "><uuid><", text)  # html
    if text.startswith('{"data"'):
        tables = [json.loads(part) if part.startswith("{") else part for part in text.splitlines()]
        return [(sorted(map(repr, t["data"])), t["headings"]) if isinstance(t, dict) else t for t in tables]
    if words[-1] == "show" or "-f" in words or any(w.startswith("--form") for w in words):
        return sorted(text.splitlines())
    return sorted(block.strip("\n") for block in text.split("\n\n"))


def transcript(box, client, server, lines):
    daemon = box.start_ovsdb_server(schema=ovs_test.packaged_schema(), flavour=server)
    result = []
    for line in lines:
        done = box.run("ovs-vsctl", f"--db=unix:{box.run_dir}/db.sock", "--no-syslog",
                       "--timeout=10", "--no-wait", *shlex.split(line), flavour=client, status=None)
        result.append((line, done.returncode, comparable_output(line, done.stdout),
                       comparable_errors(done.stderr, box)))
    with daemon.connect() as rpc:
        return result, ovs_test.canonical_database(rpc)


def same_errors(expected, actual):
    """Ours may go on where the packaged program's message ends, with advice."""
    if len(actual) < len(expected):
        return False
    expected = [re.sub(r"\b1 arguments$", "1 argument", e) for e in expected]
    return all(a == e or a.startswith(e.rstrip(".")) or
               (e.startswith("ovs-vsctl: transaction error: ") and a.startswith("ovs-vsctl: transaction error: "))
               for e, a in zip(expected, actual))


@pytest.mark.parametrize("server", ["packaged", "ours"])
@pytest.mark.parametrize("group", GROUPS)
def test_same_answers(box_pair, group, server):
    ours, reference = box_pair
    lines = lines_of(GROUPS[group])
    expected, expected_rows = transcript(reference, "packaged", "packaged", lines)
    actual, rows = transcript(ours, "ours", server, lines)
    different = []
    for e, a in zip(expected, actual):
        if e[0] in ON_PURPOSE:
            continue
        if e[1] != a[1] or e[2] != a[2] or not same_errors(e[3], a[3]):
            different.append(f"$ {e[0]}\n  packaged: {e[1:]}\n  ours:     {a[1:]}")
    assert not different, "\n" + "\n".join(different)
    assert rows == expected_rows
