// XdpProgram: what makes a Linux interface give its frames to AF_XDP sockets: a program at its entrance (XDP)
// that redirects each frame to the socket of its receive queue.
//
// A frame of a queue without a socket is dropped: it came by a port of the switch, and is nobody else's business.
//
// VLAN tags.  The program sees what is in memory.  A tag that the driver, or the other end of a veth pair, keeps beside
// the frame is put back where the kernel lets a program ask for it (bpf_xdp_metadata_rx_vlan_tag, Linux 6.8; native
// mode; needs CONFIG_DEBUG_INFO_BTF): restores_tags().
//
// Nothing outlives this object, nor the process: the attachment is a bpf_link, which goes with its last descriptor,
// and the interface gives its frames to the host again at once.
//
// Thread safety: one thread at a time.
#pragma once

#include <memory>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

struct bpf_insn;

namespace ovs::netdev {

class XdpProgram {
 public:
  // For an interface with this many receive queues.
  static Result<XdpProgram> load(unsigned ifindex, unsigned queues, bool native);
  Result<void> set_socket(unsigned queue, int socket);
  // EBUSY: another program is attached.
  Result<void> attach();
  bool restores_tags() const { return restores_tags_; }

  // Whether an XDP program is attached to the interface, whoever did that.
  static bool is_attached(unsigned ifindex);

 private:
  XdpProgram() = default;

  unsigned ifindex_ = 0;
  bool native_ = false;
  bool restores_tags_ = false;
  Descriptor sockets_;  // a map from queue to socket
  Descriptor program_;
  Descriptor link_;
};

}  // namespace ovs::netdev
