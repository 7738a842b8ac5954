// For builds without libbpf.
#include <cerrno>

#include "netdev/afxdp_kind.h"

namespace ovs::netdev {

bool has_afxdp() { return false; }

Result<std::unique_ptr<KernelDevice>> make_afxdp(std::string, LinkTable&, const Options&) {
  return unexpected("this ovs-vswitchd was built without AF_XDP; configure --enable-afxdp, or the USE flag xdp, "
                    "builds it",
                    EAFNOSUPPORT);
}

}  // namespace ovs::netdev
