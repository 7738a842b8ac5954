// PcapWriter: frames into a file that tcpdump reads (the pcap format, version 2.4, microseconds, Ethernet).
//
// Each frame is in the file when write() returns.  An existing file is continued.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace ovs::netdev {

class PcapWriter {
 public:
  static Result<PcapWriter> open(const std::string& file);
  const std::string& file() const { return file_; }
  // What cannot be written (a full disk) is lost.
  void write(std::span<const std::uint8_t> frame);

 private:
  PcapWriter(std::string file, Descriptor fd) : file_(std::move(file)), fd_(std::move(fd)) {}
  std::string file_;
  Descriptor fd_;
};

}  // namespace ovs::netdev
