// KernelDevice: what all Netdevs that stand for a Linux interface have in common: they find it by name,
// follow it through rtnetlink, and ask for and change its settings.
//
// Thread safety: as netdev.h.
#pragma once

#include <string>

#include "netdev/link_table.h"
#include "netdev/netdev.h"

namespace ovs::netdev {

class KernelDevice : public Netdev {
 public:
  ~KernelDevice() override;

  // Finds the interface and opens it; success, too, if it does not exist.
  Result<void> start();

  State state() const override { return state_; }
  Result<Statistics> statistics() const override;
  Result<void> set_mtu(unsigned mtu) override;
  Result<void> set_mac(const flow::EthAddr& mac) override;
  Result<void> set_admin_up(bool up) override;
  std::uint64_t generation() const override { return generation_; }

  // ---- for LinkTable
  // The kernel says that an interface of this name is there, or that it changed.
  void link_present(const netlink::Link& link);
  // The interface that this device stands for is gone, or has another name now.
  void link_gone();
  // Whether state() or generation() is another one than when this was asked last.
  bool take_change();
  virtual Statistics to_statistics(const netlink::LinkCounters& counters) const = 0;
  // The interface lives on where rtnetlink does not tell of it: in another network namespace.
  bool out_of_sight() const { return out_of_sight_; }
  // The time that the device asked for by LinkTable::look_again() has come.
  virtual void look_again() {}
  // Whether something has changed that rtnetlink does not tell of; asked together with statistics.
  virtual bool is_outdated() const { return false; }
  // What the device has counted itself; for an interface that is out of sight.
  virtual Statistics own_statistics() const { return {}; }

 protected:
  KernelDevice(std::string name, LinkTable& links) : Netdev(std::move(name)), links_(links) {}

  // There is a new interface of this name: open it.
  virtual Result<void> open_interface(const netlink::Link& link) = 0;
  // What rtnetlink says of the interface now, which is open or belongs to somebody else; after that was settled.
  virtual void link_changed(const netlink::Link&) {}
  // Somebody else (a Linux bridge, a bond) has the interface, or it is given up: close it.
  virtual void close_interface() {}
  // Whether what the interface receives is not for us while it belongs to a Linux bridge or a bond.
  virtual bool yields_to_master() const { return false; }
  // The interface is gone.  Returns whether it lives on out of rtnetlink's sight (leave_sight() was called then), or has
  // been made again.
  virtual bool interface_lost() = 0;
  // What rtnetlink says of this index is about another interface from now on.
  void leave_sight();
  // Makes the interface if this kind does; called before it is looked for.
  virtual Result<void> make_interface() { return {}; }
  unsigned ifindex() const { return state_.ifindex; }
  LinkTable& links() const { return links_; }
  void forget_interface();
  bool is_open() const { return open_; }
  // State::trouble and settling; and rx_descriptors() and all else that a generation has are others now.
  void begin_generation(std::string trouble, bool settling = false);

 private:
  Result<void> adopt(const netlink::Link& link);
  void apply(const netlink::Link& link);
  void apply_master(const netlink::Link& link);
  Result<void> changed(Result<void> done);
  Result<unsigned> existing() const;

  LinkTable& links_;
  bool added_ = false;
  bool open_ = false;
  bool out_of_sight_ = false;
  unsigned master_ = 0;
  State state_;
  std::uint64_t generation_ = 0;
  State told_state_;
  std::uint64_t told_generation_ = 0;
};

}  // namespace ovs::netdev
