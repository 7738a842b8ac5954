// Whether this build has the type afxdp (configure --enable-afxdp), and what the registry makes its devices with.
//
// Thread safety: as registry.h.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "netdev/kernel_device.h"

namespace ovs::netdev {

bool has_afxdp();
// Not started yet.  An error names the option that is wrong, or says that this build has no AF_XDP.
Result<std::unique_ptr<KernelDevice>> make_afxdp(std::string name, LinkTable& links, const Options& options);

}  // namespace ovs::netdev
