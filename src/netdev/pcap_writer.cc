#include "netdev/pcap_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cerrno>
#include <chrono>

namespace ovs::netdev {
namespace {

struct FileHeader {
  std::uint32_t magic = 0xa1b2c3d4;
  std::uint16_t major = 2, minor = 4;
  std::uint32_t zone = 0, accuracy = 0;
  std::uint32_t longest = 0x40000;
  std::uint32_t link_type = 1;  // LINKTYPE_ETHERNET
};
static_assert(sizeof(FileHeader) == 24);

struct RecordHeader {
  std::uint32_t seconds, microseconds, captured, length;
};
static_assert(sizeof(RecordHeader) == 16);

}  // namespace

Result<PcapWriter> PcapWriter::open(const std::string& file) {
  Descriptor fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  struct stat status {};
  if (fd.get() < 0 || ::fstat(fd.get(), &status) < 0)
    return Unexpected{system_error("cannot open the pcap file " + file, errno)};
  if (status.st_size == 0) {
    const FileHeader header;
    if (::write(fd.get(), &header, sizeof header) != sizeof header)
      return Unexpected{system_error("cannot write to the pcap file " + file, errno)};
  }
  return PcapWriter(file, std::move(fd));
}

void PcapWriter::write(std::span<const std::uint8_t> frame) {
  using namespace std::chrono;
  const auto now = duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
  RecordHeader header{static_cast<std::uint32_t>(now / 1'000'000), static_cast<std::uint32_t>(now % 1'000'000),
                      static_cast<std::uint32_t>(frame.size()), static_cast<std::uint32_t>(frame.size())};
  const iovec parts[] = {{&header, sizeof header},
                         {const_cast<std::uint8_t*>(frame.data()), frame.size()}};
  [[maybe_unused]] const ssize_t written = ::writev(fd_.get(), parts, 2);
}

}  // namespace ovs::netdev
