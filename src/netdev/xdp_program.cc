#include "netdev/xdp_program.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include <cerrno>
#include <cstdint>

namespace ovs::netdev {
namespace {

// Newer than the headers of some distributions: a program for one device, which runs on the host's processor (Linux
// 6.3).
constexpr std::uint32_t bound_to_device = 1u << 6;  // BPF_F_XDP_DEV_BOUND_ONLY
constexpr std::uint8_t kernel_function_call = 2;    // BPF_PSEUDO_KFUNC_CALL, Linux 5.13
constexpr const char* tag_function = "bpf_xdp_metadata_rx_vlan_tag";

// Registers: results and arguments, kept ones, the end of the stack.
constexpr std::uint8_t r0 = 0, r1 = 1, r2 = 2, r3 = 3, r4 = 4, r5 = 5, r6 = 6, stack_end = 10;

// struct xdp_md
constexpr std::int16_t data_at = 0, data_end_at = 4, rx_queue_at = 16;

constexpr std::uint8_t code(int bits) { return static_cast<std::uint8_t>(bits); }

// Instructions in the order in which they run.
class Assembler {
 public:
  void set(std::uint8_t to, std::int32_t value) { add(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value); }
  void copy(std::uint8_t to, std::uint8_t from) { add(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
  void increase(std::uint8_t to, std::int32_t by) { add(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, by); }
  void load(int size, std::uint8_t to, std::uint8_t from, std::int16_t at) {
    add(BPF_LDX | size | BPF_MEM, to, from, at, 0);
  }
  void store(int size, std::uint8_t to, std::int16_t at, std::uint8_t from) {
    add(BPF_STX | size | BPF_MEM, to, from, at, 0);
  }
  void store_zero(int size, std::uint8_t to, std::int16_t at) { add(BPF_ST | size | BPF_MEM, to, 0, at, 0); }
  void to_big_endian_16(std::uint8_t what) { add(BPF_ALU | BPF_END | BPF_TO_BE, what, 0, 0, 16); }
  void load_map(std::uint8_t to, int map) {
    add(BPF_LD | BPF_IMM | BPF_DW, to, BPF_PSEUDO_MAP_FD, 0, map);
    add(0, 0, 0, 0, 0);
  }
  void call(std::int32_t helper) { add(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }
  void call_kernel_function(std::int32_t id) { add(BPF_JMP | BPF_CALL, 0, kernel_function_call, 0, id); }
  void exit() { add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }
  // To be landed later.
  std::size_t jump_unless_zero(std::uint8_t what) { return jump(BPF_JMP | BPF_JNE | BPF_K, what, 0); }
  std::size_t jump_if_greater(std::uint8_t what, std::uint8_t than) {
    return jump(BPF_JMP | BPF_JGT | BPF_X, what, than);
  }
  std::size_t jump_always() { return jump(BPF_JMP | BPF_JA, 0, 0); }
  void land(std::size_t jump) {
    instructions_[jump].off = static_cast<std::int16_t>(instructions_.size() - jump - 1);
  }
  const std::vector<bpf_insn>& instructions() const { return instructions_; }

 private:
  std::size_t jump(int operation, std::uint8_t what, std::uint8_t than) {
    add(operation, what, than, 0, 0);
    return instructions_.size() - 1;
  }
  void add(int operation, std::uint8_t to, std::uint8_t from, std::int16_t at, std::int32_t value) {
    bpf_insn instruction{};
    instruction.code = code(operation);
    instruction.dst_reg = to & 0xf;
    instruction.src_reg = from & 0xf;
    instruction.off = at;
    instruction.imm = value;
    instructions_.push_back(instruction);
  }
  std::vector<bpf_insn> instructions_;
};

// The program; `tag_function_id` 0: without tags.
std::vector<bpf_insn> assemble(int sockets, std::int32_t tag_function_id) {
  Assembler a;
  a.copy(r6, r1);
  if (tag_function_id != 0) {
    constexpr std::int16_t tpid_at = -4, tci_at = -8;
    a.store_zero(BPF_W, stack_end, tpid_at);
    a.store_zero(BPF_W, stack_end, tci_at);
    a.copy(r2, stack_end);
    a.increase(r2, tpid_at);
    a.copy(r3, stack_end);
    a.increase(r3, tci_at);
    a.call_kernel_function(tag_function_id);
    const std::size_t no_tag = a.jump_unless_zero(r0);
    a.copy(r1, r6);
    a.set(r2, -4);
    a.call(BPF_FUNC_xdp_adjust_head);
    const std::size_t no_room = a.jump_unless_zero(r0);
    a.load(BPF_W, r2, r6, data_at);
    a.load(BPF_W, r3, r6, data_end_at);
    a.copy(r4, r2);
    a.increase(r4, 4 + 14);
    const std::size_t too_short = a.jump_if_greater(r4, r3);
    // The two addresses move to the front, the tag (its TPID in network byte order, its TCI not) goes behind them.
    for (std::int16_t at = 0; at < 12; at = static_cast<std::int16_t>(at + 4)) {
      a.load(BPF_W, r5, r2, static_cast<std::int16_t>(at + 4));
      a.store(BPF_W, r2, at, r5);
    }
    a.load(BPF_H, r5, stack_end, tpid_at);
    a.store(BPF_H, r2, 12, r5);
    a.load(BPF_H, r5, stack_end, tci_at);
    a.to_big_endian_16(r5);
    a.store(BPF_H, r2, 14, r5);
    const std::size_t done = a.jump_always();
    a.land(no_room);
    a.land(too_short);
    a.set(r0, XDP_DROP);
    a.exit();
    a.land(no_tag);
    a.land(done);
  }
  a.load_map(r1, sockets);
  a.load(BPF_W, r2, r6, rx_queue_at);
  a.set(r3, XDP_DROP);
  a.call(BPF_FUNC_redirect_map);
  a.exit();
  return a.instructions();
}

// What the kernel's own description of itself calls the function; 0: there is none.
std::int32_t find_tag_function() {
  static const std::int32_t id = [] {
    btf* kernel = ::btf__load_vmlinux_btf();
    if (!kernel) return 0;
    const std::int32_t found = ::btf__find_by_name_kind(kernel, tag_function, BTF_KIND_FUNC);
    ::btf__free(kernel);
    return found > 0 ? found : 0;
  }();
  return id;
}

// Functions of the kernel may be called by programs alone that may be used under the GPL, among others.
constexpr const char* calls_kernel = "Dual BSD/GPL";
constexpr const char* calls_helpers_only = "Apache-2.0";

int load_program(const std::vector<bpf_insn>& instructions, unsigned bound_to) {
  bpf_prog_load_opts options{};
  options.sz = sizeof options;
  if (bound_to != 0) {
    options.prog_flags = bound_to_device;
    options.prog_ifindex = bound_to;
  }
  return ::bpf_prog_load(BPF_PROG_TYPE_XDP, "ovs_afxdp", bound_to != 0 ? calls_kernel : calls_helpers_only,
                         instructions.data(), instructions.size(), &options);
}

Error bpf_error(std::string_view doing, int code) {
  if (code == EPERM) return {"AF_XDP needs the capabilities CAP_BPF and CAP_NET_ADMIN", code};
  if (code == ENOSYS) return {"this kernel has no BPF (CONFIG_BPF_SYSCALL)", code};
  return system_error(doing, code);
}

int silent(libbpf_print_level, const char*, va_list) { return 0; }

}  // namespace

Result<XdpProgram> XdpProgram::load(unsigned ifindex, unsigned queues, bool native) {
  // It would write to the standard error; what it has to say comes as an errno, too.
  ::libbpf_set_print(silent);
  XdpProgram made;
  made.ifindex_ = ifindex;
  made.native_ = native;
  made.sockets_ = Descriptor(::bpf_map_create(BPF_MAP_TYPE_XSKMAP, "ovs_afxdp", sizeof(std::uint32_t),
                                              sizeof(std::uint32_t), queues, nullptr));
  if (made.sockets_.get() < 0) return Unexpected{bpf_error("cannot make a map of AF_XDP sockets", errno)};
  if (native) {
    if (const std::int32_t id = find_tag_function(); id != 0) {
      made.program_ = Descriptor(load_program(assemble(made.sockets_.get(), id), ifindex));
      made.restores_tags_ = made.program_.get() >= 0;
    }
  }
  if (made.program_.get() < 0) made.program_ = Descriptor(load_program(assemble(made.sockets_.get(), 0), 0));
  if (made.program_.get() < 0) return Unexpected{bpf_error("cannot load the XDP program", errno)};
  return made;
}

Result<void> XdpProgram::set_socket(unsigned queue, int socket) {
  const std::uint32_t key = queue;
  const auto value = static_cast<std::uint32_t>(socket);
  if (::bpf_map_update_elem(sockets_.get(), &key, &value, BPF_ANY) < 0)
    return Unexpected{bpf_error("cannot give the XDP program its socket", errno)};
  return {};
}

Result<void> XdpProgram::attach() {
  bpf_link_create_opts options{};
  options.sz = sizeof options;
  options.flags = native_ ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
  link_ = Descriptor(::bpf_link_create(program_.get(), static_cast<int>(ifindex_), BPF_XDP, &options));
  if (link_.get() >= 0) return {};
  if (errno == EBUSY || errno == EEXIST) return unexpected("another XDP program is attached to it", EBUSY);
  if (errno == EOPNOTSUPP && native_) return unexpected("its driver has no native XDP", EOPNOTSUPP);
  return Unexpected{bpf_error("cannot attach the XDP program", errno)};
}

bool XdpProgram::is_attached(unsigned ifindex) {
  bpf_xdp_query_opts answer{};
  answer.sz = sizeof answer;
  if (::bpf_xdp_query(static_cast<int>(ifindex), 0, &answer) < 0) return false;
  return answer.attach_mode != XDP_ATTACHED_NONE;
}

}  // namespace ovs::netdev
